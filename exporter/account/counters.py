"""What counts of each lifetime counter, and what was answered against it. Records only."""

from dataclasses import dataclass, field
from math import inf
from typing import Annotated

from exporter.account.codec import Amount, NotKept, Shared

Series = Annotated[tuple[str, tuple[str, ...]], Shared]  # metric, and the values of its own labels


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


@dataclass(slots=True)  # unlike others not frozen: a thousand are made for an answer
class CounterState:
    """What counts. A record that nobody changes.

    `since` is from when on growth can still be accounted for: a rise moves it ahead by the time
    that it takes to produce, so that many small leaps are one. None is not known. `proved` is the
    fastest growth, each second, that was confirmed. `answered` is when the value was last sent.
    """

    value: Amount
    since: float | None = None
    proved: float = 0.0
    run: CounterRun | None = None
    answered: Annotated[float, NotKept] = field(default=inf, compare=False)
