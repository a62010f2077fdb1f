"""The one place where calls are made: for the daemon and for commands alike.

Claim, ask whether the call is allowed, write its start, send it, write its end. The start is stored
before the first byte is sent: whatever happens then, the next run knows that the call may have
counted.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Any, Protocol

from exporter.account.interface_schedule import InterfaceState
from exporter.account.login import HostGate
from exporter.account.model import AccountState
from exporter.account.store import Store
from exporter.clock import Clock
from exporter.northbound.client import Session
from exporter.northbound.errors import CallError, NotSentError, Reaction
from exporter.northbound.interfaces import DAY, INTERFACES

BUSY_POLL_INTERVAL = 1.0  # seconds between two checks of another process's call
_REMEMBERED = 2 * DAY  # longer than any window counts


class Slot(Protocol):
    """A call to be made, and where it is counted."""

    def due(self, now: float) -> float:
        """The earliest time for it."""
        ...

    def start(self, now: float) -> None:
        """Notes that it starts."""
        ...

    def end(self, now: float, margin: float) -> None:
        """Notes that it ended; it may arrive up to `margin` seconds later."""
        ...


class _LoginSlot:
    def __init__(self, gateway: "Gateway", state: AccountState, *, on_trial: bool) -> None:
        self._gateway = gateway
        self._state = state
        self._on_trial = on_trial

    def due(self, now: float) -> float:  # noqa: ARG002  # the protocol's form
        return self._state.login.due

    def start(self, now: float) -> None:
        self._state.login.log.start(now, now)
        if self._on_trial:
            self._state.login.liveness.tried(now)
        self._gateway.note_session()

    def end(self, now: float, margin: float) -> None:
        login = self._state.login
        login.log.end(now, login.quotas, margin)
        self._state.logins.changed.add("")


@dataclass(frozen=True, slots=True)
class Exchange:
    """A call that was made: from when to when, and what it brought, or how it failed."""

    start: float
    end: float
    answer: Any = None
    error: CallError | None = None


@dataclass(frozen=True, slots=True)
class TooEarly:
    """A call that is not allowed before `due`; `busy_until` no other is, either."""

    due: float
    busy_until: float = -inf


def _retry_soon(now: float) -> TooEarly:
    """No call is allowed now; it is asked again soon."""
    return TooEarly(now + BUSY_POLL_INTERVAL, now + BUSY_POLL_INTERVAL)


class Gateway:
    """Makes the calls of one account. Used by one thread.

    `timeout` is after how many seconds the client gives a call up. `scale` shortens the waits that
    no limit tells, as it does the limits. A `guest` leaves the calls of commands to the daemon.
    Until `busy_until` the process that worked with the account before may be over a call.
    """

    def __init__(  # noqa: PLR0913  # all that a call concerns
        self,
        client: Session,
        state: AccountState,
        store: Store,
        clock: Clock,
        gate: HostGate,
        *,
        timeout: float,
        scale: float = 1.0,
        guest: bool = False,
        busy_until: float = -inf,
    ) -> None:
        self.client = client
        self.gate = gate
        self.timeout = timeout
        self._state = state
        self._store = store
        self._clock = clock
        self._scale = scale
        self._guest = guest
        self._busy_until = busy_until

    @property
    def paused_until(self) -> float:
        """Until when no account of this host may call."""
        return self.gate.pause.until

    @property
    def has_session(self) -> bool:
        """Whether a call can be made without a login, as far as is known."""
        expired = self._state.login.has_expired(self._clock.now())
        return self.client.token is not None and not expired

    def restore(self) -> None:
        """Goes on with the session of a previous run."""
        login = self._state.login
        if login.pause.until > self.gate.pause.until:
            self.gate.pause = login.pause
        if login.token is not None and login.token.isprintable():  # it goes into a header
            self.client.token = login.token
        self.recognise_credentials()

    def recognise_credentials(self) -> bool:
        """Forgets a refusal if the credentials are others by now; returns whether they are."""
        login = self._state.login
        if not login.fingerprint or self.client.has_credentials(login.fingerprint):
            return False
        login.clear_refusal(self._clock.now())
        login.fingerprint = None
        self._state.logins.changed.add("")
        return True

    def make(self, slot: Slot, send: Callable[[], Any]) -> Exchange | TooEarly:
        """Makes a call, unless it is not allowed yet, or the account is not ours to call for."""
        start = self._clock.now()
        with self._store.database.claim():
            busy_until = self._busy(start)
            if not self._store.database.may_call:
                return _retry_soon(start)
            due = max(busy_until, slot.due(start))
            if due <= start:
                slot.start(start)
            self._store.save()
            if due > start:
                return TooEarly(due, busy_until)
        if not self._store.database.may_call:  # whether its start is stored is not known: it counts
            self._end(slot, 0.0)
            return _retry_soon(start)
        answer = error = None
        margin = 0.0
        try:
            answer = send()
        except NotSentError:
            return _retry_soon(start)
        except CallError as caught:
            error = caught
            margin = self.timeout if error.reason == "timeout" else 0.0
        finally:
            now = self._end(slot, margin)
        if error is not None and error.reaction is Reaction.PAUSE:
            self.gate.refuse(start, now, error, self._scale)
        return Exchange(start, now, answer, error)

    def _end(self, slot: Slot, margin: float) -> float:
        now = self._clock.now()
        slot.end(now, margin)
        self._store.save()
        return now

    def _busy(self, now: float) -> float:
        """Until when to make no call, as another process may be making one; -inf if none is."""
        commands = -inf if self._guest else self._merge_commands(now)
        return max(commands, self._busy_until if self._busy_until > now else -inf)

    def login(self, *, on_trial: bool = False) -> Exchange | TooEarly:
        """Logs in, unless another account of the host does; on trial if the session seems dead."""
        acquired_at = self._clock.now()
        wait = self.gate.acquire_turn(acquired_at)
        if wait > 0:
            return TooEarly(acquired_at + wait)
        token = self.client.token
        try:
            slot = _LoginSlot(self, self._state, on_trial=on_trial)
            exchange = self.make(slot, self.client.login)
        finally:
            self.gate.release_turn(acquired_at)
        if isinstance(exchange, Exchange):
            self._logged_in(exchange, token)
        else:
            self.client.token = token  # which a login drops before it is sent
        return exchange

    def _logged_in(self, exchange: Exchange, token: str | None) -> None:
        login = self._state.login
        if exchange.error is None:
            login.opened(exchange.end, exchange.answer - (exchange.end - exchange.start))
            self.gate.pause.succeeded()
        else:
            login.failed(exchange.error, exchange.end)
            # A login that failed has ended no session, but refused credentials have none.
            refused = exchange.error.reaction is Reaction.REFUSE_CREDENTIALS
            self.client.token = None if refused else token
        login.failure = exchange.error.reason if exchange.error else None
        self.note_session()

    def note_session(self) -> None:
        """Has the session stored as it is now."""
        login = self._state.login
        login.token = self.client.token
        login.pause = self.gate.pause
        login.fingerprint = self.client.fingerprint if login.refusal_reason else None
        self._state.logins.changed.add("")

    def _merge_commands(self, now: float) -> float:
        """Merges what commands have stored since: accepted values, and their calls.

        A call that is over moves to those of its interface.

        Returns:
            Until when to make no call, since one of theirs is under way; -inf if none is.
        """
        self._store.read(self._state.accepted)
        self._store.read(self._state.foreign_calls)
        busy_until = -inf
        for name, call in list(self._state.foreign_calls.items()):
            if call.is_under_way(now):
                busy_until = now + BUSY_POLL_INTERVAL
                continue
            del self._state.foreign_calls[name]
            if call.interface in INTERFACES:
                log = self._state.interfaces.change(call.interface, InterfaceState).log
                start = min(call.start, now)
                log.record(start, start + (call.end - call.start), call.device_type)
                log.drop_before(now - _REMEMBERED)
        return busy_until
