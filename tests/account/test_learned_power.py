"""What is expected of a roof after weeks of weather, and what must hold whatever it gave."""

from copy import deepcopy
from math import isfinite

import pytest
from account.roofs import DAY, MARCH, MUNICH, Roof, ratio, watch
from hypothesis import given
from hypothesis import strategies as st

from exporter.account.learned_power import (
    MIN_DAYS,
    MIN_ELEVATION,
    PLANE,
    TOP,
    TOP_BEFORE,
    LearnedPower,
    decoded,
    encoded,
)
from exporter.sky import sun_over

pytestmark = pytest.mark.slow

ROOFS = {
    "south": Roof(180),
    "east": Roof(90),
    "west": Roof(270),
    "at a wall": Roof(180, wall=(90, 150, 35)),
    "at its limit": Roof(180, limit=3_000),
}
NOON = MARCH + DAY / 2 - MUNICH[1] / 360 * DAY


def time_of(day, hours=0.0):
    """The middle of the slot behind a noon, or so many hours from there."""
    return NOON + day * DAY + (hours + 1 / 3) * 3_600


def sun_on(day, hours=0.0):
    return sun_over(MUNICH, time_of(day, hours))


def sky_power(day, hours=0.0):
    """What a clear sky gives then to the roof that looks south."""
    return Roof(180).power(MUNICH, time_of(day, hours))


def learned_from(days, *, hours=(0.0,), learned=None):
    """What is learned of clear days, measured at these hours."""
    learned = learned or LearnedPower()
    for day in days:
        for hour in hours:
            learned.learn(sun_on(day, hour), {"": sky_power(day, hour)})
        learned.finish()
    return learned


def restored(learned):
    """The same after a restart: what was under way is lost."""
    return LearnedPower([*learned.names], learned.rows[:])


# Roofs in weather


@pytest.mark.parametrize("roof", ROOFS.values(), ids=ROOFS)
@pytest.mark.parametrize("every", [300, 3_600])
def test_a_day_with_clouds_and_without_is_expected_as_if_clear(roof, every):
    _, days = watch(roof, 50, every=every)
    assert ratio(days[7:30]) == pytest.approx(1.0, abs=0.05)
    assert ratio(days[30:]) == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("roof", ROOFS.values(), ids=ROOFS)
def test_no_hour_is_overestimated(roof):
    _, days = watch(roof, 40)
    bright = [pair for day in days for pair in day if pair[1] > 800]
    assert max(expected / sky_power for expected, sky_power in bright) < 1.2


def test_a_roof_that_looks_east_is_expected_to_give_more_before_noon():
    (east, _), (west, _) = (watch(ROOFS[name], 16) for name in ("east", "west"))
    for learned, sign in ((east, -1), (west, 1)):
        near, far = (learned.expected(sun_on(16, sign * hours))[""] for hours in (3, -3))
        assert near > 2 * far


def test_what_a_wall_hides_is_not_expected():
    (free, _), (hidden, _) = (watch(ROOFS[name], 16) for name in ("south", "at a wall"))
    sun = sun_on(16, -3)
    assert hidden.expected(sun)[""] < 0.4 * free.expected(sun)[""]
    assert hidden.expected(sun_on(16))[""] == pytest.approx(free.expected(sun_on(16))[""], rel=0.05)


def test_nothing_is_expected_beyond_an_inverters_limit():
    _, days = watch(ROOFS["at its limit"], 40)
    assert max(expected for day in days for expected, _ in day) <= 3_000


def test_a_dead_inverter_is_expected_to_give_what_it_would():
    _, days = watch(ROOFS["south"], 110, health=lambda day: float(day < 30))
    assert ratio(days[60:70]) == pytest.approx(1.0, abs=0.1)
    assert ratio(days[100:]) == pytest.approx(1.0, abs=0.15)


def test_half_of_its_power_does_not_become_usual():
    _, days = watch(ROOFS["south"], 110, health=lambda day: 1.0 if day < 30 else 0.5)
    assert ratio(days[60:70]) == pytest.approx(1.0, abs=0.1)
    assert ratio(days[100:]) == pytest.approx(1.0, abs=0.15)


def test_a_slow_decline_is_seen_while_it_lasts():
    _, days = watch(ROOFS["south"], 90, health=lambda day: 1 - max(0, day - 30) / 200)
    assert ratio(days[85:]) / (1 - 57 / 200) > 1.15


HOURS = tuple(slot * 2 / 3 for slot in range(-6, 7))  # the middle of each slot of the day


