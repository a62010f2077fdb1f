"""Which row of a statistics answer is the running period, and which the last full one."""

import pytest
from account.calendars import LONGEST, moment
from account.restarts import periods, restarted
from account.statistics_server import DAY, HOUR, Plant, StatisticsClient, is_over, row, starts

from exporter.account.statistics import Periods
from exporter.northbound.interfaces import INTERFACES
from exporter.northbound.records import Windows

# --- the turn of a period ----------------------------------------------------------------------


def test_while_today_has_no_row_yesterday_stays_current():
    client = StatisticsClient("Day", Plant(lag=2 * HOUR))
    yesterday, today = moment("2026-06-10", "Europe/Berlin"), moment("2026-06-11", "Europe/Berlin")

    client.ask(today - 600)
    at_midnight = client.ask(today + HOUR / 2)["P"]
    later = client.ask(today + 2 * HOUR)["P"]

    assert starts(at_midnight) == (yesterday, yesterday - DAY)
    assert starts(later) == (today, yesterday)
    assert is_over(later.previous) == DAY


def test_without_a_newer_row_a_day_is_current_for_25_hours_and_then_the_previous_one():
    start = moment("2026-06-10", "Europe/Berlin")
    day = Periods(LONGEST["Day"])
    answer = [row(start)]

    before = day.apply(["P"], answer, start + 25 * HOUR - 1, earlier=False)["P"]
    after = day.apply(["P"], answer, start + 25 * HOUR, earlier=False)["P"]

    assert starts(before) == (start, None)
    assert starts(after) == (None, start)


@pytest.mark.parametrize("nominal", [31 * DAY, 31 * DAY + HOUR])
def test_october_lasts_31_days_and_an_hour_where_clocks_are_put_back(nominal):
    months = Periods(nominal)
    september, october = (moment(f"2026-{n}-01", "Europe/Berlin") for n in ("09", "10"))
    november = moment("2026-11-01", "Europe/Berlin")

    windows = [
        months.apply(["P"], [row(september), row(october)], now, earlier=False)["P"]
        for now in (november - 1_200, november - 1, november)
    ]

    assert november - october == 31 * DAY + HOUR
    assert [starts(each) for each in windows] == [
        (october, september),
        (october, september),
        (None, october),
    ]


@pytest.mark.parametrize(
    ("nominal", "seconds"),
    [
        (HOUR, HOUR),
        (DAY, 25 * HOUR),
        (25 * HOUR, 25 * HOUR),
        (31 * DAY, 31 * DAY + HOUR),
        (366 * DAY, 366 * DAY + HOUR),
        *((INTERFACES[f"getKpiStation{kind}"].period_seconds, LONGEST[kind]) for kind in LONGEST),
        *(
            (INTERFACES[f"getDevKpi{kind}"].period_seconds, LONGEST[kind])
            for kind in LONGEST
            if kind != "Hour"
        ),
    ],
)
def test_a_period_of_days_is_running_for_an_hour_more_than_its_days_and_an_hour_is_not(
    nominal, seconds
):
    periods, start = Periods(nominal), moment("2026-06-10")

    before = periods.apply(["P"], [row(start)], start + seconds - 1, earlier=False)["P"]
    after = periods.apply(["P"], [row(start)], start + seconds, earlier=False)["P"]

    assert starts(before) == (start, None)
    assert starts(after) == (None, start)


@pytest.mark.parametrize(
    ("kind", "zone", "turn", "hours_before", "hours_of_previous"),
    [
        ("Hour", "Europe/Berlin", "2026-06-11 13:00", 0.1, 1),
        ("Hour", "Asia/Kolkata", "2026-06-11", 0.1, 1),  # midnight
        ("Day", "Europe/Berlin", "2026-06-11", 1, 24),
        ("Day", "Europe/Berlin", "2026-07-01", 1, 24),  # the end of a month
        ("Day", "Asia/Kolkata", "2027-01-01", 1, 24),  # New Year, UTC +5:30
        ("Day", "Australia/Adelaide", "2026-03-01", 1, 24),
        ("Day", "America/New_York", "2028-03-01", 1, 24),  # after 29 February
        ("Day", "Europe/Berlin", "2026-03-30", 1, 23),  # clocks went forward
        ("Day", "Europe/Berlin", "2026-10-26", 1, 25),  # and back
        ("Day", "Australia/Adelaide", "2026-04-06", 1, 25),
        ("Day", "America/Havana", "2026-03-09", 1, 23),  # whose midnight was left out
        ("Day", "Australia/Lord_Howe", "2026-04-06", 1, 24.5),
        ("Day", "Australia/Lord_Howe", "2026-10-05", 1, 23.5),
        ("Month", "Europe/Berlin", "2026-03-01", 5, 28 * 24),
        ("Month", "Europe/Berlin", "2026-04-01", 5, 31 * 24 - 1),
        ("Month", "Europe/Berlin", "2026-11-01", 0.1, 31 * 24 + 1),
        ("Month", "Australia/Lord_Howe", "2026-11-01", 5, 31 * 24 - 0.5),
        ("Month", "Australia/Adelaide", "2027-01-01", 5, 31 * 24),
        ("Year", "Europe/Berlin", "2027-01-01", 20, 365 * 24),
        ("Year", "Asia/Kolkata", "2029-01-01", 20, 366 * 24),
        ("Year", "Africa/Juba", "2022-01-01", 20, 365 * 24 + 1),  # whose zone moved west
    ],
)
def test_after_its_end_a_period_is_the_previous_one_with_all_that_was_in_it(
    kind, zone, turn, hours_before, hours_of_previous
):
    client = StatisticsClient(kind, Plant(zone))
    turn = moment(turn, zone)

    before = client.ask(turn - hours_before * HOUR)["P"]
    after = client.ask(turn + 600)["P"]

    assert starts(after) == (turn, before.current.start)
    assert is_over(after.current) == 600
    assert is_over(after.previous) == hours_of_previous * HOUR


