"""What the management system tells us, once parsed: frozen records without behaviour.

Personal data (contacts, telephone numbers, addresses) has no field here: the parser drops it.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar


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
    """A device of a plant (reference 2.8). `id` is the exact decimal text of a 64-bit number."""

    id: str
    plant_code: str
    type_id: int
    name: str = ""
    model: str = ""
    serial_number: str = ""
    software_version: str = ""
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """One `dataItemMap` (reference 2.3, 2.9): what a plant or device reported.

    `subject` is the plant code or device id. `values` holds finite numbers in the unit of the
    source; what was absent (null, "", "N/A") is in neither map. `rejected` holds the keys whose
    value could not be used, each with its reason: `not_a_number`, `not_finite` or `wrong_type`.
    """

    subject: str
    values: Mapping[str, float]
    rejected: Mapping[str, str] = field(default_factory=dict)


Record = TypeVar("Record", Plant, Device, Reading)


@dataclass(frozen=True, slots=True)
class Parsed(Generic[Record]):
    """What a parser made of one answer's `data`.

    `rejected` counts, by reason, the items that made no record: `wrong_type`, `duplicate`,
    `not_asked_for`. `pages` is how many pages the whole list has (1 where lists are not paged).
    """

    records: tuple[Record, ...]
    rejected: Counter[str] = field(default_factory=Counter)
    pages: int = 1
