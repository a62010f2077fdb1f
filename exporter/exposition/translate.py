"""Readings and the catalogue make samples: base units, ranges, states, guarded counters."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import isfinite

from exporter.catalogue.index import lookup, objects, stand_ins
from exporter.catalogue.model import Kind, Metric, Row, Series, series_of
from exporter.catalogue.ranges import TIMESTAMP
from exporter.exposition.counters import LEAST_RATE, CounterGuard, GrowthBound, Owner
from exporter.exposition.lines import Samples
from exporter.exposition.phase_units import GRID_METER, TOTAL, PhaseUnits
from exporter.exposition.plausibility import NOTHING_KNOWN, Output, is_plausible
from exporter.northbound.records import Reading, Rejection, Windows

CAPACITY = "installed_capacity"  # the key under which statistics give it
PERIOD_START = "collectTime"  # the key, in ms, under which the catalogue has a row's own start
IMPLAUSIBLE = "implausible"  # why a value is not shown that its quantity cannot have
UNDECIDED = "unit_undecided"  # why a value is not shown whose unit is not certain any more
UNKNOWN = "unknown"  # the state of a code that no table names


@dataclass(frozen=True, slots=True)
class RejectedValue:
    """A value that is not shown, as it was sent: why, and what is shown in its place."""

    key: str
    value: float
    reason: str
    shown: float | None = None


@dataclass(slots=True)
class Translation:
    """What became of one reading.

    `rejected` counts unusable values by reason, and `rejected_values` are those of them that are
    numbers; `confirmed` are values, by key, that their counter had held back until now.
    `unknown_keys` are those without a row in the catalogue, and `unknown_states` counts, by metric,
    codes that no enumeration names.
    """

    samples: dict[Series, float] = field(default_factory=dict)
    rejected: Counter[str] = field(default_factory=Counter)
    rejected_values: list[RejectedValue] = field(default_factory=list)
    confirmed: dict[str, float] = field(default_factory=dict)
    unknown_keys: list[str] = field(default_factory=list)
    unknown_states: Counter[str] = field(default_factory=Counter)

    def reject(self, value: RejectedValue) -> None:
        """Notes and counts a value that is not shown."""
        self.rejected_values.append(value)
        self.rejected[value.reason] += 1


@dataclass(frozen=True, slots=True)
class _Context:
    """Of whom a reading is, when it came, and whether it is a replay."""

    owner: Owner
    at: float
    output: Output
    again: bool
    factors: Mapping[str, float | None]  # by key, in the place of the catalogue's


class Translator:
    """Translates the readings of one account.

    `factors` are the configured ones, by (device type, key); they replace the catalogue's. The
    `guard` holds what is remembered of counters.
    """

    def __init__(self, factors: Mapping[tuple[int, str], float]) -> None:
        self._factors = factors
        self.guard = CounterGuard()
        self.phase_units = PhaseUnits()

    def capacity(self, interface: str, device_type: int | None, reading: Reading) -> float:
        """The installed capacity that a row of statistics gives, in watts; 0 for none."""
        row = lookup(interface, device_type).get(CAPACITY)
        raw = reading.values.get(CAPACITY, 0.0)
        if row is None or not is_plausible(row, raw, raw * self._factor(row), NOTHING_KNOWN):
            return 0.0
        return raw * self._factor(row)

    def translate(  # noqa: PLR0913  # all that a reading is judged by
        self,
        interface: str,
        device_type: int | None,
        reading: Reading,
        at: float,
        output: Output = NOTHING_KNOWN,
        *,
        again: bool = False,
    ) -> Translation:
        """Makes the samples of one reading; whatever cannot be used is counted, never raised.

        It came `at` this time, in seconds since the epoch, from what has this `output`. A reading
        told `again`, after a restart, leaves what is held of counters as it is.
        """
        rows = lookup(interface, device_type)
        factors = self._phases(device_type, rows.get(TOTAL), reading, again=again)
        context = _Context((device_type, reading.subject), at, output, again, factors)
        result = Translation()
        reading = _without_unknown_objects(reading, objects(interface, device_type))
        for key, reason in reading.rejected.items():
            if key in rows:
                result.rejected[reason] += 1
            else:
                result.unknown_keys.append(key)
        for key, value in reading.values.items():
            row = rows.get(key)
            if row is None:
                result.unknown_keys.append(key)
            elif not _is_sent(reading, row.fallback_for):
                self._add(result, row, row.metric, context, value)
        for key, text in reading.texts.items():
            row = rows.get(key)
            if row is None:
                result.unknown_keys.append(key)
            elif not _is_sent(reading, row.fallback_for):
                _add_text(result, row, text)
        for row, value in _standing_in(stand_ins(interface, device_type), reading):
            self._add(result, row, row.metric, context, value)
        return result

    def _add(
        self, result: Translation, row: Row, metric: Metric, context: _Context, raw: float
    ) -> None:
        if metric.kind is Kind.INFO:
            result.rejected[Rejection.WRONG_TYPE] += 1
            return
        if row.states is not None:
            _add_states(result, row, row.states.get(int(raw)) if raw.is_integer() else None)
            if row.code_metric is not None:
                result.samples[series_of(row.code_metric, *row.labels)] = raw
            return
        factor = context.factors.get(row.key, self._factor(row))
        if factor is None:
            result.reject(RejectedValue(row.key, raw, UNDECIDED))
            return
        value = raw * factor
        if not raw and (row.zero_is_absent or metric.name.endswith(TIMESTAMP)):
            return  # 0 is how servers say that there is no time
        if not isfinite(value):
            result.rejected["not_finite"] += 1
        elif not is_plausible(row, raw, value, context.output):
            result.reject(RejectedValue(row.key, raw, IMPLAUSIBLE))
        elif metric.kind is Kind.COUNTER:
            self._count(result, row, metric, context, raw)
        else:
            result.samples[row.series] = value

    def _count(
        self, result: Translation, row: Row, metric: Metric, context: _Context, raw: float
    ) -> None:
        # In the source's unit: another factor is neither a fall nor a leap.
        unit = abs(self._factor(row))
        output = context.output
        rate = output.assumed if output.is_capacity else LEAST_RATE
        largest = max(output.assumed, LEAST_RATE)
        growth = GrowthBound(max(rate, LEAST_RATE) / unit, largest / unit, output.is_capacity)
        guard = self.guard.repeat if context.again else self.guard.admit
        verdict = guard(context.owner, (metric.name, row.labels), abs(raw), context.at, growth)
        if verdict.refused is not None:
            result.reject(RejectedValue(row.key, raw, verdict.refused, verdict.shown))
        if verdict.confirmed:
            result.confirmed[row.key] = raw
        if verdict.shown is not None:
            result.samples[row.series] = verdict.shown * unit

    def _phases(
        self, device_type: int | None, total: Row | None, reading: Reading, *, again: bool
    ) -> Mapping[str, float | None]:
        """The factors of a grid meter's phases, but for those that are configured."""
        if device_type != GRID_METER or total is None:
            return {}
        if not again:
            self.phase_units.read(reading, self._factor(total))
        found = self.phase_units.factors(reading.subject)
        return {key: each for key, each in found.items() if (GRID_METER, key) not in self._factors}

    def _factor(self, row: Row) -> float:
        if row.device_type is None:
            return row.factor
        return self._factors.get((row.device_type, row.key), row.factor)


