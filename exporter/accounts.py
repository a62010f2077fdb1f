"""The accounts at work: settings become pollers and views, and change with the configuration."""

import gc
import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import structlog

from exporter.account.database import Database
from exporter.account.login import HostGate
from exporter.account.poller import Poller
from exporter.account.state_directory import AccountKey, StateDirectory
from exporter.account.store import RowStore
from exporter.clock import SystemClock
from exporter.config import AccountSettings, Settings
from exporter.exposition.page import Format, IncompleteError, Page
from exporter.exposition.telemetry import Telemetry
from exporter.northbound.interfaces import MINUTE
from exporter.running_account import PreparedAccount, RunningAccount
from exporter.status.model import Status
from exporter.wiring import account_config, account_key, client_of, poll_configs, view_of

if TYPE_CHECKING:
    from exporter.archives import HistoryAccess
    from exporter.history_wiring import HistoryThread

# Files of an account that may be open at once: state and lock (4), a call's socket, twice (2), and
# what it takes to find the host and to read certificates (4).
OPEN_FILES = 10

Server = tuple[str | None, int]  # host and port
_User = tuple[Server, str]


@dataclass(frozen=True, slots=True)
class _Change:
    """Which accounts have ended, are to be started, and are at work, the started ones included."""

    ending: Sequence[RunningAccount]
    prepared: Sequence[PreparedAccount]
    working: dict[str, RunningAccount]


