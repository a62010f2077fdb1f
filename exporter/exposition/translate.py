"""Readings and the catalogue make samples: base units, ranges, states, guarded counters."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import Any

from exporter.account.counters import MIN_RATE, CounterGuard, Entity, GrowthBound, refusal
from exporter.catalogue.index import lookup
from exporter.catalogue.model import Row, Series, series_of
from exporter.exposition.families import UNKNOWN_VALUES
from exporter.exposition.phase_units import GRID_METER, TOTAL, PhaseUnits
from exporter.exposition.plan import UNKNOWN, Numbers, Rule, Rules, rule_of
from exporter.exposition.plausibility import NOTHING_KNOWN, Output, is_plausible
from exporter.exposition.samples import Column, Samples, Vector
from exporter.northbound.interfaces import Interface
from exporter.northbound.records import Reading, Rejection, Values, Windows

CAPACITY = "installed_capacity"  # the key under which statistics give it
PERIOD_START = "collectTime"  # the key, in ms, under which the catalogue has a row's own start
IMPLAUSIBLE = "implausible"  # why a value is not shown that its quantity cannot have
UNDECIDED = "unit_undecided"  # why a value is not shown whose unit is not certain any more


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

    `columns` are its series and states, with a number for each series. `rejected` counts unusable
    values by reason, and `rejected_values` are those of them that are numbers; `confirmed` are
    values, by key, that their counter had held back until now. `unknown_keys` are those without a
    row in the catalogue, and `unknown_states` counts, by metric, codes that no enumeration names.
    """

    columns: list[Column]
    numbers: list[float]
    rejected: Counter[str]
    unknown_keys: Sequence[str]
    rejected_values: list[RejectedValue] = field(default_factory=list)
    confirmed: dict[str, float] = field(default_factory=dict)
    unknown_states: Counter[str] = field(default_factory=Counter)

    @property
    def samples(self) -> Vector:
        """The samples."""
        return Vector(self.columns, self.numbers)

    @property
    def is_ordinary(self) -> bool:
        """Whether all that was sent became samples."""
        return not (self.rejected or self.confirmed or self.unknown_keys or self.unknown_states)

    def add(self, series: Series, value: float) -> None:
        """Adds a sample."""
        self.columns.append(series)
        self.numbers.append(value)

    def reject(self, value: RejectedValue) -> None:
        """Notes and counts a value that is not shown."""
        self.rejected_values.append(value)
        self.rejected[value.reason] += 1


@dataclass(frozen=True, slots=True)
class _Context:
    """Of whom a reading is, when it came, and whether it is a replay."""

    entity: Entity
    at: float
    output: Output
    again: bool


class Translator:
    """Translates the readings of one account.

    `factors` are the configured ones, by (device type, key); they replace the catalogue's. Without
    `name_states`, states that have a code are shown by it alone. The `guard` holds what is
    remembered of counters.
    """

    def __init__(
        self, factors: Mapping[tuple[int, str], float], *, name_states: bool = True
    ) -> None:
        self._factors = factors
        self._name_states = name_states
        self._rules: dict[tuple[object, ...], Rules] = {}
        self.guard = CounterGuard()
        self.phase_units = PhaseUnits()

    def capacity(self, interface: str, device_type: int | None, reading: Reading) -> float:
        """The installed capacity that a row of statistics gives, in watts; 0 for none."""
        raw = reading.values.get(CAPACITY, 0.0)
        rule = self._rules_of(interface, device_type).by_key.get(CAPACITY) if raw else None
        if rule is None or rule.factor is None:
            return 0.0
        watts = raw * rule.factor
        return watts if is_plausible(rule.row.range, raw, watts, NOTHING_KNOWN) else 0.0

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
        if device_type == GRID_METER and TOTAL in rules.by_key:
            rules = self._with_phase_units(interface, rules, reading, again=again)
        plan, raws = rules.plan(reading), reading.values.numbers
        result = Translation([], [], plan.rejected.copy(), plan.unknown_keys)
        gauges, _, values = _plausible(plan.gauges, raws, output, result)
        all_of_them = gauges is plan.gauges.rules
        result.columns += plan.gauges.series if all_of_them else [r.row.series for r in gauges]
        result.numbers += values
        for place, rule in plan.undecided:
            result.reject(RejectedValue(rule.row.key, raws[place], UNDECIDED))
        for place, rule in plan.states:
            _add_code(result, rule, raws[place])
        context = _Context((device_type, reading.subject), at, output, again)
        counted, sent, _ = _plausible(plan.counters, raws, output, result)
        self._count(result, counted, sent, context)
        for key, rule in plan.texts:
            _add_text(result, rule, reading.texts[key])
        return result

    def _rules_of(self, interface: str, device_type: int | None) -> Rules:
        source = interface, device_type
        if source not in self._rules:
            rows = lookup(interface, device_type)
            self._rules[source] = Rules(
                {key: self._rule_of(row) for key, row in rows.items()},
                [
                    (row, self._rule_of(replace(row, key=row.stand_in.key)))
                    for row in rows.values()
                    if row.stand_in is not None
                ],
                {key.partition(".")[0] for key in rows if "." in key},
            )
        return self._rules[source]

    def _rule_of(self, row: Row) -> Rule:
        factor = row.factor
        if row.device_type is not None:
            factor = self._factors.get((row.device_type, row.key), factor)
        return rule_of(row, factor, name_states=self._name_states)

    def _with_phase_units(
        self, interface: str, rules: Rules, reading: Reading, *, again: bool
    ) -> Rules:
        """The rules with the units of a grid meter's phases, but for those that are configured."""
        if not again:
            self.phase_units.read(reading, rules.by_key[TOTAL].factor or 0.0)
        found = self.phase_units.factors(reading.subject)
        source = (interface, *found.items())
        if source not in self._rules:
            own = {
                key: rule_of(rules.by_key[key].row, factor)
                for key, factor in found.items()
                if key in rules.by_key and (GRID_METER, key) not in self._factors
            }
            self._rules[source] = replace(rules, by_key={**rules.by_key, **own})
        return self._rules[source]

    def _count(
        self, result: Translation, rules: Sequence[Rule], raws: Sequence[float], context: _Context
    ) -> None:
        """Adds what counts of counters, in the source's unit: no factor makes a fall or a leap."""
        growths = {unit: _growth(context.output, unit) for unit in {rule.unit for rule in rules}}
        answers = [
            (rule.counter, abs(raw), growths[rule.unit])
            for rule, raw in zip(rules, raws, strict=True)
        ]
        entity, at, again = context.entity, context.at, context.again
        counts, confirmed = self.guard.admit(entity, answers, at, again=again)
        for rule, raw, counted in zip(rules, raws, counts, strict=True):
            if counted != abs(raw) and not again:
                refused = refusal(abs(raw), counted)
                result.reject(RejectedValue(rule.row.key, raw, refused, counted or None))
            if rule.counter in confirmed:
                result.confirmed[rule.row.key] = raw
            if counted:
                result.add(rule.row.series, counted * rule.unit)


