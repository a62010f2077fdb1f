"""The forms that servers give the plant list in, and what is made of those that are refused."""

from itertools import groupby
from math import ceil

import pytest
from account.world import DAY, HOUR, PARKED, SELDOM, View, account, poller, refused, run
from structlog.testing import capture_logs

from exporter.account.database import Database
from exporter.northbound.errors import Reaction, fail_code_error, status_error

pytestmark = pytest.mark.slow

NEXT = Reaction.NEXT_TURN
LISTS = ("getStationList", "stations")


def pages(server, *, cut=None, tell=(), **counts):
    """A list in pages, of a size of the server's own to `cut` them to, that tells some counts."""

    def answer(body):
        number, size = body.get("pageNo", 1), cut or body.get("pageSize", 100)
        codes = list(server.plants)
        known_counts = {"pageCount": ceil(len(codes) / size), "total": len(codes)} | counts
        return {
            "list": [
                {"plantCode": code, "plantName": code}
                for code in codes[(number - 1) * size : number * size]
            ],
            **{name: known_counts[name] for name in (*tell, *counts)},
        }

    return answer


def newer(server, answer):
    """An account that has only the paged list."""
    server.answer_stations = answer
    server.script = lambda name, _: refused("401", PARKED) if name == "getStationList" else None
    return server


def asked(server):
    """How the list was asked for: interface, page and page size."""
    return [
        (name, body.get("pageNo"), body.get("pageSize"))
        for _, name, body, _ in server.calls
        if name in LISTS
    ]


def numbers(server):
    """The pages that were asked for."""
    return [page for _, page, _ in asked(server) if page]


def plants_of(view):
    return len(view.last["fleet"][0])


def events(logs, event):
    return [entry for entry in logs if entry["event"] == event]


SHORT = "the list gave fewer items than it counts; whatever it left out is kept"


# --- what a server wants -------------------------------------------------------------------------


@pytest.mark.parametrize("code", [30004, 30005, 30006, 30030])
def test_a_list_that_needs_a_page_size_is_asked_for_in_pages(code):
    server, view = account(plants=3, devices={}, hours=1), View()
    server.script = lambda name, body: (
        fail_code_error(code) if name == "getStationList" and not body else None
    )

    run(poller(server, view))

    assert asked(server) == [
        ("getStationList", None, None),
        ("getStationList", 1, 100),
        ("getStationList", 2, 100),  # as the first told nothing about others
    ]
    assert plants_of(view) == 3


def test_a_gateway_that_refuses_the_whole_list_is_asked_for_pages():
    server, view = account(plants=3, devices={}, hours=1, edition="v6"), View()
    server.answer_getStationList = pages(server, tell=("pageCount", "total"))
    server.script = lambda name, body: (
        status_error(400) if name == "getStationList" and not body else None
    )

    run(poller(server, view))

    assert asked(server) == [("getStationList", None, None), ("getStationList", 1, 100)]
    assert plants_of(view) == 3


def test_where_the_classic_list_refuses_pages_as_well_the_newer_one_is_asked_for():
    server, view = account(plants=3, devices={}, hours=1, edition="v6"), View()
    server.script = lambda name, _: status_error(400) if name == "getStationList" else None

    run(poller(server, view))

    assert asked(server) == [
        ("getStationList", None, None),
        ("getStationList", 1, 100),
        ("stations", 1, 100),
    ]
    assert plants_of(view) == 3


@pytest.mark.parametrize("error", [fail_code_error(30006), status_error(400)])
def test_a_page_size_that_is_refused_becomes_smaller(error):
    server, view = account(plants=25, devices={}, hours=1), View()
    newer(server, server.answer_stations)
    permitted = server.script
    server.script = lambda name, body: (
        permitted(name, body) or (error if name == "stations" and body["pageSize"] > 10 else None)
    )

    run(poller(server, view))

    sizes = [size for _, _, size in asked(server) if size]
    assert sizes == [100, 50, 30, 20, 10, 10, 10]
    assert plants_of(view) == 25


def test_a_list_too_large_for_one_answer_is_read_in_pages():
    server, view = account(plants=250, devices={}, hours=1), View()
    server.answer_getStationList = pages(server, tell=("pageCount",))
    server.script = lambda name, body: (
        refused("too_large", NEXT, enveloped=False)
        if name == "getStationList" and not body
        else None
    )

    run(poller(server, view))

    assert numbers(server) == [1, 2, 3]
    assert plants_of(view) == 250


