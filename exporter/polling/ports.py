"""What the poller needs from outside and what it tells: clock, client, sink, memory."""

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from exporter.northbound.errors import CallError
from exporter.northbound.interfaces import Interface
from exporter.northbound.records import (
    Device,
    Parsed,
    Plant,
    PlantAlarms,
    Reading,
    Upgrade,
    Windows,
)


class Clock(Protocol):
    """Time as one account's thread sees it."""

    @property
    def boot(self) -> str | None:
        """Tells this start of the machine from all others; None where that is not known."""
        ...

    def now(self) -> float:
        """Seconds that never jump, and go on while the machine sleeps."""
        ...

    def time(self) -> float:
        """Seconds since the epoch."""
        ...

    def wait(self, seconds: float) -> bool:
        """Waits; returns whether the daemon is being stopped."""
        ...


class Client(Protocol):
    """One account's HTTP session; each call is one request, and fails with a CallError."""

    token: str | None

    @property
    def seal(self) -> str:
        """A slow, salted digest, which tells the password from others later."""
        ...

    def is_sealed(self, seal: str) -> bool:
        """Whether it was this password that was sealed."""
        ...

    def login(self) -> None:
        """Opens a session."""
        ...

    def call(self, path: str, body: Mapping[str, Any]) -> Any:
        """Returns the `data` of an answer."""
        ...

    def forget(self) -> None:
        """Drops the session's token."""
        ...


class Sink(Protocol):
    """Who is told what happens on one account. Nothing flows back."""

    def request(self, interface: str, seconds: float, error: CallError | None) -> None:
        """One HTTP request was made and took so long."""
        ...

    def up(self, *, up: bool) -> None:
        """Whether the management system talks to this account."""
        ...

    def session_lost(self) -> None:
        """Somebody else's login ended our session."""
        ...

    def bug(self) -> None:
        """The poller raised what it should have handled."""
        ...

    def fleet(self, plants: Mapping[str, Plant], devices: Mapping[str, Device]) -> None:
        """The plants and devices as now known."""
        ...

    def plan(self, interface: str, *, pace: float, walk: float, max_age: float) -> None:
        """The pace in force, and the age at which this interface's values are too old."""
        ...

    def readings(
        self,
        interface: Interface,
        asked: Collection[str],
        readings: Parsed[Reading],
        measured: Mapping[str, float] | None = None,
    ) -> None:
        """An answer: whatever it leaves out of what was asked has no values now.

        `measured` are the times, since the epoch, at which the values of a subject were true,
        where the answer tells.
        """
        ...

    def statistics(self, interface: Interface, windows: Mapping[str, Windows]) -> None:
        """The running and the last full period of all subjects that were asked about."""
        ...

    def alarms(self, interface: Interface, plants: Mapping[str, PlantAlarms]) -> None:
        """The alarms of all plants that were asked about."""
        ...

    def upgrades(
        self, interface: Interface, asked: Collection[str], upgrades: Parsed[Upgrade]
    ) -> None:
        """The last upgrades of the devices asked about, as far as they ever had one."""
        ...

    def rejected(self, interface: str, reasons: Mapping[str, int]) -> None:
        """So many items of an answer could not be used, by reason."""
        ...

    def permitted(self, interface: str, *, permitted: bool) -> None:
        """Whether the account may call an interface, as far as its last answer tells."""
        ...

    def unanswered(self, interface: str, count: int) -> None:
        """How many plants or devices the last calls brought nothing about."""
        ...

    def accept(self, read: Callable[[str], Mapping[str, Any]]) -> None:
        """Accepts the counter values that a command has written down; `read` as in `recall`."""
        ...

    def changes(self) -> dict[tuple[str, str], Any]:
        """What changed since the last call, as plain data by kind and name; None: gone."""
        ...

    def recall(self, read: Callable[[str], Mapping[str, Any]], wall: float) -> None:
        """Shows again what an earlier life showed; `read` gives plain data of a kind by name.

        `wall` is what the wall clock of that life would show now.
        """
        ...


class Memory(Protocol):
    """Plain data that outlives the process, by kind and name. Nothing here ever raises."""

    def claim(self) -> AbstractContextManager[None]:
        """While it is held, no other process decides to make a call."""
        ...

    def read(self, kind: str) -> Mapping[str, Any]:
        """All of one kind, by name."""
        ...

    def write(self, changes: Mapping[tuple[str, str], Any]) -> None:
        """Keeps these, all or none; what is None is dropped."""
        ...
