"""Simulated days as promtool's input series: sun, weather, and inverters with their habits.

Each plant has three inverters of three strings, and whatever makes a night look like a fault: roofs
to the east and west, inverters that wake late, that answer nothing by night or with zeros, shaded
and unused strings, a meter and a plant that are offline until morning. All is a function of the
plant and the time; the sun is the simulator's.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from math import asin, cos, degrees, radians, sin
from random import Random

from exporter.simulator.world import sun

DAYS = 7  # clear ones, so that everybody knows what he can and does, and the one to look at
STEP = 300  # s, as devices upload
STEPS = DAYS * sun.DAY // STEP
NOON = sun.DAY * (DAYS - 1) + sun.DAY // 2  # of the day to look at

SEASONS = {"june": 171, "december": 354}  # days of the year
LATITUDES = (0, 47, -47, 65, -65)
# What a kind of day leaves of the light, from one quarter hour to another.
SKIES = {"clear": (0.95, 1.0), "overcast": (0.2, 0.35), "snow": (0.0, 0.01)}

COLD = ("snow",)  # when an inverter is below zero inside

# How a roof is turned, when its inverter wakes (sine of the elevation), and what it says by night.
ROOFS = {
    "a": (0.0, 0.01, 0.0),
    "b": (0.5, 0.04, None),
    "c": (-0.5, 0.07, 0.0),
}
RATED = 50_000.0
STRING = 9.0  # A at full power
USED = ("1", "2", "3")
SHADED, UNUSED = "3", "4"
SHADE = (9 * 3600, 11 * 3600)  # s of the day
NIGHT, PRODUCING, STANDBY = 40960, 512, 2


@dataclass(frozen=True)
class Plant:
    """A plant of a latitude, season and sky; with `faults`, something happens at noon.

    Then inverter c stops and string 2 of inverter a goes out, until the end.
    """

    latitude: int
    season: str
    sky: str
    placed: bool = True
    faults: bool = False

    @property
    def code(self):
        kind = "faults" if self.faults else "healthy"
        place = "placed" if self.placed else "unplaced"
        return f"{self.latitude}/{self.season}/{self.sky}/{place}/{kind}"

    @lru_cache(maxsize=8192)  # noqa: B019  # because a test's plants are few
    def sine(self, step):
        """The sine of the sun's elevation."""
        day, seconds = SEASONS[self.season], step * STEP % sun.DAY
        tilt, place = sun.declination(day), radians(self.latitude)
        turn = radians(seconds / 240 - 180)
        return sin(place) * sin(tilt) + cos(place) * cos(tilt) * cos(turn)

    def elevation(self, step):
        return degrees(asin(self.sine(step)))

    @lru_cache(maxsize=8192)  # noqa: B019  # because a test's plants are few
    def light(self, step):
        """What the sky lets through, 0 to 1: the first days are clear."""
        random = Random(f"{self.code.removesuffix('/faults')} {step // 3}")  # noqa: S311  # because weather is no secret
        sky = "clear" if step * STEP < sun.DAY * (DAYS - 1) else self.sky
        return max(0.0, self.sine(step)) ** 1.15 * random.uniform(*SKIES[sky])

    def stopped(self, inverter, step):
        return self.faults and inverter == "c" and step * STEP >= NOON

    def output(self, inverter, step):
        """The share of its power that an inverter puts out; 0 while it sleeps."""
        turned, wakes, _ = ROOFS[inverter]
        if self.sine(step) < wakes or self.stopped(inverter, step):
            return 0.0
        hours = (step * STEP % sun.DAY) / 3600 - 12
        return self.light(step) * max(0.2, 1 - turned * sin(radians(15 * hours)))

    def current(self, inverter, string, step):
        """A of a string."""
        seconds = step * STEP % sun.DAY
        out = self.faults and (inverter, string) == ("a", "2") and step * STEP >= NOON
        shaded = string == SHADED and SHADE[0] <= seconds < SHADE[1]
        unused = string == UNUSED
        return 0.0 if out or shaded or unused else STRING * self.output(inverter, step)


def promtool_values(values):
    return " ".join("_" if value is None else f"{value:.6g}" for value in values)


def series(plant):
    """The input series of a plant: pairs of series and values."""
    steps = range(STEPS + 1)
    identity = f'account="home",plant_code="{plant.code}"'
    day = [plant.sine(step) > 0 for step in steps]

    def row(name, labels, values):
        extra = "".join(f',{key}="{value}"' for key, value in labels.items())
        return {"series": f"{name}{{{identity}{extra}}}", "values": promtool_values(values)}

    yield row("fusionsolar_plant_info", {"plant_name": f"Plant {plant.code}"}, [1] * len(day))
    yield row("fusionsolar_plant_health_state_code", {}, [3 if lit else 1 for lit in day])
    yield row("fusionsolar_plant_capacity_watts", {}, [RATED * len(ROOFS)] * len(day))
    if plant.placed:
        elevations = map(plant.elevation, steps)
        yield row("fusionsolar_plant_sun_elevation_degrees", {}, elevations)
    devices = dict.fromkeys(ROOFS, "string_inverter") | {"m": "grid_meter"}
    for device, kind in devices.items():
        device_labels = {"device_id": f"{plant.code}/{device}"}
        info = device_labels | {"device_name": f"Device {device}", "device_type": kind}
        yield row("fusionsolar_device_info", info, [1] * len(day))
        readings = (step if lit or device != "m" else 0 for step, lit in enumerate(day))
        yield row(
            "fusionsolar_device_last_reading_timestamp_seconds",
            device_labels,
            [step * STEP for step in accumulate(readings, max)],
        )
    meter = {"device_id": f"{plant.code}/m"}
    yield row("fusionsolar_meter_run_state_code", meter, [int(lit) for lit in day])
    for inverter in ROOFS:
        yield from inverter_series(plant, inverter, row)


def inverter_series(plant, inverter, row):
    device_labels = {"device_id": f"{plant.code}/{inverter}"}
    asleep = ROOFS[inverter][2]
    outputs = [plant.output(inverter, step) for step in range(STEPS + 1)]
    awake = [
        share > 0 or (plant.stopped(inverter, step) and plant.sine(step) > 0)
        for step, share in enumerate(outputs)
    ]
    powers = [RATED * share if up else asleep for share, up in zip(outputs, awake, strict=True)]
    states = [
        PRODUCING if share > 0.005 else STANDBY if up else NIGHT
        for share, up in zip(outputs, awake, strict=True)
    ]
    energy, sums = 3.6e9, []
    for share in outputs:
        energy += RATED * share * STEP
        sums.append(energy)
    yield row("fusionsolar_inverter_active_power_watts", device_labels, powers)
    yield row("fusionsolar_inverter_state_code", device_labels, states)
    yield row("fusionsolar_inverter_energy_joules_total", device_labels, sums)
    warmth = -2 if plant.sky in COLD else 20
    inside = [warmth if up else None for up in awake]
    yield row("fusionsolar_inverter_temperature_celsius", device_labels, inside)
    for string in (*USED, UNUSED):
        currents = [
            plant.current(inverter, string, step) if up else asleep for step, up in enumerate(awake)
        ]
        yield row(
            "fusionsolar_inverter_string_current_amperes",
            device_labels | {"string": string},
            currents,
        )
