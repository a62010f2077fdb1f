"""The kinds of plant, one row each in PLANT_KINDS."""

from dataclasses import dataclass, replace

from year.noise import random_for
from year.surfaces import Surface


@dataclass(frozen=True)
class String:
    number: str
    surface: Surface
    watts: float  # rated power of its modules
    snow_slide_rate: float = 1.0  # relative to that of other strings


@dataclass(frozen=True)
class Battery:
    """On the DC side of an inverter, out of doors."""

    id: str
    joules: float  # capacity
    watts: float  # maximum of charging and of discharging


@dataclass(frozen=True)
class Inverter:
    id: str
    rated: float  # W, AC
    strings: tuple[String, ...]
    battery: Battery | None = None


@dataclass(frozen=True)
class Plant:
    code: str
    kind: str
    account: str
    inverters: tuple[Inverter, ...]
    meter: str | None = None
    mean_load: float = 0.0  # W of its household
    sleeps_at_night: bool = False  # no readings then, and a disconnected plant
    curtailed_share: float = 0.0  # share of pairs of days with a limit by the utility
    reports_limit: bool = True  # by the inverters' state
    export_limit: float | None = None  # W
    weather_station: Surface | None = None  # plane whose irradiance it measures
    grid_voltage_factor: float = 1.0  # usual voltage, relative to the nominal one
    location_known: bool = True

    @property
    def capacity(self):
        return sum(string.watts for each in self.inverters for string in each.strings)


def roof_facing(climate, degrees_west=0.0, tilt=28.0, **obstacles):
    """A roof that faces the equator, or some degrees west of it, as obstacles do.

    An obstacle has its first and last azimuth, relative to the equator, and the elevation of its
    top, in degrees.
    """
    northern = climate.latitude > 0
    azimuth = 180 + degrees_west if northern else -degrees_west % 360
    for name, (first, last, top) in obstacles.items():
        equator = 180 if northern else 0
        obstacles[name] = ((equator + first) % 360, (equator + last) % 360, top)
    return Surface(azimuth, tilt, **obstacles)


def make_strings(*surfaces, seed, watts=4_000.0):
    """Strings in the given planes, whose power and snow vary at random around the usual."""
    random = random_for("strings", seed, len(surfaces))
    return tuple(
        String(str(number), surface, watts * (0.97 + 0.06 * random.random()), 0.5 + random.random())
        for number, surface in enumerate(surfaces, start=1)
    )


def home(climate, code, **extra):
    """One hybrid inverter, its battery and a power sensor."""
    roof = roof_facing(climate, degrees_west=15)
    battery = Battery("battery", 10 * 3.6e6, 5_000)
    inverter = Inverter("inverter", 8_000, make_strings(roof, roof, seed=code), battery)
    return Plant(code, "home", "homes", (inverter,), "meter", 450, **extra)


def cottage(climate, code):
    """One inverter without a battery, whose dongle has no power at night."""
    roof = roof_facing(climate, degrees_west=-30)
    inverter = Inverter("inverter", 6_000, make_strings(roof, roof, watts=3_300, seed=code))
    return Plant(code, "cottage", "homes", (inverter,), "meter", 300, sleeps_at_night=True)


def eastwest(climate, code, **extra):
    """Two strings east and two west on one inverter."""
    east, west = roof_facing(climate, degrees_west=-90), roof_facing(climate, degrees_west=90)
    inverter = Inverter("inverter", 12_000, make_strings(east, east, west, west, seed=code))
    return Plant(code, "eastwest", "homes", (inverter,), "meter", 500, **extra)


def placeless(climate, code):
    """As `eastwest`, at an unknown location."""
    plant = eastwest(climate, code, location_known=False)
    return replace(plant, kind="placeless")


def wall(climate, code):
    """One string beside a wall, one behind a chimney, two without shade."""
    free = roof_facing(climate, tilt=20)
    beside = roof_facing(climate, tilt=20, wall=(20, 120, 55))
    behind = roof_facing(climate, tilt=20, chimney=(-35, -5, 65))
    inverter = Inverter("inverter", 12_000, make_strings(free, free, beside, behind, seed=code))
    return Plant(code, "wall", "homes", (inverter,), "meter", 500)


def limited(climate, code):
    """A home with an export limit."""
    plant = home(climate, code, export_limit=2_500)
    return replace(plant, kind="limited")


def farm(climate, code):
    """Roofs to the east, the equator and the west; the second has a battery."""
    battery = Battery("battery", 15 * 3.6e6, 5_000)
    degrees_west = {"east": -90, "middle": 0, "west": 90}
    roofs = {name: roof_facing(climate, degrees) for name, degrees in degrees_west.items()}
    inverters = tuple(
        Inverter(
            name,
            15_000,
            make_strings(roof, roof, roof, seed=code + name),
            battery if name == "middle" else None,
        )
        for name, roof in roofs.items()
    )
    return Plant(code, "farm", "homes", inverters, "meter", 2_500, grid_voltage_factor=1.05)


def field(climate, code, inverters=20, curtailed_share=0.1, **extra):
    """Twenty inverters of two inputs in open country, at times limited by the utility."""
    rows = roof_facing(climate, tilt=min(30.0, 10 + abs(climate.latitude) / 2))
    machines = tuple(
        Inverter(
            f"i{number:02}", 50_000, make_strings(rows, rows, watts=29_000, seed=f"{code}{number}")
        )
        for number in range(1, inverters + 1)
    )
    return Plant(
        code, "field", "fields", machines, "meter", curtailed_share=curtailed_share, **extra
    )


def clipped(climate, code):
    """Six inverters that do not report that they are limited."""
    plant = field(climate, code, inverters=6, curtailed_share=0.15, reports_limit=False)
    return replace(plant, kind="clipped")


def park(climate, code):
    """Three inverters in open country, beside a weather station."""
    plant = field(climate, code, inverters=3)
    return replace(plant, kind="park", weather_station=plant.inverters[0].strings[0].surface)


PLANT_KINDS = {
    "home": home,
    "cottage": cottage,
    "eastwest": eastwest,
    "placeless": placeless,
    "wall": wall,
    "limited": limited,
    "farm": farm,
    "field": field,
    "clipped": clipped,
    "park": park,
}
