"""A plant at an instant: what its devices share."""

from dataclasses import dataclass
from functools import cached_property

from exporter.simulator import energy, sun, weather
from exporter.simulator.fleet import SimPlant
from exporter.simulator.weather import Cell


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
        """The local day and the seconds since its midnight."""
        return sun.local_day(self.time, self.cell.longitude)

    @cached_property
    def modules(self) -> energy.Yield:
        """What a kilowatt of modules gives."""
        return energy.modules(self.cell, *self.clock, self.plant.commissioned)

    @cached_property
    def grid(self) -> energy.Grid:
        """What the meter says, per kilowatt of modules."""
        plant = self.plant
        return energy.grid(self.cell, plant.combine_type, *self.clock, plant.commissioned)

    @cached_property
    def storage(self) -> energy.Storage:
        """What a battery says, per kilowatt-hour."""
        return energy.storage(self.cell, self.plant.combine_type, *self.clock)

    @cached_property
    def ambient(self) -> float:
        """°C outside."""
        return weather.temperature(self.cell, *self.clock)

    @cached_property
    def light(self) -> tuple[float, float]:
        """kW/m² now and kWh/m² since midnight, on the horizontal."""
        day, seconds = self.clock
        power, total, _ = energy.irradiance_of(self.cell, day % sun.YEAR).at(seconds)
        return power, total

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
