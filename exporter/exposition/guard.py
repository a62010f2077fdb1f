"""Lifetime counters that never fall by mistake. Pure.

The management system's lifetime energies dip, or read 0, for moments and for nights; Prometheus
takes any fall of a counter for a restart from zero and invents an increase. So a fall is held.
"""

from collections.abc import Hashable
from dataclasses import dataclass

WALKS_BEFORE_RESET = 3  # readings in a row below half of what is held: a meter was replaced


@dataclass(slots=True)
class _Held:
    value: float
    low: int = 0


class Guard:
    """The highest value of every counter, until it is overtaken or plainly reset."""

    def __init__(self) -> None:
        self._held: dict[Hashable, dict[Hashable, _Held]] = {}

    def admit(
        self, subject: Hashable, counter: Hashable, value: float
    ) -> tuple[float | None, bool]:
        """Returns what to show for a new value (None: nothing), and whether it had fallen."""
        value = max(value, 0.0)  # a lifetime's energy is never negative
        mine = self._held.setdefault(subject, {})
        held = mine.setdefault(counter, _Held(value))
        fell = value < held.value
        held.low = held.low + 1 if value < held.value / 2 else 0
        if not fell or held.low == WALKS_BEFORE_RESET:
            mine[counter] = held = _Held(value)
        return held.value or None, fell

    def forget(self, subject: Hashable) -> None:
        """Drops what is held for a plant or device that is gone."""
        self._held.pop(subject, None)
