"""Readings and the catalogue make samples: base units, ranges, states, guarded counters."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import TypeVar

from exporter.catalogue.index import lookup, objects, stand_ins
from exporter.catalogue.model import Kind, Row, Series, series_of
from exporter.catalogue.ranges import TIMESTAMP
from exporter.exposition.counters import LEAST_RATE, CounterGuard, GrowthBound, Owner
from exporter.exposition.lines import Samples
from exporter.exposition.phase_units import GRID_METER, TOTAL, PhaseUnits
from exporter.exposition.plausibility import (
    NOTHING_KNOWN,
    Output,
    PlausibleRange,
    plausible_range,
)
from exporter.northbound.records import Reading, Rejection, Windows

CAPACITY = "installed_capacity"  # the key under which statistics give it
PERIOD_START = "collectTime"  # the key, in ms, under which the catalogue has a row's own start
IMPLAUSIBLE = "implausible"  # why a value is not shown that its quantity cannot have
UNDECIDED = "unit_undecided"  # why a value is not shown whose unit is not certain any more
UNKNOWN = "unknown"  # the state of a code that no table names

Sent = TypeVar("Sent", float, str)


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
class _Rule:
    """What the catalogue and the configuration say of a key, looked up once.

    The `factor` is None where the unit is not certain; `states` are the series of a StateSet.
    """

    row: Row
    series: Series
    factor: float | None
    range: PlausibleRange
    zero_is_absent: bool
    states: Mapping[str, Series]


def _rule(row: Row, factor: float) -> _Rule:
    names = (*row.state_names, UNKNOWN) if row.metric.kind is Kind.STATESET else ()
    states = {name: series_of(row.metric, *row.labels, name) for name in names}
    # 0 is how servers say that there is no time.
    zero_is_absent = row.zero_is_absent or row.metric.name.endswith(TIMESTAMP)
    return _Rule(row, row.series, factor, plausible_range(row), zero_is_absent, states)


@dataclass(frozen=True, slots=True)
class _Context:
    """Of whom a reading is, when it came, and whether it is a replay."""

    owner: Owner
    at: float
    output: Output
    again: bool


class Translator:
    """Translates the readings of one account.

    `factors` are the configured ones, by (device type, key); they replace the catalogue's. The
    `guard` holds what is remembered of counters.
    """

    def __init__(self, factors: Mapping[tuple[int, str], float]) -> None:
        self._factors = factors
        self._rules: dict[tuple[str, int | None], Mapping[str, _Rule]] = {}
        self.guard = CounterGuard()
        self.phase_units = PhaseUnits()

    def capacity(self, interface: str, device_type: int | None, reading: Reading) -> float:
        """The installed capacity that a row of statistics gives, in watts; 0 for none."""
        rule = self._rules_of(interface, device_type).get(CAPACITY)
        raw = reading.values.get(CAPACITY, 0.0)
        if rule is None or rule.factor is None:
            return 0.0
        watts = raw * rule.factor
        return watts if rule.range.contains(raw, watts, NOTHING_KNOWN) else 0.0

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
        rules = self._rules_of(interface, device_type)
        if device_type == GRID_METER and TOTAL in rules:
            rules = self._with_phase_units(rules, reading, again=again)
        context = _Context((device_type, reading.subject), at, output, again)
        result = Translation()
        reading = _without_unknown_objects(reading, objects(interface, device_type))
        for key, reason in reading.rejected.items():
            if key in rules:
                result.rejected[reason] += 1
            else:
                result.unknown_keys.append(key)
        for rule, value in _known(reading.values, rules, reading, result):
            self._add(result, rule, context, value)
        for rule, text in _known(reading.texts, rules, reading, result):
            _add_text(result, rule, text)
        for row, value in _standing_in(stand_ins(interface, device_type), reading):
            self._add(result, self._rule_of(row), context, value)
        return result

    def _rules_of(self, interface: str, device_type: int | None) -> Mapping[str, _Rule]:
        source = interface, device_type
        if source not in self._rules:
            rows = lookup(interface, device_type)
            self._rules[source] = {key: self._rule_of(row) for key, row in rows.items()}
        return self._rules[source]

    def _rule_of(self, row: Row) -> _Rule:
        if row.device_type is None:
            return _rule(row, row.factor)
        return _rule(row, self._factors.get((row.device_type, row.key), row.factor))

    def _with_phase_units(
        self, rules: Mapping[str, _Rule], reading: Reading, *, again: bool
    ) -> Mapping[str, _Rule]:
        """The rules with the units of a grid meter's phases, but for those that are configured."""
        if not again:
            self.phase_units.read(reading, rules[TOTAL].factor or 0.0)
        found = self.phase_units.factors(reading.subject)
        return {
            **rules,
            **{
                key: replace(rules[key], factor=factor)
                for key, factor in found.items()
                if key in rules and (GRID_METER, key) not in self._factors
            },
        }

    def _add(self, result: Translation, rule: _Rule, context: _Context, raw: float) -> None:
        kind = rule.series.metric.kind
        if kind is Kind.STATESET:
            _add_code(result, rule, raw)
        elif kind is Kind.INFO:
            result.rejected[Rejection.WRONG_TYPE] += 1
        elif rule.factor is None:
            result.reject(RejectedValue(rule.row.key, raw, UNDECIDED))
        elif raw or not rule.zero_is_absent:
            value = raw * rule.factor + 0.0  # nothing is -0.0, which a turned sign makes of 0
            if not rule.range.contains(raw, value, context.output):
                _reject_value(result, rule.row.key, raw, value)
            elif kind is Kind.COUNTER:
                self._count(result, rule.row, context, raw, abs(rule.factor))
            else:
                result.samples[rule.series] = value

    def _count(
        self, result: Translation, row: Row, context: _Context, raw: float, unit: float
    ) -> None:
        # In the source's unit: another factor is neither a fall nor a leap.
        output = context.output
        rate = output.assumed if output.is_capacity else LEAST_RATE
        largest = max(output.assumed, LEAST_RATE)
        growth = GrowthBound(max(rate, LEAST_RATE) / unit, largest / unit, output.is_capacity)
        guard = self.guard.repeat if context.again else self.guard.admit
        verdict = guard(context.owner, (row.metric.name, row.labels), abs(raw), context.at, growth)
        if verdict.refused is not None:
            result.reject(RejectedValue(row.key, raw, verdict.refused, verdict.shown))
        if verdict.confirmed:
            result.confirmed[row.key] = raw
        if verdict.shown is not None:
            result.samples[row.series] = verdict.shown * unit


