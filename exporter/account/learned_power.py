"""What an inverter and its strings give under a clear sky, learned from what they gave. Pure.

    learned = LearnedPower()
    learned.learn(sun_over(place, at), {"": watts, "1": watts_of_string_1})
    learned.expected(sun_over(place, at))  # by name as well: only those that are known

The sun's way is cut into slots of ten degrees, forty minutes. The mean power of a slot is learned
when it is over, so that it makes no difference how often, or in which order, a slot was measured;
what is under way is lost at a restart.

A *share* is power divided by what a clear sky lets fall on a plane that looks like the modules. A
row of numbers has the shares of each slot of the day. The second best day of a *generation* counts,
as one day of reflecting clouds must not set anything, and what counts is the better of the
generation under way and the one before. See docs/expected-power.md.
"""

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import log2, sqrt
from operator import add
from typing import Annotated, TypeAlias

from exporter.account.codec import NotKept, Numbers
from exporter.northbound.records import Values
from exporter.sky import DARK, WAYS, Light, Sun, clear_day, on_plane, planes_at

Row: TypeAlias = "array[int]"

DEVICE = ""
MIN_ELEVATION = 10.0  # degrees; below, haze and hills decide
SLOTS = 36  # of a day: each ten degrees of the sun's way

# What was learned of one series is a row of 16-bit numbers: first these, in days, counts of days,
# and encoded powers,
(
    PLANE,  # which way its modules look, as an index
    SINCE,  # when the generation under way began
    LAST,  # when it was last learned from
    DAYS,  # on how many days of this generation
    DAYS_BEFORE,  # and of the one before
    FAIR,  # how many of this generation's were fair
    LAST_FAIR,
    TOP,  # the highest power of a slot in this generation
    TOP_BEFORE,
    _END,
) = range(10)
# then, for each slot of the day, the best, the second best and the former encoded share.
BEST, SECOND, FORMER = (_END + SLOTS * part for part in range(3))
WIDTH = _END + SLOTS * 3

SLOT = 360 / SLOTS  # degrees of the sun's hour angle
MIN_DAYS = 7  # that were learned from, until anything is expected
GENERATION = 10  # fair days: as many as it takes to see each hour without clouds twice
FAIR_SHARE = 0.8  # of what was expected, in a slot of at least so much of the highest power
FAIR_TOP = 0.4
MAX_FALL_PER_DAY = 0.004  # as a share: the level of a whole row falls no faster
FORGET_AFTER = 180  # days without a new generation, or without any answer
MAX_DAYS_AHEAD = 10  # of what was learned, beyond which it was learned by a wrong clock
REFIT_DAYS = frozenset({3, 7})  # days of a generation at which its plane is looked for again
MIN_SLOTS = 5  # that are known, to look for a plane
MIN_DIFFERENCE = 0.002  # planes whose days differ less cannot be told apart
PLATEAU_SHARE = 0.95  # of a day's highest power: above, an inverter may be at its limit

_STEPS = 1024  # to a doubling: rounded by at most 0.07 %
_SMALLEST = -24  # the exponent of the smallest number
_CENTRES = tuple((slot + 0.5) * SLOT - 180 for slot in range(SLOTS))


@dataclass(slots=True)
class DaySlot:
    """What was measured in a slot of the day: sums of `count` suns, and of each name's watts."""

    sun: Sun
    light: Light = DARK
    count: int = 0
    limited: bool = False
    watts: Values = field(default_factory=lambda: Values({}))

    def add(self, sun: Sun, watts: Mapping[str, float], *, limited: bool) -> None:
        """Adds what was measured at once."""
        self.light = self.light.plus(sun.light)
        self.count += 1
        self.limited |= limited
        sums = {name: self.watts.get(name, 0.0) + power for name, power in watts.items()}
        self.watts = Values(self.watts.as_dict() | sums)


