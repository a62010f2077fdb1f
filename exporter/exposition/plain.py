"""What an account shows as plain data, of JSON's types, so that it survives a restart; and back.

What another version wrote, or nobody, makes no record: `recalled` gives None for it.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import astuple
from math import isfinite
from typing import Any, TypeVar, assert_never

from exporter.catalogue.model import Kind, Metric
from exporter.exposition.guard import CounterState, Run, Series
from exporter.exposition.translate import Sample
from exporter.northbound.interfaces import Content, Subject
from exporter.northbound.records import Alarm, Reading, TimedReading, Windows

Shown = Reading | Windows | tuple[Alarm, ...]  # what is known of one plant or device
Found = TypeVar("Found")


def recalled(read: Callable[..., Found], *arguments: Any) -> Found | None:
    """What one of the readers below makes of plain data; None if they are malformed."""
    try:
        return read(*arguments)
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError):
        return None


# --- what is shown, and when it was answered ----------------------------------------------------


def plain(shown: Shown, at: float) -> dict[str, Any]:
    """What is shown of a subject, from an answer that came `at` (seconds since the epoch)."""
    match shown:
        case Reading():
            data: Any = dict(shown.values)
        case Windows():
            data = {
                "current": _plain_row(shown.current),
                "previous": _plain_row(shown.previous),
            }
        case tuple():
            data = [_plain_alarm(alarm) for alarm in shown]
        case missed:
            assert_never(missed)
    return {"at": at, "shown": data}


def read_shown(content: Content, name: str, raw: Any) -> tuple[float, Shown]:
    """When the answer came, and what is shown of the subject of that name."""
    return _number(raw["at"]), SHOWN[content](name, raw["shown"])


def _plain_row(row: TimedReading | None) -> dict[str, Any] | None:
    return None if row is None else {"start": row.start, "values": dict(row.reading.values)}


def _plain_alarm(alarm: Alarm) -> dict[str, Any]:
    return {key: getattr(alarm, key) for key in _ALARM}


def _reading(name: str, raw: Any) -> Reading:
    return Reading(name, {_text(key): _number(value) for key, value in raw.items()})


def _windows(name: str, raw: Any) -> Windows:
    return Windows(_row(name, raw["current"]), _row(name, raw["previous"]))


def _row(name: str, raw: Any) -> TimedReading | None:
    if raw is None:
        return None
    return TimedReading(_number(raw["start"]), _reading(name, raw["values"]))


def _alarms(name: str, raw: Any) -> tuple[Alarm, ...]:
    return tuple(
        Alarm(plant_code=name, **{key: read(each[key]) for key, read in _ALARM.items()})
        for each in raw
    )


# What an interface's answers leave to be shown, by their content.
SHOWN: Mapping[Content, Callable[[str, Any], Shown]] = {
    Content.READINGS: _reading,
    Content.ROWS: _reading,
    Content.STATISTICS: _windows,
    Content.ALARMS: _alarms,
    Content.UPGRADES: _reading,
}


_SUBJECTS = {subject.value: subject for subject in (Subject.PLANTS, Subject.DEVICES)}


# --- what lasts, and what is held of counters ---------------------------------------------------


def plain_samples(samples: Collection[Sample]) -> list[Any]:
    """Samples of one metric: labels and value of each."""
    return [[list(sample.labels), sample.value] for sample in samples]


def read_samples(metric: Metric, raw: Any) -> tuple[Sample, ...]:
    """The samples of a metric that lasts, which is never negative."""
    return tuple(
        Sample(metric, labels, value)
        for labels, value in {_labels(labels): _amount(value) for labels, value in raw}.items()
        if len(labels) == len(metric.labels) and (metric.kind is not Kind.INFO or value == 1)
    )


def plain_held(held: Mapping[Series, CounterState]) -> list[Any]:
    """Metric, labels, and all that is known of each counter of a subject."""
    return [
        [name, list(labels), each.value, each.since, each.proved, each.run and astuple(each.run)]
        for (name, labels), each in held.items()
    ]


def read_held(raw: Any) -> dict[Series, CounterState]:
    """What is held of the counters of a subject.

    Version 0.1.0 wrote a count of low answers behind the value, and nothing else.
    """
    return {
        (_text(name), _labels(labels)): _held(value, *rest) for name, labels, value, *rest in raw
    }


def _held(value: Any, since: Any, proved: Any = 0.0, *run: Any) -> CounterState:
    if not run:
        return CounterState(_amount(value))
    return CounterState(
        _amount(value),
        None if since is None else _number(since),
        _amount(proved),
        None if run[0] is None else _run(*run[0]),
    )


def _run(*raw: Any) -> Run:
    value, since, at, start, begun, agreed = map(_amount, raw)
    return Run(value, since, at, start, begun, int(agreed))


def plain_accepted(subject: Subject, name: str, metric: str) -> tuple[str, list[str]]:
    """What a person believes of a counter that holds a value back: a name, and plain data."""
    order = [subject.value, name, metric]
    return " ".join(order), order


def read_accepted(raw: Any) -> tuple[Subject, str, str]:
    """The same read: plants or devices, code or id, and metric."""
    subject, name, metric = map(_text, raw)
    return _SUBJECTS[subject], name, metric


def _labels(raw: Any) -> tuple[str, ...]:
    return tuple(map(_text, raw))


def _text(raw: Any) -> str:
    if not isinstance(raw, str):
        raise TypeError("text expected")
    raw.encode()  # what cannot be encoded cannot be shown
    return raw


def _amount(raw: Any) -> float:
    value = _number(raw)
    if value < 0:
        raise ValueError("negative")
    return value


def _number(raw: Any) -> float:
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not isfinite(raw):
        raise ValueError("a finite number expected")
    return float(raw)


def _status(raw: Any) -> int | None:
    return None if raw is None else int(_number(raw))


_ALARM: Mapping[str, Callable[[Any], Any]] = {
    "serial_number": _text,
    "alarm_id": _text,
    "cause_id": _text,
    "raised": _number,
    "name": _text,
    "device_name": _text,
    "severity": _text,
    "type": _text,
    "status": _status,
}
