"""From an answer's `data` to records: one total function a response shape.

A bad item is counted, never raised. Only `data` of the wrong shape altogether, which is neither a
list nor null nor a page `{list, pageNo, pageCount, total}`, raises a CallError. Contacts,
telephone numbers and addresses are never read, nor are the long texts of alarms.
"""

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import replace
from math import isfinite
from typing import Any

from exporter.northbound.data_items import (
    parse_bool,
    parse_coordinates,
    parse_device_id,
    parse_dn,
    parse_int,
    parse_number,
    parse_plant_code,
    parse_serial,
    parse_text,
    parse_time,
    reading_of,
)
from exporter.northbound.enums import ALARM_SEVERITIES, ALARM_TYPES, ALARMS_OVER
from exporter.northbound.errors import named_error
from exporter.northbound.records import (
    Alarm,
    Device,
    ListPage,
    Parsed,
    Plant,
    Reading,
    Record,
    Registration,
    Rejection,
    TimedReading,
    Upgrade,
    UpgradeOrder,
)

_MAX_PAGES = 10_000
_MAX_ITEMS = 1_000_000  # of all pages
_MAX_WORD = 64  # of an enumeration
_SETTING_WORDS = (
    *("controlMode", "activePowerControlMode", "limitationMode"),
    *("operationMode", "redundantPVEnergyPriority"),
)
_SETTING_NUMBERS = (
    *("maxGridFeedInPowerValue", "maxGridFeedInPowerPercent", "allowedAcChargePower"),
)
_UPGRADE_NUMBERS = ("lastUpgradeTime", "process", "upgradeResult")

_Item = Mapping[str, Any]

# --- plants and devices -------------------------------------------------------------------------


def plants(data: Any, _asked: Collection[str]) -> Parsed[Plant]:
    """Reads a plant list (reference 2.2), old or paged, whose capacities are MW or kW."""

    def plant(code: str, item: _Item) -> tuple[str, Plant]:
        newer = bool(item.get("plantCode"))
        latitude, longitude = parse_coordinates(item)
        return code, Plant(
            code=code,
            name=parse_text(item.get("plantName" if newer else "stationName")),
            capacity_watts=_watts(item.get("capacity"), 1e3 if newer else 1e6),
            build_state=parse_text(item.get("buildState")),
            connection_type=parse_text(item.get("combineType")),
            latitude=latitude,
            longitude=longitude,
        )

    return _parse_items(data, parse_plant_code, plant, asked=None)


def devices(data: Any, asked: Collection[str]) -> Parsed[Device]:
    """Reads a device list (reference 2.8); `asked` holds plant codes."""

    def device(code: str, item: _Item) -> tuple[str, Device] | None:
        identity, type_id = parse_device_id(item.get("id")), parse_int(item.get("devTypeId"))
        if identity is None or type_id is None or type_id < 0:
            return None
        latitude, longitude = parse_coordinates(item)
        return identity, Device(
            id=identity,
            plant_code=code,
            type_id=type_id,
            name=parse_text(item.get("devName")),
            model=parse_text(item.get("model")) or parse_text(item.get("invType")),
            serial_number=parse_serial(item.get("esnCode")),
            software_version=parse_text(item.get("softwareVersion")),
            dn=parse_dn(item) or "",
            latitude=latitude,
            longitude=longitude,
        )

    return _parse_items(data, parse_plant_code, device, asked)


def _watts(raw: object, factor: float) -> float | None:
    capacity = parse_number(raw)
    if not isinstance(capacity, float) or not isfinite(capacity * factor):
        return None
    return round(capacity * factor, 3)


# --- readings -----------------------------------------------------------------------------------


def plant_readings(data: Any, asked: Collection[str]) -> Parsed[Reading]:
    """Reads real-time plant data (reference 2.3); `asked` holds plant codes."""
    return _parse_items(data, parse_plant_code, _reading, asked)


def device_readings(data: Any, asked: Collection[str]) -> Parsed[Reading]:
    """Reads real-time device data (reference 2.9); `asked` holds device ids."""
    return _parse_items(data, _device, _reading, asked)


def plant_statistics(data: Any, asked: Collection[str]) -> Parsed[TimedReading]:
    """Reads statistics of plants (reference 2.4-2.7), many rows each; `asked` holds plant codes."""
    return _parse_items(data, parse_plant_code, _timed_reading, asked)


