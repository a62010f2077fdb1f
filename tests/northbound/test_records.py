"""Numbers by key are a mapping like any other, but for what they cost."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.account.codec import Codec, StoredRow
from exporter.clock import ClockStamp, SystemClock
from exporter.northbound.records import Reading, Values

NUMBERS = st.dictionaries(st.text(max_size=3), st.floats(allow_nan=False))


@given(NUMBERS, NUMBERS)
def test_values_are_the_mapping_they_were_made_of(items, others):
    values = Values(items)
    assert values == items
    assert list(values.items()) == list(items.items())
    assert values.as_dict() == items
    assert repr(values) == repr(items)
    assert (values == Values(others)) == (items == others)
    assert isinstance(values, Mapping)


def test_a_key_that_was_not_sent_has_no_number():
    values = Values({"a": 1.0})
    assert values.get("b") is None
    with pytest.raises(KeyError):
        values["b"]


def test_those_with_the_same_keys_share_them_and_with_others_none():
    first = Reading("1", Values({"a": 1.0, "b": 2.0})).values
    assert Reading("2", Values({"a": 3.0, "b": 4.0})).values.common is first.common
    assert Reading("2", Values({"b": 3.0, "a": 4.0})).values.common is not first.common


@given(st.dictionaries(st.text(max_size=3), st.floats(allow_nan=False, allow_infinity=False)))
def test_a_reading_is_stored_as_an_object_and_read_back(items):
    codec, clock, reading = Codec(Reading), SystemClock(), Reading("1", Values(items))
    body = codec.encode(reading)
    row = StoredRow(body, ClockStamp.of(clock))
    assert codec.decode(row, clock, pytest.fail) == reading
    assert '"rejected":{},"texts":{}' in body
