"""Which earlier time statistics are asked about once more, so that the last period is full."""

from account.calendars import LONGEST, moment
from account.statistics_server import DAY, HOUR, Plant, StatisticsClient, is_over, row, starts

from exporter.account.statistics import Periods


def test_a_plant_that_was_silent_yesterday_is_not_asked_about_it_again():
    day, today = Periods(LONGEST["Day"]), moment("2026-06-15")
    answer = [row(today - 14 * DAY), row(today - DAY, None), row(today)]

    day.apply(["P"], answer, today + HOUR, earlier=False)

    assert day.earlier_time(["P"]) is None


def test_on_the_first_of_a_month_the_day_before_is_kept_and_asked_for_once_more():
    client = StatisticsClient("Day", Plant())
    last, first = moment("2026-06-30", "Europe/Berlin"), moment("2026-07-01", "Europe/Berlin")
    client.ask(first - HOUR)

    windows = [client.ask(first + HOUR * hour)["P"] for hour in range(1, 24)]

    assert {starts(each) for each in windows} == {(first, last)}
    assert {is_over(each.previous) for each in windows} == {DAY}
    assert client.extra == [last]


def test_a_day_that_was_read_before_its_end_is_shown_until_it_is_read_again():
    day = Periods(LONGEST["Day"])
    last, first = moment("2026-06-30"), moment("2026-07-01")
    day.apply(["P"], [row(last, 5.0)], first - HOUR, earlier=False)

    windows = day.apply(["P"], [row(first, 1.0)], first + HOUR, earlier=False)["P"]

    assert starts(windows) == (first, last)
    assert is_over(windows.previous) == 5.0
    assert day.earlier_time(["P"]) == last


def test_a_cold_start_on_the_first_of_a_month_asks_about_the_moment_before_its_first_row():
    client = StatisticsClient("Day", Plant())
    last, first = moment("2026-06-30", "Europe/Berlin"), moment("2026-07-01", "Europe/Berlin")

    windows = [client.ask(first + HOUR * hour)["P"] for hour in range(1, 24)]

    assert {starts(each) for each in windows} == {(first, last)}
    assert client.extra == [first - 0.001]


def test_a_cold_start_on_any_other_day_asks_nothing_extra():
    client = StatisticsClient("Day", Plant())

    windows = client.ask(moment("2026-07-02 12:00", "Europe/Berlin"))["P"]

    assert windows.previous is not None
    assert client.extra == []


def test_a_plant_that_has_no_earlier_row_is_not_asked_for_one_again():
    built = moment("2026-07-01 08:00", "Europe/Berlin")
    client = StatisticsClient("Day", Plant(since=built))

    windows = [client.ask(built + HOUR * hour)["P"] for hour in range(1, 12)]

    assert {each.previous for each in windows} == {None}
    assert len(client.extra) == 1


def test_an_extra_question_that_failed_is_put_again():
    day, first = Periods(LONGEST["Day"]), moment("2026-07-01")

    day.apply(["P"], [row(first)], first + HOUR, earlier=False)
    day.apply(["P"], [row(first)], first + 2 * HOUR, earlier=False)

    assert day.earlier_time(["P"]) == first - 0.001


def test_a_new_gap_is_asked_about_though_the_last_one_was():
    client = StatisticsClient("Day", Plant())
    july, august = (moment(f"2026-0{month}-01", "Europe/Berlin") for month in (7, 8))
    for start in (july, august):
        client.ask(start + HOUR)
        client.ask(start + 2 * HOUR)

    assert client.extra == [july - 0.001, august - 0.001]


def test_an_answer_about_an_earlier_time_says_nothing_about_newer_rows():
    day, first = Periods(LONGEST["Day"]), moment("2026-07-01")
    day.apply(["P"], [row(first, 7.0)], first + HOUR, earlier=False)

    windows = day.apply(["P"], [row(first - DAY, 3.0)], first + HOUR, earlier=True)["P"]

    assert (is_over(windows.current), is_over(windows.previous)) == (7.0, 3.0)