@dataclass(slots=True)
class LearnedPower:
    """What was learned of a device and its strings: a row each, one behind the other, of 234 bytes.

    The device itself has the empty name, its strings the label that their metrics have. `slot` is
    the one under way; `when` are the day and slot of the last reading.
    """

    names: list[str] = field(default_factory=list)
    rows: Numbers = field(default_factory=lambda: array("H"))
    slot: Annotated[DaySlot | None, NotKept] = None
    when: Annotated[tuple[int, int], NotKept] = field(default=(0, 0), compare=False)

    def __post_init__(self) -> None:
        """Forgets what does not fit together, as what another version wrote."""
        unknown_planes = any(plane >= WAYS for plane in self.rows[PLANE::WIDTH])
        if unknown_planes or len(self.rows) != WIDTH * len(set(self.names)):
            self.names, self.rows = [], array("H")

    def learn(self, sun: Sun, watts: Mapping[str, float], *, limited: bool = False) -> bool:
        """Learns what was measured under a sun; returns whether what is to be kept was changed.

        Suns come in the order of their slots: an earlier one teaches nothing. `limited` is what
        could have been more.
        """
        when = sun.day, _slot_of(sun)
        if _was_ahead(self.when[0], sun):
            self.slot, self.when = None, (0, 0)
        changed = self.finish() if when > self.when else False
        if sun.elevation >= MIN_ELEVATION and when >= self.when:
            if self.slot is None:
                self.slot, self.when = DaySlot(sun), when
            self.slot.add(sun, watts, limited=limited)
        return changed

    def finish(self) -> bool:
        """Learns the slot under way at once; returns whether what is to be kept was changed."""
        slot, self.slot = self.slot, None
        if slot is None:
            return False
        light = Light(*(each / slot.count for each in slot.light))
        changed = False
        for name, watts in slot.watts.items():
            if name in self.names or watts > 0:  # inputs without modules teach nothing
                before = self._row(name) or _new_row(slot.sun)
                row = before[:]
                _learn(row, slot.sun, light, watts / slot.count, limited=slot.limited)
                if row != before:
                    self._put(name, row)
                    changed = True
        return changed

    def expected(self, sun: Sun) -> dict[str, float]:
        """The watts of a clear sky, by name, of those that are known."""
        if sun.elevation < MIN_ELEVATION:
            return {}
        watts = _expected(self.rows, sun)
        return {name: each for name, each in zip(self.names, watts, strict=True) if each}

    def expected_of_device(self, sun: Sun) -> float:
        """The watts of a clear sky of the device itself; 0 while not known."""
        if sun.elevation < MIN_ELEVATION:
            return 0.0
        return sum(_expected(self._row(DEVICE), sun), 0.0)

    @property
    def days(self) -> int:
        """On how many days rests what is known of the device itself."""
        row = self._row(DEVICE)
        return row[DAYS] + row[DAYS_BEFORE] if row else 0

    def _row(self, name: str) -> Row:
        """The row of a name; an empty one where there is none."""
        start = self.names.index(name) * WIDTH if name in self.names else len(self.rows)
        return self.rows[start : start + WIDTH]

    def _put(self, name: str, row: Row) -> None:
        if name not in self.names:
            self.names.append(name)
        start = self.names.index(name) * WIDTH
        self.rows[start : start + WIDTH] = row


# --- one row -------------------------------------------------------------------------------------


def encoded(value: float) -> int:
    """A power or share as a 16-bit number, rounded down; 0 for none."""
    if value <= 0:
        return 0
    return max(1, min(0xFFFF, int((log2(value) - _SMALLEST) * _STEPS)))


def decoded(code: float) -> float:
    """The value of an encoded number."""
    return float(2 ** (code / _STEPS + _SMALLEST)) if code else 0.0


def _difference(factor: float) -> int:
    """How much higher a factor makes what is encoded."""
    return int(log2(factor) * _STEPS)


_HALF = _STEPS
_FAIR_SHARE, _FAIR_TOP = _difference(FAIR_SHARE), _difference(FAIR_TOP)


def _new_row(sun: Sun) -> Row:
    """A row that nothing is known of yet."""
    row = array("H", bytes(2 * WIDTH))
    row[SINCE] = sun.day
    return row


def _slot_of(sun: Sun) -> int:
    """The slot of the day by the sun's position: below 18 before its culmination."""
    return int(sun.hour_angle / SLOT + SLOTS / 2) % SLOTS


def _was_ahead(day: int, sun: Sun) -> bool:
    """Whether a day lies so far ahead that the clock must have been wrong then."""
    return day > sun.day + MAX_DAYS_AHEAD


def _known_share(row: Row, slot: int) -> int:
    """The encoded share that counts in a slot; 0 while it is not known."""
    return max(row[SECOND + slot], row[FORMER + slot])


def _expected(rows: Row, sun: Sun) -> list[float]:
    """The watts of a clear sky of each of these rows, at most the highest that were seen.

    0 while not known. Between two slots it is a mean, unless the other has less than half: shade
    begins there, or it was hardly ever seen. All rows at once, number by number: this is done at
    every answer.
    """
    slot = _slot_of(sun)
    aside = (sun.hour_angle - _CENTRES[slot]) / SLOT
    beside = (slot + (1 if aside > 0 else -1)) % SLOTS
    planes = planes_at(sun.latitude)
    lit = {plane: on_plane(sun.light, planes[plane]) for plane in set(rows[PLANE::WIDTH])}
    return [
        min(
            decoded(share + (near - share) * abs(aside) if near > share - _HALF else share)
            * lit[plane],
            decoded(top),
        )
        if share and days >= MIN_DAYS and sun.day - last <= FORGET_AFTER
        else 0.0
        for share, near, plane, days, last, top in zip(
            _known_shares(rows, slot),
            _known_shares(rows, beside),
            rows[PLANE::WIDTH],
            map(add, rows[DAYS::WIDTH], rows[DAYS_BEFORE::WIDTH]),
            rows[LAST::WIDTH],
            map(max, rows[TOP::WIDTH], rows[TOP_BEFORE::WIDTH]),
            strict=True,
        )
    ]


def _known_shares(rows: Row, slot: int) -> Iterator[int]:
    return map(max, rows[SECOND + slot :: WIDTH], rows[FORMER + slot :: WIDTH])


