"""docker-compose.yml without docker: its demo as processes on loopback.

Each service has a folder that stands for its container's root, with copies of what is mounted.
Only what would keep a test waiting, and addresses, are changed in them.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlencode

import yaml

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
IMAGE = (ROOT / "Dockerfile").read_text("utf-8")
COMMAND = json.loads(re.search(r"^CMD (\[.*\])$", IMAGE, re.MULTILINE)[1])  # the last one
EXPORTER = (sys.executable, "-m", "exporter")

# What each service runs. Grafana is not among Debian's packages.
PROGRAMS = {
    "webhook": (sys.executable,),
    "alertmanager": ("prometheus-alertmanager",),
    "simulator": EXPORTER,
    "demo": EXPORTER,
    "prometheus": ("prometheus",),
}
DEBIAN = {
    "prometheus": "prometheus",
    "promtool": "prometheus",
    "prometheus-alertmanager": "prometheus-alertmanager",
    "amtool": "prometheus-alertmanager",
    "victoria-metrics": "victoria-metrics",
}
MISSING = sorted({package for program, package in DEBIAN.items() if not shutil.which(program)})

# Where a service is found in the compose file, by its name there.
ADDRESSES = {
    "simulator": "simulator:10053",
    "demo": "exporter:10052",
    "prometheus": "localhost:9090",
    "alertmanager": "alertmanager:9093",
    "webhook": "localhost:9099",
}
# All that is made faster: file, pattern, replacement. No expression and no window is touched.
SHORTENED = (
    ("prometheus.yml", r"_interval: 30s", "_interval: 1s"),
    ("alertmanager.yml", r"group_(wait|interval): \w+", r"group_\1: 1s"),
    ("night.yml", r"interval: 4m", "interval: 1s"),
    ("siblings.yml", r"interval: 4m", "interval: 1s"),
    ("strings.yml", r"interval: 4m", "interval: 1s"),
    ("decline.yml", r"interval: 4m", "interval: 1s"),
    (
        "alerts-production.yml",
        r"(?s)(alert: FusionSolarInverterShutDown\n.*?\n +for: )10m",
        r"\g<1>2s",
    ),
)

# Seconds after which something will not come any more. Some queries look back in whole minutes.
TIMEOUT = 75.0
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def get(url, body=None, method=None, **parameters):
    """The text that an address answers."""
    query = f"?{urlencode(parameters)}" if parameters else ""
    request = urllib.request.Request(  # noqa: S310  # because it is loopback
        url + query, data=body and json.dumps(body).encode(), method=method
    )
    with _OPENER.open(request, timeout=10) as answer:
        return answer.read().decode()


def mounts(service):
    """Pairs of a file or folder of the project and its place in the container."""
    for volume in COMPOSE["services"][service].get("volumes", ()):
        if isinstance(volume, dict):
            yield ROOT / volume["source"], volume["target"]
        elif volume.startswith("."):
            source, target = volume.removesuffix(":ro").split(":")
            yield ROOT / source, target


def volumes(service):
    """Places in the container that outlast it."""
    named = COMPOSE["services"][service].get("volumes", ())
    return [v.split(":")[1] for v in named if isinstance(v, str) and not v.startswith(".")]


def command(service):
    """The service's arguments, as its container would have them."""
    found = COMPOSE["services"][service]
    return [*found.get("entrypoint", [])[1:], *found.get("command", COMMAND)]


