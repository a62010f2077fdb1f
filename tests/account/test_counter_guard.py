"""What is shown of a lifetime counter, whatever is sent of it."""

from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.account.codec import Codec, StoredRow
from exporter.account.counters import (
    FELL,
    LEAPT,
    CounterGuard,
    CounterRun,
    Counters,
    CounterState,
    GrowthBound,
    refusal,
)
from exporter.account.model import AccountState
from exporter.clock import ClockStamp, SystemClock
from exporter.northbound.interfaces import Subject

DEVICE, SERIES = (1, "d"), ("energy", ())
RATE = GrowthBound(10 / 3_600)  # kWh a second: a device of 10 kW
MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0
START = 1_750_000_000.0
CODEC = Codec(Counters)


class Verdict(NamedTuple):
    """What is shown for an answer; why it is refused, or that it was confirmed."""

    shown: float | None
    refused: str | None = None
    confirmed: bool = False


def admit(guard, entity, series, *answer):
    """The verdict on one counter of an answer: its value, when, and how fast it may grow."""
    value, at, rate = answer
    (counted,), confirmed = guard.admit(entity, [(series, value, rate)], at)
    refused = refusal(value, counted) if counted != value else None
    return Verdict(counted or None, refused, bool(confirmed))


def verdicts(answers, every=5 * MINUTE, rate=RATE):
    """On answers that come so often; None is an answer without the counter."""
    guard, at = CounterGuard(), START
    for answer in answers:
        at += every
        if answer is not None:
            yield admit(guard, DEVICE, SERIES, answer, at, rate)


def accepted_values(answers, **options):
    return [verdict.shown for verdict in verdicts(answers, **options)]


def refusals(answers, **options):
    return [verdict.refused for verdict in verdicts(answers, **options)]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        pytest.param([100, 100.5, 100.5, 101], [100, 100.5, 100.5, 101], id="a counter counts"),
        pytest.param([100, 10_000, 100.5], [100, 100, 100.5], id="a hundred times"),
        pytest.param([100, 1_000, 100.5], [100, 100, 100.5], id="ten times"),
        pytest.param([100, 140, 100.5], [100, 100, 100.5], id="40 % more"),
        pytest.param([100, 140, 140.5, 100.5], [100, 100, 100, 100.5], id="two answers long"),
        pytest.param([100, 140, 140.5, 141, 100.5], [100] * 4 + [100.5], id="three answers long"),
        pytest.param(
            [100, 140, 100.5, 140.5, 101, 141, 101.5, 142, 102],
            [100, 100, 100.5, 100.5, 101, 101, 101.5, 101.5, 102],
            id="good and bad in turn",
        ),
        pytest.param([100, 110, 130, 170, 250, 100.5], [100] * 5 + [100.5], id="a slow rise"),
        pytest.param([100, 140, 9_000, 141, 142, 143], [100] * 6, id="bad in two ways"),
        pytest.param([100, 140, 140, 140, 140, 140], [100] * 6, id="a repeated spike"),
        pytest.param([100, 140, 140.5, 141, 141.5], [100] * 4 + [141.5], id="a true leap"),
        pytest.param([100, 99, 100, 100.5], [100, 100, 100, 100.5], id="a dip"),
        pytest.param([100, 0, 0, 0, 0, 100.5], [100] * 5 + [100.5], id="zeros"),
        pytest.param([100, 1, 1.1, 1.2, 1.3, 1.4], [100] * 6, id="a new meter is not shown yet"),
        pytest.param([100, 90, 99, 100.5], [100, 100, 100, 100.5], id="until it is overtaken"),
        pytest.param([0, 0, 3, 3.5], [None, None, 3, 3.5], id="nothing counted yet"),
        pytest.param([0, 6_925, 6_925.5], [None, 6_925, 6_925.5], id="zero, then what was counted"),
    ],
)  # fmt: skip
def test_what_is_shown_of_a_lifetime_counter(answers, expected):
    assert accepted_values(answers) == expected


def test_what_is_held_back_says_why():
    assert refusals([100, 140, 100.5, 90, 0, 101]) == [None, LEAPT, None, FELL, FELL, None]


def test_that_a_leap_was_confirmed_is_said_once():
    found = verdicts([100, 140, 140.5, 141, 141.5, 142])
    assert [verdict.confirmed for verdict in found] == [False] * 4 + [True, False]


