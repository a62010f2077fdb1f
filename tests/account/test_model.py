"""What an account knows stands in sections, which know what of them was changed."""

import pytest

from exporter.account.changes import Changes
from exporter.account.interface_schedule import InterfaceState
from exporter.account.model import AccountState, InterfaceResult, Section
from exporter.account.quotas import CallLog
from exporter.northbound.interfaces import Subject
from exporter.northbound.records import Device, Plant


def test_a_section_knows_what_was_set_changed_and_dropped_but_not_what_was_restored():
    section = Section("some", int)
    section.restore("a", 1)
    section.restore("b", 2)
    assert section.changed == set()
    section["c"] = 3
    assert section.change("b", int) == 2
    assert section.change("d", int) == 0
    section.drop(["a", "unknown"])
    assert section.changed == {"a", "b", "c", "d"}
    assert section == {"b": 2, "c": 3, "d": 0}


def test_what_is_added_when_it_is_missing_is_made_once():
    section = Section("some", list[int])
    assert section.get_or_add("a", list) is section.get_or_add("a", list)
    assert section.changed == {"a"}


def test_each_section_has_a_kind_of_its_own():
    kinds = [each.kind for each in AccountState().sections]
    assert sorted(set(kinds)) == sorted(kinds)


@pytest.fixture
def state():
    """Of a plant and a device of the same name, of which there is a row in each section."""
    state = AccountState()
    for section in state.sections:
        section.restore("x", None)
    return state


def subjects(state):
    """Of which subjects anything is known."""
    return {section.subject for section in state.sections if "x" in section}


def test_what_is_gone_is_dropped_from_all_sections_about_it(state):
    state.drop(Subject.PLANTS, ["x"])
    assert subjects(state) == {Subject.DEVICES, Subject.ACCOUNT}
    state.drop(Subject.DEVICES, ["x"])
    assert subjects(state) == {Subject.ACCOUNT}


def test_what_is_not_in_the_fleet_is_dropped(state):
    state.fleet.plants["x"] = Plant("x", "")
    state.drop_unknown()
    assert subjects(state) == {Subject.PLANTS, Subject.ACCOUNT}
    state.fleet.plants.clear()
    state.fleet.devices["x"] = Device("x", "y", 1)
    state.drop_unknown()
    assert subjects(state) == {Subject.ACCOUNT}


def test_what_there_is_once_of_an_account_is_there_from_the_start():
    state = AccountState()
    assert [state.fleet.plants, state.login.token, state.alarm_query.filters] == [{}, None, {}]
    assert state.plant_list is state.plant_list


def test_no_call_of_a_previous_run_is_under_way():
    state = AccountState()
    state.interfaces["a"] = InterfaceState(CallLog())
    state.interfaces["a"].log.start(1.0, 1.0)
    state.login.log.start(2.0, 2.0)
    state.interfaces.changed.clear()
    state.after_restart(10.0)
    assert not state.login.log.is_busy
    assert not state.interfaces["a"].log.is_busy
    assert state.interfaces.changed == {"a"}


def test_what_a_step_did_not_change_is_as_before():
    changes = Changes()
    assert (changes.up, changes.fleet, changes.requests, changes.plans) == (None, None, [], {})
    assert InterfaceResult() == InterfaceResult(None, None)
