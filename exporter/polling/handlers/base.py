"""What is common to all handlers: how an interface is asked, and what an answer means."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from exporter.northbound.errors import CallError
from exporter.northbound.interfaces import Interface
from exporter.northbound.records import Parsed
from exporter.polling.lane import Turn
from exporter.polling.ports import Clock, Sink
from exporter.polling.tolerance import Gaps

Request = tuple[str, Mapping[str, Any]]  # path and parameters
NOTHING_NEW: Mapping[tuple[str, str], Any] = {}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an answer means for its batch and for the fleet.

    `silent` are the members it brought nothing about; `again` asks the batch once more in this
    round; `refit` tells that the fleet may have changed. `missing` is how many items a list counts
    but did not give, None where it does not say how many.
    """

    silent: frozenset[str] = frozenset()
    again: bool = False
    refit: bool = False
    missing: int | None = 0


class Handler(Protocol):
    """One interface of one account: what it is asked next, and what its answers mean."""

    def request(self, turn: Turn) -> Request:
        """Path and parameters of the next call."""
        ...

    def apply(self, turn: Turn, parsed: Parsed[Any]) -> Outcome:
        """Takes an answer in, and tells the sink."""
        ...

    def recover(self, turn: Turn, error: CallError) -> Outcome | None:
        """What a failure means where it is none: ask in another way, or do without."""
        ...

    def retain_only(self, members: Collection[str]) -> None:
        """Drops what it knows of all but these."""
        ...

    def changes(self) -> Mapping[tuple[str, str], Any]:
        """What of its knowledge changed since the last call, as plain data."""
        ...

    def recall(self, read: Callable[[str], Mapping[str, Any]], gaps: Gaps) -> None:
        """Takes up what an earlier life knew, as far as it is understood."""
        ...


class DefaultHandler:
    """A handler that asks always alike and remembers nothing."""

    def __init__(self, interface: Interface, sink: Sink, clock: Clock) -> None:
        self._interface = interface
        self._sink = sink
        self._clock = clock

    def request(self, turn: Turn) -> Request:
        return self._interface.path, self._body(turn)

    def _body(self, turn: Turn, **more: object) -> Mapping[str, Any]:
        return {**self._interface.body(turn.batch.device_type, turn.group.members), **more}

    def recover(self, turn: Turn, error: CallError) -> Outcome | None:  # noqa: ARG002  # because most failures are no hints
        return None

    def retain_only(self, members: Collection[str]) -> None:
        pass

    def changes(self) -> Mapping[tuple[str, str], Any]:
        return NOTHING_NEW

    def recall(self, read: Callable[[str], Mapping[str, Any]], gaps: Gaps) -> None:
        pass


def heard_of(turn: Turn, heard: Iterable[str], *, again: bool = False) -> Outcome:
    """The outcome of an answer that brought something about these members."""
    return Outcome(frozenset(turn.group.members).difference(heard), again=again)


def milliseconds(time: float) -> int:
    """A time in seconds as requests hold it."""
    return round(time * 1000)
