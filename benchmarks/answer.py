"""What an answer about 100 string inverters costs, from its bytes to the page and the disk.

A poller with a fleet of so many devices is handed one answer after the other, all different, by a
client that decodes them from JSON. Prints milliseconds of the processor an answer, and how many
times as long as `json.loads` alone takes. The least of many: other work on the machine only adds.
"""

import argparse
import json
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from math import inf
from pathlib import Path
from typing import Any

from exporter.account.account_polling import AccountConfig
from exporter.account.changes import Changes
from exporter.account.database import Database
from exporter.account.fleet import Fleet, FleetState
from exporter.account.handlers import AlarmFilter
from exporter.account.interface_schedule import PollConfig
from exporter.account.login import HostGate
from exporter.account.model import AccountState
from exporter.account.poller import Poller
from exporter.catalogue.index import lookup
from exporter.exposition.account import AccountView
from exporter.exposition.page import Format, Page
from exporter.exposition.telemetry import Telemetry
from exporter.exposition.translate import Translator
from exporter.northbound.client import data_of
from exporter.northbound.interfaces import INTERFACES, Limit

BATCH = 100  # devices an answer is about
PER_PLANT = 20
EVERY = 0.5  # seconds from answer to answer
POLLED = ("getStationList", "getDevList", "getDevRealKpi")
EPOCH = 1_750_000_000.0
FIXED = {
    "inverter_state": 512,
    "run_state": 1,
    "power_factor": 0.999,
    "open_time": 1_749_966_800_000,
    "close_time": 1_749_945_600_000,
}


class Stopwatch:
    """Sums up the milliseconds of the processor that some work takes."""

    def __init__(self) -> None:
        self.spent = 0.0

    def timed(self, work: Callable[..., Any]) -> Callable[..., Any]:
        """The same work, timed."""

        def run(*args: Any, **kwargs: Any) -> Any:
            start = time.process_time()
            try:
                return work(*args, **kwargs)
            finally:
                self.spent += 1e3 * (time.process_time() - start)

        return run


class Clock:
    """A steady clock that only the benchmark moves."""

    boot = None
    at = 1_000.0

    def now(self) -> float:
        """Seconds since the start."""
        return self.at

    def time(self) -> float:
        """Seconds since the epoch."""
        return self.at + EPOCH

    def wait(self, seconds: float) -> bool:
        """Lets time pass."""
        self.at += seconds
        return False