class Stack:
    """The demo of docker-compose.yml, and a VictoriaMetrics that scrapes the same."""

    def __init__(self, directory):
        self.directory = directory
        self.processes = {}
        self.at = {service: f"127.0.0.1:{port}" for service, port in _free_ports().items()}
        for service in PROGRAMS:
            self._create_root(service)
        self._scraper = self._victoria_metrics()

    def __enter__(self):
        for service, program in PROGRAMS.items():
            told = COMPOSE["services"][service].get("environment", {})
            environment = {name: self._addressed(value) for name, value in told.items()}
            self._start(service, [*program, *self._arguments(service)], environment)
        self._start("victoria-metrics", ["victoria-metrics", *self._scraper], {})
        return self

    def __exit__(self, *_):
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            process.wait(timeout=TIMEOUT)

    def root(self, service):
        """The folder that stands for the root of a service's container."""
        return self.directory / service

    def log(self, service):
        """What a service has printed so far."""
        return (self.directory / f"{service}.log").read_text("utf-8")

    def wait(self, condition):
        """Waits until a condition holds while everybody runs, and returns what it said."""
        end = time.monotonic() + TIMEOUT
        while time.monotonic() < end:
            value = condition()
            if value:
                return value
            gone = [name for name, process in self.processes.items() if process.poll() is not None]
            assert gone == [], self.log(gone[0])
            time.sleep(0.2)
        raise TimeoutError("the condition did not hold in time")

    def url(self, service, path=""):
        """The address of a service's page."""
        return f"http://{self.at[service]}{path}"

    def is_ready(self, service):
        """Whether it answers, and says that it is ready."""
        try:
            get(self.url(service, "/-/ready"))
        except OSError:
            return False
        return True

    def control(self, endpoint, body):
        """Sends something to a control endpoint of the simulator."""
        return json.loads(get(self.url("simulator", f"/simulator/{endpoint}"), body) or "null")

    def end_faults(self):
        """Ends all faults of the simulator."""
        get(self.url("simulator", "/simulator/faults"), method="DELETE")

    def query(self, expression):
        """The labels of each series that an instant query returns."""
        answer = get(self.url("prometheus", "/api/v1/query"), query=expression)
        return [series["metric"] for series in json.loads(answer)["data"]["result"]]

    def _create_root(self, service):
        root = self.root(service)
        for source, target in mounts(service):
            files = sorted(source.rglob("*")) if source.is_dir() else [source]
            for file in files:
                copy = root / target[1:] / file.relative_to(source)
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_text(self._shortened(file.name, file.read_text("utf-8")), "utf-8")
        for place in volumes(service):
            (root / place[1:]).mkdir(parents=True)

    def _shortened(self, name, text):
        for file, pattern, replacement in SHORTENED:
            if file == name:
                text, found = re.subn(pattern, replacement, text)
                assert found, (file, pattern)
        return self._addressed(text)

    def _addressed(self, text):
        for service, address in ADDRESSES.items():
            text = text.replace(address, self.at[service])
        return text

    def _arguments(self, service):
        """The service's own, with paths in its folder and an address on loopback."""
        root = self.root(service)
        told = [
            re.sub(r"^(--[\w.-]+=)?(/)", rf"\g<1>{root}\g<2>", self._addressed(argument))
            for argument in command(service)
            if not argument.startswith("--web.listen-address")
        ]
        if service == "webhook":
            return [*told[:-1], self.at[service].split(":")[1]]
        return [*told, f"--web.listen-address={self.at[service]}"]

    def _victoria_metrics(self):
        """Its arguments; it takes Prometheus' file, but for what it does not know."""
        root = self.root("victoria-metrics")
        file = self.root("prometheus") / "etc" / "prometheus" / "prometheus.yml"
        whole = yaml.safe_load(file.read_text("utf-8"))
        interval = whole["global"]["scrape_interval"]
        known = {
            "global": {"scrape_interval": interval},
            "scrape_configs": whole["scrape_configs"],
        }
        root.mkdir()
        (root / "scrape.yml").write_text(yaml.safe_dump(known), "utf-8")
        flags = {
            "storageDataPath": root / "data",
            "httpListenAddr": self.at["victoria-metrics"],
            "promscrape.config": root / "scrape.yml",
        }
        return [f"-{name}={value}" for name, value in flags.items()]

    def _start(self, service, arguments, environment):
        with (self.directory / f"{service}.log").open("w") as log:
            self.processes[service] = subprocess.Popen(  # noqa: S603  # because it is the compose file's
                arguments,
                cwd=ROOT,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "NO_PROXY": "*", **environment},
            )


def _free_ports():
    """A port for each process; all are held until the last is found."""
    services = [*PROGRAMS, "victoria-metrics"]
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in services]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return dict(zip(services, ports, strict=True))
