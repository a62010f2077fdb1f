"""The daemon: polls and serves until a signal, and takes a changed configuration over."""

import gc
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from socket import socket
from time import time

import structlog

from exporter import NAME
from exporter.account.state_directory import OccupiedError
from exporter.accounts import Accounts
from exporter.clock import SystemClock
from exporter.config import ConfigError, Settings
from exporter.exposition.page import Page
from exporter.exposition.telemetry import Telemetry
from exporter.northbound.interfaces import MINUTE
from exporter.web import app, server
from exporter.web.access import AccessRules
from exporter.wiring import shared_state


class Reload:
    """Applies the configuration: `settings` at the start, and when called, the file on disk.

    `read` reads and checks it; one that is broken or fails changes nothing. One at a time.
    """

    def __init__(
        self,
        settings: Settings,
        read: Callable[[], Settings],
        accounts: Accounts,
        telemetry: Telemetry,
        page: Page,
    ) -> None:
        self._applied = settings
        self._state = settings.state  # in use until a restart, whatever is applied
        self._read = read
        self._accounts = accounts
        self._telemetry = telemetry
        self._page = page
        self._lock = threading.Lock()
        self._log = structlog.get_logger()

    def start(self) -> None:
        """Starts the accounts with the configuration as it is at the start."""
        with self._lock:
            self._accounts.start(self._applied)
            self._report_success()

    def __call__(self) -> str | None:
        """Returns why the configuration could not be applied, in one line; None when it was."""
        with self._lock:
            reason = self._reload()
            self._page.update({})  # or who asks now could get one that was made before
            return reason

    def targets(self) -> Mapping[str, Mapping[str, str]]:
        """The accounts on the page, and the labels that each one's target is to have."""
        return {account.name: account.labels for account in self._applied.accounts}

    def _reload(self) -> str | None:
        self._log.info("reloading the configuration")
        try:
            self._replace(self._read())
        except Exception as error:  # noqa: BLE001  # because the daemon goes on, whatever it was
            known = isinstance(error, ConfigError | OccupiedError)
            reason = str(error) if known else "a bug; the log says more"
            self._telemetry.reload_successful.set(0)
            if not known:
                self._telemetry.errors.labels("reload").inc()
            self._log.error(
                "configuration not reloaded, keeping the previous one",
                reason=reason,
                exc_info=not known,
            )
            return reason
        self._report_success()
        if self._applied.state != self._state:
            self._log.warning("state needs a restart")
        self._log.info("configuration reloaded; flags and addresses need a restart")
        return None

    def _replace(self, settings: Settings) -> None:
        try:
            self._accounts.apply(settings)
        except Exception:
            self._accounts.apply(self._applied)  # some may have ended already
            raise
        self._applied = settings

    def _report_success(self) -> None:
        self._telemetry.reload_successful.set(1)
        self._telemetry.reload_timestamp.set(time())


def run(  # noqa: PLR0913  # because a daemon is handed what it serves with
    settings: Settings,
    sockets: Sequence[server.ListeningSocket],
    *,
    read: Callable[[], Settings] | None = None,
    lifecycle: bool = False,
    rules: Callable[[], AccessRules] | None = None,
    minute: float = MINUTE,
) -> None:
    """Polls and serves until a signal. It serves at once, before accounts have restored anything.

    `read` reads the configuration anew, at SIGHUP and, with `lifecycle`, when asked over HTTP.
    `rules` says which clients are admitted; `minute` shortens the limits' minutes, for the demo.

    Raises:
        OccupiedError: Another process works with one of the accounts.
        ConfigError: The state's database cannot be one.
    """
    log = structlog.get_logger()
    telemetry = Telemetry()
    page = Page(telemetry.registries, SystemClock().now)
    accounts = _accounts(settings, page, telemetry, minute)
    accounts.occupy(settings)
    if settings.state.directory:
        log.info("state directory", directory=str(settings.state.directory))
    reload = Reload(settings, read or (lambda: settings), accounts, telemetry, page)
    signal.signal(signal.SIGHUP, lambda *_: threading.Thread(target=reload, daemon=True).start())
    site = app.build(
        accounts.parts,
        lambda: page.version,
        accounts.waiting,
        accounts.status,
        reload if lifecycle else None,
        without_data=accounts.lacks,
        accounts=reload.targets,
        on_error=telemetry.errors.labels("web").inc,
    )
    reload.start()
    log.info("listening", addresses=",".join(map(address, sockets)), version=version(NAME))
    server.serve(site, sockets, rules, accounts.open_files)
    accounts.stop()
    gc.freeze()  # or Python would look through all of it once more before it ends
    log.info("stopped")


def check_database(settings: Settings) -> None:
    """Makes sure that the state's database, if there is one, can be used; reaches for nothing.

    Raises:
        ConfigError: Its URL is none, or its driver is not installed.
    """
    if settings.state.url():
        shared_state(settings)


def _accounts(settings: Settings, page: Page, telemetry: Telemetry, minute: float) -> Accounts:
    """All accounts, or those that this replica holds."""
    if not settings.state.url():
        return Accounts(page, telemetry, minute, settings.state.directory)
    shared = shared_state(settings)
    from exporter.replicas import SharedAccounts  # noqa: PLC0415  # needs the database's driver

    structlog.get_logger().info("state database", database=str(shared), replica=shared.replica.id)
    return SharedAccounts(page, telemetry, minute, shared)


def address(listening: socket) -> str:
    """Where a listening socket answers, as `host:port`."""
    host, port = listening.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
