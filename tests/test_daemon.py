"""The whole daemon as a process, against the simulator, over real sockets."""

import re
import signal
import socket
import subprocess
from collections import Counter
from contextlib import ExitStack

import pytest
from daemon import PASSWORD, account, devices_on, exporter, refusals, serving, system
from prometheus.promtool import check_metrics, needs_promtool

from exporter.catalogue.index import ROWS
from exporter.simulator.http.system import User
from exporter.simulator.world.fleet import Fleet

pytestmark = pytest.mark.slow

REALTIME_TYPES = {row.device_type for row in ROWS if row.device_type is not None}


def series(page):
    return [line.rsplit(" ", 1)[0] for line in page.splitlines() if not line.startswith("#")]


def test_every_device_is_on_the_page_and_no_call_was_refused(tmp_path):
    management = system()
    with serving(management) as server, exporter(tmp_path, [account(server.url)]) as daemon:
        page = daemon.ready().page()

        polled = {
            str(d.id)
            for d in management.fleet.devices.values()
            if d.type_id in REALTIME_TYPES and d.type_id != 17  # a grid meter has no run_state
        }
        assert devices_on(page) == polled
        assert len(re.findall("^fusionsolar_device_info", page, re.MULTILINE)) == len(
            management.fleet.devices
        )
        assert max(Counter(series(page)).values()) == 1
        assert daemon.value('fusionsolar_up{account="home"}') == 1
        assert daemon.value('fusionsolar_plants{account="home"}') == 6
    assert set(refusals(management).values()) == {0}


