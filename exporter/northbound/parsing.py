"""From an answer's `data` to plants, devices and readings: one total function a response shape.

A bad item is counted, never raised. Only `data` of the wrong shape altogether, which is neither a
list nor null nor a page `{list, pageNo, pageCount, total}`, raises a CallError. Contacts,
telephone numbers and addresses are never read.
"""

from collections.abc import Callable, Collection, Mapping
from math import isfinite
from typing import Any

from exporter.northbound.fields import (
    coordinates,
    device_id,
    number,
    plant_code,
    seconds,
    text,
    whole,
)
from exporter.northbound.items import parsed, reading
from exporter.northbound.records import Device, Parsed, Plant, Reading, TimedReading


def plants(data: Any, asked: Collection[str]) -> Parsed[Plant]:  # noqa: ARG001  # because parsers share one form
    """Reads a plant list (reference 2.2), old or paged, whose capacities are MW or kW."""

    def plant(item: Mapping[str, Any]) -> tuple[str, Plant] | str:
        code = plant_code(item)
        if not code:
            return "wrong_type"
        newer = bool(item.get("plantCode"))
        latitude, longitude = coordinates(item)
        return code, Plant(
            code=code,
            name=text(item.get("plantName" if newer else "stationName")),
            capacity_watts=_watts(item.get("capacity"), 1e3 if newer else 1e6),
            build_state=text(item.get("buildState")),
            connection_type=text(item.get("combineType")),
            latitude=latitude,
            longitude=longitude,
        )

    return parsed(data, plant)


def devices(data: Any, asked: Collection[str]) -> Parsed[Device]:
    """Reads a device list (reference 2.8); `asked` holds plant codes."""
    wanted = frozenset(asked)

    def device(item: Mapping[str, Any]) -> tuple[str, Device] | str:
        identity, code = device_id(item.get("id")), plant_code(item)
        type_id = whole(item.get("devTypeId"))
        if not identity or not code or type_id is None or type_id < 0:
            return "wrong_type"
        if code not in wanted:
            return "not_asked_for"
        latitude, longitude = coordinates(item)
        return identity, Device(
            id=identity,
            plant_code=code,
            type_id=type_id,
            name=text(item.get("devName")),
            model=text(item.get("model")) or text(item.get("invType")),
            serial_number=text(item.get("esnCode")),
            software_version=text(item.get("softwareVersion")),
            latitude=latitude,
            longitude=longitude,
        )

    return parsed(data, device)


def plant_readings(data: Any, asked: Collection[str]) -> Parsed[Reading]:
    """Reads real-time plant data (reference 2.3); `asked` holds plant codes."""
    return parsed(data, _reader(plant_code, asked))


def device_readings(data: Any, asked: Collection[str]) -> Parsed[Reading]:
    """Reads real-time device data (reference 2.9); `asked` holds device ids."""
    return parsed(data, _reader(_device, asked))


def plant_statistics(data: Any, asked: Collection[str]) -> Parsed[TimedReading]:
    """Reads statistics of plants (reference 2.4-2.7), many rows each; `asked` holds plant codes."""
    return parsed(data, _timed(_reader(plant_code, asked)))


def device_rows(data: Any, asked: Collection[str]) -> Parsed[TimedReading]:
    """Reads 5-minute data and statistics of devices (reference 2.10-2.13); `asked` holds ids."""
    return parsed(data, _timed(_reader(_device, asked)))


def _reader(
    identify: Callable[[Mapping[str, Any]], str], asked: Collection[str]
) -> Callable[[Mapping[str, Any]], tuple[str, Reading] | str]:
    wanted = frozenset(asked)

    def read(item: Mapping[str, Any]) -> tuple[str, Reading] | str:
        subject, items = identify(item), item.get("dataItemMap")
        if not subject or not isinstance(items, Mapping | None):
            return "wrong_type"
        if subject not in wanted:
            return "not_asked_for"
        return subject, reading(subject, items or {})

    return read


def _timed(
    read: Callable[[Mapping[str, Any]], tuple[str, Reading] | str],
) -> Callable[[Mapping[str, Any]], tuple[tuple[str, float], TimedReading] | str]:
    """Gives each reading its row's start, even one without values: that there is a row tells."""

    def read_row(item: Mapping[str, Any]) -> tuple[tuple[str, float], TimedReading] | str:
        start = seconds(item.get("collectTime"))
        if start is None:
            return "wrong_type"
        outcome = read(item)
        if isinstance(outcome, str):
            return outcome
        subject, values = outcome
        return (subject, start), TimedReading(start, values)

    return read_row


def _device(item: Mapping[str, Any]) -> str:
    return device_id(item.get("devId"))


def _watts(raw: object, factor: float) -> float | None:
    capacity = number(raw)
    if not isinstance(capacity, float) or not isfinite(capacity * factor):
        return None
    return round(capacity * factor, 3)
