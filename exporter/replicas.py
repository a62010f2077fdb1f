"""The accounts that one of several replicas works with: those that it holds in the database."""

import threading
from collections.abc import Collection, Mapping
from time import monotonic
from typing import TYPE_CHECKING

from exporter.account.login import HostGate
from exporter.account.postgresql.leases import HEARTBEAT, LOST, Lease
from exporter.account.postgresql.rows import PostgresRows
from exporter.account.postgresql.shared_state import SharedState
from exporter.account.state_directory import AccountKey
from exporter.account.store import RowStore
from exporter.accounts import Accounts, Server
from exporter.clock import SystemClock
from exporter.config import Settings
from exporter.exposition.page import Page
from exporter.exposition.telemetry import Telemetry
from exporter.running_account import PreparedAccount
from exporter.wiring import account_key

if TYPE_CHECKING:
    from exporter.archives import HistoryAccess

DRAIN_TIMEOUT = 10.0  # seconds that the calls under way have to end when the process is told to
_DRAIN_CHECK = 0.2  # seconds between two checks whether an account's last call has ended


class SharedAccounts(Accounts):
    """Starts an account when this replica has acquired it, and ends it before its release.

    One whose lease was lost ends too. A thread of its own does that: what one account waits for
    delays no other.
    """

    _LEFT = "account let go"

    def __init__(
        self, page: Page, telemetry: Telemetry, minute: float, shared: SharedState
    ) -> None:
        super().__init__(page, telemetry, minute, None)
        self._shared = shared
        self._replica = shared.replica
        self._settings: Settings
        self._applying = threading.Lock()
        self._changed = threading.Event()
        self._ended = threading.Event()
        self._follower = threading.Thread(target=self._run, name="accounts", daemon=True)

    def occupy(self, settings: Settings) -> None:
        """Nothing: others' accounts are just not ours."""

    def start(self, settings: Settings) -> None:
        """Starts accounts as they are taken from now on."""
        with self._applying:
            self._adopt(settings)
        self._shared.start(self._changed.set)
        self._follower.start()

    def apply(self, settings: Settings) -> None:
        """Starts, replaces and ends accounts, of those that it holds."""
        with self._applying:
            self._adopt(settings)
            super().apply(self._settings_of(self._replica.leases))
        self._changed.set()

    def release(self, retained: Collection[AccountKey]) -> None:
        """Releases all accounts that have ended, but for those that it is to continue."""
        held = self._replica.leases
        super().release(retained)
        for key in {*held, *self._replica.leaving} - {*retained}:
            if key not in held or not self._is_wanted(key):
                self._replica.release(key)

    def stop(self) -> None:
        """Ends the calls under way, and releases all accounts, which others may acquire at once."""
        self._ended.set()
        self._changed.set()
        super().stop()
        end = monotonic() + DRAIN_TIMEOUT
        with self._applying:
            for each in self._working.values():
                each.thread.join(max(0.0, end - monotonic()))
                # Of one whose call goes on, the next holder has to know: it is not let go.
                if not each.thread.is_alive():
                    self._replica.release(account_key(each.prepared.account))
            for history in filter(None, (each.history for each in self._working.values())):
                history.join(max(0.0, end - monotonic()))  # or its last answer is asked for again
        self._shared.close()

    def waiting(self) -> list[str]:
        """What readiness still waits for, in words."""
        if not (self._was_ready or self._replica.has_begun):
            return [f"its share of the accounts is not known yet (state in {self._shared})"]
        return super().waiting()

    def _adopt(self, settings: Settings) -> None:
        self._settings = settings
        self._replica.configure({account_key(each) for each in settings.accounts})

    def _is_wanted(self, key: AccountKey) -> bool:
        return any(account_key(each) == key for each in self._settings.accounts)

    def _settings_of(self, keys: Collection[AccountKey], names: Collection[str] = ()) -> Settings:
        """The settings, with the accounts of these keys, and those of these names, alone."""
        accounts = tuple(
            each
            for each in self._settings.accounts
            if account_key(each) in keys or each.name in names
        )
        return self._settings.model_copy(update={"accounts": accounts})

    # --- following the leases --------------------------------------------------------------------

    def _run(self) -> None:
        busy = False
        while not self._ended.is_set():
            self._changed.wait(_DRAIN_CHECK if busy else HEARTBEAT)
            self._changed.clear()
            try:
                busy = self._adjust()
            except Exception:  # noqa: BLE001  # or no account would ever be taken again
                self._telemetry.errors.labels("reload").inc()
                self._log.exception("bug in taking accounts, continuing")
                busy = False

    def _adjust(self) -> bool:
        """Starts and ends accounts as the leases are; returns whether some are still ending."""
        with self._applying:
            if self._ended.is_set():
                return False
            held = self._replica.leases
            ending = {name for name in self._working if not self._has_lease(name, held)}
            for name in ending:
                self._working[name].stop()
            alive = {name for name in ending if self._working[name].thread.is_alive()}
            started = {*held} - {
                account_key(each.prepared.account) for each in self._working.values()
            }
            if started or ending - alive or self._replica.leaving:
                self._exchange(self._prepare(self._settings_of(held, alive)))
            self._show_leases(held)
            return bool(alive)

    def _has_lease(self, name: str, held: Mapping[AccountKey, Lease]) -> bool:
        """Whether an account at work is still, or again, the one that was taken."""
        working = self._working[name]
        lease = held.get(account_key(working.prepared.account))
        rows = working.database
        return lease is not None and (not isinstance(rows, PostgresRows) or rows.lease == lease)

    def _show_leases(self, held: Mapping[AccountKey, Lease]) -> None:
        alive, gauge = self._replica.is_alive, self._telemetry.account_held
        gauge.clear()  # of what has been deleted from the configuration
        for each in self._settings.accounts:
            gauge.labels(each.name).set(alive and account_key(each) in held)

    # --- what an account is made of --------------------------------------------------------------

    def _clock(self) -> SystemClock:
        return self._shared.clock()

    def _history_access(self, prepared: PreparedAccount, rows: RowStore) -> "HistoryAccess | None":
        from exporter.archives import HistoryAccess, archive_of  # noqa: PLC0415  # takes memory

        key = account_key(prepared.account)
        archive = archive_of(prepared.settings, prepared.account, self._shared)
        if archive is None or not isinstance(rows, PostgresRows):
            return None
        return HistoryAccess(lambda: self._shared.rows(key, rows.lease, beside=True), archive)

    def _gate_of(self, server: Server) -> HostGate:
        host, port = server
        return self._shared.gate(f"{host}:{port}")

    def _rows(self, key: AccountKey) -> RowStore:
        # One that was lost just now is refused every call until it is ended.
        lease = self._replica.leases.get(key, Lease(key, LOST))
        known = self._databases.get(key)
        if not isinstance(known, PostgresRows) or known.lease != lease:
            self._databases[key] = self._shared.rows(key, lease)
        return self._databases[key]
