"""What an inverter and its strings give under a clear sky, learned from what they gave. Pure.

    envelope = Envelope(LearnedPower())
    envelope.learn(sun_over(place, at), {"": watts, "1": watts_of_string_1})
    envelope.expected(sun_over(place, at))  # by name as well: only those that are known

The sun's way is cut into slots of ten degrees, forty minutes. The mean power of a slot is learned
when it is over, so that it makes no difference how often, or in which order, a slot was measured;
what is under way is lost at a restart.
"""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field

from exporter.account.learned import PLANE, WIDTH, LearnedPower
from exporter.exposition import expected_row
from exporter.exposition.expected_row import Row, days_of, slot_of
from exporter.exposition.sky import DARK, WAYS, Light, Sun
from exporter.northbound.records import Values

DEVICE = ""
MIN_ELEVATION = 10.0  # degrees; below, haze and hills decide


@dataclass(slots=True)
class _DaySlot:
    """What was measured in a slot of the day: sums of `count` suns, and of each name's watts."""

    sun: Sun
    light: Light = DARK
    count: int = 0
    limited: bool = False
    watts: Values = field(default_factory=lambda: Values({}))

    def add(self, sun: Sun, watts: Mapping[str, float], *, limited: bool) -> None:
        self.light = self.light.plus(sun.light)
        self.count += 1
        self.limited |= limited
        sums = {name: self.watts.get(name, 0.0) + power for name, power in watts.items()}
        self.watts = Values(self.watts.as_dict() | sums)


class Envelope:
    """A device's power and that of its strings, by name: the device itself has the empty one."""

    def __init__(self, learned: LearnedPower) -> None:
        self._learned = learned
        self._slot: _DaySlot | None = None
        self._when = (0, 0)  # the day and slot of the last reading
        if any(plane >= WAYS for plane in learned.rows[PLANE::WIDTH]):  # of another version
            learned.names, learned.rows = [], array("H")

    def learn(self, sun: Sun, watts: Mapping[str, float], *, limited: bool = False) -> bool:
        """Learns what was measured under a sun; returns whether what is to be kept was changed.

        Suns come in the order of their slots: an earlier one teaches nothing. `limited` is what
        could have been more.
        """
        when = sun.day, slot_of(sun)
        if expected_row.was_ahead(self._when[0], sun):
            self._slot, self._when = None, (0, 0)
        changed = self.finish() if when > self._when else False
        if sun.elevation >= MIN_ELEVATION and when >= self._when:
            if self._slot is None:
                self._slot, self._when = _DaySlot(sun), when
            self._slot.add(sun, watts, limited=limited)
        return changed

    def finish(self) -> bool:
        """Learns the slot under way at once; returns whether what is to be kept was changed."""
        slot, self._slot = self._slot, None
        if slot is None:
            return False
        light = Light(*(each / slot.count for each in slot.light))
        changed = False
        for name, watts in slot.watts.items():
            if name in self._learned.names or watts > 0:  # inputs without modules teach nothing
                before = self._row(name, slot.sun)
                row = before[:]
                mean = watts / slot.count
                expected_row.learn(row, slot.sun, light, mean, limited=slot.limited)
                if row != before:
                    self._put(name, row)
                    changed = True
        return changed

    def expected(self, sun: Sun) -> dict[str, float]:
        """The watts of a clear sky, by name, of those that are known."""
        if sun.elevation < MIN_ELEVATION:
            return {}
        watts = expected_row.expected(self._learned.rows, sun)
        return {name: each for name, each in zip(self._learned.names, watts, strict=True) if each}

    def expected_of_device(self, sun: Sun) -> float:
        """The watts of a clear sky of the device itself; 0 while not known."""
        names = self._learned.names
        if DEVICE not in names or sun.elevation < MIN_ELEVATION:
            return 0.0
        return expected_row.expected(self._row_at(names.index(DEVICE)), sun)[0]

    @property
    def days(self) -> int:
        """On how many days rests what is known of the device itself."""
        names = self._learned.names
        return days_of(self._row_at(names.index(DEVICE))) if DEVICE in names else 0

    def _row_at(self, position: int) -> Row:
        return self._learned.rows[position * WIDTH : (position + 1) * WIDTH]

    def _row(self, name: str, sun: Sun) -> Row:
        if name in self._learned.names:
            return self._row_at(self._learned.names.index(name))
        return expected_row.new_row(sun)

    def _put(self, name: str, row: Row) -> None:
        learned = self._learned
        if name not in learned.names:
            learned.names.append(name)
            learned.rows.extend(row)
        else:
            start = learned.names.index(name) * WIDTH
            learned.rows[start : start + WIDTH] = row
