"""What the commands share: flags, the configuration, and output of results and errors."""

import argparse
import difflib
import json
import os
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from math import inf
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from exporter import NAME, logs
from exporter.catalogue.index import lookup
from exporter.config import PIPE_TIMEOUT, AccountSettings, ConfigError, Settings, load
from exporter.northbound.interfaces import INTERFACES
from exporter.web import server

DEFAULT_ADDRESS = ":10052"
USAGE_ERROR = 2

_SIMILAR = 0.7  # from here on a misspelt word is taken for another
_SERVING = ("start", "serve", "run")  # what people call what needs no command

Used = TypeVar("Used")


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, and what may have been meant.

    `commands` are the words that would have been commands, had they come first.
    """

    def __init__(self, *, commands: Collection[str] = (), **settings: Any) -> None:
        self._commands = commands
        self._flags: list[str] = []
        self._given: Sequence[str] = ()
        self._actions_of: Mapping[str, Parser] = {}
        super().__init__(**settings)

    def add_argument(self, *names: str, **settings: Any) -> argparse.Action:
        """Adds a flag."""
        self._flags += names
        return super().add_argument(*names, **settings)

    def add_subparsers(self, **settings: Any) -> Any:
        """Adds actions, each with flags of its own."""
        actions: Any = super().add_subparsers(**settings)
        self._actions_of = actions.choices
        return actions

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parses what is given."""
        self._given = args or ()
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """Ends the process: a flag is wrong."""
        flags = [*self._flags]
        for word in self._given:
            if word in self._actions_of:
                flags += self._actions_of[word]._flags  # noqa: SLF001  # of its own kind
            if word in self._commands:
                fail(f"{message}; a command comes first: {NAME} {word}")
        given = (word.partition("=")[0] for word in self._given if word.startswith("-"))
        meant = dict.fromkeys(each for word in given for each in _similar_flags(word, flags))
        fail(message + (f"; did you mean {', '.join(meant)}?" if meant else ""))


def _similar_flags(word: str, flags: Sequence[str]) -> list[str]:
    """The flag that may have been meant by what is none."""
    if word in flags:
        return []
    return difflib.get_close_matches(f"--{word.lstrip('-')}", flags, n=1, cutoff=_SIMILAR)


def unknown_command(word: str, commands: Collection[str]) -> NoReturn:
    """Ends the process: the first word is no command."""
    close = difflib.get_close_matches(word, (*commands, *_SERVING), n=1, cutoff=_SIMILAR)
    if close and close[0] in _SERVING:
        hint = "the exporter starts without a command"
    elif close:
        hint = f"did you mean {close[0]}?"
    else:
        hint = f"there are {', '.join(commands)}; without one the exporter starts"
    fail(f"{word} is no command; {hint}")


def fail(message: str) -> NoReturn:
    """Ends the process by SystemExit with one line: a flag, a file or a value is wrong."""
    print(f"{NAME}: {message}", file=sys.stderr)
    raise SystemExit(USAGE_ERROR)


def add_config(parser: argparse.ArgumentParser) -> None:
    """The flag that names the configuration."""
    parser.add_argument(
        "--config.file",
        dest="config_file",
        type=Path,
        default=Path("config.yaml"),
        help="configuration (default: %(default)s)",
    )


def add_address(parser: argparse.ArgumentParser, default: str) -> None:
    """The flag that says where to answer."""
    parser.add_argument(
        "--web.listen-address",
        dest="addresses",
        action="append",
        metavar="HOST:PORT",
        help=f"where to answer; may be given more than once (default: {default})",
    )
    parser.set_defaults(default_address=default)


def add_logging(parser: argparse.ArgumentParser) -> None:
    """The flags of the log."""
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


def add_account(parser: argparse.ArgumentParser) -> None:
    """The flag that chooses an account."""
    parser.add_argument("--account", metavar="NAME", help="which account, where there are several")


def add_format(parser: argparse.ArgumentParser) -> None:
    """The flag that says for whom to print."""
    parser.add_argument(
        "--format", choices=["table", "json"], default="table", help="(default: %(default)s)"
    )


def show(form: str, data: object, render: Callable[[], str]) -> None:
    """Prints a result for whom the flag says: plain data for programs, a text for people."""
    if form == "json":
        print(json.dumps(data, indent=1, ensure_ascii=False))
    else:
        print(render(), end="")


def words(text: str) -> list[str]:
    """What is named in a list with commas."""
    return [word.strip() for word in text.split(",") if word.strip()]


def account_of(settings: Settings, name: str | None) -> AccountSettings:
    """The account that is meant; an ambiguous one ends the process."""
    named = accounts_of(settings, name)
    if len(named) > 1:
        fail(f"--account is needed, one of {', '.join(account.name for account in named)}")
    return named[0]


def accounts_of(settings: Settings, name: str | None) -> list[AccountSettings]:
    """All accounts, or the one of that name; an unknown name ends the process."""
    named = [account for account in settings.accounts if name in (None, account.name)]
    if not named:
        known = ", ".join(account.name for account in settings.accounts)
        fail(f"--account {name}: there is no such account, only {known}")
    return named


def load_settings(path: Path) -> Settings:
    """The configuration, be it a pipe; a mistake in it ends the process."""
    try:
        return read_settings(path, pipe_timeout=inf)
    except ConfigError as error:
        fail(str(error))


def read_settings(path: Path, pipe_timeout: float = PIPE_TIMEOUT) -> Settings:
    """The configuration, its factors checked against the catalogue; `pipe_timeout` as `load`.

    Raises:
        ConfigError: A mistake, and where.
    """
    settings = load(path, os.environ, pipe_timeout)
    known: list[tuple[int, str]] = []
    for n, factor in enumerate(settings.factors):
        rows = (lookup(name, factor.device_type).get(factor.key) for name in INTERFACES)
        row = next(filter(None, rows), None)
        mistake = None
        if row is None:
            mistake = f"device type {factor.device_type} has no key {factor.key}"
        elif row.states is not None:
            mistake = f"{factor.key} is a state, which has no factor"
        elif (factor.device_type, factor.key) in known:
            mistake = f"{factor.key} of this type has a factor already"
        if mistake:
            raise ConfigError(f"{path}: factors[{n}]: {mistake}")
        known.append((factor.device_type, factor.key))
    return settings


def bind(flags: argparse.Namespace) -> list[server.ListeningSocket]:
    """The listening sockets that the flags ask for."""
    return each_address(flags, server.bind)


def each_address(flags: argparse.Namespace, use: Callable[[str], Used]) -> list[Used]:
    """What `use` makes of each address; one that it refuses ends the process."""
    used = []
    for address in flags.addresses or [flags.default_address]:
        try:
            used.append(use(address))
        except (ValueError, OSError) as error:
            fail(f"--web.listen-address {address}: {error}")
    return used


def count(text: str) -> int:
    """A whole number of 1 or more. Raises argparse.ArgumentTypeError."""
    if not (text.isascii() and text.isdigit() and int(text)):
        raise argparse.ArgumentTypeError(f"{text} is no number of 1 or more")
    return int(text)


def seconds(text: str) -> float:
    """Seconds, which may be 0. Raises argparse.ArgumentTypeError."""
    with suppress(ValueError):
        if 0 <= float(text) < float("inf"):
            return float(text)
    raise argparse.ArgumentTypeError(f"{text} is no number of seconds")


def positive_seconds(text: str) -> float:
    """Seconds, more than 0. Raises argparse.ArgumentTypeError."""
    if seconds(text) == 0:
        raise argparse.ArgumentTypeError("0 is too short")
    return seconds(text)