def lowered(share, days, *, hours=HOURS):
    """What is learned of weeks of clear days, and then of days with a share of that power.

    Which is true of these hours only.
    """
    learned = learned_from(range(20), hours=HOURS)
    for day in range(20, 20 + days):
        for hour in HOURS:
            power = sky_power(day, hour) * (share if hour in hours else 1.0)
            learned.learn(sun_on(day, hour), {"": power})
    return learned


def expected_shares(learned, day):
    """What is expected of each hour of a day, as a share of what a clear sky gives."""
    return [learned.expected(sun_on(day, hour))[""] / sky_power(day, hour) for hour in HOURS]


@pytest.mark.parametrize(
    ("share", "days", "low", "high"),
    [
        (0.5, 150, 0.9, 1.2),  # too much for a season: a fault
        (0.85, 20, 0.88, 1.03),  # it may be a season, and is followed slowly
        (0.85, 150, 0.78, 0.92),
    ],
)
def test_how_long_less_power_is_seen(share, days, low, high):
    found = expected_shares(lowered(share, days), 20 + days)
    assert low < min(found) <= sum(found) / len(found) < high


def test_shade_on_all_but_an_hour_raises_nothing_in_that_hour():
    assert expected_shares(lowered(0.5, 60, hours=HOURS[1:]), 80)[0] < 1.12


def test_new_shade_is_followed_within_weeks():
    learned = lowered(0.2, 25, hours=HOURS[:4])
    found = expected_shares(learned, 45)
    assert found[:4] == pytest.approx([0.2] * 4, abs=0.08)
    assert found[4:] == pytest.approx([1.0] * 9, rel=0.1)


def test_hours_that_were_only_seen_grey_replace_nothing():
    learned = learned_from(range(20), hours=HOURS)
    for day in range(20, 45):
        for hour in HOURS:
            bright = day % 4 == 0 and hour < -1
            learned.learn(sun_on(day, hour), {"": sky_power(day, hour) * (1.0 if bright else 0.35)})
    assert min(expected_shares(learned, 45)) > 0.9


# What is not known


def test_nothing_is_expected_before_a_week_of_days():
    assert learned_from(range(MIN_DAYS - 1)).expected(sun_on(MIN_DAYS)) == {}
    learned = learned_from(range(MIN_DAYS))
    assert learned.days == MIN_DAYS
    assert learned.expected(sun_on(MIN_DAYS))[""] == pytest.approx(sky_power(MIN_DAYS), rel=0.02)


def test_nothing_is_expected_at_an_hour_never_seen():
    assert learned_from(range(20)).expected(sun_on(20, 3)) == {}


def test_nothing_is_expected_of_a_low_sun():
    learned = learned_from(range(20), hours=(-5.5, 0.0))
    assert 0 < sun_on(20, -5.5).elevation < MIN_ELEVATION
    assert learned.expected(sun_on(20, -5.5)) == {}


def test_one_day_of_reflecting_clouds_sets_nothing():
    learned = learned_from(range(10))
    learned.learn(sun_on(10), {"": 1.5 * sky_power(10)})
    learned.finish()
    assert learned.expected(sun_on(11))[""] == pytest.approx(sky_power(11), rel=0.02)


def test_inputs_without_modules_are_not_learned():
    learned = LearnedPower()
    for day in range(10):
        learned.learn(sun_on(day), {"": sky_power(day), "1": sky_power(day) / 2, "2": 0.0})
        learned.finish()
    assert learned.names == ["", "1"]
    assert sorted(learned.expected(sun_on(10))) == ["", "1"]


def test_what_was_limited_teaches_only_that_it_can_be_more():
    learned = learned_from(range(10))
    for day in range(10, 60):
        learned.learn(sun_on(day), {"": 0.3 * sky_power(day)}, limited=True)
    assert learned.expected(sun_on(11))[""] == pytest.approx(sky_power(11), rel=0.02)
    for day in range(60, 63):
        learned.learn(sun_on(day), {"": 1.2 * sky_power(day)}, limited=True)
    learned.finish()
    assert learned.expected(sun_on(62))[""] == pytest.approx(1.2 * sky_power(62), rel=0.02)


def test_after_half_a_year_of_contradiction_the_former_is_given_up():
    learned = learned_from(range(20))
    for day in range(20, 220):
        learned.learn(sun_on(day), {"": 0.2 * sky_power(day)})
    assert learned.expected(sun_on(180))[""] == pytest.approx(0.2 * sky_power(180), rel=0.1)


def test_what_was_not_seen_for_half_a_year_is_not_expected():
    learned = learned_from(range(20))
    assert learned.expected(sun_on(199)) != {}
    assert learned.expected(sun_on(200)) == {}


# What holds for every roof

WATTS = st.floats(0, 1e7)


