"""The management system over real sockets."""

import http.client
import json
import socket
import ssl
import time
from datetime import UTC, datetime, timedelta

import pytest
import requests
import trustme

from exporter.simulator.http import app
from exporter.simulator.http.server import Server
from exporter.simulator.http.system import System
from exporter.simulator.world.fleet import build

pytestmark = pytest.mark.slow


def running(**options):
    """A server, not yet started, whose minutes are too short for any call to come early."""
    system = System(build(), clock=time.time, limits="classic", minute=1e-9)
    return Server(system, **options)


@pytest.fixture
def serve():
    servers = []

    def start(**options):
        server = running(**options).start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def session():
    with requests.Session() as made:
        made.trust_env = False
        yield made


def test_it_answers_at_each_address(serve, session):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    addresses = ["http://{}:{}".format(*each.getsockname()) for each in sockets]
    assert serve(listening=sockets).url == addresses[0]
    for address in addresses:
        answer = session.post(f"{address}/thirdData/getStationList", json={}, timeout=5.0)
        assert answer.json()["failCode"] == 305


def log_in(server, session):
    answer = post(server, session, "login", userName="demo", systemCode="demo")
    session.headers["XSRF-TOKEN"] = answer.headers["xsrf-token"]


def post(server, session, interface, timeout=5.0, **parameters):
    url = f"{server.url}/thirdData/{interface}"
    return session.post(url, json=parameters, timeout=timeout, allow_redirects=False)


@pytest.fixture(scope="module")
def running_server():
    with running() as server:
        yield server


@pytest.fixture
def connected(running_server, session):
    running_server.system.faults.clear()
    log_in(running_server, session)
    return running_server


def test_a_client_logs_in_and_reads(connected, session):
    plants = post(connected, session, "getStationList").json()["data"]
    assert plants[0]["stationName"] == "Haus Müller"
    assert session.cookies["XSRF-TOKEN"].strip('"') == session.headers["XSRF-TOKEN"]


def test_content_length_is_true_and_headers_come_once(connected, session):
    answer = post(connected, session, "getStationList")
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"


def test_other_paths_and_methods_are_http_errors(connected, session):
    assert session.get(connected.url + "/", timeout=5).status_code == 404
    answer = session.get(connected.url + "/thirdData/login", timeout=5)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


def test_two_systems_run_side_by_side(serve, session):
    first, second = serve(), serve()
    assert first.port != second.port
    for server in (first, second):
        assert post(server, session, "getStationList").json()["failCode"] == 305


def test_a_stopped_server_answers_no_more(serve, session):
    server = serve()
    server.stop()
    with pytest.raises(requests.ConnectionError):
        post(server, session, "getStationList")


def test_latency_delays_answers(serve, session):
    server = serve(latency=(30.0, 31.0))
    with pytest.raises(requests.ReadTimeout):
        post(server, session, "getStationList", timeout=0.3)


def faulty(server, session, kind):
    server.system.faults.add(kind, interface="getStationList")
    return post(server, session, "getStationList", timeout=0.4)


def test_a_connection_can_be_reset_before_the_headers(connected, session):
    with pytest.raises(requests.ConnectionError, match="reset"):
        faulty(connected, session, "reset_before_headers")


def test_a_connection_can_be_reset_in_the_body(connected, session):
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="reset"):
        faulty(connected, session, "reset_in_body")


def test_an_answer_can_hang_before_the_headers(connected, session):
    with pytest.raises(requests.ReadTimeout):
        faulty(connected, session, "hang_before_headers")


def test_an_answer_can_hang_in_the_body(connected, session):
    with pytest.raises(requests.ConnectionError, match="timed out"):
        faulty(connected, session, "hang_in_body")


def test_a_body_can_end_before_its_length(connected, session):
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        faulty(connected, session, "short_body")


def test_a_hang_ends_by_itself(connected, session, monkeypatch):
    monkeypatch.setattr(app, "MAX_HANG", 0.05)
    connected.system.faults.add("hang_before_headers", interface="getStationList")
    with pytest.raises(requests.ConnectionError, match="reset"):
        post(connected, session, "getStationList")


