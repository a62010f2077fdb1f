"""What happens in every year and is no fault: of the management system, the utility, the household.

Everything is a pure function of the seed and the day. Spans are in steps, see `timeline.py`.
"""

from math import cos, pi

from year.noise import interpolated_noise, random_for
from year.timeline import STEPS_PER_DAY, STEPS_PER_HOUR


def maintenance(weather, day):
    """The day's outages of the management system: an hour on some nights, rarely one by day."""
    random = random_for(weather, "maintenance", day)
    chance = random.random()
    if chance < 0.08:
        start = day * STEPS_PER_DAY + 2 * STEPS_PER_HOUR
    elif chance < 0.1:
        start = day * STEPS_PER_DAY + random.randint(7 * STEPS_PER_HOUR, 17 * STEPS_PER_HOUR)
    else:
        return []
    return [(start, start + STEPS_PER_HOUR)]


def refused_logins(weather, account, day):
    """The day's spans from a refused login to the next, which succeeds 15 minutes later."""
    random = random_for(weather, "refusal", account, day)
    if random.random() > 0.02:
        return []
    start = day * STEPS_PER_DAY + random.randrange(STEPS_PER_DAY - 4)
    return [(start, start + 3)]


def exporter_restarts(weather, day):
    """The day's restarts of the exporter, each of which misses one scrape."""
    random = random_for(weather, "restart", day)
    if random.random() > 0.02:
        return []
    start = day * STEPS_PER_DAY + random.randrange(STEPS_PER_DAY)
    return [(start, start + 1)]


def upload_delays(weather, plant, day):
    """The day's spans in which a plant's values stand still, as its upload is late."""
    random = random_for(weather, "late", plant.code, day)
    if random.random() > 0.04:
        return []
    start = day * STEPS_PER_DAY + random.randint(8 * STEPS_PER_HOUR, 16 * STEPS_PER_HOUR)
    return [(start, start + random.randint(3, 8))]


def power_limit(weather, plant, day):
    """The share of its power that the utility allows a plant at each step; None without limit."""
    random = random_for(weather, "utility", plant.account, day // 2)
    if random.random() > plant.curtailed_share:
        return None
    level = random.choice((0.3, 0.45, 0.6) if not plant.reports_limit else (0.0, 0.3, 0.6))
    start = random.randint(8 * STEPS_PER_HOUR, 12 * STEPS_PER_HOUR)
    end = start + random.randint(2 * STEPS_PER_HOUR, 5 * STEPS_PER_HOUR)
    return [level if start <= step < end else 1.0 for step in range(STEPS_PER_DAY)]


def household_load(weather, plant, day):
    """W that a plant's household consumes at each step."""
    random = random_for(weather, "load", plant.code, day)
    noise, bursts = interpolated_noise(random, 48), [0.0] * STEPS_PER_DAY
    for _ in range(random.randint(2, 6)):
        start = random.randrange(STEPS_PER_DAY)
        for step in range(start, min(STEPS_PER_DAY, start + random.randint(3, 18))):
            bursts[step] += plant.mean_load * (2 + 3 * random.random())
    heating = 1 + max(0.0, 12 - weather.mean_temperature(day)) / 12
    rhythm = (
        0.9 - 0.35 * cos(4 * pi * (step / STEPS_PER_DAY - 2 / 24)) for step in range(STEPS_PER_DAY)
    )
    return [
        plant.mean_load * heating * (0.3 + value * hourly) + burst
        for hourly, value, burst in zip(rhythm, noise, bursts, strict=True)
    ]


def grid(weather, plant, day):
    """V at the plant without its own power, and Hz, at each step."""
    random = random_for(weather, "grid", plant.code, day)
    climate = weather.climate
    usual = climate.nominal_volts * plant.grid_voltage_factor
    volts = [usual * (0.985 + 0.03 * value) for value in interpolated_noise(random, 24)]
    noise = interpolated_noise(random, 72)
    return volts, [climate.nominal_hertz + 0.12 * (value - 0.5) for value in noise]
