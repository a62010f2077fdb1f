"""Accounts restore what they knew in their own threads, one after the other.

All at once would be as late together, and would hold up the threads that answer.
"""

import gc
import threading

from exporter.polling.poller import Poller
from exporter.polling.ports import Clock

LOOK = 0.1  # seconds between two looks whether the daemon, or the account, ends meanwhile


class Turns:
    """Lets one poller at a time restore.

    What is restored is kept from the garbage collector, which would look through all of it again
    and again, for a second and more in which no thread answers.
    """

    def __init__(self) -> None:
        self._turn = threading.Lock()

    def restore(self, poller: Poller, clock: Clock) -> None:
        """Lets a poller restore when its turn has come, unless its clock is stopped before."""
        while not self._turn.acquire(timeout=LOOK):
            if clock.wait(0):
                return
        gc.disable()
        try:
            poller.restore()
        finally:
            gc.freeze()
            gc.enable()
            self._turn.release()

    def let_go(self) -> None:
        """Lets the garbage collector find what ended accounts hold in circles."""
        gc.unfreeze()