@needs_promtool
def test_promtool_has_nothing_to_say(tmp_path):
    with serving(system()) as server, exporter(tmp_path, [account(server.url)]) as daemon:
        page = daemon.ready().page()

    assert check_metrics(page) == (0, "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_even_during_a_hanging_call(tmp_path, number):
    management = system()
    with serving(management) as server:
        management.faults.add("hang_before_headers", interface="getDevRealKpi")
        with exporter(tmp_path, [account(server.url, timeout="10m")]) as daemon:
            daemon.wait(lambda: management.calls.of("api", "getDevRealKpi").arrivals)

            assert daemon.stop(number) == 0
            assert daemon.log.splitlines()[-1].endswith("event=stopped")


def test_a_crowd_of_clients_leaves_calls_and_state_the_files_they_need(tmp_path):
    management, state = system(plants=1), {"state": {"directory": "state"}}
    calls = management.calls.of("api", "getDevRealKpi").arrivals
    with serving(management) as server, ExitStack() as crowd:
        daemon = crowd.enter_context(
            exporter(tmp_path, [account(server.url)], files=256, **state)
        ).ready()
        address = daemon.url.removeprefix("http://").split(":")
        for _ in range(400):
            crowd.enter_context(socket.create_connection(address))
        before = len(calls)
        daemon.wait(lambda: len(calls) > before + 5)

        assert daemon.log.count("too many connections") == 1
        assert "state cannot be kept" not in daemon.log
        assert "call failed" not in daemon.log
        assert "accept" not in daemon.log


def test_an_unreachable_api_leaves_a_page_that_says_so(tmp_path):
    with serving(system()) as server:
        url = server.url  # nobody answers there afterwards
    with exporter(tmp_path, [account(url)]) as daemon:
        failures = (
            "fusionsolar_api_request_failures_total"
            '{account="home",interface="login",reason="connection"}'
        )
        daemon.wait(lambda: (daemon.value(failures) or 0) >= 2)

        assert daemon.value('fusionsolar_up{account="home"}') == 0
        assert daemon.get("/-/healthy") == (200, "Healthy.\n")
        status, reasons = daemon.get("/-/ready")
        assert (status, reasons.splitlines()[:2]) == (503, ["Not ready.", "home: not logged in"])


def test_it_starts_by_itself_when_the_api_comes_up(tmp_path):
    with serving(system()) as server:
        port = server.port
    with exporter(tmp_path, [account(f"http://127.0.0.1:{port}")]) as daemon:
        daemon.wait(lambda: "login failed" in daemon.log)
        with serving(system(), listening=[socket.create_server(("127.0.0.1", port))]):
            daemon.ready()

            assert daemon.value('fusionsolar_up{account="home"}') == 1


def test_a_wrong_password_is_named_and_not_tried_again_soon(tmp_path):
    management = system(users={"api": "another"})
    with serving(management) as server, exporter(tmp_path, [account(server.url)]) as daemon:
        daemon.wait(lambda: "credentials are refused" in daemon.get("/-/ready")[1])

        assert daemon.get("/-/ready")[0] == 503
        assert daemon.value('fusionsolar_api_logins_total{account="home"}') == 1


def test_an_account_whose_plants_are_withdrawn_is_named_and_its_plants_leave_the_page(tmp_path):
    management = system()
    withdrawn = "home: the plant list is empty: assign plants to the northbound account"
    with serving(management) as server, exporter(tmp_path, [account(server.url)]) as daemon:
        daemon.ready()
        management.users["api"] = User(PASSWORD, plants=frozenset())
        management.fleet = Fleet([])
        daemon.wait(lambda: withdrawn in daemon.get("/-/ready")[1])

        assert daemon.get("/-/ready")[0] == 200
        assert daemon.value('fusionsolar_plants{account="home"}') == 0
        assert "fusionsolar_plant_info" not in daemon.page()
        assert 'event="plants are gone from the list"' in daemon.log
        assert "No plants" in daemon.get("/")[1]


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """A management system and a daemon on it, for tests that leave both as they were."""
    management = system(plants=2)
    with (
        serving(management) as server,
        exporter(tmp_path_factory.mktemp("running"), [account(server.url, timeout="1s")]) as daemon,
    ):
        daemon.ready()
        yield management, daemon
    assert set(refusals(management).values()) == {0}


def read_since(daemon, before):
    code = re.search('fusionsolar_plant_info{.*plant_code="([^"]+)"', before)[1]
    name = f'fusionsolar_plant_last_reading_timestamp_seconds{{account="home",plant_code="{code}"}}'
    last = float(re.search(rf"^{re.escape(name)} (\S+)$", before, re.MULTILINE)[1])
    return daemon.value(name) > last


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        ("fail_code", 20004, "20004"),
        ("fail_code_in_data", 20004, "20004"),
        ("http_status", 400, "http_400"),
        ("http_status", 404, "http_404"),
        ("http_status", 500, "http_500"),
        ("http_status", 503, "http_503"),
        ("reset_before_headers", None, "connection"),
        ("reset_in_body", None, "connection"),
        ("hang_before_headers", None, "timeout"),
        ("hang_in_body", None, "timeout"),
        ("drip", None, "timeout"),
        ("short_body", None, "connection"),
        ("truncated_json", None, "malformed"),
        ("html", None, "malformed"),
        ("empty_body", None, "empty"),
        ("deep_nesting", None, "malformed"),
        ("data_as", "text", "malformed"),
        ("redirect", None, "redirect"),
        ("http_status", 401, "http_401"),
        ("session_stolen", None, "305"),
    ],
)
def test_a_fault_is_counted_and_costs_only_its_call(running, kind, value, reason):
    management, daemon = running
    failures = (
        "fusionsolar_api_request_failures_total"
        f'{{account="home",interface="getStationRealKpi",reason="{reason}"}}'
    )
    before = daemon.value(failures) or 0

    management.faults.add(kind, interface="getStationRealKpi", count=1, value=value)
    daemon.wait(lambda: (daemon.value(failures) or 0) > before)

    page = daemon.page()
    daemon.wait(lambda: read_since(daemon, page))
    assert daemon.value('fusionsolar_up{account="home"}') == 1


