"""Batches keep their members, the least recently called is next, halves take turns."""

from itertools import pairwise

import pytest
from account.restarts import Clock, restarted
from hypothesis import given
from hypothesis import strategies as st

from exporter.account.batches import Batch, Rotation
from exporter.account.model import AccountState

HOUR, DAY = 3_600.0, 86_400.0

names = st.lists(st.sampled_from([f"d{n}" for n in range(40)]), unique=True)


def rotation_of(size, members, device_type=None):
    rotation = Rotation(size)
    rotation.update({device_type: members})
    return rotation


def members_by_batch(rotation):
    return [batch.members for batch in rotation.batches]


def start_next_group(batch, at):
    """The group that is asked about next, at this time."""
    group = batch.next_group()
    batch.note_call(group, at)
    return group


def test_batches_are_filled_in_order():
    assert members_by_batch(rotation_of(2, ["a", "b", "c"])) == [("a", "b"), ("c",)]


def test_a_batch_holds_one_device_type():
    rotation = Rotation(100)

    rotation.update({1: ["a", "b"], 39: ["c"]})

    assert [(b.device_type, b.members) for b in rotation.batches] == [(1, ("a", "b")), (39, ("c",))]


def test_new_members_fill_gaps_first():
    rotation = rotation_of(3, ["a", "b", "c", "d", "e", "f"])

    rotation.update({None: ["a", "c", "d", "e", "f", "new"]})

    assert sorted(members_by_batch(rotation)) == [("a", "c", "new"), ("d", "e", "f")]


def test_members_keep_their_batch_when_others_go():
    rotation = rotation_of(3, list("abcdefghi"))

    rotation.update({None: [*list("abcfgi")[:5], "h", "i"]})

    assert ("a", "b", "c") in members_by_batch(rotation)


def test_batches_are_merged_while_there_are_more_than_needed():
    rotation = rotation_of(3, list("abcdefghi"))

    rotation.update({None: list("abdg")})

    assert len(rotation.batches) == 2
    assert sorted(m for batch in rotation.batches for m in batch.members) == list("abdg")


def test_a_type_without_devices_has_no_batch():
    rotation = Rotation(100)
    rotation.update({1: ["a"], 39: ["c"]})

    rotation.update({39: ["c"]})

    assert [b.device_type for b in rotation.batches] == [39]


