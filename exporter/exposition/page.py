"""What /metrics says: blocks of rendered lines, each with its age; a scrape joins bytes.

A block's lines are rendered once, when the data arrives. Sample lines are the same bytes in both
formats, so that only the two header lines of a family exist twice.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from math import inf
from threading import Lock
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.openmetrics import exposition as openmetrics

from exporter.catalogue.model import Kind, Metric
from exporter.northbound.interfaces import MINUTE

EOF = b"# EOF\n"
generate_openmetrics: Callable[[Any], bytes] = openmetrics.generate_latest


class IncompleteError(Exception):
    """There is no page yet, rather than one with gaps. The text says what it waits for."""


class Format(Enum):
    """The two exposition formats, by content type."""

    TEXT = "text/plain; version=0.0.4; charset=utf-8"
    OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


class _Only:
    """A registry of families that prometheus_client can render."""

    def __init__(self, *families: Family) -> None:
        self._families = families

    def collect(self) -> Iterable[Family]:
        return self._families


def _family(metric: Metric) -> Family:
    suffix = {Kind.COUNTER: "_total", Kind.INFO: "_info"}.get(metric.kind, "")
    return Family(metric.name.removesuffix(suffix), metric.help, metric.kind.value)


def _headers(metric: Metric) -> Mapping[Format, bytes]:
    empty = _Only(_family(metric))
    return {
        Format.TEXT: generate_latest(empty),
        Format.OPENMETRICS: generate_openmetrics(empty).removesuffix(EOF),
    }


@dataclass(frozen=True, slots=True)
class Block:
    """Rendered lines by metric. They age from `read_at` on as their source says, or never."""

    chunks: Mapping[Metric, bytes]
    source: Hashable | None = None
    read_at: float = 0.0


class Page:
    """All blocks, and the exporter's own metrics, as one exposition.

    `now` is a clock in seconds that never jumps. Safe to use from several threads.
    """

    def __init__(self, own: CollectorRegistry, now: Callable[[], float]) -> None:
        self.version = 0  # grows with every change of a block, but not with what time alone moves
        self._own = own
        self._now = now
        self._lock = Lock()
        self._blocks: dict[Hashable, tuple[Block, Mapping[str, bytes]]] = {}
        self._max_ages: dict[Hashable, float | None] = {}
        self._headers: dict[str, Mapping[Format, bytes]] = {}
        self._moving: dict[Hashable, Callable[[], Mapping[Metric, bytes]]] = {}
        self._moved_at = -inf

    def update(self, blocks: Mapping[Hashable, Block | None]) -> None:
        """Sets blocks, or removes those that are None; no scrape sees one without the others."""
        with self._lock:
            self.version += 1
            self._set(blocks)

    def _set(self, blocks: Mapping[Hashable, Block | None]) -> None:
        for key, block in blocks.items():
            self._blocks.pop(key, None)
            if block is None or not block.chunks:
                continue
            for metric in block.chunks:
                if metric.name not in self._headers:
                    self._headers[metric.name] = _headers(metric)
            lines = {metric.name: lines for metric, lines in block.chunks.items()}
            self._blocks[key] = (block, lines)

    def move(self, key: Hashable, make: Callable[[], Mapping[Metric, bytes]] | None) -> None:
        """Sets a block that time alone changes, made anew each minute; None removes it."""
        with self._lock:
            self._moving.pop(key, None)
            if make is not None:
                self._moving[key] = make
        self.update({key: None if make is None else Block(make())})

    def keep(self, source: Hashable, max_age: float | None) -> None:
        """Sets how many seconds the blocks of a source are shown; None, as at first: not at all."""
        with self._lock:
            self._max_ages[source] = max_age

    def exposition(self, form: Format) -> bytes:
        """The whole page: what is fresh enough, family by family, then the exporter's own."""
        now = self._now()
        self._make_moving(now)
        with self._lock:
            fresh = [
                lines
                for block, lines in self._blocks.values()
                if self.is_fresh(block.source, block.read_at, now)
            ]
            families = sorted(self._headers.items())
        parts: list[bytes] = []
        for name, headers in families:
            chunks = [lines[name] for lines in fresh if name in lines]
            if chunks:
                parts += [headers[form], *chunks]
        # The library's OpenMetrics page ends with the one EOF that the whole needs.
        generate = generate_latest if form is Format.TEXT else generate_openmetrics
        parts.append(generate(self._own))
        return b"".join(parts)

    def _make_moving(self, now: float) -> None:
        with self._lock:
            if now - self._moved_at < MINUTE:
                return
            self._moved_at = now
            moving = dict(self._moving)
        made = {key: Block(make()) for key, make in moving.items()}
        # What was set meanwhile is newer than what was made here.
        with self._lock:
            same = [key for key, make in moving.items() if self._moving.get(key) is make]
            self._set({key: made[key] for key in same})

    def is_fresh(self, source: Hashable | None, read_at: float, now: float) -> bool:
        """Whether a block of this source, read then, is young enough to be shown."""
        if source is None:
            return True
        max_age = self._max_ages.get(source)
        return max_age is not None and now - read_at <= max_age