def test_small_leaps_do_not_add_up_to_a_large_one():
    answers = [1_000 + step for step in range(20)]
    assert accepted_values(answers, every=0.5)[:6] == [1_000, 1_001, 1_002, 1_003, 1_003, 1_003]


def test_a_device_delivers_half_as_much_again_as_it_should_for_ever():
    answers = [1_000 + 1.25 * step for step in range(200)]  # 15 kW
    assert accepted_values(answers) == answers


def test_what_was_produced_while_nobody_asked_is_shown_at_once():
    answers = [1_000, *[None] * (3 * 288), 1_720.0, 1_720.5]
    assert accepted_values(answers) == [1_000, 1_720.0, 1_720.5]


def test_an_hourly_sum_is_shown_at_once():
    answers = [1_000.0] * 12 + [1_010.0] * 12 + [1_020.0]
    assert accepted_values(answers) == answers


def test_what_a_silent_device_made_up_for_is_shown_when_it_is_confirmed():
    answers = [1_000.0] * 60 + [1_050.0, 1_050.8, 1_051.6, 1_052.4]
    assert accepted_values(answers) == [1_000.0] * 63 + [1_052.4]


def test_a_leap_that_stands_still_is_confirmed_by_three_hours():
    answers = [100.0] + [1_000.0] * 37
    assert accepted_values(answers) == [100.0] * 37 + [1_000.0]


def test_a_rise_faster_than_thought_is_learned():
    fast = [1_000.0 + 10 * step for step in range(40)]  # 120 kW of a device of 10 kW
    assert accepted_values(fast) == [1_000.0] * 4 + fast[4:]


def test_a_rise_much_faster_than_thought_is_confirmed_after_a_day():
    fast = [1_000.0 + 1_000 * step for step in range(600)]
    assert accepted_values(fast) == [1_000.0] * 289 + fast[289:]


def test_a_fall_is_confirmed_when_it_has_counted_for_a_day():
    new = [0.01 * step for step in range(1, 300)]
    assert accepted_values([5_000.0, *new]) == [5_000.0] * 289 + new[288:]


@pytest.mark.parametrize(
    "fallen",
    [
        pytest.param([3_000.2] * 1_000, id="that stands still"),
        pytest.param([0.0] * 1_000, id="to nothing"),
        pytest.param([3_000.2, 3_000.3, 3_000.1] * 333, id="that falls again"),
        pytest.param([8_900 + 0.01 * n for n in range(999)], id="that will be overtaken in days"),
    ],
)
def test_a_fall_is_not_confirmed(fallen):
    assert set(accepted_values([9_000.5, *fallen])) == {9_000.5}


def test_a_clock_that_went_back_costs_no_value():
    guard = CounterGuard()
    admit(guard, DEVICE, SERIES, 100, START, RATE)
    assert admit(guard, DEVICE, SERIES, 100.5, START - DAY, RATE).shown == 100.5
    admit(guard, DEVICE, SERIES, 140, START, RATE)
    for minute, value in enumerate((140.5, 141, 141.5)):
        last = admit(guard, DEVICE, SERIES, value, START - DAY + minute * MINUTE, RATE)
    assert last.shown == 141.5


def test_counters_and_subjects_are_guarded_apart():
    guard = CounterGuard()
    admit(guard, (1, "a"), ("mppt", ("1",)), 10, START, RATE)
    assert admit(guard, (1, "a"), ("mppt", ("2",)), 900, START, RATE).shown == 900
    assert admit(guard, (1, "b"), ("mppt", ("1",)), 2, START, RATE).shown == 2
    assert admit(guard, (1, "a"), ("mppt", ("1",)), 9, START, RATE).shown == 10


def test_a_dropped_device_starts_anew():
    guard, state = guard_of(AccountState())
    for name in "ab":
        admit(guard, (1, name), SERIES, 10, START, RATE)
        admit(guard, (1, name), SERIES, 5, START, RATE)
    state.drop(Subject.DEVICES, ["a"])
    assert list(guard.pending()) == [((1, "b"), SERIES)]
    assert admit(guard, (1, "a"), SERIES, 9, START, RATE).shown == 9
    assert admit(guard, (1, "b"), SERIES, 9, START, RATE).shown == 10


def test_under_another_type_nothing_of_a_device_is_held_back():
    guard, state = guard_of(AccountState())
    for value in (10, 5):
        admit(guard, (1, "a"), SERIES, value, START, RATE)
    state.drop(Subject.DEVICES, ["a"])
    assert admit(guard, (38, "a"), SERIES, 5, START, RATE).shown == 5
    assert guard.pending() == {}


