"""docker-compose.yml: the parts that no real server here can try fit together."""

import json
import re
import subprocess
import sys

import pytest
import yaml
from stack.services import COMPOSE, ROOT, command, mounts

from exporter.commands.demo import SHOWN
from exporter.northbound.interfaces import INTERFACES

SERVICES = COMPOSE["services"]


def load(*path):
    return yaml.safe_load(ROOT.joinpath(*path).read_text("utf-8"))


def mounted(service):
    """The project's files by their place in the container."""
    return {target: source for source, target in mounts(service)}


@pytest.mark.parametrize("service", SERVICES)
def test_what_is_mounted_is_there(service):
    missing = {
        source.relative_to(ROOT) for source in mounted(service).values() if not source.exists()
    }
    assert {str(path) for path in missing} <= {"config.yaml"}  # the user's own


@pytest.mark.parametrize("service", SERVICES)
def test_a_port_answers_on_this_machine_alone(service):
    ports = SERVICES[service].get("ports", [])
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_a_missing_configuration_is_an_error_and_no_new_folder():
    (own,) = (v for v in SERVICES["real"]["volumes"] if isinstance(v, dict))
    assert (own["source"], own["bind"]) == ("./config.yaml", {"create_host_path": False})


def test_the_exporters_find_their_configuration_where_the_image_looks():
    for service in ("real", "demo"):
        (flag,) = command(service)
        assert flag.removeprefix("--config.file=") in mounted(service)


def test_a_profile_has_one_exporter_and_what_it_needs():
    profiles = {name: service.get("profiles") for name, service in SERVICES.items()}
    assert {name for name, chosen in profiles.items() if chosen == ["real"]} == {"real"}
    assert {name for name, chosen in profiles.items() if chosen == ["demo"]} == {
        "demo",
        "simulator",
    }


def test_prometheus_differs_from_the_example_in_names_and_intervals_only():
    example, composed = load("prometheus", "prometheus.yml"), load("compose", "prometheus.yml")
    assert composed["global"].keys() == example["global"].keys()
    del composed["global"], example["global"]
    named = json.dumps(composed).replace("exporter:10052", "localhost:10052")
    assert json.loads(named.replace("alertmanager:9093", "localhost:9093")) == example


def test_the_names_that_are_asked_for_are_those_of_services():
    aliases = {
        alias
        for service in SERVICES.values()
        for network in service.get("networks", {}).values()
        for alias in network["aliases"]
    }
    texts = [(ROOT / "compose" / "prometheus.yml").read_text("utf-8"), json.dumps(SERVICES["demo"])]
    asked = {name for text in texts for name in re.findall(r"([a-z]+):\d{4,5}", text)}
    assert asked == {"exporter", "alertmanager", "simulator"}
    assert asked <= SERVICES.keys() | aliases


def test_the_webhook_listens_where_the_example_sends():
    (webhook,) = load("prometheus", "alertmanager.yml")["receivers"][0]["webhook_configs"]
    assert webhook["url"] == f"http://localhost:{SERVICES['webhook']['command'][0]}/"
    assert SERVICES["webhook"]["network_mode"] == "service:alertmanager"


def test_grafana_finds_prometheus_and_its_dashboards():
    provisioning = mounted("grafana")["/etc/grafana/provisioning"]
    (source,) = load(provisioning, "datasources", "prometheus.yaml")["datasources"]
    interval = load("compose", "prometheus.yml")["global"]["scrape_interval"]
    assert source["url"] == "http://prometheus:9090"
    assert source["jsonData"]["timeInterval"] == interval
    (provider,) = load(provisioning, "dashboards", "fusionsolar.yaml")["providers"]
    place = provider["options"]["path"]
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert (mounted("grafana")[place] / home.removeprefix(f"{place}/")).is_file()


def test_the_demo_shows_what_the_command_demo_shows():
    interfaces = load("compose", "demo.yaml")["interfaces"]
    assert {name for name, wish in interfaces.items() if wish.get("enabled")} == set(SHOWN)
    walked = {name for name, each in INTERFACES.items() if each.enabled} | set(SHOWN)
    assert interfaces.keys() == walked | {"login"}


def test_the_demo_calls_as_often_as_the_simulator_lets_it():
    minute = next(flag for flag in command("simulator") if flag.startswith("--minute="))
    interfaces = load("compose", "demo.yaml")["interfaces"]
    once = {"calls": 1, "per": f"{minute.removeprefix('--minute=')}s"}
    assert [wish["allowance"] for wish in interfaces.values()] == [once] * len(interfaces)


@pytest.mark.slow
def test_the_exporter_takes_the_demos_configuration():
    file = str(ROOT / "compose" / "demo.yaml")
    done = subprocess.run(  # noqa: S603  # because it is ours
        [sys.executable, "-m", "exporter", "--config.check", "--config.file", file],
        cwd=ROOT,
        env=SERVICES["demo"]["environment"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
