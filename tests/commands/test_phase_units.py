"""What `check` says of the unit in which grid meters send the powers of their phases."""

from types import SimpleNamespace

import pytest

from exporter.account.model import PhaseUnit
from exporter.commands.check.findings import phase_units
from exporter.config.schema import Factor, Settings
from exporter.northbound.records import Device, Reading, Values

PHASES = {f"active_power_{phase}": 1.0 for phase in "abc"}
ACCOUNT = {"base_url": "https://eu5.example", "username": "a", "password": "b"}


def findings_of(known, values=None, factors=()):
    devices = {name: Device(name, "NE=1", 17, f"Meter {name}") for name in ("1", "2")}
    state = SimpleNamespace(phase_units=known)
    access = SimpleNamespace(
        probe=SimpleNamespace(fleet=SimpleNamespace(devices=devices), state=state)
    )
    readings = [
        Reading(name, Values(PHASES if values is None else values)) for name in ("1", "2", "1")
    ]
    settings = Settings(accounts=[ACCOUNT], factors=list(factors))
    return [each.words for each in phase_units(settings, access, readings)]


def test_meters_of_which_nothing_is_known_are_undecided():
    assert findings_of({}) == [
        (
            "Meter 1 (1), Meter 2 (2): the unit of the phases' powers is undecided; "
            "kW is taken, as documented"
        )
    ]


@pytest.mark.parametrize("unit", ["kW", "W"])
def test_a_unit_that_was_found_is_named(unit):
    assert findings_of({"1": PhaseUnit(unit)}) == [
        f"Meter 1 (1): the phases' powers are in {unit}, as the readings showed",
        "Meter 2 (2): the unit of the phases' powers is undecided; kW is taken, as documented",
    ]


def test_phases_in_doubt_are_named():
    doubted = PhaseUnit("kW", "W", 1, doubted=True)
    assert findings_of({"1": doubted, "2": doubted}) == [
        (
            "Meter 1 (1), Meter 2 (2): the unit of the phases' powers is undecided, "
            "and they are not shown until it is"
        )
    ]


def test_nothing_is_said_of_meters_without_phases_or_with_factors_for_them():
    assert findings_of({}, {"active_power": 5.0}) == []
    factors = [Factor(device_type=17, key=key, factor=1.0) for key in PHASES]
    assert findings_of({}, factors=factors) == []
