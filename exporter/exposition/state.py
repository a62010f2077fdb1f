"""What is shown and counted of accounts and plants, in the form that people read.

Nothing is computed that /metrics does not say. Any thread may ask.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import fsum

from prometheus_client import Counter, Gauge

from exporter.catalogue.model import Metric
from exporter.catalogue.rows import ROWS, lookup
from exporter.exposition.alarms import ALARMS_ACTIVE
from exporter.exposition.blocks import Samples, Source
from exporter.exposition.fleet import Fleet
from exporter.exposition.telemetry import Telemetry
from exporter.exposition.things import DEVICE_LAST_READING, LASTING, PLANT_LAST_READING
from exporter.exposition.translate import Sample
from exporter.northbound.interfaces import INTERFACES, Content, Subject
from exporter.northbound.records import Device, Plant
from exporter.status import model as status

SamplesOf = Callable[[Source, str], Samples]  # what a source has of a subject, if it is shown

_PLANT_KPIS = lookup("getStationRealKpi", None)
_HEALTH = _PLANT_KPIS["real_health_state"].metric
_ENERGY = _PLANT_KPIS["day_power"].metric
_POWER = lookup("getDevRealKpi", 1)["active_power"].metric
_INVERTERS = frozenset(row.device_type for row in ROWS if row.metric is _POWER)

_SOURCES = {
    content: tuple(
        Source(interface.name, interface.subject)
        for interface in INTERFACES.values()
        if interface.content is content
    )
    for content in Content
}
_OF_NOW = _SOURCES[Content.READINGS] + _SOURCES[Content.ROWS]
_OF_PLANTS = tuple(source for source in _OF_NOW if source.subject is Subject.PLANTS)
_OF_DEVICES = tuple(source for source in _OF_NOW if source.subject is Subject.DEVICES)


def plants_of(fleet: Fleet, shown: SamplesOf) -> tuple[status.PlantStatus, ...]:
    """Every plant of a fleet, as it is shown now."""
    # One look at each: the poller replaces them, but never changes them.
    plants, devices = fleet.plants, fleet.devices
    by_plant: dict[str, list[Device]] = {code: [] for code in plants}
    for device in devices.values():
        if device.plant_code in by_plant:
            by_plant[device.plant_code].append(device)
    return tuple(_plant(plant, by_plant[plant.code], shown) for plant in plants.values())


def _plant(plant: Plant, devices: Sequence[Device], shown: SamplesOf) -> status.PlantStatus:
    own = _all_shown(shown, _OF_PLANTS, plant.code)
    inverters = [device.id for device in devices if device.type_id in _INVERTERS]
    found = (_value(_all_shown(shown, _OF_DEVICES, name), _POWER) for name in inverters)
    powers = [power for power in found if power is not None]
    alarms = _all_shown(shown, _SOURCES[Content.ALARMS], plant.code)
    last = [
        *shown(LASTING[PLANT_LAST_READING], plant.code),
        *(each for d in devices for each in shown(LASTING[DEVICE_LAST_READING], d.id)),
    ]
    return status.PlantStatus(
        plant.code,
        plant.name,
        plant.capacity_watts,
        health=next((s.labels[-1] for s in own if s.metric is _HEALTH and s.value), None),
        power=fsum(powers) if powers else None,
        inverters=len(inverters),
        answered=len(powers),
        energy=_value(own, _ENERGY),
        alarms=_by_severity(alarms) if alarms else None,
        last_reading=max((sample.value for sample in last), default=None),
    )


def _by_severity(alarms: Samples) -> Mapping[str, int]:
    return {s.labels[0]: int(s.value) for s in alarms if s.metric is ALARMS_ACTIVE and s.value}


def _all_shown(shown: SamplesOf, sources: Iterable[Source], name: str) -> Samples:
    """What the first source that has something of it says."""
    return next((found for source in sources if (found := shown(source, name))), ())


def _value(samples: Iterable[Sample], metric: Metric | None) -> float | None:
    return next((sample.value for sample in samples if sample.metric is metric), None)


def told_of(telemetry: Telemetry) -> Mapping[str, status.AccountCounts]:
    """What was counted, by account."""
    requests, refused, last_success, permitted = (
        _by_labels(instrument)
        for instrument in (
            telemetry.requests,
            telemetry.rate_limited,
            telemetry.last_success,
            telemetry.permitted,
        )
    )
    failures = _by_labels(telemetry.failures)
    lost, kept = _by_labels(telemetry.sessions_lost), _by_labels(telemetry.state_writable)
    calls: dict[str, dict[str, status.CallCounts]] = {}
    for account, interface in requests:
        of = (account, interface)
        calls.setdefault(account, {})[interface] = status.CallCounts(
            int(requests[of]),
            int(failures.get(of, 0)),
            int(refused.get(of, 0)),
            last_success.get(of),
            None if of not in permitted else bool(permitted[of]),
        )
    return {
        account: status.AccountCounts(
            bool(up),
            int(lost.get((account,), 0)),
            bool(kept[account,]) if (account,) in kept else None,
            calls.get(account, {}),
        )
        for (account,), up in _by_labels(telemetry.up).items()
    }


def _by_labels(instrument: Counter | Gauge) -> Mapping[tuple[str, ...], float]:
    """An instrument's values by account and, where it has one, interface; summed over the rest."""
    found: dict[tuple[str, ...], float] = {}
    for family in instrument.collect():
        for sample in family.samples:
            labels = tuple(
                sample.labels[name] for name in ("account", "interface") if name in sample.labels
            )
            found[labels] = found.get(labels, 0.0) + sample.value
    return found
