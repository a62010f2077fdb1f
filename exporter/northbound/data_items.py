"""The values of a `dataItemMap`, under flat keys: numbers, serial numbers, and what is neither."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from math import isfinite
from typing import Any
from weakref import WeakKeyDictionary

from exporter.northbound.records import Reading, Rejection
from exporter.northbound.scalars import parse_number, parse_serial, parse_text, without_percent
from exporter.northbound.values import CommonKeys, Values

_MAX_KEYS = 4_096  # in one dataItemMap; the longest documented one has 81
_LONGEST_KEY = 128
_DEEPEST = 4  # levels of objects in one
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
    for key, raw in islice(_flat(items.items()), _MAX_KEYS):
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
        isinstance(key, str)
        and 0 < len(key) <= _LONGEST_KEY
        and "." not in key
        and key.isprintable()
    )


def _flat(items: Iterable[tuple[Any, Any]], head: str = "") -> Iterator[tuple[str, Any]]:
    """Every item, and behind an object or list what stands in it, by the way to it."""
    for raw_key, raw in items:
        key = parse_text(head + parse_text(raw_key), _LONGEST_KEY)
        inner = _inner(raw) if head.count(".") < _DEEPEST else None
        if inner is None or not head:
            yield key, raw
        if inner is not None:
            yield from _flat(inner, f"{key}.")


def _inner(raw: object) -> Iterable[tuple[Any, Any]] | None:
    match raw:
        case Mapping():
            return raw.items()
        case list():
            return enumerate(raw, start=1)
        case _:
            return None
