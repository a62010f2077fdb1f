"""The fleet as last seen: which plants and devices there are, and which of them are wanted.

A list that fails changes nothing, nor does an empty one until it is accepted. What two lists in a
row leave out is gone; one list is enough for a member that calls have already failed over.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import assert_never

from exporter.account.quotas import FleetSize
from exporter.northbound.device_types import device_type_slug
from exporter.northbound.interfaces import Subject
from exporter.northbound.records import Device, Plant

GONE_AFTER = 2  # lists in a row that leave a plant or device out
_ASSIGN = "assign plants to the northbound account in the management system"


@dataclass(frozen=True, slots=True)
class FleetFilter:
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


@dataclass(slots=True)
class FleetState:
    """The plants and devices as last seen, and the filters that they passed."""

    filters: list[list[str]] = field(default_factory=list)
    plants: dict[str, Plant] = field(default_factory=dict)
    devices: dict[str, Device] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FleetChange:
    """A fleet as now known, and what of it differs from before.

    `gone` are names without values any more: under another type, an id is another device. The
    labels of `moved` devices have changed.
    """

    plants: Mapping[str, Plant]
    devices: Mapping[str, Device]
    gone: Mapping[Subject, Collection[str]]
    moved: Collection[str] = ()
    new_plants: Collection[str] = ()


class Fleet:
    """Plants by code and devices by id, those the account's filters admit."""

    def __init__(
        self,
        state: FleetState | None = None,
        *,
        plants: FleetFilter = FleetFilter(),  # frozen
        devices: FleetFilter = FleetFilter(),  # frozen
        device_types: Collection[str] = (),
    ) -> None:
        self._state = state or FleetState()
        self._plant_filter = plants
        self._device_filter = devices
        self._device_types = device_types
        self._listed: int | None = None  # plants in the last whole list
        self._unanswered = False  # nothing answered about the plants then
        self._missed: Counter[tuple[Subject, str]] = Counter()
        self._before = FleetChange({}, {}, {})
        # As restored, under other filters than these.
        self.is_partial = bool(self._state.filters) and self._state.filters != self._filters
        self._apply_filters()

    @property
    def plants(self) -> dict[str, Plant]:
        """The plants by code."""
        return self._state.plants

    @property
    def devices(self) -> dict[str, Device]:
        """The devices by id."""
        return self._state.devices

    def _apply_filters(self) -> None:
        """Drops what a previous run knew and the filters exclude now."""
        plants, devices = list(self.plants.values()), list(self.devices.values())
        self.plants.clear()
        self.devices.clear()
        self.add_plants(plants)
        self.devices.update({each.id: each for each in devices if self._admits(each)})
        self._state.filters = self._filters

    def change(self) -> FleetChange | None:
        """What changed since the last call; None if nothing did."""
        before = self._before
        if self.plants == before.plants and self.devices == before.devices:
            return None
        plants, devices = dict(self.plants), dict(self.devices)
        self._before = FleetChange(
            plants,
            devices,
            gone={
                Subject.PLANTS: before.plants.keys() - plants.keys(),
                Subject.DEVICES: {
                    old.id
                    for old in before.devices.values()
                    if old.id not in devices or devices[old.id].type_id != old.type_id
                },
            },
            moved={
                old.id
                for old in before.devices.values()
                if old.id in devices and devices[old.id].plant_code != old.plant_code
            },
            new_plants=[code for code in plants if code not in before.plants],
        )
        return self._before

    def add_plants(self, listed: Iterable[Plant]) -> None:
        """Adds what (a page of) the plant list says; removes nothing."""
        for plant in listed:
            if self._plant_filter.admits(plant.code, plant.name):
                self.plants[plant.code] = plant
            else:
                self.plants.pop(plant.code, None)
        self._drop_orphans()

    def end_plant_list(
        self,
        listed: Collection[str],
        suspects: Collection[str] = (),
        *,
        unanswered: bool = False,
        accepted: bool = False,
    ) -> Collection[str]:
        """Removes the plants that the whole list, given by its codes, has left out for good.

        `unanswered` says that calls about the plants brought nothing, `accepted` that this list
        holds even if it is empty. Returns the codes that were removed.
        """
        self._listed, self._unanswered = len(listed), unanswered
        if accepted and not listed:
            suspects = tuple(self.plants)
        gone = (
            self._removed(Subject.PLANTS, self.plants, listed, suspects)
            if listed or accepted
            else []
        )
        for code in gone:
            del self.plants[code]
        self._drop_orphans()
        return gone

    @property
    def no_data_reason(self) -> str:
        """Why there is nothing to export, or may soon be; empty where that cannot be said."""
        if self._listed is None or (self.plants and (self._listed or not self._unanswered)):
            return ""
        if self.plants:
            known = f"the plants known ({len(self.plants)})"
            return f"the plant list is empty, and nothing answers about {known}: {_ASSIGN}"
        if self._listed:
            return f"`plants` of the configuration leaves none of those listed ({self._listed})"
        return f"the plant list is empty: {_ASSIGN}"

    def list_devices(
        self,
        asked: Collection[str],
        listed: Iterable[Device],
        suspects: Collection[str] = (),
        *,
        whole: bool = True,
    ) -> None:
        """Applies the device list of the plants asked for; if not whole, removes nothing."""
        listed = tuple(listed)
        for device in listed:
            if self._admits(device):
                self.devices[device.id] = device
            else:
                self.devices.pop(device.id, None)
        if listed and whole:
            here = [device.id for device in self.devices.values() if device.plant_code in asked]
            # Servers drop all batteries from a list now and then: a type that is missing
            # altogether is never accepted at once.
            types = {device.type_id for device in listed}
            accepted = {i for i in here if i in suspects and self.devices[i].type_id in types}
            for gone in self._removed(
                Subject.DEVICES, here, {device.id for device in listed}, accepted
            ):
                del self.devices[gone]

    def _admits(self, device: Device) -> bool:
        return (
            device.plant_code in self.plants
            and (not self._device_types or device_type_slug(device.type_id) in self._device_types)
            and self._device_filter.admits(device.id, device.name, device.serial_number)
        )

    def _removed(
        self,
        subject: Subject,
        known: Iterable[str],
        listed: Collection[str],
        suspects: Collection[str],
    ) -> list[str]:
        gone = []
        for name in known:
            if name in listed:
                self._missed.pop((subject, name), None)
                continue
            self._missed[subject, name] += 1
            if name in suspects or self._missed[subject, name] >= GONE_AFTER:
                del self._missed[subject, name]
                gone.append(name)
        return gone

    def _drop_orphans(self) -> None:
        for device in list(self.devices.values()):
            if device.plant_code not in self.plants:
                del self.devices[device.id]

    def wanted(
        self, subject: Subject, device_types: Collection[int], *, by_dn: bool = False
    ) -> dict[int | None, Sequence[str]]:
        """What is asked about: the plants (None), or the devices of each of these types.

        Those without a DN cannot be asked about by it.
        """
        match subject:
            case Subject.PLANTS:
                return {None: list(self.plants)}
            case Subject.DEVICES:
                nameless = self.nameless(device_types) if by_dn else ()
                return {
                    kind: [name for name in names if name not in nameless]
                    for kind, names in self.by_type(device_types).items()
                }
            case Subject.ACCOUNT | Subject.PERSON:
                return {}
            case missed:
                assert_never(missed)

    def by_type(self, device_types: Collection[int]) -> Mapping[int | None, list[str]]:
        """The ids of the devices of each of these types."""
        found: dict[int | None, list[str]] = {}
        for device in self.devices.values():
            if device.type_id in device_types:
                found.setdefault(device.type_id, []).append(device.id)
        return found

    def nameless(self, device_types: Collection[int]) -> Collection[str]:
        """The ids of the devices of these types that the list gives no DN."""
        return {
            device.id
            for device in self.devices.values()
            if device.type_id in device_types and not device.dn
        }

    def size(self, device_types: Collection[int]) -> FleetSize:
        """What allowances grow with, for an interface that serves these device types."""
        return FleetSize(
            len(self.plants),
            dict(Counter(d.type_id for d in self.devices.values() if d.type_id in device_types)),
        )

    def weights(self) -> Mapping[str, int]:
        """How many devices each plant has."""
        return Counter(device.plant_code for device in self.devices.values())

    @property
    def _filters(self) -> list[list[str]]:
        filters = (self._plant_filter, self._device_filter)
        patterns = (each for one in filters for each in (one.include, one.exclude))
        return [sorted(each) for each in (*patterns, self._device_types)]
