"""The state of the accounts: frozen records that polling and exposition fill and the web shows.

Times are in seconds since the epoch.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Failure:
    """Why calls fail: the reason that the metrics count, and what it means."""

    reason: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Lane:
    """One interface as an account's poller walks it.

    `allowance` holds calls and the seconds of their window; `pace` and `walk` are planned, in
    seconds; `walk` and `next_call` are None where there is nothing to ask. Of its `batches`,
    `answered` have had a final answer; about `silent` members the last calls brought nothing, and
    `failures` says why batches failed.
    """

    interface: str
    allowance: tuple[tuple[int, float], ...]
    pace: float
    walk: float | None = None
    next_call: float | None = None
    batches: int = 0
    answered: int = 0
    silent: int = 0
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True, slots=True)
class Polling:
    """An account as its poller sees it, at the end of its last call.

    `refusal` says why its credentials are not accepted, `login_failure` why the last login failed.
    `waiting` says what has not been answered for the first time yet, in words, and `lack` why there
    is nothing to export.
    """

    logged_in: bool
    refusal: Failure | None
    login_failure: Failure | None
    waiting: tuple[str, ...]
    login: Lane
    lanes: tuple[Lane, ...]
    lack: str = ""


@dataclass(frozen=True, slots=True)
class Calls:
    """What was counted of an interface; `permitted` is None until an answer told."""

    requests: int = 0
    failures: int = 0
    refused: int = 0
    last_success: float | None = None
    permitted: bool | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What was counted of an account; `calls` by interface.

    `state_kept` tells whether what should survive a restart can be written; None where nothing is
    to be kept.
    """

    up: bool = False
    sessions_lost: int = 0
    state_kept: bool | None = None
    calls: Mapping[str, Calls] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plant:
    """A plant as /metrics shows it now; what is too old there is None here.

    `power` in watts is the sum over those inverters that `answered`, `energy` in joules is of
    today, `alarms` are the active ones by severity, without those there are none of.
    """

    code: str
    name: str
    capacity: float | None = None
    health: str | None = None
    power: float | None = None
    inverters: int = 0
    answered: int = 0
    energy: float | None = None
    alarms: Mapping[str, int] | None = None
    last_reading: float | None = None


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A lifetime counter that goes on showing one value while another is reported.

    `subject` is plants or devices, `code` the plant's code or device's id. Both values are in
    `unit`, the source's; `since` is when the other was first reported.
    """

    subject: str
    code: str
    name: str
    metric: str
    labels: tuple[str, ...]
    unit: str
    shown: float
    reported: float
    since: float


@dataclass(frozen=True, slots=True)
class Account:
    """All that the page tells of an account; `devices` are counted by type."""

    name: str
    polling: Polling
    told: Told
    plants: tuple[Plant, ...]
    devices: Mapping[str, int]
    unknown_keys: tuple[str, ...]
    held_back: tuple[HeldBack, ...] = ()


@dataclass(frozen=True, slots=True)
class Status:
    """All accounts, as of `time`."""

    time: float
    accounts: tuple[Account, ...]
