"""What one step of an account changed, for views and the store."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

from exporter.account.fleet import FleetChange
from exporter.northbound.errors import CallError
from exporter.northbound.interfaces import Interface


@dataclass(frozen=True, slots=True)
class RequestMade:
    """One HTTP request, and the seconds that it took."""

    interface: str
    seconds: float
    error: CallError | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The pace of an interface, seconds for a round, and when its values are too old."""

    pace: float
    duration: float
    max_age: float


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer about plants or devices, each of which has a new row in the account's answers."""

    interface: Interface
    names: Collection[str]


@dataclass(slots=True)
class Changes:
    """What is to be shown. None is as before."""

    requests: list[RequestMade] = field(default_factory=list)
    up: bool | None = None
    sessions_lost: int = 0
    bugs: int = 0
    plans: dict[str, Plan] = field(default_factory=dict)
    fleet: FleetChange | None = None
    answers: list[Answered] = field(default_factory=list)
    rejected: dict[str, Counter[str]] = field(default_factory=dict)  # by interface and reason
    unanswered: dict[str, int] = field(default_factory=dict)  # by interface