def _growth(output: Output, unit: float) -> GrowthBound:
    """How fast a counter may grow whose unit is so many base units."""
    rate = output.assumed if output.is_capacity else MIN_RATE
    largest = max(output.assumed, MIN_RATE)
    return GrowthBound(max(rate, MIN_RATE) / unit, largest / unit, output.is_capacity)


def _plausible(
    numbers: Numbers, raws: Sequence[float], output: Output, result: Translation
) -> tuple[Sequence[Rule], Sequence[float], Sequence[float]]:
    """The numbers that can be what they say: their rules, as they were sent, and in base units."""
    mine = numbers.pick(raws)
    values = numbers.convert(mine)
    if numbers.are_ordinary(mine, values, output):
        return numbers.rules, mine, values
    shown: list[tuple[Rule, float, float]] = []
    for rule, raw, value in zip(numbers.rules, mine, values, strict=True):
        if not raw and rule.row.zero_is_absent:
            continue
        if is_plausible(rule.row.range, raw, value, output):
            shown.append((rule, raw, value))
        elif isfinite(value):
            result.reject(RejectedValue(rule.row.key, raw, IMPLAUSIBLE))
        else:
            result.rejected[Rejection.NOT_FINITE] += 1
    return [each[0] for each in shown], [each[1] for each in shown], [each[2] for each in shown]


def _add_code(result: Translation, rule: Rule, code: float) -> None:
    """Adds the state that a code means, and the code."""
    _add_state(result, rule, rule.row.state_of(code))
    if rule.row.code is not None:
        result.add(rule.row.code, code)


def _add_text(result: Translation, rule: Rule, text: str) -> None:
    """Adds the state that a word means, however its letters are cased, or what something is."""
    row = rule.row
    if row.words is None:
        result.add(series_of(row.metric, *row.labels, text), 1.0)
        return
    named = (name for word, name in row.words.items() if word.casefold() == text.casefold())
    _add_state(result, rule, next(named, None))


def _add_state(result: Translation, rule: Rule, current: str | None) -> None:
    if current is None:
        current = UNKNOWN
        result.unknown_states[rule.row.metric.name] += 1
    if rule.states:
        result.columns.append(rule.states[current])


def windowed(windows: Windows, translate: Callable[[Reading], Samples]) -> Samples:
    """The samples of a subject's statistics, each labelled with its window as well."""
    samples: dict[Series, float] = {}
    for window, row in (("current", windows.current), ("previous", windows.previous)):
        if row is not None:
            values = Values({**row.reading.values, PERIOD_START: row.start * 1e3})
            for series, value in translate(replace(row.reading, values=values)).items():
                samples[series_of(series.metric, *series.labels, window)] = value
    return samples


# --- keys that the catalogue lacks ---------------------------------------------------------------

# Different ones of an account: a server that makes them up must not flood Prometheus. No device of
# the reference has more keys than that.
MAX_UNKNOWN_KEYS = 100
# What has ten digits may be an id or a telephone number; devices send the largest or smallest
# whole number of 32 bits where they have no value.
_TOO_LONG = 10**9


class UnknownValues:
    """Makes the samples of unknown keys, of the first `max_keys` that an account sends.

    Their numbers are shown as they were sent.

    Only of values as of now: a statistic's period and window are in no key, and without them its
    values would be mixed up.
    """

    def __init__(self, max_keys: int, log: Any) -> None:
        self.exports = max_keys > 0
        self._most_keys = max_keys
        self._keys: set[str] = set()
        self._is_full = False
        self._log = log

    def samples(self, interface: Interface, reading: Reading, unknown: Collection[str]) -> Samples:
        """Those of a reading, of whose keys these are `unknown`."""
        if not self.exports or not interface.realtime:
            return {}
        values = {key: reading.values[key] for key in unknown if key in reading.values}
        metric = UNKNOWN_VALUES[interface.subject]
        return {
            series_of(metric, key): value
            for key, value in values.items()
            if abs(value) < _TOO_LONG and self._has_room_for(key)
        }

    def _has_room_for(self, key: str) -> bool:
        if key in self._keys:
            return True
        if len(self._keys) < self._most_keys:
            self._keys.add(key)
            return True
        if not self._is_full:
            self._is_full = True
            self._log.warning("more unknown keys than are exported", most=self._most_keys)
        return False
