"""Calls that commands make beside the daemon, as they write them down for each other and for it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from exporter.polling.allowance import LONGEST_CALL
from exporter.polling.eras import epoch_for, epoch_of, stamped
from exporter.polling.ports import Clock, Memory
from exporter.polling.tolerance import Gaps, build

OTHERS_CALLS = "call"  # the kind under which a command writes its own
_ROUNDING = 1.0  # seconds, far more than is lost where a time is written and read


@dataclass(frozen=True, slots=True)
class OthersCall:
    """A command's call, its times on the steady clock; it has started.

    While it is under way, `end` is the latest that can be.
    """

    interface: str
    device_type: int | None
    start: float
    end: float
    under_way: bool = False

    def ended(self, now: float, doubt: float) -> "OthersCall":
        """The same call, over; it may arrive up to `doubt` seconds later."""
        return replace(self, end=max(self.start, now) + doubt, under_way=False)

    def is_under_way(self, now: float) -> bool:
        """Whether a command is making it, unless it was killed over it."""
        return self.under_way and now < self.end

    def remember(self, clock: Clock) -> dict[str, Any]:
        """All of it as plain data, its times in seconds since the epoch."""
        epoch = epoch_of(clock)
        row = {
            "interface": self.interface,
            "device_type": self.device_type,
            "start": self.start + epoch,
            "end": self.end + epoch,
            "under_way": self.under_way,
        }
        return stamped(row, clock)


@dataclass(frozen=True, slots=True)
class _Row:
    interface: str
    start: float
    end: float
    device_type: int | None = None
    under_way: bool = False


def others_calls(memory: Memory, clock: Clock, gaps: Gaps) -> Mapping[str, OthersCall | None]:
    """The calls of all commands that the daemon has not taken account of, by name.

    None for what is not understood: nobody can tell when it was, or of what.
    """
    rows = memory.read(OTHERS_CALLS)
    return {name: gaps.attempt(OTHERS_CALLS, _read, row, clock) for name, row in rows.items()}


def _read(stored: object, clock: Clock) -> OthersCall:
    row, now = build(_Row, stored), clock.now()
    begun = row.start - epoch_for(stored, clock)
    start = min(begun, now)
    lasted = min(max(row.end - row.start, 0.0), LONGEST_CALL)
    # One from the future was made before the clock was put back.
    under_way = row.under_way and begun <= now + _ROUNDING
    return OthersCall(row.interface, row.device_type, start, start + lasted, under_way)
