"""The fleet: plants and their devices, drawn from a seed, changeable while it runs."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from random import Random
from types import MappingProxyType
from typing import Any

from exporter.simulator.world.energy import SITE, USES

BATTERIES = frozenset({39, 41})
_RACK = 60014
INVERTERS = frozenset({1, 14, 38})


@dataclass(frozen=True, slots=True)
class SimDevice:
    """A device (reference 2.8). `size` is the kW of modules behind it, or a battery's kWh."""

    id: int
    name: str
    type_id: int
    plant_code: str
    esn: str | None = None
    model: str = ""
    software_version: str | None = None
    size: float = 0.0
    strings: int = 0


@dataclass(frozen=True, slots=True)
class Mains:
    """A public grid: nominal Hz, V of a phase, and how many phases a plant has.

    Plants of one `area` see one frequency.
    """

    area: str
    hertz: float
    volts: float
    phases: int = 3


EUROPE = Mains("Continental Europe", 50.0, 230.0)
NEM = Mains("National Electricity Market", 50.0, 230.0)
JAPAN = Mains("Eastern Japan", 50.0, 202.0, phases=1)
MEXICO = Mains("Mexico", 60.0, 220.0, phases=1)
AMERICA = Mains("Western Interconnection", 60.0, 277.0)


@dataclass(frozen=True, slots=True)
class SimPlant:
    """A plant (reference 2.2). `commissioned` counts days from 2020-01-01; `price` is per kWh.

    `zone` names the time zone of its civil days (IANA).
    """

    code: str
    name: str
    capacity_kw: float
    latitude: float
    longitude: float
    build_state: str = "2"
    use: str = "3"  # a key of `USES`
    commissioned: int = 0
    price: float = 0.12
    zone: str = "UTC"
    mains: Mains = EUROPE
    devices: tuple[SimDevice, ...] = ()

    @property
    def combine_type(self) -> str:
        """What the interface calls its use: a home, where it has no word for it."""
        return "3" if self.use == SITE else self.use


class Fleet:
    """Plants by code. A change replaces the maps, so a reader never sees an incomplete one."""

    def __init__(self, plants: Iterable[SimPlant] = (), *, seed: int = 0) -> None:
        self.seed = seed
        self.plants: Mapping[str, SimPlant] = {}
        self.devices: Mapping[int, SimDevice] = {}
        self._replace_all({plant.code: plant for plant in plants})

    def _replace_all(self, plants: dict[str, SimPlant]) -> None:
        devices = chain.from_iterable(plant.devices for plant in plants.values())
        self.plants = MappingProxyType(plants)
        self.devices = MappingProxyType({device.id: device for device in devices})

    def add_plant(self, plant: SimPlant) -> None:
        """Adds a plant with its devices, or replaces the one of that code."""
        self._replace_all({**self.plants, plant.code: plant})

    def remove_plant(self, code: str) -> None:
        """Removes a plant with its devices. Raises KeyError."""
        plants = dict(self.plants)
        del plants[code]
        self._replace_all(plants)

    def rename_plant(self, code: str, name: str) -> None:
        """Renames a plant. Raises KeyError."""
        self.add_plant(replace(self.plants[code], name=name))

    def add_device(self, device: SimDevice) -> None:
        """Adds a device to the plant it names, or replaces the one of that id. Raises KeyError."""
        plant = self.plants[device.plant_code]
        if device.id in self.devices:
            self.remove_device(device.id)
            plant = self.plants[device.plant_code]
        self.add_plant(replace(plant, devices=(*plant.devices, device)))

    def remove_device(self, device_id: int) -> None:
        """Removes a device. Raises KeyError."""
        plant = self.plants[self.devices[device_id].plant_code]
        left = tuple(device for device in plant.devices if device.id != device_id)
        self.add_plant(replace(plant, devices=left))

    def rename_device(self, device_id: int, name: str) -> None:
        """Renames a device. Raises KeyError."""
        self._change_device(device_id, name=name)

    def move_device(self, device_id: int, plant_code: str) -> None:
        """Moves a device to another plant. Raises KeyError."""
        self._change_device(device_id, plant_code=plant_code)

    def _change_device(self, device_id: int, **changes: Any) -> None:
        self.add_device(replace(self.devices[device_id], **changes))


@dataclass(frozen=True, slots=True)
class Part:
    """One row of a plant's equipment: how many of a kind, and the kW or strings of each."""

    type_id: int
    count: int
    name: str
    model: str
    strings: int = 0
    software: str | None = None


