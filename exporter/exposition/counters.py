"""Lifetime counters that neither fall nor leap by mistake. Pure: every time is an argument.

The management system's lifetime energies dip, read 0, lack a member of their sum, or stand at a
hundred times their value, for moments and for nights. Prometheus takes any fall of a counter for a
restart from zero, and any rise for energy. So what contradicts a counter is held back until it is
confirmed, and the counter stays where it was.

All values are in the source's unit, all times in seconds since the epoch.
"""

from collections.abc import Collection, Iterable, Mapping, MutableMapping
from dataclasses import replace
from typing import NamedTuple

from exporter.account.counters import CounterRun, CounterState, Series
from exporter.northbound.interfaces import DAY, HOUR, MINUTE, Subject

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


class GrowthBound(NamedTuple):
    """How much a counter may grow each second.

    A rise by `rate` is shown at once. Where that `is_known`, from a capacity, no number of answers
    confirms a faster one; otherwise further answers may agree with each other at up to `largest`.
    """

    rate: float
    largest: float = 0.0
    is_known: bool = False


def refusal(value: float, held: CounterState) -> str:
    """Why another value than this counts."""
    return LEAPT if value > held.value else FELL


Answer = tuple[Series, float, GrowthBound]  # a counter, and what was sent
Counters = MutableMapping[str, dict[Series, CounterState]]  # by plant code or device id


class CounterGuard:
    """The value of every counter, until a higher or a lower one is confirmed."""

    def __init__(self) -> None:
        self._of_plants: Counters = {}
        self._of_devices: Counters = {}
        self._pending: dict[tuple[Owner, Series], CounterState] = {}

    def restore(
        self, counters: Mapping[Subject, Counters], device_types: Mapping[str, int]
    ) -> None:
        """Goes on with the counters of a previous run, and keeps them there."""
        self._of_plants, self._of_devices = counters[Subject.PLANTS], counters[Subject.DEVICES]
        for subject, known in counters.items():
            for name, states in known.items():
                device_type = None if subject is Subject.PLANTS else device_types[name]
                for series, state in states.items():
                    if state.run is not None:
                        self._note(((device_type, name), series), state)

    def _of(self, owner: Owner) -> dict[Series, CounterState]:
        return self._section(owner).get(owner[1], {})

    def _section(self, owner: Owner) -> Counters:
        return self._of_plants if owner[0] is None else self._of_devices

    def admit(
        self, owner: Owner, answers: Iterable[Answer], at: float, *, again: bool = False
    ) -> tuple[list[CounterState], Collection[Series]]:
        """Applies what was answered at once about the counters of a plant or device.

        What was admitted before and is told `again` changes nothing.

        Returns:
            What counts of each now, where 0 is nothing to show, and whose value, held back until
            now, is confirmed.
        """
        section = self._section(owner)
        mine = section.get(owner[1], {})
        states: list[CounterState] = []
        confirmed: list[Series] = []
        changed = False
        for series, value, growth in answers:
            before = mine.get(series)
            if again and before is not None:
                states.append(before)
                continue
            if before is None or (value and not before.value):  # nothing was shown yet: no rise
                held = CounterState(value, at - SLACK)
            elif (grown := _grown(before, value, at, growth)) is not None:
                held = grown
            else:
                held = _judged(before, value, at, growth)
                if held.value == value:
                    confirmed.append(series)
            mine[series] = held
            states.append(held)
            changed |= before != held  # otherwise nothing that outlives a restart was changed
            if before is None or before.run is not None or held.run is not None:
                self._note((owner, series), held)
        if changed:
            section[owner[1]] = mine
        return states, confirmed

    def of(self, owner: Owner, series: Series) -> CounterState | None:
        """What counts of a counter; None before its first answer."""
        return self._of(owner).get(series)

    def pending(self) -> Mapping[tuple[Owner, Series], CounterState]:
        """The counters of which a value is held back; any thread may ask."""
        return {
            (owner, series): held
            for (owner, series), held in dict(self._pending).items()
            if self.of(owner, series) is held  # else it is gone, or has another type
        }

    def accept(self, owner: Owner, metric: str) -> bool:
        """Accepts at once what is held back of a metric; returns whether there was anything."""
        mine = self._of(owner)
        runs = [
            (series, held.run)
            for series, held in mine.items()
            if series[0] == metric and held.run is not None
        ]
        for series, run in runs:
            mine[series] = CounterState(run.value, run.at, mine[series].proved)
            self._note((owner, series), mine[series])
        if runs:
            self._section(owner)[owner[1]] = mine
        return bool(runs)

    def _note(self, key: tuple[Owner, Series], held: CounterState) -> None:
        if held.run is None:
            self._pending.pop(key, None)
        else:
            self._pending[key] = held


def _judged(before: CounterState, value: float, at: float, growth: GrowthBound) -> CounterState:
    """What counts after an answer that contradicts it: what counted before, or what it confirms."""
    since, rate = _since(before, at), OVER * max(growth.rate, before.proved)
    run = _followed(before, value, at, max(rate, OVER * growth.largest))
    if not _is_confirmed(run, before, since, at, rate, is_known=growth.is_known):
        return replace(before, run=run)
    return CounterState(value, at - SLACK, _proved(run, before, since), answered=at)


def _grown(
    before: CounterState, value: float, at: float, growth: GrowthBound
) -> CounterState | None:
    """What counts after an answer that is no less, and no more than may have been produced."""
    if value == before.value:
        return CounterState(value, before.since, before.proved, None, at)
    if value < before.value:
        return None
    rate = OVER * max(growth.rate, before.proved)
    accounted = _since(before, at) + (value - before.value) / rate
    if accounted > at:
        return None
    return CounterState(value, max(accounted, at - SLACK), before.proved, None, at)


def _since(before: CounterState, at: float) -> float:
    """From when on growth can be accounted for; a time in the future counts as now."""
    if before.since is None or before.since > at:
        return at - SLACK
    if before.answered > at:
        return before.since
    return max(before.since, before.answered - STALE)


def _followed(before: CounterState, value: float, at: float, rate: float) -> CounterRun:
    """The run that an answer continues, or begins."""
    run = before.run
    opposite = run is not None and (run.value > before.value) != (value > before.value)
    if run is None or opposite or value < run.value:
        return CounterRun(value, at, at, value, at)
    since, last = min(run.since, at), min(run.at, at)
    if value > run.value + NEAR * rate * (at - last + SLACK):
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


def _proved(run: CounterRun, before: CounterState, since: float) -> float:
    """The fastest growth that is confirmed, in units each second."""
    if run.agreed < CONFIRMATIONS:
        return max(before.proved, (run.value - before.value) / (run.at - since))
    if run.at - run.begun < PROOF:
        return before.proved
    return max(before.proved, (run.value - run.start) / (run.at - run.begun))
