"""One account's thread: what it reads, how it reacts, what it tells."""

from itertools import pairwise

import pytest
from polling.world import EndOfDays, FakeClock, Server, Sink, fleet, poller, run
from structlog.testing import capture_logs

from exporter.northbound.errors import CallError, Reaction
from exporter.northbound.interfaces import DAY, Limit

HOUR = 3_600
PARKED = Reaction.PARK


def account(hours=2.0, plants=1, devices=None, edition="classic", **traits):
    devices = {1: 2} if devices is None else devices
    return Server(FakeClock(hours * HOUR), edition, *fleet(plants, devices), **traits)


def refused(reason, reaction, *, enveloped=True):
    return CallError(reason, reaction, "in words", enveloped=enveloped)


def at(server, hours, action):
    """Does something to the server when the clock has come so far."""
    original, when = server.clock.advance, server.clock.now() + hours * HOUR
    done = []

    def advance(seconds):
        original(seconds)
        if not done and server.clock.now() >= when:
            done.append(True)
            action()

    server.clock.advance = advance


def later(server, hours):
    """The calls after so many hours."""
    return [call for call in server.calls if call[0] >= 1_000 + hours * HOUR]


# --- the fleet changes ---


def test_everything_that_answers_in_real_time_is_read():
    kinds = dict.fromkeys((1, 14, 38, 15, 10, 17, 47, 39, 8, 41, 62, 2, 46), 2)
    server, sink = account(devices=kinds, plants=3), Sink()

    run(poller(server, sink))

    assert {call[2]["devTypeId"] for call in server.paths("getDevRealKpi")} == {
        "1", "14", "38", "15", "10", "17", "47", "39", "8", "41",
    }  # fmt: skip
    assert sink.last["fleet"][0] == {"P0", "P1", "P2"}
    assert len(sink.last["fleet"][1]) == 26


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
    server, sink = account(devices={1: 100}, hours=3), Sink()
    at(server, 1, lambda: server.devices.pop(100_037))

    run(poller(server, sink))

    failures = [call for call in server.paths("getDevRealKpi") if call[3] == "20008"]
    assert 1 <= len(failures) <= 2
    assert [t // 60 for t in server.times("getDevList")][1] <= 62
    assert "100037" not in sink.last["fleet"][1]
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
    server, sink = account(plants=3, devices={1: 9}, hours=3), Sink()

    def remove():
        del server.plants["P1"]
        server.devices = {i: d for i, d in server.devices.items() if d["stationCode"] != "P1"}

    at(server, 1, remove)
    run(poller(server, sink))

    assert sink.last["fleet"][0] == {"P0", "P2"}
    assert len(sink.last["fleet"][1]) == 6
    assert all(call[3] == "ok" for call in later(server, 1.5))


def test_a_poisoned_device_costs_only_itself():
    server, sink = account(devices={1: 100}, hours=4), Sink()
    server.poisoned = {100_041}

    run(poller(server, sink))

    assert sink.read["getDevRealKpi", "100041"] == []
    others = [len(sink.read["getDevRealKpi", str(100_000 + n)]) for n in range(100) if n != 41]
    assert min(others) > 200
    assert sink.last["unanswered", "getDevRealKpi"] == (1,)


def test_new_plants_and_devices_are_read_after_the_next_list():
    server, sink = account(hours=8), Sink()

    def build():
        server.plants["new"] = {}
        server.devices[7] = {"devTypeId": 39, "stationCode": "new"}

    at(server, 3, build)
    run(poller(server, sink))

    assert sink.read["getStationRealKpi", "new"]
    assert sink.read["getDevRealKpi", "7"]
    first = min(call[0] for call in server.paths("getDevRealKpi") if call[2]["devIds"] == "7")
    assert first - 1_000 < 6.1 * HOUR


def test_a_moved_device_is_told_with_its_new_plant():
    server = account(plants=2, hours=8)
    plants = {}
    sink = Sink()
    sink.fleet = lambda _, devices: plants.update({d.id: d.plant_code for d in devices.values()})
    at(server, 3, lambda: server.devices[100_000].update(stationCode="P1"))

    run(poller(server, sink))

    assert plants["100000"] == "P1"


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
    server, sink = account(hours=30), Sink()

    def break_it():
        if isinstance(answer, CallError):
            server.script = lambda name, _: answer if name == interface else None
        else:
            setattr(server, "answer_" + interface, lambda _: answer)

    at(server, 3, break_it)
    run(poller(server, sink))

    assert sink.last["fleet"] == ({"P0"}, {"100000", "100001"})
    assert sum(call[1] == "getDevRealKpi" for call in later(server, 29)) > 50


def test_a_failed_list_is_repeated_after_a_minute_then_two_then_four():
    server = account(edition="v6", hours=3)
    server.script = lambda name, _: (
        refused("http_502", Reaction.NEXT_TURN, enveloped=False) if name == "getDevList" else None
    )

    run(poller(server))

    minutes = [t // 60 for t in server.times("getDevList")]
    assert minutes[:6] == [0, 1, 3, 7, 15, 31]


def test_a_plant_that_spoils_the_device_list_costs_only_its_own_devices():
    server, sink = account(plants=100, devices={1: 100}, hours=1), Sink()
    server.script = lambda name, body: (
        refused("20007", Reaction.REREAD_FLEET)
        if name == "getDevList" and "P37" in body["stationCodes"].split(",")
        else None
    )

    run(poller(server, sink))

    assert sink.last["fleet"][1] == {str(100_000 + n) for n in range(100) if n != 37}


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
    server, sink = account(devices={1: 300, 41: 100}, edition="v6", hours=8), Sink()
    server.poisoned = {4_100_000 + n for n in range(100)}

    run(poller(server, sink))

    assert sink.last["plan", "getDevRealKpi"]["max_age"] == 900
    assert sink.last["unanswered", "getDevRealKpi"] == (100,)


def test_while_a_culprit_is_sought_the_others_stay_young():
    server, sink = account(devices={1: 100}, edition="v6", hours=8), Sink()
    server.poisoned = {100_041}

    run(poller(server, sink))

    seen = [
        call[0]
        for call in server.paths("getDevRealKpi")
        if call[3] == "ok" and "100099" in call[2]["devIds"].split(",")
    ]
    assert max(b - a for a, b in pairwise(seen)) < sink.last["plan", "getDevRealKpi"]["max_age"]


def test_batteries_that_a_list_forgets_once_stay():
    server, sink = account(devices={1: 5, 39: 60}, edition="v6", hours=9), Sink()
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
    fleets = []
    sink.fleet = lambda _, devices: fleets.append(len(devices))
    run(poller(server, sink))

    assert min(fleets[fleets.index(65) :]) == fleets[-1] == 64


def test_one_sick_device_type_does_not_fill_the_log():
    server = account(devices={1: 5, 39: 1}, hours=24)
    server.poisoned = {3_900_000}

    with capture_logs() as logs:
        run(poller(server))

    said = [(entry["event"], entry.get("device_type")) for entry in logs]
    assert said.count(("call failed", "battery")) == 1
    assert [event for event, _ in said if event == "answers again"] == []


def test_a_daily_allowance_is_walked_in_minutes_the_first_time():
    server = account(devices=dict.fromkeys((1, 14, 38, 15), 2), hours=6, session_seconds=DAY)
    daily = {"getDevRealKpi": (Limit(25, DAY),)}

    run(poller(server, overrides=daily))

    assert [t // 60 for t in server.times("getDevRealKpi")][:6] == [0, 1, 2, 3, 60, 118]


def test_an_account_that_is_closed_while_logged_in_is_left_alone():
    server, sink = account(hours=3), Sink()

    def closed(*_):
        return (
            refused("20003", Reaction.REFUSE_CREDENTIALS)
            if server.clock.now() >= 1_000 + HOUR
            else None
        )

    server.script = closed
    run(poller(server, sink))

    calls = [(call[1], int(call[0] - 1_000) // 60) for call in later(server, 1)]
    assert [minute for name, minute in calls if name == "login"] == [75, 105, 135, 165]
    assert len(calls) == 5
    assert sink.last["up",] == (False,)


@pytest.mark.parametrize("code", ["20006", "20007", "20008"])
def test_devices_that_were_refused_for_a_while_are_all_read_again(code):
    server, sink = account(devices={1: 2}, hours=0.5), Sink()
    errors = [refused(code, Reaction.REREAD_FLEET)] * 3
    server.script = lambda name, _: errors.pop() if name == "getDevRealKpi" and errors else None

    run(poller(server, sink))

    assert sorted(server.asked("getDevRealKpi")[-1]) == ["100000", "100001"]


def test_a_device_list_that_fails_does_not_hold_up_those_of_other_plants():
    server, sink = account(plants=130, devices={1: 130}, edition="v6", hours=30), Sink()

    def fail(_, body):
        codes = body.get("stationCodes", "").split(",")
        broken = "P129" in codes and len(codes) == 30 and server.clock.now() > 1_000 + 2 * HOUR
        return refused("http_500", Reaction.NEXT_TURN, enveloped=False) if broken else None

    server.script = fail
    at(server, 3, lambda: server.devices.update({7: {"devTypeId": 1, "stationCode": "P0"}}))
    run(poller(server, sink))

    assert sink.read["getDevRealKpi", "7"]
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


# --- the plant list ---


def test_an_account_without_the_classic_list_uses_the_paged_one_for_a_day():
    server, sink = account(plants=250, devices={1: 3}, hours=49), Sink()
    server.script = lambda name, _: refused("401", PARKED) if name == "getStationList" else None

    run(poller(server, sink))

    assert len(sink.last["fleet"][0]) == 250
    assert [call[2]["pageNo"] for call in server.paths("stations")[:4]] == [1, 2, 3, 1]
    assert [t // HOUR for t in server.times("getStationList")] == [0, 30]
    assert sink.last["permitted", "getStationList"] == (True,)
    assert {key[1] for key in sink.last if key[0] == "request"} == {
        "login", "getStationList", "getDevList", "getStationRealKpi", "getDevRealKpi",
    }  # fmt: skip


def test_a_classic_list_in_pages_is_asked_anew_in_pages_of_ours():
    server, sink = account(plants=25, devices={1: 3}, hours=1), Sink()
    pages = server.answer_stations
    server.answer_getStationList = lambda body: pages(body or {"pageNo": 1, "pageSize": 10})

    run(poller(server, sink))

    assert len(sink.last["fleet"][0]) == 25
    assert [call[2] for call in server.paths("getStationList")] == [
        {},
        {"pageNo": 1, "pageSize": 100},
    ]


def test_a_page_count_that_promises_too_much_ends_with_the_plants():
    server, sink = account(plants=150, devices={}, hours=1), Sink()
    server.script = lambda name, _: refused("401", PARKED) if name == "getStationList" else None
    pages = server.answer_stations
    server.answer_stations = lambda body: pages(body) | {"pageCount": 9_999}

    run(poller(server, sink))

    assert [call[2]["pageNo"] for call in server.paths("stations")] == [1, 2, 3]
    assert len(sink.last["fleet"][0]) == 150


def test_a_page_that_fails_is_repeated_and_nothing_is_lost():
    server, sink = account(plants=250, devices={}, hours=1), Sink()
    errors = [refused("20004", Reaction.NEXT_TURN)]

    def script(name, body):
        if name == "getStationList":
            return refused("401", PARKED)
        return errors.pop() if errors and body.get("pageNo") == 2 else None

    server.script = script
    run(poller(server, sink))

    assert [call[2]["pageNo"] for call in server.paths("stations")] == [1, 2, 2, 3]
    assert len(sink.last["fleet"][0]) == 250


def test_a_page_that_is_no_more_does_not_hold_up_the_list_for_ever():
    server, sink = account(plants=101, devices={}, hours=31), Sink()

    def script(name, body):
        if name == "getStationList":
            return refused("401", PARKED)
        if body.get("pageNo") == 2:
            server.plants.pop("P100", None)
            return refused("30005", Reaction.NEXT_TURN)
        return None

    server.script = script
    run(poller(server, sink))

    assert [call[2]["pageNo"] for call in server.paths("stations")[:4]] == [1, 2, 2, 1]
    assert len(sink.last["fleet"][0]) == 100
    assert server.times("getStationList")[-1] >= 24 * HOUR


@pytest.mark.parametrize("reason", ["401", "http_404"])
def test_where_the_classic_list_is_gone_the_paged_one_is_used(reason):
    server, sink = account(hours=0.2), Sink()
    server.script = lambda name, _: (
        refused(reason, Reaction.NEXT_TURN) if name == "getStationList" else None
    )

    run(poller(server, sink))

    assert sink.last["fleet"][0] == {"P0"}


# --- refusals ---


def test_an_interface_without_permission_is_tried_three_times_then_parked():
    server, sink = account(hours=16), Sink()
    server.script = lambda name, _: refused("401", PARKED) if name == "getDevRealKpi" else None

    run(poller(server, sink))

    minutes = [t // 60 for t in server.times("getDevRealKpi")]
    assert minutes == [0, 1, 2, 62, 182, 422, 902]
    assert sink.last["permitted", "getDevRealKpi"] == (False,)
    assert len(server.paths("getStationRealKpi")) > 900


def test_a_permission_that_comes_back_unparks():
    server, sink = account(hours=6), Sink()
    errors = [refused("401", PARKED)] * 3
    server.script = lambda name, _: errors.pop() if name == "getDevRealKpi" and errors else None

    run(poller(server, sink))

    assert [t // 60 for t in server.times("getDevRealKpi")[:5]] == [0, 1, 2, 62, 63]
    assert sink.last["permitted", "getDevRealKpi"] == (True,)


def test_after_a_success_a_refused_permission_has_three_tries_again():
    server = account(hours=6)
    answers = ["401", "401", "401", None, "401", "401", "401"]

    def script(name, _):
        if name != "getDevRealKpi" or not answers:
            return None
        return refused("401", PARKED) if answers.pop(0) else None

    server.script = script
    run(poller(server))

    assert [t // 60 for t in server.times("getDevRealKpi")[:8]] == [0, 1, 2, 62, 63, 64, 65, 125]


def test_a_permission_is_about_the_interface_whatever_type_was_asked_for():
    server = account(devices={1: 2, 39: 2}, hours=1.5)
    server.script = lambda name, _: refused("401", PARKED) if name == "getDevRealKpi" else None

    run(poller(server))

    assert [t // 60 for t in server.times("getDevRealKpi")] == [0, 1, 2, 62]


@pytest.mark.parametrize("code", ["20009", "20013"])
def test_kpis_that_are_not_configured_park_their_device_type_only(code):
    server, sink = account(devices={1: 2, 39: 2}, hours=6), Sink()
    server.script = lambda _, body: refused(code, PARKED) if body.get("devTypeId") == "39" else None

    run(poller(server, sink))

    asked = [call[2]["devTypeId"] for call in server.paths("getDevRealKpi")]
    assert asked.count("39") == 5
    assert asked.count("1") > 340
    assert sink.last["unanswered", "getDevRealKpi"] == (2,)


def test_plant_kpis_that_are_not_configured_park_the_interface():
    server = account(hours=2.5)
    server.script = lambda name, _: (
        refused("20009", PARKED) if name == "getStationRealKpi" else None
    )

    run(poller(server))

    assert [t // 60 for t in server.times("getStationRealKpi")] == [0, 1, 2, 62]


def test_refused_for_its_frequency_an_interface_waits_longer_each_time():
    server = account(hours=1)
    server.script = lambda name, _: (
        refused("407", Reaction.BACK_OFF) if name == "getDevRealKpi" else None
    )

    run(poller(server))

    minutes = [t // 60 for t in server.times("getDevRealKpi")]
    assert minutes == [0, 1, 3, 7, 15, 31]
    assert len(server.paths("getStationRealKpi")) > 55


def test_each_success_halves_the_wait():
    server = account(hours=1)
    answers = ["407", "407", "407", None, "407", None, None, None, "407"]

    def script(name, _):
        if name != "getDevRealKpi" or not answers:
            return None
        return refused("407", Reaction.BACK_OFF) if answers.pop(0) else None

    server.script = script
    run(poller(server))

    times = server.times("getDevRealKpi")
    gaps = [round((b - a) / 60) for a, b in pairwise(times)]
    assert gaps[:9] == [1, 2, 4, 1, 4, 1, 1, 1, 1]


def test_a_call_that_failed_waits_for_its_next_turn():
    server = account(devices={1: 150}, hours=0.2)
    errors = [refused("http_502", Reaction.NEXT_TURN, enveloped=False)]
    server.script = lambda name, _: errors.pop() if name == "getDevRealKpi" and errors else None

    run(poller(server))

    asked = [ids[0] for ids in server.asked("getDevRealKpi")]
    assert asked[:4] == ["100000", "100100", "100000", "100100"]


def test_after_a_pause_calls_keep_their_distance_instead_of_catching_up():
    server = account(
        devices=dict.fromkeys((1, 14, 38, 15, 10, 17, 47, 39), 2), edition="v6", hours=4
    )
    errors = [refused("http_429", Reaction.PAUSE, enveloped=False)] * 4

    def script(_, __):
        return errors.pop() if errors and server.clock.now() > 1_000 + HOUR else None

    server.script = script
    run(poller(server))

    times = [call[0] - 1_000 for call in server.paths("getDevRealKpi")]
    resumed = next(t for t in times if t > 2 * HOUR)
    gaps = [b - a for a, b in pairwise(t for t in times if resumed <= t < resumed + HOUR)]
    assert sum(gap < 0.9 * 300 / 8 for gap in gaps) <= 2


# --- what is told ---


def test_an_account_is_down_after_three_calls_without_a_proper_answer():
    server = account(hours=1.5)
    ups = []
    sink = Sink()
    sink.up = lambda *, up: ups.append((up, int(server.clock.now() - 1_000)))

    def silent(name, _):
        return (
            refused("http_502", Reaction.NEXT_TURN, enveloped=False)
            if name != "login" and server.clock.now() > 1_000 + HOUR
            else None
        )

    server.script = silent
    run(poller(server, sink))

    silent_calls = [call[0] - 1_000 for call in server.calls if call[3] == "http_502"]
    first_down = next(time for up, time in ups if not up)
    assert ups[0] == (True, 0)
    assert first_down == int(silent_calls[2])
    assert ups[-1][0] is False


def test_an_answer_that_refuses_is_an_answer():
    server, sink = account(hours=1), Sink()
    server.script = lambda name, _: (
        refused("20004", Reaction.NEXT_TURN) if name.endswith("Kpi") else None
    )

    run(poller(server, sink))

    assert sink.last["up",] == (True,)


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
    assert walker.waiting == ("not logged in yet",)
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
    server, sink = account(devices={1: 250}, edition="v6", hours=0.5), Sink()

    run(poller(server, sink))

    assert sink.last["plan", "getDevRealKpi"] == {"pace": 100.0, "walk": 300.0, "max_age": 900.0}
    assert sink.last["plan", "getStationRealKpi"] == {
        "pace": 300.0,
        "walk": 300.0,
        "max_age": 1_500.0,
    }


def test_members_left_out_of_an_answer_are_counted():
    server, sink = account(devices={1: 5}, hours=0.1), Sink()
    original = server.answer_getDevRealKpi
    server.answer_getDevRealKpi = lambda body: original(body)[:3]

    run(poller(server, sink))

    assert sink.last["unanswered", "getDevRealKpi"] == (2,)


def test_a_faster_edition_is_pointed_out_once():
    server = account(devices=dict.fromkeys((1, 14, 38, 15, 10, 17, 47), 2), edition="safe")

    with capture_logs() as logs:
        run(poller(server))

    hints = [entry for entry in logs if "limits: v6" in entry["event"]]
    assert [entry["interfaces"] for entry in hints] == ["getDevRealKpi"]


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


def test_a_bug_of_ours_is_logged_and_survived():
    server = account(hours=0.2)
    sink = Sink()
    bugs = [ValueError("a bug")]

    def readings(*_):
        if bugs:
            raise bugs.pop()
        sink.told["readings"] += 1

    sink.readings = readings
    with capture_logs() as logs:
        run(poller(server, sink))

    assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == [
        "bug in the poller, going on"
    ]
    assert sink.told["readings"] > 5


def test_the_thread_ends_when_the_clock_says_so():
    server = account(hours=0.2)
    server.clock.wait = lambda _: True

    poller(server).run()

    assert server.calls[0][1] == "login"
    with pytest.raises(EndOfDays):
        server.clock.advance(10**6)