# --- where a list ends ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tell", "counts", "read"),
    [
        (("pageCount", "total"), {}, [1, 2, 3]),
        (("total",), {}, [1, 2, 3]),
        ((), {"total": "60"}, [1, 2, 3]),
        ((), {"pageCount": 0, "total": 60}, [1, 2, 3]),
        ((), {"pageCount": 1, "total": 60}, [1, 2, 3]),
        ((), {"pageCount": 1}, [1, 2, 3, 4]),
        ((), {"total": 20}, [1, 2, 3, 4]),
        ((), {}, [1, 2, 3, 4]),
    ],
)
def test_a_server_that_cuts_pages_to_twenty_is_read_to_its_end(tell, counts, read):
    server, view = account(plants=60, devices={}, hours=1), View()
    newer(server, pages(server, cut=20, tell=tell, **counts))

    with capture_logs() as logs:
        run(poller(server, view))

    assert numbers(server) == read
    assert plants_of(view) == 60
    assert events(logs, SHORT) == []


@pytest.mark.parametrize("tell", [("pageCount",), ("total",), ("pageCount", "total")])
def test_a_home_with_one_plant_costs_one_call(tell):
    server, view = account(plants=1, devices={}, hours=1), View()
    newer(server, pages(server, tell=tell))

    run(poller(server, view))

    assert numbers(server) == [1]
    assert plants_of(view) == 1


def test_a_server_that_ignores_pages_and_gives_the_whole_list_again_is_read_twice():
    server, view = account(plants=60, devices={}, hours=1), View()
    newer(server, server.answer_getStationList)

    with capture_logs() as logs:
        run(poller(server, view))

    assert numbers(server) == [1, 2]
    assert plants_of(view) == 60
    assert events(logs, SHORT) == []


@pytest.mark.parametrize("code", [30004, 30005, 30006, 30030])
def test_a_page_behind_the_last_that_is_refused_ends_the_list(code):
    server, view = account(plants=60, devices={}, hours=13), View()
    newer(server, pages(server, cut=20))
    permitted = server.script
    server.script = lambda name, body: (
        permitted(name, body) or (fail_code_error(code) if body.get("pageNo") == 4 else None)
    )
    walker = poller(server, view, every=SELDOM)

    with capture_logs() as logs:
        run(walker)

    assert numbers(server) == [1, 2, 3, 4] * 3
    assert plants_of(view) == 60
    assert walker.ready
    assert events(logs, "call failed") == []


def test_pages_that_a_classic_list_promises_and_does_not_have_leave_what_it_gave():
    server, view = account(plants=60, devices={}, hours=1), View()
    whole = pages(server, cut=20, tell=("total",))
    server.answer_getStationList = whole
    server.script = lambda _, body: fail_code_error(30006) if "pageSize" in body else None
    walker = poller(server, view)

    with capture_logs() as logs:
        run(walker)

    assert plants_of(view) == 20
    assert walker.ready
    assert [entry["missing"] for entry in events(logs, SHORT)] == [40]


# --- lists that are not whole --------------------------------------------------------------------


def test_plants_that_a_list_counts_and_does_not_give_are_missed_aloud_and_kept():
    server, view = account(plants=60, devices={}, hours=31), View()
    newer(server, pages(server, cut=20, tell=("total",)))
    fine = server.answer_stations

    def forgetful(body):
        late = server.clock.now() > 1_000 + 5 * HOUR
        return fine({**body, "pageNo": 1} if late else body)

    server.answer_stations = forgetful

    with capture_logs() as logs:
        run(poller(server, view, every=SELDOM))

    assert plants_of(view) == 60
    entries = events(logs, SHORT)
    assert [(each["missing"], each["log_level"]) for each in entries] == [(40, "warning")]
    assert numbers(server) == [1, 2, 3] + [1, 2] * 5


def test_a_server_that_repeats_its_first_page_of_several_takes_no_plant_away():
    server, view = account(plants=60, devices={}, hours=31), View()
    newer(server, pages(server, cut=20, tell=("pageCount",)))
    fine = server.answer_stations
    server.answer_stations = lambda body: fine(
        {**body, "pageNo": 1} if server.clock.now() > 1_000 + 5 * HOUR else body
    )

    with capture_logs() as logs:
        run(poller(server, view, every=SELDOM))

    assert plants_of(view) == 60
    assert [entry["missing"] for entry in events(logs, SHORT)] == ["unknown"]


