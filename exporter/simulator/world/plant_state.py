"""The state of a plant at one instant, from which its devices' values are derived."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from math import exp
from typing import NamedTuple
from zlib import crc32

from exporter.simulator.world import energy, periods, sun, weather
from exporter.simulator.world.fleet import SimPlant
from exporter.simulator.world.weather import Cell

# What was that many seconds ago, and how much of it an inverter's heat sink still feels: half an
# hour takes away two thirds.
_LAGS = tuple((back, exp(-back / 1800)) for back in range(0, 7200, 900))
_MODULES_LAG = 600  # s after which modules feel the light
_RISE = 0.012  # of the voltage, if all modules' power is fed in; if so much is drawn, it sags
_SWAY = 0.012  # of the voltage, by what others do

REACTIVE = 0.175  # var a W at the meter, in the long run

Three = tuple[float, float, float]


class Yield(NamedTuple):
    """Production per kW of modules: kW now, and kWh today, this month and in all."""

    power: float
    today: float
    month: float
    total: float


class Grid(NamedTuple):
    """The grid meter, per kW of modules: kW (> 0 feeds in), and the kWh fed in and supplied."""

    power: float
    feed_in: float
    supply: float


class Storage(NamedTuple):
    """A battery per kWh of its capacity: kW (> 0 charging), state of charge 0 to 1, today's kWh."""

    power: float
    soc: float
    charged: float
    discharged: float


def _increase(first: float, last: float) -> float:
    """The increase between two running sums; rounding must not make it negative."""
    return max(0.0, last - first)


