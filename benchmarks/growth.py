"""How cost grows from a thousand to a million series: of an answer, and of a scrape.

A scrape is rendered by prometheus_client's `generate_latest`, by Go's client library where Debian's
packages of it are there, and by the page that joins kept bytes; all have the same series.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import answer
from fleet import fetch
from isal import igzip
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from exporter.catalogue.model import Kind, Metric
from exporter.exposition.page import Block, Format, Page
from exporter.exposition.samples import render

FAMILIES = 100
BATCH = 100  # devices in a block
LEVEL = 1  # of gzip, as the web server compresses
ROUNDS = {1_000: 15, 10_000: 9, 100_000: 5, 1_000_000: 1}
ANSWERS = 20
STRINGS = 12  # of an inverter
PER_DEVICE = 80  # series of a string inverter, about
SOURCE = Path(__file__).parent / "client_golang"
DEBIAN = Path("/usr/share/gocode")
METRICS = [
    Metric(f"fusionsolar_inverter_quantity_{n}_watts", Kind.GAUGE, "A quantity of an inverter.")
    for n in range(FAMILIES)
]
LABELS = ("account", "plant_code", "device_id")


@dataclass(frozen=True)
class Library(Collector):
    """The same series, made anew for every scrape, as a custom collector does."""

    devices: range

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Makes every family of every device."""
        for number, metric in enumerate(METRICS):
            family = GaugeMetricFamily(metric.name, metric.help, labels=LABELS)
            for device in self.devices:
                family.add_metric(identity(device), value(device, number))
            yield family


def identity(device: int) -> tuple[str, str, str]:
    """Account, plant code and device id."""
    return "home", f"NE={33_000_000 + device // 10}", str(1_000_000_000_000_000 + device)


def value(device: int, number: int) -> float:
    """A number with as many digits as real ones have."""
    return (device * 7_919 + number * 104_729) % 1_000_003 / 10


def page_of(devices: range) -> Page:
    """The page, its blocks rendered as answers would have left them."""
    page = Page({}, time.monotonic)
    for start in range(0, len(devices), BATCH):
        batch = devices[start : start + BATCH]
        chunks = {
            metric: render(
                metric,
                [(dict(zip(LABELS, identity(d), strict=True)), value(d, number)) for d in batch],
            )
            for number, metric in enumerate(METRICS)
        }
        page.update({start: Block(chunks)})
    return page


@dataclass(frozen=True, slots=True)
class Growth:
    """Milliseconds at a number of series: an answer about `asked` devices, and scrapes."""

    series: int
    asked: int
    answer: float
    page: float
    packed: float
    library: float
    library_packed: float
    golang: float | None


def measure(series: int) -> Growth:
    """What so many series cost."""
    devices, rounds = range(series // FAMILIES), ROUNDS[series]
    registry = CollectorRegistry(support_collectors_without_names=True)
    registry.register(Library(devices))
    page = page_of(devices)
    library, packed_library = medians(
        rounds,
        lambda: generate_latest(registry),
        lambda: igzip.compress(generate_latest(registry), LEVEL),
    )
    plain, packed = medians(
        max(rounds, 5),
        lambda: page.exposition(Format.TEXT),
        lambda: igzip.compress(page.exposition(Format.TEXT), LEVEL),
    )
    asked = max(1, series // PER_DEVICE)
    whole = asked - asked % BATCH or asked  # or the shortest were about the few that are left
    parts = answer.measure(whole, STRINGS, ANSWERS)[0]
    return Growth(
        series, min(BATCH, whole), parts["all"] - parts["made"], plain, packed, library,
        packed_library, golang(len(devices), rounds),
    )  # fmt: skip


def medians(rounds: int, *works: Callable[[], object]) -> list[float]:
    """Median milliseconds of the processor of each, run in turn: all see the same machine."""
    times_of_each: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for work, times in zip(works, times_of_each, strict=True):
            start = time.process_time()
            work()
            times.append((time.process_time() - start) * 1e3)
    return [median(times) for times in times_of_each]


def golang(devices: int, rounds: int) -> float | None:
    """Median milliseconds of a scrape of a program in Go; None where it cannot be built."""
    go = shutil.which("go")
    if go is None or not (DEBIAN / "src/github.com/prometheus/client_golang").exists():
        return None
    with tempfile.TemporaryDirectory() as name:
        program = f"{name}/client"
        told = {"GO111MODULE": "off", "GOPATH": str(DEBIAN), "GOFLAGS": ""}
        subprocess.run(  # noqa: S603  # because it is our own source
            [go, "build", "-o", program, "."], cwd=SOURCE, env=os.environ | told, check=True
        )
        with subprocess.Popen(  # noqa: S603  # as above
            [program, str(devices), str(FAMILIES)], stdout=subprocess.PIPE, text=True
        ) as running:
            try:
                port = running.stdout.readline().strip() if running.stdout else ""
                url = f"http://127.0.0.1:{port}/metrics"
                return median(fetch(url)[0] for _ in range(rounds)) * 1e3
            finally:
                running.kill()
