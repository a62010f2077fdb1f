"""What is common to all handlers: how an interface is asked, and what an answer means."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from exporter.account.changes import Answered, Changes
from exporter.account.interface_schedule import PlannedCall
from exporter.account.model import AccountState, LatestAnswer, LatestValue
from exporter.clock import Clock
from exporter.northbound.errors import CallError
from exporter.northbound.interfaces import Interface
from exporter.northbound.records import Parsed

Request = tuple[str, Mapping[str, Any]]  # path and parameters


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an answer means for its batch and for the fleet.

    `unanswered` are the members it brought nothing about; `again` asks the batch once more in this
    round; `refit` says that the fleet may have changed. `missing` is how many items a list counts
    but did not give, None where it does not say how many.
    """

    unanswered: frozenset[str] = frozenset()
    again: bool = False
    refit: bool = False
    missing: int | None = 0


class Handler(ABC):
    """One interface of one account: what it is asked next, and what its answers mean.

    Unless a subclass says otherwise, it asks always alike, and no failure means anything else.
    """

    def __init__(self, interface: Interface, state: AccountState, clock: Clock) -> None:
        self._interface = interface
        self._state = state
        self._clock = clock

    def request(self, planned: PlannedCall) -> Request:
        """Path and parameters of the next call."""
        return self._interface.path, self._body(planned)

    def _body(self, planned: PlannedCall, **more: object) -> Mapping[str, Any]:
        return {**self._interface.body(planned.batch.device_type, planned.members), **more}

    def asked(self, planned: PlannedCall) -> Collection[str]:
        """The names of whom it is about, as its answer has them; perhaps with those of ours."""
        return planned.members

    @abstractmethod
    def apply(self, planned: PlannedCall, parsed: Parsed[Any], changes: Changes) -> Outcome:
        """Applies an answer to the account's state."""

    def recover(self, planned: PlannedCall, error: CallError) -> Outcome | None:  # noqa: ARG002  # because most failures are no hints
        """What a failure means where it is none: ask in another way, or go on without."""
        return None

    def retain_only(self, members: Collection[str]) -> None:  # noqa: B027  # most have no questions
        """Drops its questions about all but these."""

    def _store_values(
        self,
        changes: Changes,
        values: Mapping[str, LatestValue],
        measured: Mapping[str, float] | None = None,
    ) -> None:
        """Takes over the newest values of plants or devices.

        `measured` says, where the answer does, when the values of each were true, in seconds since
        the epoch.
        """
        now, wall = self._clock.now(), self._clock.time()
        section = self._state.answers[self._interface.name]
        for name, value in values.items():
            at = (measured or {}).get(name, wall)
            section[name] = LatestAnswer(at, now - max(0.0, wall - at), value)
        changes.answers.append(Answered(self._interface, values.keys()))


def outcome_of(planned: PlannedCall, answered: Iterable[str], *, again: bool = False) -> Outcome:
    """The outcome of an answer that brought something about these members."""
    return Outcome(frozenset(planned.members).difference(answered), again=again)


def milliseconds(time: float) -> int:
    """A time in seconds as requests hold it."""
    return round(time * 1000)
