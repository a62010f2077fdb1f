"""The values in the items of an answer: a single one, or a whole `dataItemMap`.

Numbers come as text, whole numbers as floats, objects in objects, odd characters anywhere. Every
function is total: what is absent or cannot be used is None, empty or a `Rejection`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from math import isfinite
from typing import Any
from weakref import WeakKeyDictionary

from exporter.northbound.records import CommonKeys, Reading, Rejection, Values

_CODE_BITS = 31  # of whatever is no id: enumerations, failCodes, counts
_ID_BITS = 64
_EXACT = 2**53  # up to here a float holds its whole number exactly
_MAX_TEXT = 512  # characters
# Nothing was measured before 2000: what seems to be is a time in seconds, or none.
_FIRST_MILLISECOND = 946_684_800_000
_LAST_MILLISECOND = 253_402_300_799_999  # of the year 9999

_ABSENT = frozenset({"", "n/a", "na", "none", "null", "-", "--"})
_NOT_FINITE = frozenset({"nan", "inf", "infinity"})
_BOOLS: Mapping[str, bool] = {"true": True, "1": True, "false": False, "0": False}
_BLANKS = " \t\r\n"
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_WHOLE = re.compile(r"([+-]?[0-9]{1,20})(?:\.0*)?")
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def parse_number(raw: object) -> float | Rejection | None:
    """A finite number; None for an absent one, which is null, "", "N/A" and the like."""
    match raw:
        case None:
            return None
        case bool():
            return Rejection.WRONG_TYPE
        case int() | float():
            return _finite(raw)
        case str():
            return _number_in(raw.strip(_BLANKS).lower())
        case _:
            return Rejection.WRONG_TYPE


def _finite(raw: float) -> float | Rejection:
    try:
        value = float(raw)
    except OverflowError:
        return Rejection.NOT_FINITE
    return value if isfinite(value) else Rejection.NOT_FINITE


def _number_in(text: str) -> float | Rejection | None:
    if text in _ABSENT:
        return None
    if text.lstrip("+-") in _NOT_FINITE:
        return Rejection.NOT_FINITE
    return _finite(float(text)) if _NUMBER.fullmatch(text) else Rejection.NOT_A_NUMBER


def without_percent(raw: object) -> object:
    """A percentage's text as that of its percents; everything else as it is."""
    return raw.strip(_BLANKS).removesuffix("%") if isinstance(raw, str) else raw


def parse_text(raw: object, max_length: int = _MAX_TEXT) -> str:
    """A scalar's text without what cannot be shown; empty for null and everything else."""
    match raw:
        case str():
            return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", raw[:max_length])
        case bool() | None:
            return ""
        case int() | float() if (exact := parse_int(raw, _ID_BITS)) is not None:
            return str(exact)
        case float() if isfinite(raw):
            return str(raw)
        case _:
            return ""


def parse_serial(raw: object) -> str:
    """A serial number; empty where a text says that there is none."""
    text = parse_text(raw).strip()
    return "" if text.lower() in _ABSENT else text


def parse_int(raw: object, bits: int = _CODE_BITS) -> int | None:
    """The exact whole number in an int, a float or a text, if it has at most so many bits."""
    match raw:
        case bool():
            return None
        case int():
            exact = raw
        case float() if raw.is_integer() and abs(raw) <= _EXACT:
            exact = int(raw)
        case str() if found := _WHOLE.fullmatch(raw.strip(_BLANKS)):
            exact = int(found[1])
        case _:
            return None
    return exact if exact.bit_length() <= bits else None


def parse_bool(raw: object) -> bool | None:
    """A yes or no, which may also come as 1 or 0 or as text."""
    return raw if isinstance(raw, bool) else _BOOLS.get(parse_text(raw).strip().lower())


def parse_time(raw: object) -> float | None:
    """A time in milliseconds since the epoch, in seconds; None outside the years 2000 to 9999."""
    milliseconds = parse_int(raw, _ID_BITS)
    if milliseconds is None or not _FIRST_MILLISECOND <= milliseconds <= _LAST_MILLISECOND:
        return None
    return milliseconds / 1000


def parse_device_id(raw: object) -> str | None:
    """A 64-bit number in exact decimal text: ids are sent as digits."""
    exact = parse_int(raw, _ID_BITS)
    return None if exact is None else str(exact)


