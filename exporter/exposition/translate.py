"""Readings and the catalogue make samples: base units, states, guarded counters."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from math import copysign, isfinite

from exporter.catalogue.model import Kind, Metric, Row
from exporter.catalogue.rows import lookup
from exporter.exposition.guard import Guard, Series
from exporter.northbound.records import Reading, Windows

Admit = Callable[[Series, float], tuple[float | None, bool]]

PERIOD_START = "collectTime"  # the key, in ms, under which the catalogue has a row's own start
UNKNOWN = "unknown"  # the state of a code that no table names


@dataclass(frozen=True, slots=True)
class Sample:
    """One series of one subject; `labels` are the values of the metric's own label names."""

    metric: Metric
    labels: tuple[str, ...]
    value: float


@dataclass(slots=True)
class Translation:
    """What became of one reading.

    `rejected` counts unusable values by reason, `unknown_keys` are those without a row in the
    catalogue, and `unknown_states` counts, by metric, codes that no enumeration names.
    """

    samples: list[Sample] = field(default_factory=list)
    rejected: Counter[str] = field(default_factory=Counter)
    unknown_keys: list[str] = field(default_factory=list)
    unknown_states: Counter[str] = field(default_factory=Counter)


class Translator:
    """Translates the readings of one account.

    `factors` are the configured ones, by (device type, key); they replace the catalogue's. The
    `guard` holds what is remembered of counters.
    """

    def __init__(self, factors: Mapping[tuple[int, str], float]) -> None:
        self._factors = factors
        self.guard = Guard()

    def translate(
        self, interface: str, device_type: int | None, reading: Reading, *, again: bool = False
    ) -> Translation:
        """Makes the samples of one reading; whatever cannot be used is counted, never raised.

        A reading told `again`, after a restart, leaves what is held of counters as it is.
        """
        rows = lookup(interface, device_type)
        guard = self.guard.repeat if again else self.guard.admit
        admit = partial(guard, (device_type, reading.subject))
        result = Translation()
        for key, reason in reading.rejected.items():
            if key in rows:
                result.rejected[reason] += 1
            else:
                result.unknown_keys.append(key)
        for key, value in reading.values.items():
            row = rows.get(key)
            if row is None:
                result.unknown_keys.append(key)
            elif row.metric is not None:
                self._add(result, row, row.metric, admit, value)
        return result

    def _add(self, result: Translation, row: Row, metric: Metric, admit: Admit, raw: float) -> None:
        if row.states is not None:
            _add_states(result, row, metric, raw)
            return
        factor = self._factor(row)
        value = raw * factor
        if not isfinite(value):
            result.rejected["not_finite"] += 1
            return
        if metric.kind is Kind.COUNTER:
            # In the source's unit: another factor is no fall.
            shown, fell = admit((metric.name, row.labels), copysign(raw, value))
            if fell:
                result.rejected["counter_fell"] += 1
            if shown is None:
                return
            value = shown * abs(factor)
        result.samples.append(Sample(metric, row.labels, value))

    def _factor(self, row: Row) -> float:
        if row.device_type is None:
            return row.factor
        return self._factors.get((row.device_type, row.key), row.factor)


def windowed(
    windows: Windows, translate: Callable[[Reading], Iterable[Sample]]
) -> Iterator[Sample]:
    """The samples of a subject's statistics, each labelled with its window as well."""
    for window, row in (("current", windows.current), ("previous", windows.previous)):
        if row is not None:
            values = {**row.reading.values, PERIOD_START: row.start * 1e3}
            for sample in translate(replace(row.reading, values=values)):
                yield replace(sample, labels=(*sample.labels, window))


def _add_states(result: Translation, row: Row, metric: Metric, code: float) -> None:
    states = row.states or {}
    current = states.get(int(code)) if code.is_integer() else None
    if current is None:
        current = UNKNOWN
        result.unknown_states[metric.name] += 1
    result.samples.extend(
        Sample(metric, (*row.labels, state), float(state == current))
        for state in (*states.values(), UNKNOWN)
    )
    if row.code_metric is not None:
        result.samples.append(Sample(row.code_metric, row.labels, code))