# An operator


def test_what_is_held_back_can_be_accepted_at_once():
    guard = CounterGuard()
    for value in (5_000.0, 0.5, 0.6):
        admit(guard, DEVICE, SERIES, value, START, RATE)
    assert guard.pending()[DEVICE, SERIES].run.value == 0.6
    assert guard.accept(DEVICE, "energy") is True
    assert admit(guard, DEVICE, SERIES, 0.7, START + MINUTE, RATE).shown == 0.7
    assert guard.pending() == {}


def test_where_nothing_is_held_back_nothing_is_accepted():
    guard = CounterGuard()
    admit(guard, DEVICE, SERIES, 5.0, START, RATE)
    assert [guard.accept(DEVICE, "energy"), guard.accept((1, "x"), "energy")] == [False, False]
    assert guard.of(DEVICE, SERIES).value == 5.0


# Across a restart


def guard_of(state):
    """A guard of a state's counters, all devices of which are of the same type."""
    guard = CounterGuard()
    guard.restore(state.counters, dict.fromkeys(state.counters[Subject.DEVICES], 1))
    return guard, state


def restarted(state):
    """A guard of another run, to which nothing was left but what is stored."""
    later, stamp = AccountState(), ClockStamp(None, 0.0, 0.0)
    for name, counters in state.counters[Subject.DEVICES].items():
        row = StoredRow(CODEC.encode(counters), stamp)
        later.counters[Subject.DEVICES].restore(name, CODEC.decode(row, SystemClock(), pytest.fail))
    return guard_of(later)


def test_a_restart_amid_a_leap_costs_no_confirmation_and_gives_none():
    (guard, state), shown_so_far = guard_of(AccountState()), []
    for step, value in enumerate([100, 140, 140.5, 141, 141.5, 142]):
        at = START + step * 5 * MINUTE
        shown_so_far.append(admit(guard, DEVICE, SERIES, value, at, RATE).shown)
        guard, state = restarted(state)
    assert shown_so_far == [100, 100, 100, 100, 141.5, 142]


def test_a_fall_goes_on_lasting_over_restarts():
    guard, state = guard_of(AccountState())
    admit(guard, DEVICE, SERIES, 5_000.0, START, RATE)
    at, seen = START, []
    for step in range(1, 27):
        at += HOUR
        seen.append(admit(guard, DEVICE, SERIES, 0.1 * step, at, RATE).shown)
        guard, state = restarted(state)
    assert seen == [5_000.0] * 24 + [2.5, 2.6]


def test_a_counter_of_which_no_more_than_its_value_is_known_is_held_on():
    state = AccountState()
    state.counters[Subject.DEVICES]["d"] = Counters({SERIES: CounterState(100.0)})
    guard, _ = guard_of(state)
    for step, (value, expected) in enumerate([(140.0, 100.0), (99.0, 100.0), (100.5, 100.5)]):
        assert admit(guard, DEVICE, SERIES, value, START + step, RATE).shown == expected


def test_what_is_replayed_shows_what_is_held_and_leaves_it_as_it_is():
    guard, state = guard_of(AccountState())
    for value in (10, 1, 1):
        admit(guard, DEVICE, SERIES, value, START, RATE)
    later, state = restarted(state)
    answers = [(SERIES, 1, RATE)] * 5
    again = later.admit(DEVICE, answers, START, again=True)
    assert again == ([10] * 5, [])
    assert state.counters[Subject.DEVICES].changed == set()


def test_counters_of_a_name_share_it_however_many_rows_are_read():
    clock = SystemClock()
    row = StoredRow(
        CODEC.encode(Counters({("energy", ("1",)): CounterState(1.0)})), ClockStamp.of(clock)
    )
    (first,), (second,) = (CODEC.decode(row, clock, pytest.fail) for _ in range(2))
    assert first == ("energy", ("1",))
    assert first is second


def test_without_anything_held_what_is_replayed_is_new():
    guard = CounterGuard()
    assert guard.admit(DEVICE, [(SERIES, 5.0, RATE)], START, again=True)[0] == [5.0]
    assert admit(guard, DEVICE, SERIES, 4.0, START, RATE).shown == 5.0


