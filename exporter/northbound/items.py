"""From an answer's `data` to its items, and from the items to records: what the parsers share."""

from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from itertools import islice
from typing import Any

from exporter.northbound.errors import word_error
from exporter.northbound.fields import number, text, whole
from exporter.northbound.records import Page, Parsed, Reading, Record

_MOST_PAGES = 10_000
_MOST_ITEMS = 1_000_000  # of all pages
_MOST_KEYS = 4_096  # in one dataItemMap; the longest documented one has 81
_LONGEST_KEY = 128


def parsed(
    data: Any, parse: Callable[[Mapping[str, Any]], tuple[Hashable, Record] | str]
) -> Parsed[Record]:
    """Parses item by item; `parse` gives an identity with its record, or why there is none.

    Raises:
        CallError: `data` is neither a list nor null nor a page.
    """
    items, page = _items(data)
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
    return Parsed(tuple(records.values()), rejected, page)


def _items(data: Any) -> tuple[list[Any], Page | None]:
    """The items of a list or of a page, and what the page says of the whole."""
    match data:
        case None:
            return [], None
        case list():
            return data, None
        case {"list": list() | None} | {"pageCount": _} | {"total": _} if not _is_odd(data):
            items = data.get("list")
            count, total = whole(data.get("pageCount")), whole(data.get("total"))
            return items or [], Page(
                count if count and 0 < count <= _MOST_PAGES else None,
                total if total and 0 < total <= _MOST_ITEMS else None,
            )
        case _:
            raise word_error("malformed", enveloped=True)


def _is_odd(page: Mapping[str, Any]) -> bool:
    """Whether what should be the items of a page is something else; without items it is empty."""
    return not isinstance(page.get("list"), list | None)


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
