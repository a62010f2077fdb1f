"""Times that outlive a process: the clock that never jumps starts anew, the epoch does not.

An *epoch* is what the wall clock shows more than the steady one. A time that was stored lies in the
past, whatever the wall clock has done meanwhile: one from the future counts as now.

A row of stored times says by which clocks it was written. While the machine has not been started
again, its steady clock still knows when that was, however often the wall clock was set. Afterwards
the wall clock has to be believed, but not what it showed soon after a start: a machine without a
battery may have had no time yet, and its calls would look months old.
"""

from collections.abc import Mapping
from math import isfinite
from typing import Any

from exporter.northbound.interfaces import MINUTE
from exporter.polling.ports import Clock

CLOCKS = "clock"  # under which a row says by which clocks it was written
UNSET = 15 * MINUTE  # after a machine's start, in which its wall clock may not have been set yet


def epoch_of(clock: Clock) -> float:
    """What a clock's wall shows more than its steady hand, now."""
    return clock.time() - clock.now()


def stamped(row: Mapping[str, Any], clock: Clock) -> dict[str, Any]:
    """A row of stored times with the clocks that it is written by, now."""
    clocks = {"boot": clock.boot, "epoch": epoch_of(clock), "now": clock.now()}
    return {**row, CLOCKS: clocks}


def epoch_for(row: object, clock: Clock) -> float:
    """The epoch that makes a row's times those of today's steady clock."""
    today = epoch_of(clock)
    match row:
        case {"clock": {"boot": str(boot), "epoch": float(epoch), "now": float(now)}} if isfinite(
            epoch + now
        ):
            if boot == clock.boot:
                return epoch
            # Written before this start of the machine: no longer ago than it has been running.
            return min(today, epoch + now) if now < UNSET else today
    return today


def written(time: float, epoch: float) -> float | None:
    """A steady time as seconds since the epoch; None for never."""
    return time + epoch if isfinite(time) else None


def read(stored: float | None, epoch: float, now: float, *, never: float) -> float:
    """A stored time on today's steady clock; `never` where there was none.

    Raises:
        ValueError: It is no time.
    """
    if stored is None:
        return never
    if not isfinite(stored):
        raise ValueError("no time")
    return min(stored - epoch, now)
