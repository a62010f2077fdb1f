"""What the catalogue consists of: rows, each a key with its metric."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from sys import float_info
from weakref import WeakValueDictionary


class Kind(StrEnum):
    """The type of a metric family, in the words of OpenMetrics."""

    GAUGE = "gauge"
    COUNTER = "counter"
    STATESET = "stateset"
    INFO = "info"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True, eq=False)
class Metric:
    """One family; there is one object for each, so that telling them apart costs nothing.

    `name` is the sample name on a text-format line (a counter's ends in `_total`), `unit` its base
    unit (empty where it has none), and `labels` are the names of the labels beside `account`,
    `plant_code` and `device_id`.
    """

    name: str
    kind: Kind
    help: str
    unit: str = ""
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Series:
    """A metric with the values of its own labels; `series_of` gives the one object for each."""

    metric: Metric
    labels: tuple[str, ...] = ()


_SERIES: "WeakValueDictionary[tuple[Metric, tuple[str, ...]], Series]" = WeakValueDictionary()


def series_of(metric: Metric, *labels: str) -> Series:
    """The series of these label values."""
    return _SERIES.get((metric, labels)) or _SERIES.setdefault(
        (metric, labels), Series(metric, labels)
    )


@dataclass(frozen=True, slots=True)
class StandIn:
    """Whose value stands for a key that is not sent: that of `key`, if `beside` has one, too."""

    key: str
    beside: str


@dataclass(frozen=True, slots=True)
class PlausibleRange:
    """What the values of a row can be, in base units.

    `of_output` is the most that they can be for each watt that their plant or device can put out.
    Those `measured_freely` are never by chance what a register says where it has no value, but
    those `of_power`, which may well pass through such a number below what can be put out.
    """

    low: float = -float_info.max
    high: float = float_info.max
    of_output: float = inf
    measured_freely: bool = False
    of_power: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One concrete key of one interface and device type (None: plant).

    A sample is the value, sent in `source_unit`, times `factor`. The `series` of a statistic lacks
    the last label, `window`, which depends on the time, and that of a StateSet the state: it has
    its `states` (code → name) and a series for the `code` itself, or `words` (word → name) if
    it is sent in words. A key that is `fallback_for` another gives the same series where an answer
    lacks that one; its `stand_in` has a series of its own besides. Where `zero_is_absent`, servers
    say with 0 that there is no value; `range` is what a value can be. The series of an info metric
    lacks the last label, a text that was sent.
    """

    interface: str
    device_type: int | None
    key: str
    series: Series
    factor: float = 1.0
    source_unit: str = ""
    states: Mapping[int, str] | None = None
    words: Mapping[str, str] | None = None
    code: Series | None = None
    fallback_for: str = ""
    stand_in: StandIn | None = None
    zero_is_absent: bool = False
    range: PlausibleRange = PlausibleRange()

    @property
    def metric(self) -> Metric:
        """The family."""
        return self.series.metric

    @property
    def labels(self) -> tuple[str, ...]:
        """The values of the labels that the key fixes."""
        return self.series.labels

    @property
    def state_names(self) -> tuple[str, ...]:
        """The names of a StateSet's states, each once; empty for anything else."""
        return tuple(dict.fromkeys((self.states or self.words or {}).values()))

    def state_of(self, code: float) -> str | None:
        """The name of the state that a code means; None where no table names it."""
        return (self.states or {}).get(int(code)) if code.is_integer() else None
