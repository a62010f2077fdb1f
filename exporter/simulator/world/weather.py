"""The seeded weather of a place: clouds over repeating years, temperature and wind.

Everything is a pure function of seed, place and time. A place is a cell of one degree, so that
neighbours share their weather and a fleet of thousands costs no more than its cells.
"""

from functools import lru_cache
from itertools import accumulate, pairwise
from math import cos, pi
from random import Random
from typing import NamedTuple
from zlib import crc32

from exporter.simulator.world import sun

_CLEAR_SKY = 1080.0  # W/m² from a sun overhead
_YIELD = 0.95  # kW that a kilowatt of clean modules of 25 °C gives under 1000 W/m²
_WARMING = 0.027  # °C that modules are warmer than the air, a W/m²
_HEAT_LOSS = 0.0035  # of the power, a °C above 25
_DIM = 15.0  # W/m² that bring nothing: little light is worth less
_DUST = 0.0015  # of the power, a day without rain
_LONGEST_DRY = 20  # days until somebody washes
CYCLE = 2 * sun.YEAR  # days after which the weather repeats
CEILING = 0.85  # kW that the inverter of a kilowatt of modules can pass on


_TURNS = 65_537
_SCATTER = 2_654_435_761  # as checksums of texts that differ by a digit are alike


class Cell(NamedTuple):
    """A place with weather of its own: a seed and whole degrees."""

    seed: int
    latitude: int
    longitude: int


class Sky(NamedTuple):
    """One kind of day: its share of all days, how deep its shade is, the least of that.

    The depth is of a day: between `thin` and `thick`. `swing` is how far the air's temperature is
    from its mean at its warmest, in °C.
    """

    share: float
    thin: float
    thick: float
    floor: float
    swing: float


_SKIES = (
    Sky(share=0.40, thin=0.02, thick=0.14, floor=0.0, swing=8.0),  # clear
    Sky(share=0.37, thin=0.20, thick=0.95, floor=0.1, swing=5.5),  # changing
    Sky(share=0.23, thin=0.55, thick=0.95, floor=0.7, swing=3.0),  # overcast
)
_RAIN = _SKIES[-1]


def _sky(draw: float) -> Sky:
    for sky in _SKIES[:-1]:
        if draw < sky.share:
            return sky
        draw -= sky.share
    return _SKIES[-1]


@lru_cache(maxsize=4096)
def _sky_of(cell: Cell, day: int) -> Sky:
    """The kind of a day of the repeating years; `irradiance` begins with the same draw."""
    return _sky(Random(f"{cell}/{day}").random())  # noqa: S311  # because weather is no secret


@lru_cache(maxsize=4096)
def irradiance(cell: Cell, day: int) -> tuple[float, ...]:
    """W/m² at each quarter hour of a day of the repeating years."""
    rng = Random(f"{cell}/{day}")  # noqa: S311  # because weather is no secret
    draw = rng.random
    sky = _sky(draw())
    depth, clouds, light = sky.thin + (sky.thick - sky.thin) * draw(), draw(), []
    for sine in sun.elevation_sines(day, cell.latitude, cell.longitude):
        clouds = 0.7 * clouds + 0.3 * draw()
        shade = depth * (sky.floor + (1 - sky.floor) * clouds)
        light.append(_CLEAR_SKY * sine**1.15 * (1 - shade) if sine > 0 else 0.0)
    return tuple(light)


def cleanness(cell: Cell, day: int) -> float:
    """What the dust since the last rain leaves of the power."""
    dry = (n for n in range(_LONGEST_DRY) if _sky_of(cell, (day - n) % CYCLE) is _RAIN)
    return 1 - _DUST * next(dry, _LONGEST_DRY)


@lru_cache(maxsize=4096)
def production(cell: Cell, day: int) -> tuple[float, ...]:
    """KW per kW of modules at each quarter hour of a day of the repeating years.

    Warm, dusty and dimly lit modules give less; they follow the light with a delay.
    """
    best, before, powers = _YIELD * cleanness(cell, day), 0.0, []
    for slot, light in enumerate(irradiance(cell, day)):
        power = 0.0
        if light > _DIM:
            air = temperature(cell, day, slot * sun.SLOT)
            cool = 1 - _HEAT_LOSS * (module_temperature(air, (light + before) / 2) - 25)
            power = min(CEILING, best * cool * (light - _DIM) / 1000)
        powers.append(power)
        before = light
    return tuple(powers)


def slot_sum(curve: tuple[float, ...]) -> float:
    """The integral of a day's piecewise linear curve over the day, in units of hours."""
    return sum(map(sum, pairwise(curve))) / 2 * sun.SLOT / 3600


@lru_cache(maxsize=512)
def production_before(cell: Cell) -> tuple[float, ...]:
    """Full-load hours from the first day to each of a cycle, and in the whole cycle (last)."""
    days = (slot_sum(production(cell, day)) for day in range(CYCLE))
    return tuple(accumulate(days, initial=0.0))


@lru_cache(maxsize=512)
def irradiation_before(cell: Cell) -> tuple[float, ...]:
    """kWh/m² from the first day to each of a cycle, and in the whole cycle (last)."""
    days = (slot_sum(irradiance(cell, day)) / 1000 for day in range(CYCLE))
    return tuple(accumulate(days, initial=0.0))


def sum_until(before: tuple[float, ...], day: int) -> float:
    """The running sum of repeating cycles at the start of a day, from day 0 on."""
    cycles, rest = divmod(day, CYCLE)
    return cycles * before[-1] + before[rest]


@lru_cache(maxsize=4096)
def _air_of(cell: Cell, day: int) -> tuple[float, float]:
    """How far a midnight's mean is from the season's, and the swing of the day, in °C."""
    rng = Random(f"air {cell}/{day}")  # noqa: S311  # because weather is no secret
    return rng.uniform(-4, 4), _sky_of(cell, day).swing


def temperature(cell: Cell, day: int, seconds: float) -> float:
    """Ambient °C: colder by latitude, with the season (mirrored in the south) and the hour.

    From one midnight to the next it drifts, and swings the more the clearer the day is.
    """
    day, part = day % CYCLE, seconds / sun.DAY
    (drift, swing), (drift_on, swing_on) = _air_of(cell, day), _air_of(cell, (day + 1) % CYCLE)
    mean = 28 - 0.42 * abs(cell.latitude) + drift + (drift_on - drift) * part
    season = 0.25 * cell.latitude * cos(2 * pi * (day - 200) / sun.YEAR)
    return mean + season + (swing + (swing_on - swing) * part) * cos(2 * pi * (part - 15 / 24))


def module_temperature(ambient: float, light: float) -> float:
    """°C of modules in so many W/m²."""
    return ambient + _WARMING * light


@lru_cache(maxsize=65_536)
def _turning_value(number: int, period: float, which: float) -> float:
    return crc32(f"{number}/{period}/{which}".encode()) * _SCATTER % _TURNS / _TURNS * 2 - 1


def fluctuation(time: float, period: float, which: float) -> float:
    """What wanders between -1 and 1, from one turn to the next in half a period of so many s."""
    number, part = divmod(2 * time / period, 1)
    first, last = (_turning_value(int(number) + each, period, which) for each in (0, 1))
    return first + (last - first) * (1 - cos(pi * part)) / 2


def wind(cell: Cell, time: float) -> tuple[float, float]:
    """Wind speed in m/s and direction in degrees."""
    place = cell.latitude + 3 * cell.longitude
    speed = 4.2 + 3.8 * fluctuation(time, 17_000, place)
    return speed, (210 + 130 * fluctuation(time, 61_000, place)) % 360
