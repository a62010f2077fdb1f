"""What runs the simulated management system has in common: its fleet, and the flags of that."""

import argparse
from time import time
from typing import Any

from exporter.commands.options import count, fail
from exporter.simulator.endpoints import profile
from exporter.simulator.http.system import System
from exporter.simulator.world.fleet import build as build_fleet


def add_fleet(parser: argparse.ArgumentParser) -> None:
    """The flags of the fleet."""
    parser.add_argument("--plants", type=count, default=6, help="(default: %(default)s)")
    parser.add_argument("--devices", type=count, help="(default: what the plants need)")
    parser.add_argument("--seed", type=int, default=0, help="(default: %(default)s)")


def system_of(flags: argparse.Namespace, **options: Any) -> System:
    """The management system that the flags ask for; a fleet that cannot be ends the process."""
    newer = options.get("edition") == profile.NEWEST
    try:
        fleet = build_fleet(flags.seed, plants=flags.plants, devices=flags.devices, newer=newer)
    except ValueError as error:
        fail(f"--devices {flags.devices}: {error}")
    return System(fleet, clock=time, **options)
