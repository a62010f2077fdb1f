"""How a command reaches an account: the state directory, an errand, and how failures are told."""

import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import ParamSpec

from exporter import NAME, logs
from exporter.config import AccountSettings, Settings
from exporter.exposition.account import AccountSink
from exporter.exposition.page import Page
from exporter.exposition.telemetry import Telemetry
from exporter.northbound.client import Client
from exporter.northbound.errors import CallError
from exporter.northbound.interfaces import INTERFACES
from exporter.polling.errand import Errand, NoSessionError, NotNowError
from exporter.polling.lane import Wish
from exporter.polling.memory import Memory
from exporter.polling.ports import Clock
from exporter.polling.state_directory import OccupiedError, Owner, StateDirectory, file_of
from exporter.polling.tour import Tour
from exporter.wiring import (
    client_of,
    inventory_of,
    owner_of,
    sink_of,
    terms_of,
    wish_of,
)

FAILED = 1  # the exit status when something was refused or could not be reached
_INTERRUPTED = 130

Failure = CallError | NotNowError | NoSessionError
FAILURES = (CallError, NotNowError, NoSessionError)

Flags = ParamSpec("Flags")


def say(line: str) -> None:
    """Tells what is going on, apart from the result."""
    print(line, file=sys.stderr, flush=True)


def explain(error: Failure) -> str:
    """A failure in plain words, with what the server said, and the refusal that led to the call."""
    refusal = error.__cause__
    if isinstance(refusal, CallError):
        return f"{in_words(refusal)}; asked in another way: {in_words(error)}"
    return in_words(error)


def in_words(error: Failure) -> str:
    """A failure by itself."""
    if not isinstance(error, CallError):
        return str(error)
    if error.reason == "refused" and error.message:  # there is nothing but what was said
        return f'the management system says: "{error.message}"'
    said = f' ("{error.message}")' if error.message else ""
    return f"{error.words}{said} [{error.reason}]"


def told(run: Callable[Flags, int]) -> Callable[Flags, int]:
    """Makes a command that ends with one line, and no trace, when a call fails."""

    @wraps(run)
    def running(*args: Flags.args, **kwargs: Flags.kwargs) -> int:
        logs.configure("warn", "logfmt", sys.stderr)
        try:
            return run(*args, **kwargs)
        except FAILURES as error:
            say(f"{NAME}: {explain(error)}")
            return FAILED
        except KeyboardInterrupt:
            return _INTERRUPTED

    return running


@dataclass(frozen=True, slots=True)
class State:
    """Where the accounts' data are, if they are kept, and whose a daemon works with."""

    directory: Path | None
    daemons: frozenset[Owner] = frozenset()

    @property
    def daemon(self) -> bool:
        """Whether a daemon works with one of the accounts."""
        return bool(self.daemons)


@contextmanager
def state_of(settings: Settings, accounts: Collection[AccountSettings]) -> Iterator[State]:
    """The state directory; the accounts that no daemon works with are ours for a while."""
    directory = settings.state.directory
    if directory is None:
        say("without a state directory a running daemon's session ends with this login")
        yield State(None)
        return
    with closing(StateDirectory(directory)) as kept:
        daemons = set()
        for account in accounts:
            owner = owner_of(account)
            try:
                kept.occupy({owner: account.name})
            except OccupiedError:
                daemons.add(owner)
                continue
            if kept.path_of(owner) is None:
                said = "the state directory cannot be used: a running daemon's session ends"
                say(f"{said} with this login")
                yield State(None)
                return
        yield State(directory, frozenset(daemons))


@contextmanager
def errand_to(
    account: AccountSettings,
    settings: Settings,
    state: State,
    clock: Clock,
    client: Client | None = None,
) -> Iterator[Errand]:
    """An errand to an account, by its client unless another is given."""
    owner = owner_of(account)
    path = file_of(state.directory, *owner) if state.directory else None
    daemon = owner in state.daemons
    memory = Memory(path, locked=not daemon)
    try:
        yield Errand(
            client or client_of(account),
            memory,
            clock,
            wishes={
                name: wish_of(settings, account, interface)
                for name, interface in INTERFACES.items()
            },
            inventory=inventory_of(account),
            timeout=account.timeout,
            daemon=daemon,
            tell=say,
        )
    finally:
        memory.close()


@dataclass(frozen=True, slots=True)
class Guide:
    """A tour over an account, and what it tells of the values it brings."""

    account: str
    tour: Tour
    sink: AccountSink
    telemetry: Telemetry


def guide(
    errand: Errand,
    wishes: Sequence[Wish],
    settings: Settings,
    account: AccountSettings,
    clock: Clock,
) -> Guide:
    """A tour over an account's interfaces, whose values become what they would on the page."""
    telemetry = Telemetry()
    page = Page(telemetry.registry, clock.now)
    sink = sink_of(settings, account, wishes, page=page, telemetry=telemetry, clock=clock)
    tour = Tour(errand, wishes, sink=sink, clock=clock, alarms=terms_of(settings))
    return Guide(account.name, tour, sink, telemetry)