@dataclass(frozen=True, slots=True)
class Template:
    """One kind of plant: its place, use, capacity and equipment."""

    name: str
    latitude: float
    longitude: float
    zone: str
    mains: Mains
    use: str
    capacity_kw: float
    price: float
    parts: tuple[Part, ...]

    @property
    def inverters(self) -> Part:
        """Of which a larger plant has more; they stand first."""
        return self.parts[0]


_INVERTER_SOFTWARE = "V100R001C00SPC161"
_DONGLE = Part(62, 1, "Dongle", "SDongleA-05", software="V100R001C00SPC133")
_LOGGER = Part(2, 1, "SmartLogger", "SmartLogger3000A", software="V300R023C00SPC153")
_POWER_SENSOR = Part(47, 1, "Meter", "DTSU666-H")
_GRID_METER = Part(17, 1, "Grid meter", "DTSU666-FE")

# Four continents, so that the sun always shines on some of them, with summer time in the north, in
# the south and not at all, and one zone of half hours; whole degrees, so that plants built around
# one place share its weather.
_TEMPLATES = (
    Template("Haus Müller", 49.0, 11.0, "Europe/Berlin", EUROPE, "3", 9.9, 0.08, (
        Part(1, 1, "Inverter", "SUN2000-8KTL-M1", strings=2, software=_INVERTER_SOFTWARE),
        Part(39, 1, "Battery", "LUNA2000-10-S0"),
        _POWER_SENSOR,
        _DONGLE,
        Part(46, 4, "Optimizer", "MERC-600W-PA0", software="V100R001C00SPC116"),
    )),
    Template('Bodega "El Sol"', 37.0, -6.0, "Europe/Madrid", EUROPE, "2", 320.0, 0.11, (
        Part(1, 4, "Inverter", "SUN2000-75KTL-M1", strings=12, software="V500R001C00SPC142"),
        Part(41, 2, "Storage", "LUNA2000-97KWH-1H1", software="V200R022C10"),
        _GRID_METER,
        Part(10, 1, "Weather station", "PC-4"),
        _LOGGER,
    )),
    Template("Mojave Solar Park", 35.0, -117.0, "America/Los_Angeles", AMERICA, "1", 1136.0, 0.06, (
        Part(14, 2, "Central inverter", "SUN8000-500KTL", strings=10, software="V300R001C00"),
        Part(15, 4, "Combiner box", "SmartACU-CB20", strings=16, software="V100R002C00"),
        Part(8, 1, "Transformer", "STS-3000K-H1"),
        _GRID_METER,
        Part(10, 1, "Weather station", "PC-4"),
        _LOGGER,
    )),
    Template("Casa Sol ☀️", 19.0, -99.0, "America/Mexico_City", MEXICO, "3", 6.2, 0.05, (
        Part(38, 1, "Energy center", "SUN2000-5KTL-L1", strings=2, software=_INVERTER_SOFTWARE),
        Part(39, 1, "Battery", "LUNA2000-7-S1"),
        _POWER_SENSOR,
        _DONGLE,
    )),
    Template("Harbour Cold Store", -35.0, 139.0, "Australia/Adelaide", NEM, "2", 210.0, 0.13, (
        Part(1, 3, "Inverter", "SUN2000-60KTL-M0", strings=12, software="V500R001C00SPC142"),
        Part(41, 1, "Storage", "LUNA2000-129KWH-2H1", software="V200R022C10"),
        _GRID_METER,
        _LOGGER,
    )),
    Template("Kisarazu House", 35.0, 140.0, "Asia/Tokyo", JAPAN, "3", 5.4, 0.10, (
        Part(38, 1, "Energy center", "SUN2000-4.95KTL-JPL1", strings=3,
             software=_INVERTER_SOFTWARE),
        Part(39, 1, "Battery", "LUNA2000-5-NHS0"),
        _POWER_SENSOR,
        _DONGLE,
    )),
)  # fmt: skip