def device_rows(data: Any, asked: Collection[str]) -> Parsed[TimedReading]:
    """Reads 5-minute data and statistics of devices (reference 2.10-2.13); `asked` holds ids."""
    return _parse_items(data, _device, _timed_reading, asked)


def device_history(data: Any, asked: Collection[str]) -> Parsed[TimedReading]:
    """Reads a device's history, whose rows name it by its DN; `asked` maps DNs to ids."""
    ids = asked if isinstance(asked, Mapping) else {name: name for name in asked}

    def row(dn: str, item: _Item) -> tuple[tuple[str, float], TimedReading] | None:
        return _timed_reading(ids.get(dn, dn), {**item, "dataItemMap": item.get("dataItems")})

    return _parse_items(data, parse_dn, row, ids)


def _reading(subject: str, item: _Item) -> tuple[str, Reading] | None:
    values = item.get("dataItemMap")
    if not isinstance(values, Mapping | None):
        return None
    return subject, reading_of(subject, values or {})


def _timed_reading(subject: str, item: _Item) -> tuple[tuple[str, float], TimedReading] | None:
    """A row's reading with its start; a row without values stays for its start."""
    start, found = parse_time(item.get("collectTime")), _reading(subject, item)
    if start is None or found is None:
        return None
    return (subject, start), TimedReading(start, found[1])


def _device(item: _Item) -> str | None:
    return parse_device_id(item.get("devId"))


# --- configuration ------------------------------------------------------------------------------


def configuration(data: Any, asked: Collection[str]) -> Parsed[Reading]:
    """Reads how a plant is configured (newer servers); `asked` holds the one plant's code.

    `data` is one object, in which the parameters of a mode stand in an object of their own, or
    null. Only the keys named here are read.
    """

    def subject(item: _Item) -> str | None:
        named = item.get("plantCode") or item.get("stationCode")
        return parse_plant_code(item) if named else next(iter(asked), None)

    def reading(code: str, item: _Item) -> tuple[str, Reading]:
        return code, _settings(code, item)

    return _parse_items([data] if isinstance(data, dict) else data, subject, reading, asked)


def _settings(subject: str, item: _Item) -> Reading:
    places = [item, *(each for each in item.values() if isinstance(each, Mapping))]

    def first(key: str) -> object:
        return next((each[key] for each in places if each.get(key) is not None), None)

    numbers = reading_of(subject, {key: first(key) for key in _SETTING_NUMBERS})
    words: dict[str, str] = {}
    rejected = dict(numbers.rejected)
    for key in _SETTING_WORDS:
        raw = first(key)
        if parse_number(raw) is None:  # absent
            continue
        if word := parse_text(raw, _MAX_WORD).strip():
            words[key] = word
        else:
            rejected[key] = Rejection.WRONG_TYPE
    return replace(numbers, rejected=rejected, texts=words)


# --- alarms -------------------------------------------------------------------------------------


def alarms(data: Any, asked: Collection[str]) -> Parsed[Alarm]:
    """Reads an alarm list (reference 2.16); `asked` holds plant codes.

    Codes and times come as numbers or as text. An occurrence has no id of its own: it is known by
    plant, serial number, alarm, cause and time.
    """

    def alarm(code: str, item: _Item) -> tuple[tuple[str | float, ...], Alarm] | None:
        alarm_id, raised = (
            parse_text(item.get("alarmId")).strip(),
            parse_time(item.get("raiseTime")),
        )
        if not alarm_id or raised is None:
            return None
        serial, cause_id = parse_text(item.get("esnCode")), parse_text(item.get("causeId")).strip()
        # Newer servers leave the status out and give the time of recovery instead.
        status, recovered = parse_int(item.get("status")), parse_time(item.get("recoveryTime"))
        return (code, serial, alarm_id, cause_id, raised), Alarm(
            plant_code=code,
            serial_number=serial,
            alarm_id=alarm_id,
            cause_id=cause_id,
            raised=raised,
            name=parse_text(item.get("alarmName")),
            device_name=parse_text(item.get("devName")),
            severity=_name(ALARM_SEVERITIES, item.get("lev")),
            type=_name(ALARM_TYPES, item.get("alarmType")),
            status=status,
            active=recovered is None if status is None else status not in ALARMS_OVER,
            recovered=recovered,
        )

    return _parse_items(data, parse_plant_code, alarm, asked)


