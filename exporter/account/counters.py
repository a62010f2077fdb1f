"""Lifetime counters that neither fall nor leap by mistake. Pure: every time is an argument.

The management system's lifetime energies dip, read 0, lack a member of their sum, or stand at a
hundred times their value, for moments and for nights. Prometheus takes any fall of a counter for a
restart from zero, and any rise for energy. So what contradicts a counter is held back until it is
confirmed, and the counter stays where it was.

All values are in the source's unit, all times in seconds since the epoch.
"""

from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf, isnan, nan
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, PlainSerializer

from exporter.account.codec import Amount, NotKept, Pairs, Shared
from exporter.northbound.interfaces import DAY, HOUR, MINUTE, Subject
from exporter.northbound.records import CommonKeys, common_keys

# Devices upload every five minutes; an upload may be missed and made up for by the next, and a
# plant's sum lags behind its devices by another one.
UPLOAD = 5 * MINUTE
UPLOAD_TOLERANCE = 3 * UPLOAD
# Edges of clouds add a third to a module's rating; extensions are seldom entered.
RATE_MARGIN = 1.5
MIN_RATE = 4e3  # watts: below, a counter of whole kWh could not step within the slack
# While answers repeat themselves: the slowest sums are made every hour.
STALE = HOUR + UPLOAD_TOLERANCE
CONFIRMATIONS = 3  # further answers that agree
REPEAT = HOUR  # after which an answer that repeats itself is a further one
AGREEMENT_FACTOR = 10  # times the rate, within which a further answer agrees
MIN_PROOF_TIME = 10 * MINUTE  # over which growth proves a rate

FELL, LEAPT = "counter_fell", "counter_leapt"  # why a value is held back

Entity = tuple[int | None, str]  # device type (None: plant), and plant code or device id

# A metric, and the values of its own labels.
CounterName = Annotated[tuple[str, tuple[str, ...]], Shared]


@dataclass(frozen=True, slots=True)
class CounterRun:
    """Answers that contradict a counter, none below the one before it.

    The first came at `since`, the last one that was new at `at`. From `start` on, which came at
    `begun`, they rose like a counter: `agreed` of them. Values are in the source's unit, times in
    seconds since the epoch.
    """

    value: Amount
    since: float
    at: float
    start: float
    begun: float
    agreed: int = 0


@dataclass(frozen=True, slots=True)
class CounterState:
    """What counts.

    `since` is from when on growth can still be accounted for: a rise moves it ahead by the time
    that it takes to produce, so that many small leaps are one. None is not known. `proved` is the
    fastest growth, each second, that was confirmed. `answered` is when the value was last sent.
    """

    value: Amount
    since: float | None = None
    proved: float = 0.0
    run: CounterRun | None = None
    answered: Annotated[float, NotKept] = field(default=inf, compare=False)


_ROW = 4  # numbers of a counter
_NO_RUNS: Mapping[CounterName, CounterRun] = {}  # shared, as hardly any counter has one


class Counters(Mapping[CounterName, CounterState]):
    """What counts of all counters of a plant or device, in a quarter of the memory of its states.

    Thousands of devices have the same counters. So these have in common which there are, and each
    has a row of numbers of its own: `value`, `since`, which is NaN for None, `proved`, `answered`.
    """

    __slots__ = ("_common", "_numbers", "runs")

    def __init__(self, states: Mapping[CounterName, CounterState] | None = None) -> None:
        self.runs = _NO_RUNS
        self._common: CommonKeys[CounterName] = common_keys(())
        self._numbers = array("d")
        self.put(states or {})

    def __getitem__(self, series: CounterName) -> CounterState:
        """What counts of a counter."""
        row = self.row(series)
        if row is None:
            raise KeyError(series)
        value, since, proved, answered = row
        run = self.runs.get(series)
        return CounterState(value, None if isnan(since) else since, proved, run, answered)

    def __iter__(self) -> Iterator[CounterName]:
        """The counters."""
        return iter(self._common.places)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._common.places)

    def row(self, series: CounterName) -> Sequence[float] | None:
        """The numbers of a counter; None if it is not known."""
        place = self._common.places.get(series)
        return None if place is None else self._numbers[place * _ROW : (place + 1) * _ROW]

    def grow(self, series: CounterName, value: float, since: float, answered: float) -> bool:
        """Takes an answer over that continues a counter, and ends its run, if there is one.

        Returns whether that changed what outlives a restart.
        """
        place = self._common.places[series] * _ROW
        changed = series in self.runs or value != self._numbers[place]
        self._numbers[place] = value
        self._numbers[place + 1] = since
        self._numbers[place + 3] = answered
        if series in self.runs:
            self.runs = {other: run for other, run in self.runs.items() if other != series}
        return changed

    def put(self, states: Mapping[CounterName, CounterState]) -> None:
        """Sets what counts of these."""
        new = [series for series in states if series not in self._common.places]
        if new:
            self._numbers.extend([0.0] * _ROW * len(new))
            self._common = common_keys((*self._common.places, *new))
        for series, each in states.items():
            place = self._common.places[series] * _ROW
            since = nan if each.since is None else each.since
            row = (each.value, since, each.proved, each.answered)
            self._numbers[place : place + _ROW] = array("d", row)
        runs = {series: each.run for series, each in states.items()}
        if self.runs or any(runs.values()):
            self.runs = {s: run for s, run in {**self.runs, **runs}.items() if run is not None}

    def as_pairs(self) -> list[tuple[CounterName, Mapping[str, Any]]]:
        """The same as records of the fields that are stored; NaN is null in JSON."""
        columns = [self._numbers[n::_ROW] for n in range(_ROW - 1)]
        return [
            (
                series,
                {"value": value, "since": since, "proved": proved, "run": self.runs.get(series)},
            )
            for series, value, since, proved in zip(self._common.places, *columns, strict=True)
        ]

    @classmethod
    def __get_pydantic_core_schema__(cls, _: Any, handler: Any) -> Any:
        """For the codec they are pairs."""
        as_pairs = PlainSerializer(lambda states: states.as_pairs())
        return handler(Annotated[Pairs[CounterName, CounterState], AfterValidator(cls), as_pairs])


