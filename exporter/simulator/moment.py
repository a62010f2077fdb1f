"""A plant at an instant: what its devices share."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from exporter.simulator import energy, periods, sun, weather
from exporter.simulator.fleet import SimPlant
from exporter.simulator.weather import Cell


class Yield(NamedTuple):
    """What modules give: kW now, kWh today, this month and in all, per kW."""

    power: float
    today: float
    month: float
    total: float


class Grid(NamedTuple):
    """What the meter says: kW (> 0 feeds in), and the kWh fed in and supplied, per kW."""

    power: float
    feed_in: float
    supply: float


class Storage(NamedTuple):
    """What a battery says, per kWh of its capacity: kW (> 0 charging), fill 0 to 1, today's kWh."""

    power: float
    fill: float
    charged: float
    discharged: float


def _grown(first: float, last: float) -> float:
    """The growth between two running sums; rounding must not make it negative."""
    return max(0.0, last - first)


@dataclass(frozen=True)
class Moment:
    """A plant at an instant; what several of its devices report is reckoned once."""

    plant: SimPlant
    time: float
    seed: int

    @cached_property
    def cell(self) -> Cell:
        """The place's weather cell."""
        return Cell(self.seed, round(self.plant.latitude), round(self.plant.longitude))

    @cached_property
    def clock(self) -> tuple[int, float]:
        """The day by the sun, which weather goes by, and the seconds since its midnight."""
        return sun.local_day(self.time, self.cell.longitude)

    @cached_property
    def midnight(self) -> float:
        """When the day of the plant's own time zone began: what restarts daily restarts then."""
        zone = self.plant.zone
        return periods.beginning(zone, periods.local_date(zone, self.time))

    @cached_property
    def month(self) -> float:
        """When the month of the plant's own time zone began."""
        zone = self.plant.zone
        return periods.beginning(zone, periods.local_date(zone, self.time).replace(day=1))

    @cached_property
    def began(self) -> float:
        """When the plant began to count; so folded that a clock far from ours has counters too."""
        commissioned = sun.midnight(self.plant.commissioned, self.cell.longitude)
        return self.time - (self.time - commissioned) % energy.LIFE

    def produced(self, since: float, until: float | None = None) -> float:
        """The kWh of a kilowatt of modules since an instant, until another or now."""
        until = self.time if until is None else until
        return _grown(energy.produced(self.cell, since), energy.produced(self.cell, until))

    def irradiated(self, since: float, until: float | None = None) -> float:
        """The kWh/m² on the horizontal since an instant, until another or now."""
        until = self.time if until is None else until
        return _grown(energy.irradiated(self.cell, since), energy.irradiated(self.cell, until))

    def flown(self, since: float, until: float | None = None) -> energy.Flown:
        """What has flown through meter and battery since an instant, until another or now."""
        use = self.plant.combine_type
        first = energy.flown(self.cell, use, since)
        last = energy.flown(self.cell, use, self.time if until is None else until)
        return energy.Flown(*map(_grown, first, last))

    @cached_property
    def modules(self) -> Yield:
        """What a kilowatt of modules gives."""
        return Yield(
            power=energy.power(self.cell, self.time),
            today=self.produced(self.midnight),
            month=self.produced(self.month),
            total=self.produced(self.began),
        )

    @cached_property
    def grid(self) -> Grid:
        """What the meter says, per kilowatt of modules."""
        counted = self.flown(self.began)
        power = energy.exchange(self.cell, self.plant.combine_type, self.time)
        return Grid(power, counted.feed_in, counted.supply)

    @cached_property
    def storage(self) -> Storage:
        """What a battery says, per kilowatt-hour."""
        size = energy.USES[self.plant.combine_type].storage
        state = energy.charge(self.cell, self.plant.combine_type, self.time)
        today = self.flown(self.midnight)
        return Storage(
            state.power / size, state.energy / size, today.charged / size, today.discharged / size
        )

    @cached_property
    def ambient(self) -> float:
        """°C outside."""
        return weather.temperature(self.cell, *self.clock)

    @cached_property
    def light(self) -> tuple[float, float]:
        """kW/m² now and kWh/m² since midnight, on the horizontal."""
        return energy.light(self.cell, self.time), self.irradiated(self.midnight)

    @cached_property
    def frequency(self) -> float:
        """Hz of the grid."""
        return round(50 + 0.04 * weather.wobble(self.time, 430, 0.0), 3)

    @cached_property
    def voltages(self) -> tuple[float, float, float]:
        """V of the three phases."""
        return tuple(  # type: ignore[return-value]  # because there are three phases
            round(230 + 3.5 * weather.wobble(self.time, 900 + 70 * phase, phase), 1)
            for phase in range(3)
        )

    @cached_property
    def daylight(self) -> tuple[int, int]:
        """When the latest daylight begun first and last sufficed, in epoch ms."""
        day, _ = self.clock
        today = self._daylight(day)
        return today if today[0] <= self.time * 1000 else self._daylight(day - 1)

    def _daylight(self, day: int) -> tuple[int, int]:
        power = weather.production(self.cell, day % sun.YEAR)
        lit = [slot for slot in range(sun.SLOTS + 1) if power[slot] > 0] or [1]
        start = sun.midnight(day, self.cell.longitude)
        return (start + (lit[0] - 1) * sun.SLOT) * 1000, (start + (lit[-1] + 1) * sun.SLOT) * 1000
