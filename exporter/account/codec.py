"""Values of the state as JSON and back: one codec for all of them.

Of a row that another version wrote, or nobody, what is not understood is as in a new value: a wrong
field costs itself, a wrong item of a list that item. Nothing that was read is ever quoted.
"""

import json
import sys
from array import array
from base64 import b64decode, b64encode
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache, lru_cache
from math import inf, isnan
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Generic,
    TypeAlias,
    TypeVar,
    get_args,
    get_origin,
)

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    SerializerFunctionWrapHandler,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    WrapSerializer,
)

from exporter.clock import Clock, ClockStamp

Value = TypeVar("Value")
Key = TypeVar("Key")
Item = TypeVar("Item")

MAX_REPAIRS = 20  # of one row, each of all that is wrong in it


@dataclass(frozen=True, slots=True)
class _RowClock:
    """How the times of a row become times of today's steady clock."""

    shift: float
    now: float


def _to_row(time: float) -> float | None:
    return time if -inf < time < inf else None


def _never(stored: Any) -> Any:
    return -inf if stored is None else stored


def _without_end(stored: Any) -> Any:
    return inf if stored is None else stored


def _a_number(time: float) -> float:
    if isnan(time):
        raise ValueError("no number")
    return time


def _shift(time: float, info: ValidationInfo) -> float:
    return time + info.context.shift if isinstance(info.context, _RowClock) else time


def _limit_to_past(time: float, info: ValidationInfo) -> float:
    """A stored time is in the past, even if the wall clock was set back since."""
    return min(time, info.context.now) if isinstance(info.context, _RowClock) else time


_Any = Field(allow_inf_nan=True)
_Number = AfterValidator(_a_number)
_Written = PlainSerializer(_to_row)
# Times of the steady clock; -inf is never, which a row has as null.
FutureTime = Annotated[
    float, _Any, BeforeValidator(_never), _Number, AfterValidator(_shift), _Written
]
PastTime = Annotated[FutureTime, AfterValidator(_limit_to_past)]
Amount = Annotated[float, Field(ge=0)]
# Seconds since the epoch, null for never; seconds, null for without end.
WallTime = Annotated[float, _Any, BeforeValidator(_never), _Number, _Written]
Unbounded = Annotated[float, _Any, BeforeValidator(_without_end), _Number, _Written]
NotKept = Field(exclude=True)  # a field that does not outlive the process


def _numbers(stored: Any) -> Any:
    """The 16-bit numbers of a text; ValueError for any other."""
    numbers = array("H")
    numbers.frombytes(b64decode(stored, validate=True) if isinstance(stored, str) else b"?")
    return _little_endian(numbers)


def _written_numbers(numbers: Any) -> str:
    return b64encode(_little_endian(numbers).tobytes()).decode()


def _little_endian(numbers: Any) -> Any:
    swapped = numbers[:]
    if sys.byteorder == "big":
        swapped.byteswap()
    return swapped


if TYPE_CHECKING:
    Numbers: TypeAlias = "array[int]"
else:
    # Numbers of 16 bits: JSON has them as one text.
    Numbers = Annotated[Any, PlainValidator(_numbers), PlainSerializer(_written_numbers)]


@lru_cache(maxsize=4_096)
def _intern(value: Any) -> Any:
    return value


Shared = AfterValidator(_intern)  # what thousands of rows have alike is one object for all


def _pairs(values: Mapping[Any, Any], handler: SerializerFunctionWrapHandler) -> Any:
    return handler(list(values.items()))


if TYPE_CHECKING:
    Pairs = dict
else:
    # A mapping whose keys are no texts: JSON has it as pairs.
    Pairs = Annotated[list[tuple[Key, Item]], AfterValidator(dict), WrapSerializer(_pairs)]


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A value as it is stored: JSON, and the clocks by which its times were written."""

    body: str
    stamp: ClockStamp

    @classmethod
    def of(cls, body: str, boot: str | None, offset: float, written: float) -> "StoredRow":
        """The row of these columns."""
        return cls(body, ClockStamp(boot, offset, written))

    @property
    def columns(self) -> tuple[str, str | None, float, float]:
        """Its columns: JSON, the machine's start, the wall clock's offset, and the steady time."""
        return self.body, self.stamp.boot, self.stamp.offset, self.stamp.now


class Codec(Generic[Value]):
    """Writes and reads the values of one type."""

    def __init__(self, kind: Any) -> None:
        self._adapter: TypeAdapter[tuple[Value]] = _adapter(kind)
        self._fields = _fields(kind)

    def encode(self, value: Value) -> str:
        """The value as JSON."""
        return self._adapter.serializer.to_json((value,)).decode()[1:-1]

    def decode(self, row: StoredRow, clock: Clock, report: Callable[[str], None]) -> Value | None:
        """The value of a row, as far as it is understood; None if nothing of it is.

        `report` is given what was not, in words that quote none of it.
        """
        reading = _RowClock(row.stamp.shift(clock), clock.now())
        try:
            (value,) = self._adapter.validate_json(f"[{row.body}]", context=reading)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            report(_reason(first, self._fields))
        else:
            return value
        try:
            data = [json.loads(row.body)]
            json.dumps(data, ensure_ascii=False).encode()  # what cannot be written is no text
        except (ValueError, RecursionError):
            return None
        return self._repaired(data, reading)

    def _repaired(self, data: list[Any], reading: _RowClock) -> Value | None:
        """The value without what is wrong in it."""
        for _ in range(MAX_REPAIRS):
            try:
                (value,) = self._adapter.validate_python(data, context=reading)
            except ValidationError as error:
                found = error.errors(include_url=False, include_input=False)
            else:
                return value
            places: dict[tuple[int, Any], Any] = {}
            for each in found:
                container, step = _locate(data, each)
                places[id(container), step] = container
            # Of a list the last item first: the places of the others stay as they are.
            for (_, step), container in reversed(places.items()):
                if container is data:
                    return None
                del container[step]
        return None


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(tuple[kind], config=ConfigDict(allow_inf_nan=False))


def _fields(kind: Any) -> frozenset[str]:
    """The names of a record's fields; none for what is no record."""
    record = get_args(kind)[0] if get_origin(kind) is Annotated else get_origin(kind) or kind
    return frozenset(each.name for each in fields(record)) if is_dataclass(record) else frozenset()


def _reason(error: Mapping[str, Any], named: Collection[str]) -> str:
    """What is wrong, and in which field: whatever else stands on the way to it may be a key."""
    place = next((each for each in error["loc"][1:] if each in named), "")
    kind = str(error["type"])
    return f"{place}: {kind}" if place else kind


def _locate(data: list[Any], error: Mapping[str, Any]) -> tuple[Any, Any]:
    """The container and key of what an error is about, or else of what lacks it."""
    container: Any = data
    place, here = 0, container
    for step in error["loc"]:
        if not (isinstance(here, dict | list) and _has(here, step)):
            break
        container, place, here = here, step, here[step]
    return container, place


def _has(container: dict[Any, Any] | list[Any], step: Any) -> bool:
    if isinstance(container, dict):
        return step in container
    return isinstance(step, int) and step < len(container)