def test_only_what_changed_is_to_be_stored():
    guard, state = guard_of(AccountState())
    devices = state.counters[Subject.DEVICES]
    admit(guard, (1, "a"), SERIES, 5.0, START, RATE)
    admit(guard, (1, "b"), SERIES, 0.0, START, RATE)
    assert devices.changed == {"a", "b"}
    devices.changed.clear()
    admit(guard, (1, "a"), SERIES, 5.0, START + DAY, RATE)
    admit(guard, (1, "b"), SERIES, 0.0, START + DAY, RATE)
    assert devices.changed == set()
    admit(guard, (1, "a"), SERIES, 2.0, START + DAY, RATE)
    assert devices.changed == {"a"}
    assert devices["a"][SERIES].run == CounterRun(2.0, START + DAY, START + DAY, 2.0, START + DAY)


# Whatever happens

FAULTS = {
    "none": lambda true: true,
    "a hundred times": lambda true: 100 * true,
    "ten times": lambda true: 10 * true,
    "40 % more": lambda true: 1.4 * true,
    "nothing": lambda _: 0.0,
    "half": lambda true: true / 2,
    "less": lambda true: true - 3,
    "no answer": lambda _: None,
}
histories = st.lists(
    st.tuples(
        st.lists(st.sampled_from(list(FAULTS)), max_size=3),  # each followed by a good answer
        st.floats(0, 10 / 12),  # kWh in five minutes
        st.booleans(),  # a restart
    ),
    min_size=1,
    max_size=40,
)


def increase(samples):
    """What Prometheus makes of a counter's samples."""
    return sum(b - a if b >= a else b for a, b in pairwise(samples))


@given(histories)
def test_whatever_happens_the_increase_is_the_true_one(history):
    (guard, state), true, at = guard_of(AccountState()), 6_925.0, START
    samples = [admit(guard, DEVICE, SERIES, true, at, RATE).shown]
    for faults, growth, restart in history:
        for fault in (*faults, "none"):
            at, true = at + 5 * MINUTE, true + growth
            sent = FAULTS[fault](true)
            if sent is not None:
                samples.append(admit(guard, DEVICE, SERIES, sent, at, RATE).shown)
        assert samples[-1] == true
        if restart:
            guard, state = restarted(state)
    assert all(b >= a for a, b in pairwise(samples))
    assert increase(samples) == pytest.approx(true - 6_925.0, abs=1e-6)


answers = st.lists(
    st.tuples(
        st.sampled_from([0.5, 60.0, 300.0, 4_000.0, 90_000.0, -300.0]),
        st.sampled_from([0.0, 1.0, 2.0, 99.0, 100.0, 100.1, 200.0]) | st.floats(0, 1e9),
    ),
    max_size=30,
)


@given(answers)
def test_a_fall_is_shown_only_after_a_day_below(history):
    guard, at, seen = CounterGuard(), START, []
    for wait, value in history:
        at += wait
        seen.append((at, value, admit(guard, DEVICE, SERIES, value, at, RATE).shown or 0.0))
    for n, ((_, _, before), (now, value, after)) in enumerate(pairwise(seen), start=1):
        if after < before:
            assert after == value
            assert any(time <= now - DAY and sent < before for time, sent, _ in seen[:n])


# --- what is known of the device ----------------------------------------------------------------

KNOWN = GrowthBound(10 / 3_600, is_known=True)
UNKNOWN = GrowthBound(4 / 3_600, largest=1_000 / 3_600)


def test_no_number_of_answers_confirms_what_a_known_device_cannot_have_produced():
    growing = [692_560 + n / 10 for n in range(8)]
    assert max(accepted_values([6925.5, *growing, 6925.7], rate=KNOWN)) == 6925.7


def test_what_a_known_device_produced_while_answers_repeated_themselves_is_confirmed():
    silent = [100.0] * (12 * 24)  # a day
    late = [340.0, 340.5, 341.0, 341.5]  # 10 kW all along
    assert accepted_values([*silent, *late], rate=KNOWN)[-1] == 341.5


@pytest.mark.parametrize("spike", [303, 420, 3_000, 30_000])
def test_where_nothing_is_known_a_lone_spike_is_never_shown(spike):
    assert accepted_values([300.1, spike, 300.2], rate=UNKNOWN) == [300.1, 300.1, 300.2]


def test_where_nothing_is_known_a_large_plant_is_confirmed_after_three_further_answers():
    steps = [300.0 + 50 * n for n in range(9)]  # 600 kW
    assert accepted_values(steps, rate=UNKNOWN) == [300.0] * 4 + steps[4:]