def _name(table: Mapping[int, str], raw: object) -> str:
    code = parse_int(raw)
    return "unknown" if code is None else table.get(code, "unknown")


# --- upgrades and registrations -----------------------------------------------------------------


def upgrades(data: Any, asked: Collection[str]) -> Parsed[Upgrade]:
    """Reads the last upgrades of devices (reference 2.15); `asked` holds device ids."""

    def upgrade(identity: str, item: _Item) -> tuple[str, Upgrade]:
        return identity, Upgrade(
            reading=reading_of(identity, {key: item.get(key) for key in _UPGRADE_NUMBERS}),
            source_version=parse_text(item.get("sourceVersion")),
            target_version=parse_text(item.get("targetVersion")),
        )

    return _parse_items(data, _device, upgrade, asked)


def upgrade_orders(data: Any, asked: Collection[str]) -> Parsed[UpgradeOrder]:
    """Reads what became of orders to upgrade (reference 2.14); `asked` holds device ids."""

    def order(identity: str, item: _Item) -> tuple[str, UpgradeOrder] | None:
        accepted = parse_bool(item.get("result"))
        if accepted is None:
            return None
        return identity, UpgradeOrder(identity, accepted, parse_int(item.get("failCode")) or 0)

    return _parse_items(data, _device, order, asked)


def registrations(data: Any, asked: Collection[str]) -> Parsed[Registration]:
    """Reads which serial numbers are registered (reference 2.17); `asked` holds serial numbers.

    Here `data` is `{"detail": {serial number: yes or no}, "key": …}`, or null.

    Raises:
        CallError: `data` is neither.
    """

    def registration(serial: str, item: _Item) -> tuple[str, Registration] | None:
        registered = parse_bool(item["registered"])
        return None if registered is None else (serial, Registration(serial, registered))

    match data:
        case None | {"detail": None}:
            detail: Mapping[Any, Any] = {}
        case {"detail": dict(detail)}:
            pass
        case _:
            raise named_error("malformed", enveloped=True)
    items = [{"serial": serial, "registered": raw} for serial, raw in detail.items()]
    return _parse_items(items, lambda item: parse_text(item["serial"]), registration, asked)


# --- what the parsers share ---------------------------------------------------------------------


def _parse_items(
    data: Any,
    subject_of: Callable[[_Item], str | None],
    record_of: Callable[[str, _Item], tuple[Hashable, Record] | None],
    asked: Collection[str] | None,
) -> Parsed[Record]:
    """Parses item by item: its subject, then an identity with its record.

    An item without a subject or a record is of the wrong type; `asked` are the subjects of the
    question, None where any will do.

    Raises:
        CallError: `data` is neither a list nor null nor a page.
    """
    items, page = _items(data)
    wanted = None if asked is None else frozenset(asked)
    records: dict[Hashable, Record] = {}
    rejected: Counter[str] = Counter()
    for item in items:
        subject = subject_of(item) if isinstance(item, dict) else None
        found = record_of(subject, item) if subject else None
        if found is None:
            rejected[Rejection.WRONG_TYPE] += 1
        elif wanted is not None and subject not in wanted:
            rejected[Rejection.NOT_ASKED_FOR] += 1
        elif found[0] in records:
            rejected[Rejection.DUPLICATE] += 1
        else:
            records[found[0]] = found[1]
    return Parsed(tuple(records.values()), rejected, page)


def _items(data: Any) -> tuple[list[Any], ListPage | None]:
    """The items of a list or of a page, and what the page says of the whole."""
    match data:
        case None:
            return [], None
        case list():
            return data, None
        case {"list": list() | None} | {"pageCount": _} | {"total": _} if isinstance(
            items := data.get("list"), list | None
        ):
            count, total = parse_int(data.get("pageCount")), parse_int(data.get("total"))
            return items or [], ListPage(
                count if count and 0 < count <= _MAX_PAGES else None,
                total if total and 0 < total <= _MAX_ITEMS else None,
            )
        case _:
            raise named_error("malformed", enveloped=True)
