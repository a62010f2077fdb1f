"""Whether a reading can be: the ranges of the catalogue, applied. Pure."""

from dataclasses import dataclass
from math import inf

from exporter.catalogue.model import Metric, Row
from exporter.catalogue.ranges import (
    FIRST_TIME,
    LARGEST,
    LARGEST_PLANT,
    LAST_TIME,
    NO_INSTANTANEOUS_VALUES,
    NO_VALUES,
    TIMESTAMP,
    Range,
    period_of,
    range_of,
)

UNKNOWN_PLANT = 1e6  # watts that are assumed for a plant of which nothing is known
_POWERS = frozenset({"watts", "vars", "volt_amperes"})


@dataclass(frozen=True, slots=True)
class Output:
    """What a plant or device can put out, in watts.

    `known` is what its readings are judged by, None where nothing is certain enough for that.
    `assumed` says which steps of its counters are like each other; they need no confirmation where
    it is the capacity, and not `guessed`, as that of a grid connection is.
    """

    known: float | None = None
    assumed: float = UNKNOWN_PLANT
    guessed: bool = False

    @property
    def is_capacity(self) -> bool:
        """Whether no counter can grow faster than `assumed`."""
        return self.known is not None and not self.guessed


NOTHING_KNOWN = Output()


def is_plausible(row: Row, raw: float, value: float, output: Output) -> bool:
    """Whether a row's value can be what it says: `raw` as sent, `value` in base units.

    `output` is its plant's or device's.
    """
    metric = row.metric
    if metric is None:
        return True
    if raw in NO_VALUES:
        return False
    if metric.name.endswith(TIMESTAMP):
        return FIRST_TIME <= value <= LAST_TIME
    found = range_of(metric)
    if found is None:
        return True
    if raw in NO_INSTANTANEOUS_VALUES and _is_measured_freely(found, metric, value, output):
        return False
    span = period_of(metric, row.labels) if found.per_period else 1.0
    largest = LARGEST.get(row.device_type, LARGEST_PLANT) if found.by_class else 1.0
    most = (found.of_output or inf) * (output.known or inf)
    low, high = max(found.low * largest, -most), min(found.high * largest, most)
    return low * span <= value <= high * span


def _is_measured_freely(found: Range, metric: Metric, value: float, output: Output) -> bool:
    """Whether a number of 16 bits' last is none by chance: a power may well pass through it."""
    return found.instantaneous and (metric.unit not in _POWERS or abs(value) > output.assumed)