# --- which value counts --------------------------------------------------------------------------


class GrowthBound(NamedTuple):
    """How much a counter may grow each second.

    A rise by `rate` is shown at once. Where that `is_known`, from a capacity, no number of answers
    confirms a faster one; otherwise further answers may agree with each other at up to `largest`.
    """

    rate: float
    largest: float = 0.0
    is_known: bool = False


def refusal(value: float, counted: float) -> str:
    """Why another value than this counts."""
    return LEAPT if value > counted else FELL


CounterAnswer = tuple[CounterName, float, GrowthBound]  # a counter, and what was sent
ByName = MutableMapping[str, Counters]  # by plant code or device id


class CounterGuard:
    """The value of every counter, until a higher or a lower one is confirmed."""

    def __init__(self) -> None:
        self._counters: Mapping[Subject, ByName] = {Subject.PLANTS: {}, Subject.DEVICES: {}}
        self._pending: dict[tuple[Entity, CounterName], CounterRun] = {}

    def restore(self, counters: Mapping[Subject, ByName], device_types: Mapping[str, int]) -> None:
        """Goes on with the counters of a previous run, and keeps them there."""
        self._counters = counters
        for subject, known in counters.items():
            for name, mine in known.items():
                device_type = None if subject is Subject.PLANTS else device_types[name]
                for series, run in mine.runs.items():
                    self._note(((device_type, name), series), run)

    def _counters_of(self, entity: Entity) -> Counters:
        mine = self._section(entity).get(entity[1])
        return Counters() if mine is None else mine

    def _section(self, entity: Entity) -> ByName:
        return self._counters[Subject.PLANTS if entity[0] is None else Subject.DEVICES]

    def admit(
        self, entity: Entity, answers: Iterable[CounterAnswer], at: float, *, again: bool = False
    ) -> tuple[list[float], Collection[CounterName]]:
        """Applies what was answered at once about the counters of a plant or device.

        What was admitted before and is told `again` changes nothing.

        Returns:
            The value that counts of each now, where 0 is nothing to show, and whose value, held
            back until now, is confirmed.
        """
        mine = self._counters_of(entity)
        counts: list[float] = []
        confirmed: list[CounterName] = []
        judged: dict[CounterName, CounterState] = {}
        changed = False
        for series, value, growth in answers:
            row = mine.row(series)
            if again and row is not None:
                counts.append(row[0])
            elif (
                row is not None and (since := _accounted_since(row, value, at, growth)) is not None
            ):
                if series in mine.runs:
                    self._note((entity, series), None)
                changed |= mine.grow(series, value, since, at)
                counts.append(value)
            else:
                before = mine.get(series)
                judged[series] = held = _judge(before, value, at, growth)
                if before is not None and before.value and held.value == value:
                    confirmed.append(series)
                self._note((entity, series), held.run)
                changed |= held != before  # otherwise nothing that outlives a restart was changed
                counts.append(held.value)
        mine.put(judged)
        if changed:
            self._section(entity)[entity[1]] = mine
        return counts, confirmed

    def of(self, entity: Entity, series: CounterName) -> CounterState | None:
        """What counts of a counter; None before its first answer."""
        return self._counters_of(entity).get(series)

    def pending(self) -> Mapping[tuple[Entity, CounterName], CounterState]:
        """The counters of which a value is held back; any thread may ask."""
        found = ((key, run, self.of(*key)) for key, run in dict(self._pending).items())
        # Else it is gone, or has another type.
        return {key: held for key, run, held in found if held is not None and held.run is run}

    def accept(self, entity: Entity, metric: str) -> bool:
        """Accepts at once what is held back of a metric; returns whether there was anything."""
        mine = self._counters_of(entity)
        accepted = {
            series: CounterState(run.value, run.at, mine[series].proved)
            for series, run in mine.runs.items()
            if series[0] == metric
        }
        for series in accepted:
            self._note((entity, series), None)
        if accepted:
            mine.put(accepted)
            self._section(entity)[entity[1]] = mine
        return bool(accepted)

    def _note(self, key: tuple[Entity, CounterName], run: CounterRun | None) -> None:
        if run is None:
            self._pending.pop(key, None)
        else:
            self._pending[key] = run