def _known(
    sent: Mapping[str, Sent], rules: Mapping[str, _Rule], reading: Reading, result: Translation
) -> Iterator[tuple[_Rule, Sent]]:
    """What was sent under known keys, but for those that stand in for another; notes the others."""
    for key, each in sent.items():
        rule = rules.get(key)
        if rule is None:
            result.unknown_keys.append(key)
        elif not _is_sent(reading, rule.row.fallback_for):
            yield rule, each


def _is_sent(reading: Reading, key: str) -> bool:
    """Whether a key was sent, with a value or with what cannot be used as one."""
    return bool(key) and (key in reading.values or key in reading.rejected or key in reading.texts)


def _without_unknown_objects(reading: Reading, known: Collection[str]) -> Reading:
    """The reading with what stands in known objects in their place; others are one key each."""
    if not reading.rejected:
        return reading

    def is_kept(key: str) -> bool:
        head, dot, _ = key.partition(".")
        if dot and head in reading.rejected:
            return head in known
        return key not in known or reading.rejected.get(key) is not Rejection.WRONG_TYPE

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


def _reject_value(result: Translation, key: str, raw: float, value: float) -> None:
    if isfinite(value):
        result.reject(RejectedValue(key, raw, IMPLAUSIBLE))
    else:
        result.rejected[Rejection.NOT_FINITE] += 1


def _add_code(result: Translation, rule: _Rule, code: float) -> None:
    """Adds the state that a code means, and the code."""
    row = rule.row
    states = row.states or {}
    _add_states(result, rule, states.get(int(code)) if code.is_integer() else None)
    if row.code_metric is not None:
        result.samples[series_of(row.code_metric, *row.labels)] = code


def _add_text(result: Translation, rule: _Rule, text: str) -> None:
    """Adds the state that a word means, however its letters are cased, or what something is."""
    row = rule.row
    if row.words is None:
        result.samples[series_of(row.metric, *row.labels, text)] = 1.0
        return
    named = (name for word, name in row.words.items() if word.casefold() == text.casefold())
    _add_states(result, rule, next(named, None))


def _add_states(result: Translation, rule: _Rule, current: str | None) -> None:
    if current is None:
        current = UNKNOWN
        result.unknown_states[rule.row.metric.name] += 1
    result.samples.update(dict.fromkeys(rule.states.values(), 0.0))
    result.samples[rule.states[current]] = 1.0
