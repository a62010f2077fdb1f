"""One value of an answer, as it may come: numbers as text, whole numbers as floats, odd characters.

Every function is total: what is absent or cannot be used is None, empty or a reason, never raised.
"""

import re
from collections.abc import Mapping
from math import isfinite
from typing import Any

_CODE_BITS = 31  # of whatever is no id: enumerations, failCodes, counts
_ID_BITS = 64
_EXACT = 2**53  # up to here a float tells its whole number exactly
_LONGEST_TEXT = 512  # characters
# Before 2000 there was nothing to tell of: what seems to be is a time in seconds, or none.
_FIRST_MILLISECOND = 946_684_800_000
_LAST_MILLISECOND = 253_402_300_799_999  # of the year 9999

_ABSENT = frozenset({"", "n/a", "na", "none", "null", "-", "--"})
_NOT_FINITE = frozenset({"nan", "inf", "infinity"})
_FLAGS: Mapping[str, bool] = {"true": True, "1": True, "false": False, "0": False}
_BLANKS = " \t\r\n"
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_WHOLE = re.compile(r"([+-]?[0-9]{1,20})(?:\.0*)?")
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


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


def _number_in(stripped: str) -> float | str | None:
    word = stripped.lower()
    if word in _ABSENT:
        return None
    if word.lstrip("+-") in _NOT_FINITE:
        return "not_finite"
    return _finite(float(word)) if _NUMBER.fullmatch(word) else "not_a_number"


def text(raw: object, longest: int = _LONGEST_TEXT) -> str:
    """A scalar's text without what cannot be shown; empty for null and everything else."""
    match raw:
        case str():
            return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", raw[:longest])
        case bool() | None:
            return ""
        case int() | float() if (exact := whole(raw, _ID_BITS)) is not None:
            return str(exact)
        case float() if isfinite(raw):
            return str(raw)
        case _:
            return ""


def whole(raw: object, bits: int = _CODE_BITS) -> int | None:
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


def flag(raw: object) -> bool | None:
    """A yes or no, which may also come as 1 or 0 or as text; None for anything else."""
    return raw if isinstance(raw, bool) else _FLAGS.get(text(raw).strip().lower())


def seconds(raw: object) -> float | None:
    """A time in milliseconds since the epoch, in seconds; None outside the years 2000 to 9999."""
    milliseconds = whole(raw, _ID_BITS)
    if milliseconds is None or not _FIRST_MILLISECOND <= milliseconds <= _LAST_MILLISECOND:
        return None
    return milliseconds / 1000


def device_id(raw: object) -> str:
    """A 64-bit number in exact decimal text; empty for anything else, as ids are sent as digits."""
    exact = whole(raw, _ID_BITS)
    return "" if exact is None else str(exact)


def plant_code(item: Mapping[str, Any]) -> str:
    """The code as it must be sent again; empty if it could not be, as codes are sent in a list."""
    raw = item.get("plantCode") or item.get("stationCode")
    code = text(raw)
    sendable = not isinstance(raw, str) or (code == raw and code == code.strip())
    return code if sendable and "," not in code else ""


def coordinates(item: Mapping[str, Any]) -> tuple[float | None, float | None]:
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
