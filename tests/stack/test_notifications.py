"""One cause makes one message: the example for Alertmanager, with a real one."""

import json
import socket
import subprocess
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.request import Request, urlopen

import pytest
from prometheus.promtool import ALERTS, ROOT
from stack.services import TIMEOUT, get

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("servers")]

EXAMPLE = ROOT / "prometheus" / "alertmanager.yml"
EXPORTER = {"job": "fusionsolar", "instance": "exporter:10052"}
PLANT = {"plant_code": "NE=1", "plant_name": "Harbour"}
DEVICE = PLANT | {"device_id": "1", "device_name": "Inverter 1"}
OTHER = PLANT | {"device_id": "2", "device_name": "Inverter 2"}
BATTERY = PLANT | {"device_id": "3", "device_name": "Battery"}
STRING = DEVICE | {"string": "2"}
STALE = {"interface": "getDevRealKpi"}

# What fires together of one cause, or of two, and what is told of it.
CASES = {
    "an exporter that is down": (
        [
            ("ExporterDown", EXPORTER),
            ("AccountDown", EXPORTER),
            ("InverterSilent", EXPORTER | DEVICE),
        ],
        {"ExporterDown"},
    ),
    "a refused password": (
        [
            ("AccountRefused", {}),
            ("AccountDown", {}),
            ("DataTooOld", STALE),
        ],
        {"AccountRefused"},
    ),
    "a management system that is down": (
        [("AccountDown", {}), ("DataTooOld", STALE), ("PlantSilent", PLANT)],
        {"AccountDown"},
    ),
    "an interface that is not granted": (
        [("InterfaceNotPermitted", STALE), ("DataTooOld", STALE)],
        {"InterfaceNotPermitted"},
    ),
    "a plant without connection": (
        [("PlantDisconnected", PLANT), ("MeterOffline", OTHER), ("InverterSilent", DEVICE)],
        {"PlantDisconnected"},
    ),
    "a tripped main breaker": (
        [
            ("PlantSilent", PLANT),
            ("InverterNotConnected", DEVICE),
            ("InverterNotConnected", OTHER),
            ("BatteryNotCharging", BATTERY),
            ("StringOut", STRING),
        ],
        {"PlantSilent"},
    ),
    "an inverter that has shut down": (
        [
            ("InverterShutDown", DEVICE),
            ("InverterSilent", DEVICE),
            ("InverterUnderPeers", DEVICE),
            ("StringOut", STRING),
        ],
        {"InverterShutDown"},
    ),
    "an inverter whose readings stand": (
        [("InverterStuck", DEVICE), ("InverterUnderBest", DEVICE), ("StringWeak", STRING)],
        {"InverterStuck"},
    ),
    "a dead string": (
        [
            ("StringOut", STRING),
            ("StringWeak", STRING),
            ("InverterUnderPeers", DEVICE),
            ("InverterDeclining", DEVICE),
        ],
        {"StringOut"},
    ),
    "a storm of alarms": (
        [("AlarmStorm", PLANT), ("AlarmCritical", DEVICE), ("AlarmCritical", OTHER)],
        {"AlarmStorm"},
    ),
    "two causes at one plant": (
        [("InverterSilent", DEVICE), ("InverterUnderPeers", OTHER), ("StringWeak", STRING)],
        {"InverterSilent", "InverterUnderPeers"},
    ),
}


class Receiver(ThreadingHTTPServer):
    """Receives the messages, each as the labels of its alerts."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.messages = []

    def cases(self):
        """The cases in the messages."""
        return {alert["case"] for message in self.messages for alert in message}


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.messages.append([alert["labels"] for alert in message["alerts"]])
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


@contextmanager
def receiver():
    with Receiver() as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@contextmanager
def alertmanager(folder, webhook):
    """An Alertmanager with the example, whose groups wait for a moment; gives its URL."""
    text = EXAMPLE.read_text("utf-8")
    replacements = {
        "localhost:9099": f"127.0.0.1:{webhook}",
        "templates/*.tmpl": f"{ROOT}/prometheus/templates/*.tmpl",
        "group_wait: 1m": "group_wait: 2s",
        "group_wait: 10s": "group_wait: 2s",
        "weekdays: [sunday]": "years: ['1971']",  # a service is not now
    }
    for before, after in replacements.items():
        assert before in text
        text = text.replace(before, after)
    (folder / "alertmanager.yml").write_text(text, "utf-8")
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [
        "prometheus-alertmanager",
        f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
    ]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603  # Debian's
    try:
        wait_until(lambda: is_ready(address))
        yield f"http://{address}"
    finally:
        server.kill()
        server.wait()


def is_ready(address):
    try:
        return get(f"http://{address}/-/ready")
    except OSError:
        return None


def wait_until(condition):
    end = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < end, "the condition did not hold in time"
        time.sleep(0.1)


def raise_alerts(url, alerts):
    request = Request(  # noqa: S310  # because it is loopback
        f"{url}/api/v2/alerts", json.dumps(alerts).encode(), {"Content-Type": "application/json"}
    )
    with urlopen(request, timeout=10):  # noqa: S310  # because it is loopback
        pass


def alert(name, labels, case):
    name = f"FusionSolar{name}"
    all_labels = {"alertname": name, "case": case, **ALERTS[name]["labels"], **labels}
    if "Exporter" not in name:
        all_labels["account"] = case
    return {"labels": all_labels, "annotations": ALERTS[name]["annotations"]}


@pytest.fixture(scope="module")
def messages(servers, tmp_path_factory):  # noqa: ARG001  # for its skip
    """The messages of all cases at once, each of an account of its own."""
    alerts = [alert(*each, case) for case, (causes, _) in CASES.items() for each in causes]
    folder = tmp_path_factory.mktemp("alertmanager")
    with receiver() as webhook, alertmanager(folder, webhook.server_port) as url:
        raise_alerts(url, alerts)
        wait_until(lambda: webhook.cases() >= CASES.keys())
        # When a later group is notified, all groups that began before it have been.
        raise_alerts(url, [alert("SessionStolen", {}, "later")])
        wait_until(lambda: "later" in webhook.cases())
        return list(webhook.messages)


@pytest.mark.parametrize("case", CASES)
def test_one_cause_makes_one_message(messages, case):
    notified = [
        {alert["alertname"].removeprefix("FusionSolar") for alert in each}
        for each in messages
        if each[0]["case"] == case
    ]
    assert notified == [CASES[case][1]]