@given(st.integers(1, 7), st.lists(names, max_size=8))
def test_whatever_the_fleet_does_every_member_is_asked_in_exactly_one_batch(size, fleets):
    rotation = Rotation(size)
    for fleet in fleets:
        rotation.update({None: fleet})

        batched = [m for batch in rotation.batches for m in batch.members]
        assert sorted(batched) == sorted(fleet)
        assert all(len(batch.members) <= size for batch in rotation.batches)
        assert len(rotation.batches) == -(-len(fleet) // size)


@given(st.integers(1, 7), names, names)
def test_members_that_stay_stay_together_unless_batches_are_merged(size, before, after):
    rotation = rotation_of(size, before)
    old = [set(batch.members) for batch in rotation.batches]
    rotation.update({None: after})

    moved = sum(
        len({m for m in batch.members if m in before} - max(old, key=set(batch.members).__and__))
        if old
        else 0
        for batch in rotation.batches
    )
    spare = len(old) - len(rotation.batches)
    assert moved <= max(0, spare) * (size - 1)


def test_a_round_serves_each_batch_once_least_recently_called_first():
    rotation = rotation_of(1, ["a", "b", "c"])
    (
        rotation.batches[0].progress.called,
        rotation.batches[1].progress.called,
        rotation.batches[2].progress.called,
    ) = 5, 3, 4
    rotation.start_round(10)

    served = []
    at = 10
    while batch := rotation.pending():
        served += batch.members
        batch.progress.called = at = at + 1

    assert served == ["b", "c", "a"]


def test_a_batch_that_came_in_the_middle_of_a_round_is_served_in_it():
    rotation = rotation_of(1, ["a"])
    rotation.start_round(10)
    rotation.batches[0].progress.called = 11
    assert rotation.pending() is None

    rotation.update({None: ["a", "b"]})

    assert rotation.pending().members == ("b",)


def test_in_an_eager_ring_a_batch_with_new_members_is_asked_once_more():
    rotation = rotation_of(2, ["a"])
    rotation.eager = True
    rotation.start_round(10)
    rotation.batches[0].progress.called = 11

    rotation.update({None: ["a", "b"]})

    assert rotation.pending() is None
    assert rotation.repeated().members == ("a", "b")


def test_resting_types_lose_their_turn_and_hold_up_nobody():
    rotation = Rotation(100)
    rotation.update({1: ["a"], 39: ["c"]})
    rotation.start_round(10)

    assert rotation.pending(lambda batch: batch.device_type == 1).device_type == 39


def ask_repeatedly(batch, bad, turns):
    """Calls a batch so often; a group that holds a bad member fails."""
    asked = []
    for at in range(turns):
        group = start_next_group(batch, at)
        asked.append(group.members)
        if bad & set(group.members):
            batch.failed(group, 0.0)
        else:
            batch.answered(group)
    return asked


def test_a_failed_batch_goes_halved_and_its_halves_take_turns():
    batch = Batch(1, ("a", "b", "c", "d"))

    asked = ask_repeatedly(batch, {"c"}, 3)

    assert asked == [("a", "b", "c", "d"), ("a", "b"), ("c", "d")]


def test_a_culprit_is_asked_ever_more_rarely_and_the_others_together_again():
    batch = Batch(1, tuple("abcdefgh"))

    asked = ask_repeatedly(batch, {"f"}, 200)

    assert [sorted(group.members) for group in batch.groups] == [[*"abcdeg", "h"], ["f"]]
    alone = [at for at, members in enumerate(asked) if members == ("f",)]
    gaps = [b - a for a, b in pairwise(alone)]
    assert gaps == [2, 3, 5, 9, 17, 33, 65][: len(gaps)]
    assert len(gaps) >= 6


@given(st.integers(2, 100), st.data())
def test_bad_members_cost_only_themselves(size, data):
    everybody = [str(n) for n in range(size)]
    bad = set(data.draw(st.lists(st.sampled_from(everybody), max_size=3)))
    batch = Batch(1, tuple(everybody))

    ask_repeatedly(batch, bad, 80)

    good = [group.members for group in batch.groups if group.answered]
    assert [set(members) for members in good] == ([set(everybody) - bad] if len(bad) < size else [])
    assert sorted(batch.members) == sorted(everybody)


def test_a_member_that_failed_alone_once_is_soon_asked_again():
    batch = Batch(1, ("a", "b"))
    ask_repeatedly(batch, {"a", "b"}, 3)

    asked = ask_repeatedly(batch, set(), 4)

    assert {m for members in asked[:3] for m in members} == {"a", "b"}
    assert [sorted(group.members) for group in batch.groups] == [["a", "b"]]


def test_a_changed_batch_is_whole_again():
    batch = Batch(1, ("a", "b", "c", "d"))
    ask_repeatedly(batch, {"c"}, 3)

    batch.retain_only({"a", "b", "d"})

    assert [sorted(group.members) for group in batch.groups] == [["a", "b", "d"]]
    assert batch.suspects == ()


def test_only_the_first_failure_is_news():
    batch = Batch(1, ("a", "b"))

    news = [batch.failed(start_next_group(batch, at), at) for at in range(6)]

    assert news == [True, False, False, False, False, False]


def test_a_lone_member_that_fails_is_asked_on():
    batch = Batch(1, ("a",))

    assert ask_repeatedly(batch, {"a"}, 3) == [("a",)] * 3


def test_a_good_group_has_every_second_turn_while_a_culprit_is_sought():
    batch = Batch(1, tuple("abcdefgh"))
    asked = ask_repeatedly(batch, {"f"}, 30)

    for member in "abcd":
        turns = [at for at, members in enumerate(asked) if member in members]
        assert max(b - a for a, b in pairwise(turns)) <= 3


def test_new_members_of_a_batch_wait_for_its_turn():
    rotation = rotation_of(2, ["a"])
    rotation.start_round(10)
    rotation.batches[0].progress.called = 11

    rotation.update({None: ["a", "b"]})

    assert rotation.pending() is None


# --- sizes that are refused --------------------------------------------------------------------


def split_hours(rotation, wanted, most, days):
    """Fits and asks once an hour; returns when more than `most` were asked for, in hours."""
    refused = []
    for hour in range(int(days * 24)):
        now = hour * HOUR
        rotation.start_round(now)
        rotation.update({None: wanted})
        for batch in list(rotation.batches):
            if len(batch.members) > most:
                rotation.split(batch, now)
                refused.append(hour)
    return refused


def test_a_size_that_is_refused_again_and_again_is_tried_after_1_2_4_8_days_up_to_32():
    rotation = rotation_of(4, list("abcd"))

    refused = split_hours(rotation, list("abcd"), most=2, days=100)

    assert [later - at for at, later in pairwise(refused)] == [
        24 * days for days in (1, 2, 4, 8, 16, 32, 32)
    ]
    assert members_by_batch(rotation) == [("a", "b"), ("c", "d")]


def test_a_size_that_was_taken_for_long_is_tried_after_a_day_when_it_is_refused_again():
    rotation = rotation_of(4, list("abcd"))
    rotation.split(rotation.batches[0], 0.0)
    assert split_hours(rotation, list("abcd"), most=4, days=10) == []
    assert members_by_batch(rotation) == [("a", "b", "c", "d")]

    rotation.split(rotation.batches[0], 10 * DAY)

    assert [batch.size_rest for batch in rotation.batches] == [DAY, DAY]


def test_new_members_do_not_join_what_is_all_that_the_server_takes():
    rotation = rotation_of(4, list("abc"))
    rotation.split(rotation.batches[0], 0.0)
    rotation.start_round(HOUR)

    rotation.update({None: list("abcd")})

    assert members_by_batch(rotation) == [("a", "b"), ("c",), ("d",)]


@pytest.mark.parametrize("clock_was_ahead", [0.0, 5 * DAY])
def test_a_restart_remembers_which_sizes_were_refused_and_since_when(clock_was_ahead):
    rotation, state = rotation_of(4, list("abcd")), AccountState()
    rotation.split(rotation.batches[0], 100.0)
    state.batches["x"] = rotation.batches

    before, later = Clock(100.0, 1.7e9), Clock(200.0, 1.7e9 - clock_was_ahead)
    batches = restarted(state.batches, AccountState().batches, before, later)["x"]

    assert [batch.members for batch in batches] == [("a", "b"), ("c", "d")]
    since = 200.0 if clock_was_ahead else 100.0
    assert [batch.is_full(since + DAY - 1) for batch in batches] == [True, True]
    assert [batch.is_full(since + DAY) for batch in batches] == [False, False]


def test_a_refusal_without_a_time_was_just_now():
    batch = Batch(None, ("a", "b"), size_rest=DAY)

    batch.after_restart(200.0)

    assert (batch.is_full(200.0 + DAY - 1), batch.is_full(200.0 + DAY)) == (True, False)


def test_a_walk_takes_a_pace_for_each_batch_or_as_long_as_wished():
    rotation = rotation_of(2, ["a", "b", "c"])

    assert rotation.duration(pace=60, every=0) == 120
    assert rotation.duration(pace=60, every=300) == 300
