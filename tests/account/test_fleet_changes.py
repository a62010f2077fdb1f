"""Plants and devices that appear, vanish, move, spoil their batch; lists that fail."""

from itertools import pairwise

import pytest
from account.world import (
    EPOCH,
    HOUR,
    PARKED,
    WALKED,
    View,
    account,
    at,
    later,
    poller,
    refused,
    run,
)
from structlog.testing import capture_logs

from exporter.northbound.errors import CallError, Reaction
from exporter.northbound.interfaces import DAY, Limit

pytestmark = pytest.mark.slow


def test_everything_that_answers_in_real_time_is_read():
    kinds = dict.fromkeys((1, 14, 38, 15, 10, 17, 47, 39, 8, 41, 62, 2, 46), 2)
    server, view = account(devices=kinds, plants=3), View()

    run(poller(server, view))

    assert {call[2]["devTypeId"] for call in server.paths("getDevRealKpi")} == {
        "1", "14", "38", "15", "10", "17", "47", "39", "8", "41",
    }  # fmt: skip
    assert view.last["fleet"][0] == {"P0", "P1", "P2"}
    assert len(view.last["fleet"][1]) == 26


def test_ids_go_exactly_as_they_came():
    server = account(devices={})
    for odd in (-214543629611879, 2**53 + 1, 2**63 - 1):
        server.devices[odd] = {"devTypeId": 1, "stationCode": "P0"}

    run(poller(server))

    assert server.paths("getDevRealKpi")[0][2] == {
        "devIds": "-214543629611879,9007199254740993,9223372036854775807",
        "devTypeId": "1",
    }


def test_a_vanished_device_costs_a_list_out_of_turn_and_nobody_else_a_value():
    server, view = account(devices={1: 100}, hours=3), View()
    at(server, 1, lambda: server.devices.pop(100_037))

    run(poller(server, view))

    failures = [call for call in server.paths("getDevRealKpi") if call[3] == "20008"]
    assert 1 <= len(failures) <= 2
    assert [t // 60 for t in server.times("getDevList")][1] <= 62
    assert "100037" not in view.last["fleet"][1]
    assert len(server.paths("getDevRealKpi")[-1][2]["devIds"].split(",")) == 99


def test_until_the_list_is_read_the_halves_take_turns():
    server = account(devices={1: 100}, edition="v6", hours=12)
    at(server, 2, lambda: server.devices.pop(100_037))
    at(server, 2.3, lambda: server.devices.pop(100_038))  # the list was read minutes ago

    run(poller(server))

    sizes = [len(ids) for ids in server.asked("getDevRealKpi")]
    first = sizes.index(99)
    assert sizes[first - 1] == 100
    assert sizes[sizes.index(50) - 1 : sizes.index(50) + 2] == [99, 50, 49]
    assert sizes[-1] == 98


def test_a_vanished_plant_is_gone_and_its_devices_with_it():
    server, view = account(plants=3, devices={1: 9}, hours=3), View()

    def remove():
        del server.plants["P1"]
        server.devices = {i: d for i, d in server.devices.items() if d["stationCode"] != "P1"}

    at(server, 1, remove)
    run(poller(server, view))

    assert view.last["fleet"][0] == {"P0", "P2"}
    assert len(view.last["fleet"][1]) == 6
    assert all(call[3] == "ok" for call in later(server, 1.5))


def test_a_poisoned_device_costs_only_itself():
    server, view = account(devices={1: 100}, hours=4), View()
    server.poisoned = {100_041}

    run(poller(server, view))

    assert view.read["getDevRealKpi", "100041"] == []
    others = [len(view.read["getDevRealKpi", str(100_000 + n)]) for n in range(100) if n != 41]
    assert min(others) > 200
    assert view.last["unanswered", "getDevRealKpi"] == 1


def test_new_plants_and_devices_are_read_after_the_next_list():
    server, view = account(hours=8), View()

    def build():
        server.plants["new"] = {}
        server.devices[7] = {"devTypeId": 39, "stationCode": "new"}

    at(server, 3, build)
    run(poller(server, view))

    assert view.read["getStationRealKpi", "new"]
    assert view.read["getDevRealKpi", "7"]
    first = min(call[0] for call in server.paths("getDevRealKpi") if call[2]["devIds"] == "7")
    assert first - 1_000 < 6.1 * HOUR


def test_statistics_of_a_new_plant_do_not_wait_for_the_next_round():
    server, view = account(plants=2, hours=8), View()
    at(server, 3, lambda: server.plants.update(new={}))

    run(poller(server, view, walked=(*WALKED, "getKpiStationYear")))

    asked = server.asked("getKpiStationYear", "stationCodes")
    calls = zip(server.paths("getKpiStationYear"), asked, strict=True)
    first = next(call for call, codes in calls if "new" in codes)
    assert first[0] - 1_000 - server.times("getStationList")[1] < 180
    assert first[2]["collectTime"] == pytest.approx((EPOCH + first[0]) * 1e3, abs=2_000)


def test_a_fleet_that_is_being_listed_does_not_spend_the_days_allowance():
    """Each list answer brings new members for the same batches."""
    server = account(plants=1_000, devices={}, edition="v6", hours=7)
    for n in range(0, 1_000, 15):
        for kind in (1, 39):
            server.devices[kind * 100_000 + n] = {"devTypeId": kind, "stationCode": f"P{n}"}

    run(poller(server, walked=(*WALKED, "getDevKpiDay")))

    first_hour = [time for time in server.times("getDevKpiDay") if time < HOUR]
    gaps = [after - before for before, after in pairwise(server.times("getDevKpiDay"))]
    assert len(first_hour) <= 6
    assert max(gaps) < 3 * HOUR


def test_a_moved_device_is_told_with_its_new_plant():
    server = account(plants=2, hours=8)
    view = View()
    at(server, 3, lambda: server.devices[100_000].update(stationCode="P1"))

    run(poller(server, view))

    assert view.fleets[-1].devices["100000"].plant_code == "P1"


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param([], id="empty"),
        pytest.param(None, id="null"),
        pytest.param("nonsense", id="of another shape"),
        pytest.param(refused("20004", Reaction.NEXT_TURN), id="refused"),
    ],
)
@pytest.mark.parametrize("interface", ["getStationList", "getDevList"])
def test_a_list_that_fails_never_wipes_the_fleet(interface, answer):
    server, view = account(hours=20), View()

    def set_failure():
        if isinstance(answer, CallError):
            server.script = lambda name, _: answer if name == interface else None
        else:
            setattr(server, "answer_" + interface, lambda _: answer)

    at(server, 3, set_failure)
    run(poller(server, view))

    assert view.last["fleet"] == ({"P0"}, {"100000", "100001"})
    assert sum(call[1] == interface for call in later(server, 3)) >= 3
    assert sum(call[1] == "getDevRealKpi" for call in later(server, 19)) > 50


