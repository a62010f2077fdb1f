"""The seeded weather of a place: clouds over a repeating year, temperature and wind.

Everything is a pure function of seed, place and time. A place is a cell of one degree, so that
neighbours share their weather and a fleet of thousands costs no more than its cells.
"""

from functools import lru_cache
from itertools import accumulate, pairwise
from math import cos, pi
from random import Random
from typing import NamedTuple

from exporter.simulator.world import sun

_CLEAR_SKY = 1080.0  # W/m² from a sun overhead
_YIELD = 0.93  # kW that a kilowatt of modules gives under 1000 W/m²
CEILING = 0.88  # kW that the inverter of a kilowatt of modules can pass on


class Cell(NamedTuple):
    """A place with weather of its own: a seed and whole degrees."""

    seed: int
    latitude: int
    longitude: int


class Sky(NamedTuple):
    """One kind of day: its share of all days, the depth of its shade, the least of it."""

    share: float
    depth: float
    floor: float


_SKIES = (
    Sky(share=0.45, depth=0.08, floor=0.0),  # clear
    Sky(share=0.35, depth=0.75, floor=0.1),  # changing
    Sky(share=0.20, depth=0.80, floor=0.7),  # overcast
)


def _sky(draw: float) -> Sky:
    for sky in _SKIES[:-1]:
        if draw < sky.share:
            return sky
        draw -= sky.share
    return _SKIES[-1]


@lru_cache(maxsize=4096)
def irradiance(cell: Cell, day: int) -> tuple[float, ...]:
    """W/m² at each quarter hour of a day of the repeating year (0 to 364)."""
    rng = Random(f"{cell}/{day}")  # noqa: S311  # because weather is no secret
    draw = rng.random
    sky = _sky(draw())
    clouds, light = draw(), []
    for sine in sun.elevation_sines(day, cell.latitude, cell.longitude):
        clouds = 0.7 * clouds + 0.3 * draw()
        shade = sky.depth * (sky.floor + (1 - sky.floor) * clouds)
        light.append(_CLEAR_SKY * sine**1.15 * (1 - shade) if sine > 0 else 0.0)
    return tuple(light)


def production(cell: Cell, day: int) -> list[float]:
    """KW per kW of modules at each quarter hour of a day of the repeating year."""
    return [min(CEILING, light / 1000 * _YIELD) for light in irradiance(cell, day)]


def slot_sum(curve: list[float] | tuple[float, ...]) -> float:
    """The integral of a day's piecewise linear curve over the day, in units of hours."""
    return sum(map(sum, pairwise(curve))) / 2 * sun.SLOT / 3600


@lru_cache(maxsize=512)
def production_before(cell: Cell) -> tuple[float, ...]:
    """Full-load hours from the year's start to each of its days, and in the whole year (last)."""
    days = (slot_sum(production(cell, day)) for day in range(sun.YEAR))
    return tuple(accumulate(days, initial=0.0))


@lru_cache(maxsize=512)
def irradiation_before(cell: Cell) -> tuple[float, ...]:
    """kWh/m² from the year's start to each of its days, and in the whole year (last)."""
    days = (slot_sum(irradiance(cell, day)) / 1000 for day in range(sun.YEAR))
    return tuple(accumulate(days, initial=0.0))


def sum_until(before: tuple[float, ...], day: int) -> float:
    """The running sum of repeating years at the start of a day, from day 0 on."""
    years, rest = divmod(day, sun.YEAR)
    return years * before[-1] + before[rest]


def temperature(cell: Cell, day: int, seconds: float) -> float:
    """Ambient °C: colder by latitude, with the season (mirrored in the south) and the hour."""
    mean = 28 - 0.42 * abs(cell.latitude)
    season = 0.25 * cell.latitude * cos(2 * pi * (day % sun.YEAR - 200) / sun.YEAR)
    return mean + season + 4.5 * cos(2 * pi * (seconds / sun.DAY - 15 / 24))


def fluctuation(time: float, period: float, phase: float) -> float:
    """A wave between -1 and 1 of about the given period in s, which never repeats exactly."""
    angle = 2 * pi * time / period + phase
    return 0.6 * cos(angle) + 0.4 * cos(angle * 0.381 + 1.7 * phase)


def wind(cell: Cell, time: float) -> tuple[float, float]:
    """Wind speed in m/s and direction in degrees."""
    phase = float(cell.latitude + 3 * cell.longitude)
    speed = 4.2 + 3.8 * fluctuation(time, 17_000, phase)
    return speed, (210 + 130 * fluctuation(time, 61_000, phase)) % 360
