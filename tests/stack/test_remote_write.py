"""The way to a store that docs/scaling.md gives: an agent, VictoriaMetrics, and vmalert on top."""

import json
import re
import shutil
import socket
import subprocess
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

import pytest
import yaml
from daemon import account, exporter, serving, system
from prometheus.promtool import GROUPS, RULE_FILES
from stack.services import get

PROGRAMS = ("prometheus", "victoria-metrics", "vmalert")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not all(map(shutil.which, PROGRAMS)), reason="needs Debian's prometheus, victoria-metrics"
    ),
]

DOCUMENT = (Path(__file__).parents[2] / "docs" / "scaling.md").read_text("utf-8")
(AGENT,) = re.findall(r"```yaml\n(global:.*?)```", DOCUMENT, re.DOTALL)
DROPPED = re.compile(
    yaml.safe_load(AGENT)["scrape_configs"][0]["metric_relabel_configs"][0]["regex"]
)
RECORDED_ALWAYS = {
    "device:fusionsolar_device_info:named",
    "plant:fusionsolar_daylight:bool",
    "plant:fusionsolar_meter_active_power_watts:sum",
    "threshold:fusionsolar_alerts:used",
}
ADDED_BY_PROMETHEUS = re.compile("up|scrape_.*|ALERTS.*")


def free_address():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"127.0.0.1:{free.getsockname()[1]}"


@contextmanager
def running(directory, *command):
    with (directory / f"{command[0]}.log").open("w") as log:
        process = subprocess.Popen(  # noqa: S603  # Debian's
            [shutil.which(command[0]), *command[1:]], stdout=log, stderr=log
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def query(store, expression):
    """The series that the store returns; none before it answers."""
    try:
        return json.loads(get(f"http://{store}/api/v1/query", query=expression))["data"]["result"]
    except URLError:
        return []


def metric_names(store, selector):
    found = query(store, f"count by (__name__) ({selector})")
    return {series["metric"]["__name__"] for series in found}


def values(store, expression):
    return {
        series["metric"]["plant_code"]: series["value"][1] for series in query(store, expression)
    }


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """An exporter, and the store that an agent writes its series to, with rules."""
    tmp_path = tmp_path_factory.mktemp("stored")
    store = free_address()
    store_flags = {
        "storageDataPath": tmp_path / "data",
        "httpListenAddr": store,
        "search.latencyOffset": "1s",
    }
    url = f"http://{store}"
    alert_flags = {
        "rule": RULE_FILES[0].parent / "*.yml",
        "datasource.url": url,
        "remoteWrite.url": url,
        "notifier.url": f"http://{free_address()}",  # nobody is there
        "httpListenAddr": free_address(),
        "evaluationInterval": "1s",
    }
    with serving(system()) as server, exporter(tmp_path, [account(server.url)]) as daemon:
        daemon.ready()
        config = AGENT.replace("localhost:10052", daemon.url.removeprefix("http://"))
        config = config.replace("localhost:8428", store).replace("_interval: 1m", "_interval: 1s")
        (tmp_path / "agent.yml").write_text(config)
        agent_flags = {
            "enable-feature": "agent",
            "config.file": tmp_path / "agent.yml",
            "storage.agent.path": tmp_path / "agent",
            "web.listen-address": free_address(),
        }
        with (
            running(tmp_path, "victoria-metrics", *(f"-{k}={v}" for k, v in store_flags.items())),
            running(tmp_path, "prometheus", *(f"--{k}={v}" for k, v in agent_flags.items())),
            running(tmp_path, "vmalert", *(f"-{k}={v}" for k, v in alert_flags.items())),
        ):
            yield daemon, store


@pytest.mark.usefixtures("servers")
def test_the_store_has_what_the_page_has_but_what_the_document_leaves_out(stored):
    daemon, store = stored

    def exposed():
        page = re.findall(r"^(\w+)[{ ]", daemon.page(), re.MULTILINE)
        return {name for name in page if not DROPPED.fullmatch(name)}

    def stored_names():
        found = metric_names(store, '{job="fusionsolar",site="north"}')
        return {name for name in found if not ADDED_BY_PROMETHEUS.fullmatch(name)}

    daemon.wait(lambda: exposed() == stored_names())
    assert len(stored_names()) > 100


@pytest.mark.usefixtures("servers")
def test_the_rules_are_evaluated_there_as_they_are(stored):
    daemon, store = stored
    power = "plant:fusionsolar_inverter_active_power_watts:sum"
    daemon.wait(lambda: metric_names(store, '{__name__=~".+:.+"}') >= {*RECORDED_ALWAYS, power})
    raw = "sum by (account, plant_code) (fusionsolar_inverter_active_power_watts)"
    daemon.wait(lambda: values(store, power) == values(store, raw) != {})


def test_raw_values_are_kept_for_as_long_as_the_document_says_that_rules_look_back():
    (days,) = re.findall(r"up to (\d+) days of raw values", DOCUMENT)
    ranges = (re.findall(r"\[(\d+)d", rule["expr"]) for group in GROUPS for rule in group["rules"])
    assert int(days) == max(int(each) for found in ranges for each in found)
