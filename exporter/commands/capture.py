"""Raw answers for bug reports and fixtures, in which nobody and nothing can be recognized.

What is kept is listed; whatever else an answer holds, in whichever field, is replaced by something
of the same form. The same original has the same replacement in all files.
"""

import json
import os
import re
from collections import Counter
from math import isfinite
from pathlib import Path
from random import SystemRandom
from string import ascii_lowercase, ascii_uppercase, digits
from typing import Any

from exporter.catalogue.rows import ROWS
from exporter.commands.options import fail

# Fields whose numbers, also as text, tell nothing of anybody: envelope, paging, codes, times.
_NUMBERS = frozenset(
    {
        *("failCode", "buildCode", "errorCode", "pageNo", "pageSize", "pageCount", "total"),
        *("capacity", "buildState", "combineType", "aidType", "devTypeId", "optimizerNumber"),
        *("alarmId", "causeId", "alarmType", "lev", "levels", "types", "status"),
        *("process", "upgradeResult"),
        *("collectTime", "currentTime", "raiseTime", "recoveryTime", "lastUpgradeTime"),
        *("beginTime", "endTime"),
        *(row.key for row in ROWS),
    }
)
# Fields that hold what the maker named, not the owner.
_PRODUCTS = frozenset({"model", "invType", "softwareVersion", "sourceVersion", "targetVersion"})
_PRODUCT = re.compile(r"[\w .,/()+-]{0,48}", re.ASCII)
_LISTS = frozenset({"stationCodes", "devIds", "plantCodes", "SN", "sns"})
_SECRETS = frozenset({"systemcode", "password", "xsrf-token", "xsrftoken", "token", "accesstoken"})
_PLACES = ("latitude", "longitude")
_VALUES = "dataItemMap"

# Words that servers say to everybody.
_WORDS = frozenset(
    {
        *("", "null", "None", "N/A", "NA", "NaN", "-", "--", "true", "false"),
        *("en_US", "en_UK", "zh_CN", "de_DE", "ACCESS_FREQUENCY_IS_TOO_HIGH", "USER_MUST_RELOGIN"),
        "Invalid access to current interface!",
        "user does not exist",
    }
)
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?")
_DAY = re.compile(r"([0-9]{4})-[0-9]{2}-[0-9]{2}([T ].*)?")
_LONGEST_COUNT = 10**6  # of a KPI that nobody knows: what is longer may be an id
_KEY = re.compile(
    "[A-Za-z_]+([0-9]{1,2}[A-Za-z_]+)*[0-9]{0,2}"
)  # what interfaces call their fields
_TRIES = 50  # until a replacement gets longer than the original
_CLASSES = (digits, ascii_lowercase, ascii_uppercase)


class Disguise:
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
        """A whole answer in disguise; the original stays as it is."""
        return self._of(value, "", values=False)

    def _of(self, value: Any, key: str, *, values: bool) -> Any:
        match value:
            case dict():
                return {
                    self._key(name): self._of(each, name, values=values or key == _VALUES)
                    for name, each in value.items()
                }
            case list():
                return [self._of(each, key, values=values) for each in value]
            case None | bool():
                return value
            case int() | float():
                return self._number(value, key, values=values)
            case _:
                return self._text(value, key, values=values)

    def _key(self, name: str) -> str:
        """Keys are words of the interface, unless a map is kept by a name that was met before."""
        if not _KEY.fullmatch(name):
            return self._new(name)
        if name not in self._known:
            self._fields.add(name)
        return name if name in self._fields else self._known[name]

    def _number(self, value: float, key: str, *, values: bool) -> Any:
        if key in _PLACES:
            return self._place(value, key)
        if _tells_nothing(value, key, values=values):
            return value
        if isinstance(value, int):
            return int(self._new(str(value)))
        return float(self._new(str(int(value)))) if value.is_integer() else 0.5

    def _text(self, value: str, key: str, *, values: bool) -> str:
        if key.lower() in _SECRETS:
            return "removed"
        product = key in _PRODUCTS and _PRODUCT.fullmatch(value)
        if product or value.strip() in _WORDS:
            return value
        if _NUMBER.fullmatch(value.strip()):
            return self._number_in(value.strip(), key, values=values)
        if key in _LISTS:
            return ",".join(self._new(part) for part in value.split(","))
        if day := _DAY.fullmatch(value):
            return f"{day[1]}-01-01"
        return self._new(value)

    def _number_in(self, text: str, key: str, *, values: bool) -> str:
        number = float(text)
        if key in _PLACES:
            return str(self._place(number, key))
        return text if _tells_nothing(number, key, values=values) else self._new(text)

    def _place(self, degrees: float, axis: str) -> float:
        """A tenth of a degree is some ten kilometres; 0 says that a place is lacking."""
        if not degrees or not isfinite(degrees):
            return 0.0
        shifted = round(degrees + self._shifts[axis], 1)
        if axis == "latitude":
            return max(-89.0, min(89.0, shifted))
        return round((shifted + 180) % 360 - 180, 1)

    def _new(self, original: str) -> str:
        """The replacement: a digit for a digit, a letter for a letter."""
        if original.startswith("NE="):  # a plant's code and a device's name in the network
            return "NE=" + self._new(original.removeprefix("NE="))
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


def _tells_nothing(value: float, key: str, *, values: bool) -> bool:
    """Whether a number may stay: one of a field that is known, or a KPI that cannot be an id."""
    if key in _NUMBERS:
        return True
    return values and (abs(value) < _LONGEST_COUNT or value != value // 1)


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
        self._disguise = Disguise()
        self._counts: Counter[str] = Counter()

    def take(self, path: str, body: bytes) -> None:
        """Writes an answer to a call of `path`. What is no JSON is only counted."""
        name = path.rpartition("/")[2]
        self._counts[name] += 1
        try:
            answer = self._disguise.envelope(json.loads(body))
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
