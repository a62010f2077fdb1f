"""The demo: the simulated management system, and the exporter on it."""

import argparse
import sys

from exporter import daemon, logs
from exporter.commands.options import DEFAULT_ADDRESS, add_address, add_logging, bind
from exporter.commands.simulated import add_fleet, system_of
from exporter.config import Settings
from exporter.northbound.interfaces import HOUR
from exporter.simulator.endpoints import profile
from exporter.simulator.http.server import Server

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


def define(parser: argparse.ArgumentParser) -> None:
    """Its flags."""
    add_address(parser, f"127.0.0.1{DEFAULT_ADDRESS}")
    add_fleet(parser)
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


def run(flags: argparse.Namespace) -> int:
    """Run the simulated management system and the exporter on it; no account is needed."""
    logs.configure(flags.log_level, flags.log_format, sys.stderr)
    system = system_of(
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
