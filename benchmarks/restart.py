"""A start with much state: how soon the daemon answers and has its page, and how fast it ends.

Writes the state of a large fleet as the daemon would, then starts the real process on it, twice:
once to its first page, once to be ended while it still restores. Prints seconds.
"""

import argparse
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import structlog
from answer import keys, values
from process import Process

from exporter.account.changes import Answered, Changes
from exporter.account.database import Database
from exporter.account.fleet import Fleet
from exporter.account.model import AccountState, LatestAnswer
from exporter.account.state_directory import file_of
from exporter.account.store import Store
from exporter.clock import SystemClock, offset_of
from exporter.exposition.account import AccountView
from exporter.exposition.page import Page
from exporter.exposition.telemetry import Telemetry
from exporter.exposition.translate import Translator
from exporter.northbound.interfaces import INTERFACES
from exporter.northbound.records import Device, Plant, Reading

URL = "http://127.0.0.1:9"  # where nobody answers
PER_PLANT = 20  # devices
STRINGS = 8  # of an inverter
BATCH = 100
PAUSE = 0.2  # seconds between two looks
REALTIME = INTERFACES["getDevRealKpi"]


def main() -> None:
    """Writes the state, measures, and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=10)
    parser.add_argument("--devices", type=int, default=2_000, help="of each account")
    flags = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        state = directory / "state"
        users = [f"user{n}" for n in range(flags.accounts)]
        for user in users:
            _write_state(file_of(state, URL, user), flags.devices)
        size = sum(path.stat().st_size for path in state.iterdir())
        print(f"{flags.accounts} accounts, {flags.devices} devices each: {size / 1e6:.0f} MB")
        process = Process(directory, _settings(users, state), wait=False)
        _measure(process)
        _end_early(process)


def _write_state(path: Path, devices: int) -> None:
    state, clock = AccountState(), SystemClock()
    fleet = Fleet(state.fleet)
    codes = [f"NE={33_000_000 + n}" for n in range(max(1, devices // PER_PLANT))]
    fleet.add_plants(Plant(code, f"Plant {code}", 1e5) for code in codes)
    known = [
        Device(str(10**15 + n), codes[n % len(codes)], 1, f"Inverter {n}", "SUN2000", f"SN{n}")
        for n in range(devices)
    ]
    fleet.list_devices(codes, known)
    telemetry = Telemetry()
    view = AccountView(
        "writer",
        page=Page(telemetry.registries, time.monotonic),
        telemetry=telemetry,
        translator=Translator({}),
        places={},
        now=clock.now,
        wall=clock.time,
    )
    view.restored(state, offset_of(clock))
    for start in range(0, devices, BATCH):
        batch = [device.id for device in known[start : start + BATCH]]
        for n, name in enumerate(batch):
            reading = Reading(name, values(keys(STRINGS), start + n, 0))
            state.answers[REALTIME.name][name] = LatestAnswer(clock.time(), clock.now(), reading)
        view.show(Changes(answers=[Answered(REALTIME, batch)]))
    with closing(Database(path)) as database:
        Store(state, database, clock, structlog.get_logger()).save()


def _settings(users: list[str], state: Path) -> Mapping[str, Any]:
    account = {"base_url": URL, "password": "secret"}
    return {
        "accounts": [{"name": user, "username": user, **account} for user in users],
        "state": {"directory": str(state)},
    }


def _measure(process: Process) -> None:
    start = time.perf_counter()
    with process:
        process.listens()
        print(f"listens after: {time.perf_counter() - start:.2f} s")
        longest = 0.0
        for asked, status in _asked(process):
            if status == 200:  # noqa: PLR2004  # OK
                break
            longest = max(longest, time.perf_counter() - asked)
        took = f"{time.perf_counter() - start:.2f} s"
        print(f"first page after: {took}, of the processor {process.busy():.2f} s")
        print(f"longest wait meanwhile for /-/healthy and the refusal of /metrics: {longest:.2f} s")
        print(f"resident then: {process.holds()['MB resident']} MB")
        start = time.perf_counter()
        status = process.end()
        print(f"ends with {status} after: {time.perf_counter() - start:.2f} s")


def _asked(process: Process) -> Iterator[tuple[float, int]]:
    """Asks for health and the page again and again: when it asked, and the page's status."""
    while True:
        asked = time.perf_counter()
        urllib.request.urlopen(process.url + "/-/healthy", timeout=30).close()
        try:
            with urllib.request.urlopen(process.url + "/metrics", timeout=60) as answer:
                answer.read()
                yield asked, answer.status
        except urllib.error.HTTPError as error:
            with error:
                yield asked, error.code
        time.sleep(PAUSE)


def _end_early(process: Process) -> None:
    with process:
        process.listens()
        time.sleep(0.5)
        start = time.perf_counter()
        status = process.end()
        print(f"ends early with {status} after: {time.perf_counter() - start:.2f} s")


if __name__ == "__main__":
    main()
