"""What becomes of a reading's values: decided once for all readings with the same keys.

Which rows of the catalogue they have, which keys nobody knows, which stand in for others: all of
that depends on the keys. The numbers of a plan are converted and judged all at once; only where one
of them cannot be what it says are they looked at one by one.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from operator import ge, itemgetter, le
from typing import Any

from exporter.account.counters import CounterName
from exporter.catalogue.model import Kind, Row, series_of
from exporter.catalogue.ranges import SUSPICIOUS
from exporter.exposition.plausibility import Output
from exporter.exposition.samples import State
from exporter.northbound.records import Reading, Rejection

MAX_PLANS = 256  # of one source: devices leave out what they do not have, each in its own way
UNKNOWN = "unknown"  # the state of a code that no table names


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """What the catalogue and the configuration say of a key.

    The `factor` is None where the unit is not certain, and the `unit` without its sign. `counter`
    is by which name a counter is remembered; `states` are those of a StateSet, by name, none where
    its code is enough.
    """

    row: Row
    factor: float | None
    unit: float
    counter: CounterName
    states: Mapping[str, State]

    @property
    def takes_words(self) -> bool:
        """Whether its values are texts, not numbers."""
        return self.row.words is not None or self.row.metric.kind is Kind.INFO


def rule_of(row: Row, factor: float | None, *, name_states: bool = True) -> Rule:
    """The rule of a row whose values are multiplied with this factor.

    States that are not to be named are named all the same where they have no code.
    """
    metric, labels = row.series.metric, row.series.labels
    named = metric.kind is Kind.STATESET and (name_states or row.code is None)
    names = (*row.state_names, UNKNOWN) if named else ()
    series = {name: series_of(metric, *labels, name) for name in names}
    states = {name: State(tuple(series.values()), each) for name, each in series.items()}
    return Rule(row, factor, abs(factor or 0.0), (metric.name, labels), states)


def _picker(places: Sequence[int]) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """Picks the values at these positions."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda values: [values[place] for place in places]


class Numbers:
    """Those of a reading's numbers that become one sample each, in the order of their places."""

    def __init__(self, placed: Sequence[tuple[int, Rule]]) -> None:
        self.rules = [rule for _, rule in placed]
        self.series = [rule.row.series for rule in self.rules]
        self.pick = _picker([place for place, _ in placed])
        rows = [rule.row for rule in self.rules]
        ranges = [row.range for row in rows]
        self._factors = [rule.factor or 0.0 for rule in self.rules]
        self._lows = [each.low for each in ranges]
        self._highs = [each.high for each in ranges]
        limited = [n for n, each in enumerate(ranges) if each.of_output < inf]
        self._limited = _picker(limited)
        self._limits = [ranges[n].of_output for n in limited]
        self._never_zero = _picker([n for n, row in enumerate(rows) if row.zero_is_absent])

    def convert(self, raws: Iterable[float]) -> list[float]:
        """The values in base units of those that were picked."""
        # Nothing is -0.0, which a turned sign makes of 0.
        return [raw * factor + 0.0 for raw, factor in zip(raws, self._factors, strict=True)]

    def are_ordinary(self, raws: Sequence[float], values: Sequence[float], output: Output) -> bool:
        """Whether all of them are there, and surely what they say; else some may be as well."""
        return (
            all(map(le, self._lows, values))
            and all(map(ge, self._highs, values))
            and SUSPICIOUS.isdisjoint(raws)
            and all(self._never_zero(raws))
            and not (
                output.known
                and any(
                    abs(value) > limit * output.known
                    for value, limit in zip(self._limited(values), self._limits, strict=True)
                )
            )
        )


