"""How plants are configured: asked plant by plant, and told of those that have such settings."""

import pytest
from account.polled import START, bodies, server_alarm, walk
from account.world import HOUR, SELDOM, View, account
from structlog.testing import capture_logs

from exporter.northbound.errors import FAIL_CODES, Reaction, fail_code_error
from exporter.northbound.records import Reading, Values

pytestmark = pytest.mark.slow

EXPORT, BATTERY = "active-power-control-mode", "battery-mode"
SKIPPED = [row.code for row in FAIL_CODES.values() if row.reaction is Reaction.SKIP_MEMBER]


def test_each_plant_is_asked_about_by_itself():
    server, view = account(plants=3, hours=1), View()

    walk(server, EXPORT, BATTERY, view=view)

    plants = [{"plantCode": f"P{n}"} for n in range(3)]
    assert bodies(server, EXPORT) == plants
    assert bodies(server, BATTERY) == plants
    assert view.answers(EXPORT)["P1"] == Reading(
        "P1", Values({"maxGridFeedInPowerValue": 5.0}), texts={"controlMode": "limitedPowerGridKW"}
    )
    assert view.last["unanswered", EXPORT] == 0


def test_a_round_starts_every_six_hours():
    server = account(plants=2, hours=20)

    walk(server, EXPORT, every=SELDOM)

    starts = server.times(EXPORT)[::2]
    assert [round(after / HOUR) for after in starts] == [0, 6, 12, 18]
    assert server.refused == []


@pytest.mark.parametrize("code", SKIPPED)
def test_a_plant_without_the_setting_is_skipped_quietly(code):
    server, view = account(plants=2, hours=13), View()
    server.script = lambda name, body: (
        fail_code_error(code) if name == EXPORT and body["plantCode"] == "P0" else None
    )
    failures = []
    show = view.show

    def showing(changes):
        failures.extend(
            each.error.reason
            for each in changes.requests
            if each.error and each.interface == EXPORT
        )
        show(changes)

    view.show = showing
    with capture_logs() as logs:
        walk(server, EXPORT, view=view, every=SELDOM)

    assert len(bodies(server, EXPORT)) == 3 * 2  # each of both in each round, none once more
    assert failures == [str(code)] * 3
    assert [each for each in logs if each.get("interface") == EXPORT] == []
    assert view.answers(EXPORT)["P0"] == Reading("P0", Values({}))
    assert view.answers(EXPORT)["P1"].texts == {"controlMode": "limitedPowerGridKW"}
    assert view.last["unanswered", EXPORT] == 0
    assert view.permitted(EXPORT) is True


def test_what_was_set_vanishes_once_the_plant_does_not_tell_it_any_more():
    server, view = account(plants=1, hours=7), View()
    answers = iter([None, fail_code_error(20609)])
    server.script = lambda name, _: next(answers) if name == EXPORT else None

    walk(server, EXPORT, view=view)

    assert [call[3] for call in server.paths(EXPORT)] == ["ok", "20609"]
    assert view.answers(EXPORT) == {"P0": Reading("P0", Values({}))}


def test_who_may_not_call_it_tries_ever_more_rarely():
    server, view = account(plants=1, hours=60), View()
    server.script = lambda name, _: fail_code_error(401) if name == EXPORT else None

    walk(server, EXPORT, view=view, every=SELDOM)

    assert view.permitted(EXPORT) is False
    assert len(bodies(server, EXPORT)) < 60 / 6


def test_alarms_that_are_refused_so_are_not_over():
    server, view = account(plants=1, hours=3), View()
    server.languages, server.troubles = {"en_US"}, [server_alarm(START - HOUR)]
    answers = iter([None, *[fail_code_error(20609)] * 99])
    server.script = lambda name, _: next(answers) if name == "getAlarmList" else None

    walk(server, "getAlarmList", view=view)

    assert [call[3] for call in server.paths("getAlarmList")][:2] == ["ok", "20609"]
    assert len(view.answers("getAlarmList")["P0"]) == 1
