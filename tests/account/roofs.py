"""Roofs and weather with physics of their own, for what is learned of them."""

from dataclasses import dataclass
from math import asin, atan2, cos, degrees, exp, pi, radians, sin
from random import Random

from exporter.account.learned_power import MIN_ELEVATION, LearnedPower
from exporter.sky import direction, sun_over

MUNICH = (48.1, 11.6)
DAY = 86_400
MARCH = 20_520.0 * DAY  # the 8th, 2026


@dataclass(frozen=True)
class Roof:
    """Modules that look to a side, in degrees from north; behind a wall the sun is not seen.

    `wall` are the sides between which it stands, and its height in degrees.
    """

    side: float
    tilt: float = 30.0
    watts: float = 5_000.0
    wall: tuple[float, float, float] = (0.0, 0.0, 0.0)
    limit: float = 1e9

    def power(self, place, at, clouds=0.0):
        """Watts, from a sky that is cloudless (0), overcast (1) or between."""
        sun = sun_over(place, at)
        east, north, up = direction(sun.latitude, sun.declination, sun.hour_angle)
        if up <= 0.02:
            return 0.0
        beam = 1_120 * exp(-0.17 / up) * (1 - clouds)
        sky = (25 + 85 * up) * (1 - 0.4 * clouds)
        slope, turn = radians(self.tilt), radians(self.side)
        facing = sin(slope) * (sin(turn) * east + cos(turn) * north) + cos(slope) * up
        if self._hides(east, north, up):
            beam = 0.0
        light = beam * max(0.0, facing) + sky * (1 + cos(slope)) / 2
        warmth = 8 * sin(2 * pi * (at / DAY % 365.25 - 110) / 365.25) + 0.027 * light
        return min(self.limit, self.watts * light / 1_000 * (1 - 0.0035 * warmth))

    def _hides(self, east, north, up):
        first, last, height = self.wall
        return first < degrees(atan2(east, north)) % 360 < last and degrees(asin(up)) < height


def skies(seed):
    """Clouds of each reading, day by day: two days of five are clear."""
    random = Random(seed)  # noqa: S311  # because weather is no secret
    while True:
        kind = random.random()
        drift, day = 0.5, []
        for _ in range(DAY // 300):
            drift = 0.8 * drift + 0.2 * random.random()
            broken = 0.0 if drift < 0.5 else 0.85  # half of the time
            day.append(0.0 if kind < 0.4 else broken if kind < 0.75 else 0.9)
        yield day


def watch(roof, days, *, every=600, seed=1, health=lambda _: 1.0):
    """What is learned of so many days in Munich, and each day's expected and clear-sky watts.

    `health` is the share of its power that the roof gives on a day. What is expected of a reading
    is asked before it is learned.
    """
    learned = LearnedPower()
    seen = []
    for day, clouds in zip(range(days), skies(seed), strict=False):
        seen.append([])
        for reading in range(0, DAY // 300, every // 300):
            at = MARCH + day * DAY + reading * 300
            sun = sun_over(MUNICH, at)
            if sun.elevation < MIN_ELEVATION:
                continue
            expected = learned.expected(sun).get("")
            if expected is not None:
                seen[-1].append((expected, roof.power(MUNICH, at)))
            learned.learn(sun, {"": health(day) * roof.power(MUNICH, at, clouds[reading])})
    return learned, seen


def ratio(readings):
    """What was expected of some days, as a share of what a clear sky gave."""
    pairs = [pair for day in readings for pair in day]
    return sum(expected for expected, _ in pairs) / sum(clear for _, clear in pairs)
