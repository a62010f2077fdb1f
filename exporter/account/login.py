"""When an account may log in: the one call that locks owners out when it is made too often.

Servers tell a dead session in many ways: by a code, by words, by a page for people, by refusing
everything; and one interface alone may tell so of a session that works on all others. So whether a
session is alive is judged by all of its interfaces together.

Pure but for the gate's lock: every time is an argument.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from math import inf
from threading import Lock
from typing import Annotated

from exporter.account.codec import NotKept, PastTime, Unbounded
from exporter.account.quotas import Backoff, CallLog, FleetSize, Quota, pace, quotas
from exporter.northbound.errors import (
    NO_ANSWER,
    RATE_LIMITED,
    TOKEN_FILE_REASONS,
    CallError,
    Reaction,
    login_reason_error,
)
from exporter.northbound.interfaces import DAY, HOUR, MINUTE, Limit

TAKEOVER_WINDOW = 10 * MINUTE  # of our own login: a session does not expire that early by itself
# Passwords that were refused, whichever they were: servers lock accounts after five in ten minutes.
REFUSALS = quotas((Limit(3, 30 * MINUTE),), FleetSize())
MIN_SESSION_LIFETIME = 25 * MINUTE  # of a session that nobody ends; the servers' documents say 30
EXPIRY_MARGIN = MINUTE  # before a session ends that is good for a time: a call has to arrive in it
LOAD_PAUSE = 5 * MINUTE  # the least that servers ask for after HTTP 403 or 429
LOGIN_TURN = 5.0  # seconds that a login keeps the host's others waiting: a dead host must not
TURN_POLL_INTERVAL = 0.5  # seconds until another's turn is looked after again; most end at once
# Failed since the last proper answer, before a session that nobody calls lost seems so.
CALLS_UNTIL_TRIAL = 3
INTERFACES_UNTIL_TRIAL = 2
TRIAL_PAUSE = 30 * MINUTE  # after a login that did not help; then twice as long each time

# Failures that say nothing about a session: nobody answered, we called too often, or asked for the
# pages of a list in a form that the server does not take.
_NOT_ABOUT_SESSION = NO_ANSWER | RATE_LIMITED | {"30004", "30005", "30006", "bad_parameters"}
_TOO_OFTEN = frozenset({Reaction.BACK_OFF, Reaction.NEXT_DAY, Reaction.PAUSE})

Caller = tuple[str, int | None]  # an interface, and the device type it was asked about


@dataclass(slots=True)
class HostGate:
    """What the accounts of one host share, since servers block by source address.

    Logins take turns; a refusal for load (HTTP 403, 429) makes all accounts wait.
    """

    pause: Backoff = field(default_factory=Backoff)
    _turn_ends: float = -inf
    _lock: Lock = field(default_factory=Lock)

    def acquire_turn(self, now: float) -> float:
        """Acquires the turn to log in; returns 0, or the seconds after which to try again."""
        with self._lock:
            wait = self._turn_ends - now
            if wait > 0:
                return min(wait, TURN_POLL_INTERVAL)
            self._turn_ends = now + LOGIN_TURN
            return 0.0

    def release_turn(self, acquired_at: float) -> None:
        """Releases the turn that was acquired then, unless another account has it by now."""
        with self._lock:
            if self._turn_ends == acquired_at + LOGIN_TURN:
                self._turn_ends = -inf

    def refuse(self, start: float, now: float, error: CallError, scale: float) -> None:
        """Makes all accounts wait after a call from `start` on was refused for load.

        Five minutes or as long as the server asks, then twice as long each time, up to an hour; up
        to a day where the server asks for it. What was under way when the pause began is part of
        the same refusal.
        """
        if start >= self.pause.until - self.pause.wait:
            least = max(LOAD_PAUSE * scale, min(error.retry_after, DAY))
            self.pause.refused(now, least, HOUR * scale)

    def lift(self) -> None:
        """Lets all accounts go on at once."""
        self.pause = Backoff()


def is_about_session(error: CallError) -> bool:
    """Whether a dead session may be why a call failed; some server tells it in any such way."""
    return error.reason not in _NOT_ABOUT_SESSION and error.reaction not in _TOO_OFTEN


class Claim(Enum):
    """What became of a claim that the session is lost, whose caller has not answered since."""

    PENDING = "pending"  # no login was made yet
    ACCEPTED = "accepted"  # one was
    REFUTED = "refuted"  # another caller has answered since


@dataclass(slots=True)
class Liveness:
    """What the calls of one session say about it.

    `pause` lasts until a login may be tried again; `failures` counts by interface since the last
    proper answer; `alone` are the callers who claimed a loss as the only ones.
    """

    pause: Backoff = field(default_factory=Backoff)
    failures: Annotated[Counter[str], NotKept] = field(default_factory=Counter)
    claims: Annotated[dict[Caller, Claim], NotKept] = field(default_factory=dict)
    alone: Annotated[set[Caller], NotKept] = field(default_factory=set)

    def answered(self, caller: Caller) -> None:
        """Notes a proper answer: the session is alive."""
        self.failures.clear()
        self.pause = Backoff()
        self.claims.pop(caller, None)
        self.claims = dict.fromkeys(self.claims, Claim.REFUTED)

    def opened(self) -> None:
        """Notes a login: what disproved a claim was another session."""
        self.claims = {k: each for k, each in self.claims.items() if each is not Claim.REFUTED}

    def lift(self) -> None:
        """Allows a login on trial at once."""
        self.pause = Backoff()

    def failed(self, interface: str, error: CallError) -> None:
        """Notes a failed call."""
        if is_about_session(error):
            self.failures[interface] += 1

    def reaction(
        self, caller: Caller, error: CallError, *, repeated: bool, young: bool
    ) -> Reaction:
        """What to do about a failed call, in the light of all others.

        A session that works elsewhere is not dead: then the caller alone is refused. Nor is it lost
        because of a call that is `repeated` right after a login, or of a caller that a login did
        not help, or, at first and while the session is `young`, because of one that claimed a loss
        before as the only one; unless another one says so, too.
        """
        if error.reaction is not Reaction.LOG_IN:
            return error.reaction
        before = self.claims.get(caller)
        if before is Claim.REFUTED:
            return Reaction.SUSPEND
        others = (claim for who, claim in self.claims.items() if who != caller)
        confirmed = any(claim is not Claim.REFUTED for claim in others)
        unlikely = before is Claim.ACCEPTED or (before is None and young and caller in self.alone)
        accepted = not repeated and (confirmed or not unlikely)
        if accepted or before is None:
            self.claims[caller] = Claim.ACCEPTED if accepted else Claim.PENDING
        if confirmed:
            self.alone.clear()
        else:
            self.alone.add(caller)
        return Reaction.LOG_IN if accepted else Reaction.NEXT_TURN

    def trial_due(self, interfaces: int) -> float:
        """When to try a login, since nothing answers properly; inf where something may.

        So many interfaces are called.
        """
        enough = len(self.failures) >= min(INTERFACES_UNTIL_TRIAL, interfaces)
        return self.pause.until if enough and self.failures.total() >= CALLS_UNTIL_TRIAL else inf

    def tried(self, now: float) -> None:
        """Notes a login that was made because the session seemed dead."""
        self.failures.clear()
        self.pause.refused(now, TRIAL_PAUSE, DAY)


@dataclass(slots=True)
class Login:
    """A session, and the login's own allowance and waits, apart from those of every interface.

    Of the waits, one is for each way in which a login fails: refused credentials, refused for its
    frequency, no proper answer; `stolen` is for sessions that somebody else's logins end. `pause`
    is the host's. `fingerprint` is that of the credentials which were refused for `refusal`. Since
    `since`, the session is good for `lifetime` seconds.
    """

    token: str | None = None
    log: CallLog = field(default_factory=CallLog)
    refusals: CallLog = field(default_factory=CallLog)
    credentials_wait: Backoff = field(default_factory=Backoff)
    frequency_wait: Backoff = field(default_factory=Backoff)
    answer_wait: Backoff = field(default_factory=Backoff)
    stolen: Backoff = field(default_factory=Backoff)
    pause: Backoff = field(default_factory=Backoff)
    lost_before: bool = False
    since: PastTime = -inf
    lifetime: Unbounded = inf
    answered_at: PastTime = -inf
    refusal_reason: str | None = None
    fingerprint: str | None = None
    liveness: Liveness = field(default_factory=Liveness)
    failure: Annotated[str | None, NotKept] = None  # why the last login failed
    quotas: Annotated[tuple[Quota, ...], NotKept] = ()

    def limit(self, limits: Sequence[Limit]) -> None:
        """Sets the limits in force."""
        self.quotas = quotas(limits, FleetSize())

    @property
    def refusal(self) -> CallError | None:
        """Why the credentials are not accepted."""
        return login_reason_error(self.refusal_reason) if self.refusal_reason else None

    @property
    def pace(self) -> float:
        """Seconds between two logins when the allowance is used evenly."""
        return pace(self.quotas)

    @property
    def due(self) -> float:
        """The earliest time for the next login, should one be needed."""
        return max(
            self.log.earliest(self.quotas, None, burst=True),
            self.refusals.earliest(REFUSALS, None, burst=True),
            self.stolen.until,
            *(wait.until for wait in self._backoffs),
        )

    @property
    def _backoffs(self) -> tuple[Backoff, ...]:
        return self.credentials_wait, self.frequency_wait, self.answer_wait

    def opened(self, now: float, lifetime: float = inf) -> None:
        """Notes that the login succeeded, and for how long the session is good."""
        self.since = self.answered_at = now
        self.lifetime = lifetime
        self.refusal_reason = None
        self.liveness.opened()
        for name in ("credentials_wait", "frequency_wait", "answer_wait"):
            setattr(self, name, Backoff())

    def trial_due(self, interfaces: int) -> float:
        """When to try a login, since nothing has answered properly for a while; inf for not.

        So many interfaces are called. A while is the pace of logins: a short outage costs none.
        """
        return max(self.answered_at + self.pace, self.liveness.trial_due(interfaces), self.due)

    def has_expired(self, now: float) -> bool:
        """Whether the session is over, or so soon that a call might arrive too late."""
        return now - self.since > self.lifetime - min(EXPIRY_MARGIN, self.lifetime / 10)

    def is_young(self, now: float) -> bool:
        """Whether the session is too young to have expired by itself."""
        return now - self.since < MIN_SESSION_LIFETIME

    def failed(self, error: CallError, now: float) -> None:
        """Chooses the wait after a failed login.

        Refused credentials: 15, then every 30 minutes, since a few wrong passwords lock the
        account for half an hour. Refused for frequency: one pace, doubling. No proper answer:
        1, 2, 4 … 30 minutes, shorter where the configured allowance is. Nothing asked, as the file
        of the refresh token cannot be used: as often as is allowed.
        """
        if error.reaction is Reaction.REFUSE_CREDENTIALS:
            self.refusal_reason = error.reason
            self.refusals.start(now, now)
            self.refusals.end(now, REFUSALS)
            wait = self.credentials_wait
            wait.refused(now, 15 * MINUTE, 30 * MINUTE)
        elif error.reaction in _TOO_OFTEN - {Reaction.PAUSE}:
            wait = self.frequency_wait
            wait.refused(now, self.pace, HOUR)
        else:
            wait = self.answer_wait
            unit = min(MINUTE, self.pace)
            wait.refused(now, unit, unit if error.reason in TOKEN_FILE_REASONS else 30 * unit)
        if error.retry_after:
            wait.hold(now, min(error.retry_after, DAY))

    def clear_refusal(self, now: float) -> None:
        """Forgets that the credentials were refused: they are new, and may be tried at once.

        Not where three were refused in half an hour.
        """
        self.credentials_wait = Backoff()
        if self.refusals.earliest(REFUSALS, None, burst=True) < now + MINUTE:
            self.refusal_reason = None

    def lost(self, now: float) -> bool:
        """Notes that the server no longer knows our session; returns whether it was stolen.

        One loss is an expiry, or chance, and costs nothing. Lost again within ten minutes of the
        login that followed, somebody else uses the account, and answering each of their logins
        with ours would end in a lock-out: the wait doubles.
        """
        lost_before, self.lost_before = self.lost_before, True
        if now - self.since >= TAKEOVER_WINDOW:
            self.stolen = Backoff()
            return False
        if lost_before:
            self.stolen.refused(now, self.pace, 30 * MINUTE)
        return lost_before

    def after_restart(self, now: float) -> None:
        """Goes on where a previous run ended, of which no login is under way any more."""
        try:
            _ = self.refusal
        except (KeyError, ValueError):  # a reason that nobody knows
            self.refusal_reason = None
        self.log.after_restart(now)
        self.refusals.after_restart(now)
        for wait in (*self._backoffs, self.stolen, self.pause, self.liveness.pause):
            wait.after_restart(now)