@dataclass(frozen=True, slots=True)
class ReadingPlan:
    """What becomes of the values of readings with certain keys.

    Places are those of the values in their order. `states` are sent as numbers, `texts` as words;
    of `undecided` ones the unit is not certain. `rejected` and `unknown_keys` are the same for all.
    """

    gauges: Numbers
    counters: Numbers
    states: Sequence[tuple[int, Rule]]
    undecided: Sequence[tuple[int, Rule]]
    texts: Sequence[tuple[str, Rule]]
    rejected: Counter[str]
    unknown_keys: Sequence[str]


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one interface and device type, and the `plans` that were made by them.

    A reading that lacks the key of one of `stand_ins` has its rule for the key that stands for it.
    The keys of known `objects` hold others.
    """

    by_key: Mapping[str, Rule]
    stand_ins: Sequence[tuple[Row, Rule]] = ()
    objects: Collection[str] = ()
    plans: dict[Any, ReadingPlan] = field(default_factory=dict, init=False)

    def plan(self, reading: Reading) -> ReadingPlan:
        """The plan for a reading."""
        keys = (reading.values.common, tuple(reading.texts), tuple(reading.rejected.items()))
        plan = self.plans.get(keys)
        if plan is None:
            if len(self.plans) >= MAX_PLANS:
                self.plans.clear()
            plan = self.plans[keys] = self._build(reading)
        return plan

    def _build(self, reading: Reading) -> ReadingPlan:
        keys = _Keys(reading, self.objects)
        rejected: Counter[str] = Counter()
        unknown: list[str] = []
        for key, reason in keys.rejected.items():
            if key in self.by_key:
                rejected[reason] += 1
            else:
                unknown.append(key)
        numbers = [
            (keys.values[key], rule) for key, rule in self._known_rules(keys.values, keys, unknown)
        ]
        texts = list(self._known_rules(keys.texts, keys, unknown))
        worded = [(key, rule) for key, rule in texts if rule.takes_words]
        numbers += self._substitutes(keys)
        by_kind: dict[str, list[tuple[int, Rule]]] = {}
        for place, rule in numbers:
            kind = rule.row.metric.kind
            measured = kind in (Kind.GAUGE, Kind.COUNTER)
            group = "undecided" if measured and rule.factor is None else kind.value
            by_kind.setdefault(group, []).append((place, rule))
        if misfits := len(by_kind.get(Kind.INFO, ())) + len(texts) - len(worded):
            rejected[Rejection.WRONG_TYPE] += misfits
        return ReadingPlan(
            Numbers(by_kind.get(Kind.GAUGE, ())),
            Numbers(by_kind.get(Kind.COUNTER, ())),
            by_kind.get(Kind.STATESET, ()),
            by_kind.get("undecided", ()),
            worded,
            rejected,
            unknown,
        )

    def _known_rules(
        self, sent: Iterable[str], keys: "_Keys", unknown: list[str]
    ) -> Iterator[tuple[str, Rule]]:
        """The known keys, but for those that stand in for another; notes the others."""
        for key in sent:
            rule = self.by_key.get(key)
            if rule is None:
                unknown.append(key)
            elif not keys.is_sent(rule.row.fallback_for):
                yield key, rule

    def _substitutes(self, keys: "_Keys") -> Iterator[tuple[int, Rule]]:
        """The rows whose key was not sent, with the value of the key that stands for it."""
        for row, rule in self.stand_ins:
            found = row.stand_in
            if found is None or keys.is_sent(row.key) or found.beside not in keys.values:
                continue
            if found.key in keys.values:
                yield keys.values[found.key], rule


class _Keys:
    """What a reading has keys for, with what stands in known objects in their place.

    An object that nobody knows is one key. `values` has the place of each number.
    """

    def __init__(self, reading: Reading, objects: Collection[str]) -> None:
        self._unusable = reading.rejected
        self._objects = objects
        kept = self._is_kept
        self.values = {key: place for place, key in enumerate(reading.values) if kept(key)}
        self.texts = [key for key in reading.texts if kept(key)]
        self.rejected = {key: why for key, why in reading.rejected.items() if kept(key)}
        self._sent = frozenset((*self.values, *self.texts, *self.rejected))

    def _is_kept(self, key: str) -> bool:
        head, dot, _ = key.partition(".")
        if dot and head in self._unusable:
            return head in self._objects
        return key not in self._objects or self._unusable.get(key) is not Rejection.WRONG_TYPE

    def is_sent(self, key: str) -> bool:
        """Whether a key was sent, with a value or with what cannot be used as one."""
        return bool(key) and key in self._sent
