"""Alarms become samples. Pure.

An occurrence is no series: those that look alike are one, raised when the first of them was.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from exporter.catalogue.model import series_of
from exporter.exposition.families import (
    ALARM_ACTIVE,
    ALARM_RAISED,
    ALARM_STATUS,
    ALARMS_ACTIVE,
    ALARMS_LEFT_OUT,
    ALARMS_TOTAL,
)
from exporter.exposition.samples import Samples
from exporter.northbound.enums import ALARM_SEVERITIES
from exporter.northbound.records import Alarm

SEVERITIES = (*ALARM_SEVERITIES.values(), "unknown")  # the most severe first


def totals(severities: Collection[str], counted: Mapping[str, float]) -> Samples:
    """A plant's alarms counted by severity, 0 where there were none."""
    return {series_of(ALARMS_TOTAL, each): counted.get(each, 0.0) for each in severities}


def active(alarms: Iterable[Alarm], severities: Collection[str], most: int) -> Samples:
    """A plant's active alarms of these severities, with series for at most so many of them.

    The most severe have series first, and among them the newest.
    """
    alarms = [alarm for alarm in alarms if alarm.severity in severities]
    counts = Counter(alarm.severity for alarm in alarms)
    alike: dict[tuple[str, ...], Alarm] = {}
    for alarm in sorted(alarms, key=lambda alarm: (alarm.raised, alarm.cause_id)):
        alike.setdefault(_labels(alarm), alarm)
    ranked = sorted(alike.items(), key=_rank)
    samples = {series_of(ALARMS_ACTIVE, each): float(counts[each]) for each in severities}
    for labels, alarm in ranked[:most]:
        samples |= _samples(labels, alarm)
    samples[series_of(ALARMS_LEFT_OUT)] = float(len(ranked[most:]))
    return samples


def _labels(alarm: Alarm) -> tuple[str, ...]:
    return (
        alarm.device_name,
        alarm.serial_number,
        alarm.alarm_id,
        alarm.name,
        alarm.severity,
        alarm.type,
    )


def _rank(labelled: tuple[tuple[str, ...], Alarm]) -> tuple[int, float, tuple[str, ...]]:
    labels, alarm = labelled
    return SEVERITIES.index(alarm.severity), -alarm.raised, labels


def _samples(labels: tuple[str, ...], alarm: Alarm) -> Samples:
    samples = {
        series_of(ALARM_ACTIVE, *labels): 1.0,
        series_of(ALARM_RAISED, *labels): alarm.raised,
    }
    if alarm.status is not None:
        samples[series_of(ALARM_STATUS, *labels)] = float(alarm.status)
    return samples
