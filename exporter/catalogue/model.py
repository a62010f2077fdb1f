"""What the catalogue consists of: rows, each a key with its metric."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The type of a metric family, in the words of OpenMetrics."""

    GAUGE = "gauge"
    COUNTER = "counter"
    STATESET = "stateset"
    INFO = "info"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """One family.

    `name` is the sample name on a text-format line (a counter's ends in `_total`), `unit` its base
    unit (empty where it has none), and `labels` are the names of the labels beside `account`,
    `plant_code` and `device_id`.
    """

    name: str
    kind: Kind
    help: str
    unit: str = ""
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StandIn:
    """Whose value stands for a key that is not sent: that of `key`, if `beside` has one, too."""

    key: str
    beside: str


@dataclass(frozen=True, slots=True)
class Row:
    """One concrete key of one interface and device type (None: plant).

    A sample is the value, sent in `source_unit`, times `factor`; `labels` are the values of
    `metric.labels`, but for a statistic's `window`, the last, which depends on the time. A StateSet
    has its `states` (code → name) and a `code_metric` for the code itself. A key that is
    `fallback_for` another gives the same series where an answer lacks that one; its `stand_in` has
    a series of its own besides.
    """

    interface: str
    device_type: int | None
    key: str
    metric: Metric
    factor: float = 1.0
    labels: tuple[str, ...] = ()
    source_unit: str = ""
    states: Mapping[int, str] | None = None
    code_metric: Metric | None = None
    fallback_for: str = ""
    stand_in: StandIn | None = None
