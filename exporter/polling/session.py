"""When an account may log in: the one call that locks owners out when it is made too often.

Pure but for the gate's lock: every time is an argument.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, isclose, isfinite
from threading import Lock
from typing import Any, assert_never

from exporter.northbound.errors import CallError, Reaction, login_reason_error
from exporter.northbound.interfaces import DAY, HOUR, MINUTE, Limit
from exporter.polling.allowance import Backoff, FleetSize, Ledger, pace, quotas
from exporter.polling.eras import read, written
from exporter.polling.liveness import Liveness

STOLEN_WITHIN = 10 * MINUTE  # of our own login: a session does not expire that early by itself
# Passwords that were refused, whichever they were: servers lock accounts after five in ten minutes.
REFUSALS = quotas((Limit(3, 30 * MINUTE),), FleetSize())
SHORTEST_LIFE = 25 * MINUTE  # of a session that nobody ends; the servers' documents say 30


LOAD_PAUSE = 5 * MINUTE  # the least that servers ask for after HTTP 403 or 429
LOGIN_TURN = 5.0  # seconds that a login keeps the host's others waiting: a dead host must not


@dataclass(slots=True)
class HostGate:
    """What the accounts of one host share, since servers block by source address.

    Logins take turns; a refusal for load (HTTP 403, 429) makes all accounts wait.
    """

    pause: Backoff = field(default_factory=Backoff)
    _turn_ends: float = -inf
    _lock: Lock = field(default_factory=Lock)

    def enter(self, now: float) -> float:
        """Takes the turn to log in; returns the seconds until there is one, 0 if it was taken."""
        with self._lock:
            wait = self._turn_ends - now
            if wait > 0:
                return wait
            self._turn_ends = now + LOGIN_TURN
            return 0.0

    def leave(self, entered: float) -> None:
        """Ends the turn that was taken then, unless it is somebody else's by now."""
        with self._lock:
            if self._turn_ends == entered + LOGIN_TURN:
                self._turn_ends = -inf

    def refuse(self, now: float, error: CallError, scale: float) -> None:
        """Makes all accounts wait after a refusal for load.

        Five minutes or as long as the server asks, then twice as long each time, up to an hour; up
        to a day where the server asks for it.
        """
        least = max(LOAD_PAUSE * scale, min(error.retry_after, DAY))
        self.pause.refused(now, least, HOUR * scale)

    def lift(self) -> None:
        """Lets all accounts go on at once."""
        self.pause = Backoff()


