"""Flags and commands: the only place that knows every room, and wires them."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from socket import socket
from time import time
from typing import Any, NoReturn, TypeVar

import structlog

from exporter import daemon, logs
from exporter.catalogue.listing import describe_rows, render_markdown
from exporter.catalogue.model import Metric
from exporter.catalogue.rows import lookup
from exporter.config import ConfigError, Settings, load
from exporter.daemon import NAME
from exporter.exposition.telemetry import Telemetry
from exporter.exposition.things import THINGS
from exporter.northbound.interfaces import (
    EDITIONS,
    INTERFACES,
    LOGIN,
    MINUTE,
)
from exporter.simulator.fleet import build as build_fleet
from exporter.simulator.server import Server
from exporter.simulator.system import System
from exporter.web import server

DEFAULT_ADDRESS = ":10052"
DEMO_MINUTE = 0.5  # seconds that a minute of the API's limits lasts in the demo
USAGE_ERROR = 2

Used = TypeVar("Used")


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        _fail(message)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; returns the exit status (2: a wrong flag, file or value)."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments and arguments[0] in COMMANDS:
        define, run = COMMANDS[arguments[0]]
        parser = _Parser(prog=f"{NAME} {arguments[0]}", description=run.__doc__, allow_abbrev=False)
        define(parser)
        return run(parser.parse_args(arguments[1:]))
    return _serve(_serving_parser().parse_args(arguments))


def _fail(message: str) -> NoReturn:
    print(f"{NAME}: {message}", file=sys.stderr)
    raise SystemExit(USAGE_ERROR)


# --- serving -------------------------------------------------------------------------------------


def _serving_parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog=NAME,
        description="Prometheus exporter for Huawei SmartPVMS / FusionSolar.",
        epilog=f"Commands: {', '.join(COMMANDS)}; each has a --help of its own.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--config.file",
        dest="config_file",
        type=Path,
        default=Path("config.yaml"),
        help="configuration (default: %(default)s)",
    )
    parser.add_argument(
        "--config.check",
        dest="config_check",
        action="store_true",
        help="check the configuration and exit",
    )
    _add_address(parser, DEFAULT_ADDRESS)
    _add_logging(parser)
    parser.add_argument("--version", action="version", version=f"{NAME} {version(NAME)}")
    return parser


def _add_address(parser: argparse.ArgumentParser, default: str) -> None:
    parser.add_argument(
        "--web.listen-address",
        dest="addresses",
        action="append",
        metavar="HOST:PORT",
        help=f"where to answer; may be given more than once (default: {default})",
    )
    parser.set_defaults(default_address=default)


def _add_logging(parser: argparse.ArgumentParser) -> None:
    for flag, choices, default in (
        ("level", logs.LEVELS, "info"),
        ("format", logs.FORMATS, "logfmt"),
    ):
        parser.add_argument(
            f"--log.{flag}",
            dest=f"log_{flag}",
            choices=list(choices),
            default=default,
            help="(default: %(default)s)",
        )


def _serve(flags: argparse.Namespace) -> int:
    settings = _load(flags.config_file)
    logs.configure(flags.log_level, flags.log_format, sys.stderr)
    _warn_of_the_unbuilt(settings)
    if flags.config_check:
        _each_address(flags, server.parse)
        print(f"{flags.config_file}: ok")
        return 0
    daemon.run(settings, _bind(flags))
    return 0


def _load(path: Path) -> Settings:
    try:
        settings = load(path, os.environ)
    except ConfigError as error:
        _fail(str(error))
    known: list[tuple[int, str]] = []
    for n, factor in enumerate(settings.factors):
        row = lookup("getDevRealKpi", factor.device_type).get(factor.key)
        if row is None:
            _fail(f"{path}: factors[{n}]: device type {factor.device_type} has no key {factor.key}")
        if row.states is not None:
            _fail(f"{path}: factors[{n}]: {factor.key} is a state, which has no factor")
        if (factor.device_type, factor.key) in known:
            _fail(f"{path}: factors[{n}]: {factor.key} of this type has a factor already")
        known.append((factor.device_type, factor.key))
    return settings


def _warn_of_the_unbuilt(settings: Settings) -> None:
    """What the configuration may already say, but this version does not do yet."""
    log = structlog.get_logger()
    if settings.state.directory is not None:
        log.warning("state.directory has no effect in this version: a restart forgets everything")
    for account in settings.accounts:
        asked = [
            name
            for places in (account.interfaces, settings.interfaces)
            for name, override in places.items()
            if override.enabled and INTERFACES[name].parser is None and name != LOGIN.name
        ]
        if asked:
            log.warning(
                "enabled, but not read in this version",
                account=account.name,
                interfaces=",".join(dict.fromkeys(asked)),
            )


def _bind(flags: argparse.Namespace) -> list[socket]:
    return _each_address(flags, server.bind)


def _each_address(flags: argparse.Namespace, use: Callable[[str], Used]) -> list[Used]:
    used = []
    for address in flags.addresses or [flags.default_address]:
        try:
            used.append(use(address))
        except (ValueError, OSError) as error:
            _fail(f"--web.listen-address {address}: {error}")
    return used


# --- commands ------------------------------------------------------------------------------------


def _define_simulate(parser: argparse.ArgumentParser) -> None:
    _add_address(parser, "127.0.0.1:10053")
    _add_fleet(parser)
    parser.add_argument("--user", default="demo", help="(default: %(default)s)")
    parser.add_argument("--password", default="demo", help="(default: %(default)s)")
    parser.add_argument(
        "--limits", choices=list(EDITIONS), default="safe", help="(default: %(default)s)"
    )
    parser.add_argument(
        "--minute",
        type=_some_seconds,
        default=MINUTE,
        metavar="SECONDS",
        help="how long a minute of the limits lasts (default: %(default)s)",
    )
    parser.add_argument(
        "--latency",
        type=_seconds,
        default=0.0,
        metavar="SECONDS",
        help="how long each answer takes (default: %(default)s)",
    )
    parser.add_argument(
        "--control",
        action="store_true",
        help="open /simulator/faults, /simulator/fleet and /simulator/calls to everybody",
    )


def _add_fleet(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--plants", type=_count, default=6, help="(default: %(default)s)")
    parser.add_argument("--devices", type=_count, help="(default: what the plants need)")
    parser.add_argument("--seed", type=int, default=0, help="(default: %(default)s)")


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text)):
        raise argparse.ArgumentTypeError(f"{text} is no number of 1 or more")
    return int(text)


def _seconds(text: str) -> float:
    with suppress(ValueError):
        if 0 <= float(text) < float("inf"):
            return float(text)
    raise argparse.ArgumentTypeError(f"{text} is no number of seconds")


def _some_seconds(text: str) -> float:
    if _seconds(text) == 0:
        raise argparse.ArgumentTypeError("0 is too short")
    return _seconds(text)


def _simulate(flags: argparse.Namespace) -> int:
    """Run the simulated management system alone, for people who build dashboards."""
    system = _system(
        flags, users={flags.user: flags.password}, edition=flags.limits, minute=flags.minute
    )
    simulator = Server(system, _bind(flags)[-1], latency=flags.latency, control=flags.control)
    print(f"Management system at {simulator.url}, user {flags.user}. Ctrl-C ends it.", flush=True)
    server.hold_signals()
    simulator.run()
    return 0


def _system(flags: argparse.Namespace, **traits: Any) -> System:
    try:
        fleet = build_fleet(flags.seed, plants=flags.plants, devices=flags.devices)
    except ValueError as error:
        _fail(f"--devices {flags.devices}: {error}")
    return System(fleet, clock=time, **traits)


def _define_demo(parser: argparse.ArgumentParser) -> None:
    _add_address(parser, "127.0.0.1:10052")
    _add_fleet(parser)
    _add_logging(parser)


def _demo(flags: argparse.Namespace) -> int:
    """Run the simulated management system and the exporter on it; no account is needed."""
    logs.configure(flags.log_level, flags.log_format, sys.stderr)
    system = _system(flags, users={"demo": "demo"}, minute=DEMO_MINUTE)
    sockets = _bind(flags)
    simulator = Server(system).start()
    settings = Settings.model_validate(
        {
            "accounts": [
                {
                    "name": "demo",
                    "base_url": simulator.url,
                    "username": "demo",
                    "password": "demo",
                }
            ]
        }
    )
    print(f"A simulated management system answers at {simulator.url} (user demo).")
    for listening in sockets:
        print(
            f"Look at http://{daemon.address(listening)}/ and http://{daemon.address(listening)}/metrics"
        )
    print(f"A minute of the API's limits lasts {DEMO_MINUTE:g} s here. Ctrl-C ends it.", flush=True)
    daemon.run(settings, sockets, DEMO_MINUTE)
    simulator.stop()
    return 0


def _define_metrics(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--format", choices=["markdown", "json"], default="markdown", help="(default: %(default)s)"
    )


def _metrics(flags: argparse.Namespace) -> int:
    """Print every metric, and the key it comes from."""
    rows = describe_rows()
    own = (*THINGS, *Telemetry().described)
    if flags.format == "json":
        text = json.dumps([*rows, *map(_describe_own, own)], indent=1, ensure_ascii=False) + "\n"
    else:
        shown = [_describe_own(metric) | {"labels": _own_labels(metric)} for metric in own]
        text = render_markdown(rows, shown)
    try:
        print(text, end="", flush=True)
    except BrokenPipeError:  # whoever reads it has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _own_labels(metric: Metric) -> list[str]:
    return [label for label in metric.labels if label != "account"]


def _describe_own(metric: Metric) -> dict[str, Any]:
    return {
        "interface": None,
        "device_type": None,
        "key": None,
        "metric": metric.name,
        "type": metric.kind.value,
        "factor": 1.0,
        "labels": {},
        "unit": metric.unit,
        "source_unit": "",
        "help": metric.help,
    }


Define = Callable[[argparse.ArgumentParser], None]
Run = Callable[[argparse.Namespace], int]
COMMANDS: dict[str, tuple[Define, Run]] = {
    "demo": (_define_demo, _demo),
    "simulate": (_define_simulate, _simulate),
    "metrics": (_define_metrics, _metrics),
}
