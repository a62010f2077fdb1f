"""What is shown of accounts and plants, in the form that people read.

Nothing is computed that /metrics does not say. Any thread may ask.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum

from exporter.account.counters import CounterName, CounterState, Entity
from exporter.account.fleet import FleetChange
from exporter.catalogue.index import ROWS, lookup
from exporter.catalogue.model import Kind, Series, series_of
from exporter.exposition.blocks import NON_EXPIRING, Source, source_of
from exporter.exposition.families import ALARMS_ACTIVE, DEVICE_LAST_READING, PLANT_LAST_READING
from exporter.exposition.plan import UNKNOWN
from exporter.exposition.samples import Samples
from exporter.northbound.interfaces import INTERFACES, Content, Subject
from exporter.northbound.records import Device, Plant
from exporter.status import model as status

SamplesOf = Callable[[Source], Mapping[str, Samples]]  # what a source shows, by plant or device

_PLANT_KPIS = lookup("getStationRealKpi", None)
_HEALTH = _PLANT_KPIS["real_health_state"]
_ENERGY = _PLANT_KPIS["day_power"].series
_POWER = lookup("getDevRealKpi", 1)["active_power"].series
_INVERTERS = frozenset(row.device_type for row in ROWS if row.series is _POWER)

_SOURCES = {
    content: tuple(
        source_of(interface) for interface in INTERFACES.values() if interface.content is content
    )
    for content in Content
}
_OF_NOW = _SOURCES[Content.READINGS] + _SOURCES[Content.ROWS]
_OF_PLANTS = tuple(source for source in _OF_NOW if source.subject is Subject.PLANTS)
_OF_DEVICES = tuple(source for source in _OF_NOW if source.subject is Subject.DEVICES)


@dataclass(frozen=True, slots=True)
class _Visible:
    """What is shown of plants by their codes, and of devices by their ids."""

    plants: Mapping[str, Samples]
    alarms: Mapping[str, Samples]
    powers: Mapping[str, float]
    plants_read: Mapping[str, float]
    devices_read: Mapping[str, float]


def plants_of(fleet: FleetChange, samples_of: SamplesOf) -> tuple[status.PlantStatus, ...]:
    """Every plant of a fleet, as it is shown now."""
    # One look at each: the poller replaces them, but never changes them.
    plants, devices = fleet.plants, fleet.devices
    by_plant: dict[str, list[Device]] = {code: [] for code in plants}
    for device in devices.values():
        if device.plant_code in by_plant:
            by_plant[device.plant_code].append(device)
    now = _Visible(
        _first(samples_of, _OF_PLANTS),
        _first(samples_of, _SOURCES[Content.ALARMS]),
        _column(_first(samples_of, _OF_DEVICES), _POWER),
        *(
            _column(samples_of(NON_EXPIRING[metric]), series_of(metric))
            for metric in (PLANT_LAST_READING, DEVICE_LAST_READING)
        ),
    )
    return tuple(_plant(plant, by_plant[plant.code], now) for plant in plants.values())


def _first(samples_of: SamplesOf, sources: Sequence[Source]) -> Mapping[str, Samples]:
    """What the first source that has something of a plant or device says of it."""
    found: dict[str, Samples] = {}
    for source in reversed(sources):
        found |= samples_of(source)
    return found


def _column(samples: Mapping[str, Samples], series: Series) -> Mapping[str, float]:
    """The values of one series, of those who have it."""
    return {name: value for name, of in samples.items() if (value := of.get(series)) is not None}


def _plant(plant: Plant, devices: Sequence[Device], visible: _Visible) -> status.PlantStatus:
    own, alarms = visible.plants.get(plant.code, {}), visible.alarms.get(plant.code)
    inverters = [device.id for device in devices if device.type_id in _INVERTERS]
    powers = [visible.powers[name] for name in inverters if name in visible.powers]
    read = [visible.devices_read[each.id] for each in devices if each.id in visible.devices_read]
    if plant.code in visible.plants_read:
        read.append(visible.plants_read[plant.code])
    return status.PlantStatus(
        plant.code,
        plant.name,
        plant.capacity_watts,
        health=_health(own),
        power=fsum(powers) if powers else None,
        inverters=len(inverters),
        answered=len(powers),
        energy=own.get(_ENERGY),
        alarms=_by_severity(alarms) if alarms else None,
        last_reading=max(read, default=None),
    )


def _health(own: Samples) -> str | None:
    code = own.get(_HEALTH.code) if _HEALTH.code else None
    return None if code is None else _HEALTH.state_of(code) or UNKNOWN


def _by_severity(alarms: Samples) -> Mapping[str, int]:
    return {s.labels[0]: int(n) for s, n in alarms.items() if s.metric is ALARMS_ACTIVE and n}


_UNITS = {row.metric.name: row.source_unit for row in ROWS if row.metric.kind is Kind.COUNTER}


def held_back(
    pending: Mapping[tuple[Entity, CounterName], CounterState],
    plants: Mapping[str, Plant],
    devices: Mapping[str, Device],
) -> tuple[status.HeldCounter, ...]:
    """Those of counters that are `pending`: they wait for a value to be confirmed."""
    return tuple(
        status.HeldCounter(
            (Subject.PLANTS if device_type is None else Subject.DEVICES).value,
            code,
            _name(plants if device_type is None else devices, code),
            metric,
            labels,
            _UNITS.get(metric, ""),
            held.value,
            held.run.value,
            held.run.since,
        )
        for ((device_type, code), (metric, labels)), held in pending.items()
        if held.run is not None
    )


def _name(known: Mapping[str, Plant] | Mapping[str, Device], code: str) -> str:
    found = known.get(code)
    return "" if found is None else found.name