class Server:
    """A client's answers: lists, and values that no two answers have alike."""

    token: str | None = None
    fingerprint = ""

    def __init__(self, devices: int, strings: int, decoding: Stopwatch, making: Stopwatch) -> None:
        self._plants = [f"NE={33_000_000 + n}" for n in range(-(-devices // PER_PLANT))]
        self._devices = range(10**15, 10**15 + devices)
        self._data_of = decoding.timed(data_of)
        self._body_about = making.timed(_body_about)
        self._asked = 0
        self._keys = keys(strings)
        self.body = b""  # of the last answer

    def has_credentials(self, _: str) -> bool:
        """Nobody changes them."""
        return True

    def drop_token(self) -> None:
        """Drops the session's token."""
        self.token = None

    def login(self) -> float:
        """A session without end."""
        self.token = "token"  # noqa: S105  # because it opens nothing
        return inf

    def call(self, path: str, body: Mapping[str, Any]) -> Any:
        """The data of an answer."""
        if path.endswith("getDevRealKpi"):
            self._asked += 1
            self.body = self._body_about(body["devIds"], self._keys, self._asked)
            return self._data_of(200, self.body)
        return (
            self._plant_list() if "ations" in path or "ationList" in path else self._device_list()
        )

    def _plant_list(self) -> Any:
        plants = [{"plantCode": c, "plantName": c, "capacity": 2_000.0} for c in self._plants]
        return {"list": plants, "pageNo": 1, "pageCount": 1, "total": len(plants)}

    def _device_list(self) -> Any:
        return [
            {
                "id": each,
                "devTypeId": 1,
                "stationCode": self._plants[n // PER_PLANT],
                "devName": f"Inverter {n}",
                "esnCode": f"SN{n}",
                "invType": "SUN2000-100KTL-M1",
            }
            for n, each in enumerate(self._devices)
        ]


def keys(strings: int) -> Sequence[str]:
    """What an inverter reports that has so many inputs with modules."""
    return [key for key in lookup("getDevRealKpi", 1) if _input(key) <= strings]


def _input(key: str) -> int:
    """The number of the input with modules in a key; 0 for none."""
    found = re.match(r"pv(\d+)_", key)
    return int(found[1]) if found else 0


def _body_about(ids: str, sent: Sequence[str], turn: int) -> bytes:
    items = [
        {"devId": int(name), "sn": None, "dataItemMap": values(sent, int(name) % 10**6, turn)}
        for name in ids.split(",")
    ]
    whole = {"success": True, "failCode": 0, "params": {}, "message": None, "data": items}
    return json.dumps(whole).encode()


def values(sent: Sequence[str], seed: int, turn: int) -> dict[str, float]:
    """A value for each key, with as many digits as real ones have."""
    return {key: _value(key, seed * 7_919 + n * 104_729, turn) for n, key in enumerate(sent)}


def _value(key: str, seed: int, turn: int) -> float:
    if key.endswith("_cap"):  # a counter, or the day's energy
        return round(100.5 + seed % 997 + turn / 100, 2)
    if key in FIXED:
        return FIXED[key]
    return round((seed + turn * 15_485_863) % 10_007 / 1_000, 2)


class Timed:
    """A view whose work is timed."""

    def __init__(self, view: AccountView, watch: Stopwatch) -> None:
        self._view = view
        self._show = watch.timed(view.show)

    def restored(self, state: AccountState, offset: float) -> None:
        """Shows what a previous run has left."""
        self._view.restored(state, offset)

    def show(self, changes: Changes) -> None:
        """Shows what one step changed."""
        self._show(changes)


class Bench:
    """An account at work on a clock of its own; each step is an answer."""

    def __init__(self, devices: int, strings: int, directory: Path) -> None:
        self.decoding, self.showing, self.all = Stopwatch(), Stopwatch(), Stopwatch()
        self.saving, self.making = Stopwatch(), Stopwatch()
        self.clock = Clock()
        self.server = Server(devices, strings, self.decoding, self.making)
        telemetry = Telemetry()
        telemetry.introduce("home", POLLED)
        self.page = Page(telemetry.registries, self.clock.now)
        view = AccountView(
            "home",
            page=self.page,
            telemetry=telemetry,
            translator=Translator({}),
            places={},
            now=self.clock.now,
            wall=self.clock.time,
        )
        self.database = Database(directory / "account.sqlite")
        self._poller = Poller(
            AccountConfig("home", _poll_configs(), 30.0, AlarmFilter(), _fleet),
            client=self.server,  # type: ignore[arg-type]  # it has all that is asked of one
            view=Timed(view, self.showing),
            clock=self.clock,
            gate=HostGate(),
            database=self.database,
        )
        self._poller.restore()
        store = self._poller._polling.store  # noqa: SLF001  # as nobody else times it
        store.save = self.saving.timed(store.save)  # type: ignore[method-assign]  # as above
        self.step = self.all.timed(self._poller.step)
        self.batches = -(-devices // BATCH)
        while not self._poller.ready:
            self.clock.at += max(self._poller.step(), 0.0)

    def answers(self, count: int) -> Iterator[Mapping[str, float]]:
        """So many answers: milliseconds of each part."""
        parts = {
            "made": self.making,
            "decoded": self.decoding,
            "shown": self.showing,
            "stored": self.saving,
            "all": self.all,
        }
        for _ in range(count):
            self.clock.at += EVERY
            for watch in parts.values():
                watch.spent = 0.0
            self.step()
            if self.decoding.spent:
                yield {name: watch.spent for name, watch in parts.items()}


def _poll_configs() -> tuple[PollConfig, ...]:
    often = (Limit(1, EVERY / 2),)
    return tuple(
        PollConfig(INTERFACES[name], often, 1e9 if name != "getDevRealKpi" else 0.0)
        for name in (*POLLED, "login")
    )


def _fleet(state: FleetState) -> Fleet:
    return Fleet(state)


def measure(devices: int, strings: int, count: int) -> tuple[Mapping[str, float], float, int]:
    """Each part of the shortest, of `json.loads` of the same bytes, and the series on the page."""
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(devices, strings, Path(name))
        with closing(bench.database):
            found = list(bench.answers(count))
        series = sum(
            line.startswith(b"fusionsolar")
            for line in bench.page.exposition(Format.TEXT).split(b"\n")
        )
        loads = Stopwatch()
        taken = []
        for _ in range(51):
            loads.spent = 0.0
            loads.timed(json.loads)(bench.server.body)
            taken.append(loads.spent)
    return min(found, key=lambda each: each["all"] - each["made"]), min(taken), series


def main() -> None:
    """Measures, and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, nargs="*", default=[100, 2_000])
    parser.add_argument("--strings", type=int, default=12, help="of an inverter, up to 36")
    parser.add_argument("--answers", type=int, default=60)
    flags = parser.parse_args()
    print("ms: devices | series | json.loads | envelope | parsed, scheduled | shown | stored | all")
    for devices in flags.devices:
        parts, loads, series = measure(devices, flags.strings, flags.answers)
        whole = parts["all"] - parts["made"]
        rest = whole - parts["decoded"] - parts["shown"] - parts["stored"]
        cells = (loads, parts["decoded"], rest, parts["shown"], parts["stored"], whole)
        print(
            f"| {devices} | {series} | "
            + " | ".join(f"{each:.1f} ({each / loads:.1f}x)" for each in cells)
        )


if __name__ == "__main__":
    main()
