"""The fleet as last seen: which plants and devices there are, and which of them are wanted.

A list that fails changes nothing, nor does an empty one until it is believed. What two lists in a
row leave out is gone; one list is enough for a member that calls have already failed over.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

from exporter.northbound.codes import device_type_slug
from exporter.northbound.interfaces import Subject
from exporter.northbound.records import Device, Plant
from exporter.polling.allowance import FleetSize
from exporter.polling.tolerance import Gaps, build

GONE_AFTER = 2  # lists in a row that leave a plant or device out
_ASSIGN = "assign plants to the northbound account in the management system"


@dataclass(frozen=True, slots=True)
class Filter:
    """Wildcards: at least one of `include` and none of `exclude` matches one of the names."""

    include: tuple[str, ...] = ("*",)
    exclude: tuple[str, ...] = ()

    def admits(self, *names: str) -> bool:
        """Whether something with these names is wanted."""
        return _matches(names, self.include) and not _matches(names, self.exclude)


def _matches(names: Collection[str], patterns: Iterable[str]) -> bool:
    # Only * and ? are wildcards: names have brackets in them.
    plain = [pattern.replace("[", "[[]") for pattern in patterns]
    return any(fnmatchcase(name, pattern) for pattern in plain for name in names)


class Inventory:
    """Plants by code and devices by id, those the account's filters admit."""

    def __init__(
        self,
        plants: Filter = Filter(),  # frozen
        devices: Filter = Filter(),  # frozen
        device_types: Collection[str] = (),
    ) -> None:
        self.plants: dict[str, Plant] = {}
        self.devices: dict[str, Device] = {}
        self._plant_filter = plants
        self._device_filter = devices
        self._device_types = device_types
        self.is_partial = False  # as recalled, under other filters than these or not understood
        self._listed: int | None = None  # plants in the last whole list
        self._silent = False  # nothing answered about the plants then
        self._missed: Counter[tuple[type, str]] = Counter()

    def add_plants(self, listed: Iterable[Plant]) -> None:
        """Takes in what (a page of) the plant list says; removes nothing."""
        for plant in listed:
            if self._plant_filter.admits(plant.code, plant.name):
                self.plants[plant.code] = plant
            else:
                self.plants.pop(plant.code, None)
        self._drop_orphans()

    def end_plant_list(
        self,
        listed: Collection[str],
        doubted: Collection[str] = (),
        *,
        silent: bool = False,
        believed: bool = False,
    ) -> Collection[str]:
        """Removes the plants that the whole list, given by its codes, has left out for good.

        `silent` tells that calls about the plants brought nothing, `believed` that this list means
        it, even if it is empty. Returns the codes that were removed.
        """
        self._listed, self._silent = len(listed), silent
        if believed and not listed:
            doubted = tuple(self.plants)
        gone = self._gone(Plant, self.plants, listed, doubted) if listed or believed else []
        for code in gone:
            del self.plants[code]
        self._drop_orphans()
        return gone

    @property
    def lack(self) -> str:
        """Why there is nothing to export, or may soon be; empty where that cannot be said."""
        if self._listed is None or (self.plants and (self._listed or not self._silent)):
            return ""
        if self.plants:
            known = f"the plants known ({len(self.plants)})"
            return f"the plant list is empty, and nothing answers about {known}: {_ASSIGN}"
        if self._listed:
            return f"`plants` of the configuration leaves none of those listed ({self._listed})"
        return f"the plant list is empty: {_ASSIGN}"

    def take_devices(
        self,
        asked: Collection[str],
        listed: Iterable[Device],
        doubted: Collection[str] = (),
        *,
        whole: bool = True,
    ) -> None:
        """Takes in the device list of the plants asked for; if not whole, removes nothing."""
        listed = tuple(listed)
        for device in listed:
            if self._admits(device):
                self.devices[device.id] = device
            else:
                self.devices.pop(device.id, None)
        if listed and whole:
            here = [device.id for device in self.devices.values() if device.plant_code in asked]
            # Servers drop all batteries from a list now and then: a type that is missing
            # altogether is never believed at once.
            types = {device.type_id for device in listed}
            believed = {i for i in here if i in doubted and self.devices[i].type_id in types}
            for gone in self._gone(Device, here, {device.id for device in listed}, believed):
                del self.devices[gone]

    def _admits(self, device: Device) -> bool:
        return (
            device.plant_code in self.plants
            and (not self._device_types or device_type_slug(device.type_id) in self._device_types)
            and self._device_filter.admits(device.id, device.name, device.serial_number)
        )

    def _gone(
        self,
        kind: type,
        known: Iterable[str],
        listed: Collection[str],
        doubted: Collection[str],
    ) -> list[str]:
        gone = []
        for name in known:
            if name in listed:
                self._missed.pop((kind, name), None)
                continue
            self._missed[kind, name] += 1
            if name in doubted or self._missed[kind, name] >= GONE_AFTER:
                del self._missed[kind, name]
                gone.append(name)
        return gone

    def _drop_orphans(self) -> None:
        self.devices = {
            device.id: device
            for device in self.devices.values()
            if device.plant_code in self.plants
        }

    def wanted(self, subject: Subject, served: Collection[int]) -> dict[int | None, Sequence[str]]:
        """What is asked about: the plants (None), or the devices of each served type."""
        if subject is Subject.PLANTS:
            return {None: list(self.plants)}
        return dict(self.by_type(served))

    def by_type(self, served: Collection[int]) -> Mapping[int | None, list[str]]:
        """The ids of the devices of each served type."""
        found: dict[int | None, list[str]] = {}
        for device in self.devices.values():
            if device.type_id in served:
                found.setdefault(device.type_id, []).append(device.id)
        return found

    def size(self, served: Collection[int]) -> FleetSize:
        """What allowances grow with, for an interface that serves these device types."""
        return FleetSize(
            len(self.plants),
            dict(Counter(d.type_id for d in self.devices.values() if d.type_id in served)),
        )

    def weights(self) -> Mapping[str, int]:
        """How many devices each plant has."""
        return Counter(device.plant_code for device in self.devices.values())

    @property
    def _filters(self) -> list[list[str]]:
        filters = (self._plant_filter, self._device_filter)
        patterns = (each for one in filters for each in (one.include, one.exclude))
        return [sorted(each) for each in (*patterns, self._device_types)]

    def remember(self) -> dict[tuple[str, str], Any]:
        """The fleet as plain data, by kind and name."""
        return {
            ("fleet", "filters"): self._filters,
            ("fleet", "plants"): [asdict(plant) for plant in self.plants.values()],
            ("fleet", "devices"): [asdict(device) for device in self.devices.values()],
        }

    def clear(self) -> None:
        """Knows of no plant and no device, as at first."""
        self.plants.clear()
        self.devices.clear()

    def recall(self, stored: Mapping[str, Any], gaps: Gaps) -> None:
        """Takes up what an earlier life knew, as far as it is still wanted and understood."""
        listed = {name: stored.get(name, []) for name in ("plants", "devices")}
        plants = gaps.each("fleet", partial(build, Plant), listed["plants"])
        devices = gaps.each("fleet", partial(build, Device), listed["devices"])
        self.is_partial = stored.get("filters", self._filters) != self._filters or [
            len(plants),
            len(devices),
        ] != [_length(each) for each in listed.values()]
        self.add_plants(plants)
        self.devices = {device.id: device for device in devices if self._admits(device)}


def _length(items: object) -> int | None:
    return len(items) if isinstance(items, list) else None