def test_a_failed_list_is_repeated_after_a_minute_then_two_then_four():
    server = account(edition="v6", hours=3)
    server.script = lambda name, _: (
        refused("http_502", Reaction.NEXT_TURN, enveloped=False) if name == "getDevList" else None
    )

    run(poller(server))

    minutes = [t // 60 for t in server.times("getDevList")]
    assert minutes[:6] == [0, 1, 3, 7, 15, 31]


def test_a_plant_that_spoils_the_device_list_costs_only_its_own_devices():
    server, view = account(plants=100, devices={1: 100}, hours=1), View()
    server.script = lambda name, body: (
        refused("20007", Reaction.REREAD_FLEET)
        if name == "getDevList" and "P37" in body["stationCodes"].split(",")
        else None
    )

    run(poller(server, view))

    assert view.last["fleet"][1] == {str(100_000 + n) for n in range(100) if n != 37}


@pytest.mark.parametrize("interface", ["getStationList", "getDevList"])
@pytest.mark.parametrize("code", ["20004", "20200"])
def test_a_first_list_that_fails_is_no_empty_fleet(interface, code):
    server = account(edition="v6", hours=0.2)
    errors = [refused(code, Reaction.NEXT_TURN)]
    server.script = lambda name, _: errors.pop() if name == interface and errors else None
    walker = poller(server)
    ready = []
    at(server, 0.01, lambda: ready.append(walker.ready))

    run(walker)

    assert ready == [False]
    assert [t // 60 for t in server.times(interface)] == [0, 1]
    assert walker.ready


def test_a_batch_that_always_fails_makes_nobody_elses_values_old():
    server, view = account(devices={1: 300, 41: 100}, edition="v6", hours=8), View()
    server.poisoned = {4_100_000 + n for n in range(100)}

    run(poller(server, view))

    assert view.last["plan", "getDevRealKpi"].max_age == 900
    assert view.last["unanswered", "getDevRealKpi"] == 100


def test_while_a_culprit_is_sought_the_others_stay_young():
    server, view = account(devices={1: 100}, edition="v6", hours=8), View()
    server.poisoned = {100_041}

    run(poller(server, view))

    seen = [
        call[0]
        for call in server.paths("getDevRealKpi")
        if call[3] == "ok" and "100099" in call[2]["devIds"].split(",")
    ]
    assert max(b - a for a, b in pairwise(seen)) < view.last["plan", "getDevRealKpi"].max_age


def test_batteries_that_a_list_forgets_once_stay():
    server, view = account(devices={1: 5, 39: 60}, edition="v6", hours=9), View()
    gone = 3_900_007
    batteries = {i for i, d in server.devices.items() if d["devTypeId"] == 39}
    original = server.answer_getDevList

    def forgetful(body):
        forget = batteries if server.clock.now() < 1_000 + 3 * HOUR else set()
        return [item for item in original(body) if item["id"] not in forget]

    def remove():
        del server.devices[gone]
        server.answer_getDevList = forgetful

    at(server, 2, remove)
    run(poller(server, view))

    fleets = [len(fleet.devices) for fleet in view.fleets]
    assert min(fleets[fleets.index(65) :]) == fleets[-1] == 64


def test_one_sick_device_type_does_not_fill_the_log():
    server = account(devices={1: 5, 39: 1}, hours=24)
    server.poisoned = {3_900_000}

    with capture_logs() as logs:
        run(poller(server))

    events = [(entry["event"], entry.get("device_type")) for entry in logs]
    assert events.count(("call failed", "battery")) == 1
    assert [event for event, _ in events if event == "answers again"] == []


def test_a_daily_allowance_is_walked_in_minutes_the_first_time():
    server = account(devices=dict.fromkeys((1, 14, 38, 15), 2), hours=6, session_seconds=DAY)
    daily = {"getDevRealKpi": (Limit(25, DAY),)}

    run(poller(server, overrides=daily))

    assert [t // 60 for t in server.times("getDevRealKpi")][:6] == [0, 1, 2, 3, 60, 118]


def test_an_account_that_is_closed_while_logged_in_is_found_out_by_one_login():
    server, view = account(hours=3), View()

    def close_account(name, _):
        reaction = Reaction.REFUSE_CREDENTIALS if name == "login" else Reaction.SUSPEND
        return refused("20003", reaction) if server.clock.now() >= 1_000 + HOUR else None

    server.script = close_account
    run(poller(server, view))

    calls = [(call[1], int(call[0] - 1_000) // 60) for call in later(server, 1)]
    assert [minute for name, minute in calls if name == "login"] == [61, 76, 106, 136, 166]
    assert len(calls) == 8
    assert view.last["up"] is False


@pytest.mark.parametrize("code", ["20006", "20007", "20008"])
def test_devices_that_were_refused_for_a_while_are_all_read_again(code):
    server, view = account(devices={1: 2}, hours=0.5), View()
    errors = [refused(code, Reaction.REREAD_FLEET)] * 3
    server.script = lambda name, _: errors.pop() if name == "getDevRealKpi" and errors else None

    run(poller(server, view))

    assert sorted(server.asked("getDevRealKpi")[-1]) == ["100000", "100001"]


def test_a_device_list_that_fails_does_not_hold_up_those_of_other_plants():
    server, view = account(plants=130, devices={1: 130}, edition="v6", hours=30), View()

    def fail(_, body):
        codes = body.get("stationCodes", "").split(",")
        broken = "P129" in codes and len(codes) == 30 and server.clock.now() > 1_000 + 2 * HOUR
        return refused("http_500", Reaction.NEXT_TURN, enveloped=False) if broken else None

    server.script = fail
    at(server, 3, lambda: server.devices.update({7: {"devTypeId": 1, "stationCode": "P0"}}))
    run(poller(server, view))

    assert view.read["getDevRealKpi", "7"]
    good = [call for call in server.paths("getDevList") if call[3] == "ok"]
    assert len(good) >= 5


def test_a_lost_session_is_opened_again_at_once():
    server = account(edition="v6", hours=0.5)
    errors = [refused("305", Reaction.LOG_IN)]
    server.script = lambda name, _: errors.pop() if name == "getDevRealKpi" and errors else None

    run(poller(server))

    lost = next(call[0] for call in server.calls if call[3] == "305")
    assert server.paths("login")[1][0] - lost < 121


def test_an_account_that_may_not_list_its_plants_is_not_ready():
    server = account(hours=3)
    server.script = lambda name, _: (
        refused("401", PARKED) if name in ("getStationList", "stations") else None
    )
    walker = poller(server)

    run(walker)

    assert walker.waiting == ("getStationList: 1 of 1 batches not answered yet",)
