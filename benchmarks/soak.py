"""The daemon at a hundredfold pace, under random faults, fleet changes, reloads and kills.

Runs the real process, with a state directory, on the simulator with the 2020 reference's limits,
whose minutes last 0.6 s. In the first third of the time it is killed again and again; the process
that is left lives through the rest. At the end it prints what was called and refused, and what that
process held after its start and at its end.
"""

import argparse
import contextlib
import random
import re
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from math import inf
from pathlib import Path
from typing import Any

from process import Process
from prometheus_client.parser import text_string_to_metric_families

from exporter.northbound.interfaces import INTERFACES, MINUTE
from exporter.simulator.http.server import Server
from exporter.simulator.http.system import System
from exporter.simulator.world.fleet import build

PACE = 100
SESSION = 1_200.0  # at no pace: one that ends within ten minutes is taken for stolen
STEP = 2.0  # seconds between two events
LOOK = 15  # events between two looks at the whole page
ACCOUNTS = ("north", "south")
# The other sources of getDevRealKpi's values, what the edition lacks, and what is never polled.
OFF = {
    "login", "devUpgrade", "snIsRegister", "getDevFiveMinutes", "getDevHistoryKpi",
    "device/history", "active-power-control-mode", "battery-mode",
}  # fmt: skip
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
            edition="26",
            clock=time.time,
            limits="classic",
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
        process = stack.enter_context(Process(directory, _settings(urls, directory)))
        while not process.ready():
            time.sleep(0.2)
        torment = partial(_stress, process, systems, dice)
        done = torment(flags.seconds / 3, kill_every=flags.kill_every)
        _whole_page(process)
        at_start = process.resources()
        done += torment(flags.seconds * 2 / 3, kill_every=inf)
        for system in systems.values():
            system.faults.clear()
        time.sleep(30)
        _report(process, systems, done, at_start)


def _stress(
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
        process.reload({**process.settings, **_factors(dice.choice([1, 2]))})

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
            process.restart()
            done["kills"] += 1
        if done.total() % LOOK == 0:
            _whole_page(process)
        time.sleep(STEP)
    return done


def _settings(urls: Mapping[str, str], directory: Path) -> dict[str, Any]:
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
                **({"every": f"{max(row.every / PACE, 0.001):.3f}s"} if row.every else {}),
                **({} if name in OFF else {"enabled": True}),
            }
            for name, row in INTERFACES.items()
        },
        "state": {"directory": str(directory / "state")},
        **_factors(1),
    }


def _factors(factor: float) -> dict[str, Any]:
    return {"factors": [{"device_type": 17, "key": "active_power", "factor": factor}]}


def _whole_page(process: Process) -> str:
    """The page, which must be whole and name no series twice."""
    page = process.page()
    series = Counter(
        (sample.name, *sorted(sample.labels.items()))
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    )
    assert max(series.values()) == 1, "a series stands there twice"
    return page


def _report(
    process: Process,
    systems: Mapping[str, System],
    done: Counter[str],
    at_start: Mapping[str, int],
) -> None:
    page = _whole_page(process)
    calls = [c for system in systems.values() for c in system.calls.accounts().items()]
    print(f"events: {', '.join(f'{count} {name}' for name, count in done.items())}")
    print(f"calls: {sum(len(c.arrivals) for _, c in calls)}")
    print(f"refused: {sum(len(c.refusals) for _, c in calls)}")
    print(f"logins: {sum(len(c.arrivals) for (_, name), c in calls if name == 'login')}")
    print(f"starts: {process.starts}")
    for name, value in process.resources().items():
        print(f"{name}: {at_start[name]} after the last start, {value} at the end")
    state = sum(path.stat().st_size for path in (process.directory / "state").iterdir())
    print(f"state: {state // 1024} kB")
    for name, system in systems.items():
        shown = len(re.findall(rf'^fusionsolar_plant_info{{account="{name}"', page, re.MULTILINE))
        print(f"plants of {name}: {shown} on the page, {len(system.fleet.plants)} in the system")
    print(f"bugs in the log: {process.bug_lines() or 'none'}")
    print(f"exit status: {process.end()}")


if __name__ == "__main__":
    main()
