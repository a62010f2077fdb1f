"""The plants of the year. One row a kind in KINDS; a climate has one of each kind, or several."""

from dataclasses import dataclass, replace

from year.sky import dice
from year.surfaces import Surface


@dataclass(frozen=True)
class String:
    number: str
    surface: Surface
    watts: float  # of its modules
    slides: float = 1.0  # how fast snow leaves it


@dataclass(frozen=True)
class Battery:
    """On the DC side of an inverter, out of doors."""

    id: str
    joules: float
    watts: float  # at most, either way


@dataclass(frozen=True)
class Inverter:
    id: str
    rated: float
    strings: tuple[String, ...]
    battery: Battery | None = None


@dataclass(frozen=True)
class Plant:
    code: str
    kind: str
    account: str
    inverters: tuple[Inverter, ...]
    meter: str | None = None
    load: float = 0.0  # W that its people need on average
    sleeps: bool = False  # without sun it tells nothing, and counts as disconnected
    curtailed: float = 0.0  # share of the days on which the utility limits it
    says_so: bool = True  # in the inverters' state that they are limited
    export: float | None = None  # W that it may feed in
    station: Surface | None = None  # that a weather station measures the light on
    feeder: float = 1.0  # usual voltage of the grid there, of the nominal one
    placed: bool = True  # whether it is known where it is

    @property
    def capacity(self):
        return sum(string.watts for each in self.inverters for string in each.strings)


def facing(climate, aside=0.0, tilt=28.0, **shade):
    """A roof that looks to the equator, or some degrees west of that."""
    south = climate.latitude > 0
    azimuth = 180 + aside if south else -aside % 360
    for name, (first, last, top) in shade.items():
        middle = 180 if south else 0
        shade[name] = ((middle + first) % 360, (middle + last) % 360, top)
    return Surface(azimuth, tilt, **shade)


def strings(*surfaces, watts=4_000.0, of=None):
    """Strings in the given planes, none quite like another."""
    source = dice("strings", of, len(surfaces))
    return tuple(
        String(str(number), surface, watts * (0.97 + 0.06 * source.random()), 0.5 + source.random())
        for number, surface in enumerate(surfaces, start=1)
    )


def home(climate, code, **extra):
    """One hybrid inverter, its battery and a power sensor."""
    roof = facing(climate, aside=15)
    battery = Battery("battery", 10 * 3.6e6, 5_000)
    inverter = Inverter("inverter", 8_000, strings(roof, roof, of=code), battery)
    return Plant(code, "home", "homes", (inverter,), "meter", 450, **extra)


def cottage(climate, code, **extra):
    """One inverter alone, whose dongle sleeps with it."""
    roof = facing(climate, aside=-30)
    inverter = Inverter("inverter", 6_000, strings(roof, roof, watts=3_300, of=code))
    return Plant(code, "cottage", "homes", (inverter,), "meter", 300, sleeps=True, **extra)


def eastwest(climate, code, **extra):
    """Two strings east and two west on one inverter."""
    east, west = facing(climate, aside=-90), facing(climate, aside=90)
    inverter = Inverter("inverter", 12_000, strings(east, east, west, west, of=code))
    return Plant(code, "eastwest", "homes", (inverter,), "meter", 500, **extra)


def placeless(climate, code, **extra):
    """As the former, at a place that nobody has told."""
    plant = eastwest(climate, code, placed=False, **extra)
    return replace(plant, kind="placeless")


def wall(climate, code, **extra):
    """One string beside a wall, one behind a chimney, two free ones."""
    free = facing(climate, tilt=20)
    beside = facing(climate, tilt=20, wall=(20, 120, 55))
    behind = facing(climate, tilt=20, chimney=(-35, -5, 65))
    inverter = Inverter("inverter", 12_000, strings(free, free, beside, behind, of=code))
    return Plant(code, "wall", "homes", (inverter,), "meter", 500, **extra)


def limited(climate, code, **extra):
    """A home that may feed in no more than half of its power."""
    plant = home(climate, code, export=2_500, **extra)
    return replace(plant, kind="limited")


def farm(climate, code, **extra):
    """Roofs to the east, the equator and the west; the second stores in a battery."""
    battery = Battery("battery", 15 * 3.6e6, 5_000)
    roofs = {"east": -90, "middle": 0, "west": 90}
    inverters = tuple(
        Inverter(
            name,
            15_000,
            strings(roof, roof, roof, of=code + name),
            battery if name == "middle" else None,
        )
        for name, roof in ((name, facing(climate, aside)) for name, aside in roofs.items())
    )
    return Plant(code, "farm", "homes", inverters, "meter", 2_500, feeder=1.05, **extra)


def field(climate, code, inverters=20, **extra):
    """Twenty inverters of two inputs in open country, at times limited by the utility."""
    rows = facing(climate, tilt=min(30.0, 10 + abs(climate.latitude) / 2))
    machines = tuple(
        Inverter(f"i{number:02}", 50_000, strings(rows, rows, watts=29_000, of=f"{code}{number}"))
        for number in range(1, inverters + 1)
    )
    return Plant(code, "field", "fields", machines, "meter", **({"curtailed": 0.1} | extra))


def clipped(climate, code, **extra):
    """Six inverters that are limited without saying so."""
    plant = field(climate, code, inverters=6, curtailed=0.15, says_so=False, **extra)
    return replace(plant, kind="clipped")


def park(climate, code, **extra):
    """Three inverters in open country, beside a weather station."""
    plant = field(climate, code, inverters=3, **extra)
    return replace(plant, kind="park", station=plant.inverters[0].strings[0].surface)


KINDS = {
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
