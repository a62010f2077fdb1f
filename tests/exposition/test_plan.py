"""All numbers of a reading at once come to what they come to one by one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.catalogue.index import ROWS, lookup
from exporter.catalogue.ranges import NO_INSTANTANEOUS_VALUES, NO_VALUES
from exporter.exposition.plan import MAX_PLANS, Numbers, Rules, rule_of
from exporter.exposition.plausibility import NOTHING_KNOWN, Output
from exporter.exposition.translate import Translator
from exporter.northbound.records import Reading, Rejection, Values

NOW = 1_750_798_800.0
SOURCES = sorted({(row.interface, row.device_type or 0) for row in ROWS})
ODD = sorted(NO_VALUES | NO_INSTANTANEOUS_VALUES)

numbers = (
    st.sampled_from([0.0, -0.0, 1.0, -1.0, 512.0, 1.75e12, 1e308, -1e308, 5e-324, *ODD])
    | st.floats(-1e4, 1e4)
    | st.floats(allow_nan=False, allow_infinity=False)
)
outputs = st.just(NOTHING_KNOWN) | st.builds(
    Output, st.sampled_from([None, 10.0, 5e4]), st.sampled_from([10.0, 5e4, 1e6]), st.booleans()
)


def readings_of(source):
    keys = st.sampled_from([*lookup(source[0], source[1] or None), "new", "unit.a"])
    return st.lists(
        st.builds(
            Reading,
            st.just("1"),
            st.dictionaries(keys, numbers, max_size=30).map(Values),
            st.dictionaries(keys, st.sampled_from(Rejection), max_size=2),
            st.dictionaries(keys, st.sampled_from(["SN1", "other"]), max_size=2),
        ),
        min_size=1,
        max_size=3,
    )


def translated(source, readings, output):
    translator = Translator({})
    interface, device_type = source[0], source[1] or None
    for step, reading in enumerate(readings):
        found = translator.translate(interface, device_type, reading, NOW + 300 * step, output)
        yield (
            list(found.samples.items()),
            found.rejected,
            found.rejected_values,
            found.confirmed,
            found.unknown_keys,
            found.unknown_states,
        )


@given(st.sampled_from(SOURCES).flatmap(lambda s: st.tuples(st.just(s), readings_of(s))), outputs)
def test_numbers_are_judged_at_once_as_they_are_one_by_one(sent, output):
    at_once = list(translated(*sent, output))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Numbers, "are_ordinary", lambda *_: False)
        assert list(translated(*sent, output)) == at_once


@pytest.mark.parametrize("key", ["active_power", "inverter_state"])
def test_a_word_for_what_is_a_number_is_of_the_wrong_type(key):
    reading = Reading("1", Values({"mppt_power": 1.0}), texts={key: "major"})
    found = Translator({}).translate("getDevRealKpi", 1, reading, NOW)
    assert list(found.samples.values()) == [1_000.0]
    assert found.rejected == {"wrong_type": 1}


def test_a_zero_that_says_no_value_is_absent_among_ordinary_numbers():
    reading = Reading("1", Values({"battery_soh": 0.0, "battery_soc": 50.0}))
    found = Translator({}).translate("getDevRealKpi", 39, reading, NOW)
    assert list(found.samples.values()) == [0.5]
    assert found.rejected == {}


def test_however_many_sets_of_keys_there_are_few_are_remembered():
    row = lookup("getDevRealKpi", 1)["active_power"]
    rules = Rules({row.key: rule_of(row, row.factor)})
    for n in range(MAX_PLANS + 1):
        plan = rules.plan(Reading("1", Values({"active_power": 1.0, f"new{n}": 2.0})))
        assert plan.unknown_keys == [f"new{n}"]
        assert [rule.row for rule in plan.gauges.rules] == [row]
    assert len(rules.plans) == 1
