"""A configured factor below zero turns a sign: from the configuration to the page of a daemon."""

import json
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from daemon import account, exporter

pytestmark = pytest.mark.slow

VALUES = {
    "active_power": 112.0,
    "reactive_power": -22.0,
    "active_cap": -5.0,
    "reverse_active_cap": 3.0,
    "forward_reactive_cap": 2.0,
}
ANSWERS = {
    "getStationList": [{"stationCode": "P", "stationName": "Plant", "capacity": 0.1}],
    "getDevList": [{"id": 1, "devName": "Meter", "stationCode": "P", "devTypeId": 17}],
    "getDevRealKpi": [{"devId": 1, "dataItemMap": VALUES}],
}
FACTORS = {"active_power": -1, "active_cap": -3.6e6, "reverse_active_cap": -3.6e6}


class Handler(BaseHTTPRequestHandler):
    """A management system with one grid meter."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        data = ANSWERS.get(self.path.rpartition("/")[2], [])
        body = json.dumps({"success": True, "data": data}).encode()
        self.send_response(200)
        self.send_header("XSRF-TOKEN", "token")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextmanager
def management_system():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def meter_values(tmp_path_factory):
    """The values of the meter's metrics, by the end of their names."""
    factors = [{"device_type": 17, "key": key, "factor": each} for key, each in FACTORS.items()]
    with (
        management_system() as url,
        exporter(tmp_path_factory.mktemp("daemon"), [account(url)], factors=factors) as daemon,
    ):
        page = daemon.wait(lambda: (text := daemon.page()) * ("\nfusionsolar_meter_" in text))
    return {
        name: float(value)
        for name, value in re.findall(r"^fusionsolar_meter_(\w+)\S* (\S+)$", page, re.MULTILINE)
    }


def test_a_gauge_has_its_sign_turned(meter_values):
    assert meter_values["active_power_watts"] == -112.0
    assert meter_values["reactive_power_vars"] == -22_000.0  # as it was sent, without a factor


def test_a_counter_that_is_sent_below_zero_counts_up_from_zero(meter_values):
    assert meter_values["positive_active_energy_joules_total"] == 1.8e7
    assert meter_values["positive_reactive_energy_var_seconds_total"] == 7.2e6


def test_a_counter_that_would_fall_below_zero_is_not_shown(meter_values):
    assert "reverse_active_energy_joules_total" not in meter_values
