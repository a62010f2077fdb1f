"""The machine's clock, as the threads of a running daemon and the commands read it."""

import threading
import time
from contextlib import suppress
from pathlib import Path


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
