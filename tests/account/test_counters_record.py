"""The counters of a plant or device are a mapping of records, but for what they take."""

import sys
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.account.codec import Codec, Pairs, StoredRow
from exporter.account.counters import CounterName, CounterRun, Counters, CounterState
from exporter.clock import ClockStamp, SystemClock

AMOUNTS = st.floats(0, 1e12)
TIMES = st.floats(-1e12, 1e12)
RUNS = st.builds(CounterRun, AMOUNTS, TIMES, TIMES, AMOUNTS, TIMES, st.integers(0, 9))
STATES = st.builds(CounterState, AMOUNTS, st.none() | TIMES, AMOUNTS, st.none() | RUNS, TIMES)
SERIES = st.tuples(st.text(max_size=3), st.tuples(st.text(max_size=3)))
COUNTERS = st.dictionaries(SERIES, STATES, max_size=4)


def fields(states):
    """All of each record, what comparing leaves out as well."""
    return {series: (state, state.answered) for series, state in states.items()}


@given(COUNTERS, COUNTERS)
def test_counters_are_the_records_that_were_put_last(first, then):
    counters = Counters(first)
    counters.put(then)
    expected = first | then
    assert fields(counters) == fields(expected)
    assert (list(counters), len(counters)) == (list(expected), len(expected))
    assert counters.runs == {name: each.run for name, each in expected.items() if each.run}


@given(COUNTERS)
def test_counters_are_stored_as_their_records_are(states):
    codec, clock, counters = Codec(Counters), SystemClock(), Counters(states)
    body = codec.encode(counters)
    assert body == Codec(Pairs[CounterName, CounterState]).encode(states)
    read = codec.decode(StoredRow(body, ClockStamp.of(clock)), clock, pytest.fail)
    assert (dict(read), read.runs) == (states, counters.runs)


def test_what_goes_on_has_no_run_any_more():
    run = CounterRun(5.0, 1.0, 1.0, 5.0, 1.0)
    counters = Counters({("a", ()): CounterState(9.0, 1.0, 2.0, run), ("b", ()): CounterState(1.0)})
    assert counters.grow(("a", ()), 9.0, 3.0, 4.0) is True
    assert counters.grow(("b", ()), 1.0, 3.0, 4.0) is False
    assert counters.grow(("b", ()), 2.0, 3.0, 4.0) is True
    assert fields(counters) == {
        ("a", ()): (CounterState(9.0, 3.0, 2.0), 4.0),
        ("b", ()): (CounterState(2.0, 3.0, 0.0), 4.0),
    }
    assert counters.runs == {}


def test_a_counter_that_was_not_answered_is_none():
    with pytest.raises(KeyError):
        Counters()["energy", ()]
    assert Counters().row(("energy", ())) is None


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="counts CPython's bytes")
def test_an_inverter_with_fourteen_counters_takes_less_than_a_kilobyte():
    def counters(n):
        return Counters(
            {("energy", (str(m),)): CounterState(1.5 * n + m, 2.5 * n) for m in range(14)}
        )

    snapshots = [counters(0)]  # with what all have in common
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    snapshots += [counters(n) for n in range(100)]
    taken = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert taken / 100 < 1_000
