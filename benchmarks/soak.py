"""The daemon at a hundredfold pace, under random faults, fleet changes, reloads and kills.

Runs the real process, with a state directory, on the simulator with the 2020 reference's limits,
whose minutes last 0.6 s. In the first third of the time it is killed again and again; the process
that is left lives through the rest. At the end it prints what was called and refused, and what that
process held after its start and at its end.
"""

import argparse
import contextlib
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from math import inf
from pathlib import Path
from typing import Any

import yaml
from prometheus_client.parser import text_string_to_metric_families

from exporter.northbound.interfaces import INTERFACES, MINUTE
from exporter.simulator.fleet import build
from exporter.simulator.server import Server
from exporter.simulator.system import System

PACE = 100
SESSION = 1_200.0  # at no pace: one that ends within ten minutes is taken for stolen
STEP = 2.0  # seconds between two events
LOOK = 15  # events between two looks at the whole page
ACCOUNTS = ("north", "south")
OFF = {"login", "devUpgrade", "snIsRegister", "getDevFiveMinutes"}
# None at login, and no stolen session: the waits after one are of up to half an hour, at any pace.
FAULTS: Mapping[str, Mapping[str, Any]] = {
    "fail_code": {"value": 20004},
    "http_status": {"value": 502},
    "hang_before_headers": {},
    "reset_in_body": {},
    "truncated_json": {},
    "html": {},
    "empty_body": {},
    "thinned": {},
    "unknown_keys": {},
}


class Process:
    """The daemon, started again whenever it is gone."""

    def __init__(self, directory: Path, urls: Mapping[str, str]) -> None:
        self.directory = directory
        self.starts = 0
        self._urls = urls
        self._configure(factor=1)
        self.start()

    def _configure(self, factor: float) -> None:
        settings = _settings(self._urls, self.directory, factor)
        (self.directory / "config.yaml").write_text(yaml.safe_dump(settings))

    def start(self) -> None:
        """Starts the process and waits until it listens."""
        self.starts += 1
        log = self.directory / f"log{self.starts}"
        command = [
            sys.executable,
            "-m",
            "exporter",
            "--config.file",
            self.directory / "config.yaml",
        ]
        with log.open("w") as file:
            self._process = subprocess.Popen(  # noqa: S603  # our own program
                [*command, "--web.listen-address", "127.0.0.1:0"],
                stderr=file,
                env={**os.environ, "NO_PROXY": "*"},
            )
        while not (found := re.search(r"addresses=(\S+)", log.read_text())):
            if self._process.poll() is not None:
                raise SystemExit(log.read_text())
            time.sleep(0.05)
        self.url = f"http://{found[1]}"

    def reload(self, factor: float) -> None:
        """Lets it read another configuration."""
        self._configure(factor)
        self._process.send_signal(signal.SIGHUP)

    def kill(self) -> None:
        """Ends the process at once, and starts another."""
        self._process.kill()
        self._process.wait()
        self.start()

    def end(self) -> int:
        """Ends the process as an orchestrator would; returns its status."""
        self._process.terminate()
        return self._process.wait(timeout=10)

    def page(self) -> str:
        """The page, which must be whole and name no series twice."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=30) as answer:
            text: str = answer.read().decode()
        series = Counter(
            (sample.name, *sorted(sample.labels.items()))
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        )
        assert max(series.values()) == 1, "a series stands there twice"
        return text

    def ready(self) -> bool:
        """Whether everything has been asked."""
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=30):
                return True
        except urllib.error.URLError:
            return False

    def holds(self) -> dict[str, int]:
        """Its threads, open files and resident memory in MB."""
        facts = Path(f"/proc/{self._process.pid}")
        status = (facts / "status").read_text()
        return {
            "threads": int(re.search(r"Threads:\s+(\d+)", status)[1]),  # type: ignore[index]
            "open files": len(list((facts / "fd").iterdir())),
            "MB resident": int(re.search(r"VmRSS:\s+(\d+)", status)[1]) // 1024,  # type: ignore[index]
        }

    def troubles(self) -> list[str]:
        """Lines of all logs that tell of a bug."""
        logs = "".join(path.read_text() for path in self.directory.glob("log*"))
        return [line for line in logs.splitlines() if "level=error" in line or "bug" in line]


def main() -> None:
    """Runs it all and prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3_600.0)
    parser.add_argument("--kill-every", type=float, default=100.0, metavar="SECONDS")
    parser.add_argument("--seed", type=int, default=0)
    flags = parser.parse_args()
    dice = random.Random(flags.seed)  # noqa: S311  # chance that can be repeated
    systems = {
        name: System(
            build(seed, plants=12),
            clock=time.time,
            edition="classic",
            minute=MINUTE / PACE,
            users={"api": "secret"},
            session_seconds=SESSION,
            alarm_every=86_400.0,
        )
        for seed, name in enumerate(ACCOUNTS)
    }
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        urls = {
            name: stack.enter_context(Server(system, latency=(0.0, 0.1))).url
            for name, system in systems.items()
        }
        process = Process(directory, urls)
        while not process.ready():
            time.sleep(0.2)
        torment = partial(_torment, process, systems, dice)
        done = torment(flags.seconds / 3, kill_every=flags.kill_every)
        process.page()
        at_start = process.holds()
        done += torment(flags.seconds * 2 / 3, kill_every=inf)
        for system in systems.values():
            system.faults.clear()
        time.sleep(30)
        _report(process, systems, done, at_start)


