"""From an answer's `data` to its items, and from the items to records: what the parsers share."""

from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from itertools import islice
from typing import Any

from exporter.northbound.errors import word_error
from exporter.northbound.fields import number, text, whole
from exporter.northbound.records import Parsed, Reading, Record

_MOST_PAGES = 10_000
_MOST_KEYS = 4_096  # in one dataItemMap; the longest documented one has 81
_LONGEST_KEY = 128


def parsed(
    data: Any, parse: Callable[[Mapping[str, Any]], tuple[Hashable, Record] | str]
) -> Parsed[Record]:
    """Parses item by item; `parse` gives an identity with its record, or why there is none.

    Raises:
        CallError: `data` is neither a list nor null nor a page.
    """
    items, pages = _items(data)
    records: dict[Hashable, Record] = {}
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
            pages = whole(data.get("pageCount")) or 1
            return items or [], pages if 0 < pages <= _MOST_PAGES else 1
        case _:
            raise word_error("malformed", enveloped=True)


def reading(subject: str, items: Mapping[Any, Any]) -> Reading:
    """The numbers of one map of keys, and why the others are none."""
    values: dict[str, float] = {}
    rejected: dict[str, str] = {}
    for raw_key, raw in islice(items.items(), _MOST_KEYS):
        key = text(raw_key, _LONGEST_KEY)
        match number(raw):
            case float(value) if key:
                values[key] = value
            case str(reason) if key:
                rejected[key] = reason
    return Reading(subject, values, rejected)