def test_a_list_that_is_whole_again_says_so():
    server = account(plants=60, devices={}, hours=13)
    newer(server, pages(server, cut=20, tell=("total",)))
    fine = server.answer_stations
    server.answer_stations = lambda body: fine(
        {**body, "pageNo": 1} if server.clock.now() < 1_000 + 5 * HOUR else body
    )

    with capture_logs() as logs:
        run(poller(server, every=SELDOM))

    assert len(events(logs, SHORT)) == 1
    assert len(events(logs, "the list is complete again")) == 1


@pytest.mark.parametrize(("counts", "missing"), [({"total": 7}, 4), ({"pageCount": 2}, "unknown")])
def test_devices_that_a_list_counts_and_does_not_give_are_missed_aloud_and_kept(counts, missing):
    server, view = account(devices={1: 7}, hours=31), View()
    fine = server.answer_getDevList

    def short(body):
        late = server.clock.now() > 1_000 + 5 * HOUR
        return {"list": fine(body)[:3], **counts} if late else fine(body)

    server.answer_getDevList = short

    with capture_logs() as logs:
        run(poller(server, view, every=SELDOM))

    assert len(view.last["fleet"][1]) == 7
    assert [entry["missing"] for entry in events(logs, SHORT)] == [missing]


# --- what is remembered --------------------------------------------------------------------------


def test_a_form_that_worked_is_used_first_and_the_whole_list_tried_once_a_day():
    server = account(plants=3, devices={}, hours=49, edition="v6")
    server.answer_getStationList = pages(server, tell=("pageCount", "total"))
    server.script = lambda name, body: (
        fail_code_error(30006)
        if name == "getStationList" and body.get("pageSize", 100) > 30
        else None
    )

    run(poller(server, every=SELDOM))

    sizes = [size for _, _, size in asked(server)]
    first_day, second_day = [None, 100, 50, 30, 30, 30, 30, 30], [None, 30, 30, 30, 30]
    assert sizes == first_day + second_day


def test_a_form_that_worked_survives_a_restart(path):
    for _ in range(2):
        server = account(plants=3, devices={}, hours=1)
        server.script = lambda name, _: status_error(400) if name == "getStationList" else None
        database = Database(path)
        run(poller(server, database=database, every={"getStationList": 600.0}))
        database.close()

    assert set(asked(server)) == {("stations", 1, 100)}


def test_a_refusal_of_another_kind_is_not_repeated_for_ever():
    server, view = account(plants=3, devices={}, hours=2), View()
    server.script = lambda name, body: (
        fail_code_error(20004) if name == "getStationList" and not body else None
    )

    run(poller(server, view))

    assert asked(server)[:4] == [("getStationList", None, None)] * 3 + [("getStationList", 1, 100)]
    assert plants_of(view) == 3


@pytest.mark.parametrize("reason", ["timeout", "connection", "http_503", "malformed"])
def test_an_outage_says_nothing_about_the_form(reason):
    server = account(plants=3, devices={}, hours=12)
    server.script = lambda name, _: (
        refused(reason, NEXT, enveloped=False) if name == "getStationList" else None
    )

    run(poller(server, every=SELDOM))

    assert set(asked(server)) == {("getStationList", None, None)}


def test_a_server_that_refuses_every_form_is_asked_for_each_once_and_then_ever_more_rarely():
    server = account(plants=3, devices={}, hours=24, edition="v6")
    server.script = lambda name, _: status_error(400) if name in LISTS else None

    run(poller(server, every=SELDOM))

    tried = asked(server)
    assert len(set(tried[:11])) == 11
    assert server.refused == []
    assert len(tried) <= 24
    assert [len(list(same)) for _, same in groupby(tried)] == [1] * len(tried)


def test_a_list_that_is_granted_after_all_is_found_again():
    server, view = account(plants=3, devices={}, hours=72, edition="v6"), View()
    closed = [True]
    server.script = lambda name, _: status_error(400) if closed and name in LISTS else None
    advance = server.clock.advance

    def advance_until_open(seconds):
        advance(seconds)
        if server.clock.now() > 1_000 + DAY:
            closed.clear()

    server.clock.advance = advance_until_open
    run(poller(server, view, every=SELDOM))

    assert plants_of(view) == 3
