"""What the poller tells: up, ready, plans, the log."""

from dataclasses import replace
from itertools import count, groupby

import pytest
from account.world import (
    HOUR,
    PARKED,
    FakeClock,
    Server,
    SimulationEnd,
    View,
    account,
    poller,
    refused,
    run,
)
from structlog.testing import capture_logs

from exporter.account.changes import Plan
from exporter.northbound.errors import CallError, Reaction
from exporter.northbound.interfaces import Limit


def test_an_account_is_down_after_three_calls_without_a_proper_answer():
    server = account(hours=1.5)
    ups = []
    view = View()
    view.up = lambda *, up: ups.append((up, int(server.clock.now() - 1_000)))

    def bad_gateway(name, _):
        return (
            refused("http_502", Reaction.NEXT_TURN, enveloped=False)
            if name != "login" and server.clock.now() > 1_000 + HOUR
            else None
        )

    server.script = bad_gateway
    run(poller(server, view))

    silent_calls = [call[0] - 1_000 for call in server.calls if call[3] == "http_502"]
    first_down = next(time for up, time in ups if not up)
    assert ups[0] == (True, 0)
    assert first_down == int(silent_calls[2])
    assert ups[-1][0] is False


def test_an_answer_that_refuses_is_an_answer():
    server, view = account(hours=1), View()
    server.script = lambda name, _: (
        refused("20004", Reaction.NEXT_TURN) if name.endswith("Kpi") else None
    )

    run(poller(server, view))

    assert view.last["up"] is True


def test_readiness_names_what_is_missing_and_latches():
    server = account(devices={1: 250}, hours=0.5)
    walker = poller(server)
    seen = []
    original = walker.step

    def step():
        nap = original()
        seen.append(walker.waiting)
        return nap

    walker.step = step
    assert walker.waiting == (
        "not logged in",
        "getStationList: 1 of 1 batches not answered yet",
    )
    run(walker)

    assert "getDevRealKpi: 2 of 3 batches not answered yet" in {r for rs in seen for r in rs}
    assert walker.ready
    assert seen[-1] == ()


@pytest.mark.parametrize(
    ("error", "ready"),
    [
        (refused("20009", PARKED), True),
        (refused("401", PARKED), True),
        (refused("20004", Reaction.NEXT_TURN), True),
        (refused("407", Reaction.BACK_OFF), False),
        (refused("20200", Reaction.BACK_OFF), False),
        (refused("20618", Reaction.NEXT_DAY), True),
        (refused("305", Reaction.LOG_IN), False),
        (refused("http_502", Reaction.NEXT_TURN, enveloped=False), False),
        (refused("timeout", Reaction.NEXT_TURN, enveloped=False), False),
    ],
)
def test_what_is_a_final_answer(error, ready):
    server = account(hours=0.2)
    server.script = lambda name, _: error if name == "getDevRealKpi" else None
    walker = poller(server)

    run(walker)

    assert walker.ready is ready


def test_an_empty_fleet_is_ready():
    server = Server(FakeClock(HOUR), "classic", {}, {})
    walker = poller(server)

    run(walker)

    assert walker.ready


def test_the_plan_grows_with_the_fleet():
    server, view = account(devices={1: 250}, edition="v6", hours=0.5), View()

    run(poller(server, view))

    assert view.last["plan", "getDevRealKpi"] == Plan(100.0, 300.0, 900.0)
    assert view.last["plan", "getStationRealKpi"] == Plan(300.0, 300.0, 1_500.0)


def test_members_left_out_of_an_answer_are_counted():
    server, view = account(devices={1: 5}, hours=0.1), View()
    original = server.answer_getDevRealKpi
    server.answer_getDevRealKpi = lambda body: original(body)[:3]

    run(poller(server, view))

    assert view.last["unanswered", "getDevRealKpi"] == 2


def test_a_faster_edition_is_pointed_out_once():
    server = account(devices=dict.fromkeys((1, 14, 38, 15, 10, 17, 47), 2), edition="safe")

    with capture_logs() as logs:
        run(poller(server))

    hints = [entry for entry in logs if "limits: v6" in entry["event"]]
    assert [entry["interfaces"] for entry in hints] == ["getDevRealKpi"]


