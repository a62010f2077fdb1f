"""Alarms become samples. Pure.

An occurrence is no series: those that look alike are one, raised when the first of them was.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from exporter.exposition.families import (
    ALARM_ACTIVE,
    ALARM_RAISED,
    ALARM_STATUS,
    ALARMS_ACTIVE,
    ALARMS_LEFT_OUT,
    ALARMS_TOTAL,
)
from exporter.exposition.translate import Sample
from exporter.northbound.enums import ALARM_SEVERITIES
from exporter.northbound.records import Alarm

SEVERITIES = (*ALARM_SEVERITIES.values(), "unknown")  # the most severe first


def totals(severities: Collection[str], counted: Mapping[str, float]) -> tuple[Sample, ...]:
    """A plant's alarms counted by severity, 0 where there were none."""
    return tuple(
        Sample(ALARMS_TOTAL, (severity,), counted.get(severity, 0.0)) for severity in severities
    )


def active(alarms: Iterable[Alarm], severities: Collection[str], most: int) -> tuple[Sample, ...]:
    """A plant's active alarms of these severities, with series for at most so many of them.

    The most severe have series first, and among them the newest.
    """
    alarms = [alarm for alarm in alarms if alarm.severity in severities]
    counts = Counter(alarm.severity for alarm in alarms)
    alike: dict[tuple[str, ...], Alarm] = {}
    for alarm in sorted(alarms, key=lambda alarm: (alarm.raised, alarm.cause_id)):
        alike.setdefault(_labels(alarm), alarm)
    ranked = sorted(alike.items(), key=_rank)
    return (
        *(Sample(ALARMS_ACTIVE, (severity,), counts[severity]) for severity in severities),
        *(sample for labels, alarm in ranked[:most] for sample in _samples(labels, alarm)),
        Sample(ALARMS_LEFT_OUT, (), len(ranked[most:])),
    )


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


def _samples(labels: tuple[str, ...], alarm: Alarm) -> Iterable[Sample]:
    yield Sample(ALARM_ACTIVE, labels, 1.0)
    yield Sample(ALARM_RAISED, labels, alarm.raised)
    if alarm.status is not None:
        yield Sample(ALARM_STATUS, labels, alarm.status)
