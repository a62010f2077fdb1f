"""Calls that commands make beside the daemon, as they write them down for each other and for it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from exporter.polling.ports import Memory

OTHERS_CALLS = "call"  # the kind under which a command writes its own


@dataclass(frozen=True, slots=True)
class OthersCall:
    """A command's call, its times in seconds since the epoch.

    While it is under way, `end` is the latest that can be.
    """

    interface: str
    device_type: int | None
    start: float
    end: float
    under_way: bool = False

    def ended(self, time: float, doubt: float) -> "OthersCall":
        """The same call, over; it may arrive up to `doubt` seconds later."""
        return replace(self, end=max(self.start, time) + doubt, under_way=False)

    def is_under_way(self, time: float) -> bool:
        """Whether a command is making it, unless it was killed over it."""
        return self.under_way and self.start <= time < self.end

    def times(self, epoch: float, now: float) -> tuple[float, float]:
        """Start and end on today's steady clock.

        It has started, whatever the wall clock has done meanwhile; its end may be yet to come.
        """
        start = min(self.start - epoch, now)
        return start, start + self.end - self.start

    def remember(self) -> dict[str, Any]:
        """All of it as plain data."""
        return asdict(self)


def others_calls(memory: Memory) -> Mapping[str, OthersCall]:
    """The calls of all commands that the daemon has not taken account of, by name."""
    return {name: OthersCall(**call) for name, call in memory.read(OTHERS_CALLS).items()}
