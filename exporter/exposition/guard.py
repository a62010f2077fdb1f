"""Lifetime counters that never fall by mistake. Pure.

The management system's lifetime energies dip, or read 0, for moments and for nights; Prometheus
takes any fall of a counter for a restart from zero and invents an increase. So a fall is held.
"""

from collections.abc import Mapping
from dataclasses import dataclass

WALKS_BEFORE_RESET = 3  # readings in a row below half of what is held: a meter was replaced

Owner = tuple[int | None, str]  # device type (None: plant), and plant code or device id
Series = tuple[str, tuple[str, ...]]  # metric, and the values of its own labels


@dataclass(frozen=True, slots=True)
class Held:
    """What counts, in the source's unit, and how many readings in a row were below half of it."""

    value: float
    low: int = 0


class Guard:
    """The highest value of every counter, until it is overtaken or plainly reset."""

    def __init__(self) -> None:
        self._held: dict[Owner, dict[Series, Held]] = {}
        self._changed: set[Owner] = set()

    def admit(self, owner: Owner, series: Series, value: float) -> tuple[float | None, bool]:
        """Returns what to show for a new value (None: nothing), and whether it had fallen."""
        value = max(value, 0.0)  # a lifetime's energy is never negative
        mine = self._held.setdefault(owner, {})
        before = mine.get(series, Held(value))
        fell = value < before.value
        low = before.low + 1 if value < before.value / 2 else 0
        held = Held(before.value, low) if fell and low < WALKS_BEFORE_RESET else Held(value)
        if mine.get(series) != held:
            mine[series] = held
            self._changed.add(owner)
        return held.value or None, fell

    def repeat(self, owner: Owner, series: Series, value: float) -> tuple[float | None, bool]:
        """Returns the same for a value that was admitted before and is told again."""
        held = self._held.get(owner, {}).get(series)
        return self.admit(owner, series, value) if held is None else (held.value or None, False)

    def changes(self) -> Mapping[Owner, Mapping[Series, Held]]:
        """All that is held for those of which something changed since the last call."""
        changed, self._changed = self._changed, set()
        return {owner: self._held[owner] for owner in changed}

    def recall(self, owner: Owner, held: Mapping[Series, Held]) -> None:
        """Holds again what was held before a restart."""
        self._held[owner] = dict(held)

    def forget(self, owner: Owner) -> None:
        """Drops what is held for a plant or device that is gone."""
        self._held.pop(owner, None)
        self._changed.discard(owner)