# --- the period just before ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "zone", "older", "newer", "is_before"),
    [
        ("Hour", "Asia/Kolkata", "2026-06-11 12:00", "2026-06-11 13:00", True),
        ("Hour", "Asia/Kolkata", "2026-06-11 11:00", "2026-06-11 13:00", False),
        ("Day", "Europe/Berlin", "2026-06-10", "2026-06-11", True),
        ("Day", "Europe/Berlin", "2026-06-09", "2026-06-11", False),
        ("Day", "Europe/Berlin", "2026-06-01", "2026-06-11", False),
        ("Day", "Europe/Berlin", "2026-03-29", "2026-03-30", True),
        ("Day", "Europe/Berlin", "2026-03-28", "2026-03-30", False),  # 47 hours
        ("Day", "Europe/Berlin", "2026-10-25", "2026-10-26", True),
        ("Day", "Australia/Lord_Howe", "2026-04-05", "2026-04-06", True),
        ("Month", "Europe/Berlin", "2026-10-01", "2026-11-01", True),
        ("Month", "Europe/Berlin", "2026-02-01", "2026-03-01", True),
        ("Month", "Europe/Berlin", "2026-01-01", "2026-03-01", False),
        ("Year", "Europe/Berlin", "2028-01-01", "2029-01-01", True),
        ("Year", "Europe/Berlin", "2025-01-01", "2027-01-01", False),
    ],
)
def test_only_the_period_just_before_the_running_one_is_the_previous_one(
    kind, zone, older, newer, is_before
):
    periods, older, newer = Periods(LONGEST[kind]), moment(older, zone), moment(newer, zone)

    windows = periods.apply(["P"], [row(older), row(newer)], newer + 600, earlier=False)["P"]

    assert starts(windows) == (newer, older if is_before else None)


def test_after_ten_days_of_silence_no_day_is_yesterday():
    day, today = Periods(LONGEST["Day"]), moment("2026-06-20", "Europe/Berlin")
    silent = [row(today - days * DAY, None) for days in range(10)]

    windows = [
        day.apply(["P"], [row(today - 10 * DAY), *silent], now, earlier=False)["P"]
        for now in (today + 600, today + 12 * HOUR)
    ]

    assert windows == [Windows(), Windows()]


def test_the_day_before_is_no_longer_yesterday_when_it_was_the_day_before_that():
    day, monday = Periods(LONGEST["Day"]), moment("2026-06-15", "Europe/Berlin")

    windows = [
        day.apply(["P"], [row(monday)], monday + hours * HOUR, earlier=False)["P"]
        for hours in (24.2, 25, 47, 60)
    ]

    assert [starts(each) for each in windows] == [
        (monday, None),
        (None, monday),
        (None, monday),
        (None, None),
    ]


def test_two_rows_of_one_day_an_hour_apart_are_one_and_the_later_stands():
    day, today = Periods(LONGEST["Day"]), moment("2026-06-10")
    answer = [row(today - DAY, 3.0), row(today, 1.0), row(today + HOUR, 2.0)]

    windows = day.apply(["P"], answer, today + 2 * HOUR, earlier=False)["P"]

    assert starts(windows) == (today + HOUR, today - DAY)
    assert (is_over(windows.current), is_over(windows.previous)) == (2.0, 3.0)


@pytest.mark.parametrize("shift", [-HOUR, HOUR])
def test_a_day_that_is_told_anew_with_another_start_replaces_what_was_read_of_it(shift):
    day, today = Periods(LONGEST["Day"]), moment("2026-07-01")
    day.apply(["P"], [row(today, 1.0)], today + 2 * HOUR, earlier=False)

    windows = day.apply(["P"], [row(today + shift, 2.0)], today + 3 * HOUR, earlier=False)["P"]

    assert starts(windows) == (today + shift, None)
    assert is_over(windows.current) == 2.0


