"""Where the sun stands, what a clear sky lets through, and what of it falls on a tilted plane.

Pure: place and time are arguments. Angles are in degrees, irradiances in W/m².

pvlib knows better skies, and brings numpy, scipy and pandas: 124 MB and two seconds at a start
(0.16, measured), more than all of the exporter. Expected power is learned, so that what a simple
sky gets wrong is mostly learned along with the rest.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from math import asin, atan2, cos, degrees, exp, floor, radians, sin
from typing import NamedTuple

from astral import Observer
from astral.sun import azimuth, elevation

from exporter.northbound.interfaces import DAY

Place = tuple[float, float]  # latitude and longitude
Direction = tuple[float, float, float]  # of length 1: to the east, north and up

_ALBEDO = 0.2  # of the ground, as everybody assumes


class Light(NamedTuple):
    """Sunlight: the beam as a vector to the east, north and up, and what comes from the sky.

    Lights may be added up: what falls on a plane adds up with them, or nearly so.
    """

    east: float
    north: float
    up: float
    diffuse: float

    def plus(self, other: "Light") -> "Light":
        """Two lights together."""
        return Light(*(a + b for a, b in zip(self, other, strict=True)))


DARK = Light(0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Sun:
    """The sun over a place.

    `day` counts solar days, `hour_angle` is 0 at the culmination, negative before it, 15 an hour.
    """

    day: int
    latitude: float
    declination: float
    hour_angle: float
    elevation: float
    light: Light


def seen_elevation(place: Place, at: float) -> float:
    """How high the sun is seen, which the air lifts a little at the horizon."""
    return float(elevation(Observer(*place), datetime.fromtimestamp(at, UTC)))


def sun_over(place: Place, at: float) -> Sun:
    """The sun at a time in seconds since the epoch."""
    latitude, longitude = place
    observer, when = Observer(latitude, longitude), datetime.fromtimestamp(at, UTC)
    height = radians(elevation(observer, when, with_refraction=False))
    side, parallel = radians(azimuth(observer, when)), radians(latitude)
    east, north, up = cos(height) * sin(side), cos(height) * cos(side), sin(height)
    sine = up * sin(parallel) + north * cos(parallel)
    hour_angle = atan2(-east, up * cos(parallel) - north * sin(parallel))
    return sun_at(
        floor(at / DAY + longitude / 360),
        latitude,
        degrees(asin(max(-1.0, min(1.0, sine)))),
        degrees(hour_angle),
    )


def sun_at(day: int, latitude: float, declination: float, hour_angle: float) -> Sun:
    """The sun where these say that it is."""
    where = direction(latitude, declination, hour_angle)
    height = degrees(asin(where[2]))
    return Sun(day, latitude, declination, hour_angle, height, clear_sky(where))


def direction(latitude: float, declination: float, hour_angle: float) -> Direction:
    """Where the sun is seen."""
    place, tilt, hour = radians(latitude), radians(declination), radians(hour_angle)
    up = sin(tilt) * sin(place) + cos(tilt) * cos(hour) * cos(place)
    return (
        -cos(tilt) * sin(hour),
        sin(tilt) * cos(place) - cos(tilt) * cos(hour) * sin(place),
        max(-1.0, min(1.0, up)),
    )


def global_horizontal(up: float) -> float:
    """What falls on level ground from a clear sky; `up` is the sine of the sun's elevation.

    Haurwitz, "Insolation in relation to cloudiness and cloud density", J. Meteorology 2, 1945.
    """
    return 1098.0 * up * exp(-0.059 / up) if up > 0 else 0.0


def _direct_normal(up: float) -> float:
    """The beam from a clear sky, on a plane that faces the sun.

    Meinel and Meinel, "Applied Solar Energy", 1976; with Kasten and Young's air mass, 1989.
    """
    air_mass = 1 / (up + 0.50572 * (degrees(asin(up)) + 6.07995) ** -1.6364)
    return float(1353.0 * 0.7**air_mass**0.678)


def clear_sky(where: Direction) -> Light:
    """The light of a clear sky while the sun is seen there."""
    east, north, up = where
    if up <= 0:
        return DARK
    total = global_horizontal(up)
    beam = min(_direct_normal(up), total / up)
    return Light(beam * east, beam * north, beam * up, max(0.0, total - beam * up))


Plane = tuple[float, float, float]  # the normal of modules: to the east, north and up


def _facing(side: float, tilt: float) -> Plane:
    slope = sin(radians(tilt))
    return slope * sin(radians(side)), slope * cos(radians(side)), cos(radians(tilt))


# Ways that modules look: their tilt, and their sides as turns from the equator's. Where the sun's
# path cannot tell two of them apart the first is the likelier one. Roofs with two sides look like
# level ones. What is stored of an account counts them: new ones go to the end.
_WAYS = (
    (20, (0,)),
    (30, (30, -30)),
    (0, (0,)),
    (30, (60, -60)),
    (15, (90, -90)),
    (30, (90, -90)),
    (45, (0, 45, -45, 90, -90)),
    (30, (120, -120)),
)


def _planes(equator: float) -> tuple[Plane, ...]:
    return tuple(_facing(equator + side, tilt) for tilt, sides in _WAYS for side in sides)


_NORTHERN, _SOUTHERN = _planes(180.0), _planes(0.0)
WAYS = len(_NORTHERN)


def planes_at(latitude: float) -> tuple[Plane, ...]:
    """The ways that modules look there, the likelier ones first."""
    return _NORTHERN if latitude >= 0 else _SOUTHERN


def on_plane(light: Light, plane: Plane) -> float:
    """What of a light falls on a plane: beam, its half of the sky, its half of the ground."""
    east, north, up = plane
    beam = light.east * east + light.north * north + light.up * up
    ground = _ALBEDO * (light.up + light.diffuse)
    return max(0.0, beam) + light.diffuse * (1 + up) / 2 + ground * (1 - up) / 2


@lru_cache(maxsize=256)
def clear_day(
    latitude: float, declination: float, hour_angles: tuple[float, ...]
) -> tuple[tuple[float, ...], ...]:
    """What falls on each plane of `planes_at` at these hour angles of a clear day."""
    lights = [clear_sky(direction(latitude, declination, each)) for each in hour_angles]
    return tuple(tuple(on_plane(light, plane) for light in lights) for plane in planes_at(latitude))
