"""Times that outlive a process: the clock that never jumps starts anew, the epoch does not.

`epoch` is what the wall clock shows more than the steady one. A time that was stored lies in the
past, whatever the wall clock has done meanwhile: one from the future counts as now.
"""

from math import isfinite

from exporter.polling.ports import Clock


def epoch_of(clock: Clock) -> float:
    """What a clock's wall shows more than its steady hand, now."""
    return clock.time() - clock.now()


def written(time: float, epoch: float) -> float | None:
    """A steady time as seconds since the epoch; None for never."""
    return time + epoch if isfinite(time) else None


def read(stored: float | None, epoch: float, now: float, *, never: float) -> float:
    """A stored time on today's steady clock; `never` where there was none."""
    return never if stored is None else min(stored - epoch, now)
