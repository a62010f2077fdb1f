"""The energy balance of a plant: production, load, storage and grid, consistent at every instant.

Everything is per kilowatt of modules, so plants of one place and use share their arithmetic.
Powers run linearly between quarter hours and energies are their exact integrals: a pure function
of time that needs no running state, and so survives a restart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from operator import add
from random import Random
from typing import NamedTuple

from exporter.simulator.world import sun, weather
from exporter.simulator.world.weather import Cell

_HOURS = sun.SLOT / 3600
_TAPER = 1.0  # hours in which a nearly full or empty battery would reach its end
LIFETIME = 16 * sun.YEAR * sun.DAY  # s after which a plant's counters start again


@dataclass(frozen=True, slots=True)
class Use:
    """Usual load of each hour (kW), storage (kWh) and its greatest power (kW).

    All are per kW of modules. `variation` is how far the load strays from the usual one, as a part
    of it.
    """

    load: tuple[float, ...]
    variation: float = 0.0
    storage: float = 0.0
    rate: float = 0.0


# By combineType (reference 2.2), and that of a Power-M site, which must not feed in: what it stores
# on a bright day lasts for the night.
SITE = "site"
USES: Mapping[str, Use] = {
    "1": Use(load=(0.003,) * 24),
    "2": Use(
        load=(0.07,) * 6 + (0.11, 0.16, 0.20) + (0.22,) * 8 + (0.19, 0.15, 0.11) + (0.08,) * 4,
        variation=0.2,
        storage=0.6,
        rate=0.25,
    ),
    "3": Use(
        load=(0.05,) * 5 + (0.08, 0.16, 0.20, 0.14) + (0.09,) * 3
        + (0.13, 0.10, 0.08, 0.09, 0.13, 0.22, 0.31, 0.34, 0.28, 0.20, 0.12, 0.07),
        variation=0.5,
        storage=1.2,
        rate=0.5,
    ),
    SITE: Use(
        load=(0.25,) * 8 + (0.30,) * 10 + (0.25,) * 6,
        variation=0.05,
        storage=3.6,
        rate=0.8,
    ),
}  # fmt: skip


class BatteryState(NamedTuple):
    """A battery's state: energy above its reserve in kWh, power in kW (> 0 charging)."""

    energy: float
    power: float


