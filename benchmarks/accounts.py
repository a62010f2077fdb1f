"""Forty accounts of an installer in one process: what they hold and take, a reload, an outage.

Each has four plants with 25 devices, polled as by default by the limits of the 2020 reference,
whose minute lasts six seconds. Values pass as slowly as ever, so that meters seem to leap.
"""

import argparse
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fleet import until, users, watch
from process import Process

from exporter.northbound.interfaces import INTERFACES
from exporter.simulator.http.server import Server
from exporter.simulator.http.system import System
from exporter.simulator.world.fleet import build

MINUTE = 6.0  # seconds
PLANTS, DEVICES = 4, 100
WATCHED = 60.0  # seconds
OFF = ("getDevFiveMinutes", "getDevHistoryKpi", "device/history")

_Accounts = dict[str, dict[str, Any]]


def main() -> None:
    """Measures, and prints line by line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=40)
    flags = parser.parse_args()
    names = users(flags.accounts)
    system = System(
        build(1, plants=PLANTS, devices=DEVICES),
        clock=time.time,
        limits="classic",
        minute=MINUTE,
        users=dict.fromkeys(names, "secret"),
    )
    with tempfile.TemporaryDirectory() as directory, Server(system) as server:
        state = Path(directory) / "state"
        accounts = {name: _account(server.url, name) for name in names}
        settings = {"accounts": [*accounts.values()], "state": {"directory": str(state)}}
        begun = time.monotonic()
        with Process(Path(directory), settings) as process:
            until(process.ready)
            print(f"all ready after {time.monotonic() - begun:.0f} s")
            page = process.page()
            print(f"series: {sum(line[0] != '#' for line in page.splitlines())}, {len(page)} bytes")
            print(f"holds: {process.resources()}")
            print(f"of a processor: {watch(process, WATCHED):.1%}")
            _reload(process, settings, accounts)
            _outage(process, settings, accounts)
            print(f"holds: {process.resources()}")
            calls = system.calls.accounts().values()
            print(f"refused: {sum(len(each.refusals) for each in calls)}")
            print(f"bugs in the log: {len(process.bug_lines())}")


def _account(url: str, name: str) -> dict[str, Any]:
    allowance = {"allowance": {"calls": 1, "per": f"{MINUTE}s"}}
    return {
        "name": name,
        "base_url": url,
        "username": name,
        "password": "secret",
        "timeout": "10s",
        "interfaces": {each: dict(allowance) for each in INTERFACES}
        | {each: {"enabled": False} for each in OFF},
    }


def _lines(process: Process, account: str = "") -> int:
    """Lines of the log, or those about one account."""
    return sum(
        not account or f" account={account} " in f"{line} " for line in process.log.splitlines()
    )


def _apply(process: Process, settings: Mapping[str, Any], accounts: _Accounts) -> None:
    process.reload({**settings, "accounts": [*accounts.values()]})
    until(lambda: "configuration reloaded" in process.log.split("reading the configuration")[-1])


def _reload(process: Process, settings: Mapping[str, Any], accounts: _Accounts) -> None:
    """One account changes."""
    next(iter(accounts.values()))["timeout"] = "11s"
    before, busy, begun = _lines(process), process.busy(), time.monotonic()
    _apply(process, settings, accounts)
    print(
        f"a reload that changes one: {time.monotonic() - begun:.1f} s, "
        f"{process.busy() - busy:.2f} s of the processor, {_lines(process) - before} lines"
    )


def _outage(process: Process, settings: Mapping[str, Any], accounts: _Accounts) -> None:
    """Nobody answers for one account."""
    name, account = next(iter(accounts.items()))
    account["base_url"] = "http://127.0.0.1:9"
    before = _lines(process, name)
    _apply(process, settings, accounts)
    print(f"of a processor, while one account is in trouble: {watch(process, WATCHED):.1%}")
    print(f"lines of the log about it in {WATCHED:.0f} s: {_lines(process, name) - before}")


if __name__ == "__main__":
    main()
