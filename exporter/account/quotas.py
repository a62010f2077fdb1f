"""When an interface may be called next. Pure: every time is an argument, in seconds.

The server counts arrivals, which we never see: an arrival lies somewhere between the start and the
end of our call. Counting windows from the *end* of an old call to the *start* of a new one is
therefore safe whatever the latency was, and whether the server's window slides or is fixed.
"""

from bisect import insort
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from math import ceil, inf, isfinite
from operator import attrgetter
from typing import Annotated, Any, assert_never

from pydantic import BeforeValidator

from exporter.account.codec import FutureTime, PastTime, Unbounded
from exporter.northbound.interfaces import DAY, HOUR, Growth, Limit

MARGIN = 0.01  # of a window: for the difference between two clocks' speeds
MAX_CALL_DURATION = HOUR  # that is accepted of a stored call
MAX_WAIT = DAY  # that is accepted of a stored wait
DAY_MARGIN = HOUR / 4  # after midnight, until calls are tried again of which none was left
MAX_DAY_REFUSALS = 8  # in a row that make a difference
BURST_SPACING = 1 / 1440  # of a window between two calls in a burst: a minute of a day


@dataclass(frozen=True, slots=True)
class FleetSize:
    """What allowances grow with: the number of plants, and of devices by type."""

    plants: int = 0
    devices: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Quota:
    """At most `calls` in any `window` seconds; of one device type, or of all calls (None)."""

    calls: int
    window: float
    device_type: int | None = None

    @property
    def pace(self) -> float:
        """Seconds from one call to the next when the quota is used evenly."""
        return self.window / self.calls


def quotas(limits: Iterable[Limit], fleet: FleetSize) -> tuple[Quota, ...]:
    """What the limits of an interface allow a fleet of this size.

    Where an allowance grows with the devices of each type, servers may count type by type or over
    the sum: both are obeyed.
    """
    return tuple(chain.from_iterable(_resolve(limit, fleet) for limit in limits))


def _resolve(limit: Limit, fleet: FleetSize) -> Iterator[Quota]:
    plants = ceil(fleet.plants / limit.per)
    by_type = {kind: ceil(count / limit.per) for kind, count in fleet.devices.items()}
    devices = sum(by_type.values())
    match limit.growth:
        case Growth.NONE:
            yield _quota(limit, 0)
        case Growth.PLANTS:
            yield _quota(limit, plants)
        case Growth.LARGER:
            yield _quota(limit, max(plants, devices))
        case Growth.DEVICES:
            yield _quota(limit, devices)
            yield from (_quota(limit, more, kind) for kind, more in by_type.items())
        case missed:
            assert_never(missed)


def _quota(limit: Limit, begun: int, device_type: int | None = None) -> Quota:
    calls = max(1, limit.base + limit.each * begun)
    if limit.even and device_type is None:
        return Quota(1, limit.window / calls)
    return Quota(calls, limit.window, device_type)


def pace(quotas: Iterable[Quota]) -> float:
    """Seconds from one call of an interface to the next, when all its quotas are used evenly."""
    return max(quota.pace for quota in quotas if quota.device_type is None)


@dataclass(slots=True)
class Call:
    """A call as its quotas count it.

    `lasted` is inf while it is under way. A stored call of which nothing is understood has started
    at inf: it counts as one that ends when it is read.
    """

    due: PastTime = inf
    start: PastTime = inf
    lasted: Unbounded = inf
    device_type: int | None = None

    @property
    def end(self) -> float:
        """The latest time at which it may arrive."""
        return self.start + self.lasted

    def after_restart(self, now: float) -> None:
        """Ends a call whose end was lost with the process that made it."""
        known = isfinite(self.start)
        self.start = min(self.start, now) if known else now
        self.due = min(self.due, self.start) if isfinite(self.due) else self.start
        over = known and isfinite(self.lasted)
        self.lasted = min(max(self.lasted, 0.0), MAX_CALL_DURATION) if over else now - self.start


def _calls(stored: Any) -> Any:
    """Stored calls; none is forgotten because it is not understood."""
    if not isinstance(stored, list):
        return [{}]
    return [call if isinstance(call, dict) else {} for call in stored]


Calls = Annotated[list[Call], BeforeValidator(_calls)]


