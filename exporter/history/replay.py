"""Answers about the past become the samples that the daemon would have shown then.

The same catalogue, ranges, guards and periods decide; only the time is another one. What the daemon
would have shown of a running period is not known any more, so that there is none of it.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from math import ceil
from typing import Any

from exporter.account.counters import UPLOAD
from exporter.account.fleet import FleetChange
from exporter.account.statistics import Periods
from exporter.catalogue.model import Series, series_of
from exporter.exposition.alarms import SEVERITIES, active
from exporter.exposition.blocks import LAST_READINGS
from exporter.exposition.families import ALARM_ACTIVE
from exporter.exposition.inventory import device_labels, plant_labels
from exporter.exposition.plausibility import Capacities, Offline
from exporter.exposition.samples import Samples, label_names
from exporter.exposition.translate import Translator, UnknownValues, windowed
from exporter.history.archive import Pending, Rows
from exporter.history.plan import calendar_of, next_begin
from exporter.history.series import TimeSeries
from exporter.northbound.interfaces import HOUR, INTERFACES, Content, Interface, Subject
from exporter.northbound.records import Alarm, Device, Plant, Reading, Windows

Translate = Callable[[float, Reading], Samples]  # of a time, in seconds since the epoch
Found = dict[Series, list[tuple[int, float]]]  # samples by time in ms
_NONE = series_of(ALARM_ACTIVE)  # of an alarm that is not shown
_WARM_UP = HOUR  # of rows before a unit, by which its counters and states are known


class Replay:
    """Makes samples of one account's answers.

    `translator` is new, and knows nothing. `plants` and `devices` are the fleet as it is now: what
    the past is labelled with. `labels` are added to all series.
    """

    def __init__(  # noqa: PLR0913  # all that samples are made with
        self,
        account: str,
        translator: Translator,
        plants: Mapping[str, Plant],
        devices: Mapping[str, Device],
        *,
        unknown: UnknownValues,
        labels: Mapping[str, str],
        severities: Collection[str] = SEVERITIES,
    ) -> None:
        self._account = account
        self._translator = translator
        self._devices = devices
        self._unknown = unknown
        self._labels = labels
        self._severities = severities
        self._fleet = FleetChange(dict(plants), dict(devices), {})

    def series(
        self, pending: Pending, before: tuple[Any, ...], rows: tuple[Any, ...]
    ) -> list[TimeSeries]:
        """The samples of a unit's rows or alarms; `before` are those of the unit before it."""
        interface, name = INTERFACES[pending.unit.interface], pending.unit.subject
        self._translator.guard.restore({Subject.PLANTS: {}, Subject.DEVICES: {}}, {})
        capacities = Capacities(self._translator.guard)
        capacities.follow(self._fleet)
        translate = partial(self._translate, interface, name, capacities)
        if interface.content is Content.ALARMS:
            found = _of_alarms(pending, rows, self._severities)
        elif interface.content is Content.STATISTICS:
            found = _of_statistics(interface, pending, name, (*before, *rows), translate)
        else:
            found = self._of_rows(interface, pending, before, rows, translate)
        return [
            TimeSeries(each.metric, self._labels_of(interface, name, each), samples)
            for each, samples in found.items()
        ]

    def _translate(
        self, interface: Interface, name: str, capacities: Capacities, at: float, reading: Reading
    ) -> Samples:
        """As the daemon does it with an answer of this time."""
        kind = None if interface.subject is Subject.PLANTS else self._devices[name].type_id
        entity = (kind, name)
        capacities.report(entity, self._translator.capacity(interface.name, kind, reading))
        result = self._translator.translate(
            interface.name, kind, reading, at, capacities.of(entity)
        )
        unknown = self._unknown.samples(interface, reading, result.unknown_keys)
        return {**result.samples, **unknown}

    def _of_rows(
        self,
        interface: Interface,
        pending: Pending,
        before: Rows,
        rows: Rows,
        translate: Translate,
    ) -> Found:
        """Values at their own times, and when there were any."""
        offline, found = Offline(), Found()
        last_reading = series_of(LAST_READINGS[interface.subject])
        first = min((row.start for row in rows), default=0.0)
        warm_up = [row for row in before if first - _WARM_UP <= row.start < first]
        own = set(map(id, rows))
        for row in sorted((*warm_up, *rows), key=lambda row: row.start):
            if not row.reading.values or row.start >= pending.until:
                continue
            device = self._devices.get(row.reading.subject)
            kind = device.type_id if device else 0
            reading = offline.current(interface.name, kind, row.reading, row.start)
            samples = translate(row.start, reading)
            if id(row) in own and row.start >= pending.since:
                _add(found, row.start, {**samples, last_reading: row.start} if samples else {})
        return found

    def _labels_of(self, interface: Interface, name: str, series: Series) -> Mapping[str, str]:
        identity = (
            plant_labels(self._account, name)
            if interface.subject is Subject.PLANTS
            else device_labels(self._account, self._devices[name])
        )
        own = zip(label_names(series.metric), series.labels, strict=True)
        return {**self._labels, **identity, **dict(own)}