@pytest.mark.parametrize(
    "kind", ["content_type", "charset", "duplicate_keys", "lone_surrogates", "new_token",
             "odd_values", "unknown_keys", "null_map", "twice", "not_asked_for", "wrong_items"]
)  # fmt: skip
def test_an_odd_answer_is_read_for_what_is_good_in_it(running, kind):
    management, daemon = running
    calls = (
        'fusionsolar_api_request_duration_seconds_count{account="home",interface="getDevRealKpi"}'
    )
    failed = re.compile(
        "^fusionsolar_api_request_failures_total.*getDevRealKpi.* [^0].*", re.MULTILINE
    )
    failures = failed.findall(daemon.page())  # a session that was stolen before, say
    before = daemon.value(calls)

    fault = management.faults.add(kind, interface="getDevRealKpi", count=5)
    daemon.wait(lambda: daemon.value(calls) >= before + 5)

    page = daemon.page()
    assert fault not in management.faults.pending
    assert max(Counter(series(page)).values()) == 1
    assert failed.findall(page) == failures


def test_the_fleet_may_change_while_it_runs(tmp_path):
    management = system()
    fleet = management.fleet
    gone, moved, renamed = [d for d in fleet.devices.values() if d.type_id == 1][:3]
    target = next(code for code in fleet.plants if code != moved.plant_code)
    with serving(management) as server, exporter(tmp_path, [account(server.url)]) as daemon:
        daemon.ready()
        assert f'device_id="{gone.id}"' in daemon.page()

        fleet.remove_device(gone.id)
        fleet.move_device(moved.id, target)
        fleet.rename_device(renamed.id, 'say "cheese"\\\n')

        daemon.wait(lambda: f'device_id="{gone.id}"' not in daemon.page())
        daemon.wait(lambda: r'device_name="say \"cheese\"\\\n"' in daemon.page())
        daemon.wait(
            lambda: f'device_id="{moved.id}",plant_code="{moved.plant_code}"' not in daemon.page()
        )
        page = daemon.page()
        assert f'device_id="{moved.id}",plant_code="{target}"' in page
        assert max(Counter(series(page)).values()) == 1


def test_one_account_that_fails_leaves_the_others_alone(tmp_path):
    management = system(
        users={"api": User(PASSWORD, frozenset()), "other": User(PASSWORD)}, plants=2
    )
    with serving(management) as server:
        dead = account("http://127.0.0.1:9", name="dead")
        empty = account(server.url, name="empty")
        alive = account(server.url, name="alive", username="other")
        with exporter(tmp_path, [dead, empty, alive]) as daemon:
            daemon.wait(
                lambda: (
                    dict(re.findall(r"^(\w+): (\w+ \w+)", daemon.get("/-/ready")[1], re.MULTILINE))
                    == {"dead": "not logged", "empty": "the plant"}
                )
            )

            assert daemon.value('fusionsolar_up{account="dead"}') == 0
            assert daemon.value('fusionsolar_up{account="empty"}') == 1
            assert daemon.value('fusionsolar_plants{account="empty"}') == 0
            assert daemon.value('fusionsolar_plants{account="alive"}') == 2
    assert set(refusals(management).values()) == {0}


def test_a_new_account_reads_its_plants_page_by_page(tmp_path):
    management = system(
        users={"api": User(PASSWORD, refused=frozenset({"getStationList"}))}, plants=6
    )
    with serving(management) as server, exporter(tmp_path, [account(server.url)]) as daemon:
        daemon.ready()

        assert daemon.value('fusionsolar_plants{account="home"}') == 6


def test_no_secret_reaches_the_page_the_log_or_the_process_list(tmp_path):
    management = system(plants=2)
    tokens = []
    open_session = management.sessions.open

    def remember(*arguments, **more):
        tokens.append(open_session(*arguments, **more))
        return tokens[-1]

    management.sessions.open = remember
    with serving(management) as server:
        management.faults.add("session_stolen", interface="getDevRealKpi", probability=0.1)
        management.faults.add("truncated_json", probability=0.1)
        management.faults.add("no_token", interface="login", count=1)
        with exporter(tmp_path, [account(server.url)], "--log.level=debug") as daemon:
            daemon.ready()
            shown = daemon.page() + daemon.get("/")[1] + daemon.get("/-/ready")[1]
            command = subprocess.run(  # noqa: S603  # our own process, by its number
                ["ps", "-o", "args=", "-p", str(daemon.process.pid)],  # noqa: S607  # wherever it is
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            daemon.stop()

        everything = shown + command + daemon.log
        for secret in (PASSWORD, *map(str, tokens)):
            assert secret not in everything
        assert tokens
