"""How a command reaches an account: the state directory, a probe, and how failures are told."""

import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import ParamSpec

from exporter import NAME, logs
from exporter.account.database import Database
from exporter.account.interface_schedule import PollConfig
from exporter.account.probe import NoSessionError, NotNowError, Probe
from exporter.account.state_directory import OccupiedError, Owner, StateDirectory, file_of
from exporter.clock import Clock
from exporter.config import AccountSettings, Settings
from exporter.exposition.account import AccountView
from exporter.exposition.page import Page
from exporter.exposition.telemetry import Telemetry
from exporter.northbound.errors import CallError
from exporter.northbound.interfaces import INTERFACES, LOGIN
from exporter.northbound.session import Session
from exporter.wiring import (
    account_config,
    client_of,
    owner_of,
    poll_config,
    view_of,
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
    return f"{error.describe()}{said} [{error.reason}]"


def reports_failures(run: Callable[Flags, int]) -> Callable[Flags, int]:
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
class StateAccess:
    """Where the accounts' data are, if they are kept, and whose a daemon works with."""

    directory: Path | None
    daemons: frozenset[Owner] = frozenset()

    @property
    def daemon(self) -> bool:
        """Whether a daemon works with one of the accounts."""
        return bool(self.daemons)


@contextmanager
def state_of(settings: Settings, accounts: Collection[AccountSettings]) -> Iterator[StateAccess]:
    """The state directory; the accounts that no daemon works with are ours for a while."""
    directory = settings.state.directory
    if directory is None:
        say("without a state directory a running daemon's session ends with this login")
        yield StateAccess(None)
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
                yield StateAccess(None)
                return
        yield StateAccess(directory, frozenset(daemons))


@dataclass(frozen=True, slots=True)
class Access:
    """A probe of an account, and what it shows of the values that it brings."""

    account: str
    probe: Probe
    view: AccountView
    telemetry: Telemetry


@contextmanager
def access_to(  # noqa: PLR0913  # an account, and how it is reached
    account: AccountSettings,
    settings: Settings,
    state: StateAccess,
    clock: Clock,
    *,
    polled: Sequence[PollConfig] = (),
    client: Session | None = None,
) -> Iterator[Access]:
    """Access to an account, by its client unless another is given.

    `polled` are the interfaces that may be asked about the fleet.
    """
    owner = owner_of(account)
    path = file_of(state.directory, *owner) if state.directory else None
    guest = owner in state.daemons
    telemetry = Telemetry()
    page = Page(telemetry.registries, clock.now)
    view = view_of(settings, account, polled, page=page, telemetry=telemetry, clock=clock)
    with closing(Database(path, locked=not guest)) as database:
        probe = Probe(
            account_config(settings, account, [p for p in polled if p.interface is not LOGIN]),
            {
                name: poll_config(settings, account, interface)
                for name, interface in INTERFACES.items()
            },
            client=client or client_of(account),
            database=database,
            clock=clock,
            view=view,
            guest=guest,
            tell=say,
        )
        yield Access(account.name, probe, view, telemetry)
