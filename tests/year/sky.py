"""Sun, clouds, temperature and precipitation of a climate, day by day: pure functions of a seed.

A day has 288 steps of five minutes. Days count from the first of January 2025 and may be negative.
"""

from dataclasses import dataclass
from functools import cache, lru_cache
from math import acos, asin, cos, degrees, exp, pi, radians, sin
from random import Random

STEPS = 288  # of a day
STEP = 300  # s
DAY = STEP * STEPS
EPOCH = 1_735_689_600  # when day 0 begins
SOLAR = 1361.0  # W/m² outside of the air


def dice(*about):
    """A source of numbers for whatever it is named after."""
    return Random(" ".join(map(str, about)))  # noqa: S311  # because weather is no secret


def waves(source, knots):
    """A line through random points between 0 and 1, evenly over the steps of a day."""
    points = [source.random() for _ in range(knots + 1)]
    span = STEPS / knots
    line = []
    for step in range(STEPS):
        knot, part = divmod(step / span, 1)
        low, high = points[int(knot)], points[int(knot) + 1]
        line.append(low + (high - low) * part)
    return line


def between(pair, part):
    return pair[0] + (pair[1] - pair[0]) * part


@dataclass(frozen=True, eq=False)
class Day:
    """What the sky of a day does: lists with a value a step."""

    number: int
    kind: str  # clear, changing, overcast, storm or fog
    elevation: list[float]  # degrees
    azimuth: list[float]  # degrees, clockwise from north
    beam: list[float]  # W/m² towards the sun
    diffuse: list[float]  # W/m² of the sky on level ground
    ambient: list[float]  # °C
    wet: bool  # as much as washes modules, or covers them if it freezes
    dull: float  # share of a clear day's light that is missing


def sun(day, latitude):
    """Elevation and azimuth in degrees at each step of a day."""
    season = 2 * pi * (day + 284) / 365.25
    tilt, place = radians(23.44) * sin(season + 2 * pi / 365.25), radians(latitude)
    turned = 2 * pi * (day - 80) / 365.25
    late = 9.87 * sin(2 * turned) - 7.53 * cos(turned) - 1.5 * sin(turned)  # minutes
    elevations, azimuths = [], []
    for step in range(STEPS):
        hour = radians((step * STEP / 60 + late) / 4 - 180)
        height = asin(sin(place) * sin(tilt) + cos(place) * cos(tilt) * cos(hour))
        across = (sin(tilt) - sin(height) * sin(place)) / (cos(height) * cos(place))
        angle = degrees(acos(max(-1.0, min(1.0, across))))
        elevations.append(degrees(height))
        azimuths.append(angle if hour < 0 else 360 - angle)
    return elevations, azimuths


