"""What happens in every year and is no fault: of the management system, the utility, the people.

Everything is a pure function of the seed and the day. Times are steps: five minutes each, counted
from the first of January 2025.
"""

from math import cos, pi

from year.sky import STEPS, dice, waves

HOUR = STEPS // 24
ON_PAGE = 5  # steps for which values stay on the page: five paces


def maintenance(sky, day):
    """When nothing answers anybody: some nights at two for an hour, and a rare hour by day."""
    draw = dice(sky, "maintenance", day)
    chance = draw.random()
    if chance < 0.08:
        return [(day * STEPS + 2 * HOUR, day * STEPS + 3 * HOUR)]
    if chance < 0.1:
        start = day * STEPS + draw.randint(7 * HOUR, 17 * HOUR)
        return [(start, start + HOUR)]
    return []


def refusals(sky, account, day):
    """When a login is refused; the next one, 15 minutes later, is well."""
    draw = dice(sky, "refusal", account, day)
    if draw.random() > 0.02:
        return []
    start = day * STEPS + draw.randrange(STEPS - 4)
    return [(start, start + 3)]


def restarts(sky, day):
    """When the exporter restarts: one scrape is missing."""
    draw = dice(sky, "restart", day)
    if draw.random() > 0.02:
        return []
    start = day * STEPS + draw.randrange(STEPS)
    return [(start, start + 1)]


def delays(sky, plant, day):
    """When a plant's values stand still, as its upload is late."""
    draw = dice(sky, "late", plant.code, day)
    if draw.random() > 0.04:
        return []
    start = day * STEPS + draw.randint(8 * HOUR, 16 * HOUR)
    return [(start, start + draw.randint(3, 8))]


def ceiling(sky, plant, day):
    """The share of its power that the utility allows a plant, at each step; None on a free day."""
    draw = dice(sky, "utility", plant.account, day // 2)
    if draw.random() > plant.curtailed:
        return None
    level = draw.choice((0.3, 0.45, 0.6) if not plant.says_so else (0.0, 0.3, 0.6))
    start = draw.randint(8 * HOUR, 12 * HOUR)
    end = start + draw.randint(2 * HOUR, 5 * HOUR)
    return [level if start <= step < end else 1.0 for step in range(STEPS)]


def load(sky, plant, day):
    """W that a plant's people need at each step."""
    draw = dice(sky, "load", plant.code, day)
    busy, bursts = waves(draw, 48), [0.0] * STEPS
    for _ in range(draw.randint(2, 6)):
        start = draw.randrange(STEPS)
        for step in range(start, min(STEPS, start + draw.randint(3, 18))):
            bursts[step] += plant.load * (2 + 3 * draw.random())
    heated = 1 + max(0.0, 12 - sky.temperature(day)) / 12
    rhythm = (0.9 - 0.35 * cos(4 * pi * (step / STEPS - 2 / 24)) for step in range(STEPS))
    return [
        plant.load * heated * (0.3 + part * swing) + burst
        for swing, part, burst in zip(rhythm, busy, bursts, strict=True)
    ]


def grid(sky, plant, day):
    """Volts of a plant's feeder without the plant, and Hz, at each step."""
    draw = dice(sky, "grid", plant.code, day)
    usual = sky.climate.volts * plant.feeder
    volts = [usual * (0.985 + 0.03 * wave) for wave in waves(draw, 24)]
    return volts, [sky.climate.hertz + 0.12 * (wave - 0.5) for wave in waves(draw, 72)]
