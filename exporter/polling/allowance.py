"""When an interface may be called next. Pure: every time is an argument, in seconds.

The server counts arrivals, which we never see: an arrival lies somewhere between the start and the
end of our call. Counting windows from the *end* of an old call to the *start* of a new one is
therefore safe whatever the latency was, and whether the server's window slides or is fixed.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, inf
from typing import Any, assert_never

from exporter.northbound.errors import CallError
from exporter.northbound.interfaces import DAY, HOUR, Growth, Limit
from exporter.polling.eras import read, written

MARGIN = 0.01  # of a window: for the difference between two clocks' speeds
LONGEST_CALL = HOUR  # that is believed of a stored call
LONGEST_WAIT = DAY  # that is believed of a stored wait
HURRY = 1 / 1440  # of a window between two calls in a hurry: a minute of a day


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
    resolved: list[Quota] = []
    for limit in limits:
        match limit.growth:
            case Growth.NONE:
                resolved.append(_quota(limit, 0))
            case Growth.PLANTS:
                resolved.append(_quota(limit, _hundreds(fleet.plants)))
            case Growth.DEVICES:
                by_type = {kind: _hundreds(count) for kind, count in fleet.devices.items()}
                resolved.append(_quota(limit, sum(by_type.values())))
                resolved.extend(_quota(limit, more, kind) for kind, more in by_type.items())
            case missed:
                assert_never(missed)
    return tuple(resolved)


def _hundreds(count: int) -> int:
    return ceil(count / 100)


def _quota(limit: Limit, more: int, device_type: int | None = None) -> Quota:
    return Quota(max(1, limit.base + more), limit.window, device_type)


def pace(quotas: Iterable[Quota]) -> float:
    """Seconds from one call of an interface to the next, when all its quotas are used evenly."""
    return max(quota.pace for quota in quotas if quota.device_type is None)


@dataclass(slots=True)
class _Call:
    due: float
    start: float
    end: float = inf  # while nobody knows


class Ledger:
    """The calls of one interface that its quotas still remember."""

    def __init__(self) -> None:
        self._calls: dict[int | None, deque[_Call]] = defaultdict(deque)

    def earliest(
        self, quotas: Iterable[Quota], device_type: int | None, *, hurry: bool = False
    ) -> float:
        """The earliest time at which a call is within every quota that counts it.

        Steady calls keep to the grid of their due times, so that a late one does not delay its
        followers, but never closer than half a pace. In a hurry only the windows count, and a
        short breath between two calls.
        """
        return max(
            (
                self._earliest(quota, hurry=hurry)
                for quota in quotas
                if quota.device_type in (None, device_type)
            ),
            default=-inf,
        )

    def _earliest(self, quota: Quota, *, hurry: bool) -> float:
        calls = self._calls[quota.device_type]
        if not calls:
            return -inf
        last = calls[-1]
        if quota.device_type is not None:
            apart = -inf  # the calls of all types together are spaced
        elif hurry:
            apart = last.end + quota.window * HURRY * (1 + MARGIN)
        else:
            apart = max(last.due + quota.pace, last.start + quota.pace / 2)
        if len(calls) < quota.calls:
            return apart
        return max(apart, calls[-quota.calls].end + quota.window * (1 + MARGIN))

    def start(self, due: float, now: float, device_type: int | None) -> None:
        """Notes that a call which was due at `due` starts now."""
        call = _Call(due, now)
        self._calls[None].append(call)
        if device_type is not None:
            self._calls[device_type].append(call)

    def note(self, start: float, end: float, device_type: int | None) -> None:
        """Notes a call that somebody else made under the same allowance."""
        call = _Call(start, start, end)
        for kind in {None, device_type}:
            together = sorted([*self._calls[kind], call], key=lambda each: each.start)
            self._calls[kind] = deque(together)

    def end(self, now: float, quotas: Iterable[Quota], doubt: float = 0.0) -> None:
        """Notes that the call under way ended, and forgets what no quota remembers.

        A call we gave up on may still arrive: its end is `doubt` seconds later than now.
        """
        self._calls[None][-1].end = now + doubt
        memory = max((quota.window for quota in quotas), default=0.0) * (1 + MARGIN)
        for calls in self._calls.values():
            while len(calls) > 1 and calls[0].end + memory < now:
                calls.popleft()

    def remember(self, epoch: float) -> list[Any]:
        """The calls as plain data, in times that are `epoch` later: due, start, end, type."""
        types = {id(call): kind for kind, calls in self._calls.items() for call in calls if kind}
        return [
            [call.due + epoch, call.start + epoch, written(call.end, epoch), types.get(id(call))]
            for call in self._calls[None]
        ]

    def recall(self, calls: Iterable[Any], epoch: float, now: float) -> None:
        """Takes calls of an earlier life up again; one without an end counts as ended now."""
        for due, start, end, device_type in calls:
            begun = read(start, epoch, now, never=now)
            # An end may lie ahead: a call that was given up may yet arrive.
            ended = now if end is None else begun + min(max(end - start, 0.0), LONGEST_CALL)
            call = _Call(read(due, epoch, now, never=now), begun, ended)
            self._calls[None].append(call)
            if device_type is not None:
                self._calls[device_type].append(call)


def doubt_after(error: CallError | None, timeout: float) -> float:
    """Seconds after its end in which a call may still arrive, since we only gave it up."""
    return timeout if error is not None and error.reason == "timeout" else 0.0


@dataclass(slots=True)
class Backoff:
    """A wait that doubles with each refusal and halves with each success."""

    wait: float = 0.0
    until: float = -inf

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

    def remember(self, epoch: float) -> list[Any]:
        """The wait, and until when, as plain data."""
        return [self.wait, written(self.until, epoch)]

    def recall(self, stored: Sequence[Any], epoch: float, now: float) -> None:
        """Goes on with a wait of an earlier life, unless a later one is known already."""
        wait, until = stored
        if not wait >= 0:
            raise ValueError("no wait")
        wait = min(wait, LONGEST_WAIT)
        until = read(until, epoch, now + wait, never=-inf)
        if until > self.until:
            self.wait, self.until = wait, until


STRIKES = 3  # refusals in a row before an interface is left alone


@dataclass(slots=True)
class Parking:
    """Rests of 1, 2, 4 … 24 hours for what is refused until its owner changes something."""

    strikes: int = 0
    rest: float = 0.0
    until: float = -inf

    def refused(self, now: float) -> None:
        """One more refusal in a row; the third and each later one starts a rest."""
        self.strikes += 1
        if self.strikes >= STRIKES:
            self.rest = min(max(2 * self.rest, HOUR), DAY)
            self.until = now + self.rest