@dataclass(frozen=True)
class PlantState:
    """A plant at one instant; what several of its devices report is computed once."""

    plant: SimPlant
    time: float
    seed: int

    @cached_property
    def cell(self) -> Cell:
        """The place's weather cell."""
        return Cell(self.seed, round(self.plant.latitude), round(self.plant.longitude))

    @cached_property
    def solar_day(self) -> tuple[int, float]:
        """The solar day, which the weather follows, and the seconds since its midnight."""
        return sun.local_day(self.time, self.cell.longitude)

    @cached_property
    def midnight(self) -> float:
        """When the day began in the plant's time zone; daily counters restart then."""
        zone = self.plant.zone
        return periods.beginning(zone, periods.local_date(zone, self.time))

    @cached_property
    def month(self) -> float:
        """When the month began in the plant's time zone."""
        zone = self.plant.zone
        return periods.beginning(zone, periods.local_date(zone, self.time).replace(day=1))

    @cached_property
    def counting_since(self) -> float:
        """When the counters began; repeats every `LIFETIME`, so that any clock has counters."""
        commissioned = sun.midnight(self.plant.commissioned, self.cell.longitude)
        return self.time - (self.time - commissioned) % energy.LIFETIME

    def produced(self, since: float, until: float | None = None) -> float:
        """The kWh of a kilowatt of modules since an instant, until another or now."""
        until = self.time if until is None else until
        return _increase(energy.produced(self.cell, since), energy.produced(self.cell, until))

    def irradiation(self, since: float, until: float | None = None) -> float:
        """The kWh/m² on the horizontal since an instant, until another or now."""
        until = self.time if until is None else until
        return _increase(energy.irradiation(self.cell, since), energy.irradiation(self.cell, until))

    def flow_totals(self, since: float, until: float | None = None) -> energy.FlowTotals:
        """The energy through meter and battery since an instant, until another or now."""
        use = self.plant.use
        first = energy.flow_totals(self.cell, use, since)
        last = energy.flow_totals(self.cell, use, self.time if until is None else until)
        return energy.FlowTotals(*map(_increase, first, last))

    @cached_property
    def modules(self) -> Yield:
        """The production of a kilowatt of modules."""
        return Yield(
            power=energy.power(self.cell, self.time),
            today=self.produced(self.midnight),
            month=self.produced(self.month),
            total=self.produced(self.counting_since),
        )

    @cached_property
    def grid(self) -> Grid:
        """The grid meter, per kilowatt of modules."""
        counted = self.flow_totals(self.counting_since)
        power = energy.grid_power(self.cell, self.plant.use, self.time)
        return Grid(power, counted.feed_in, counted.supply)

    @cached_property
    def storage(self) -> Storage:
        """A battery, per kilowatt-hour of capacity."""
        size = energy.USES[self.plant.use].storage
        state = energy.battery_state(self.cell, self.plant.use, self.time)
        today = self.flow_totals(self.midnight)
        return Storage(
            state.power / size, state.energy / size, today.charged / size, today.discharged / size
        )

    @cached_property
    def ambient(self) -> float:
        """°C outside."""
        return weather.temperature(self.cell, *self.solar_day)

    @cached_property
    def irradiance(self) -> tuple[float, float]:
        """kW/m² now and kWh/m² since midnight, on the horizontal."""
        return energy.irradiance(self.cell, self.time), self.irradiation(self.midnight)

    @cached_property
    def module_temperature(self) -> float:
        """°C of the modules, which follow the light with a delay."""
        lagged = energy.irradiance(self.cell, self.time - _MODULES_LAG)
        return weather.module_temperature(self.ambient, 500 * (self.irradiance[0] + lagged))

    @cached_property
    def warmth(self) -> float:
        """The production per kW of modules as heat sinks feel it, long after it came."""
        felt = sum(share * energy.power(self.cell, self.time - back) for back, share in _LAGS)
        return felt / sum(share for _back, share in _LAGS)

    @cached_property
    def frequency(self) -> float:
        """Hz of the grid."""
        mains = self.plant.mains
        sway = weather.fluctuation(self.time, 430, crc32(mains.area.encode()) % 7)
        return round(mains.hertz + 0.03 * sway, 3)

    @cached_property
    def voltages(self) -> Three:
        """V of the three phases; 0 where there is none."""
        return self._by_phase(lambda phase: round(self._voltage(phase), 1))

    def _voltage(self, phase: int) -> float:
        apart = (crc32(f"{self.plant.code}/{phase}".encode()) % 13 - 6) / 1000
        rise = _RISE * max(-1.0, min(1.0, self.grid.power))
        sway = _SWAY * weather.fluctuation(self.time, 900 + 70 * phase, phase + self.cell.latitude)
        return self.plant.mains.volts * (1 + apart + rise + sway)

    @cached_property
    def phase_powers(self) -> Three:
        """The grid meter's power by phase, per kW of modules: loads are spread unevenly."""
        phases = self.plant.mains.phases
        fed, load = self.grid.power, self.load
        weights = [
            1
            + 0.6 * weather.fluctuation(self.time, 4100 + 900 * phase, phase + self.cell.longitude)
            for phase in range(phases)
        ]
        return self._by_phase(
            lambda phase: (fed + load) / phases - load * weights[phase] / sum(weights)
        )

    def _by_phase(self, value: Callable[[int], float]) -> Three:
        a, b, c = (value(phase) if phase < self.plant.mains.phases else 0.0 for phase in range(3))
        return a, b, c

    @cached_property
    def reactive(self) -> float:
        """The reactive power at the meter, in var for each W."""
        which = self.cell.latitude - self.cell.longitude
        return REACTIVE * (1 + 0.6 * weather.fluctuation(self.time, 5400, which))

    @cached_property
    def load(self) -> float:
        """What is used, in kW per kW of modules."""
        stored = energy.battery_state(self.cell, self.plant.use, self.time).power
        return self.modules.power - stored - self.grid.power

    @cached_property
    def daylight(self) -> tuple[int, int]:
        """When the latest daylight that has begun first and last sufficed, in epoch ms."""
        day, _ = self.solar_day
        today = self._daylight(day)
        return today if today[0] <= self.time * 1000 else self._daylight(day - 1)

    def _daylight(self, day: int) -> tuple[int, int]:
        power = weather.production(self.cell, day % weather.CYCLE)
        lit = [slot for slot in range(sun.SLOTS + 1) if power[slot] > 0] or [1]
        start = sun.midnight(day, self.cell.longitude)
        return (start + (lit[0] - 1) * sun.SLOT) * 1000, (start + (lit[-1] + 1) * sun.SLOT) * 1000
