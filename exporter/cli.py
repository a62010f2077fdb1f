"""The command line: flags, and which command runs."""

import argparse
import errno
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import structlog

from exporter import NAME, daemon, logs
from exporter.account.state_directory import OccupiedError
from exporter.commands.options import (
    DEFAULT_ADDRESS,
    Parser,
    add_address,
    add_config,
    add_logging,
    bind,
    each_address,
    fail,
    load_settings,
    read_settings,
    unknown_command,
)
from exporter.config import ConfigError, Settings
from exporter.config.web import WebConfig
from exporter.web import server
from exporter.web.access import AccessRules

Define = Callable[[argparse.ArgumentParser], None]
Run = Callable[..., int]
COMMANDS = (
    *("demo", "simulate", "authorize", "check", "counters", "files", "history", "metrics"),
    *("upgrade", "registered"),
)


def command(name: str) -> tuple[Define, Run]:
    """What defines the flags of a command, and what runs it.

    Its module is not imported before it is asked for: the daemon would keep them all in memory.
    """
    module = import_module(f"exporter.commands.{name}")
    return module.define, module.run


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; returns the exit status (2: a wrong flag, file or value)."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments and arguments[0] in COMMANDS:
        define, run = command(arguments[0])
        parser = Parser(prog=f"{NAME} {arguments[0]}", description=run.__doc__, allow_abbrev=False)
        define(parser)
        return _print(partial(run, parser.parse_args(arguments[1:])))
    if arguments and not arguments[0].startswith("-"):
        unknown_command(arguments[0], COMMANDS)
    return _serve(_serving_parser().parse_args(arguments))


def _print(run: Callable[[], int]) -> int:
    """Runs a command whose reader may go before its end, as `head` does, or whose disk is full."""
    try:
        status = run()
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has closed it
        status = 0
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        print(f"{NAME}: cannot write: {error.strerror}", file=sys.stderr)
        status = 1
    else:
        return status
    # Else Python tries at its end to print what it still holds.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return status


def _serving_parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog=NAME,
        description="Prometheus exporter for Huawei SmartPVMS / FusionSolar.",
        epilog=f"Commands: {', '.join(COMMANDS)}; each has a --help of its own.",
        allow_abbrev=False,
        commands=COMMANDS,
    )
    add_config(parser)
    parser.add_argument(
        "--config.check",
        dest="config_check",
        action="store_true",
        help="check the configuration and exit",
    )
    add_address(parser, DEFAULT_ADDRESS)
    parser.add_argument(
        "--web.config.file",
        dest="web_config_file",
        type=Path,
        help="TLS, users and headers, in exporter-toolkit's format",
    )
    parser.add_argument(
        "--web.enable-lifecycle",
        dest="lifecycle",
        action="store_true",
        help="let POST /-/reload read the configuration anew, as SIGHUP does",
    )
    add_logging(parser)
    parser.add_argument("--version", action="version", version=f"{NAME} {version(NAME)}")
    return parser


def _serve(flags: argparse.Namespace) -> int:
    """Poll and serve until a signal."""
    settings = load_settings(flags.config_file)
    logs.configure(flags.log_level, flags.log_format, sys.stderr)
    rules = _rules(flags.web_config_file)
    if flags.config_check:
        each_address(flags, server.parse)
        _check_database(settings)
        print(f"{flags.config_file}: ok")
        return 0
    sockets = bind(flags)
    if not settings.state.has_place:
        _warn_without_state(settings)
    try:
        daemon.run(
            settings,
            sockets,
            read=partial(read_settings, flags.config_file),
            lifecycle=flags.lifecycle,
            rules=rules,
        )
    except OccupiedError as error:
        fail(f"state.directory: {error}")
    except ConfigError as error:
        fail(str(error))
    return 0


def _check_database(settings: Settings) -> None:
    """Ends the process where the state's database can be none, which is not reached for."""
    try:
        daemon.check_database(settings)
    except ConfigError as error:
        fail(str(error))


def _warn_without_state(settings: Settings) -> None:
    """Logs what it costs that nothing is saved."""
    structlog.get_logger().warning(
        "no state directory: each restart costs a login of every account, calls too early, and "
        "another try with a password that was refused, of which five lock an account",
        reason="state.directory is null"
        if settings.state.declined
        else "neither the configuration names one nor the environment, not even a HOME",
    )


def _rules(path: Path | None) -> Callable[[], AccessRules] | None:
    """The access rules of the web configuration at any moment."""
    if path is None:
        return None
    try:
        return WebConfig(path).current
    except ConfigError as error:
        fail(f"--web.config.file: {error}")
