"""How a plant is configured, as newer servers answer."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.northbound.errors import CallError
from exporter.northbound.interfaces import INTERFACES, Content, Subject
from exporter.northbound.parsing import configuration
from exporter.northbound.records import Reading, Rejection, Values

FIXTURES = Path(__file__).parents[1] / "fixtures"
EXPORT, BATTERY = "active-power-control-mode", "battery-mode"


def read(data, code="NE=1"):
    return configuration(data, [code])


def fixture(name):
    return json.loads((FIXTURES / f"{name}.json").read_text())["data"]


def test_a_mode_comes_with_its_parameters():
    parsed = configuration(fixture(f"{BATTERY}/time_of_use"), ["BA4372D08E014822AB065017416F254C"])
    assert parsed.rejected == {}
    assert parsed.records == (
        Reading(
            "BA4372D08E014822AB065017416F254C",
            Values({"allowedAcChargePower": 2.5}),
            texts={"operationMode": "TOU", "redundantPVEnergyPriority": "chargePreference"},
        ),
    )


def test_an_answer_that_names_no_plant_is_about_the_one_asked_about():
    assert read({"activePowerControlMode": " noLimit "}).records == (
        Reading("NE=1", Values({}), texts={"activePowerControlMode": "noLimit"}),
    )


def test_an_answer_about_another_plant_is_not_taken():
    parsed = read({"plantCode": "NE=2", "controlMode": "noLimit"})
    assert (parsed.records, parsed.rejected) == ((), {"not_asked_for": 1})


@pytest.mark.parametrize("data", [None, []])
def test_no_answer_is_no_record(data):
    assert read(data).records == ()


@pytest.mark.parametrize("absent", [None, "", "N/A", "null", " - "])
def test_what_is_absent_is_in_neither_map(absent):
    data = {
        "controlMode": absent,
        "limitedPowerGridValueParam": {"maxGridFeedInPowerValue": absent},
    }
    assert read(data).records == (Reading("NE=1", Values({})),)


def test_what_is_no_word_and_no_number_is_rejected_alone():
    data = {
        "controlMode": ["noLimit"],
        "limitedPowerGridPercentParam": {"maxGridFeedInPowerPercent": "many"},
        "limitedPowerGridValueParam": {"limitationMode": True, "maxGridFeedInPowerValue": "7.5"},
    }
    assert read(data).records == (
        Reading(
            "NE=1",
            Values({"maxGridFeedInPowerValue": 7.5}),
            {
                "controlMode": Rejection.WRONG_TYPE,
                "limitationMode": Rejection.WRONG_TYPE,
                "maxGridFeedInPowerPercent": Rejection.NOT_A_NUMBER,
            },
        ),
    )


def test_the_parameters_of_another_mode_hide_nothing():
    data = {
        "limitationMode": None,
        "zeroExportLimitationParam": {"limitationMode": None},
        "limitedPowerGridValueParam": {"limitationMode": "totalPower"},
        "limitedPowerGridPercentParam": "none",
    }
    assert read(data).records[0].texts == {"limitationMode": "totalPower"}


def test_nothing_else_is_read():
    data = {"plantCode": "NE=1", "contact": "A. Person", "phone": 491711234567}
    assert read(data).records == (Reading("NE=1", Values({})),)


@pytest.mark.parametrize("data", ["text", 7, True])
def test_data_of_another_shape_is_malformed(data):
    with pytest.raises(CallError) as caught:
        read(data)
    assert (caught.value.reason, caught.value.enveloped) == ("malformed", True)


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["controlMode", "limitationMode", "maxGridFeedInPowerValue", "plantCode"]
            ),
            inner,
        )
    ),
)


@given(json_values)
def test_whatever_comes_it_is_parsed_or_malformed(data):
    try:
        parsed = read(data)
    except CallError:
        return
    for record in parsed.records:
        assert record.subject == "NE=1"
        assert set(map(type, record.values.values())) <= {float}
        assert all(record.texts.values())


@pytest.mark.parametrize("name", [EXPORT, BATTERY])
def test_both_interfaces_are_asked_only_on_request_and_as_rarely_as_lists(name):
    row = INTERFACES[name]
    assert row.path == f"/rest/openapi/pvms/nbi/v1/configuration/{name}"
    assert (row.subject, row.batch, row.content) == (Subject.PLANTS, 1, Content.CONFIGURATION)
    assert (row.enabled, row.every) == (False, 6 * 3_600)
    assert row.v6 == INTERFACES["getDevList"].v6
