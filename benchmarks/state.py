"""What the state of 5 000 devices costs: bytes on disk, milliseconds a call, seconds at a start."""

import argparse
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from statistics import median
from time import perf_counter

import structlog

from exporter.account.database import Database
from exporter.account.interface_schedule import InterfaceState
from exporter.account.model import AccountState, LatestAnswer
from exporter.account.store import Store
from exporter.catalogue.index import lookup
from exporter.clock import SystemClock
from exporter.northbound.records import Reading, Values

REALTIME = "getDevRealKpi"
BATCH = 100
ROUNDS = 5


def main() -> None:
    """Writes the values of a fleet as answers bring them, and reads them all again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=5_000)
    flags = parser.parse_args()
    values = dict.fromkeys(lookup(REALTIME, 1), 12_345.678)
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "account.sqlite"
        with closing(Database(path)) as database:
            started, ended = _write(database, flags.devices, values)
        print(f"{len(values)} values a device, {flags.devices} devices")
        print(f"a call's start: {1_000 * median(started):.1f} ms")
        print(f"an answer about {BATCH} devices: {1_000 * median(ended):.1f} ms")
        print(f"on disk: {sum(f.stat().st_size for f in path.parent.iterdir()) / 1e6:.1f} MB")
        with closing(Database(path)) as database:
            state, store = _open(database)
            took = _seconds(store.load)
        known = len(state.answers[REALTIME])
        print(f"opened, checked and read: {took:.2f} s ({known} devices)")


def _open(database: Database) -> tuple[AccountState, Store]:
    state = AccountState()
    return state, Store(state, database, SystemClock(), structlog.get_logger())


def _write(
    database: Database, devices: int, values: dict[str, float]
) -> tuple[list[float], list[float]]:
    """Seconds that it took to write each call's start, and each answer."""
    state, store = _open(database)
    state.interfaces[REALTIME] = InterfaceState()
    started, ended = [], []

    def start() -> None:
        with store.database.claim():
            log = state.interfaces.change(REALTIME, InterfaceState).log
            log.start(now, now)
            store.save()

    for n in range(ROUNDS * devices // BATCH):
        now = float(n)
        started.append(_seconds(start))
        state.interfaces[REALTIME].log.end(now, ())
        for each in range(BATCH):
            name = str(n * BATCH % devices + each)
            state.answers[REALTIME][name] = LatestAnswer(now, now, Reading(name, Values(values)))
        ended.append(_seconds(store.save))
    return started, ended


def _seconds(work: Callable[[], object]) -> float:
    start = perf_counter()
    work()
    return perf_counter() - start


if __name__ == "__main__":
    main()
