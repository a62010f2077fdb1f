"""A hundred `kill -9` at random moments: what they cost in logins, refusals and values.

Runs the real daemon with a state directory against the simulator's strict limits, whose minute
lasts a second, and reads the first page of each life. Prints what happened.
"""

import argparse
import os
import random
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import yaml

from exporter.northbound.interfaces import INTERFACES
from exporter.simulator.fleet import build
from exporter.simulator.limits import Calls
from exporter.simulator.server import Server
from exporter.simulator.system import System

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
    system = System(build(flags.seed, plants=6), clock=time.time, edition="classic", minute=MINUTE)
    calls = system.calls.accounts
    with (
        Server(system, latency=(0.0, 0.1)) as simulator,
        tempfile.TemporaryDirectory() as name,
    ):
        config = _configure(Path(name), simulator.url)
        whole, silent = 0, 0
        for _ in range(flags.kills):
            made = _made(calls())
            process, page = _start(config)
            silent += _made(calls()) == made
            whole += len(FLEET.findall(page)) == len(system.fleet.devices)
            time.sleep(dice.uniform(0, LONGEST_LIFE))
            process.kill()
            process.wait()
        print(f"kills: {flags.kills}, calls: {_made(calls())}")
        print(f"logins: {len(system.calls.of('demo', 'login').arrivals)}")
        print(f"refused: {sum(len(each.refusals) for each in calls().values())}")
        print(f"starts with the whole fleet on the first page: {whole}")
        print(f"starts whose first page was read before the first call: {silent}")


def _made(accounts: Mapping[str, Calls]) -> int:
    return sum(len(each.arrivals) for each in accounts.values())


def _configure(directory: Path, url: str) -> Path:
    allowance = {"allowance": {"calls": 1, "per": f"{MINUTE}s"}}
    account = {
        "base_url": url,
        "username": "demo",
        "password": "demo",
        "interfaces": dict.fromkeys(INTERFACES, allowance),
    }
    path = directory / "config.yaml"
    path.write_text(
        yaml.safe_dump({"accounts": [account], "state": {"directory": str(directory / "state")}})
    )
    return path


def _start(config: Path) -> tuple[subprocess.Popen[str], str]:
    """A daemon, and its first page."""
    process = subprocess.Popen(  # noqa: S603  # because it is our own program
        [
            sys.executable,
            *("-m", "exporter", "--config.file", str(config)),
            *("--web.listen-address", "127.0.0.1:0"),
        ],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "NO_PROXY": "*"},
    )
    assert process.stderr is not None
    found = None
    while found is None:
        found = re.search(r"addresses=(\S+)", process.stderr.readline())
    with urllib.request.urlopen(f"http://{found[1]}/metrics", timeout=30) as answer:
        return process, answer.read().decode()


if __name__ == "__main__":
    main()
