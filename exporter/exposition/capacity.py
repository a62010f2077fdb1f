"""What plants and devices can put out, as far as it is known: for ranges, and for counters."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from exporter.catalogue.rows import lookup
from exporter.exposition.fleet import Fleet
from exporter.exposition.guard import CounterState, Guard, Owner
from exporter.exposition.plausible import UNKNOWN_PLANT, Output
from exporter.northbound.interfaces import HOUR
from exporter.northbound.records import Device

# The smallest and the largest inverter that is sold, in watts, by device type.
INVERTERS: Mapping[int, tuple[float, float]] = {
    1: (1e3, 4e5),
    38: (1e3, 4e5),
    14: (1e5, 1e7),
}
METERS = frozenset({17, 47})
HOUSE = 5e4  # watts that a grid connection of three times 63 A can carry
GRID_SHARE = 3  # a grid connection is this many times its plant, as a rule
# No inverter has delivered more: 16 years of the sunniest desert.
FULL_LOAD = 40_000 * HOUR
_LIFETIME = lookup("getStationRealKpi", None)["total_power"]
_SERIES = (_LIFETIME.metric.name if _LIFETIME.metric else "", _LIFETIME.labels)
_RATING = re.compile(r"SUN\d*[A-Z]*-(\d{1,4}(?:\.\d{1,2})?)K", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Inverters:
    """The inverters of a plant: the least and the most that they can be, and their names' sum."""

    least: float = 0.0
    most: float = 0.0
    rated: float = 0.0


def _sum(inverters: Iterable[tuple[float, float, float | None]]) -> _Inverters:
    """Of the least, the most and the rating of each, in watts."""
    total = _Inverters()
    for least, most, rating in inverters:
        total = _Inverters(
            total.least + least, total.most + (rating or most), total.rated + (rating or 0.0)
        )
    return total


def rating_of(device: Device) -> float | None:
    """The rated power of an inverter, in watts, which its model names: SUN2000-10KTL-M1."""
    named = _RATING.match(device.model)
    return float(named[1]) * 1e3 if named and device.type_id in INVERTERS else None


class Capacities:
    """The outputs of one account's plants and devices.

    A capacity is entered by hand, and nobody notices a wrong one. What it would take away is
    therefore weighed: a capacity is trusted if it leaves each inverter at least the power of the
    smallest one that is sold (kilowatts taken for megawatts do not), if the plant's lifetime energy
    fits to it, and never below what its inverters add up to, by their names or their statistics, or
    what the plant's own counter has proved.
    """

    def __init__(self, fleet: Fleet, guard: Guard) -> None:
        self._fleet = fleet
        self._guard = guard
        self._seen: Mapping[str, Device] | None = None
        self._by_plant: dict[str, list[Device]] = {}
        self._sums: dict[str, _Inverters] = {}
        self._reported: dict[Owner, float] = {}

    def report(self, owner: Owner, watts: float) -> None:
        """Takes the capacity that statistics give for a plant or inverter; 0 is none."""
        if watts and self._reported.get(owner) != watts:
            self._reported[owner] = watts
            self._sums.clear()

    def forget(self, owner: Owner) -> None:
        """Drops what was reported of a plant or device that is gone."""
        self._reported.pop(owner, None)

    def of(self, owner: Owner) -> Output:
        """The output of a plant (type None) or device."""
        device_type, name = owner
        device = None if device_type is None else self._fleet.devices.get(name)
        plant = self._of_plant(name if device is None else device.plant_code)
        if device is None or device_type is None:
            return plant
        if device_type in INVERTERS:
            if rating := self._rating(device):
                return Output(rating, rating)
            return Output(plant.known, min(plant.assumed, INVERTERS[device_type][1]))
        if device_type in METERS:
            return Output(plant.known, max(HOUSE, GRID_SHARE * plant.assumed), guessed=True)
        return plant

    def _of_plant(self, code: str) -> Output:
        inverters = self._inverters(code)
        plant = self._fleet.plants.get(code)
        counted = self._guard.of((None, code), _SERIES) or CounterState(0.0)
        energy, proved = counted.value * _LIFETIME.factor, counted.proved * _LIFETIME.factor
        listed = (plant and plant.capacity_watts) or 0.0
        capacity = max(listed, self._reported.get((None, code), 0.0))
        if not capacity or capacity < inverters.least or energy > FULL_LOAD * capacity:
            return Output(None, max(inverters.most, proved) or UNKNOWN_PLANT)
        known = max(capacity, inverters.rated, proved)
        return Output(known, known)

    def _rating(self, device: Device) -> float | None:
        return self._reported.get((device.type_id, device.id)) or rating_of(device)

    def _inverters(self, code: str) -> _Inverters:
        if self._seen is not self._fleet.devices:
            self._seen = self._fleet.devices
            self._sums, self._by_plant = {}, {}
            for device in self._seen.values():
                if device.type_id in INVERTERS:
                    self._by_plant.setdefault(device.plant_code, []).append(device)
        if code not in self._sums:
            self._sums[code] = _sum(
                (*INVERTERS[each.type_id], self._rating(each))
                for each in self._by_plant.get(code, ())
            )
        return self._sums[code]
