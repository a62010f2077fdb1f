"""What is stored of an account, and what is read of rows that another version wrote, or nobody."""

import json
from array import array
from dataclasses import dataclass, field
from math import inf
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.account.codec import (
    Codec,
    FutureTime,
    NotKept,
    Numbers,
    Pairs,
    PastTime,
    StoredRow,
    Unbounded,
)
from exporter.account.model import AccountState
from exporter.clock import ClockStamp


class Clock:
    """Clocks that stand still, after a start of the machine."""

    boot = "today"

    def now(self):
        return 100.0

    def time(self):
        return 1_000_100.0


BEFORE = ClockStamp("today", 1_000_000.0, 50.0)


@dataclass
class Counted:
    value: float = 0.0
    seen: Annotated[float, NotKept] = field(default=inf, compare=False)


@dataclass
class Named:
    first: str
    last: str


@dataclass
class Measured:
    numbers: Numbers = field(default_factory=lambda: array("H"))


@dataclass
class Known:
    name: str = ""
    counted: list[Counted] = field(default_factory=list)
    names: list[Named] = field(default_factory=list)
    pairs: Pairs[tuple[str, tuple[str, ...]], Counted] = field(default_factory=dict)


KNOWN = Codec(Known)
SERIES, OTHER = ("energy", ()), ("energy", ("1", "2"))


def read(codec, body, stamp=BEFORE):
    """The value of a row, and what is said of it."""
    reasons = []
    return codec.decode(StoredRow(body, stamp), Clock(), reasons.append), reasons


def test_what_is_written_is_read_again_but_for_what_is_not_kept():
    pairs = {SERIES: Counted(2.0), OTHER: Counted(3.0)}
    value = Known("a", [Counted(1.0, seen=5.0)], pairs=pairs)
    body = KNOWN.encode(value)
    assert json.loads(body) == {
        "name": "a",
        "counted": [{"value": 1.0}],
        "names": [],
        "pairs": [[["energy", []], {"value": 2.0}], [["energy", ["1", "2"]], {"value": 3.0}]],
    }
    again, reasons = read(KNOWN, body)
    assert (again, reasons) == (value, [])
    assert [each.seen for each in (*again.counted, *again.pairs.values())] == [inf] * 3


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"name": 7, "counted": [{"value": 1}]}, Known("", [Counted(1.0)])),
        ({"name": "a", "counted": [{"value": 1}, 7, {"value": 2}]},
         Known("a", [Counted(1.0), Counted(2.0)])),
        ({"name": "a", "counted": "x", "pairs": [[["energy", []], {"value": 1}], [[7], {}], 7]},
         Known("a", pairs={SERIES: Counted(1.0)})),
        ({"name": "a", "pairs": [[["energy", []], {"value": "x"}]]},
         Known("a", pairs={SERIES: Counted()})),
        ({"name": "a", "counted": [{"value": float("nan")}]}, Known("a", [Counted()])),
        ({"name": "a", "names": [{}, {"first": "a", "last": "b"}, {"first": 7, "last": 7}]},
         Known("a", names=[Named("a", "b")])),
        ({"name": "a", "later": "unknown"}, Known("a")),
    ],
)  # fmt: skip
def test_what_is_wrong_costs_itself_alone(body, expected):
    assert read(KNOWN, json.dumps(body))[0] == expected


@pytest.mark.parametrize(
    "body", ["", "{", "7", "[]", "null", '"x"', "[" * 9_000, '{"name": "\\ud800"}']
)
def test_of_what_is_not_understood_at_all_there_is_nothing(body):
    value, reasons = read(KNOWN, body)
    assert value is None
    assert len(reasons) == 1


def test_what_is_wrong_is_named_and_never_quoted():
    _, (reasons,) = read(KNOWN, '{"name": {"t0ken": "t0ken"}}')
    assert reasons == "name: string_type"


@pytest.mark.parametrize(
    ("section", "body", "reason"),
    [
        ("alarm_totals", '{"t0ken": "x"}', "float_parsing"),
        ("fleets", '{"plants": {"t0ken": {"code": 7}}}', "plants: string_type"),
        ("logins", '{"t0ken": 7, "since": "t0ken"}', "since: float_parsing"),
    ],
)
def test_a_key_that_is_no_field_is_never_quoted_either(section, body, reason):
    _, reasons = read(getattr(AccountState(), section).codec, body)

    assert reasons == [reason]


def test_a_row_in_which_everything_is_wrong_is_given_up():
    wrong = {f"{n}": "x" for n in range(1_000)}
    assert read(Codec(dict[str, float]), json.dumps(wrong))[0] == {}
    nested = {"name": "a", "counted": [{"value": "x"}] * 1_000}
    assert read(KNOWN, json.dumps(nested))[0] == Known("a", [Counted()] * 1_000)


def test_times_are_moved_to_the_steady_clock_of_today():
    restarted = ClockStamp("yesterday", 999_000.0, 4_000.0)
    clock = Clock()
    clock.now, clock.time = lambda: 2_000.0, lambda: 1_002_000.0
    for stamp, shift in ((BEFORE, 0.0), (restarted, -1_000.0)):
        row = StoredRow("5000.0", stamp)
        assert Codec(FutureTime).decode(row, clock, pytest.fail) == 5_000.0 + shift
        assert Codec(PastTime).decode(row, clock, pytest.fail) == 2_000.0  # not later than now


def test_never_and_without_end_are_null():
    assert [Codec(kind).encode(value) for kind, value in ((PastTime, -inf), (Unbounded, inf))] == [
        "null", "null",
    ]  # fmt: skip
    assert [read(Codec(kind), "null") for kind in (FutureTime, PastTime, Unbounded)] == [
        (-inf, []), (-inf, []), (inf, []),
    ]  # fmt: skip


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


@given(st.sampled_from(list(AccountState().sections)), junk)
def test_whatever_is_stored_what_is_read_can_be_stored(section, body):
    value, _ = read(section.codec, json.dumps(body))
    if value is not None:
        assert read(section.codec, section.codec.encode(value))[1] == []


NUMBERS = Codec(Measured)


def test_numbers_of_16_bits_are_one_text():
    value = Measured(array("H", [0, 1, 258, 65_535]))
    assert NUMBERS.encode(value) == '{"numbers":"AAABAAIB//8="}'
    assert read(NUMBERS, NUMBERS.encode(value)) == (value, [])


@pytest.mark.parametrize("stored", ['"AAA"', '"AA=="', '"\u00e9"', "7", "null", "[1,2]"])
def test_what_is_no_text_of_numbers_is_as_in_a_new_value(stored):
    value, reasons = read(NUMBERS, f'{{"numbers":{stored}}}')
    assert value == Measured()
    assert reasons == ["numbers: value_error"]
