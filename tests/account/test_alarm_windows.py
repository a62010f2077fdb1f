"""Servers that cut alarm windows silently: noticed, and nothing counts as over because of it."""

from itertools import pairwise

import pytest
from account.alarm_tracker import DAY, HOUR, NOW, StoredTracker, alarm
from account.polled import START, server_alarm, spans, walk
from account.restarts import Stored, alarms
from account.world import View, account
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from exporter.account.alarm_windows import Window, WindowCoverage, newest_window
from exporter.account.database import Database

WHOLE = 31 * DAY - 60
FIRST_SWEEP, LATER_SWEEP = 55, 11  # calls, one more where windows happen to lie so


class Cutting:
    """A server that tells of the last, or first, `days` of a window only, and who asks it."""

    def __init__(self, days, *alarms, side="last"):
        self.days, self.alarms, self.side = days, list(alarms), side
        self.tracker, self.active, self.new, self.asked = StoredTracker(), (), [], []

    def answer(self, window):
        begin, end = window.begin, window.end
        if self.side == "last":
            begin = max(begin, end - self.days * DAY)
        else:
            end = min(end, begin + self.days * DAY)
        return [each for each in self.alarms if begin <= each.raised <= end]

    def ask_about_newest(self, now):
        window = self.tracker.newest_window(now)
        active_and_new = self.tracker.apply_recent(["P"], window, self.answer(window), now)["P"]
        self.active, self.asked = active_and_new.active, [*self.asked, window]
        self.new += active_and_new.new

    def ask_about_older(self, now, calls=1):
        for _ in range(calls):
            if window := self.tracker.older_window(["P"]):
                answer = self.answer(window)
                self.active = self.tracker.apply_older(["P"], window, answer, now)["P"].active
                self.tracker.drop_window(["P"], window)
                self.asked.append(window)

    def ask_hourly(self, now, hours, calls=1):
        """A call about the newest window every hour, and one about an older one."""
        for hour in range(hours):
            self.ask_about_newest(now + hour * HOUR)
            self.ask_about_older(now + hour * HOUR, calls)

    @property
    def ages(self):
        return sorted(round((NOW - each.raised) / DAY) for each in self.active)


def aged(*days):
    return [alarm(NOW - age * DAY, f"S{age}") for age in days]


# --- at the first look -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cut", "ages"),
    [
        (7, (2, 10, 40)),
        (7, (10,)),
        (7, (40,)),
        (7, (2, 300)),
        (14, (2, 20, 60)),
        (30, (2, 40, 70)),
        (3, (1, 5, 20)),
        (1, (1.5, 10, 200)),
    ],
)
def test_the_first_sweep_finds_what_windows_are_cut_away_from(cut, ages):
    server = Cutting(cut, *aged(*ages))

    server.ask_hourly(NOW, 500)

    assert {each.raised for each in server.active} == {each.raised for each in server.alarms}
    assert server.new == []


def test_windows_cut_to_seven_days_are_seven_days_from_then_on():
    server = Cutting(7, *aged(2, 10, 40))

    server.ask_hourly(NOW, 20)

    lengths = [window.length for window in server.asked if window.end > NOW]
    assert set(lengths[:2]) == {WHOLE}
    assert set(lengths[4:]) == {7 * DAY}
    assert server.ages == [2, 10, 40]


def test_without_any_sign_of_a_cut_the_first_sweep_goes_week_by_week_and_later_ones_do_not():
    server = Cutting(400)

    server.ask_hourly(NOW, 24 * 6)
    first = [window for window in server.asked if window.end < NOW]
    server.asked.clear()
    server.ask_hourly(NOW + 7 * DAY, 24 * 6)
    later = [window for window in server.asked if window.end < NOW + 7 * DAY]

    assert len(first) in (FIRST_SWEEP - 1, FIRST_SWEEP)
    assert len(later) in (LATER_SWEEP, LATER_SWEEP + 1)
    assert {window.length for window in server.asked} == {WHOLE}


def test_where_an_answer_tells_of_more_than_a_week_the_first_sweep_is_short():
    server = Cutting(400, *aged(20))

    server.ask_hourly(NOW, 48)

    assert len([window for window in server.asked if window.end < NOW]) <= LATER_SWEEP + 1
    assert {window.length for window in server.asked} == {WHOLE}


