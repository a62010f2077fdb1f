"""The simulated management system: alone, or with the exporter on it."""

import argparse
import sys
from time import time
from typing import Any

from exporter import daemon, logs
from exporter.commands.options import (
    DEFAULT_ADDRESS,
    add_address,
    add_logging,
    bind,
    count,
    fail,
    seconds,
    some_seconds,
)
from exporter.config import Settings
from exporter.northbound.interfaces import EDITIONS, HOUR, MINUTE
from exporter.simulator.endpoints import profile
from exporter.simulator.http.server import Server
from exporter.simulator.http.system import System
from exporter.simulator.world.fleet import build as build_fleet
from exporter.web import server

# What is off by default, but worth seeing.
SHOWN = (
    "getKpiStationHour",
    "getDevKpiDay",
    "getDevKpiMonth",
    "getDevKpiYear",
    "getDevUpgradeInfo",
)
# Likewise, where the edition has it.
SHOWN_OF_NEWEST = ("active-power-control-mode", "battery-mode")
DEMO_ALARM = 4 * HOUR  # between two alarms of a device: one in a few minutes over all of them
DEMO_MINUTE = 0.5  # seconds that a minute of the API's limits lasts in the demo


def define_simulate(parser: argparse.ArgumentParser) -> None:
    """The flags of `simulate`."""
    add_address(parser, "127.0.0.1:10053")
    _add_fleet(parser)
    parser.add_argument("--user", default="demo", help="(default: %(default)s)")
    parser.add_argument("--password", default="demo", help="(default: %(default)s)")
    parser.add_argument(
        "--client-id", default="demo-client", help="of an OAuth client (default: %(default)s)"
    )
    parser.add_argument("--client-secret", default="demo-secret", help="(default: %(default)s)")
    parser.add_argument(
        "--token-seconds",
        type=some_seconds,
        default=HOUR,
        metavar="SECONDS",
        help="how long an OAuth client's access token lasts (default: %(default)s)",
    )
    parser.add_argument(
        "--edition",
        choices=list(profile.EDITIONS),
        default="2020",
        help="which interface it speaks (default: %(default)s)",
    )
    parser.add_argument(
        "--limits",
        choices=list(EDITIONS),
        help="which limits hold (default: those that accounts of the edition have)",
    )
    parser.add_argument(
        "--minute",
        type=some_seconds,
        default=MINUTE,
        metavar="SECONDS",
        help="how long a minute of the limits lasts (default: %(default)s)",
    )
    parser.add_argument(
        "--latency",
        type=seconds,
        default=0.0,
        metavar="SECONDS",
        help="how long each answer takes (default: %(default)s)",
    )
    parser.add_argument(
        "--control",
        action="store_true",
        help="open /simulator/faults, /fleet, /alarms and /calls to everybody",
    )


def _add_fleet(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--plants", type=count, default=6, help="(default: %(default)s)")
    parser.add_argument("--devices", type=count, help="(default: what the plants need)")
    parser.add_argument("--seed", type=int, default=0, help="(default: %(default)s)")


def simulate(flags: argparse.Namespace) -> int:
    """Run the simulated management system alone, for people who build dashboards."""
    system = _system(
        flags,
        users={flags.user: flags.password},
        clients={flags.client_id: flags.client_secret},
        token_seconds=flags.token_seconds,
        edition=flags.edition,
        limits=flags.limits,
        minute=flags.minute,
    )
    simulator = Server(system, bind(flags)[-1], latency=flags.latency, control=flags.control)
    print(f"Management system at {simulator.url}, user {flags.user}. Ctrl-C ends it.", flush=True)
    server.ignore_end_signals()
    simulator.run()
    return 0


def _system(flags: argparse.Namespace, **options: Any) -> System:
    newer = options.get("edition") == profile.NEWEST
    try:
        fleet = build_fleet(flags.seed, plants=flags.plants, devices=flags.devices, newer=newer)
    except ValueError as error:
        fail(f"--devices {flags.devices}: {error}")
    return System(fleet, clock=time, **options)


def define_demo(parser: argparse.ArgumentParser) -> None:
    """The flags of `demo`."""
    add_address(parser, f"127.0.0.1{DEFAULT_ADDRESS}")
    _add_fleet(parser)
    add_logging(parser)


def demo_settings(url: str) -> Settings:
    """The exporter's, for a simulated management system at this address."""
    return Settings.model_validate(
        {
            "accounts": [
                {
                    "name": "demo",
                    "base_url": url,
                    "username": "demo",
                    "password": "demo",
                }
            ],
            "interfaces": {name: {"enabled": True} for name in (*SHOWN, *SHOWN_OF_NEWEST)},
            "currency": "EUR",
            "state": {"directory": None},  # the next demo has another fleet
        }
    )


def demo(flags: argparse.Namespace) -> int:
    """Run the simulated management system and the exporter on it; no account is needed."""
    logs.configure(flags.log_level, flags.log_format, sys.stderr)
    system = _system(
        flags,
        users={"demo": "demo"},
        edition=profile.NEWEST,
        minute=DEMO_MINUTE,
        alarm_every=DEMO_ALARM,
        keeps_cleared=False,
    )
    system.start_upgrade()
    sockets = bind(flags)
    simulator = Server(system).start()
    settings = demo_settings(simulator.url)
    print(f"A simulated management system answers at {simulator.url} (user demo).")
    for listening in sockets:
        print(
            f"Look at http://{daemon.address(listening)}/ and http://{daemon.address(listening)}/metrics"
        )
    print(f"A minute of the API's limits lasts {DEMO_MINUTE:g} s here. Ctrl-C ends it.", flush=True)
    daemon.run(settings, sockets, minute=DEMO_MINUTE)
    simulator.stop()
    return 0