class Sky:
    """The weather of a climate for a seed."""

    def __init__(self, climate, seed):
        self.climate, self.seed = climate, seed

    def __repr__(self):
        return f"{self.climate.name}/{self.seed}"

    def summer(self, day):
        """0 in midwinter, 1 in midsummer."""
        phase = cos(2 * pi * (day - 200) / 365.25)
        return (1 + (phase if self.climate.latitude > 0 else -phase)) / 2

    def spell(self, day):
        """A number between 0 and 1 that stays alike for some days, as weather does."""
        week, part = divmod(day / 3, 1)
        here, there = (dice(self, "spell", int(week) + n).random() for n in (0, 1))
        own = dice(self, "day", day).random()
        mixed = 0.62 * (here + (there - here) * part) + 0.38 * own
        return min(1.0, max(0.0, 0.5 + 1.45 * (mixed - 0.5)))

    @cache  # noqa: B019  # because skies are few
    def kind(self, day):
        climate, part, draw = self.climate, self.summer(day), self.spell(day)
        clear = between(climate.clear, part)
        if draw > 1 - between(climate.overcast, part):
            return "overcast"
        own = dice(self, "kind", day)
        if own.random() < climate.storms:
            return "storm"
        if own.random() < between(climate.fog, part):
            return "fog"
        return "clear" if draw < clear else "changing"

    @cache  # noqa: B019  # because skies are few
    def temperature(self, day):
        """°C, mean of a day."""
        whims = 5 * (dice(self, "warm", day // 5).random() + dice(self, "warm", day).random() - 1)
        return between(self.climate.temperature, self.summer(day)) + whims

    @lru_cache(maxsize=512)  # noqa: B019  # because skies are few
    def day(self, number):
        kind, source = self.kind(number), dice(self, "clouds", number)
        elevation, azimuth = sun(number, self.climate.latitude)
        opaque = CLOUDS[kind](source)
        haze = 1 - 0.08 * source.random()
        beam, diffuse, lost, most = [], [], 0.0, 0.0
        for height, cloud in zip(elevation, opaque, strict=True):
            direct, scattered = self.clear(height, haze)
            through = direct * max(0.0, 1 - cloud / 0.85)
            level = sin(radians(max(0.0, height)))
            beam.append(through)
            diffuse.append(scattered * (1 - 0.6 * cloud) + 0.3 * (direct - through) * level)
            full = direct * level + scattered
            most += full
            lost += full - beam[-1] * level - diffuse[-1]
        wet = kind in ("overcast", "storm") and source.random() < self.climate.rain
        dull = lost / most if most else 1.0
        ambient = self.ambient(number, kind)
        return Day(number, kind, elevation, azimuth, beam, diffuse, ambient, wet, dull)

    def clear(self, height, haze):
        """W/m² of the beam towards a sun at a height in degrees, and of the clear sky."""
        if height <= 0:
            return 0.0, 0.0 if height < -4 else 6 * (1 + height / 4)
        air = 1 / (sin(radians(height)) + 0.5057 * (height + 6.08) ** -1.636)
        direct = SOLAR * (haze * self.climate.clearness) ** (air**0.678)
        return direct, 6 + 95 * (1 - exp(-height / 15))

    def ambient(self, number, kind):
        mean, swing = self.temperature(number), self.climate.swing
        if kind == "overcast":
            swing *= 0.4
        return [mean + swing / 2 * cos(2 * pi * (step / STEPS - 15 / 24)) for step in range(STEPS)]

    def icy(self, day):
        """Whether snow may have lain within the last days."""
        return min(self.temperature(day - n) for n in range(12)) < 2

    @cache  # noqa: B019  # because skies are few
    def fair(self, day):
        """Whether a day is one on which a fault shows: much sun, and no snow about."""
        sky = self.day(day)
        return sky.dull < 0.35 and max(sky.elevation) > 20 and not self.icy(day)


def _clear(source):
    return [0.04 * wave for wave in waves(source, 12)]


def _changing(source):
    slow, fast = waves(source, 12), waves(source, 96)
    gap = 0.35 + 0.4 * source.random()
    return [
        min(1.0, 0.03 + max(0.0, 0.55 * a + 0.45 * b - gap) * 3.2)
        for a, b in zip(slow, fast, strict=True)
    ]


def _overcast(source):
    thick = 0.78 + 0.2 * source.random()
    return [min(1.0, thick + 0.25 * wave) for wave in waves(source, 12)]


def _storm(source):
    begins, calm = source.randint(140, 185), _changing(source)
    dark = [min(1.0, 0.85 + 0.3 * wave) for wave in waves(source, 12)]
    return calm[:begins] + dark[begins:]


def _fog(source):
    lifts, clear = source.randint(115, 160), _clear(source)
    grey = [min(1.0, 0.82 + 0.15 * wave) for wave in waves(source, 8)]
    return grey[:lifts] + clear[lifts:]


# How much of the sky is in the way, by kind of day: 0 to 1.
CLOUDS = {
    "clear": _clear,
    "changing": _changing,
    "overcast": _overcast,
    "storm": _storm,
    "fog": _fog,
}
