"""The values that counters hold back, in the form that people read."""

from collections.abc import Mapping

from exporter.catalogue.model import Kind
from exporter.catalogue.rows import ROWS
from exporter.exposition.guard import CounterState, Owner, Series
from exporter.northbound.interfaces import Subject
from exporter.northbound.records import Device, Plant
from exporter.status.model import HeldCounter

_UNITS = {
    row.metric.name: row.source_unit
    for row in ROWS
    if row.metric is not None and row.metric.kind is Kind.COUNTER
}


def held_back(
    pending: Mapping[tuple[Owner, Series], CounterState],
    plants: Mapping[str, Plant],
    devices: Mapping[str, Device],
) -> tuple[HeldCounter, ...]:
    """Those of counters that are `pending`: they wait for a value to be confirmed."""
    return tuple(
        HeldCounter(
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
    thing = known.get(code)
    return "" if thing is None else thing.name
