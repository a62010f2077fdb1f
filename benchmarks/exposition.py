"""What a scrape costs: prometheus_client's own rendering beside the page that joins kept bytes.

`python benchmarks/exposition.py` measures both in one run, turn about, and prints medians.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from statistics import median

from isal import igzip
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from exporter.account.changes import Answered, Changes
from exporter.account.model import AccountState, LatestAnswer
from exporter.catalogue.index import lookup
from exporter.catalogue.model import Kind, Metric
from exporter.exposition.account import AccountView
from exporter.exposition.lines import render
from exporter.exposition.page import Block, Format, Page
from exporter.exposition.telemetry import Telemetry
from exporter.exposition.translate import Translator
from exporter.northbound.interfaces import INTERFACES
from exporter.northbound.records import Device, Plant, Reading

FAMILIES = 100
BATCH = 100  # devices in a block
LEVEL = 1  # of gzip, as the web server compresses
ROUNDS = {1_000: 21, 10_000: 11, 100_000: 5}
METRICS = [
    Metric(f"fusionsolar_inverter_quantity_{n}_watts", Kind.GAUGE, "A quantity of an inverter.")
    for n in range(FAMILIES)
]
LABELS = ("account", "plant_code", "device_id")
REALTIME = INTERFACES["getDevRealKpi"]
PLANT = "NE=33000000"
STRINGS = 20  # with modules, of 36
FORENOON = 20_630.0 * 86_400 + 9 * 3_600  # in June


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


def kept(devices: range) -> Page:
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


class Inverters:
    """100 string inverters of one plant, and answers with all their keys, at a clock of its own."""

    def __init__(self, places: Mapping[str, tuple[float, float]]) -> None:
        self._time = FORENOON
        self._state = AccountState()
        self._state.fleet.plants[PLANT] = Plant(PLANT, "Plant")
        self._devices = {str(n): Device(str(n), PLANT, 1) for n in range(BATCH)}
        self._state.fleet.devices |= self._devices
        keys = lookup(REALTIME.name, 1).values()
        self._values = {row.key: 512.0 if row.states else 0.9 for row in keys}
        for times in ("open_time", "close_time"):
            self._values[times] = FORENOON * 1e3
        self._view = AccountView(
            "home",
            page=Page({}, self._now),
            telemetry=Telemetry(),
            translator=Translator({}),
            places=places,
            now=self._now,
            wall=self._now,
        )
        self._view.restored(self._state, 0.0)

    def _now(self) -> float:
        return self._time

    def answer(self) -> None:
        """The next answer, five minutes later, on its way from the model to the page."""
        self._time += 300.0
        values = {**self._values, "mppt_power": 1 + self._time % 7_919 / 1e4}
        for string in range(STRINGS + 1, 37):
            values |= {f"pv{string}_u": 0.0, f"pv{string}_i": 0.0}
        answers = self._state.answers[REALTIME.name]
        for name in self._devices:
            answers[name] = LatestAnswer(self._time, self._time, Reading(name, values))
        self._view.show(Changes(answers=[Answered(REALTIME, self._devices.keys())]))

    def spend_days(self, days: int) -> None:
        """So many days with two hours of answers each, and then none."""
        for _ in range(days):
            for _ in range(24):
                self.answer()
            self._time += 22 * 3_600.0


def medians(rounds: int, *works: Callable[[], object]) -> list[float]:
    """Median milliseconds of each, run in turn so that all see the same machine."""
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for work, times in zip(works, taken, strict=True):
            start = time.perf_counter()
            work()
            times.append((time.perf_counter() - start) * 1e3)
    return [median(times) for times in taken]


def main() -> None:
    """Measures and prints a table."""
    print(f"{'series':>8} {'':8} {'library ms':>11} {'page ms':>9} {'ratio':>7}")
    for series, rounds in ROUNDS.items():
        devices = range(series // FAMILIES)
        registry = CollectorRegistry(support_collectors_without_names=True)
        registry.register(Library(devices))
        page = kept(devices)
        assert page.exposition(Format.TEXT).count(b"\n") == series + 2 * FAMILIES
        assert len(page.exposition(Format.TEXT)) == len(generate_latest(registry))
        works = (
            lambda registry=registry: generate_latest(registry),
            lambda page=page: page.exposition(Format.TEXT),
            lambda registry=registry: igzip.compress(generate_latest(registry), LEVEL),
            lambda page=page: igzip.compress(page.exposition(Format.TEXT), LEVEL),
        )
        plain, plain_kept, packed, packed_kept = medians(rounds, *works)
        for name, theirs, ours in (("plain", plain, plain_kept), ("gzip", packed, packed_kept)):
            print(f"{series:8} {name:8} {theirs:11.2f} {ours:9.2f} {theirs / ours:6.0f}x")
    placed, nowhere = Inverters({PLANT: (48.1, 11.6)}), Inverters({})
    placed.spend_days(9)
    expected, batch = medians(21, placed.answer, nowhere.answer)
    print(f"An answer about {BATCH} string inverters, from the model to the page: {batch:.0f} ms;")
    print(f"with the expected power of {STRINGS} strings each: {expected:.0f} ms.")


if __name__ == "__main__":
    main()