class Accounts:
    """All accounts: one thread each. Each restores what it knew, one after the other, then polls.

    `minute` is how long a minute of the limits lasts, in seconds; `state` is the directory of what
    survives a restart, if there is one.
    """

    _LEFT = "account removed"  # what the log says of one that is not at work any more

    def __init__(self, page: Page, telemetry: Telemetry, minute: float, state: Path | None) -> None:
        self._page = page
        self._telemetry = telemetry
        self._scale = minute / MINUTE
        self._state = StateDirectory(state) if state else None
        self._working: dict[str, RunningAccount] = {}
        self._databases: dict[AccountKey, RowStore] = {}
        self._gates: dict[Server, HostGate] = {}
        self._was_complete = False
        self._was_ready = False
        self._restoring = threading.Lock()
        self._changing = threading.Lock()
        self._still: Page | None = None
        self._log = structlog.get_logger()

    def occupy(self, settings: Settings) -> None:
        """Keeps other processes from the accounts of these settings; changes nothing else.

        Raises:
            OccupiedError: Another process works with one of them.
        """
        if self._state:
            self._state.occupy({account_key(each): each.name for each in settings.accounts})

    def start(self, settings: Settings) -> None:
        """Starts all accounts; until each has restored what it knew, there is no page."""
        self._exchange(self._prepare(settings))

    def apply(self, settings: Settings) -> None:
        """Starts, replaces and ends accounts, so that they are as the settings say.

        An account whose settings are the same goes on undisturbed, and asks again for what was left
        alone. One that is changed ends its call first, and then restores what it knew: session,
        call times, fleet and values. Returns when that is done.
        What can fail is made before any of them ends. Should something fail afterwards, some have
        ended, and the next call starts them.

        Raises:
            OccupiedError: Another process works with one of them; nothing has changed.
        """
        change = self._prepare(settings)
        with self._atomically():
            try:
                self._exchange(change)
                for each in change.working.values():
                    each.poller.resume()
            finally:
                for each in change.working.values():
                    each.restored.wait()

    def _prepare(self, settings: Settings) -> _Change:
        """Makes what can fail, and then ends those accounts that will not go on."""
        self.occupy(settings)
        wanted = {account.name: account for account in settings.accounts}
        working = {
            name: each
            for name, each in self._working.items()
            if name in wanted and each.is_unchanged(settings, wanted[name])
        }
        prepared = [
            self._prepared(settings, wanted[name]) for name in wanted if name not in working
        ]
        ending = [each for name, each in self._working.items() if name not in working]
        for each in ending:
            each.stop()
        for each in ending:
            each.thread.join()
        if ending:
            gc.unfreeze()  # what ended accounts hold in circles
        return _Change(ending, prepared, working)

    def _exchange(self, change: _Change) -> None:
        """Takes the ended accounts off the page, and starts the planned ones."""
        working = change.working
        for each in change.ending:
            each.view.close()
        try:
            for prepared in change.prepared:
                working[prepared.account.name] = self._start(prepared, working.values())
        finally:
            self._working = self._working | working  # so that none is lost sight of
            # All at the end: threads at work would slow the making of the others.
            for each in working.values():
                if each.thread.ident is None:
                    each.start()
        for name in self._working.keys() - working.keys():
            self._telemetry.drop_account(name)
            self._log.info(self._LEFT, account=name)
        self._working = working
        self.release({account_key(each.prepared.account) for each in working.values()})

    def release(self, retained: Collection[AccountKey]) -> None:
        """Leaves what is remembered of all accounts but these to other processes."""
        for key in self._databases.keys() - retained:
            self._databases.pop(key).close()
        if self._state:
            self._state.retain_only(retained)

    def stop(self) -> None:
        """Lets the calls under way be the last, without waiting for them."""
        for each in self._working.values():
            each.stop()

    def parts(self, form: Format, accounts: Collection[str] | None = None) -> Sequence[bytes]:
        """The page in parts, or of these accounts alone; while they change hands, as it was before.

        Raises:
            IncompleteError: Not all of them have restored yet what they knew.
        """
        if restoring := self.restoring(accounts):
            raise IncompleteError(restoring)
        with self._changing:
            return (self._still or self._page).parts(form, accounts)

    @contextmanager
    def _atomically(self) -> Iterator[None]:
        """Lets no scrape see a change before all of it is done."""
        with self._changing:
            self._still = self._page.frozen()
        try:
            yield
        finally:
            self._still = None

    def restoring(self, accounts: Collection[str] | None = None) -> str:
        """Who of these, or of all, still restores since the start, in words; empty once all did."""
        working = dict(self._working)
        left = [name for name, each in working.items() if not each.restored.is_set()]
        self._was_complete |= not left
        awaited = [name for name in left if accounts is None or name in accounts]
        if self._was_complete or not awaited:
            return ""
        done, total = len(working) - len(left), len(working)
        return f"restoring: {done} of {total} accounts done, not yet {', '.join(awaited)}"

    def waiting(self) -> list[str]:
        """What readiness still waits for, in words; nothing once it was reached."""
        restoring = self.restoring()
        reasons = [restoring] if restoring else []
        reasons += [
            f"{name}: {reason}"
            for name, each in self._working.items()
            for reason in each.poller.waiting
        ]
        self._was_ready |= not reasons
        return [] if self._was_ready else reasons

    def open_files(self) -> int:
        """How many files all accounts may have open at once."""
        return OPEN_FILES * len(self._working)

    def lacks(self) -> list[str]:
        """Which accounts have nothing to export, and why; any thread may ask."""
        reports = [(name, each.poller.report) for name, each in self._working.items()]
        return [
            f"{name}: {report.no_data_reason}" for name, report in reports if report.no_data_reason
        ]

    def status(self) -> Status:
        """All accounts as they are now; any thread may ask."""
        return Status(
            SystemClock().time(),
            tuple(
                each.view.status(each.poller.report, state_kept=self._is_kept(each))
                for each in self._working.values()
            ),
        )

    def _is_kept(self, each: RunningAccount) -> bool | None:
        """Whether an account's state is kept; None where nothing is to be kept."""
        declined = self._state is None and each.prepared.settings.state.declined
        return None if declined else each.database.is_kept

    def _prepared(self, settings: Settings, account: AccountSettings) -> PreparedAccount:
        polled = tuple(poll_configs(settings, account, self._scale))
        config = account_config(settings, account, polled, self._scale)
        return PreparedAccount(settings, account, config, client_of(account))

    def _start(self, prepared: PreparedAccount, others: Iterable[RunningAccount]) -> RunningAccount:
        account, polled, clock = prepared.account, prepared.config.polled, self._clock()
        with ExitStack() as undone:  # what cannot be started leaves nothing behind
            undone.callback(self._telemetry.drop_account, account.name)
            self._telemetry.introduce(account.name, [each.interface.name for each in polled])
            view = view_of(
                prepared.settings,
                account,
                polled,
                page=self._page,
                telemetry=self._telemetry,
                clock=clock,
            )
            undone.callback(view.close)
            database = self._database(account, others)
            prepared.client.permit(lambda: database.may_call)
            if self._state or not prepared.settings.state.declined:
                self._telemetry.of(account.name).state_writable.labels(account.name).set_function(
                    lambda: database.is_kept
                )
            poller = Poller(
                prepared.config,
                client=prepared.client,
                view=view,
                clock=clock,
                gate=self._gate_of(_server(account.base_url)),
                database=database,
            )
            undone.pop_all()
        history = self._history(prepared, database)
        return RunningAccount(
            prepared,
            clock=clock,
            poller=poller,
            view=view,
            database=database,
            history=history,
            turn=self._restoring,
        )

    def _history(self, prepared: PreparedAccount, database: RowStore) -> "HistoryThread | None":
        """What fetches an account's past, if that is wanted and its state is kept."""
        if not prepared.settings.history.enabled:
            return None
        access = self._history_access(prepared, database)
        if access is None:
            self._log.warning("history is off: no state is kept", account=prepared.account.name)
            return None
        from exporter.history_wiring import HistoryThread  # noqa: PLC0415  # takes memory that few need

        on_error = self._telemetry.errors.labels("history").inc
        return HistoryThread(prepared.settings, prepared.account, access, on_error, self._clock())

    def _history_access(
        self, prepared: PreparedAccount, database: RowStore
    ) -> "HistoryAccess | None":
        from exporter.archives import access_by_file  # noqa: PLC0415  # as above

        state = self._state.path_of(account_key(prepared.account)) if self._state else None
        return access_by_file(
            prepared.settings, prepared.account, state if database.is_kept else None
        )

    def _clock(self) -> SystemClock:
        return SystemClock()

    def _gate_of(self, server: Server) -> HostGate:
        return self._gates.setdefault(server, HostGate())

    def _database(self, account: AccountSettings, others: Iterable[RunningAccount]) -> RowStore:
        if any(_user(other.prepared.account) == _user(account) for other in others):
            self._log.warning(
                "two accounts log in as the same user, and end each other's sessions",
                account=account.name,
            )
            return Database()
        return self._rows(account_key(account))

    def _rows(self, key: AccountKey) -> RowStore:
        """The stored rows of an account that no other process works with."""
        if key not in self._databases:
            self._databases[key] = Database(self._state.path_of(key) if self._state else None)
        return self._databases[key]


def _user(account: AccountSettings) -> _User:
    """Who logs in, and where: a server keeps one session for each."""
    return _server(account.base_url), account.user


def _server(base_url: str) -> Server:
    """What two addresses of the same server have in common, however they are written."""
    parts = urlsplit(base_url)
    return parts.hostname, parts.port or {"http": 80, "https": 443}[parts.scheme]
