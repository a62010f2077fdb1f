"""Plain data that another version wrote, or nobody: what is not understood costs itself alone."""

from collections.abc import Callable
from dataclasses import fields
from functools import cache
from math import isfinite
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

Found = TypeVar("Found")


_adapter: Callable[[Any], TypeAdapter[Any]] = cache(TypeAdapter)


class NotUnderstoodError(ValueError):
    """Plain data are not what they should be; the text says why, and quotes nothing."""


def build(kind: type[Found], stored: object) -> Found:
    """A record (a dataclass) from plain data; fields that it does not have are ignored.

    Raises:
        NotUnderstoodError: A field is missing, of another type, or no finite number.
    """
    try:
        record: Found = _adapter(kind).validate_python(stored)
    except ValidationError as error:
        mistake = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = mistake["loc"][0] if mistake["loc"] else kind.__name__
        reason = f"{place}: {mistake['type']}"
    else:
        values = ((field.name, getattr(record, field.name)) for field in fields(kind))  # type: ignore[arg-type]  # because no bound says dataclass
        odd = [name for name, value in values if isinstance(value, float) and not isfinite(value)]
        if not odd:
            return record
        reason = f"{odd[0]}: not finite"
    # Raised outside the handler, so that no exception chain carries what was there.
    raise NotUnderstoodError(reason)


def number(stored: object) -> float:
    """A number, which may be infinite.

    Raises:
        NotUnderstoodError: It is none.
    """
    if isinstance(stored, bool) or not isinstance(stored, int | float) or stored != stored:  # noqa: PLR0124  # as NaN is
        raise NotUnderstoodError("a number expected")
    return float(stored)


class Gaps:
    """Reads plain data piece by piece, and tells once of each part that some were not understood.

    `log` says where they stand.
    """

    def __init__(self, log: Any) -> None:
        self._log = log
        self._told: set[str] = set()

    def attempt(self, part: str, read: Callable[..., Found], *given: Any) -> Found | None:
        """What a reader makes of plain data; None if it does not understand them."""
        try:
            return read(*given)
        except Exception as error:  # noqa: BLE001  # because a file may hold anything
            self.tell(part, error)
            return None

    def tell(self, part: str, error: Exception) -> None:
        """Says that something was not understood, and why, but not what."""
        if part in self._told:
            return
        self._told.add(part)
        known = isinstance(error, NotUnderstoodError)
        self._log.warning(
            "state was not understood, going on without",
            part=part,
            reason=str(error) if known else type(error).__name__,  # others quote what they met
        )

    def each(self, part: str, read: Callable[[Any], Found], items: object) -> list[Found]:
        """What a reader makes of the items of a list, of those that it understands."""
        if not isinstance(items, list):
            self.tell(part, NotUnderstoodError("a list expected"))
            return []
        found = (self.attempt(part, read, item) for item in items)
        return [each for each in found if each is not None]
