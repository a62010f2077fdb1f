"""Where the sun stands: a day's solar elevation over a place, on the quarter hours of its zone."""

from functools import lru_cache
from math import cos, pi, radians, sin

DAY = 86_400
SLOTS = 96  # quarter hours of a day
SLOT = DAY // SLOTS
YEAR = 365  # days after which the sun repeats

# Day 0 is the first of January 2020, so that the repeating years keep step with the calendar.
_FIRST_DAY = 18_262


def zone_seconds(longitude: float) -> int:
    """The offset of a place's clock from UTC, in s: the whole hour of its meridian, all year."""
    return round(longitude / 15) * 3600


def local_day(time: float, longitude: float) -> tuple[int, float]:
    """The day a place's clock shows (counted from 2020-01-01) and the seconds since midnight."""
    day, seconds = divmod(time + zone_seconds(longitude), DAY)
    return int(day) - _FIRST_DAY, seconds


def midnight(day: int, longitude: float) -> int:
    """The UTC epoch second at which a local day begins."""
    return (day + _FIRST_DAY) * DAY - zone_seconds(longitude)


def declination(day: int) -> float:
    """The sun's declination in radians on a day of the repeating year."""
    return radians(23.44) * sin(2 * pi * (284 + day % YEAR + 1) / YEAR)


@lru_cache(maxsize=1024)
def _hour_cosines(longitude: float) -> tuple[float, ...]:
    """The cosine of the hour angle at each quarter hour of a day, both midnights included."""
    late = longitude / 15 - zone_seconds(longitude) / 3600
    return tuple(cos(pi / 12 * (slot * SLOT / 3600 + late - 12)) for slot in range(SLOTS + 1))


def elevation_sines(day: int, latitude: float, longitude: float) -> list[float]:
    """The sine of the solar elevation at each quarter hour of a local day; negative by night."""
    tilt, place = declination(day), radians(latitude)
    level, swing = sin(place) * sin(tilt), cos(place) * cos(tilt)
    return [level + swing * hour for hour in _hour_cosines(longitude)]