def _is_sent(reading: Reading, key: str) -> bool:
    """Whether a key was sent, with a value or with what cannot be used as one."""
    return key in reading.values or key in reading.rejected or key in reading.texts


def _without_unknown_objects(reading: Reading, known: Collection[str]) -> Reading:
    """The reading with what stands in known objects in their place; others are one key each."""
    if not reading.rejected:
        return reading

    def is_kept(key: str) -> bool:
        head, dot, _ = key.partition(".")
        return head in known if dot and head in reading.rejected else key not in known

    return replace(
        reading,
        values={key: value for key, value in reading.values.items() if is_kept(key)},
        rejected={key: why for key, why in reading.rejected.items() if is_kept(key)},
        texts={key: text for key, text in reading.texts.items() if is_kept(key)},
    )


def _standing_in(rows: Iterable[Row], reading: Reading) -> Iterator[tuple[Row, float]]:
    """The rows whose key was not sent, as rows of the key that stands for it, with its value."""
    for row in rows:
        found = row.stand_in
        if found is None or _is_sent(reading, row.key) or found.beside not in reading.values:
            continue
        if found.key in reading.values:
            yield replace(row, key=found.key), reading.values[found.key]


def windowed(windows: Windows, translate: Callable[[Reading], Samples]) -> Samples:
    """The samples of a subject's statistics, each labelled with its window as well."""
    samples: dict[Series, float] = {}
    for window, row in (("current", windows.current), ("previous", windows.previous)):
        if row is not None:
            values = {**row.reading.values, PERIOD_START: row.start * 1e3}
            for series, value in translate(replace(row.reading, values=values)).items():
                samples[series_of(series.metric, *series.labels, window)] = value
    return samples


def _add_text(result: Translation, row: Row, text: str) -> None:
    """Adds the state that a word means, however its letters are cased, or what something is."""
    if row.words is None:
        result.samples[series_of(row.metric, *row.labels, text)] = 1.0
        return
    named = (name for word, name in row.words.items() if word.casefold() == text.casefold())
    _add_states(result, row, next(named, None))


def _add_states(result: Translation, row: Row, current: str | None) -> None:
    if current is None:
        current = UNKNOWN
        result.unknown_states[row.metric.name] += 1
    for state in (*row.state_names, UNKNOWN):
        result.samples[series_of(row.metric, *row.labels, state)] = float(state == current)
