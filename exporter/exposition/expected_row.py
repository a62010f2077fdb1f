"""What one inverter or string gives under a clear sky, as a row of numbers. Pure.

A *share* is power divided by what a clear sky lets fall on a plane that looks like the modules. A
row has the shares of each slot of the day. The second best day of a *generation* counts, as one
day of reflecting clouds must not set anything, and what counts is the better of the generation
under way and the one before. See docs/expected-power.md.
"""

from array import array
from collections.abc import Iterator
from math import log2, sqrt
from operator import add
from typing import TypeAlias

from exporter.account.learned import (
    BEST,
    DAYS,
    DAYS_BEFORE,
    FAIR,
    FORMER,
    LAST,
    LAST_FAIR,
    PLANE,
    SECOND,
    SINCE,
    SLOTS,
    TOP,
    TOP_BEFORE,
    WIDTH,
)
from exporter.exposition.sky import Light, Sun, clear_day, on_plane, planes_at

Row: TypeAlias = "array[int]"

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


def encoded(value: float) -> int:
    """A power or share as a 16-bit number, rounded down; 0 for none."""
    if value <= 0:
        return 0
    return max(1, min(0xFFFF, int((log2(value) - _SMALLEST) * _STEPS)))


def decoded(code: float) -> float:
    """What an encoded number stands for."""
    return float(2 ** (code / _STEPS + _SMALLEST)) if code else 0.0


def _difference(factor: float) -> int:
    """How much higher a factor makes what is encoded."""
    return int(log2(factor) * _STEPS)


_HALF = _STEPS
_FAIR_SHARE, _FAIR_TOP = _difference(FAIR_SHARE), _difference(FAIR_TOP)


def new_row(sun: Sun) -> Row:
    """A row that nothing is known of yet."""
    row = array("H", bytes(2 * WIDTH))
    row[SINCE] = sun.day
    return row


def slot_of(sun: Sun) -> int:
    """The slot of the day in which the sun stands: below 18 before its culmination."""
    return int(sun.hour_angle / SLOT + SLOTS / 2) % SLOTS


def was_ahead(day: int, sun: Sun) -> bool:
    """Whether a day lies so far ahead that the clock must have been wrong then."""
    return day > sun.day + MAX_DAYS_AHEAD


def known_share(row: Row, slot: int) -> int:
    """The encoded share that counts in a slot; 0 while it is not known."""
    return max(row[SECOND + slot], row[FORMER + slot])


def days_of(row: Row) -> int:
    """On how many days a row rests."""
    return row[DAYS] + row[DAYS_BEFORE]


def expected(rows: Row, sun: Sun) -> list[float]:
    """The watts of a clear sky of each of these rows, at most the highest that were seen.

    0 while not known. Between two slots it is a mean, unless the other has less than half: shade
    begins there, or it was hardly ever seen. All rows at once, number by number: this is done at
    every answer.
    """
    slot = slot_of(sun)
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


def learn(row: Row, sun: Sun, light: Light, watts: float, *, limited: bool) -> None:
    """Learns the mean of a slot that is over.

    `light` is the mean of the clear skies, `sun` one of the suns in the slot. What was `limited`
    could have been more: it teaches only if it is more than was known.
    """
    slot = slot_of(sun)
    if was_ahead(row[LAST], sun):
        row[SINCE] = row[LAST] = row[LAST_FAIR] = max(0, sun.day - 1)
    if sun.day < row[LAST]:
        return
    if sun.day > row[LAST]:
        _begin_day(row, sun)
    power = encoded(watts)
    share = encoded(watts / on_plane(light, planes_at(sun.latitude)[row[PLANE]]))
    known = known_share(row, slot)
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
        row[:] = new_row(sun)
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
    now = _clear_days(sun)[row[PLANE]]
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


def _clear_days(sun: Sun) -> tuple[tuple[float, ...], ...]:
    """What falls on each plane in each slot of about this day, if the sky is clear."""
    return clear_day(sun.latitude, round(sun.declination * 2) / 2, _CENTRES)


def _look_for_plane(row: Row, sun: Sun) -> None:
    """Takes the likeliest of the planes whose clear day is most alike, and turns the shares."""
    days = _clear_days(sun)
    now = days[row[PLANE]]
    watts = {s: decoded(row[SECOND + s]) * now[s] for s in range(SLOTS) if row[SECOND + s]}
    # What an inverter at its limit leaves flat says nothing of its modules.
    limit = PLATEAU_SHARE * max(watts.values(), default=0.0)
    watts = {slot: power for slot, power in watts.items() if 0 < power < limit}
    if len(watts) < MIN_SLOTS:
        return
    likeness = [_likeness(list(watts.values()), [day[slot] for slot in watts]) for day in days]
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


def _likeness(one: list[float], other: list[float]) -> float:
    """How alike the shapes of two days are: 1 for the same."""
    product = sum(a * b for a, b in zip(one, other, strict=True))
    return product / sqrt(sum(a * a for a in one) * sum(b * b for b in other))
