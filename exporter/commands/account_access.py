"""How a command reaches an account: the state directory, a probe, and messages for failures."""

import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec

from exporter import NAME, logs
from exporter.account.database import Database
from exporter.account.interface_schedule import PollConfig
from exporter.account.probe import NoSessionError, NotNowError, Probe
from exporter.account.state_directory import (
    AccountKey,
    OccupiedError,
    StateDirectory,
    UnreachableError,
    file_of,
)
from exporter.account.store import RowStore
from exporter.clock import Clock
from exporter.commands.options import fail
from exporter.config import AccountSettings, ConfigError, Settings
from exporter.exposition.account import AccountView
from exporter.exposition.page import Page
from exporter.exposition.telemetry import Telemetry
from exporter.northbound.client import Session
from exporter.northbound.errors import CallError
from exporter.northbound.interfaces import INTERFACES, LOGIN
from exporter.wiring import (
    account_config,
    account_key,
    client_of,
    poll_config,
    shared_state,
    view_of,
)

if TYPE_CHECKING:
    from exporter.account.postgresql.shared_state import SharedState

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
        return f"{describe(refusal)}; asked in another way: {describe(error)}"
    return describe(error)


def describe(error: Failure) -> str:
    """A failure by itself."""
    if not isinstance(error, CallError):
        return str(error)
    if error.reason == "refused" and error.message:  # there is nothing but what was said
        return f'the management system says: "{error.message}"'
    quoted = f' ("{error.message}")' if error.message else ""
    return f"{error.describe()}{quoted} [{error.reason}]"


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
    daemons: frozenset[AccountKey] = frozenset()
    shared: "SharedState | None" = None

    @property
    def is_kept(self) -> bool:
        """Whether what is learned here is kept."""
        return self.directory is not None or self.shared is not None

    def rows(self, key: AccountKey) -> RowStore:
        """The data of an account, shared with its daemon where it has one."""
        guest = key in self.daemons
        if self.shared is not None:
            return self.shared.rows(key, None if guest else self.shared.replica.leases[key])
        path = file_of(self.directory, key) if self.directory else None
        return Database(path, locked=not guest)

    @property
    def daemon(self) -> bool:
        """Whether a daemon works with one of the accounts."""
        return bool(self.daemons)


@contextmanager
def state_of(settings: Settings, accounts: Collection[AccountSettings]) -> Iterator[StateAccess]:
    """Where state is kept; the accounts that no daemon works with are ours for a while."""
    if settings.state.url():
        with closing(_shared(settings)) as shared:
            yield StateAccess(None, _acquire(shared, accounts), shared)
        return
    directory = settings.state.directory
    if directory is None:
        say("without a state directory a running daemon's session ends with this login")
        yield StateAccess(None)
        return
    with closing(StateDirectory(directory)) as kept:
        daemons = set()
        for account in accounts:
            key = account_key(account)
            try:
                kept.occupy({key: account.name})
            except OccupiedError:
                daemons.add(key)
                continue
            if kept.path_of(key) is None:
                said = "the state directory cannot be used: a running daemon's session ends"
                say(f"{said} with this login")
                yield StateAccess(None)
                return
        yield StateAccess(directory, frozenset(daemons))


def _shared(settings: Settings) -> "SharedState":
    """The state in the database; a URL that is none ends the process."""
    try:
        return shared_state(settings, share=False)
    except ConfigError as error:
        fail(str(error))


def _acquire(shared: "SharedState", accounts: Collection[AccountSettings]) -> frozenset[AccountKey]:
    """Takes the accounts that no replica holds, and keeps them; returns the keys of the others.

    Where the database cannot be used the process ends: who holds an account is not known, and a
    login here would end its session.
    """
    daemons = set()
    for account in accounts:
        try:
            shared.acquire(account_key(account), account.name)
        except OccupiedError:
            daemons.add(account_key(account))
        except UnreachableError as error:
            say(f"{NAME}: state.database: {error}")
            raise SystemExit(FAILED) from None
    shared.start(lambda: None)
    return frozenset(daemons)


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
    key = account_key(account)
    guest = key in state.daemons
    clock = state.shared.clock() if state.shared else clock
    telemetry = Telemetry()
    page = Page(telemetry.registries, clock.now)
    view = view_of(settings, account, polled, page=page, telemetry=telemetry, clock=clock)
    client = client or client_of(account)
    with closing(state.rows(key)) as database:
        if state.shared:
            client.permit(lambda: database.may_call)
        probe = Probe(
            account_config(settings, account, [p for p in polled if p.interface is not LOGIN]),
            {
                name: poll_config(settings, account, interface)
                for name, interface in INTERFACES.items()
            },
            client=client,
            database=database,
            clock=clock,
            view=view,
            guest=guest,
            report=say,
        )
        yield Access(account.name, probe, view, telemetry)
