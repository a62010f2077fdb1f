"""The light on a module plane, behind walls and chimneys, and the power modules make of it."""

from dataclasses import dataclass
from functools import lru_cache
from math import cos, radians, sin

from year.timeline import STEPS_PER_DAY

TEMPERATURE_COEFFICIENT = 0.0038  # share of a module's power lost for each °C above 25
MODULE_HEATING = 0.03  # °C above ambient for each W/m²
ALBEDO = 0.2


@dataclass(frozen=True)
class Surface:
    """Modules in one plane. Angles in degrees; azimuths run clockwise from north.

    A wall hides the sun within its azimuths unless it stands higher than the wall's top; how high
    that is looked at from the modules grows towards the wall's middle. A chimney hides it from part
    of a string, which in parallel with sunny strings then carries nothing.
    """

    azimuth: float
    tilt: float
    wall: tuple[float, float, float] | None = None  # first and last azimuth, elevation of its top
    chimney: tuple[float, float, float] | None = None  # as the wall


def shaded_share(obstacle, azimuth, elevation):
    """The share of a surface, 0 to 1, from which an obstacle hides the sun."""
    if obstacle is None:
        return 0.0
    first, last, top = obstacle
    from_edge = min((azimuth - first) % 360, (last - azimuth) % 360)
    if (azimuth - first) % 360 > (last - first) % 360:
        return 0.0
    return max(0.0, min(1.0, from_edge / 8)) * max(0.0, min(1.0, (top - elevation) / 12 + 0.5))


@lru_cache(maxsize=1024)
def irradiance(surface, day):
    """W/m² on a surface at each step of a WeatherDay, without a chimney's shade."""
    cos_tilt, sin_tilt = cos(radians(surface.tilt)), sin(radians(surface.tilt))
    sky_view = (1 + cos_tilt) / 2
    if surface.wall:
        sky_view *= 0.6
    values = []
    for step in range(STEPS_PER_DAY):
        elevation, azimuth = day.elevation[step], day.azimuth[step]
        beam, diffuse = day.beam[step], day.diffuse[step]
        if diffuse <= 0:
            values.append(0.0)
            continue
        on_level = sin(radians(max(0.0, elevation)))
        from_azimuth = cos(radians(azimuth - surface.azimuth))
        incidence = on_level * cos_tilt + cos(radians(elevation)) * sin_tilt * from_azimuth
        direct = beam * max(0.0, incidence) * (1 - shaded_share(surface.wall, azimuth, elevation))
        reflected = ALBEDO * (beam * on_level + diffuse) * (1 - cos_tilt) / 2
        values.append(direct + diffuse * sky_view + reflected)
    return values


@lru_cache(maxsize=1024)
def specific_power(surface, day):
    """W of each W of clean modules, at each step of a WeatherDay."""
    values = []
    for step, light in enumerate(irradiance(surface, day)):
        if light < 1:
            values.append(0.0)
            continue
        above = day.ambient_temperature[step] + MODULE_HEATING * light - 25
        power = light / 1000 * (1 - TEMPERATURE_COEFFICIENT * above) * light / (light + 6)
        values.append(power * chimney_factor(surface, day, step))
    return values


def chimney_factor(surface, day, step):
    """The share of power left by a chimney's shade: none in strong sun, most in diffuse light."""
    shade = shaded_share(surface.chimney, day.azimuth[step], day.elevation[step])
    beam_share = day.beam[step] / (day.beam[step] + day.diffuse[step] + 1)
    return max(0.0, 1 - shade * min(1.0, 1.6 * beam_share))