@dataclass(frozen=True, slots=True)
class Series:
    """A power of a local day, in kW at its quarter hours, and its running sums in kWh."""

    power: list[float]
    above: list[float]  # the energy of its positive parts since midnight
    below: list[float]  # the energy of its negative parts since midnight, counted positive

    @classmethod
    def of(cls, power: Sequence[float]) -> "Series":
        """The series with its running sums."""
        above, below = [0.0], [0.0]
        for first, last in pairwise(power):
            gained = _positive_mean(first, last)
            above.append(above[-1] + gained * _HOURS)
            below.append(below[-1] + (gained - (first + last) / 2) * _HOURS)
        return cls(list(power), above, below)

    def at(self, seconds: float) -> tuple[float, float, float]:
        """Power, energy above and energy below at a second of the day."""
        slot = min(int(seconds // sun.SLOT), sun.SLOTS - 1)
        part = seconds / sun.SLOT - slot
        first = self.power[slot]
        power = first + (self.power[slot + 1] - first) * part
        above = self.above[slot] + _positive_mean(first, power) * _HOURS * part
        below = self.below[slot] + _positive_mean(-first, -power) * _HOURS * part
        return power, above, below


def _energies(power: Sequence[float]) -> tuple[float, float]:
    """The last of a day's running sums, without those before."""
    above = sum(map(_positive_mean, power, power[1:]))
    return above * _HOURS, (above - sum(power) + (power[0] + power[-1]) / 2) * _HOURS


def _positive_mean(first: float, last: float) -> float:
    """The mean of the positive part of a straight line from `first` to `last`."""
    if first >= 0 and last >= 0:
        return (first + last) / 2
    top, bottom = max(first, last), min(first, last)
    return top * top / 2 / (top - bottom) if top > 0 else 0.0


def _battery_power(surplus: float, energy: float, use: Use) -> float:
    """Self-consumption: stores the surplus, supplies the deficit, tapers near full and empty."""
    most = min(use.rate, (use.storage - energy) / _TAPER)
    least = 0.0 - min(use.rate, energy / _TAPER)
    return max(least, min(most, surplus))


@lru_cache(maxsize=1024)
def _load_of_day(cell: Cell, kind: str, day: int) -> tuple[float, ...]:
    """The load at the quarter hours of a day: the usual one, and what happens to be switched on."""
    rng = Random(f"load {cell}/{kind}/{day}")  # noqa: S311  # because a load is no secret
    use, stray, powers = USES[kind], rng.uniform(-1, 1), []
    for slot in range(sun.SLOTS):
        powers.append(use.load[slot * 24 // sun.SLOTS] * (1 + use.variation * stray))
        stray = 0.6 * stray + 0.4 * rng.uniform(-1, 1)
    return tuple(powers)


def load(cell: Cell, kind: str, day: int) -> tuple[float, ...]:
    """KW per kW of modules at each quarter hour of a day of the repeating years."""
    tomorrow = _load_of_day(cell, kind, (day + 1) % weather.CYCLE)
    return *_load_of_day(cell, kind, day), tomorrow[0]


class Flows(NamedTuple):
    """A local day's powers at its quarter hours, and the battery's state at both its ends."""

    battery: list[float]
    meter: list[float]  # > 0 feeds in
    start: BatteryState
    end: BatteryState


def _flows(cell: Cell, kind: str, day: int, start: BatteryState) -> Flows:
    produced, used, use = weather.production(cell, day), load(cell, kind, day), USES[kind]
    (energy, flow), battery = start, [start.power]
    for power, wanted in zip(produced[1:], used[1:], strict=True):
        midway = energy + flow * _HOURS / 2
        flow = _battery_power(power - wanted, midway, use)
        energy = midway + flow * _HOURS / 2
        battery.append(flow)
    rows = zip(produced, used, battery, strict=True)
    meter = [power - wanted - stored for power, wanted, stored in rows]
    return Flows(battery, meter, start, BatteryState(energy, flow))


class FlowTotals(NamedTuple):
    """kWh per kW of modules: to and from the grid, into and out of the battery."""

    feed_in: float
    supply: float
    charged: float
    discharged: float


@dataclass(frozen=True, slots=True)
class Cycle:
    """The battery and the running sums at the start of each day of the repeating years.

    Of the sums, the last is the whole cycle's.
    """

    starts: tuple[BatteryState, ...]
    before: tuple[FlowTotals, ...]


@lru_cache(maxsize=512)
def _cycle(cell: Cell, kind: str) -> Cycle:
    charge, starts, before = BatteryState(0.0, 0.0), [], [FlowTotals(0.0, 0.0, 0.0, 0.0)]
    for day in range(weather.CYCLE):
        starts.append(charge)
        today = _flows(cell, kind, day, charge)
        charge = today.end
        flow_totals = (*_energies(today.meter), *_energies(today.battery))
        before.append(FlowTotals(*map(add, before[-1], flow_totals)))
    return Cycle(tuple(starts), tuple(before))


class Day(NamedTuple):
    """A local day of a plant, per kilowatt of modules; the meter's positive part feeds in."""

    battery: Series
    meter: Series
    stored: float  # kWh at its midnight


@lru_cache(maxsize=1024)
def _day(cell: Cell, kind: str, day: int) -> Day:
    start = _cycle(cell, kind).starts[day]
    flows = _flows(cell, kind, day, start)
    return Day(Series.of(flows.battery), Series.of(flows.meter), start.energy)


@lru_cache(maxsize=1024)
def _production_of(cell: Cell, day: int) -> Series:
    return Series.of(weather.production(cell, day))


@lru_cache(maxsize=1024)
def _irradiance_of(cell: Cell, day: int) -> Series:
    """The irradiance of a day of the repeating year: kW/m², summed to kWh/m²."""
    return Series.of([watts / 1000 for watts in weather.irradiance(cell, day)])


def power(cell: Cell, time: float) -> float:
    """The production of a kilowatt of modules, in kW."""
    day, seconds = sun.local_day(time, cell.longitude)
    return _production_of(cell, day % weather.CYCLE).at(seconds)[0]


def irradiance(cell: Cell, time: float) -> float:
    """The irradiance on the horizontal, in kW/m²."""
    day, seconds = sun.local_day(time, cell.longitude)
    return _irradiance_of(cell, day % weather.CYCLE).at(seconds)[0]


# The running sums count from day 0 on. Any period's energy is the difference of two of them, so
# hours, days, months and years add up in any time zone.


@lru_cache(maxsize=16_384)
def produced(cell: Cell, time: float) -> float:
    """The production of a kilowatt of modules until an instant, in kWh."""
    day, seconds = sun.local_day(time, cell.longitude)
    before = weather.sum_until(weather.production_before(cell), day)
    return before + _production_of(cell, day % weather.CYCLE).at(seconds)[1]


@lru_cache(maxsize=16_384)
def irradiation(cell: Cell, time: float) -> float:
    """The irradiation on the horizontal until an instant, in kWh/m²."""
    day, seconds = sun.local_day(time, cell.longitude)
    before = weather.sum_until(weather.irradiation_before(cell), day)
    return before + _irradiance_of(cell, day % weather.CYCLE).at(seconds)[1]


@lru_cache(maxsize=16_384)
def flow_totals(cell: Cell, kind: str, time: float) -> FlowTotals:
    """The energy through meter and battery until an instant, in kWh per kW of modules."""
    day, seconds = sun.local_day(time, cell.longitude)
    cycles, rest = divmod(day, weather.CYCLE)
    before, today = _cycle(cell, kind).before, _day(cell, kind, rest)
    since_midnight = (*today.meter.at(seconds)[1:], *today.battery.at(seconds)[1:])
    return FlowTotals(
        *(
            cycles * whole + part + now
            for whole, part, now in zip(before[-1], before[rest], since_midnight, strict=True)
        )
    )


def grid_power(cell: Cell, kind: str, time: float) -> float:
    """The power at the meter, in kW per kW of modules (> 0 feeds in)."""
    day, seconds = sun.local_day(time, cell.longitude)
    return _day(cell, kind, day % weather.CYCLE).meter.at(seconds)[0]


def battery_state(cell: Cell, kind: str, time: float) -> BatteryState:
    """The battery's state, per kW of modules."""
    day, seconds = sun.local_day(time, cell.longitude)
    today = _day(cell, kind, day % weather.CYCLE)
    flow, charged, discharged = today.battery.at(seconds)
    return BatteryState(today.stored + charged - discharged, flow)
