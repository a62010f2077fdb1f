"""When an account may log in: the one call that locks owners out when it is made too often.

Pure but for the gate's lock: every time is an argument.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf
from threading import Lock

from exporter.northbound.errors import CallError, Reaction
from exporter.northbound.interfaces import HOUR, MINUTE, Limit
from exporter.polling.allowance import Backoff, FleetSize, Ledger, pace, quotas

STOLEN_WITHIN = 10 * MINUTE  # of our own login: a session does not expire that early by itself


@dataclass(slots=True)
class HostGate:
    """What the accounts of one host share, since servers block by source address.

    Logins pass one at a time; a refusal for load (HTTP 403, 429) makes all accounts wait.
    """

    login: Lock = field(default_factory=Lock)
    pause: Backoff = field(default_factory=Backoff)


class Session:
    """The login's own allowance and waits, apart from those of every other interface."""

    def __init__(self, limits: Sequence[Limit]) -> None:
        self._quotas = quotas(limits, FleetSize())
        self._ledger = Ledger()
        self._waits = {reaction: Backoff() for reaction in Reaction}
        self._stolen = Backoff()
        self._stolen_in_a_row = 0
        self._since = -inf
        self.refusal: CallError | None = None

    @property
    def pace(self) -> float:
        """Seconds between two logins when the allowance is used evenly."""
        return pace(self._quotas)

    def due(self) -> float:
        """The earliest time for the next login, should one be needed."""
        return max(
            self._ledger.earliest(self._quotas, None, hurry=True),
            self._stolen.until,
            *(wait.until for wait in self._waits.values()),
        )

    def start(self, now: float) -> None:
        """Notes that a login starts."""
        self._ledger.start(now, now, None)

    def end(self, now: float, doubt: float) -> None:
        """Notes that a login ended, however it went; it may arrive up to `doubt` seconds later."""
        self._ledger.end(now, self._quotas, doubt)

    def opened(self, now: float) -> None:
        """Notes that the login succeeded."""
        self._since = now
        self.refusal = None
        self._waits = {reaction: Backoff() for reaction in Reaction}

    def failed(self, error: CallError, now: float) -> None:
        """Chooses the wait after a failed login.

        Refused credentials: 15, then every 30 minutes, since a few wrong passwords lock the
        account for half an hour. Refused for frequency: one pace, doubling. No proper answer:
        1, 2, 4 … 30 minutes, shorter where the configured allowance is.
        """
        wait = self._waits[error.reaction]
        match error.reaction:
            case Reaction.REFUSE_CREDENTIALS:
                self.refusal = error
                wait.refused(now, 15 * MINUTE, 30 * MINUTE)
            case Reaction.BACK_OFF:
                wait.refused(now, self.pace, HOUR)
            case _:
                unit = min(MINUTE, self.pace)
                wait.refused(now, unit, 30 * unit)

    def lost(self, now: float) -> bool:
        """Notes that the server no longer knows our session; returns whether it was stolen.

        One early loss may be chance and costs nothing; from the second in a row on, somebody else
        uses the account, and answering each of their logins with ours would end in a lock-out.
        """
        if now - self._since >= STOLEN_WITHIN:
            self._stolen_in_a_row = 0
            self._stolen = Backoff()
            return False
        self._stolen_in_a_row += 1
        if self._stolen_in_a_row > 1:
            self._stolen.refused(now, self.pace, 30 * MINUTE)
        return True