def _learn(row: Row, sun: Sun, light: Light, watts: float, *, limited: bool) -> None:
    """Learns the mean of a slot that is over.

    `light` is the mean of the clear skies, `sun` one of the suns in the slot. What was `limited`
    could have been more: it teaches only if it is more than was known.
    """
    slot = _slot_of(sun)
    if _was_ahead(row[LAST], sun):
        row[SINCE] = row[LAST] = row[LAST_FAIR] = max(0, sun.day - 1)
    if sun.day < row[LAST]:
        return
    if sun.day > row[LAST]:
        _begin_day(row, sun)
    power = encoded(watts)
    share = encoded(watts / on_plane(light, planes_at(sun.latitude)[row[PLANE]]))
    known = _known_share(row, slot)
    if not power or (limited and share <= known):
        return
    top = max(row[TOP], row[TOP_BEFORE])
    if known and share >= known + _FAIR_SHARE and power >= top + _FAIR_TOP:
        row[FAIR] += row[LAST_FAIR] != sun.day
        row[LAST_FAIR] = sun.day
    row[TOP] = max(row[TOP], power)
    if share > row[SECOND + slot]:
        row[SECOND + slot] = min(share, row[BEST + slot])
        row[BEST + slot] = max(share, row[BEST + slot])


def _begin_day(row: Row, sun: Sun) -> None:
    over = row[FAIR] >= GENERATION
    if over or row[DAYS] in REFIT_DAYS:
        _look_for_plane(row, sun)
    if over:
        _end_generation(row, sun)
    elif row[DAYS] >= FORGET_AFTER:
        row[:] = _new_row(sun)
    row[LAST] = sun.day
    row[DAYS] += 1


def _end_generation(row: Row, sun: Sun) -> None:
    """Follows a day's shape, as season and shade change it; its level falls slowly, if at all."""
    age = sun.day - row[SINCE]
    lift = max(0, _difference((1 - MAX_FALL_PER_DAY) ** age) - _level(row, sun))
    for slot in range(SLOTS):
        if second := row[SECOND + slot]:
            row[FORMER + slot] = min(second + lift, max(second, row[FORMER + slot]))
    row[TOP] = min(row[TOP] + lift, max(row[TOP], row[TOP_BEFORE]))
    _begin_generation(row, sun)


def _level(row: Row, sun: Sun) -> int:
    """How much higher a generation's shares are than the former ones.

    What a quarter of the day's energy exceeds: shade on the rest of it is not its level.
    """
    now = _clear_day_irradiance(sun)[row[PLANE]]
    both = [slot for slot in range(SLOTS) if row[SECOND + slot] and row[FORMER + slot]]
    rises = sorted((row[SECOND + slot] - row[FORMER + slot], slot) for slot in both)
    watts = {slot: decoded(row[FORMER + slot]) * now[slot] for slot in both}
    left = sum(watts.values()) / 4
    for rise, slot in reversed(rises):
        left -= watts[slot]
        if left <= 0:
            return rise
    return 0


def _begin_generation(row: Row, sun: Sun) -> None:
    row[SINCE] = sun.day
    row[DAYS_BEFORE], row[DAYS], row[FAIR] = row[DAYS], 0, 0
    row[TOP_BEFORE], row[TOP] = row[TOP], 0
    row[BEST : BEST + 2 * SLOTS] = array("H", bytes(4 * SLOTS))


# --- which way the modules look -----------------------------------------------------------------


def _clear_day_irradiance(sun: Sun) -> tuple[tuple[float, ...], ...]:
    """What falls on each plane in each slot of about this day, if the sky is clear."""
    return clear_day(sun.latitude, round(sun.declination * 2) / 2, _CENTRES)


def _look_for_plane(row: Row, sun: Sun) -> None:
    """Takes the likeliest of the planes whose clear day is most alike, and turns the shares."""
    days = _clear_day_irradiance(sun)
    now = days[row[PLANE]]
    watts = {s: decoded(row[SECOND + s]) * now[s] for s in range(SLOTS) if row[SECOND + s]}
    # What an inverter at its limit leaves flat says nothing of its modules.
    limit = PLATEAU_SHARE * max(watts.values(), default=0.0)
    watts = {slot: power for slot, power in watts.items() if 0 < power < limit}
    if len(watts) < MIN_SLOTS:
        return
    likeness = [_similarity(list(watts.values()), [day[slot] for slot in watts]) for day in days]
    enough = max(likeness) - MIN_DIFFERENCE
    if likeness[row[PLANE]] >= enough:
        return
    row[PLANE] = next(plane for plane, each in enumerate(likeness) if each >= enough)
    then = days[row[PLANE]]
    for slot in range(SLOTS):
        for place in (BEST + slot, SECOND + slot, FORMER + slot):
            if row[place]:
                row[place] = (
                    encoded(decoded(row[place]) * now[slot] / then[slot]) if now[slot] else 0
                )


def _similarity(one: list[float], other: list[float]) -> float:
    """How alike the shapes of two days are: 1 for the same."""
    product = sum(a * b for a, b in zip(one, other, strict=True))
    return product / sqrt(sum(a * a for a in one) * sum(b * b for b in other))