@dataclass(slots=True)
class CallLog:
    """The calls of one interface that its quotas still remember, the first started first."""

    calls: Calls = field(default_factory=list)

    def earliest(
        self, quotas: Iterable[Quota], device_type: int | None, *, burst: bool = False
    ) -> float:
        """The earliest time at which a call is within every quota that counts it.

        Steady calls keep to the grid of their due times, so that a late one does not delay its
        followers, but never closer than half a pace. In a burst only the windows count, and a
        minimum spacing of two calls.
        """
        return max(
            (
                self._earliest(quota, burst=burst)
                for quota in quotas
                if quota.device_type in (None, device_type)
            ),
            default=-inf,
        )

    def _earliest(self, quota: Quota, *, burst: bool) -> float:
        counted = self.calls
        if quota.device_type is not None:
            counted = [call for call in counted if call.device_type == quota.device_type]
        if not counted:
            return -inf
        last = counted[-1]
        if quota.device_type is not None:
            apart = -inf  # the calls of all types together are spaced
        elif burst:
            apart = last.end + quota.window * BURST_SPACING * (1 + MARGIN)
        else:
            apart = max(last.due + quota.pace, last.start + quota.pace / 2)
        if len(counted) < quota.calls:
            return apart
        return max(apart, counted[-quota.calls].end + quota.window * (1 + MARGIN))

    @property
    def is_busy(self) -> bool:
        """Whether a call is under way."""
        return any(call.lasted == inf for call in self.calls)

    def start(self, due: float, now: float, device_type: int | None = None) -> None:
        """Notes that a call which was due at `due` starts now."""
        self.calls.append(Call(due, now, inf, device_type))

    def record(self, start: float, end: float, device_type: int | None = None) -> None:
        """Notes a call that another process made under the same allowance."""
        insort(self.calls, Call(start, start, end - start, device_type), key=attrgetter("start"))

    def end(self, now: float, quotas: Iterable[Quota], margin: float = 0.0) -> None:
        """Notes that the call under way ended, and forgets what no quota remembers.

        A call we gave up on may still arrive: its end is `margin` seconds later than now.
        """
        last = self.calls[-1]
        last.lasted = now + margin - last.start
        window = max((quota.window for quota in quotas), default=0.0) * (1 + MARGIN)
        # The last call of each type says when the next one is due.
        newest = {call.device_type: call for call in self.calls}
        self.calls = [
            call
            for call in self.calls
            if call.end + window >= now or newest[call.device_type] is call
        ]

    def drop_before(self, time: float) -> None:
        """Forgets the calls that ended before this time."""
        self.calls = [call for call in self.calls if call.end >= time]

    def abandon(self, timeout: float) -> float:
        """Gives a call without an end the latest that it can have, given up after `timeout`.

        For one that another process makes, which may be alive and out of reach; even when it has
        been given up, it may still arrive.

        Returns:
            Until when it may be under way; -inf if there is none.
        """
        open_calls = [call for call in self.calls if call.lasted == inf and isfinite(call.start)]
        for call in open_calls:
            call.lasted = 2 * timeout
        return max((call.start + timeout for call in open_calls), default=-inf)

    def after_restart(self, now: float) -> None:
        """Ends all calls of a previous run."""
        for call in self.calls:
            call.after_restart(now)


def _with_unknown_log(stored: Any) -> Any:
    """A stored row of which no calls are understood: one counts that ends when it is read."""
    return {"log": {"calls": None}} | (stored if isinstance(stored, dict) else {})


WithLog = BeforeValidator(_with_unknown_log)  # of a row that has a log


@dataclass(slots=True)
class Backoff:
    """A wait that doubles with each refusal and halves with each success."""

    wait: float = 0.0
    until: FutureTime = -inf

    def refused(self, now: float, unit: float, longest: float) -> None:
        """One more refusal: waits a unit, then twice as long each time, at most `longest`."""
        self.wait = min(max(2 * self.wait, unit), max(longest, unit))
        self.until = now + self.wait

    def hold(self, now: float, seconds: float) -> None:
        """Waits at least so long, as the server asked for it."""
        self.wait = max(self.wait, seconds)
        self.until = max(self.until, now + seconds)

    def succeeded(self) -> None:
        """One more success: the next refusal costs half."""
        self.wait /= 2

    def after_restart(self, now: float) -> None:
        """Keeps a stored wait within what any refusal could have made of it."""
        self.wait = min(max(self.wait, 0.0), MAX_WAIT)
        self.until = min(self.until, now + self.wait)


@dataclass(slots=True)
class DayBackoff:
    """A wait until the day is over, of whose calls none is left.

    Nobody says when the server's day ends. Refused again after a midnight of ours, it goes on for
    1, 2, 4 … hours.
    """

    refusals: int = 0
    until: FutureTime = -inf

    def refused(self, now: float, left: float) -> None:
        """One more refusal in a row, so many seconds before midnight."""
        wait = HOUR * 2 ** (self.refusals - 1) if self.refusals else left + DAY_MARGIN
        self.refusals = min(self.refusals + 1, MAX_DAY_REFUSALS)
        self.until = now + min(wait, DAY)

    def succeeded(self) -> None:
        """There are calls again."""
        self.refusals = 0

    def after_restart(self, now: float) -> None:
        """Keeps a stored wait within what any refusal could have made of it."""
        self.refusals = min(max(self.refusals, 0), MAX_DAY_REFUSALS)
        self.until = min(self.until, now + DAY)


REFUSALS_TOLERATED = 3  # in a row before an interface is suspended


@dataclass(slots=True)
class Suspension:
    """Waits of 1, 2, 4 … 24 hours for what is refused until its owner changes something."""

    refusals: int = 0
    wait: float = 0.0
    until: float = -inf

    def refused(self, now: float) -> None:
        """One more refusal in a row; the third and each later one starts a wait."""
        self.refusals += 1
        if self.refusals >= REFUSALS_TOLERATED:
            self.wait = min(max(2 * self.wait, HOUR), DAY)
            self.until = now + self.wait

    def retry(self, now: float) -> None:
        """Ends the wait; one more refusal makes it as long as it was."""
        if self.until > now:
            self.wait, self.until = self.wait / 2, now
