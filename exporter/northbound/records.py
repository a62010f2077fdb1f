"""What the management system answers, once parsed: frozen records.

Personal data (contacts, telephone numbers, addresses) has no field here: the parser drops it.
"""

from array import array
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, Generic, TypeVar
from weakref import WeakValueDictionary

from pydantic import AfterValidator, PlainSerializer


@dataclass(frozen=True, slots=True)
class Plant:
    """A plant of the account (reference 2.2).

    `capacity_watts` is the installed capacity, whichever unit the answer used; the codes of
    `build_state` and `connection_type` are kept as sent, empty where none was.
    """

    code: str
    name: str
    capacity_watts: float | None = None
    build_state: str = ""
    connection_type: str = ""
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True)
class Device:
    """A device of a plant (reference 2.8). `id` is the exact decimal text of a 64-bit number.

    `dn` is its other name, which newer servers tell and newer interfaces ask for.
    """

    id: str
    plant_code: str
    type_id: int
    name: str = ""
    model: str = ""
    serial_number: str = ""
    software_version: str = ""
    latitude: float | None = None
    longitude: float | None = None
    dn: str = ""


Key = TypeVar("Key", bound=Hashable)


class CommonKeys(Generic[Key]):
    """The keys that many have in common, each with its place; one object for each set of them."""

    __slots__ = ("__weakref__", "places")

    def __init__(self, keys: tuple[Key, ...]) -> None:
        self.places: Mapping[Key, int] = {key: place for place, key in enumerate(keys)}


_KEYS: "WeakValueDictionary[tuple[Any, ...], CommonKeys[Any]]" = WeakValueDictionary()


def common_keys(keys: tuple[Key, ...]) -> CommonKeys[Key]:
    """The keys as one shared object as long as it is used."""
    return _KEYS.get(keys) or _KEYS.setdefault(keys, CommonKeys(keys))


class Values(Mapping[str, float]):
    """What a plant or device reported: a number for each of its `common` keys.

    In a tenth of the memory of a dictionary: a large fleet keeps the last reading of each device,
    and thousands of devices send the same keys.
    """

    __slots__ = ("common", "numbers")

    def __init__(self, values: Mapping[str, float]) -> None:
        self.common = common_keys(tuple(values))
        self.numbers = array("d", values.values())

    def __getitem__(self, key: str) -> float:
        """The number of a key."""
        return self.numbers[self.common.places[key]]

    def get(self, key: str, default: Any = None) -> Any:
        """The number of a key, without the exception that a mapping asks itself with."""
        place = self.common.places.get(key)
        return default if place is None else self.numbers[place]

    def __iter__(self) -> Iterator[str]:
        """The keys, as they were sent."""
        return iter(self.common.places)

    def __len__(self) -> int:
        """How many there are."""
        return len(self.numbers)

    def __repr__(self) -> str:
        """The numbers by key, as a dictionary shows them."""
        return repr(self.as_dict())

    def as_dict(self) -> dict[str, float]:
        """The same as a dictionary."""
        return dict(zip(self.common.places, self.numbers, strict=True))

    @classmethod
    def __get_pydantic_core_schema__(cls, _: Any, handler: Any) -> Any:
        """For the codec it is a dictionary."""
        as_dict = PlainSerializer(cls.as_dict)
        return handler(Annotated[dict[str, float], AfterValidator(cls), as_dict])


_NOTHING: Mapping[str, Any] = {}  # shared, as most readings have nothing there


class Rejection(StrEnum):
    """Why a value or an item of an answer cannot be used, as a label value."""

    NOT_A_NUMBER = "not_a_number"
    NOT_FINITE = "not_finite"
    WRONG_TYPE = "wrong_type"
    DUPLICATE = "duplicate"
    NOT_ASKED_FOR = "not_asked_for"


@dataclass(frozen=True, slots=True)
class Reading:
    """One `dataItemMap` (reference 2.3, 2.9) or the like: what a plant or device reported.

    `subject` is the plant code or device id. `values` holds finite numbers in the unit of the
    source; what was absent (null, "", "N/A") is in neither map. `rejected` holds the keys whose
    value could not be used. An object is one of these, and what stands in it is in the maps as
    well, by the way to it: `battery_unit_info.unit1.2.soh`. `texts` holds the serial numbers there,
    and of a configuration the words by which modes are sent.
    """

    subject: str
    values: Values
    rejected: Mapping[str, Rejection] = field(default_factory=lambda: _NOTHING)
    texts: Mapping[str, str] = field(default_factory=lambda: _NOTHING)


@dataclass(frozen=True, slots=True)
class TimedReading:
    """One row of statistics or of 5-minute data (reference 2.4-2.7, 2.10-2.13).

    `start` is the row's own `collectTime`, in seconds since the epoch: when its period begins.
    """

    start: float
    reading: Reading


@dataclass(frozen=True, slots=True)
class Windows:
    """A plant's or device's statistics: those of the running period and of the last full one."""

    current: TimedReading | None = None
    previous: TimedReading | None = None


@dataclass(frozen=True, slots=True)
class Alarm:
    """One occurrence of an alarm (reference 2.16).

    `raised` is in seconds since the epoch; `severity` and `type` are names of `enums`, `unknown`
    for what no table names; `status` is the code as sent, None where none was. `active` is false
    for what was handled or cleared, and `recovered` when that was, where an answer tells.
    """

    plant_code: str
    serial_number: str
    alarm_id: str
    cause_id: str
    raised: float
    name: str = ""
    device_name: str = ""
    severity: str = "unknown"
    type: str = "unknown"
    status: int | None = None
    active: bool = True
    recovered: float | None = None


@dataclass(frozen=True, slots=True)
class PlantAlarms:
    """A plant's alarms after an answer: all that are active, and those seen for the first time."""

    active: tuple[Alarm, ...]
    new: tuple[Alarm, ...] = ()


@dataclass(frozen=True, slots=True)
class Upgrade:
    """The last upgrade of a device (reference 2.15).

    `reading` holds the numbers `lastUpgradeTime`, `process` and `upgradeResult`.
    """

    reading: Reading
    source_version: str = ""
    target_version: str = ""


@dataclass(frozen=True, slots=True)
class UpgradeOrder:
    """What became of the order to upgrade one device (reference 2.14).

    `fail_code` is why it was not accepted, 0 where none was sent.
    """

    device_id: str
    accepted: bool
    fail_code: int = 0


@dataclass(frozen=True, slots=True)
class Registration:
    """Whether a serial number is registered by the user asked about (reference 2.17)."""

    serial_number: str
    registered: bool


Record = TypeVar(
    "Record", Plant, Device, Reading, TimedReading, Alarm, Upgrade, UpgradeOrder, Registration
)


@dataclass(frozen=True, slots=True)
class ListPage:
    """What a page says of the whole list: its pages and items, None where it does not."""

    count: int | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Parsed(Generic[Record]):
    """What a parser made of one answer's `data`.

    `rejected` counts, by reason, the items that made no record. `page` is None where the answer was
    a plain list.
    """

    records: tuple[Record, ...]
    rejected: Counter[str] = field(default_factory=Counter)
    page: ListPage | None = None
