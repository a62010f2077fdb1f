"""The state of all accounts as frozen records. Times are in seconds since the epoch."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class FailureStatus:
    """Why calls fail: the reason that the metrics count, and its meaning."""

    reason: str
    meaning: str


@dataclass(frozen=True, slots=True)
class InterfaceStatus:
    """One interface of an account, as it is polled.

    `allowance` holds calls and the seconds of their window. `pace` is the planned interval between
    calls and `walk` that of a full poll cycle, in seconds; `walk` and `next_call` are None where
    there is nothing to ask. Of its `batches`, `answered` have had a final answer; the last calls
    brought nothing about `unanswered` members; `failures` says why batches failed.
    """

    name: str
    allowance: tuple[tuple[int, float], ...]
    pace: float
    walk: float | None = None
    next_call: float | None = None
    batches: int = 0
    answered: int = 0
    unanswered: int = 0
    failures: tuple[FailureStatus, ...] = ()


@dataclass(frozen=True, slots=True)
class PollingStatus:
    """An account's polling at the end of its last call.

    `refusal` says why its credentials are refused, `login_failure` why the last login failed,
    `waiting` what still lacks its first answer, `no_data_reason` why there is nothing to export.
    """

    logged_in: bool
    refusal: FailureStatus | None
    login_failure: FailureStatus | None
    waiting: tuple[str, ...]
    login: InterfaceStatus
    interfaces: tuple[InterfaceStatus, ...]
    no_data_reason: str = ""


@dataclass(frozen=True, slots=True)
class CallCounts:
    """Counters of an interface; `permitted` is None until an answer says."""

    requests: int = 0
    failures: int = 0
    refused: int = 0
    last_success: float | None = None
    permitted: bool | None = None


@dataclass(frozen=True, slots=True)
class AccountCounts:
    """Counters of an account; `calls` by interface.

    `state_kept` says whether the state can be written; None where nothing is to be kept.
    """

    up: bool = False
    sessions_lost: int = 0
    state_kept: bool | None = None
    calls: Mapping[str, CallCounts] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlantStatus:
    """A plant as /metrics shows it now; a value that is too old is None.

    `power` in watts is the sum over those inverters that `answered`, `energy` in joules is of
    today, `alarms` counts the active ones by severity, zeros left out.
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
class HeldCounter:
    """A lifetime counter that keeps its value while another one is reported.

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
class AccountStatus:
    """An account; `devices` are counted by type.

    `exports_unknown_keys` says whether numbers under `unknown_keys` are shown as metrics.
    """

    name: str
    polling: PollingStatus
    counts: AccountCounts
    plants: tuple[PlantStatus, ...]
    devices: Mapping[str, int]
    unknown_keys: tuple[str, ...]
    exports_unknown_keys: bool = False
    held_back: tuple[HeldCounter, ...] = ()


@dataclass(frozen=True, slots=True)
class Status:
    """All accounts, as of `time`."""

    time: float
    accounts: tuple[AccountStatus, ...]