def parse_dn(item: Mapping[str, object]) -> str | None:
    """The name by which newer interfaces know a device, None for no name; some say `devDns`."""
    return parse_serial(item.get("devDn")) or parse_serial(item.get("devDns")) or None


def parse_plant_code(item: Mapping[str, Any]) -> str | None:
    """An item's plant code as it must be sent again; None if it could not be, in a list."""
    raw = item.get("plantCode") or item.get("stationCode")
    code = parse_text(raw)
    sendable = not isinstance(raw, str) or (code == raw and code == code.strip())
    return code if code and sendable and "," not in code else None


def parse_coordinates(item: Mapping[str, Any]) -> tuple[float, float] | tuple[None, None]:
    """Latitude and longitude in degrees; 0, 0 is how servers say that there are none."""
    latitude, longitude = (parse_number(item.get(key)) for key in ("latitude", "longitude"))
    if (
        isinstance(latitude, float)
        and isinstance(longitude, float)
        and abs(latitude) <= 90  # noqa: PLR2004  # because the globe is no setting
        and abs(longitude) <= 180  # noqa: PLR2004  # because the globe is no setting
        and (latitude or longitude)
    ):
        return latitude, longitude
    return None, None


# --- a whole dataItemMap --------------------------------------------------------------------------

_MAX_KEYS = 4_096  # in one dataItemMap; the longest documented one has 81
_MAX_KEY = 128
_MAX_DEPTH = 4  # levels of objects in one
_SERIAL = ".sn"  # how the key of a serial number within an object ends

_PLAIN = frozenset({float, int, type(None)})


def reading_of(subject: str, items: Mapping[Any, Any]) -> Reading:
    """The reading of a plant or device; what is no number is counted, and serials are texts."""
    plain = _plain_numbers(items)
    if plain is not None:
        return Reading(subject, plain)
    values: dict[str, float] = {}
    rejected: dict[str, Rejection] = {}
    texts: dict[str, str] = {}
    for key, raw in islice(_flatten(items.items()), _MAX_KEYS):
        if key.endswith(_SERIAL):
            if serial := parse_serial(raw):
                texts[key] = serial
            continue
        match parse_number(without_percent(raw) if "." in key else raw):
            case float(value) if key:
                values[key] = value
            case Rejection() as reason if key:
                rejected[key] = reason
    return Reading(subject, Values(values), rejected, texts)


def _plain_numbers(items: Mapping[Any, Any]) -> Values | None:
    """The numbers of items that are nothing but numbers and nulls under simple keys, as most are.

    All at once, which takes a tenth of the time; None where any of them needs a closer look.
    """
    kinds = set(map(type, items.values()))
    if not kinds <= _PLAIN or len(items) > _MAX_KEYS:
        return None
    if type(None) in kinds:
        items = {key: raw for key, raw in items.items() if raw is not None}
    try:
        values = Values(items)
    except OverflowError:
        return None
    return values if _are_simple(values.common) and all(map(isfinite, values.numbers)) else None


_SIMPLE: "WeakKeyDictionary[CommonKeys[Any], bool]" = WeakKeyDictionary()


def _are_simple(keys: CommonKeys[Any]) -> bool:
    """Whether there is nothing to be cleaned, cut or taken apart in any of these keys."""
    simple = _SIMPLE.get(keys)
    if simple is None:
        simple = _SIMPLE[keys] = all(map(_is_simple, keys.places))
    return simple


def _is_simple(key: Any) -> bool:
    return (
        isinstance(key, str) and 0 < len(key) <= _MAX_KEY and "." not in key and key.isprintable()
    )


def _flatten(items: Iterable[tuple[Any, Any]], head: str = "") -> Iterator[tuple[str, Any]]:
    """Every item, and after an object or list its contents, each with its path."""
    for raw_key, raw in items:
        key = parse_text(head + parse_text(raw_key), _MAX_KEY)
        inner = _inner(raw) if head.count(".") < _MAX_DEPTH else None
        if inner is None or not head:
            yield key, raw
        if inner is not None:
            yield from _flatten(inner, f"{key}.")


def _inner(raw: object) -> Iterable[tuple[Any, Any]] | None:
    match raw:
        case Mapping():
            return raw.items()
        case list():
            return enumerate(raw, start=1)
        case _:
            return None
