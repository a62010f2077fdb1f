from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.exposition.guard import Guard, Held

NOTHING = None


def shown(values):
    guard = Guard()
    return [guard.admit("device", "energy", value)[0] for value in values]


def fell(values):
    guard = Guard()
    return [guard.admit("device", "energy", value)[1] for value in values]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param([10, 11, 11, 12], [10, 11, 11, 12], id="a counter that counts"),
        pytest.param([10, 9.9, 10, 11], [10, 10, 10, 11], id="a dip is held"),
        pytest.param([10, 8, 8, 8, 8, 8], [10] * 6, id="a dip to more than half is held for good"),
        pytest.param([10, 5, 5, 5, 5], [10] * 5, id="half is not below half"),
        pytest.param([10, 8, 9, 10.5], [10, 10, 10, 10.5], id="until it is overtaken"),
        pytest.param([10, 0, 10.1], [10, 10, 10.1], id="a zero is held"),
        pytest.param([10, 0, 0, 10.1], [10, 10, 10, 10.1], id="two zeros are held"),
        pytest.param(
            [10, 0, 0, 0, 0, 10.1],
            [10, 10, 10, NOTHING, NOTHING, 10.1],
            id="a night of zeros becomes a gap",
        ),
        pytest.param([10, 1, 1.1, 1.2, 1.3], [10, 10, 10, 1.2, 1.3], id="a new meter"),
        pytest.param([10, 1, 1, 6, 1, 1, 6], [10] * 7, id="three below half, but not in a row"),
        pytest.param([10, 1, 1, 10, 1, 1, 1], [10] * 6 + [1], id="regained, and then reset"),
        pytest.param([10, 4, 4, 4, 1, 1, 1], [10, 10, 10, 4, 4, 4, 1], id="reset twice"),
        pytest.param([0, 0, 3], [NOTHING, NOTHING, 3], id="nothing counted yet"),
        pytest.param([-5, -10, -1, 2], [NOTHING] * 3 + [2], id="negative from the start"),
        pytest.param([0, -5], [NOTHING, NOTHING], id="from zero to negative"),
        pytest.param([10, -1, -1, -1, 3], [10, 10, 10, NOTHING, 3], id="from positive to negative"),
    ],
)
def test_what_is_shown_of_a_lifetime_counter(values, expected):
    assert shown(values) == expected


def test_every_fall_is_reported_and_no_rise():
    assert fell([10, 9, 10, 1, 1, 1, 1, 2]) == [False, True, False, True, True, True, False, False]


def test_counters_and_subjects_are_guarded_apart():
    guard = Guard()
    guard.admit("a", "energy", 10)
    assert guard.admit("a", "other energy", 1) == (1, False)
    assert guard.admit("b", "energy", 2) == (2, False)
    assert guard.admit("a", "energy", 9) == (10, True)


def test_a_forgotten_subject_starts_anew():
    guard = Guard()
    for subject in ("a", "b"):
        guard.admit(subject, "energy", 10)
    guard.forget("a")
    guard.forget("never seen")
    assert guard.admit("a", "energy", 9) == (9, False)
    assert guard.admit("b", "energy", 9) == (10, True)


readings = st.lists(
    st.sampled_from([0.0, -1.0, 1.0, 2.0, 3.0, 4.0, 7.9, 8.0, 8.1]) | st.floats(-1e9, 1e300),
    max_size=30,
)


@given(readings)
def test_what_is_shown_falls_only_after_three_readings_in_a_row_below_half(values):
    states = [0.0 if value is None else value for value in shown(values)]
    assert all(value > 0 for value in shown(values) if value is not None)
    for at, (before, after) in enumerate(pairwise(states), start=1):
        if after < before:
            assert at >= 3
            assert states[at - 3 : at] == [before] * 3
            assert all(value < before / 2 for value in values[at - 2 : at + 1])
            assert after == max(values[at], 0.0)


@given(readings)
def test_a_value_that_does_not_fall_is_shown_as_it_is(values):
    so_far = 0.0
    for value, seen in zip(values, shown(values), strict=True):
        if value >= so_far and value > 0:
            assert seen == value
        so_far = max(so_far, value)


# Across a restart


def test_what_is_told_again_shows_what_is_held_and_leaves_it_as_it_is():
    guard = Guard()
    for value in (10, 1, 1):
        guard.admit((1, "d"), ("energy", ()), value)
    (held,) = guard.changes().values()
    later = Guard()
    later.recall((1, "d"), held)
    assert [later.repeat((1, "d"), ("energy", ()), 1) for _ in range(5)] == [(10, False)] * 5
    assert later.admit((1, "d"), ("energy", ()), 1) == (1, True)


def test_a_counter_that_was_zero_is_told_again_as_nothing():
    guard = Guard()
    guard.recall((1, "d"), {("energy", ()): Held(0.0)})
    assert guard.repeat((1, "d"), ("energy", ()), 5.0) == (NOTHING, False)


def test_without_anything_held_what_is_told_again_is_new():
    guard = Guard()
    assert guard.repeat((1, "d"), ("energy", ()), 5.0) == (5.0, False)
    assert guard.admit((1, "d"), ("energy", ()), 4.0) == (5.0, True)


def test_only_what_changed_since_is_a_change():
    guard = Guard()
    guard.admit((1, "a"), ("energy", ()), 5.0)
    guard.admit((1, "b"), ("energy", ()), 6.0)
    assert guard.changes() == {
        (1, "a"): {("energy", ()): Held(5.0)},
        (1, "b"): {("energy", ()): Held(6.0)},
    }
    guard.admit((1, "a"), ("energy", ()), 5.0)
    guard.admit((1, "b"), ("energy", ()), 2.0)
    assert guard.changes() == {(1, "b"): {("energy", ()): Held(6.0, 1)}}
    guard.admit((1, "a"), ("energy", ()), 7.0)
    guard.forget((1, "a"))
    assert guard.changes() == {}
