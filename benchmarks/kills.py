"""A hundred `kill -9` at random moments: what they cost in logins, refusals and values.

Runs the real daemon with a state directory against the simulator's strict limits, whose minute
lasts a second, and reads the first page of each life. Prints what happened.
"""

import argparse
import random
import re
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from process import Process

from exporter.northbound.interfaces import INTERFACES
from exporter.simulator.http.limits import Calls
from exporter.simulator.http.server import Server
from exporter.simulator.http.system import System
from exporter.simulator.world.fleet import build

MINUTE = 1.0  # seconds that a minute of the limits lasts
LONGEST_LIFE = 1.5  # seconds after the first page
FLEET = re.compile("^fusionsolar_device_info{", re.MULTILINE)


def main() -> None:
    """Kills the daemon again and again, and prints the count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    flags = parser.parse_args()
    dice = random.Random(flags.seed)  # noqa: S311  # because chance is to be repeatable
    system = System(build(flags.seed, plants=6), clock=time.time, limits="classic", minute=MINUTE)
    calls = system.calls.accounts
    with (
        Server(system, latency=(0.0, 0.1)) as simulator,
        tempfile.TemporaryDirectory() as name,
    ):
        directory = Path(name)
        process = Process(directory, _settings(simulator.url, directory))
        whole, silent = 0, 0
        for _ in range(flags.kills):
            made = _calls_made(calls())
            with process:
                page = process.page()
                silent += _calls_made(calls()) == made
                whole += len(FLEET.findall(page)) == len(system.fleet.devices)
                time.sleep(dice.uniform(0, LONGEST_LIFE))
        print(f"kills: {flags.kills}, calls: {_calls_made(calls())}")
        print(f"logins: {len(system.calls.of('demo', 'login').arrivals)}")
        print(f"refused: {sum(len(each.refusals) for each in calls().values())}")
        print(f"starts with the whole fleet on the first page: {whole}")
        print(f"starts whose first page was read before the first call: {silent}")


def _calls_made(accounts: Mapping[tuple[str, str], Calls]) -> int:
    return sum(len(each.arrivals) for each in accounts.values())


def _settings(url: str, directory: Path) -> dict[str, Any]:
    allowance = {"allowance": {"calls": 1, "per": f"{MINUTE}s"}}
    account = {
        "base_url": url,
        "username": "demo",
        "password": "demo",
        "interfaces": dict.fromkeys(INTERFACES, allowance),
    }
    return {"accounts": [account], "state": {"directory": str(directory / "state")}}


if __name__ == "__main__":
    main()