def _accounted_since(
    before: Sequence[float], value: float, at: float, growth: GrowthBound
) -> float | None:
    """From when on growth can be accounted for, once a counter has this value.

    `before` is its row. None after an answer that is less, or more than may have been produced.
    """
    counted, since, proved, answered = before
    if value == counted:
        return since
    if value < counted or not counted:
        return None
    accounted = _since(since, answered, at) + (value - counted) / (
        RATE_MARGIN * max(growth.rate, proved)
    )
    return max(accounted, at - UPLOAD_TOLERANCE) if accounted <= at else None


def _since(since: float | None, answered: float, at: float) -> float:
    """From when on growth can be accounted for; a time in the future counts as now."""
    if since is None or not since <= at:
        return at - UPLOAD_TOLERANCE
    return since if answered > at else max(since, answered - STALE)


def _judge(
    before: CounterState | None, value: float, at: float, growth: GrowthBound
) -> CounterState:
    """What counts after an answer that contradicts it: what counted before, or what it confirms."""
    if before is None or not before.value:  # nothing was shown yet: no rise
        return CounterState(value, at - UPLOAD_TOLERANCE)
    since = _since(before.since, before.answered, at)
    rate = RATE_MARGIN * max(growth.rate, before.proved)
    run = _next_run(before, value, at, max(rate, RATE_MARGIN * growth.largest))
    if not _is_confirmed(run, before, since, at, rate, is_known=growth.is_known):
        return replace(before, run=run)
    return CounterState(value, at - UPLOAD_TOLERANCE, _proven_rate(run, before, since), answered=at)


def _next_run(before: CounterState, value: float, at: float, rate: float) -> CounterRun:
    """The run that an answer continues, or begins."""
    run = before.run
    opposite = run is not None and (run.value > before.value) != (value > before.value)
    if run is None or opposite or value < run.value:
        return CounterRun(value, at, at, value, at)
    since, last = min(run.since, at), min(run.at, at)
    if value > run.value + AGREEMENT_FACTOR * rate * (at - last + UPLOAD_TOLERANCE):
        return CounterRun(value, since, at, value, at)
    if value == run.value and at - last < REPEAT:
        return replace(run, since=since, at=last)
    return CounterRun(value, since, at, run.start, min(run.begun, at), run.agreed + 1)


def _is_confirmed(  # noqa: PLR0913  # all of them decide
    run: CounterRun, before: CounterState, since: float, at: float, rate: float, *, is_known: bool
) -> bool:
    """Whether a run is confirmed.

    A leap is after further answers that agree, unless it is known that it cannot have been produced
    since the last rise; or after a day without a fall. A fall is after a day
    in which the counter grew; but if it is small and no count from zero, it waits to be overtaken:
    that takes days, and Prometheus would take the whole value for an increase.
    """
    lasted = at - run.since >= DAY
    if run.value > before.value:
        # While answers repeat themselves, all that was produced since may come at once.
        started = since if before.since is None else min(since, before.since)
        impossible = is_known and run.value - before.value > rate * (at - started)
        return lasted or (run.agreed >= CONFIRMATIONS and not impossible)
    if not lasted or run.agreed < CONFIRMATIONS or run.value == run.start:
        return False
    return run.value <= rate * (at - since) or before.value - run.value > rate * DAY


def _proven_rate(run: CounterRun, before: CounterState, since: float) -> float:
    """The fastest growth that is confirmed, in units each second."""
    if run.agreed < CONFIRMATIONS:
        return max(before.proved, (run.value - before.value) / (run.at - since))
    if run.at - run.begun < MIN_PROOF_TIME:
        return before.proved
    return max(before.proved, (run.value - run.start) / (run.at - run.begun))
