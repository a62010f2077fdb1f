"""Alarms: those that devices raise by themselves, and those raised by hand.

The former are a pure function of seed, device and time.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from math import exp, log
from operator import attrgetter
from random import Random
from typing import NamedTuple

from exporter.northbound.interfaces import DAY, HOUR
from exporter.simulator.world.alarm_kinds import KINDS, Kind
from exporter.simulator.world.fleet import SimDevice, SimPlant

ACTIVE, ACKNOWLEDGED, IN_WORK, HANDLED, CLEARED_BY_USER, CLEARED_BY_DEVICE = range(1, 7)
_CLEARED = frozenset({HANDLED, CLEARED_BY_USER, CLEARED_BY_DEVICE})

_BLOCK = 30 * DAY  # alarms are drawn so many seconds at a time
_SHORTEST, _LONGEST = 0.002, 0.3  # duration / mean time between two alarms of a device
_LONGEST_DELAY = 6 * HOUR  # of a late alarm, until it is listed
# Probabilities: listed late, acknowledged, of those put in work, of the others cleared by a user.
_LATE_SHARE, _ACKNOWLEDGED_SHARE, _IN_WORK_SHARE, _BY_USER_SHARE = 0.1, 0.5, 0.4, 0.2


@dataclass(frozen=True, slots=True)
class SimAlarm:
    """One occurrence. `visible` is when it enters the list, `steps` its later statuses by time."""

    device_id: int
    kind: Kind
    raised: float
    visible: float
    steps: tuple[tuple[float, int], ...] = ()

    def status(self, now: float) -> int:
        """The status of the reference (2.16), 1 to 6."""
        return next((status for time, status in reversed(self.steps) if time <= now), ACTIVE)

    def cleared_at(self, now: float) -> float | None:
        """When it was handled or cleared; None while it is active."""
        times = (time for time, status in self.steps if status in _CLEARED and time <= now)
        return next(times, None)


class AlarmHistory:
    """All alarms of a fleet. `every` is the mean time between two of one device, None for none."""

    def __init__(self, *, seed: int, every: float | None) -> None:
        self._seed = seed
        self._every = every
        self._by_hand: Mapping[int, SimAlarm] = {}

    def add(self, alarm: SimAlarm) -> int:
        """Adds an alarm and gives the number by which it can be changed."""
        number = len(self._by_hand) + 1
        self._by_hand = {**self._by_hand, number: alarm}
        return number

    def step(self, number: int, time: float, status: int) -> None:
        """Gives an alarm another status from a time on. Raises KeyError."""
        alarm = self._by_hand[number]
        steps = tuple(sorted((*alarm.steps, (time, status))))
        self._by_hand = {**self._by_hand, number: replace(alarm, steps=steps)}

    def listed(
        self, plants: Iterable[SimPlant], begin: float, end: float, now: float
    ) -> list[tuple[SimAlarm, SimPlant, SimDevice]]:
        """The plants' visible alarms that were raised between two times, newest first."""
        places = {device.id: (plant, device) for plant in plants for device in plant.devices}
        alarms = (
            alarm
            for alarm in (*self._by_hand.values(), *self._generated(places, begin, end))
            if alarm.device_id in places
            if begin <= alarm.raised <= end and alarm.visible <= now
        )
        newest_first = sorted(alarms, key=attrgetter("raised"), reverse=True)
        return [(alarm, *places[alarm.device_id]) for alarm in newest_first]

    def _generated(
        self, places: Mapping[int, tuple[SimPlant, SimDevice]], begin: float, end: float
    ) -> Iterator[SimAlarm]:
        if self._every is None:
            return
        blocks = range(int(begin // _BLOCK), int(end // _BLOCK) + 1)
        for _plant, device in places.values():
            source = _Source(self._seed, self._every, device.id, device.type_id)
            for block in blocks:
                yield from _generate(source, block)


class _Source(NamedTuple):
    """What the alarms of a device depend on, besides the time."""

    seed: int
    every: float
    device_id: int
    type_id: int


_BY_TYPE: Mapping[int, tuple[Kind, ...]] = {
    type_id: tuple(kind for kind in KINDS.values() if type_id in kind.device_types)
    for type_id in frozenset().union(*(kind.device_types for kind in KINDS.values()))
}


@lru_cache(maxsize=65_536)
def _generate(source: _Source, block: int) -> tuple[SimAlarm, ...]:
    """The alarms that a device raises in a block of time."""
    kinds, every = _BY_TYPE.get(source.type_id, ()), source.every
    rng = Random(f"alarms {source} {block}")  # noqa: S311  # because alarms are no secret
    alarms, raised = [], block * _BLOCK + rng.expovariate(1 / every)
    while kinds and raised < (block + 1) * _BLOCK:
        at = round(raised, 3)
        late = rng.uniform(0, _LONGEST_DELAY) if rng.random() < _LATE_SHARE else 0.0
        steps = tuple(_status_changes(rng, at, every))
        alarms.append(SimAlarm(source.device_id, rng.choice(kinds), at, at + late, steps))
        raised += rng.expovariate(1 / every)
    return tuple(alarms)


def _status_changes(rng: Random, raised: float, every: float) -> Iterator[tuple[float, int]]:
    """The later statuses of an alarm by time: some are acknowledged, some put in work."""
    duration = every * exp(rng.uniform(log(_SHORTEST), log(_LONGEST)))
    shares = _ACKNOWLEDGED_SHARE, _IN_WORK_SHARE, _BY_USER_SHARE
    acknowledged, in_work, by_user = (rng.random() < share for share in shares)
    if acknowledged:
        yield raised + duration * rng.uniform(0.1, 0.4), ACKNOWLEDGED
    if acknowledged and in_work:
        yield raised + duration * rng.uniform(0.5, 0.9), IN_WORK
        yield raised + duration, HANDLED
    else:
        yield raised + duration, CLEARED_BY_USER if by_user else CLEARED_BY_DEVICE
