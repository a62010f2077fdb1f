"""What the plan proposes for the configuration."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from exporter.account.fleet import Fleet, FleetState
from exporter.commands.check.plan import _format_duration, plan_of
from exporter.config import Settings
from exporter.config.types import Duration
from exporter.northbound.records import Device, Plant

CLASSIC = "limits: classic (1 min), if older than July 2022"
V6 = "limits: v6 (30 min), if created after June 2022"
V25 = "limits: v25 (45 min), if its server is of 25.x or 26.x"


FLEET = FleetState(
    plants={code: Plant(code, code) for code in "ABC"},
    devices={str(n): Device(str(n), "ABC"[n % 3], (1, 39)[n % 2]) for n in range(180)},
)


def planned(limits, known=None):
    """Calls a round, pace, freshness and what would be fresher, of alarms for 180 devices."""
    account = {"username": "u", "password": "p", "limits": limits}
    settings = Settings.model_validate({"accounts": [account]})
    plan = plan_of(settings, settings.accounts[0], Fleet(FLEET), known)
    (alarms,) = (each for each in plan if each.interface == "getAlarmList")
    return alarms.calls, alarms.pace, alarms.freshness, alarms.fresher


@pytest.mark.parametrize(
    ("limits", "known", "expected"),
    [
        ("classic", None, (1, 60.0, 60.0, ())),
        ("v6", None, (1, 1_800.0, 1_800.0, (CLASSIC,))),
        ("v25", None, (3, 900.0, 2_700.0, (CLASSIC, V6))),
        ("safe", None, (3, 1_800.0, 5_400.0, (CLASSIC, V6, V25))),
        ("safe", "v25", (3, 1_800.0, 5_400.0, (V25,))),
    ],
)
def test_alarms_are_planned_by_the_plants_and_devices_of_a_call(limits, known, expected):
    assert planned(limits, known) == expected


def test_an_edition_that_brings_no_more_than_another_is_not_proposed():
    few = FleetState(plants={"A": Plant("A", "A")}, devices={"1": Device("1", "A", 1)})
    settings = Settings.model_validate({"accounts": [{"username": "u", "password": "p"}]})
    plan = plan_of(settings, settings.accounts[0], Fleet(few), None)

    assert {way for each in plan for way in each.fresher if "limits" in way} == {CLASSIC}


@given(st.floats(0.01, 1e7))
def test_a_proposed_duration_is_one_that_the_configuration_reads(seconds):
    assert TypeAdapter(Duration).validate_python(_format_duration(seconds)) == pytest.approx(
        seconds, rel=0.006, abs=0.001
    )
