"""The state of a plant at one instant, from which its devices' values are derived."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from exporter.simulator.world import energy, periods, sun, weather
from exporter.simulator.world.fleet import SimPlant
from exporter.simulator.world.weather import Cell


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
        use = self.plant.combine_type
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
        power = energy.grid_power(self.cell, self.plant.combine_type, self.time)
        return Grid(power, counted.feed_in, counted.supply)

    @cached_property
    def storage(self) -> Storage:
        """A battery, per kilowatt-hour of capacity."""
        size = energy.USES[self.plant.combine_type].storage
        state = energy.battery_state(self.cell, self.plant.combine_type, self.time)
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
    def frequency(self) -> float:
        """Hz of the grid."""
        return round(50 + 0.04 * weather.fluctuation(self.time, 430, 0.0), 3)

    @cached_property
    def voltages(self) -> tuple[float, float, float]:
        """V of the three phases."""
        return tuple(  # type: ignore[return-value]  # because there are three phases
            round(230 + 3.5 * weather.fluctuation(self.time, 900 + 70 * phase, phase), 1)
            for phase in range(3)
        )

    @cached_property
    def daylight(self) -> tuple[int, int]:
        """When the latest daylight that has begun first and last sufficed, in epoch ms."""
        day, _ = self.solar_day
        today = self._daylight(day)
        return today if today[0] <= self.time * 1000 else self._daylight(day - 1)

    def _daylight(self, day: int) -> tuple[int, int]:
        power = weather.production(self.cell, day % sun.YEAR)
        lit = [slot for slot in range(sun.SLOTS + 1) if power[slot] > 0] or [1]
        start = sun.midnight(day, self.cell.longitude)
        return (start + (lit[0] - 1) * sun.SLOT) * 1000, (start + (lit[-1] + 1) * sun.SLOT) * 1000
