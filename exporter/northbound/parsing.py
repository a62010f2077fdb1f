"""From an answer's `data` to records: one total function a response shape.

A bad item is counted, never raised. Only `data` of the wrong shape altogether, which is neither a
list nor null nor a page `{list, pageNo, pageCount, total}`, raises a CallError. Contacts,
telephone numbers and addresses are never read.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from itertools import islice
from math import isfinite
from typing import Any

from exporter.northbound.errors import word_error
from exporter.northbound.records import Device, Parsed, Plant, Reading, Record

_MOST_PAGES = 10_000
_MOST_KEYS = 4_096  # in one dataItemMap; the longest documented one has 81
_LONGEST_TEXT = 512  # characters
_LONGEST_KEY = 128
_EXACT = 2**53  # up to here a float tells its whole number exactly
_ID_BITS = 64
_TYPE_BITS = _PAGE_BITS = 31

_ABSENT = frozenset({"", "n/a", "na", "none", "null", "-", "--"})
_NOT_FINITE = frozenset({"nan", "inf", "infinity"})
_BLANKS = " \t\r\n"
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_WHOLE = re.compile(r"([+-]?[0-9]{1,20})(?:\.0*)?")
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def plants(data: Any, asked: Collection[str]) -> Parsed[Plant]:  # noqa: ARG001  # because parsers share one form
    """Reads a plant list (reference 2.2), old or paged, whose capacities are MW or kW."""

    def plant(item: Mapping[str, Any]) -> tuple[str, Plant] | str:
        code = _plant_code(item)
        if not code:
            return "wrong_type"
        newer = bool(item.get("plantCode"))
        latitude, longitude = _coordinates(item)
        return code, Plant(
            code=code,
            name=_text(item.get("plantName" if newer else "stationName")),
            capacity_watts=_watts(item.get("capacity"), 1e3 if newer else 1e6),
            build_state=_text(item.get("buildState")),
            connection_type=_text(item.get("combineType")),
            latitude=latitude,
            longitude=longitude,
        )

    return _parsed(data, plant)


def devices(data: Any, asked: Collection[str]) -> Parsed[Device]:
    """Reads a device list (reference 2.8); `asked` holds plant codes."""
    wanted = frozenset(asked)

    def device(item: Mapping[str, Any]) -> tuple[str, Device] | str:
        identity, plant_code = _device_id(item.get("id")), _plant_code(item)
        type_id = _whole(item.get("devTypeId"), _TYPE_BITS)
        if not identity or not plant_code or type_id is None or type_id < 0:
            return "wrong_type"
        if plant_code not in wanted:
            return "not_asked_for"
        latitude, longitude = _coordinates(item)
        return identity, Device(
            id=identity,
            plant_code=plant_code,
            type_id=type_id,
            name=_text(item.get("devName")),
            model=_text(item.get("model")) or _text(item.get("invType")),
            serial_number=_text(item.get("esnCode")),
            software_version=_text(item.get("softwareVersion")),
            latitude=latitude,
            longitude=longitude,
        )

    return _parsed(data, device)


def plant_readings(data: Any, asked: Collection[str]) -> Parsed[Reading]:
    """Reads real-time plant data (reference 2.3); `asked` holds plant codes."""
    return _readings(data, asked, _plant_code)


def device_readings(data: Any, asked: Collection[str]) -> Parsed[Reading]:
    """Reads real-time device data (reference 2.9); `asked` holds device ids."""
    return _readings(data, asked, lambda item: _device_id(item.get("devId")))


def number(raw: object) -> float | str | None:
    """A value's finite number, None for an absent one, or why there is neither.

    Numbers come as such and as text, absence as null, "", "N/A" and the like. The reasons are
    `not_a_number`, `not_finite` and `wrong_type`.
    """
    match raw:
        case None:
            return None
        case bool():
            return "wrong_type"
        case int() | float():
            return _finite(raw)
        case str():
            return _number_in(raw.strip(_BLANKS))
        case _:
            return "wrong_type"


def _finite(raw: float) -> float | str:
    try:
        value = float(raw)
    except OverflowError:
        return "not_finite"
    return value if isfinite(value) else "not_finite"


def _number_in(text: str) -> float | str | None:
    word = text.lower()
    if word in _ABSENT:
        return None
    if word.lstrip("+-") in _NOT_FINITE:
        return "not_finite"
    return _finite(float(text)) if _NUMBER.fullmatch(text) else "not_a_number"


def _readings(
    data: Any, asked: Collection[str], identify: Callable[[Mapping[str, Any]], str]
) -> Parsed[Reading]:
    wanted = frozenset(asked)

    def reading(item: Mapping[str, Any]) -> tuple[str, Reading] | str:
        subject, items = identify(item), item.get("dataItemMap")
        if not subject or not isinstance(items, Mapping | None):
            return "wrong_type"
        if subject not in wanted:
            return "not_asked_for"
        return subject, _reading(subject, items or {})

    return _parsed(data, reading)


def _reading(subject: str, items: Mapping[Any, Any]) -> Reading:
    values: dict[str, float] = {}
    rejected: dict[str, str] = {}
    for raw_key, raw in islice(items.items(), _MOST_KEYS):
        key = _text(raw_key, _LONGEST_KEY)
        match number(raw):
            case float(value) if key:
                values[key] = value
            case str(reason) if key:
                rejected[key] = reason
    return Reading(subject, values, rejected)


def _parsed(
    data: Any, parse: Callable[[Mapping[str, Any]], tuple[str, Record] | str]
) -> Parsed[Record]:
    """Parses item by item; `parse` gives an identity with its record, or why there is none."""
    items, pages = _items(data)
    records: dict[str, Record] = {}
    rejected: Counter[str] = Counter()
    for item in items:
        outcome = parse(item) if isinstance(item, dict) else "wrong_type"
        if isinstance(outcome, str):
            rejected[outcome] += 1
        elif outcome[0] in records:
            rejected["duplicate"] += 1
        else:
            records[outcome[0]] = outcome[1]
    return Parsed(tuple(records.values()), rejected, pages)


def _items(data: Any) -> tuple[list[Any], int]:
    """The items of a list or of a page, and how many pages there are."""
    match data:
        case None:
            return [], 1
        case list():
            return data, 1
        case {"list": list() | None as items}:
            pages = _whole(data.get("pageCount"), _PAGE_BITS) or 1
            return items or [], pages if 0 < pages <= _MOST_PAGES else 1
        case _:
            raise word_error("malformed", enveloped=True)


def _text(raw: object, longest: int = _LONGEST_TEXT) -> str:
    """A scalar's text without what cannot be shown; empty for null and everything else."""
    match raw:
        case str():
            return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", raw[:longest])
        case bool() | None:
            return ""
        case int() | float() if (whole := _whole(raw, _ID_BITS)) is not None:
            return str(whole)
        case float() if isfinite(raw):
            return str(raw)
        case _:
            return ""


