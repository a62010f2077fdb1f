"""Lifetime counters that neither fall nor leap by mistake. Pure: every time is an argument.

The management system's lifetime energies dip, read 0, lack a member of their sum, or stand at a
hundred times their value, for moments and for nights. Prometheus takes any fall of a counter for a
restart from zero, and any rise for energy. So what contradicts a counter is held back until it is
confirmed, and the counter stays where it was.

All values are in the source's unit, all times in seconds since the epoch.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import inf

MINUTE = 60.0
HOUR = 60 * MINUTE
DAY = 24 * HOUR

# Devices upload every five minutes; an upload may be missed and made up for by the next, and a
# plant's sum lags behind its devices by another one.
UPLOAD = 5 * MINUTE
SLACK = 3 * UPLOAD
# Edges of clouds add a third to a module's rating; extensions are seldom entered.
OVER = 1.5
LEAST_RATE = 4e3  # watts: below, a counter of whole kWh could not step within the slack
STALE = HOUR + SLACK  # while answers repeat themselves: the slowest sums are made every hour
CONFIRMATIONS = 3  # further answers that agree
REPEAT = HOUR  # after which an answer that repeats itself is a further one
NEAR = 10  # times the rate, within which a further answer agrees
PROOF = 10 * MINUTE  # over which growth proves a rate

FELL, LEAPT = "counter_fell", "counter_leapt"  # why a value is held back

Owner = tuple[int | None, str]  # device type (None: plant), and plant code or device id
Series = tuple[str, tuple[str, ...]]  # metric, and the values of its own labels


@dataclass(frozen=True, slots=True)
class Run:
    """Answers that contradict a counter, none below the one before it.

    The first came at `since`, the last one that was new at `at`. From `start` on, which came at
    `begun`, they rose like a counter: `agreed` of them.
    """

    value: float
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
    fastest growth, each second, that was confirmed. `answered` is when the value was last sent; it
    does not survive a restart.
    """

    value: float
    since: float | None = None
    proved: float = 0.0
    run: Run | None = None
    answered: float = field(default=inf, compare=False)


@dataclass(frozen=True, slots=True)
class GrowthBound:
    """How much a counter may grow each second.

    A rise by `rate` is shown at once. Where that `is_known`, from a capacity, no number of answers
    confirms a faster one; otherwise further answers may agree with each other at up to `largest`.
    """

    rate: float
    largest: float = 0.0
    is_known: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to show for an answer (None: nothing); why it is refused, or that it was confirmed."""

    shown: float | None
    refused: str | None = None
    confirmed: bool = False


class Guard:
    """The value of every counter, until a higher or a lower one is confirmed."""

    def __init__(self) -> None:
        self._held: dict[Owner, dict[Series, CounterState]] = {}
        self._changed: set[Owner] = set()
        self._pending: dict[tuple[Owner, Series], CounterState] = {}

    def admit(
        self, owner: Owner, series: Series, value: float, at: float, growth: GrowthBound
    ) -> Verdict:
        """Takes an answer of `at` in."""
        before = self._held.get(owner, {}).get(series)
        if before is None or (value and not before.value):  # nothing was shown yet: no rise
            held, confirmed = CounterState(value, at - SLACK), False
        else:
            held, confirmed = _judged(before, value, at, growth)
        self._keep(owner, series, held)
        refused = None
        if held.value != value:
            refused = LEAPT if value > held.value else FELL
        return Verdict(held.value or None, refused, confirmed)

    def repeat(
        self, owner: Owner, series: Series, value: float, at: float, growth: GrowthBound
    ) -> Verdict:
        """The same for an answer that was admitted before and is replayed."""
        held = self.of(owner, series)
        if held is None:
            return self.admit(owner, series, value, at, growth)
        return Verdict(held.value or None)

    def of(self, owner: Owner, series: Series) -> CounterState | None:
        """What counts of a counter; None before its first answer."""
        return self._held.get(owner, {}).get(series)

    def pending(self) -> Mapping[tuple[Owner, Series], CounterState]:
        """The counters of which a value is held back; any thread may ask."""
        return dict(self._pending)

    def accept(self, owner: Owner, metric: str) -> bool:
        """Accepts at once what is held back of a metric; returns whether there was anything."""
        mine = self._held.get(owner, {})
        runs = [
            (series, held.run)
            for series, held in mine.items()
            if series[0] == metric and held.run is not None
        ]
        for series, run in runs:
            self._keep(owner, series, CounterState(run.value, run.at, mine[series].proved))
        return bool(runs)

    def changes(self) -> Mapping[Owner, Mapping[Series, CounterState]]:
        """All that is held for those of which something changed since the last call."""
        changed, self._changed = self._changed, set()
        return {owner: self._held[owner] for owner in changed}

    def recall(self, owner: Owner, held: Mapping[Series, CounterState]) -> None:
        """Holds again what was held before a restart."""
        for series, each in held.items():
            self._keep(owner, series, each)
        self._changed.discard(owner)

    def forget(self, owner: Owner) -> None:
        """Drops what is held for a plant or device that is gone."""
        for series in self._held.pop(owner, {}):
            self._pending.pop((owner, series), None)
        self._changed.discard(owner)

    def _keep(self, owner: Owner, series: Series, held: CounterState) -> None:
        mine = self._held.setdefault(owner, {})
        if mine.get(series) != held:
            self._changed.add(owner)
        mine[series] = held
        if held.run is None:
            self._pending.pop((owner, series), None)
        else:
            self._pending[owner, series] = held


def _judged(
    before: CounterState, value: float, at: float, growth: GrowthBound
) -> tuple[CounterState, bool]:
    """What counts after an answer, and whether that had to be confirmed."""
    since, rate = _since(before, at), OVER * max(growth.rate, before.proved)
    accounted = since + (value - before.value) / rate
    if value >= before.value and accounted <= at:
        if value > before.value:
            before = CounterState(value, max(accounted, at - SLACK), before.proved)
        return replace(before, run=None, answered=at), False
    run = _followed(before, value, at, max(rate, OVER * growth.largest))
    if not _is_confirmed(run, before, since, at, rate, is_known=growth.is_known):
        return replace(before, run=run), False
    return CounterState(value, at - SLACK, _proved(run, before, since), answered=at), True


def _since(before: CounterState, at: float) -> float:
    """From when on growth can be accounted for; a time in the future counts as now."""
    if before.since is None or before.since > at:
        return at - SLACK
    if before.answered > at:
        return before.since
    return max(before.since, before.answered - STALE)


def _followed(before: CounterState, value: float, at: float, rate: float) -> Run:
    """The run that an answer continues, or begins."""
    run = before.run
    opposite = run is not None and (run.value > before.value) != (value > before.value)
    if run is None or opposite or value < run.value:
        return Run(value, at, at, value, at)
    since, last = min(run.since, at), min(run.at, at)
    if value > run.value + NEAR * rate * (at - last + SLACK):
        return Run(value, since, at, value, at)
    if value == run.value and at - last < REPEAT:
        return replace(run, since=since, at=last)
    return Run(value, since, at, run.start, min(run.begun, at), run.agreed + 1)


def _is_confirmed(  # noqa: PLR0913  # all of them decide
    run: Run, before: CounterState, since: float, at: float, rate: float, *, is_known: bool
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


def _proved(run: Run, before: CounterState, since: float) -> float:
    """The fastest growth that is confirmed, in units each second."""
    if run.agreed < CONFIRMATIONS:
        return max(before.proved, (run.value - before.value) / (run.at - since))
    if run.at - run.begun < PROOF:
        return before.proved
    return max(before.proved, (run.value - run.start) / (run.at - run.begun))
