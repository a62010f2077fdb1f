"""What is active, and what was seen for the first time: alarms become samples. Pure.

An occurrence is no series: those that look alike are one, raised when the first of them was.
"""

from collections import Counter
from collections.abc import Collection, Iterable

from exporter.catalogue.model import Kind, Metric
from exporter.exposition.translate import Sample
from exporter.northbound.codes import ALARM_SEVERITIES
from exporter.northbound.records import Alarm

SEVERITIES = (*ALARM_SEVERITIES.values(), "unknown")  # the most severe first

_SEVERITY = ("severity",)
_ALARM = ("device_name", "serial_number", "alarm_id", "alarm_name", "severity", "alarm_type")

ALARMS_TOTAL = Metric(
    "fusionsolar_alarms_total",
    Kind.COUNTER,
    "Alarms of a plant seen for the first time; those already active at the first look do not "
    "count.",
    labels=_SEVERITY,
)
ALARMS_ACTIVE = Metric(
    "fusionsolar_alarms_active",
    Kind.GAUGE,
    "Alarms of a plant that are active now.",
    labels=_SEVERITY,
)
ALARM_ACTIVE = Metric(
    "fusionsolar_alarm_active",
    Kind.GAUGE,
    "An alarm that is active now, acknowledged or not: always 1.",
    labels=_ALARM,
)
ALARM_RAISED = Metric(
    "fusionsolar_alarm_raised_timestamp_seconds",
    Kind.GAUGE,
    "When an active alarm was raised; of several alike, the first of them.",
    unit="seconds",
    labels=_ALARM,
)
ALARM_STATUS = Metric(
    "fusionsolar_alarm_status_code",
    Kind.GAUGE,
    "How far an active alarm is handled, as the code that was sent: 1 not at all, "
    "2 acknowledged, 3 being handled.",
    labels=_ALARM,
)
ALARMS_LEFT_OUT = Metric(
    "fusionsolar_alarms_left_out",
    Kind.GAUGE,
    "Active alarms of a plant that have no series of their own, as it has more of them than are "
    "shown.",
)
ALARMS = (
    ALARMS_TOTAL,
    ALARMS_ACTIVE,
    ALARM_ACTIVE,
    ALARM_RAISED,
    ALARM_STATUS,
    ALARMS_LEFT_OUT,
)


def totals(
    severities: Collection[str], before: Iterable[Sample], new: Iterable[Alarm]
) -> tuple[Sample, ...]:
    """A plant's first sightings by severity: those counted `before`, and the `new` ones."""
    counted = {sample.labels: sample.value for sample in before}
    counts = Counter(alarm.severity for alarm in new)
    return tuple(
        Sample(ALARMS_TOTAL, (severity,), counted.get((severity,), 0.0) + counts[severity])
        for severity in severities
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