def _whole(raw: object, bits: int) -> int | None:
    """The exact whole number in an int, a float or a text, if it has at most so many bits."""
    match raw:
        case bool():
            return None
        case int():
            whole = raw
        case float() if raw.is_integer() and abs(raw) <= _EXACT:
            whole = int(raw)
        case str() if found := _WHOLE.fullmatch(raw.strip(_BLANKS)):
            whole = int(found[1])
        case _:
            return None
    return whole if whole.bit_length() <= bits else None


def _device_id(raw: object) -> str:
    """A 64-bit number in exact decimal text; empty for anything else, as ids are sent as digits."""
    whole = _whole(raw, _ID_BITS)
    return "" if whole is None else str(whole)


def _plant_code(item: Mapping[str, Any]) -> str:
    """The code as it must be sent again; empty if it could not be, as codes are sent in a list."""
    raw = item.get("plantCode") or item.get("stationCode")
    code = _text(raw)
    sendable = not isinstance(raw, str) or (code == raw and code == code.strip())
    return code if sendable and "," not in code else ""


def _watts(raw: object, factor: float) -> float | None:
    capacity = number(raw)
    if not isinstance(capacity, float) or not isfinite(capacity * factor):
        return None
    return round(capacity * factor, 3)


def _coordinates(item: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """Latitude and longitude in degrees, both or none; 0, 0 is how servers say that they lack."""
    latitude, longitude = number(item.get("latitude")), number(item.get("longitude"))
    if (
        isinstance(latitude, float)
        and isinstance(longitude, float)
        and abs(latitude) <= 90  # noqa: PLR2004  # because the globe is no setting
        and abs(longitude) <= 180  # noqa: PLR2004  # because the globe is no setting
        and (latitude or longitude)
    ):
        return latitude, longitude
    return None, None