def _torment(
    process: Process,
    systems: Mapping[str, System],
    dice: random.Random,
    seconds: float,
    *,
    kill_every: float,
) -> Counter[str]:
    def fault(system: System) -> None:
        kind = dice.choice(list(FAULTS))
        interface = dice.choice([name for name in INTERFACES if name not in OFF])
        system.faults.add(kind, interface=interface, count=dice.randint(1, 5), **FAULTS[kind])

    def change_fleet(system: System) -> None:
        plants = list(system.fleet.plants.values())
        if len(plants) < 8 or (len(plants) < 16 and dice.random() < 0.5):  # noqa: PLR2004  # about as many as before
            known = system.fleet.plants
            fresh = build(dice.randrange(10**6), plants=1).plants.values()
            for plant in fresh:
                if plant.code not in known:
                    system.fleet.add_plant(plant)
        else:
            system.fleet.remove_plant(dice.choice(plants).code)

    def reload(_system: System) -> None:
        process.reload(factor=dice.choice([1, 2]))

    events: Mapping[str, Callable[[System], None]] = {
        "faults": fault,
        "fleet changes": change_fleet,
        "reloads": reload,
    }
    done: Counter[str] = Counter()
    end, next_kill = time.time() + seconds, time.time() + kill_every
    while time.time() < end:
        name = dice.choices(list(events), weights=[6, 2, 1])[0]
        events[name](dice.choice(list(systems.values())))
        done[name] += 1
        if time.time() > next_kill:
            next_kill += kill_every
            process.kill()
            done["kills"] += 1
        if done.total() % LOOK == 0:
            process.page()
        time.sleep(STEP)
    return done


def _settings(urls: Mapping[str, str], directory: Path, factor: float) -> dict[str, Any]:
    minute = f"{MINUTE / PACE}s"
    return {
        "accounts": [
            {
                "name": name,
                "base_url": url,
                "username": "api",
                "password": "secret",
                "timeout": "3s",
                "limits": "classic",
            }
            for name, url in urls.items()
        ],
        "interfaces": {
            name: {
                "allowance": {"calls": 1, "per": minute},
                "every": f"{max(row.every / PACE, 0.001):.3f}s",
                **({} if name in OFF else {"enabled": True}),
            }
            for name, row in INTERFACES.items()
        },
        "factors": [{"device_type": 17, "key": "active_power", "factor": factor}],
        "state": {"directory": str(directory / "state")},
    }


def _report(
    process: Process,
    systems: Mapping[str, System],
    done: Counter[str],
    at_start: Mapping[str, int],
) -> None:
    page = process.page()
    calls = [c for system in systems.values() for c in system.calls.accounts().items()]
    print(f"events: {', '.join(f'{count} {name}' for name, count in done.items())}")
    print(f"calls: {sum(len(c.arrivals) for _, c in calls)}")
    print(f"refused: {sum(len(c.refusals) for _, c in calls)}")
    print(f"logins: {sum(len(c.arrivals) for (_, name), c in calls if name == 'login')}")
    print(f"starts: {process.starts}")
    for name, value in process.holds().items():
        print(f"{name}: {at_start[name]} after the last start, {value} at the end")
    state = sum(path.stat().st_size for path in (process.directory / "state").iterdir())
    print(f"state: {state // 1024} kB")
    for name, system in systems.items():
        shown = len(re.findall(rf'^fusionsolar_plant_info{{account="{name}"', page, re.MULTILINE))
        print(f"plants of {name}: {shown} on the page, {len(system.fleet.plants)} in the system")
    print(f"bugs in the log: {process.troubles() or 'none'}")
    print(f"exit status: {process.end()}")


if __name__ == "__main__":
    main()
