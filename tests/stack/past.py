"""A simulated year, written into real servers by all three ways, and the simulator's own truth."""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime

import yaml
from commands.world import NOON, world
from stack.services import get

from exporter.catalogue.index import lookup
from exporter.northbound.interfaces import DAY
from exporter.simulator.endpoints.five_minutes import five_minutes
from exporter.simulator.endpoints.statistics import plant_statistics
from exporter.simulator.http.answers import Call

START = datetime(2024, 6, 1, tzinfo=UTC).timestamp()
END = datetime(2025, 6, 25, tzinfo=UTC).timestamp()
RECENT = datetime(2025, 6, 23, tzinfo=UTC).timestamp()  # from when on there are 5-minute values
LABELS = ("--label", "job=fusionsolar", "--label", "instance=demo")
STATISTICS = "getKpiStationDay,getKpiStationMonth,getKpiStationYear,getDevKpiDay"
WRITE = "/api/v1/write"
_TIMEOUT = 30.0  # seconds for a server to start


@contextmanager
def running_server(directory, name, arguments, ready):
    """Runs a server until the block ends."""
    with (directory / f"{name}.log").open("w") as log:
        started = subprocess.Popen(  # noqa: S603  # because the tests name it
            arguments, stdout=log, stderr=subprocess.STDOUT, cwd=directory, env={**os.environ}
        )
    try:
        end = time.monotonic() + _TIMEOUT
        while not responds(ready):
            assert started.poll() is None, (directory / f"{name}.log").read_text("utf-8")
            assert time.monotonic() < end, name
            time.sleep(0.1)
        yield started
    finally:
        started.send_signal(signal.SIGTERM)
        started.wait(timeout=_TIMEOUT)


def responds(url):
    try:
        get(url)
    except OSError:
        return False
    return True


def free_address():
    with socket.create_server(("127.0.0.1", 0)) as found:
        return f"127.0.0.1:{found.getsockname()[1]}"


@contextmanager
def prometheus(directory, *, window=None):
    """A Prometheus on a directory of blocks, perhaps one that takes samples of the past."""
    address = free_address()
    tsdb = {"storage": {"tsdb": {"out_of_order_time_window": window}}} if window else {}
    (directory / "prometheus.yml").write_text(yaml.safe_dump(tsdb))
    arguments = [
        "prometheus",
        "--config.file=prometheus.yml",
        f"--storage.tsdb.path={directory / 'data'}",
        "--storage.tsdb.retention.time=20y",
        "--web.enable-remote-write-receiver",
        f"--web.listen-address={address}",
    ]
    with running_server(directory, "prometheus", arguments, f"http://{address}/-/ready"):
        yield f"http://{address}"


@contextmanager
def victoria_metrics(directory):
    """A VictoriaMetrics that keeps what is years old."""
    address = free_address()
    arguments = [
        "victoria-metrics",
        f"-storageDataPath={directory / 'data'}",
        f"-httpListenAddr={address}",
        "-retentionPeriod=20y",
    ]
    with running_server(directory, "victoria-metrics", arguments, f"http://{address}/health"):
        yield f"http://{address}"


class Past:
    """The account whose past was written, and where it can be read."""

    def __init__(self, home, servers):
        self.home = home
        self.servers = servers

    def history(self, *flags):
        """Runs the command for the statistics of a year, and for some days of 5-minute values."""
        for sources, start in ((STATISTICS, "2024-06-01"), ("getDevFiveMinutes", "2025-06-23")):
            status = self.home.run(
                "history",
                *LABELS,
                "--sources",
                sources,
                "--from",
                start,
                "--to",
                "2025-06-25",
                *flags,
            )
            assert status == 0

    def range(self, server, expression, start, end, step):
        """The series of a range query: values by time, by labels."""
        # Otherwise VictoriaMetrics moves the start to a round time.
        parameters = {"start": start, "end": end, "step": step, "nocache": 1}
        return self._ask(server, "query_range", query=expression, **parameters)

    def samples(self, server, selector, start, end):
        """The samples of series between two times, the first excluded."""
        query = f"{selector}[{round(end - start)}s]"
        return self._ask(server, "query", query=query, time=end)

    def _ask(self, server, path, **parameters):
        answer = json.loads(get(f"{self.servers[server]}/api/v1/{path}", **parameters))
        return {
            tuple(sorted(series["metric"].items())): {
                float(at): float(value) for at, value in series["values"]
            }
            for series in answer["data"]["result"]
        }

    # --- the simulator's truth -----------------------------------------------------------------

    @property
    def view(self):
        """What the account sees now."""
        return self.home.system.view(Call("api", "", time=self.home.clock.time()))

    def rows(self, endpoint, parameters):
        """The rows of an answer: begin and values."""
        return [
            (row["collectTime"] / 1e3, row["dataItemMap"])
            for row in endpoint(self.view, parameters)
            if row["dataItemMap"]
        ]

    def days(self, plant):
        """The days of the year that was written, from their local midnights."""
        found = []
        for month in range(13):
            at = START + (14 + 30.44 * month) * DAY
            parameters = {"stationCodes": plant.code, "collectTime": int(at * 1e3)}
            found += self.rows(plant_statistics("Day"), parameters)
        return dict(sorted(found))

    def period(self, name, plant, begin):
        """The month or year that begins then."""
        parameters = {"stationCodes": plant.code, "collectTime": int(begin * 1e3)}
        return dict(self.rows(plant_statistics(name), parameters))[begin]

    def five_minutes(self, device):
        """The rows of the day before the last."""
        parameters = {
            "devIds": str(device.id),
            "devTypeId": str(device.type_id),
            "collectTime": int((RECENT + DAY / 2) * 1e3),
        }
        return dict(self.rows(five_minutes, parameters))


@contextmanager
def written_past(directory):
    """The past in a Prometheus by remote write, in another by files, and in a VictoriaMetrics."""
    with ExitStack() as running:
        home = running.enter_context(world(directory, plants=3, limits="classic"))
        home.configure(account={"limits": "classic"})
        home.clock.step = END + DAY - NOON
        places = {name: directory / name for name in ("remote-write", "files", "victoria-metrics")}
        for place in places.values():
            place.mkdir()
        servers = {
            "remote-write": running.enter_context(prometheus(places["remote-write"], window="20y")),
            "victoria-metrics": running.enter_context(victoria_metrics(places["victoria-metrics"])),
        }
        past = Past(home, servers)
        past.history("--remote-write", servers["remote-write"] + WRITE)
        calls = home.all_calls()
        past.history("--victoriametrics", servers["victoria-metrics"] + "/api/v1/import")
        past.history("--openmetrics", places["files"] / "om")
        assert home.all_calls() == calls
        assert home.refused() == 0
        create_blocks(places["files"])
        servers["files"] = running.enter_context(prometheus(places["files"]))
        get(f"{servers['victoria-metrics']}/internal/force_flush")
        yield past


def create_blocks(place):
    """Has promtool make blocks of the files."""
    for file in sorted((place / "om").glob("*.om")):
        subprocess.run(  # noqa: S603  # because it is promtool
            [
                shutil.which("promtool"),
                *("tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=744h"),
                *(file, place / "data"),
            ],
            check=True,
            capture_output=True,
        )


def metric_of(interface, device_type, key):
    """The name and the factor of a key."""
    row = lookup(interface, device_type)[key]
    return row.metric.name, row.factor