@given(st.lists(st.lists(WATTS, min_size=1, max_size=6), min_size=1, max_size=30))
def test_never_more_than_the_best_that_was_seen(days):
    learned = LearnedPower()
    for day, readings in enumerate(days):
        for minute, watts in enumerate(readings):
            learned.learn(sun_on(day, minute / 60), {"": watts})
    learned.finish()
    for hours in (-1.0, 0.0, 0.1, 0.4, 1.0):
        for watts in learned.expected(sun_on(len(days), hours)).values():
            assert 0 <= watts <= max(map(max, days)) * 1.0001


@given(st.permutations([0.0, 100.0, 2_000.0, 2_500.0, 3_000.0]), st.integers(0, 3))
def test_the_order_within_a_slot_makes_no_difference(order, day):
    found = []
    for readings in (order, sorted(order)):
        learned = LearnedPower()
        for minute, watts in enumerate(readings):
            learned.learn(sun_on(day, minute / 60), {"": watts})
        learned.finish()
        found.append(learned)
    assert found[0] == found[1]


@given(st.lists(WATTS, min_size=MIN_DAYS, max_size=9), WATTS)
def test_within_a_generation_more_teaches_more(days, more):
    low, high = (LearnedPower() for _ in range(2))
    for day, watts in enumerate(days):
        low.learn(sun_on(day), {"": watts})
        high.learn(sun_on(day), {"": max(watts, more)})
    sun = sun_on(len(days))
    for each in (low, high):
        each.finish()
    assert high.expected(sun).get("", 0.0) >= low.expected(sun).get("", 0.0)


@given(st.integers(0, 20))
def test_after_a_restart_it_goes_on_as_if_there_had_been_none(day):
    def learn(learned, days):
        for each in days:
            for hours in (-3, 0, 2.5):
                learned.learn(sun_on(each, hours), {"": 3_000 + 37 * each % 11 - 100 * hours})
            learned.finish()

    whole, first = LearnedPower(), LearnedPower()
    learn(whole, range(21))
    learn(first, range(day))
    second = restored(first)
    learn(second, range(day, 21))
    assert second == whole


def test_an_earlier_reading_teaches_nothing():
    learned = learned_from(range(10))
    before = deepcopy(learned)
    for later in (learned, restored(learned)):
        for day in (2, 3, 4):
            assert not later.learn(sun_on(day), {"": 9_000.0})
        assert not later.finish()
        assert later == before


@pytest.mark.parametrize("restarted", [False, True])
def test_a_clock_that_was_a_year_ahead_stops_no_learning(restarted):
    learned = learned_from(range(10))
    learned_from([375], learned=learned)
    if restarted:
        learned = restored(learned)
    days = learned.days
    learned_from(range(10, 15), learned=learned)
    assert learned.days == days + 5
    assert learned.expected(sun_on(15)).keys() == {""}
    # And half a year later it is not taken for seen just now.
    assert learned.expected(sun_on(200)) == {}


def test_an_earlier_slot_of_a_day_teaches_nothing():
    learned = learned_from(range(10))
    before = deepcopy(learned)
    learned.learn(sun_on(10), {"": sky_power(10)})
    learned.learn(sun_on(10, -2), {"": 50_000.0})
    learned.finish()
    learned.learn(sun_on(10, -2), {"": 50_000.0})
    learned.finish()
    assert max(learned.rows[TOP], learned.rows[TOP_BEFORE]) < 1.01 * max(
        before.rows[TOP], before.rows[TOP_BEFORE]
    )
    assert learned.expected(sun_on(10, -2)) == {}


def test_only_what_changes_is_to_be_kept():
    learned = learned_from(range(10))
    assert not learned.learn(sun_on(10), {"": 10.0})
    assert learned.finish()  # another day
    assert not learned.learn(sun_on(10, 1), {"": 0.0})
    assert not learned.finish()


@given(st.floats(1e-6, 1e8))
def test_a_stored_number_is_rounded_down_and_near(value):
    assert 0.999 * value < decoded(encoded(value)) <= value


def test_nothing_is_stored_as_nothing():
    assert (encoded(0.0), encoded(-1.0), decoded(0)) == (0, 0, 0.0)
    assert isfinite(decoded(0xFFFF))
    assert encoded(1e300) == 0xFFFF


def test_a_row_of_another_version_is_forgotten():
    known = learned_from(range(10))
    assert LearnedPower(["", "1"], known.rows) == LearnedPower()
    assert LearnedPower(["", ""], known.rows + known.rows) == LearnedPower()
    known.rows[PLANE] = 200
    assert restored(known) == LearnedPower()
