"""How a command reaches an account: the state directory, an errand, and how failures are told."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import ParamSpec

from exporter import NAME, logs
from exporter.accounts import client_of, inventory_of, terms_of, translator_of, wish_of
from exporter.config import Account, Settings
from exporter.exposition.account import AccountSink
from exporter.exposition.page import Page
from exporter.exposition.telemetry import Telemetry
from exporter.northbound.client import Client
from exporter.northbound.errors import CallError
from exporter.northbound.interfaces import INTERFACES
from exporter.polling.errand import Errand, NoSessionError, NotNowError
from exporter.polling.lane import Wish
from exporter.polling.memory import Memory, OccupiedError, file_of, lock
from exporter.polling.ports import Clock
from exporter.polling.tour import Tour

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
    if error.reason == "refused":  # there is nothing but what was said
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
    """Where the accounts' data are, if they are kept, and whether a daemon holds them."""

    directory: Path | None
    daemon: bool = False


@contextmanager
def state_of(settings: Settings) -> Iterator[State]:
    """The state directory, ours for a while if no daemon has it."""
    directory = settings.state.directory
    try:
        taken = lock(directory) if directory else None
    except OccupiedError:
        yield State(directory, daemon=True)
        return
    if taken is None:
        said = "cannot be used" if directory else "is not configured"
        say(f"state.directory {said}: a running daemon's session ends with this login")
        yield State(None)
        return
    with taken:
        yield State(directory)


@contextmanager
def errand_to(
    account: Account, settings: Settings, state: State, clock: Clock, client: Client | None = None
) -> Iterator[Errand]:
    """An errand to an account, by its client unless another is given."""
    path = file_of(state.directory, account.base_url, account.username) if state.directory else None
    memory = Memory(path, locked=not state.daemon)
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
            daemon=state.daemon,
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
    errand: Errand, wishes: Iterable[Wish], settings: Settings, account: Account, clock: Clock
) -> Guide:
    """A tour over an account's interfaces, whose values become what they would on the page."""
    telemetry = Telemetry()
    sink = AccountSink(
        account.name,
        page=Page(telemetry.registry, clock.now),
        telemetry=telemetry,
        translator=translator_of(settings),
        places=settings.plant_coordinates,
        now=clock.now,
        wall=clock.time,
    )
    tour = Tour(errand, wishes, sink=sink, clock=clock, alarms=terms_of(settings))
    return Guide(account.name, tour, sink, telemetry)
