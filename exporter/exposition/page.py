"""What /metrics says: blocks of rendered lines, each with its age; a scrape joins bytes.

A block's lines are rendered once, when the data arrives. Sample lines are the same bytes in both
formats, so that only the two header lines of a family exist twice. Every series is of one account,
or of none, so that a scrape of some accounts costs no more than what it says.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from enum import Enum
from math import inf
from threading import Lock
from typing import Any, TypeVar

from prometheus_client import generate_latest
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector

from exporter.catalogue.model import Kind, Metric
from exporter.northbound.interfaces import MINUTE

EOF = b"# EOF\n"
NO_ACCOUNT = ""  # whose series have no label `account`: what tells of the exporter as a whole
_Each = TypeVar("_Each")
generate_openmetrics: Callable[[Any], bytes] = openmetrics.generate_latest


class IncompleteError(Exception):
    """There is no page yet, rather than one with gaps. The text says what it waits for."""


class Format(Enum):
    """The two exposition formats, by content type."""

    TEXT = "text/plain; version=0.0.4; charset=utf-8"
    OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


class _FixedCollector(Collector):
    """A collector of certain families."""

    def __init__(self, *families: Family) -> None:
        self._families = families

    def collect(self) -> Iterable[Family]:
        return self._families


def _family(metric: Metric) -> Family:
    suffix = {Kind.COUNTER: "_total", Kind.INFO: "_info"}.get(metric.kind, "")
    return Family(metric.name.removesuffix(suffix), metric.help, metric.kind.value)


def headers_of(metric: Metric) -> Mapping[Format, bytes]:
    """The header lines of a family."""
    empty = _FixedCollector(_family(metric))
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


@dataclass(slots=True)
class _Part:
    """One account's part of the page; `moving` blocks are rendered again each minute."""

    blocks: dict[Hashable, tuple[Block, Mapping[str, bytes]]] = field(default_factory=dict)
    moving: dict[Hashable, Callable[[], Mapping[Metric, bytes]]] = field(default_factory=dict)
    moved_at: float = -inf


class Page:
    """All blocks, and the exporter's own metrics, as one exposition, or of some accounts alone.

    `own` collects the exporter's own metrics, by the account that they are of, or NO_ACCOUNT.
    `now` is a clock in seconds that never jumps. Safe to use from several threads.
    """

    def __init__(self, own: Mapping[str, Collector], now: Callable[[], float]) -> None:
        self.version = 0  # grows with every change of a block, but not with what time alone moves
        self._own = own
        self._now = now
        self._lock = Lock()
        self._parts: defaultdict[str, _Part] = defaultdict(_Part)
        self._max_ages: dict[Hashable, float | None] = {}
        self._headers: dict[str, Mapping[Format, bytes]] = {}

    def update(self, blocks: Mapping[Hashable, Block | None], *, account: str = NO_ACCOUNT) -> None:
        """Sets blocks, or removes those that are None; no scrape sees one without the others."""
        with self._lock:
            self.version += 1
            self._set(self._parts[account], blocks)

    def _set(self, part: _Part, blocks: Mapping[Hashable, Block | None]) -> None:
        for key, block in blocks.items():
            part.blocks.pop(key, None)
            if block is None or not block.chunks:
                continue
            for metric in block.chunks:
                if metric.name not in self._headers:
                    self._headers[metric.name] = headers_of(metric)
            lines = {metric.name: lines for metric, lines in block.chunks.items()}
            part.blocks[key] = (block, lines)

    def move(
        self,
        key: Hashable,
        make: Callable[[], Mapping[Metric, bytes]] | None,
        *,
        account: str = NO_ACCOUNT,
    ) -> None:
        """Sets a block that time alone changes, rendered again each minute; None removes it."""
        with self._lock:
            moving = self._parts[account].moving
            moving.pop(key, None)
            if make is not None:
                moving[key] = make
        self.update({key: None if make is None else Block(make())}, account=account)

    def set_max_age(self, source: Hashable, max_age: float | None) -> None:
        """Sets how many seconds the blocks of a source are shown; None, as at first: not at all."""
        with self._lock:
            self._max_ages[source] = max_age

    def frozen(self) -> "Page":
        """The page as it is now, whatever becomes of this one; its values grow old all the same."""
        own = {name: _FixedCollector(*each.collect()) for name, each in list(self._own.items())}
        frozen = Page(own, self._now)
        with self._lock:
            frozen._headers |= self._headers
            frozen._max_ages |= self._max_ages
            for account, part in self._parts.items():
                frozen._parts[account] = _Part(dict(part.blocks))
        return frozen

    def exposition(self, form: Format, accounts: Collection[str] | None = None) -> bytes:
        """The whole page, or what it says of these accounts: its parts in one."""
        return b"".join(self.parts(form, accounts))

    def parts(self, form: Format, accounts: Collection[str] | None = None) -> Sequence[bytes]:
        """What is fresh enough of these accounts, family by family, then the exporter's own.

        NO_ACCOUNT among them stands for what tells of the exporter as a whole. None: all there is.
        The parts are the lines that are kept, not copies of them.
        """
        now = self._now()
        self._make_moving(now, accounts)
        with self._lock:
            fresh = [
                lines
                for part in _of_accounts(self._parts, accounts)
                for block, lines in part.blocks.values()
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
        parts.append(generate(_FixedCollector(*_merged(_of_accounts(self._own, accounts)))))
        return parts

    def _make_moving(self, now: float, accounts: Collection[str] | None) -> None:
        with self._lock:
            due = [
                each
                for each in _of_accounts(self._parts, accounts)
                if now - each.moved_at >= MINUTE
            ]
            for part in due:
                part.moved_at = now
            moving = [(part, key, make) for part in due for key, make in part.moving.items()]
        made = [(part, key, make, Block(make())) for part, key, make in moving]
        # What was set meanwhile is newer than what was made here.
        with self._lock:
            for part, key, make, block in made:
                if part.moving.get(key) is make:
                    self._set(part, {key: block})

    def is_fresh(self, source: Hashable | None, read_at: float, now: float) -> bool:
        """Whether a block of this source, read then, is young enough to be shown."""
        if source is None:
            return True
        max_age = self._max_ages.get(source)
        return max_age is not None and now - read_at <= max_age


def _of_accounts(by_account: Mapping[str, _Each], accounts: Collection[str] | None) -> list[_Each]:
    """What there is of these accounts, in the order in which it came; None: of all."""
    found = list(by_account.items())
    return [each for name, each in found if accounts is None or name in accounts]


def _merged(collectors: Iterable[Collector]) -> Iterator[Family]:
    """The families of all collectors, each once, with the samples of all."""
    found: dict[str, list[Family]] = {}
    for collector in collectors:
        for family in collector.collect():
            found.setdefault(family.name, []).append(family)
    for families in found.values():
        merged = copy(families[0])
        merged.samples = [sample for family in families for sample in family.samples]
        yield merged