@pytest.mark.parametrize(
    ("edition", "overrides"),
    [("classic", {}), ("safe", {"getDevRealKpi": (Limit(1, 60.0),)})],
    ids=["classic", "an allowance of its own"],
)
def test_a_faster_edition_is_not_pointed_out_to_who_has_chosen(edition, overrides):
    server = account(devices=dict.fromkeys((1, 14, 38, 15, 10, 17, 47), 2), edition=edition)

    with capture_logs() as logs:
        run(poller(server, overrides=overrides))

    assert [entry for entry in logs if "limits: v6" in entry["event"]] == []


def test_one_line_is_logged_for_a_change_not_for_a_call():
    server = account(hours=4)
    server.script = lambda name, _: (
        refused("20004", Reaction.NEXT_TURN)
        if name == "getDevRealKpi" and HOUR < server.clock.now() - 1_000 < 2 * HOUR
        else None
    )

    with capture_logs() as logs:
        run(poller(server))

    assert [entry["event"] for entry in logs] == [
        "up",
        "every plant and device has been asked",
        "call failed",
        "answers again",
    ]


def test_what_fails_every_second_time_is_told_of_once_more_and_when_it_is_over():
    server = account(hours=6)
    calls = count()
    server.script = lambda name, _: (
        refused("20004", Reaction.NEXT_TURN)
        if name == "getDevRealKpi"
        and HOUR < server.clock.now() - 1_000 < 3 * HOUR
        and next(calls) % 2 == 0
        else None
    )

    with capture_logs() as logs:
        run(poller(server))

    assert [entry["event"] for entry in logs] == [
        "up",
        "every plant and device has been asked",
        "call failed",
        "answers again",
        "call failed",
        "answers again",
    ]


def test_an_account_that_is_up_and_down_is_told_of_once_more():
    server, view = account(hours=6), View()
    ups = []
    view.up = lambda *, up: ups.append(up)
    server.script = lambda *_: (
        refused("http_502", Reaction.NEXT_TURN, enveloped=False)
        if HOUR < server.clock.now() - 1_000 < 3 * HOUR and server.clock.now() % 600 < 300
        else None
    )

    with capture_logs() as logs:
        run(poller(server, view))

    changes = [up for up, _ in groupby(ups)]
    assert changes == [True, False] * 12 + [True]
    events = [entry["event"] for entry in logs]
    assert [event for event in events if event in {"up", "down"}] == ["up", "down"] * 2 + ["up"]


def test_a_refusal_after_which_another_way_is_found_is_told_as_no_failure():
    server, view = account(hours=0.5), View()
    permissions, results = [], view.permitted
    view.permitted = lambda name: permissions.append((name, results(name)))
    server.script = lambda name, _: refused("401", PARKED) if name == "getStationList" else None

    with capture_logs() as logs:
        run(poller(server, view))

    assert ("getStationList", True) in permissions
    assert ("getStationList", False) not in permissions
    assert [entry["event"] for entry in logs][:2] == ["up", "asking with other parameters"]
    assert "call failed" not in {entry["event"] for entry in logs}


def test_a_bug_of_ours_is_logged_and_survived():
    server = account(hours=0.2)
    view = View()
    bugs = [ValueError("a bug")]

    def answered(*_):
        if bugs:
            raise bugs.pop()

    view.answered = answered
    with capture_logs() as logs:
        run(poller(server, view))

    assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == [
        "bug in the poller, continuing"
    ]
    assert view.shown["readings"] > 5


def test_the_thread_ends_when_the_clock_says_so():
    server = account(hours=0.2)
    server.clock.wait = lambda _: True

    poller(server).run()

    assert server.calls[0][1] == "login"
    with pytest.raises(SimulationEnd):
        server.clock.advance(10**6)


@pytest.mark.parametrize("name", ["login", "getDevRealKpi"])
def test_the_log_says_why_a_call_never_arrived(name):
    server = account(hours=0.2)

    def unreachable(called, _):
        error = refused("connection", Reaction.NEXT_TURN, enveloped=False)
        error = CallError(replace(error.failure, detail="No route to host"))
        return error if called == name else None

    server.script = unreachable
    with capture_logs() as log:
        run(poller(server))

    meanings = [line["meaning"] for line in log if line.get("reason") == "connection"]
    assert meanings
    assert all(text.endswith(" (No route to host)") for text in meanings)


def test_a_bug_in_what_shows_it_ends_no_polling():
    server, view = account(hours=0.2), View()
    daemon = poller(server, view)
    view.show = lambda _changes: 1 / 0

    with capture_logs() as logs:
        run(daemon)

    assert len(server.calls) > 3
    assert {entry["event"] for entry in logs if entry["log_level"] == "error"} == {
        "bug in the poller, continuing"
    }
