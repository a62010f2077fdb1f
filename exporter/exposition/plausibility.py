"""Whether a reading can be: by its range, and by what its plant or device can put out."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from math import inf

from exporter.account.counters import UPLOAD_TOLERANCE, CounterGuard, CounterState, Entity
from exporter.account.fleet import FleetChange
from exporter.catalogue import meters, power_m
from exporter.catalogue.index import lookup
from exporter.catalogue.model import PlausibleRange
from exporter.catalogue.ranges import NO_INSTANTANEOUS_VALUES, NO_VALUES
from exporter.northbound.enums import OFFLINE
from exporter.northbound.interfaces import HOUR
from exporter.northbound.records import Device, Reading, Values

UNKNOWN_PLANT = 1e6  # watts that are assumed for a plant of which nothing is known


@dataclass(frozen=True, slots=True)
class Output:
    """What a plant or device can put out, in watts.

    `known` is what its readings are judged by, None where nothing is certain enough for that.
    `assumed` says which steps of its counters are like each other; they need no confirmation where
    it is the capacity, and not `guessed`, as that of a grid connection is.
    """

    known: float | None = None
    assumed: float = UNKNOWN_PLANT
    guessed: bool = False

    @property
    def is_capacity(self) -> bool:
        """Whether no counter can grow faster than `assumed`."""
        return self.known is not None and not self.guessed


NOTHING_KNOWN = Output()


def is_plausible(limits: PlausibleRange, raw: float, value: float, output: Output) -> bool:
    """Whether a value can be what it says: `raw` as sent, `value` in base units.

    No quantity is infinite.
    """
    if raw in NO_VALUES or not limits.low <= value <= limits.high:
        return False
    is_likely = limits.of_power and abs(value) <= output.assumed
    if raw in NO_INSTANTANEOUS_VALUES and limits.measured_freely and not is_likely:
        return False
    return not output.known or abs(value) <= limits.of_output * output.known


# The smallest and the largest inverter that is sold, in watts, by device type.
INVERTERS: Mapping[int, tuple[float, float]] = {
    1: (1e3, 4e5),
    38: (1e3, 4e5),
    14: (1e5, 1e7),
}
GRID_SIDE = frozenset((*meters.ALL, *power_m.ALL))  # where more flows than modules deliver
HOUSE_CONNECTION = 5e4  # watts that a grid connection of three times 63 A can carry
GRID_SHARE = 3  # a grid connection is this many times its plant, as a rule
# No inverter has delivered more: 16 years of the sunniest desert.
MAX_FULL_LOAD = 40_000 * HOUR
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

    def __init__(self, guard: CounterGuard) -> None:
        self._guard = guard
        self._fleet = FleetChange({}, {}, {})
        self._by_plant: dict[str, list[Device]] = {}
        self._sums: dict[str, _Inverters] = {}
        self._reported: dict[Entity, float] = {}

    def follow(self, fleet: FleetChange) -> None:
        """Takes over the fleet as now known."""
        self._fleet = fleet
        self._sums, self._by_plant = {}, {}
        for device in fleet.devices.values():
            if device.type_id in INVERTERS:
                self._by_plant.setdefault(device.plant_code, []).append(device)
        known = fleet.plants.keys() | fleet.devices.keys()
        self._reported = {key: watts for key, watts in self._reported.items() if key[1] in known}

    def report(self, entity: Entity, watts: float) -> None:
        """Takes the capacity that statistics give for a plant or inverter; 0 is none."""
        if watts and self._reported.get(entity) != watts:
            self._reported[entity] = watts
            self._sums.clear()

    def of(self, entity: Entity) -> Output:
        """The output of a plant (type None) or device."""
        device_type, name = entity
        device = None if device_type is None else self._fleet.devices.get(name)
        if device and device.type_id in INVERTERS and (rating := self._rating(device)):
            return Output(rating, rating)
        plant = self._of_plant(name if device is None else device.plant_code)
        if device is None or device_type is None:
            return plant
        if device_type in INVERTERS:
            return Output(plant.known, min(plant.assumed, INVERTERS[device_type][1]))
        if device_type in GRID_SIDE:
            return Output(
                plant.known, max(HOUSE_CONNECTION, GRID_SHARE * plant.assumed), guessed=True
            )
        return plant

    def _of_plant(self, code: str) -> Output:
        inverters = self._inverters(code)
        plant = self._fleet.plants.get(code)
        counted = self._guard.of((None, code), _SERIES) or CounterState(0.0)
        energy, proved = counted.value * _LIFETIME.factor, counted.proved * _LIFETIME.factor
        listed = (plant and plant.capacity_watts) or 0.0
        capacity = max(listed, self._reported.get((None, code), 0.0))
        if not capacity or capacity < inverters.least or energy > MAX_FULL_LOAD * capacity:
            return Output(None, max(inverters.most, proved) or UNKNOWN_PLANT)
        known = max(capacity, inverters.rated, proved)
        return Output(known, known)

    def _rating(self, device: Device) -> float | None:
        return self._reported.get((device.type_id, device.id)) or rating_of(device)

    def _inverters(self, code: str) -> _Inverters:
        if code not in self._sums:
            self._sums[code] = _sum(
                (*INVERTERS[each.type_id], self._rating(each))
                for each in self._by_plant.get(code, ())
            )
        return self._sums[code]


# --- devices that cannot be reached -------------------------------------------------------------


class Offline:
    """Remembers the last answer of each offline device of an account, and when it changed.

    The server goes on sending its last values, which would count as production for as long as the
    device is away. So of a device that is offline, and of which nothing changes, what is measured
    now is absent, as if the answer had left it out. Its states, energies and times stand; so do
    zeros, which an inverter at night has by right. Absent, and not marked: sums then lack the
    device, and the share of a plant's inverters that answer says so.
    """

    def __init__(self) -> None:
        self._last: dict[tuple[str, str], tuple[int, float]] = {}  # by interface and device

    def current(self, interface: str, device_type: int, reading: Reading, at: float) -> Reading:
        """The reading of `at`, in seconds, without what its device cannot know any more.

        Some servers call a device offline that reports: an answer that differs from the
        one before counts as current, for as long as uploads may take.
        """
        values = reading.values
        if not any(values.get(key) == code for key, code in OFFLINE.items()):
            self._last.pop((interface, reading.subject), None)
            return reading
        digest = hash(frozenset(item for item in values.items() if item[0] not in OFFLINE))
        before, changed_at = self._last.get((interface, reading.subject), (digest, -inf))
        if digest != before:
            changed_at = at
        self._last[interface, reading.subject] = (digest, changed_at)
        if at - changed_at < UPLOAD_TOLERANCE:
            return reading
        rows = lookup(interface, device_type)
        gone = {
            key
            for key, row in rows.items()
            if row.range.measured_freely and row.states is None and values.get(key)
        }
        return replace(
            reading, values=Values({key: values[key] for key in values if key not in gone})
        )

    def drop(self, names: Collection[str]) -> None:
        """Drops what is known of devices that are gone."""
        self._last = {key: last for key, last in self._last.items() if key[1] not in names}