def test_a_body_can_drip(connected, session, monkeypatch):
    monkeypatch.setattr(app, "_DRIP_PAUSE", 0.001)
    connected.system.faults.add("drip", interface="getStationList", count=1)
    connected.system.faults.add("data_as", interface="getStationList", count=1, value=[])
    connection = http.client.HTTPConnection(connected.host, connected.port, timeout=5)
    connection.request("POST", "/thirdData/getStationList", headers=dict(session.headers))
    answer = connection.getresponse()
    pieces = iter(lambda: answer.read1(65_536), b"")
    received = list(pieces)
    connection.close()
    assert len(received) > 20
    assert json.loads(b"".join(received))["data"] == []


def test_a_drip_ends_when_nobody_listens(connected, session):
    connected.system.faults.add("drip", interface="getStationList", count=1)
    with pytest.raises(requests.ConnectionError):
        post(connected, session, "getStationList", timeout=0.2)
    session.headers["XSRF-TOKEN"] = ""
    log_in(connected, session)
    assert post(connected, session, "getStationList").json()["success"] is True


@pytest.mark.parametrize("kind", ["huge_body", "gzip_bomb"])
def test_large_bodies_travel_whole(connected, session, kind):
    connected.system.faults.add(kind, interface="getStationList", value=3_000_000)
    answer = post(connected, session, "getStationList")
    assert len(answer.content) > 3_000_000
    assert answer.json()["success"] is True


@pytest.mark.parametrize(
    ("kind", "value", "status"), [("redirect", None, 307), ("http_status", 503, 503)]
)
def test_statuses_travel(connected, session, kind, value, status):
    connected.system.faults.add(kind, interface="getStationList", value=value)
    assert post(connected, session, "getStationList").status_code == status


def test_a_keep_alive_connection_survives_an_empty_body(connected, session):
    connected.system.faults.add("empty_body", interface="getStationList", count=1)
    assert post(connected, session, "getStationList").content == b""
    assert post(connected, session, "getDevList").json()["failCode"] == 20010


@pytest.fixture
def authority():
    return trustme.CA()


@pytest.fixture
def serve_tls(serve, authority):
    def start(*names, **options):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*names, **options).configure_cert(context)
        return serve(tls=context)

    return start


@pytest.fixture
def trusting(session, authority, tmp_path):
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    session.verify = str(tmp_path / "ca.pem")
    return session


def test_a_server_speaks_tls(serve_tls, trusting):
    server = serve_tls("127.0.0.1")
    assert server.url == f"https://127.0.0.1:{server.port}"
    log_in(server, trusting)
    assert post(server, trusting, "getStationList").json()["success"] is True
    with pytest.raises(requests.ConnectionError, match="aborted"):
        faulty(server, trusting, "reset_before_headers")


def test_a_certificate_can_be_unknown_expired_or_of_another_host(serve_tls, session, trusting):
    session.verify, known = True, session.verify
    with pytest.raises(requests.exceptions.SSLError, match="unable to get local issuer"):
        post(serve_tls("127.0.0.1"), session, "getStationList")
    session.verify = known
    with pytest.raises(requests.exceptions.SSLError, match=r"mismatch|doesn't match"):
        post(serve_tls("other.example"), trusting, "getStationList")
    yesterday = datetime.now(UTC) - timedelta(days=1)
    expired = serve_tls("127.0.0.1", not_after=yesterday)
    with pytest.raises(requests.exceptions.SSLError, match="expired"):
        post(expired, trusting, "getStationList")


def test_a_server_listens_where_told(serve, session):
    try:
        listening = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    server = serve(listening=[listening])
    assert server.url == f"http://[::1]:{server.port}"
    assert post(server, session, "getStationList").json()["failCode"] == 305


@pytest.fixture
def controlled(serve):
    return serve(control=True)


def test_the_control_door_is_shut_unless_asked_for(connected, session):
    assert session.get(connected.url + "/simulator/calls", timeout=5).status_code == 404


