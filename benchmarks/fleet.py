"""A fleet in the real daemon: what it takes while values come, at a restart, and for a scrape.

The simulator, a process of its own, has a fleet of mostly string inverters; only their values are
asked for again and again, an answer about 100 of them every half second.
"""

import gzip
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any

from process import Process

from exporter.northbound.interfaces import INTERFACES
from exporter.simulator.http.server import Server
from exporter.simulator.http.system import System
from exporter.simulator.world.fleet import build

PER_PLANT = 20  # devices, mostly string inverters
EVERY = 0.5  # seconds from answer to answer
NOON = 1_782_043_200.0  # in Europe, at midsummer: at night there are fewer series
WATCHED = 20.0  # seconds for which the processor's time is counted
SCRAPES = 5
PAUSE = 1.2  # seconds between two of them, after which none shares a page with the one before
ASKED = {
    "getStationList": "1d",
    "getDevList": "1d",
    "getStationRealKpi": "1d",
    "getDevRealKpi": "0s",
}
PACKED = {"Accept-Encoding": "gzip"}


@dataclass(frozen=True, slots=True)
class Cost:
    """Median seconds until an answer is there, and mean seconds of the processor."""

    seconds: float
    busy: float


@dataclass(frozen=True, slots=True)
class Figures:
    """What a fleet takes: seconds, shares of a processor, and MB."""

    devices: int
    series: int
    page: int  # bytes
    walking: float
    resident: int
    peak: int
    listens: float
    restart: Cost
    plain: Cost
    packed: Cost
    one: Cost  # account
    status_page: Cost
    static: float
    static_packed: float


def measure(
    devices: int,
    per_plant: int = PER_PLANT,
    accounts: int = 1,
    every: float = EVERY,
    prefix: Sequence[str] = (),
) -> Figures:
    """All figures of so many accounts with so many devices each; `prefix` as of a process."""
    simulated = simulator(devices, per_plant, accounts, every)
    with tempfile.TemporaryDirectory() as name, simulated as url:
        directory = Path(name)
        settings = settings_of(url, accounts, directory / "state", every)
        process = Process(directory, settings, wait=False, prefix=prefix)
        with process:
            process.wait_until_listening()
            until(process.ready)
            walking = watch(process)
            resident = process.resources()["MB resident"]
            page = fetch(process.url + "/metrics")[1]
            plain = scrape(process, walking, "/metrics")
            packed = scrape(process, walking, "/metrics", PACKED)
            one = scrape(process, walking, f"/metrics?account={users(accounts)[-1]}")
            status_page = scrape(process, walking, "/")
            peak = process.resources()["MB at most"]
            process.end()
        series = sum(not line.startswith(b"#") for line in page.splitlines())
        static, static_packed = serve_static(directory, page)
        listens, restart = start_again(process)
    return Figures(
        devices * accounts, series, len(page), walking, resident, peak, listens, restart, plain,
        packed, one, status_page, static, static_packed,
    )  # fmt: skip


def start_again(process: Process) -> tuple[float, Cost]:
    """Seconds until it listens, and what it takes until there is a page, which is the whole one."""
    start = time.perf_counter()
    with process:
        process.wait_until_listening()
        listens = time.perf_counter() - start
        until(lambda: fetch(process.url + "/metrics")[1])
        return listens, Cost(time.perf_counter() - start, process.busy())


def scrape(
    process: Process, walking: float, path: str, headers: Mapping[str, str] | None = None
) -> Cost:
    """What a page takes beside the values that come all along, which take a share `walking`."""
    start, before = time.perf_counter(), process.busy()
    seconds = median_of(process.url + path, headers)
    busy = process.busy() - before - walking * (time.perf_counter() - start)
    return Cost(seconds, max(busy, 0.0) / SCRAPES)


def settings_of(url: str, accounts: int, state: Path, every: float) -> Mapping[str, Any]:
    """Accounts that ask for values alone, once they know their devices."""
    pace = {"calls": 1, "per": f"{every}s"}
    interfaces: dict[str, Mapping[str, Any]] = {
        name: {"enabled": name in ASKED, "every": ASKED.get(name, "1d"), "allowance": pace}
        for name, each in INTERFACES.items()
        if each.polled
    }
    return {
        "accounts": [
            {"name": user, "base_url": url, "username": user, "password": "demo"}
            for user in users(accounts)
        ],
        "interfaces": interfaces | {"login": {"allowance": pace}},
        "state": {"directory": str(state)},
    }


def users(count: int) -> Sequence[str]:
    """The names of so many accounts."""
    return [f"account{n}" for n in range(count)]


def _simulate(
    devices: int, per_plant: int, accounts: int, minute: float, address: Connection
) -> None:
    started = time.monotonic()
    system = System(
        build(1, plants=max(1, devices // per_plant), devices=devices),
        clock=lambda: NOON + time.monotonic() - started,
        limits="classic",
        minute=minute,
        users=dict.fromkeys(users(accounts), "demo"),
        session_seconds=1e6,
    )
    with Server(system) as server:
        address.send(server.url)
        address.poll(None)  # until who has started it is gone


@contextmanager
def simulator(
    devices: int, per_plant: int = PER_PLANT, accounts: int = 1, minute: float = EVERY
) -> Iterator[str]:
    """The address of a management system with such a fleet, in a process of its own."""
    spawn = get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_simulate, args=(devices, per_plant, accounts, minute, theirs))
    process.start()
    try:
        yield ours.recv()
    finally:
        process.kill()
        process.join()


def watch(process: Process, seconds: float = WATCHED) -> float:
    """The share of a processor that it takes."""
    before = process.busy()
    time.sleep(seconds)
    return (process.busy() - before) / seconds


def until(condition: Callable[[], object]) -> None:
    """Waits until a condition holds."""
    while not condition():
        time.sleep(0.05)


def fetch(url: str, headers: Mapping[str, str] | None = None) -> tuple[float, bytes]:
    """Seconds and body of an answer, which is empty where there is no page yet."""
    request = urllib.request.Request(url, headers=dict(headers or {}))  # loopback
    start = time.perf_counter()
    try:
        with urllib.request.urlopen(request, timeout=300) as answer:  # as above
            body = answer.read()
    except urllib.error.HTTPError as error:
        error.close()
        body = b""
    return time.perf_counter() - start, body


def median_of(url: str, headers: Mapping[str, str] | None = None) -> float:
    """Median seconds of an answer, with a pause before each."""
    times = []
    for _ in range(SCRAPES):
        time.sleep(PAUSE)
        times.append(fetch(url, headers)[0])
    return median(times)


def serve_static(directory: Path, page: bytes) -> tuple[float, float]:
    """Median seconds of the same bytes as a file, plain and packed, from Python's file server."""
    (directory / "page").write_bytes(page)
    (directory / "packed").write_bytes(gzip.compress(page, 1))
    command = [sys.executable, "-u", "-m", "http.server", "0", "-b", "127.0.0.1"]
    with subprocess.Popen(  # noqa: S603  # because it is Python's
        command, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as files:
        try:
            said = files.stdout.readline() if files.stdout else ""
            url = f"http://127.0.0.1:{said.partition('port ')[2].split()[0]}"
            return median_of(f"{url}/page"), median_of(f"{url}/packed")
        finally:
            files.kill()
