"""What falls on modules, and what they make of it: roofs, walls and chimneys."""

from dataclasses import dataclass
from functools import lru_cache
from math import cos, radians, sin

from year.sky import STEPS

LOST_A_DEGREE = 0.0038  # of a module's power above 25 °C
HEATED = 0.03  # °C of a module above the air, a W/m²


@dataclass(frozen=True)
class Surface:
    """Modules in one plane. Angles in degrees; azimuths run clockwise from north.

    A wall hides the sun within its azimuths unless it stands higher than the wall's top; how high
    that is looked at from the modules grows towards the wall's middle. A chimney hides it from part
    of a string, which in parallel with sunny strings then carries nothing.
    """

    azimuth: float
    tilt: float
    wall: tuple[float, float, float] | None = None  # from, to, height of its top
    chimney: tuple[float, float, float] | None = None  # as the wall


def hidden(obstacle, azimuth, elevation):
    """The part of a surface from which an obstacle hides the sun, 0 to 1."""
    if obstacle is None:
        return 0.0
    first, last, top = obstacle
    aside = min((azimuth - first) % 360, (last - azimuth) % 360)
    if (azimuth - first) % 360 > (last - first) % 360:
        return 0.0
    return max(0.0, min(1.0, aside / 8)) * max(0.0, min(1.0, (top - elevation) / 12 + 0.5))


@lru_cache(maxsize=1024)
def light(surface, day):
    """W/m² on a surface at each step of a day, without a chimney's shade."""
    lean, open_sky = cos(radians(surface.tilt)), (1 + cos(radians(surface.tilt))) / 2
    steep = sin(radians(surface.tilt))
    if surface.wall:
        open_sky *= 0.6
    falling = []
    for step in range(STEPS):
        height, beam, sky = day.elevation[step], day.beam[step], day.diffuse[step]
        if sky <= 0:
            falling.append(0.0)
            continue
        up = sin(radians(max(0.0, height)))
        turned = cos(radians(day.azimuth[step] - surface.azimuth))
        facing = max(0.0, up * lean + cos(radians(height)) * steep * turned)
        direct = beam * facing * (1 - hidden(surface.wall, day.azimuth[step], height))
        ground = 0.2 * (beam * up + sky) * (1 - lean) / 2
        falling.append(direct + sky * open_sky + ground)
    return falling


@lru_cache(maxsize=1024)
def specific(surface, day):
    """Watts of a watt of clean modules at each step of a day."""
    made = []
    for step, falling in enumerate(light(surface, day)):
        if falling < 1:
            made.append(0.0)
            continue
        warm = day.ambient[step] + HEATED * falling - 25
        power = falling / 1000 * (1 - LOST_A_DEGREE * warm) * falling / (falling + 6)
        made.append(power * bypassed(surface, day, step))
    return made


def bypassed(surface, day, step):
    """What a chimney's shade leaves: nothing where the sun is strong, most where it is dull."""
    shade = hidden(surface.chimney, day.azimuth[step], day.elevation[step])
    beam = day.beam[step] / (day.beam[step] + day.diffuse[step] + 1)
    return max(0.0, 1 - shade * min(1.0, 1.6 * beam))
