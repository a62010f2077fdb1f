"""One account at work: its thread, which restores what a previous run has left, and then polls."""

import gc
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from exporter.account.account_polling import AccountConfig
from exporter.account.poller import Poller
from exporter.account.store import RowStore
from exporter.clock import SystemClock
from exporter.config import AccountSettings, Settings
from exporter.exposition.account import AccountView
from exporter.northbound.client import Session

if TYPE_CHECKING:
    from exporter.history_wiring import HistoryThread

STOP_CHECK = 0.1  # seconds between two checks whether a waiting account is to end


@dataclass(frozen=True, slots=True)
class PreparedAccount:
    """An account as the settings want it, and what of it can fail."""

    settings: Settings
    account: AccountSettings
    config: AccountConfig
    client: Session


class RunningAccount:
    """An account at work, and what it was started with.

    Accounts restore one after the other: whoever does holds `turn`. `restored` is set once its past
    is shown. `history` fetches what lies before, if that is wanted.
    """

    def __init__(  # noqa: PLR0913  # all that an account consists of
        self,
        prepared: PreparedAccount,
        *,
        clock: SystemClock,
        poller: Poller,
        view: AccountView,
        database: RowStore,
        history: "HistoryThread | None",
        turn: threading.Lock,
    ) -> None:
        self.prepared = prepared
        self.poller = poller
        self.view = view
        self.database = database
        self.history = history
        self.restored = threading.Event()
        name = f"poller {prepared.account.name}"
        self.thread = threading.Thread(target=self._restore_and_poll, name=name, daemon=True)
        self._clock = clock
        self._turn = turn

    def start(self) -> None:
        """Lets it work."""
        self.thread.start()
        if self.history is not None:
            self.history.start()

    def stop(self) -> None:
        """Lets its calls under way be the last."""
        self._clock.stop()
        if self.history is not None:
            self.history.stop()

    def is_unchanged(self, settings: Settings, account: AccountSettings) -> bool:
        """Whether it is at work, and nothing that it was started with has changed."""
        before, now = (
            each.model_copy(update={"accounts": (), "state": None})
            for each in (self.prepared.settings, settings)
        )
        # Labels of its target change nothing of what an account does.
        same = self.prepared.account.model_copy(update={"labels": account.labels}) == account
        return self.thread.is_alive() and before == now and same

    def _restore_and_poll(self) -> None:
        try:
            self._restore()
        finally:
            self.restored.set()
        if not self._clock.wait(0):
            self.poller.run()

    def _restore(self) -> None:
        """Restores what it knew when it is its turn, unless it is ended before.

        One after the other: all at once would be as late together, and would hold up the threads
        that answer. What is restored is kept from the garbage collector, which would look through
        all of it again and again, for a second and more in which no thread answers.
        """
        while not self._turn.acquire(timeout=STOP_CHECK):
            if self._clock.wait(0):
                return
        gc.disable()
        try:
            self.poller.restore()
        finally:
            gc.freeze()
            gc.enable()
            self._turn.release()