# What there is on newer servers alone.
_NEWER_TEMPLATES = (
    Template("Casa Girasole", 45.0, 9.0, "Europe/Rome", EUROPE, "3", 8.8, 0.09, (
        Part(38, 1, "Energy center", "SUN2000-8K-MAP0", strings=2, software=_INVERTER_SOFTWARE),
        Part(39, 1, "Battery", "LUNA2000-14-S1"),
        Part(23070, 1, "EMMA", "EMMA-A02", software="V100R024C10SPC100"),
    )),
    Template("Mount Relay", -1.0, 37.0, "Africa/Nairobi", EUROPE, SITE, 6.0, 0.0, (
        Part(60092, 1, "Power converter", "iSitePower-M 5K"),
        Part(60001, 1, "Mains", ""),
        Part(60003, 1, "Generator", ""),
        Part(60010, 1, "AC output", ""),
        Part(60014, 3, "Battery rack", "ESM-48150"),
        Part(60043, 1, "Solar supplies", ""),
        Part(60044, 2, "Solar supply", "S4875"),
    )),
)  # fmt: skip

# Ids that a reader of doubles or of unsigned numbers gets wrong.
_ODD_IDS = (-214_543_629_611_879, 2**53 + 5)


def build(
    seed: int = 0, *, plants: int = 6, devices: int | None = None, newer: bool = False
) -> Fleet:
    """A fleet of so many plants, and of so many devices if given (more inverters a plant).

    The `newer` kinds of plant come first, if they are wanted.

    The same seed and numbers give the same fleet. Raises ValueError if the plants alone need
    more devices than that.
    """
    rng = Random(f"fleet {seed}")  # noqa: S311  # because a fleet is no secret
    kinds = (*_NEWER_TEMPLATES, *_TEMPLATES) if newer else _TEMPLATES
    chosen = [
        _numbered_template(kinds[number % len(kinds)], number // len(kinds))
        for number in range(plants)
    ]
    spare = 0
    if devices is not None:
        spare = devices - sum(part.count for template in chosen for part in template.parts)
        if spare < 0:
            raise ValueError(f"{plants} plants hold {devices - spare} devices, not {devices}")
    ids = _ids(rng)
    return Fleet(
        (
            _plant(rng, ids, template, number, spare // plants + (number < spare % plants))
            for number, template in enumerate(chosen)
        ),
        seed=seed,
    )


def _numbered_template(template: Template, times: int) -> Template:
    return replace(template, name=f"{template.name} {times + 1}") if times else template


def _ids(rng: Random) -> Iterator[int]:
    yield from _ODD_IDS
    number = 1_000_000_033_000_000 + rng.randrange(100_000)
    while True:
        yield number
        number += rng.randrange(1, 40)


def _plant(rng: Random, ids: Iterator[int], template: Template, number: int, more: int) -> SimPlant:
    code = f"NE={33_554_432 + 71 * number}"
    inverters = template.inverters
    each = template.capacity_kw / inverters.count
    return SimPlant(
        code=code,
        name=template.name,
        capacity_kw=round(each * (inverters.count + more), 3),
        latitude=round(template.latitude + rng.uniform(-0.3, 0.3), 6),
        longitude=round(template.longitude + rng.uniform(-0.3, 0.3), 6),
        use=template.use,
        commissioned=rng.randrange(-1400, 1200),
        price=template.price,
        zone=template.zone,
        mains=template.mains,
        devices=tuple(_devices(rng, ids, template, code, more)),
    )


def _devices(
    rng: Random, ids: Iterator[int], template: Template, code: str, more: int
) -> Iterator[SimDevice]:
    inverters = template.inverters
    capacity = template.capacity_kw * (inverters.count + more) / inverters.count
    for part in template.parts:
        count = part.count + (more if part is inverters else 0)
        sizes = _uneven_shares(rng, _total_size(part.type_id, template.use, capacity), count)
        for index, size in enumerate(sizes):
            yield SimDevice(
                id=next(ids),
                name=part.name if count == 1 else f"{part.name} {index + 1}",
                type_id=part.type_id,
                plant_code=code,
                esn=f"{rng.choice('BHTU')}V{rng.randrange(10**10):010}" if part.software else None,
                model=part.model,
                software_version=part.software,
                size=size,
                strings=part.strings,
            )


def _total_size(type_id: int, use: str, capacity: float) -> float:
    """The kW of modules or kWh of storage that a plant's devices of a type have together."""
    if type_id in BATTERIES or type_id == _RACK:
        return USES[use].storage * capacity
    return capacity


def _uneven_shares(rng: Random, total: float, count: int) -> list[float]:
    """A total in unequal parts, as no two inverters have quite the same modules."""
    weights = [rng.uniform(0.93, 1.07) for _ in range(count)]
    return [total * weight / sum(weights) for weight in weights]
