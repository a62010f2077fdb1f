"""The plants and devices of one account as last told, and what becomes of them. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from exporter.exposition.page import Labels
from exporter.exposition.things import device_labels, plant_labels
from exporter.northbound.interfaces import Subject
from exporter.northbound.records import Device, Plant


@dataclass(frozen=True, slots=True)
class Change:
    """What differs: `gone` tells of each by name which device type it was (None: a plant)."""

    gone: Mapping[Subject, Mapping[str, int | None]]
    moved: Mapping[Subject, Collection[str]]
    new_plants: Collection[str]


class Fleet:
    """All that is known by name."""

    def __init__(self, account: str) -> None:
        self.plants: Mapping[str, Plant] = {}
        self.devices: Mapping[str, Device] = {}
        self._account = account

    def change(self, plants: Mapping[str, Plant], devices: Mapping[str, Device]) -> Change | None:
        """Takes the fleet as now known; returns what changed, None if nothing did."""
        if plants == self.plants and devices == self.devices:
            return None
        old_plants, old_devices = self.plants, self.devices
        self.plants, self.devices = dict(plants), dict(devices)
        return Change(
            gone={
                Subject.PLANTS: dict.fromkeys(old_plants.keys() - plants.keys()),
                # Under another type, an id is another device: none of its values go on.
                Subject.DEVICES: {
                    old.id: old.type_id
                    for old in old_devices.values()
                    if old.id not in devices or devices[old.id].type_id != old.type_id
                },
            },
            moved={
                Subject.PLANTS: (),
                Subject.DEVICES: {
                    old.id
                    for old in old_devices.values()
                    if old.id in devices and devices[old.id].plant_code != old.plant_code
                },
            },
            new_plants=[code for code in plants if code not in old_plants],
        )

    def known(self, subject: Subject) -> Collection[str]:
        """The names of all plants, or of all devices."""
        return self.plants if subject is Subject.PLANTS else self.devices

    def device_type(self, subject: Subject, name: str) -> int | None:
        """The type of a device; None for a plant."""
        return None if subject is Subject.PLANTS else self.devices[name].type_id

    def identity(self, subject: Subject, name: str) -> Labels:
        """The labels that tell a plant or device from all others."""
        if subject is Subject.PLANTS:
            return plant_labels(self._account, name)
        return device_labels(self._account, self.devices[name])