def _add(found: Found, time: float, samples: Samples) -> None:
    for series, value in samples.items():
        found.setdefault(series, []).append((round(time * 1e3), value))


def _of_statistics(
    interface: Interface, pending: Pending, name: str, rows: Rows, translate: Translate
) -> Found:
    """The last full period, as the daemon would have had it, at the steps of the unit's time."""
    found = Found()
    made: dict[float, Samples] = {}
    periods = Periods(interface.period_seconds)
    known = sorted(rows, key=lambda row: row.start)
    for time in _steps(interface, pending, known[0].start if known else pending.until):
        begun = [row for row in known if row.start <= time]
        previous = periods.apply([name], begun, time, earlier=False)[name].previous
        running = begun[-1].start if begun else time
        is_last = len(begun) == len(known)
        if previous is None or (is_last and periods.may_be_over(running, time)):
            continue
        if previous.start not in made:
            made[previous.start] = windowed(Windows(previous=previous), partial(translate, time))
        _add(found, time, made[previous.start])
    return found


def _of_alarms(pending: Pending, alarms: Iterable[Alarm], severities: Collection[str]) -> Found:
    """That each was active, from its raising until its recovery, every five minutes.

    Of one that is over, without anybody telling since when, nothing is known but its begin.
    """
    times: dict[Series, set[float]] = {}
    for alarm in alarms:
        end = pending.until if alarm.active else alarm.recovered
        if end is None:
            continue
        shown = active([replace(alarm, active=True)], severities, 1)
        own = times.setdefault(next((s for s in shown if s.metric is ALARM_ACTIVE), _NONE), set())
        own |= set(_every_five_minutes(alarm.raised, min(end, pending.until), pending.since))
    return Found(
        {
            series: [(round(time * 1e3), 1.0) for time in sorted(found)]
            for series, found in times.items()
            if found and series is not _NONE
        }
    )


def _every_five_minutes(raised: float, end: float, since: float) -> Iterator[float]:
    """The raising, and the round times from then until an end; none before `since`."""
    if since <= raised < end:
        yield raised
    step = ceil(max(raised, since) / UPLOAD)
    while step * UPLOAD < end:
        yield step * UPLOAD
        step += 1


def _steps(interface: Interface, pending: Pending, first: float) -> Iterator[float]:
    """The times of samples: those of the unit, as far as they are wanted."""
    calendar, begin = calendar_of(interface), pending.unit.begin
    start = max(first, begin - calendar.lead, pending.since)
    end = min(next_begin(calendar, begin) - calendar.lead, pending.until)
    step = ceil(start / calendar.step)
    while step * calendar.step < end:
        yield step * calendar.step
        step += 1
