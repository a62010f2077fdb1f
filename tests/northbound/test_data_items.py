import pytest

from exporter.northbound import data_items

# Numbers


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (0, 0.0),
        (-3, -3.0),
        (1.25, 1.25),
        ("0", 0.0),
        ("900.000", 900.0),
        (" 12 ", 12.0),
        ("+1", 1.0),
        ("-.5", -0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("1.5E-3", 0.0015),
    ],
)
def test_a_number_may_be_a_text(raw, value):
    assert data_items.parse_number(raw) == value


@pytest.mark.parametrize("raw", [None, "", "  ", "N/A", "n/a", "NA", "None", "NULL", "-", "--"])
def test_absent_is_not_zero(raw):
    assert data_items.parse_number(raw) is None


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (True, "wrong_type"),
        (False, "wrong_type"),
        ([], "wrong_type"),
        ({}, "wrong_type"),
        (float("nan"), "not_finite"),
        (float("-inf"), "not_finite"),
        (10**400, "not_finite"),
        ("NaN", "not_finite"),
        ("Infinity", "not_finite"),
        ("-inf", "not_finite"),
        ("1e400", "not_finite"),
        ("9" * 400, "not_finite"),
        ("1,5", "not_a_number"),
        ("1_000", "not_a_number"),
        ("٣", "not_a_number"),
        ("\u00a01", "not_a_number"),
        ("0x10", "not_a_number"),
        ("1 kW", "not_a_number"),
        (".", "not_a_number"),
        ("1" * 100_000 + "x", "not_a_number"),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_what_is_no_number_has_a_reason(raw, reason):
    assert data_items.parse_number(raw) == reason


# Yes or no


@pytest.mark.parametrize(
    ("raw", "yes"),
    [
        (True, True),
        (False, False),
        (1, True),
        (0, False),
        (1.0, True),
        ("true", True),
        (" False ", False),
        ("TRUE", True),
        ("1", True),
        ("0", False),
    ],
)
def test_a_flag_may_be_a_number_or_a_text(raw, yes):
    assert data_items.parse_bool(raw) is yes


@pytest.mark.parametrize("raw", [None, "", "yes", 2, -1, 0.5, [], {}, [True], float("nan")])
def test_what_is_neither_yes_nor_no_is_no_flag(raw):
    assert data_items.parse_bool(raw) is None


# Times


@pytest.mark.parametrize(
    ("raw", "time"),
    [
        (1501862400000, 1501862400.0),
        (1501862400001, 1501862400.001),
        (1501862400000.0, 1501862400.0),
        ("1501862400000", 1501862400.0),
        (" 1501862400000.0 ", 1501862400.0),
        (946684800000, 946684800.0),  # of the year 2000
        (253402300799999, 253402300799.999),
    ],
)
def test_a_time_is_in_seconds(raw, time):
    assert data_items.parse_time(raw) == time


@pytest.mark.parametrize(
    "raw",
    [None, "", 0, "0", -1, 1, 1.5, 1501862400, 946684799999, 253402300800000, 10**400,
     float("inf"), float("nan"), True, "2017-08-05", [], {}],
    ids=lambda raw: repr(raw)[:20],
)  # fmt: skip
def test_what_is_no_time_is_none(raw):
    assert data_items.parse_time(raw) is None
