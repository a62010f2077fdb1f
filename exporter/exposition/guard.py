"""Lifetime counters that never fall by mistake. Pure.

The management system's lifetime energies dip, or read 0, for moments and for nights; Prometheus
takes any fall of a counter for a restart from zero and invents an increase. So a fall is held.
"""

from collections.abc import Mapping
from dataclasses import dataclass

WALKS_BEFORE_RESET = 3  # readings in a row below half of what is held: a meter was replaced

Subject = tuple[int | None, str]  # device type (None: plant), and plant code or device id
Counter = tuple[str, tuple[str, ...]]  # metric, and the values of its own labels


@dataclass(frozen=True, slots=True)
class Held:
    """What a counter shows, and how many readings in a row were below half of it."""

    value: float
    low: int = 0


class Guard:
    """The highest value of every counter, until it is overtaken or plainly reset."""

    def __init__(self) -> None:
        self._held: dict[Subject, dict[Counter, Held]] = {}
        self._changed: set[Subject] = set()

    def admit(self, subject: Subject, counter: Counter, value: float) -> tuple[float | None, bool]:
        """Returns what to show for a new value (None: nothing), and whether it had fallen."""
        value = max(value, 0.0)  # a lifetime's energy is never negative
        mine = self._held.setdefault(subject, {})
        before = mine.get(counter, Held(value))
        fell = value < before.value
        low = before.low + 1 if value < before.value / 2 else 0
        held = Held(before.value, low) if fell and low < WALKS_BEFORE_RESET else Held(value)
        if mine.get(counter) != held:
            mine[counter] = held
            self._changed.add(subject)
        return held.value or None, fell

    def repeat(self, subject: Subject, counter: Counter, value: float) -> tuple[float | None, bool]:
        """Returns the same for a value that was admitted before and is told again."""
        held = self._held.get(subject, {}).get(counter)
        return self.admit(subject, counter, value) if held is None else (held.value or None, False)

    def changes(self) -> Mapping[Subject, Mapping[Counter, Held]]:
        """All that is held for the subjects of which something changed since the last call."""
        changed, self._changed = self._changed, set()
        return {subject: self._held[subject] for subject in changed}

    def recall(self, subject: Subject, held: Mapping[Counter, Held]) -> None:
        """Holds again what was held before a restart."""
        self._held[subject] = dict(held)

    def forget(self, subject: Subject) -> None:
        """Drops what is held for a plant or device that is gone."""
        self._held.pop(subject, None)
        self._changed.discard(subject)
