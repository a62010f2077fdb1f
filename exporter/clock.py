"""The two clocks of a machine, and what a time that was stored means after a restart.

The steady clock never jumps, but starts anew with the machine; the wall clock goes on, but may be
set. Times are kept on the steady clock. A row of stored times says by which clocks it was written:
until the machine is started again these are still right, however often the wall clock was set.
"""

import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Protocol

# Seconds after a machine's start in which its wall clock may not have been set yet: machines
# without a battery have no time until the network gives them one.
UNSET = 15 * 60.0


class Clock(Protocol):
    """Time as one account's thread sees it."""

    @property
    def boot(self) -> str | None:
        """Tells this start of the machine from all others; None where that is not known."""
        ...

    def now(self) -> float:
        """Seconds that never jump, and go on while the machine sleeps."""
        ...

    def time(self) -> float:
        """Seconds since the epoch."""
        ...

    def wait(self, seconds: float) -> bool:
        """Waits; returns whether the daemon is being stopped."""
        ...


class SystemClock:
    """The machine's clock; `stop` ends every wait."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        # Unlike time.monotonic, this clock goes on while the machine is suspended, as the
        # server's windows and the age of our values do.
        self._clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
        self._boot: str | None = None
        with suppress(OSError):
            self._boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()

    @property
    def boot(self) -> str | None:
        """Tells this start of the machine from all others; None where that is not known."""
        return self._boot

    def now(self) -> float:
        """Seconds since the machine started."""
        return time.clock_gettime(self._clock)

    def time(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def wait(self, seconds: float) -> bool:
        """Waits until the time is over or the daemon is stopped."""
        return self._stopped.wait(seconds)

    def stop(self) -> None:
        """Ends all waits, now and later."""
        self._stopped.set()


def offset_of(clock: Clock) -> float:
    """The wall clock's time minus the steady clock's, now."""
    return clock.time() - clock.now()


@dataclass(frozen=True, slots=True)
class ClockStamp:
    """By which clocks a row was written: the machine's start, the offset, and the steady time."""

    boot: str | None
    offset: float
    now: float

    @classmethod
    def of(cls, clock: Clock) -> "ClockStamp":
        """The clocks as they are now."""
        return cls(clock.boot, offset_of(clock), clock.now())

    def offset_for(self, clock: Clock) -> float:
        """What the wall clock that wrote the row shows more than today's steady one.

        After another start of the machine the wall clock is trusted, but not what it showed
        soon after the start at which the row was written: then it was written no longer ago than
        this start.
        """
        today = offset_of(clock)
        if self.boot is None or not isfinite(self.offset + self.now):
            return today
        if self.boot == clock.boot:
            return self.offset
        return min(today, self.offset + self.now) if self.now < UNSET else today

    def shift(self, clock: Clock) -> float:
        """What a steady time of the row has to be moved by to be one of today's steady clock."""
        return self.offset - self.offset_for(clock)
