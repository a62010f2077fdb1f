"""Which alarms are active, which are new, and which time is asked about next."""

from dataclasses import replace

import pytest
from account.alarm_tracker import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    StoredTracker,
    alarm,
    apply_recent,
    sweep,
    swept_tracker,
)
from account.server_alarms import refusal
from hypothesis import given
from hypothesis import strategies as st

from exporter.account.alarm_windows import Window, newest_window
from exporter.northbound.records import PlantAlarms

# --- what counts -------------------------------------------------------------------------------


def test_what_is_active_at_the_first_look_is_shown_and_does_not_count():
    old = alarm(NOW - DAY)

    assert apply_recent(StoredTracker(), NOW, old) == {"P": PlantAlarms((old,), ())}


def test_an_alarm_counts_when_it_is_first_seen_and_never_again():
    tracker, new = swept_tracker(), alarm(NOW + 1)

    result = [apply_recent(tracker, NOW + turn * HOUR, new)["P"] for turn in (1, 2, 3)]

    assert [each.new for each in result] == [(new,), (), ()]
    assert {each.active for each in result} == {(new,)}


def test_an_alarm_that_was_cleared_before_anybody_looked_counts():
    tracker = swept_tracker()
    gone = alarm(NOW + 1, status=6, active=False)

    assert apply_recent(tracker, NOW + HOUR, gone)["P"] == PlantAlarms((), (gone,))


@pytest.mark.parametrize(
    "other",
    [
        alarm(NOW + 2),
        alarm(NOW + 1, serial="S2"),
        replace(alarm(NOW + 1), alarm_id="7"),
        replace(alarm(NOW + 1), cause_id="2"),
    ],
)
def test_an_occurrence_is_known_by_device_alarm_cause_and_time(other):
    tracker = swept_tracker()
    apply_recent(tracker, NOW + HOUR, alarm(NOW + 1))

    assert apply_recent(tracker, NOW + 2 * HOUR, alarm(NOW + 1), other)["P"].new == (other,)


def test_neither_a_new_status_nor_another_name_is_another_alarm():
    tracker = swept_tracker()
    apply_recent(tracker, NOW + HOUR, alarm(NOW + 1, status=1, name="a fault"))

    result = apply_recent(tracker, NOW + 2 * HOUR, alarm(NOW + 1, status=2, name="una falla"))["P"]

    assert result.new == ()
    assert [each.status for each in result.active] == [2]


def test_an_alarm_that_went_and_came_back_counts_once():
    tracker, flapping = swept_tracker(), alarm(NOW + 1)

    result = [
        apply_recent(tracker, NOW + turn * HOUR, *([flapping] * (turn % 2)))["P"]
        for turn in range(1, 8)
    ]

    assert [len(each.new) for each in result] == [1, 0, 0, 0, 0, 0, 0]
    assert [len(each.active) for each in result] == [1, 0, 1, 0, 1, 0, 1]


def test_an_alarm_that_arrives_days_after_it_was_raised_counts():
    tracker, late = swept_tracker(), alarm(NOW + 1)
    apply_recent(tracker, NOW + 10 * DAY)

    assert apply_recent(tracker, NOW + 30 * DAY, late)["P"].new == (late,)


def test_what_was_raised_while_nobody_looked_counts():
    tracker, missed = swept_tracker(), alarm(NOW + 20 * DAY)

    assert apply_recent(tracker, NOW + 50 * DAY, missed)["P"].new == (missed,)


@pytest.mark.parametrize("status", [1, 2, 3, None])
def test_an_alarm_is_active_until_it_is_handled(status):
    assert apply_recent(StoredTracker(), NOW, alarm(status=status))["P"].active


def test_each_plant_has_a_first_look_of_its_own():
    tracker = swept_tracker(plants=("P",))
    here, there = alarm(NOW + 1), alarm(NOW + 1, plant="Q")

    result = apply_recent(tracker, NOW + HOUR, here, there, plants=("P", "Q"))

    assert result == {"P": PlantAlarms((here,), (here,)), "Q": PlantAlarms((there,), ())}


def test_a_plant_that_was_gone_is_looked_at_as_if_for_the_first_time():
    tracker = swept_tracker(plants=("P", "Q"))
    tracker.rows.drop({"P"})

    assert apply_recent(tracker, NOW + HOUR, alarm(NOW + 1))["P"].new == ()


def test_alarms_of_plants_that_were_not_asked_about_are_left_alone():
    assert apply_recent(StoredTracker(), NOW, alarm(plant="Q")) == {"P": PlantAlarms((), ())}


# --- when it is over ---------------------------------------------------------------------------


def test_an_alarm_is_over_when_a_window_that_holds_it_comes_back_without_it():
    tracker = swept_tracker(alarm(NOW - 30 * DAY))

    assert apply_recent(tracker, NOW + HOUR)["P"].active == ()


