"""Numbers, spans and times as people read them."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exporter.status.text import (
    allowance,
    count,
    duration,
    energy,
    enumeration,
    iso_time,
    power,
    relative,
    shortlist,
    utc_time,
)

WATTS = {"W": 1.0, "kW": 1e3, "MW": 1e6, "GW": 1e9}
SECONDS = {"s": 1.0, "min": 60.0, "h": 3_600.0, "d": 86_400.0}
THREE_DIGITS = 0.005 + 1e-9  # relative; the worst is 1.005, read as 1.00 or 1.01


def read(words, units):
    """A number as shown, its unit, and the value that they mean."""
    number, unit = words.split(" ")
    return float(number), unit, float(number) * units[unit]


@pytest.mark.parametrize(
    ("watts", "words"),
    [
        (0, "0 W"), (5.4, "5 W"), (-0.4, "0 W"), (999, "999 W"), (999.6, "1.00 kW"),
        (9_900, "9.90 kW"), (9_996, "10.0 kW"), (99_960, "100 kW"), (320_000, "320 kW"),
        (999_499, "999 kW"), (999_999, "1.00 MW"), (-999_999, "-1.00 MW"),
        (-4_800_000, "-4.80 MW"), (999_999_999, "1.00 GW"), (1_234e9, "1230 GW"),
    ],
)  # fmt: skip
def test_a_power_has_three_digits_and_the_prefix_that_they_reach(watts, words):
    assert power(watts) == words


def test_an_energy_is_told_in_watt_hours():
    assert energy(12.3 * 3.6e6) == "12.3 kWh"
    assert energy(999_999 * 3_600) == "1.00 MWh"
    assert energy(1_800) == "0 Wh"


@given(st.floats(-1e12, 1e12))
@example(999_999.0)
@example(999.5)
@example(999_500.0)
def test_a_power_is_never_off_by_more_than_half_of_its_last_digit(watts):
    number, unit, meant = read(power(watts), WATTS)

    assert meant == pytest.approx(watts, rel=THREE_DIGITS, abs=0.6)  # of watts no decimals
    assert abs(number) < 1_000 or unit == "GW"
    assert abs(number) >= 1 or unit == "W"


@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9))
def test_of_two_powers_the_larger_does_not_look_smaller(one, other):
    less, more = sorted([one, other])

    assert read(power(less), WATTS)[2] <= read(power(more), WATTS)[2]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"), (0.042, "0.042 s"), (0.5, "0.5 s"), (59.94, "59.9 s"), (59.96, "1 min"),
        (60, "1 min"), (61, "61 s"), (100, "100 s"), (119.6, "2 min"), (300, "5 min"),
        (3_456, "57.6 min"), (3_596, "59.9 min"), (3_599, "1 h"), (5_400, "90 min"),
        (21_600, "6 h"), (86_399, "1 d"), (86_400, "1 d"), (129_600, "36 h"), (172_799, "2 d"),
    ],
)  # fmt: skip
def test_a_span_has_three_digits_and_the_unit_that_they_reach(seconds, words):
    assert duration(seconds) == words


@given(st.floats(0.001, 1e9))
@example(59.96)
@example(3_599.9)
@example(7_199.9)
@example(172_799.0)
def test_a_span_is_never_off_by_more_than_half_of_its_third_digit(seconds):
    number, unit, meant = read(duration(seconds), SECONDS)

    assert meant == pytest.approx(seconds, rel=THREE_DIGITS)
    larger = [size for size in SECONDS.values() if size > SECONDS[unit]]
    assert not any(meant == size or meant >= 2 * size for size in larger)
    assert number == 1 or number >= 2 or unit == "s"


@given(st.floats(0.001, 1e7), st.floats(0.001, 1e7))
def test_of_two_spans_the_longer_does_not_look_shorter(one, other):
    less, more = sorted([one, other])

    assert read(duration(less), SECONDS)[2] <= read(duration(more), SECONDS)[2] * (1 + 1e-9)


@pytest.mark.parametrize(
    ("distance", "words"),
    [
        (0, "now"), (-0.9, "now"), (0.9, "now"), (-12.9, "12 s ago"), (12.9, "in 12 s"),
        (-60.9, "60 s ago"), (-119, "119 s ago"), (180, "in 3 min"), (-3_601, "60 min ago"),
        (-5_400, "90 min ago"), (-86_500, "24 h ago"), (3 * 86_400 - 1, "in 2 d"),
    ],
)  # fmt: skip
def test_a_moment_is_told_by_its_whole_distance_from_now(distance, words):
    assert relative(1_000_000.0 + distance, 1_000_000.0) == words


@given(st.floats(1, 1e7))
def test_a_distance_is_never_told_as_longer_than_it_is(distance):
    meant = read(relative(0.0, distance).removesuffix(" ago"), SECONDS)[2]

    assert meant <= distance * (1 + 1e-9)
    assert meant > distance / 2


@given(st.floats(1, 1e7), st.floats(1, 1e7))
def test_of_two_distances_the_longer_does_not_look_shorter(one, other):
    near, far = (
        read(relative(0.0, each).removesuffix(" ago"), SECONDS)[2] for each in sorted([one, other])
    )

    assert near <= far


def test_an_exact_time_is_in_utc():
    assert utc_time(1_750_852_800.9) == "2025-06-25 12:00:00 UTC"
    assert iso_time(1_750_852_800.9) == "2025-06-25T12:00:00Z"


def test_an_allowance_is_calls_in_a_window():
    assert allowance((1_000, 300.0)) == "1,000 per 5 min"
    assert allowance((25, 86_400.0)) == "25 per day"
    assert allowance((1, 60.0)) == "1 per minute"


def test_what_is_counted_is_one_or_many():
    assert [count(n, "plant") for n in (0, 1, 2_000)] == ["0 plants", "1 plant", "2,000 plants"]


def test_of_many_names_three_are_told():
    assert shortlist(["a", "b", "c"]) == "a, b, c"
    assert shortlist(["a", "b", "c", "d"]) == "a, b, c and 1 more"


def test_a_list_is_read_aloud():
    assert [enumeration(parts) for parts in (["a"], ["a", "b"], ["a", "b", "c"])] == [
        "a", "a and b", "a, b and c",
    ]  # fmt: skip
