"""The schedule of one interface, apart from the thread that polls it."""

from dataclasses import replace

import pytest
from account.restarts import Clock, restarted

from exporter.account.interface_schedule import InterfaceSchedule, PollConfig
from exporter.account.model import AccountState
from exporter.account.quotas import FleetSize
from exporter.northbound.errors import Reaction, fail_code_error
from exporter.northbound.interfaces import EDITIONS, INTERFACES


def schedule(name, members, edition="v6"):
    interface = INTERFACES[name]
    plan = InterfaceSchedule(PollConfig(interface, EDITIONS[edition](interface), interface.every))
    plan.fit({None: members}, FleetSize(len(members)))
    return plan


def answer_next_call(plan, now):
    """Makes the call that is due, and is answered about everybody."""
    planned = plan.start(now)
    plan.end(now + 1, 0.0)
    planned.batch.note_call(planned.group, planned.start)
    plan.answered(planned, set())


def test_a_list_wanted_out_of_turn_does_not_start_a_round_anew():
    plants = [f"P{n}" for n in range(150)]
    lists = schedule("getDevList", plants)
    answer_next_call(lists, 0.0)

    lists.read_out_of_turn(10.0)

    assert lists.start(1_000.0).members == tuple(plants[100:])
    assert lists.due(1_000.0) > 6 * 3_600 - 1


def test_a_list_wanted_out_of_turn_is_read_at_its_next_allowed_call():
    lists = schedule("getDevList", ["P"])
    lists.is_urgent = False
    answer_next_call(lists, 0.0)
    assert lists.due(10.0) == 6 * 3_600

    lists.read_out_of_turn(10.0)

    assert lists.due(10.0) == 86_400 / 25


def test_until_a_call_that_lost_its_session_is_repeated_nobody_counts_as_unanswered():
    realtime = schedule("getStationRealKpi", ["P"])
    lost = realtime.start(0.0)
    realtime.end(1.0, 0.0)
    lost.batch.note_call(lost.group, lost.start)

    realtime.failed(lost, fail_code_error(305), Reaction.LOG_IN, 1.0)

    assert realtime.unanswered == set()
    due = realtime.due(1.0)
    assert realtime.start(due) == replace(lost, start=due, repeated=True)


def test_values_age_by_three_rounds_or_five_paces():
    realtime = schedule("getStationRealKpi", [f"P{n}" for n in range(350)])

    assert (realtime.pace, realtime.duration, realtime.max_age) == (75.0, 300.0, 900.0)
    realtime.fit({None: ["P"]}, FleetSize(1))
    assert (realtime.pace, realtime.duration, realtime.max_age) == (300.0, 300.0, 1_500.0)


@pytest.mark.parametrize(("age", "final"), [(1_500.0, True), (1_501.0, False)])
def test_an_answer_of_a_previous_run_is_none_once_its_values_are_too_old(age, final):
    before, state = schedule("getStationRealKpi", ["P"]), AccountState()
    answer_next_call(before, 0.0)
    state.interfaces["getStationRealKpi"] = before.state
    state.batches["getStationRealKpi"] = before.rotation.batches

    fresh, later = AccountState(), Clock(age)
    interfaces = restarted(state.interfaces, fresh.interfaces, Clock(1.0), later)
    batches = restarted(state.batches, fresh.batches, Clock(1.0), later)
    interface = INTERFACES["getStationRealKpi"]
    config = PollConfig(interface, EDITIONS["v6"](interface), interface.every)
    after = InterfaceSchedule(config, interfaces[interface.name], batches[interface.name])
    after.expire_old(age)

    assert [batch.progress.final for batch in after.rotation.batches] == [final]