# --- afterwards --------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cut", "side"),
    [*((cut, "last") for cut in (1, 3, 7, 14, 30)), *((cut, "first") for cut in (1, 3, 7, 14))],
)
def test_an_alarm_that_grows_older_than_the_cut_stays(cut, side):
    server = Cutting(cut, *aged(0.1 if side == "last" else 2.5), side=side)
    server.ask_hourly(NOW, 12, calls=60)
    counts = []

    for hour in range(12, 24 * 45):
        now = NOW + hour * HOUR
        server.ask_about_newest(now)
        counts.append(len(server.active))
        server.ask_about_older(now)

    assert set(counts) == {1}
    assert server.new == []
    assert server.tracker.coverage.length <= cut * DAY


def test_what_an_uncut_answer_lacks_is_over_when_a_short_window_lacks_it_too():
    server = Cutting(400, alarm(NOW))
    server.ask_hourly(NOW, 24 * 9)
    at = NOW + 9 * DAY
    server.alarms.clear()
    server.asked.clear()

    server.ask_about_newest(at)
    doubtful = server.ages
    server.ask_about_older(at)

    assert doubtful == [0]
    assert server.active == ()
    (check,) = server.asked[1:]
    assert (check.length, check.holds(NOW)) == (DAY, True)
    assert server.tracker.coverage.length == WHOLE


def test_what_is_no_older_than_what_was_told_of_is_over_at_once():
    old, young = alarm(NOW - 20 * DAY, "old"), alarm(NOW - 10 * DAY, "young")
    server = Cutting(400, old, young)
    server.ask_about_newest(NOW)

    server.alarms.remove(young)
    server.ask_about_newest(NOW + HOUR)

    assert server.active == (old,)


def test_what_was_raised_within_a_day_is_over_at_once():
    server = Cutting(400, alarm(NOW - 20 * HOUR))
    server.ask_about_newest(NOW)

    server.alarms.clear()
    server.ask_about_newest(NOW + HOUR)

    assert server.active == ()


def test_a_check_that_failed_is_made_again_after_the_next_look():
    server = Cutting(7, alarm(NOW))
    server.ask_hourly(NOW, 24 * 7 - 1, calls=60)
    at = NOW + 8 * DAY
    server.ask_about_newest(at)
    failed = server.tracker.older_window(["P"])
    server.tracker.drop_window(["P"], failed)

    server.ask_about_newest(at + HOUR)

    assert server.ages == [0]
    assert server.tracker.older_window(["P"]) == failed


def test_a_cut_that_is_learned_sweeps_all_windows_again_in_shorter_ones():
    server = Cutting(400, *aged(20))
    server.ask_hourly(NOW, 48)
    server.days = 7
    server.tracker.coverage.from_end = 6 * DAY  # as if nothing so old had ever been told
    server.alarms += aged(100)
    server.asked.clear()

    server.ask_hourly(NOW + 2 * DAY, 80)

    assert server.ages == [20, 100]
    assert {window.length for window in server.asked[4:]} == {7 * DAY}
    assert len({window for window in server.asked if window.end < NOW}) >= 51


@given(
    cut=st.sampled_from([1, 3, 7, 14, 30, 400]),
    side=st.sampled_from(["last", "first"]),
    ages=st.lists(st.floats(0.01, 60), max_size=5, unique=True),
    gaps=st.lists(st.floats(0.05, 40), min_size=1, max_size=60),
    restarts=st.sets(st.integers(0, 60)),
)
def test_what_was_shown_stays_as_long_as_it_is_active_however_windows_are_cut(
    cut, side, ages, gaps, restarts
):
    server, at, active, stored = Cutting(cut, *aged(*ages), side=side), NOW, set(), Stored()
    for turn, hours in enumerate(gaps):
        at += hours * HOUR
        server.ask_about_newest(at)
        server.ask_about_older(at)
        assert active <= set(server.active) <= set(server.alarms)
        active = set(server.active)
        stored.save(server.tracker.rows)
        if turn in restarts:
            coverage, server.tracker = server.tracker.coverage, StoredTracker(stored.load(alarms()))
            server.tracker.coverage = coverage


# --- what is learned ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "days"), [(1.5, 1), (3.5, 3), (6, 3), (7.1, 7), (20, 7), (30.5, 7)]
)
def test_windows_become_a_week_or_less_and_shorter_than_what_was_lacking(age, days):
    coverage, window = WindowCoverage(from_begin=31 * DAY), newest_window(NOW)

    assert coverage.miss(window, window.end - age * DAY)
    assert coverage.length == days * DAY


