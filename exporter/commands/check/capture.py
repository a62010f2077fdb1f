"""Raw answers for bug reports and fixtures, with all that could identify an owner replaced.

What is kept is listed; whatever else an answer holds, in whichever field, is replaced by something
of the same form. The same original has the same replacement in all files.
"""

import json
import os
import re
from collections import Counter
from collections.abc import Callable, Mapping
from math import isfinite
from pathlib import Path
from random import SystemRandom
from string import ascii_lowercase, ascii_uppercase, digits
from typing import Any

from exporter.catalogue.index import ROWS
from exporter.commands.options import fail
from exporter.northbound.errors import FAIL_CODES
from exporter.northbound.interfaces import INTERFACES, Content

Keeps = Callable[[float], bool]  # whether a number may stay

_NO_VALUES = frozenset({2**31 - 1, -(2**31), 2**32 - 1})  # which devices send where they have none
_MAX_CODE = 10**5
_MAX_VALUE = 10**9  # what is longer may be an id or a telephone number
_YEARS = (1_262_304_000, 4_102_444_800)  # 2010 to 2100, in seconds


def _never(value: float) -> bool:  # noqa: ARG001  # because it is about no value
    return False


def _is_code(value: float) -> bool:
    return value in _NO_VALUES or (abs(value) < _MAX_CODE and value == value // 1)


def _is_value(value: float) -> bool:
    return value in _NO_VALUES or abs(value) < _MAX_VALUE


def _is_time(value: float) -> bool:
    begin, end = _YEARS
    return value == 0 or begin <= value < end or begin <= value // 1_000 < end


_SETTINGS = [row for row in ROWS if INTERFACES[row.interface].content is Content.CONFIGURATION]
# The numbers, also as text, that tell nothing of anybody: codes, times and capacities by their
# field, and what the catalogue knows among the KPIs. All others go: a coordinate has many names.
_FIELDS: Mapping[str, Keeps] = {
    **dict.fromkeys(
        (
            *("failCode", "buildCode", "pageNo", "pageSize", "pageCount", "total"),
            *("buildState", "combineType", "aidType", "devTypeId", "optimizerNumber"),
            *("alarmId", "causeId", "alarmType", "lev", "levels", "types", "status"),
            *("process", "upgradeResult"),
        ),
        _is_code,
    ),
    **dict.fromkeys(
        (
            *("collectTime", "currentTime", "raiseTime", "recoveryTime", "lastUpgradeTime"),
            *("beginTime", "endTime"),
        ),
        _is_time,
    ),
    **{row.key: _is_value for row in _SETTINGS if row.words is None},
    "capacity": _is_value,
    "data": FAIL_CODES.__contains__,
    "errorCode": {49401021002}.__contains__,  # a refusal for load
}
_KPIS: Mapping[str, Keeps] = {
    row.key: _is_time if row.source_unit == "ms" else _is_value for row in ROWS
}
_NOTHING: Mapping[str, Keeps] = {}
# Fields that hold what the maker named, not the owner.
_PRODUCTS = frozenset({"model", "invType", "softwareVersion", "sourceVersion", "targetVersion"})
# A letter and a digit in one word, as in SUN2000-10KTL-M1; a serial number has longer numbers.
_PRODUCT = re.compile(r"(?=.*[A-Za-z])(?=.*[0-9])(?!.*[0-9]{6})[\w.,/()+-]{2,48}", re.ASCII)
_LISTS = frozenset({"stationCodes", "devIds", "plantCodes", "SN", "sns"})
_SECRETS = frozenset({"systemcode", "password", "xsrf-token", "xsrftoken", "token", "accesstoken"})
_PLACES = ("latitude", "longitude")
_HALF_TURN = 180
_VALUES = frozenset({"dataItemMap", "dataItems"})

# Words that servers say to everybody.
_WORDS = frozenset(
    {
        *("", "null", "None", "N/A", "NA", "NaN", "-", "--", "true", "false"),
        *("en_US", "en_UK", "zh_CN", "de_DE", "ACCESS_FREQUENCY_IS_TOO_HIGH", "USER_MUST_RELOGIN"),
        "Invalid access to current interface!",
        "user does not exist",
        *(word for row in _SETTINGS for word in row.words or ()),
    }
)
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?")
_DAY = re.compile(r"([12][0-9]{3}-)[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9:.]{2,12}[Z0-9:+-]{0,6})?")
_KEY = re.compile(
    "[A-Za-z_]+([0-9]{1,2}[A-Za-z_]+)*[0-9]{0,2}"
)  # what interfaces call their fields
_TRIES = 50  # until a replacement gets longer than the original
_CLASSES = (digits, ascii_lowercase, ascii_uppercase)


class Anonymizer:
    """Replaces, for one capture, whatever could tell whose answers these are."""

    def __init__(self) -> None:
        self._dice = SystemRandom()
        self._known: dict[str, str] = {}
        self._fields: set[str] = set()
        self._used: set[str] = set()
        # So far, in degrees, that the place is another and the weather may be the same.
        self._shifts = {
            name: self._dice.choice((-1, 1)) * self._dice.uniform(2, 8) for name in _PLACES
        }

    def envelope(self, value: Any) -> Any:
        """A whole answer, made anonymous; the original stays as it is."""
        return self._anonymize(value, "", _FIELDS, _never)

    def _anonymize(self, value: Any, key: str, fields: Mapping[str, Keeps], keeps: Keeps) -> Any:
        """What stands in a field, and the fields of the map around it of which numbers stay."""
        match value:
            case dict():
                known = self._fields_of(key, fields)
                return {
                    self._key(name): self._anonymize(each, name, known, known.get(name, _never))
                    for name, each in value.items()
                }
            case list():
                return [self._anonymize(each, key, fields, _never) for each in value]
            case None | bool():
                return value
            case int() | float():
                return self._number(value, key, fields, keeps)
            case _:
                return self._text(value, key, fields, keeps)

    @staticmethod
    def _fields_of(key: str, around: Mapping[str, Keeps]) -> Mapping[str, Keeps]:
        """What is known of a map: the KPIs, nothing below them, and else the interface's fields."""
        if around is not _FIELDS:
            return _NOTHING
        return _KPIS if key in _VALUES else _FIELDS

    def _key(self, name: str) -> str:
        """Keys are words of the interface, unless a map is kept by a name that was met before."""
        if not _KEY.fullmatch(name):
            return self._replacement(name)
        if name not in self._known:
            self._fields.add(name)
        return name if name in self._fields else self._known[name]

    def _number(
        self, value: float, key: str, fields: Mapping[str, Keeps], keeps: Keeps
    ) -> int | float:
        if key in _PLACES and fields is _FIELDS:
            return self._coordinate(value, key)
        if not value or keeps(value):
            return value
        if isinstance(value, int):
            return int(self._replacement(str(value)))
        if not isfinite(value):
            return value
        text = str(int(value)) if value.is_integer() else repr(value)
        return float(self._replacement(text if "e" not in text else f"{value:.6f}"))

    def _text(self, value: str, key: str, fields: Mapping[str, Keeps], keeps: Keeps) -> str:
        if key.lower() in _SECRETS:
            return "removed"
        product = key in _PRODUCTS and _PRODUCT.fullmatch(value)
        if product or value.strip() in _WORDS:
            return value
        if _NUMBER.fullmatch(value.strip()):
            return self._number_in(value.strip(), key, fields, keeps)
        if key in _LISTS:
            return ",".join(self._replacement(part) for part in value.split(","))
        if day := _DAY.fullmatch(value):
            return f"{day[1]}01-01" + re.sub("[0-9]", "0", day[2] or "")
        return self._replacement(value)

    def _number_in(self, text: str, key: str, fields: Mapping[str, Keeps], keeps: Keeps) -> str:
        number = float(text)
        if key in _PLACES and fields is _FIELDS:
            return str(self._coordinate(number, key))
        return text if not number or keeps(number) else self._replacement(text)

    def _coordinate(self, degrees: float, axis: str) -> float:
        """A tenth of a degree is some ten kilometres; 0 says that a place is lacking."""
        if not degrees or not abs(degrees) <= _HALF_TURN:
            return 0.0
        shifted = round(degrees + self._shifts[axis], 1)
        if axis == "latitude":
            return max(-89.0, min(89.0, shifted))
        return round((shifted + _HALF_TURN) % 360 - _HALF_TURN, 1)

    def _replacement(self, original: str) -> str:
        """The replacement: a digit for a digit, a letter for a letter."""
        if original.startswith("NE="):  # a plant's code and a device's name in the network
            return "NE=" + self._replacement(original.removeprefix("NE="))
        if original not in self._known:
            self._known[original] = self._draw(original)
        return self._known[original]

    def _draw(self, original: str) -> str:
        drawn, tries = original, 0
        filler = digits[1:] if original[-1:].isdigit() else ascii_lowercase
        while drawn == original or drawn in self._used:
            # Short names run out of others of their form, and some have no letter in them.
            more = "".join(self._dice.choice(filler) for _ in range(tries // _TRIES))
            drawn, tries = "".join(map(self._other, original)) + more, tries + 1
        self._used.add(drawn)
        return drawn

    def _other(self, char: str) -> str:
        for kind in _CLASSES:
            if char in kind:
                return self._dice.choice(kind.replace("0", ""))
        return "x" if char.isalnum() or not char.isascii() else char


class Capture:
    """Writes each answer into a directory of its own, one file a call.

    Raises:
        ValueError: The directory is not empty, or cannot be made.
    """

    def __init__(self, directory: Path) -> None:
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            occupied = any(directory.iterdir())
        except OSError as error:
            raise ValueError(f"cannot be used: {error.strerror}") from None
        if occupied:
            raise ValueError("is not empty")
        self._directory = directory
        self._anonymizer = Anonymizer()
        self._counts: Counter[str] = Counter()

    def record(self, path: str, body: bytes) -> None:
        """Writes an answer to a call of `path`. What is no JSON is only counted."""
        name = path.rpartition("/")[2]
        self._counts[name] += 1
        try:
            answer = self._anonymizer.envelope(json.loads(body))
        except (ValueError, RecursionError):
            answer = {"not_json": True, "bytes": len(body)}
        text = json.dumps(answer, indent=1, ensure_ascii=False)
        file = self._directory / f"{name}-{self._counts[name]}.json"
        try:
            number = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(number, "wb") as opened:
                opened.write(text.encode(errors="replace") + b"\n")
        except OSError as error:
            fail(f"--capture {self._directory}: cannot be written: {error.strerror}")