def test_faults_come_and_go_by_the_control_door(controlled, session):
    url = controlled.url + "/simulator/faults"
    fault = {"kind": "http_status", "value": 502, "count": 3, "members": ["NE=1"]}
    assert session.post(url, json=fault, timeout=5).json() == {
        "kind": "http_status",
        "interface": "*",
        "account": "*",
        "count": 3,
        "every": 1,
        "met": 0,
        "probability": 1.0,
        "value": 502,
        "members": ["NE=1"],
    }
    assert [fault.value for fault in controlled.system.faults.pending] == [502]
    assert session.delete(url, timeout=5).status_code == 204
    assert controlled.system.faults.pending == ()


@pytest.mark.parametrize("body", [{"kind": "flood"}, {}, {"kind": "html", "colour": 1}])
def test_a_wrong_fault_is_refused(controlled, session, body):
    answer = session.post(controlled.url + "/simulator/faults", json=body, timeout=5)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])


def test_the_fleet_changes_by_the_control_door(controlled, session):
    def change(**changes):
        return session.post(
            controlled.url + "/simulator/fleet", json=changes, timeout=5
        ).status_code

    plant = {"code": "NE=9", "name": "A", "capacity_kw": 1, "latitude": 0, "longitude": 0}
    fleet = controlled.system.fleet
    meter = {"id": 9, "name": "M", "type_id": 47, "plant_code": "NE=9"}
    home = next(iter(fleet.plants))
    assert change(do="add_plant", **plant) == 204
    assert change(do="rename_plant", code="NE=9", name="B") == 204
    assert change(do="add_device", **meter) == 204
    assert change(do="rename_device", device_id=9, name="N") == 204
    assert fleet.plants["NE=9"].name == "B"
    assert [(d.id, d.name) for d in fleet.plants["NE=9"].devices] == [(9, "N")]
    assert change(do="move_device", device_id=9, plant_code=home) == 204
    assert fleet.devices[9].plant_code == home
    assert change(do="remove_device", device_id=9) == 204
    assert change(do="remove_plant", code="NE=9") == 204
    assert "NE=9" not in fleet.plants
    assert change(do="remove_plant", code="NE=9") == 400
    assert change(do="paint") == 400


def test_alarms_come_and_go_by_the_control_door(controlled, session):
    def change(**changes):
        return session.post(controlled.url + "/simulator/alarms", json=changes, timeout=5)

    def status():
        now = round(time.time() * 1000)
        asked = {"beginTime": now - 60_000, "endTime": now + 1, "language": "en_US"}
        codes = ",".join(controlled.system.fleet.plants)
        alarms = post(controlled, session, "getAlarmList", stationCodes=codes, **asked).json()
        return [item["status"] for item in alarms["data"] if item["alarmName"] == "Test"]

    log_in(controlled, session)
    device = next(iter(controlled.system.fleet.devices))
    raised = change(**{"raise": {"device_id": device, "name": "Test", "level": 1}})
    assert raised.json() == {"number": 1}
    assert status() == [1]
    assert change(acknowledge=1).status_code == 204
    assert status() == [2]
    assert change(clear=1).status_code == 204
    assert status() == [6]


@pytest.mark.parametrize(
    "body",
    [{}, {"clear": 7}, {"raise": {}}, {"raise": {"device_id": 0}}, {"ring": 1}, [], {"clear": []},
     {"raise": {"device_id": 1, "colour": 1}}],
)  # fmt: skip
def test_a_wrong_alarm_is_refused(controlled, session, body):
    answer = session.post(controlled.url + "/simulator/alarms", json=body, timeout=5)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])


def test_a_refusal_says_what_is_not_there(controlled, session):
    url = controlled.url + "/simulator"
    for path, body in (
        ("alarms", {"clear": 7}),
        ("fleet", {"do": "remove_device", "device_id": 7}),
    ):
        answer = session.post(f"{url}/{path}", json=body, timeout=5)
        assert (answer.status_code, answer.json()) == (400, {"error": "there is no 7"})


def test_the_calls_are_told_by_the_control_door(controlled, session):
    log_in(controlled, session)
    post(controlled, session, "getStationList")
    calls = session.get(controlled.url + "/simulator/calls", timeout=5).json()
    seen = [(row["account"], row["interface"], len(row["arrivals"])) for row in calls]
    assert seen == [("demo", "getStationList", 1), ("demo", "login", 1)]
    assert [row["refusals"] for row in calls] == [[], []]
