"""Over all calendars, zones and losses the windows are what the calendar says."""

import random
from zoneinfo import ZoneInfo

import pytest
from account.calendars import LONGEST, moment, period, utc_mark
from account.restarts import Stored, periods
from account.statistics_server import DAY, HOUR, Plant, StatisticsClient, is_over, starts
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.slow

WEST = ("America/New_York", "America/St_Johns", "America/Havana", "Pacific/Pago_Pago")
EAST = (
    "UTC", "Europe/Berlin", "Europe/London", "Asia/Kolkata", "Asia/Kathmandu", "Asia/Tokyo",
    "Australia/Adelaide", "Australia/Brisbane", "Africa/Cairo", "Pacific/Kiritimati",
)  # fmt: skip
STEPS = {"Hour": 5 * HOUR, "Day": 3 * DAY, "Month": 60 * DAY, "Year": 700 * DAY}
# From the start of one period to that of the next.
APART = {
    "Hour": (0.5 * HOUR, 1.5 * HOUR),
    "Day": (23 * HOUR, 25 * HOUR),
    "Month": (28 * DAY - HOUR, 31 * DAY + HOUR),
    "Year": (365 * DAY - HOUR, 366 * DAY + HOUR),
}
LAGS = {"Hour": 0.4 * HOUR, "Day": 5 * HOUR, "Month": 2 * DAY, "Year": 10 * DAY}


def plants(kind, name):
    # West of Greenwich a day that is marked with midnight UTC seems to end before it does.
    clocks = [(zone, False) for zone in WEST + EAST]
    clocks += [(zone, True) for zone in EAST if kind == "Day"]
    if kind != "Hour":  # whose clocks change by half of one
        clocks.append(("Australia/Lord_Howe", False))
    return st.builds(
        lambda clock, lag, nulls: Plant(clock[0], name, lag, nulls=nulls, marks_utc=clock[1]),
        st.sampled_from(clocks),
        st.integers(0, int(LAGS[kind])),
        st.booleans(),
    )


histories = st.sampled_from(sorted(LONGEST)).flatmap(
    lambda kind: st.tuples(
        st.just(kind),
        st.tuples(plants(kind, "P0"), plants(kind, "P1"), plants(kind, "P2")),
        st.integers(int(moment("2020-01-01")), int(moment("2030-01-01"))),
        st.lists(st.integers(60, int(STEPS[kind])), min_size=1, max_size=12),
    )
)


@given(history=histories, restarts=st.sets(st.integers(0, 11)), seed=st.integers(0, 99))
def test_the_windows_are_what_the_calendar_says(history, restarts, seed):
    kind, plants, now, steps = history
    client, dice = StatisticsClient(kind, *plants), random.Random(seed)  # noqa: S311  # dice, not keys
    stored = Stored()
    if any(plant.marks_utc for plant in plants):
        # A moment before midnight UTC is still the first of the month: nothing earlier is found.
        now = period("Month", ZoneInfo("UTC"), now)[0] + 14 * DAY
    for turn, step in enumerate(steps):
        now += step
        names = {p.name for p in plants if any(True for _ in p.rows(kind, now, now))}
        windows = client.ask(now, spoil=lambda rows: dice.sample(rows, len(rows)))
        for plant in plants:
            if plant.name in names:  # else this day has no row yet
                check(windows[plant.name], plant, kind, now)
        stored.save(client.rows)
        if turn in restarts:
            client.restart(stored.load(periods()))


def check(windows, plant, kind, now):
    zone = ZoneInfo(plant.zone)
    newest, before = plant.newest(kind, now)
    marked = [utc_mark(each[0], zone) if plant.marks_utc else each[0] for each in (newest, before)]
    running = now < marked[0] + LONGEST[kind]
    assert starts(windows) == (tuple(marked) if running else (None, marked[0]))
    full = before if running else newest
    assert is_over(windows.previous) == full[1] - full[0]


@examples(60)
@given(
    history=histories,
    lost=st.floats(0, 1),
    leaps=st.lists(st.floats(-1e8, 1e8), max_size=12),
    seed=st.integers(0, 99),
)
def test_whatever_is_lost_and_however_clocks_leap_only_told_rows_are_shown(
    history, lost, leaps, seed
):
    kind, plants, now, steps = history
    client, dice = StatisticsClient(kind, *plants), random.Random(seed)  # noqa: S311  # dice, not keys
    answered_rows = []

    def spoil(rows):
        remaining = [row for row in rows if dice.random() >= lost]
        answered_rows.extend(remaining)
        return remaining

    for step, leap in zip(steps, [*leaps, *([0.0] * 12)], strict=False):
        now += step
        for windows in client.ask(now + leap, spoil).values():
            visible = [row for row in (windows.current, windows.previous) if row]
            assert all(row in answered_rows and row.reading.values for row in visible)
            if len(visible) == 2:
                least, most = APART[kind]
                assert least <= windows.current.start - windows.previous.start <= most
            if windows.current:
                assert now + leap < windows.current.start + LONGEST[kind]
            elif windows.previous:
                assert LONGEST[kind] <= now + leap - windows.previous.start < 2 * LONGEST[kind]
    assert len(client.extra) <= len(steps)