# --- the extra question ------------------------------------------------------------------------


# --- what answers lack, and what they should lack ----------------------------------------------


def test_of_a_plant_that_an_answer_leaves_out_only_what_is_over_stays():
    client = StatisticsClient("Day", Plant())
    now = moment("2026-06-10 12:00", "Europe/Berlin")
    before = client.ask(now)["P"]

    left_out = client.ask(now + HOUR, spoil=lambda _: [])["P"]

    assert before.current is not None
    assert left_out == Windows(None, before.previous)
    assert client.extra == []
    assert client.ask(now + 2 * HOUR)["P"].current is not None


def test_nothing_is_known_of_a_plant_that_no_answer_tells_of():
    assert StatisticsClient("Day", Plant()).ask(moment("2026-06-10"), spoil=lambda _: []) == {
        "P": Windows()
    }


def test_a_row_without_values_is_no_running_period():
    day, start = Periods(LONGEST["Day"]), moment("2026-06-10")

    windows = day.apply(["P"], [row(start - DAY), row(start, None)], start + 60, earlier=False)

    assert starts(windows["P"]) == (start - DAY, None)


def test_a_row_that_lost_its_values_is_gone():
    day, start = Periods(LONGEST["Day"]), moment("2026-06-10")
    day.apply(["P"], [row(start - DAY), row(start)], start + HOUR, earlier=False)

    windows = day.apply(
        ["P"], [row(start - DAY), row(start, None)], start + 2 * HOUR, earlier=False
    )["P"]

    assert starts(windows)[0] != start


def test_what_an_answer_leaves_out_within_its_span_is_gone():
    day, start = Periods(LONGEST["Day"]), moment("2026-06-10")
    answer = [row(start - 2 * DAY), row(start - DAY), row(start)]
    day.apply(["P"], answer, start + HOUR, earlier=False)

    del answer[1]
    windows = day.apply(["P"], answer, start + 2 * HOUR, earlier=False)["P"]

    assert starts(windows) == (start, None)


def test_a_row_from_the_future_is_none():
    day, start = Periods(LONGEST["Day"]), moment("2026-06-10")
    answer = [row(start), *(row(start + days * DAY) for days in range(1, 20))]

    windows = day.apply(["P"], answer, start + HOUR, earlier=False)["P"]

    assert starts(windows) == (start, None)


def test_a_row_that_was_read_while_the_clock_was_ahead_is_gone_once_it_is_right():
    day, start = Periods(LONGEST["Day"]), moment("2026-06-10")
    ahead = start + 40 * DAY
    day.apply(["P"], [row(start), row(ahead)], ahead + HOUR, earlier=False)

    windows = day.apply(["P"], [row(start)], start + HOUR, earlier=False)["P"]

    assert starts(windows) == (start, None)


def test_a_row_that_no_answer_repeats_is_forgotten_when_the_day_after_it_is_over():
    day, start = Periods(LONGEST["Day"]), moment("2026-06-10")
    day.apply(["P"], [row(start)], start + HOUR, earlier=False)

    kept = day.apply(["P"], [], start + 49 * HOUR - 1, earlier=False)["P"]
    forgotten = day.apply(["P"], [], start + 49 * HOUR, earlier=False)["P"]

    assert starts(kept) == (None, start)
    assert forgotten == Windows()


def test_rows_of_others_are_nobodys():
    day, start = Periods(LONGEST["Day"]), moment("2026-06-10")

    applied = day.apply(["P"], [row(start, name="Q")], start + HOUR, earlier=False)

    assert applied == {"P": Windows()}


# --- memory ------------------------------------------------------------------------------------


def test_a_restart_on_the_first_of_a_month_keeps_the_day_before():
    client = StatisticsClient("Day", Plant())
    last, first = moment("2026-06-30", "Europe/Berlin"), moment("2026-07-01", "Europe/Berlin")
    client.ask(first - HOUR)

    client.restart(restarted(client.rows, periods()))
    windows = client.ask(first + HOUR)["P"]

    assert starts(windows) == (first, last)
    assert client.extra == [last]


def test_only_what_changed_is_stored():
    rows, start = periods(), moment("2026-06-10")
    day = Periods(LONGEST["Day"], rows)
    day.apply(["P"], [row(start)], start + HOUR, earlier=False)
    assert rows.changed == {"P"}
    rows.changed.clear()

    day.apply(["Q"], [row(start, name="Q")], start + HOUR, earlier=False)

    assert rows.changed == {"Q"}


def test_nothing_is_known_of_what_was_dropped():
    rows, start = periods(), moment("2026-06-10")
    day = Periods(LONGEST["Day"], rows)
    day.apply(["P", "Q"], [row(start), row(start, name="Q")], start + HOUR, earlier=False)

    rows.drop({"P"})

    assert day.apply(["P"], [], start + 2 * HOUR, earlier=False) == {"P": Windows()}
