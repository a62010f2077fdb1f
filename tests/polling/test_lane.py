"""One interface of one account, apart from the thread that walks it."""

from dataclasses import replace

import pytest

from exporter.northbound.errors import Reaction, fail_code_error
from exporter.northbound.interfaces import EDITIONS, INTERFACES
from exporter.polling.allowance import FleetSize
from exporter.polling.lane import Lane, Wish


def lane(name, members, edition="v6"):
    interface = INTERFACES[name]
    made = Lane(Wish(interface, EDITIONS[edition](interface), interface.every))
    made.fit({None: members}, FleetSize(len(members)))
    return made


def test_a_list_wanted_out_of_turn_does_not_start_a_round_anew():
    plants = [f"P{n}" for n in range(150)]
    lists = lane("getDevList", plants)
    first = lists.take(0.0)
    lists.end(1.0, 0.0)
    lists.answered(first, set())

    lists.read_out_of_turn(10.0)

    assert lists.take(1_000.0).group.members == tuple(plants[100:])
    assert lists.due(1_000.0) > 6 * 3_600 - 1


def test_a_list_wanted_out_of_turn_is_read_at_its_next_allowed_call():
    lists = lane("getDevList", ["P"])
    lists.hurried = False
    lists.answered(lists.take(0.0), set())
    lists.end(1.0, 0.0)
    assert lists.due(10.0) == 6 * 3_600

    lists.read_out_of_turn(10.0)

    assert lists.due(10.0) == 86_400 / 25


def test_until_a_call_that_lost_its_session_is_repeated_nobody_counts_as_unanswered():
    realtime = lane("getStationRealKpi", ["P"])
    lost = realtime.take(0.0)
    realtime.end(1.0, 0.0)

    realtime.failed(lost, fail_code_error(305), Reaction.LOG_IN, 1.0)

    assert realtime.silent == set()
    assert realtime.take(realtime.due(1.0)) == replace(lost, repeated=True)


def test_values_age_by_three_walks_or_five_paces():
    realtime = lane("getStationRealKpi", [f"P{n}" for n in range(350)])

    assert (realtime.pace, realtime.walk, realtime.max_age) == (75.0, 300.0, 900.0)
    realtime.fit({None: ["P"]}, FleetSize(1))
    assert (realtime.pace, realtime.walk, realtime.max_age) == (300.0, 300.0, 1_500.0)


@pytest.mark.parametrize(("age", "final"), [(1_500.0, True), (1_501.0, False)])
def test_an_answer_of_an_earlier_life_is_none_once_its_values_are_too_old(age, final):
    before, after = lane("getStationRealKpi", ["P"]), lane("getStationRealKpi", ["P"])
    before.answered(before.take(0.0), set())
    before.end(1.0, 0.0)

    after.recall(before.remember(0.0), 0.0, age)
    after.forget_old(age)

    assert [batch.final for batch in after.ring.batches] == [final]