def test_an_alarm_that_no_window_holds_stays():
    old = alarm(NOW - 30 * DAY)
    tracker = swept_tracker(old)

    assert apply_recent(tracker, NOW + 3 * DAY)["P"].active == (old,)


def test_an_old_alarm_is_asked_about_once_a_day_until_it_is_over():
    old, older = alarm(NOW - 29 * DAY), alarm(NOW - 28 * DAY)
    tracker = swept_tracker(old, older)
    swept = []
    for hour in range(24 * 7):
        now = NOW + hour * HOUR
        present = [each for each in (old, older) if each is old and hour < 24 * 5]
        apply_recent(
            tracker, now, *(each for each in present if newest_window(now).holds(each.raised))
        )
        if window := tracker.older_window(["P"]):
            swept.append(hour // 24)
            result = tracker.apply_older(["P"], window, present, now)["P"]
            tracker.drop_window(["P"], window)
            assert result.new == ()
            assert result.active == tuple(present)

    assert swept == [2, 3, 4, 5]


def test_an_alarm_older_than_the_server_tells_is_over():
    old = alarm(NOW - 20 * DAY)
    tracker = swept_tracker(old)

    assert apply_recent(tracker, NOW + 344 * DAY)["P"].active == (old,)
    assert apply_recent(tracker, NOW + 345 * DAY)["P"].active == ()


# --- windows -----------------------------------------------------------------------------------


@given(st.floats(1.5e9, 2e9))
def test_the_first_sweep_asks_about_a_year_without_a_gap(now):
    tracker = StoredTracker()
    apply_recent(tracker, now)
    newest, windows = newest_window(now), sweep(tracker, now)

    edge = Window(now - DAY, newest.end)  # of which the newest window surely tells
    for window in windows:
        assert window.end >= edge.begin
        assert 0 < window.end - window.begin <= 31 * DAY
        edge = window
    assert edge.begin <= now - 365 * DAY + HOUR
    assert len(windows) <= 56
    assert max(window.length for window in windows) == 7 * DAY
    assert refusal(newest.begin, newest.end, now) is None


@given(
    st.lists(st.floats(31, 364), max_size=40),
    st.integers(1, 5),
    st.floats(0, DAY),
)
def test_the_sweeps_of_many_plants_share_their_windows(ages, plants, apart):
    names = [f"P{n}" for n in range(plants)]
    tracker = StoredTracker()
    old = [alarm(NOW - age * DAY, f"S{n}", names[n % plants]) for n, age in enumerate(ages)]
    for turn, name in enumerate(names):
        apply_recent(tracker, NOW + turn * apart, plants=[name])

    windows = sweep(tracker, NOW, *old, plants=names)
    apply_recent(tracker, NOW + 5 * DAY, plants=names)
    again = sweep(tracker, NOW + 5 * DAY, *old, plants=names)

    assert len(windows) <= 54 + 2 * plants
    assert len(again) <= min(14, 2 * len(old))


def test_a_sweep_that_takes_more_than_a_day_goes_on_to_its_end():
    tracker, asked = StoredTracker(), []
    for day in range(56):
        apply_recent(tracker, NOW + day * DAY)
        if window := tracker.older_window(["P"]):
            asked.append(window.begin)
            tracker.drop_window(["P"], window)

    assert min(asked) <= NOW - 365 * DAY + HOUR
    assert len(set(asked)) == len(asked)


def test_once_a_week_all_windows_are_due_again():
    tracker, asked = StoredTracker(), []
    for day in range(16):
        apply_recent(tracker, NOW + day * DAY)
        asked.append(len(sweep(tracker, NOW + day * DAY)))

    assert [day for day, windows in enumerate(asked) if windows >= 11] == [0, 7, 14]
    assert sum(asked[1:7]) == 0


def test_an_old_alarm_that_an_answer_lacked_by_mistake_is_back_within_a_week():
    old = alarm(NOW - 100 * DAY)
    tracker = StoredTracker()
    apply_recent(tracker, NOW)
    sweep(tracker, NOW)

    apply_recent(tracker, NOW + 7 * DAY)
    sweep(tracker, NOW + 7 * DAY, old)

    assert apply_recent(tracker, NOW + 7 * DAY)["P"] == PlantAlarms((old,), ())


def test_after_the_first_sweep_only_windows_with_active_alarms_are_asked_about():
    tracker = swept_tracker(alarm(NOW - 29 * DAY), alarm(NOW - 2 * DAY))
    apply_recent(tracker, NOW + 5 * DAY, alarm(NOW - 2 * DAY))

    windows = sweep(tracker, NOW + 5 * DAY)

    assert len(windows) == 1
    assert windows[0].holds(NOW - 29 * DAY)


def test_without_old_alarms_nothing_is_asked_extra():
    tracker = swept_tracker(alarm(NOW - DAY))
    apply_recent(tracker, NOW + 5 * DAY, alarm(NOW - DAY))

    assert sweep(tracker, NOW + 5 * DAY) == []


# --- clocks ------------------------------------------------------------------------------------


def test_an_alarm_that_is_told_of_once_more_after_a_year_is_over_all_the_same():
    tracker, old = swept_tracker(), alarm(NOW - 366 * DAY)

    result = tracker.apply_older(["P"], Window(NOW - 380 * DAY, NOW - 350 * DAY), [old], NOW)

    assert result["P"].active == ()


@pytest.mark.parametrize("skew", [-HOUR + MINUTE, -600, 600, HOUR])
def test_a_clock_that_is_off_by_up_to_an_hour_misses_nothing(skew):
    """The server's clock is right; ours is `skew` seconds ahead."""
    tracker = StoredTracker()
    apply_recent(tracker, NOW + skew)
    counted = []
    for turn in range(1, 50):
        now, raised = NOW + turn * HOUR, NOW + turn * HOUR - 5
        window = newest_window(now + skew)
        listed = [alarm(raised)] if window.begin <= raised <= window.end else []
        counted += apply_recent(tracker, now + skew, *listed)["P"].new

    assert [each.raised for each in counted] == [NOW + turn * HOUR - 5 for turn in range(1, 50)]


@pytest.mark.parametrize("days", [2, 20, 40])
def test_a_clock_that_was_set_back_ends_no_alarm_and_counts_none_again(days):
    tracker = swept_tracker()
    known = [alarm(NOW + 60), alarm(NOW + HOUR)]
    apply_recent(tracker, NOW + 2 * HOUR, *known)

    back = apply_recent(tracker, NOW - days * DAY)["P"]
    again = apply_recent(tracker, NOW + 3 * HOUR, *known)["P"]

    assert back == PlantAlarms(tuple(known), ())
    assert again == PlantAlarms(tuple(known), ())


def test_what_only_a_clock_that_was_set_back_shows_again_does_not_count():
    tracker, forgotten = swept_tracker(), alarm(NOW + 1, status=6, active=False)
    apply_recent(tracker, NOW + HOUR, forgotten)
    apply_recent(tracker, NOW + 40 * DAY)

    assert apply_recent(tracker, NOW + 20 * DAY, forgotten)["P"].new == ()


def test_a_clock_that_was_wrong_by_a_month_starts_anew_when_it_is_right():
    tracker = StoredTracker()
    apply_recent(tracker, NOW + 40 * DAY)
    shown, new = alarm(NOW - DAY), alarm(NOW + 1)

    assert apply_recent(tracker, NOW, shown)["P"] == PlantAlarms((shown,), ())
    assert apply_recent(tracker, NOW + HOUR, shown, new)["P"] == PlantAlarms((shown, new), (new,))


# --- memory ------------------------------------------------------------------------------------


def test_a_restart_forgets_nothing():
    tracker = swept_tracker()
    apply_recent(tracker, NOW + HOUR, alarm(NOW + 60))

    result = apply_recent(tracker.restarted(), NOW + 2 * HOUR, alarm(NOW + 60), alarm(NOW + 61))[
        "P"
    ]

    assert result == PlantAlarms((alarm(NOW + 60), alarm(NOW + 61)), (alarm(NOW + 61),))


def test_a_restart_goes_on_with_the_sweep():
    tracker = StoredTracker()
    apply_recent(tracker, NOW)
    windows = [tracker.older_window(["P"])]
    tracker.drop_window(["P"], windows[0])
    tracker.apply_older(["P"], windows[0], (), NOW)

    windows += sweep(tracker.restarted(), NOW)

    other = StoredTracker()
    apply_recent(other, NOW)
    assert windows == sweep(other, NOW)


def test_only_what_changed_is_stored():
    tracker = swept_tracker(plants=("P", "Q"))
    tracker.rows.changed.clear()

    apply_recent(tracker, NOW + HOUR, alarm(NOW + 60), plants=("P", "Q"))
    assert tracker.rows.changed == {"P"}
    tracker.rows.changed.clear()
    apply_recent(tracker, NOW + 2 * HOUR, alarm(NOW + 60), plants=("P", "Q"))

    assert tracker.rows.changed == set()


def test_under_other_filters_what_was_there_before_is_not_new():
    tracker = swept_tracker()
    wider = tracker.restarted()
    wider.count_anew()

    result = apply_recent(wider, NOW + HOUR, alarm(NOW - DAY))["P"]

    assert result == PlantAlarms((alarm(NOW - DAY),), ())
    assert apply_recent(wider, NOW + 2 * HOUR, alarm(NOW + HOUR))["P"].new == (alarm(NOW + HOUR),)
