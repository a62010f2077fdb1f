"""What counts of each lifetime counter, and what was answered against it. Records only."""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, isnan, nan
from typing import Annotated, Any

from pydantic import AfterValidator, PlainSerializer

from exporter.account.codec import Amount, NotKept, Pairs, Shared
from exporter.northbound.records import CommonKeys, common_keys

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