def test_what_no_cut_explains_is_none():
    coverage, window = WindowCoverage(), newest_window(NOW)
    coverage.note(window, [window.begin + 60, window.end - 60])

    assert not coverage.miss(window, NOW - 15 * DAY)
    assert coverage == WindowCoverage(WHOLE, 31 * DAY - 120, 31 * DAY - 120)


def test_alarms_from_outside_of_a_window_show_nothing():
    coverage = WindowCoverage()

    coverage.note(Window(NOW - 10 * DAY, NOW), [NOW - 20 * DAY, NOW + DAY])

    assert coverage == WindowCoverage()


# --- by the poller -----------------------------------------------------------------------------


@pytest.mark.slow
def test_a_cut_is_told_once_and_remembered_over_a_restart():
    server, view, database = account(hours=60, edition="v6"), View(), Database()
    server.alarm_cut = 7 * DAY
    server.troubles = [server_alarm(START - days * DAY) for days in (2.0, 10.0, 40.0)]
    with capture_logs() as logs:
        walk(server, "getAlarmList", view=view, database=database)
        before = len(spans(server))
        server.clock.end += HOUR * 3
        server.drop_token()
        walk(server, "getAlarmList", view=view, database=database)

    entries = [entry for entry in logs if "cuts alarm windows" in entry["event"]]
    assert [(entry["log_level"], entry["days"]) for entry in entries] == [("warning", 7)]
    assert {each.raised for each in view.state.answers["getAlarmList"]["P0"].value} == {
        each.raised for each in server.troubles
    }
    assert {round(begin - end, 3) for begin, end in spans(server)[before:]} == {7.0}
    assert server.refused == []


# --- alarms whose raising moves ----------------------------------------------------------------


def test_an_alarm_that_comes_with_another_time_in_each_answer_counts_no_more_at_last():
    server = Cutting(400)
    server.ask_about_newest(NOW - HOUR)
    for turn in range(1_000):
        server.alarms = [alarm(NOW + turn * HOUR - 5)]
        server.ask_about_newest(NOW + turn * HOUR)

    assert len(server.new) == 101
    assert [each.raised for each in server.active] == [NOW + 999 * HOUR - 5]
    assert [each.serial_number for each in server.tracker.unstable()] == ["S1"]
    assert server.tracker.unstable() == []
    assert len(server.tracker.rows.codec.encode(server.tracker.rows["P"])) < 10_000


def test_an_old_alarm_that_comes_with_another_time_in_each_answer_never_counts():
    server = Cutting(400)
    for turn in range(50):
        now = NOW + turn * HOUR
        server.alarms = [alarm(now - 2 * DAY)]
        server.ask_about_newest(now)

    assert server.new == []
    assert [each.raised for each in server.active] == [NOW + 49 * HOUR - 2 * DAY]


def test_an_alarm_that_was_over_in_between_counts_each_time():
    server = Cutting(400)
    server.ask_about_newest(NOW - HOUR)
    for turn in range(500):
        server.alarms = [alarm(NOW + turn * HOUR - 5)] * (turn % 2)
        server.ask_about_newest(NOW + turn * HOUR)

    assert len(server.new) == 250
    assert server.tracker.unstable() == []


def test_a_restart_goes_on_counting_how_often_an_alarm_moved():
    server = Cutting(400)
    server.ask_about_newest(NOW - HOUR)
    for turn in range(200):
        server.alarms = [alarm(NOW + turn * HOUR - 5)]
        server.ask_about_newest(NOW + turn * HOUR)
        server.tracker = server.tracker.restarted()

    assert len(server.new) == 101


def test_no_more_than_ten_thousand_sightings_of_a_plant_are_kept_and_none_counts_twice():
    server = Cutting(400)
    server.ask_about_newest(NOW - DAY)
    server.alarms = [alarm(NOW + n, f"S{n}", active=False, status=6) for n in range(12_000)]

    server.ask_about_newest(NOW + 4 * HOUR)
    server.ask_about_newest(NOW + 5 * HOUR)

    assert len(server.new) == 12_000
    assert len(server.tracker.rows["P"].seen) == 10_000


def test_two_alarms_alike_are_two():
    server = Cutting(400, alarm(NOW - 3 * HOUR), alarm(NOW - 2 * HOUR))
    server.ask_about_newest(NOW)
    server.alarms.append(alarm(NOW + HOUR))
    server.ask_about_newest(NOW + 2 * HOUR)

    assert len(server.active) == 3
    assert [each.raised for each in server.new] == [NOW + HOUR]
    assert [b - a for a, b in pairwise(sorted(each.raised for each in server.active))] == [
        HOUR,
        3 * HOUR,
    ]