class Session:
    """The login's own allowance and waits, apart from those of every other interface."""

    def __init__(self, limits: Sequence[Limit]) -> None:
        self.quotas = quotas(limits, FleetSize())
        self._ledger = Ledger()
        self._refusals = Ledger()
        self._waits = {reaction: Backoff() for reaction in Reaction}
        self._stolen = Backoff()
        self._lost_before = False
        self._since = -inf
        self._answered = -inf
        self._life = inf
        self._life_known_until = -inf
        self._last_expiry = -inf  # how old a session was when it expired
        self.refusal: CallError | None = None
        self.liveness = Liveness()

    @property
    def pace(self) -> float:
        """Seconds between two logins when the allowance is used evenly."""
        return pace(self.quotas)

    def due(self) -> float:
        """The earliest time for the next login, should one be needed."""
        return max(
            self._ledger.earliest(self.quotas, None, hurry=True),
            self._refusals.earliest(REFUSALS, None, hurry=True),
            self._stolen.until,
            *(wait.until for wait in self._waits.values()),
        )

    def start(self, now: float) -> None:
        """Notes that a login starts."""
        self._ledger.start(now, now, None)

    def end(self, now: float, doubt: float) -> None:
        """Notes that a login ended, however it went; it may arrive up to `doubt` seconds later."""
        self._ledger.end(now, self.quotas, doubt)

    def opened(self, now: float) -> None:
        """Notes that the login succeeded."""
        self._since = self._answered = now
        self.refusal = None
        self._waits = {reaction: Backoff() for reaction in Reaction}

    def answered(self, now: float) -> None:
        """Notes that the server still knew our session."""
        self._answered = now

    def spent(self, now: float) -> bool:
        """Whether the session is as old as those that have expired.

        A call that finds the session gone costs a window of its interface; a login in time costs
        nothing, since it would be needed anyway. Sessions that calls prolong are never spent.
        """
        return now < self._life_known_until and now - self._since > self._life

    def trial_due(self, interfaces: int) -> float:
        """When to try a login, since nothing has answered properly for a while; inf for not.

        So many interfaces are called. A while is the pace of logins: a hiccup costs none.
        """
        return max(self._answered + self.pace, self.liveness.trial_due(interfaces), self.due())

    def is_young(self, now: float) -> bool:
        """Whether the session is too young to have expired by itself."""
        return now - self._since < SHORTEST_LIFE

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
                self._refusals.start(now, now, None)
                self._refusals.end(now, REFUSALS)
                wait.refused(now, 15 * MINUTE, 30 * MINUTE)
            case Reaction.BACK_OFF:
                wait.refused(now, self.pace, HOUR)
            case (
                Reaction.LOG_IN
                | Reaction.SPLIT
                | Reaction.PAUSE
                | Reaction.PARK
                | Reaction.REREAD_FLEET
                | Reaction.NEXT_TURN
            ):
                unit = min(MINUTE, self.pace)
                wait.refused(now, unit, 30 * unit)
            case missed:
                assert_never(missed)
        if error.retry_after:
            wait.hold(now, min(error.retry_after, DAY))

    def believe_credentials(self, now: float) -> None:
        """Forgets that the credentials were refused: they are new, and may be tried at once.

        Not where three were refused in half an hour.
        """
        self._waits[Reaction.REFUSE_CREDENTIALS] = Backoff()
        if self._refusals.earliest(REFUSALS, None, hurry=True) < now + MINUTE:
            self.refusal = None

    def lost(self, now: float) -> bool:
        """Notes that the server no longer knows our session; returns whether it was stolen.

        One loss is an expiry, or chance, and costs nothing. Lost again within ten minutes of the
        login that followed, somebody else uses the account, and answering each of their logins
        with ours would end in a lock-out: the wait doubles.
        """
        lost_before, self._lost_before = self._lost_before, True
        if now - self._since >= STOLEN_WITHIN:
            self._stolen = Backoff()
            self._note_expiry(now)
            return False
        if lost_before:
            self._stolen.refused(now, self.pace, 30 * MINUTE)
        return lost_before

    def remember(self, epoch: float) -> dict[str, Any]:
        """All of it as plain data, in times that are `epoch` later."""
        return {
            "calls": self._ledger.remember(epoch),
            "refusals": self._refusals.remember(epoch),
            "waits": {reaction.value: w.remember(epoch) for reaction, w in self._waits.items()},
            "stolen": self._stolen.remember(epoch),
            "lost_before": self._lost_before,
            "since": written(self._since, epoch),
            "answered": written(self._answered, epoch),
            "life": self._life if isfinite(self._life) else None,
            "life_known": written(self._life_known_until, epoch),
            "last_expiry": self._last_expiry if isfinite(self._last_expiry) else None,
            "refusal": self.refusal.reason if self.refusal else None,
            "liveness": self.liveness.remember(epoch),
        }

    def recall(self, stored: Mapping[str, Any], epoch: float, now: float) -> None:
        """Goes on where an earlier life of this account ended."""
        self._ledger.recall(stored["calls"], epoch, now)
        self._refusals.recall(stored.get("refusals", ()), epoch, now)
        for name, wait in stored["waits"].items():
            self._waits[Reaction(name)].recall(wait, epoch, now)
        self._stolen.recall(stored["stolen"], epoch, now)
        self._lost_before = bool(stored["lost_before"])
        self._since = read(stored["since"], epoch, now, never=-inf)
        self._answered = read(stored["answered"], epoch, now, never=-inf)
        if stored["life"] is not None:
            self._life = float(stored["life"])
            self._life_known_until = read(stored["life_known"], epoch, now + DAY, never=-inf)
        if stored["last_expiry"] is not None:
            self._last_expiry = float(stored["last_expiry"])
        if stored["refusal"] is not None:
            self.refusal = login_reason_error(stored["refusal"])
        if "liveness" in stored:
            self.liveness.recall(stored["liveness"], epoch, now)

    def _note_expiry(self, now: float) -> None:
        """Believes in a session's life, for a day, when two in a row ended at the same age.

        One alone may have been ended by somebody's login, and would cost fifty logins a day.
        """
        age = now - self._since
        if age >= SHORTEST_LIFE and isclose(age, self._last_expiry, rel_tol=0.1):
            self._life = self._answered - self._since
            self._life_known_until = now + DAY
        self._last_expiry = age
