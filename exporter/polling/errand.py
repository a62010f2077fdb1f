"""Calls made for a person: under the account's own session and allowances, beside the daemon.

Whoever holds the state directory owns the session. While the daemon does, an errand borrows its
token and never logs in. Every call stands in the memory before its first byte is sent, where the
daemon and the next command find it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from math import ceil
from secrets import token_hex
from typing import Any

import structlog

from exporter.northbound.errors import CallError, Reaction
from exporter.northbound.interfaces import LOGIN, Interface
from exporter.polling.allowance import Ledger, Quota, doubt_after, quotas
from exporter.polling.handlers import Handler
from exporter.polling.inventory import Inventory
from exporter.polling.lane import Wish
from exporter.polling.liveness import is_about_session
from exporter.polling.notebook import GLANCE, Notebook
from exporter.polling.others import OTHERS_CALLS, OthersCall, others_calls
from exporter.polling.ports import Client, Clock, Memory, Sink
from exporter.polling.rows import (
    LANES,
    SESSION,
    backoff_of,
    calls_of,
    is_under_way,
    recall_session,
    session_row,
)
from exporter.polling.session import HostGate, Session
from exporter.polling.tolerance import Gaps
from exporter.polling.walk import Walk

PATIENCE = 90.0  # seconds that a person waits for an allowance
_USUAL_CALL = 1.0  # seconds


class NotNowError(Exception):
    """A call is not allowed for longer than a person waits: for so many `seconds`, and why.

    After a refused login, `refusal` is that one.
    """

    def __init__(self, name: str, seconds: float, refusal: CallError | None = None) -> None:
        why = f", as the last was refused: {refusal.meaning}" if refusal else ""
        super().__init__(f"the next call of {name} is allowed in {ceil(seconds)} s{why}")
        self.seconds = seconds
        self.refusal = refusal


class NoSessionError(Exception):
    """The daemon owns the session, and has none that the server knows."""

    def __init__(self) -> None:
        super().__init__(
            "the running daemon has no session now; it logs in by itself with its next call: "
            "try again in a minute"
        )


class Errand:
    """Calls of one account for one command. Used by one thread.

    Args:
        client: The account's way to the server.
        memory: Shared with the daemon where `daemon` says that one holds it.
        clock: Tells the time, and waits.
        wishes: The limits in force of every interface, by its name.
        inventory: The fleet; here it becomes what the memory knows of it.
        timeout: Seconds after which the client gives a call up.
        daemon: Whether a daemon owns the session.
        tell: Is told, in words, what is waited for.
    """

    def __init__(  # noqa: PLR0913  # what an errand needs, it is handed
        self,
        client: Client,
        memory: Memory,
        clock: Clock,
        *,
        wishes: Mapping[str, Wish],
        inventory: Inventory,
        timeout: float,
        daemon: bool,
        tell: Callable[[str], None],
    ) -> None:
        self.inventory = inventory
        self._client = client
        self._memory = memory
        self._clock = clock
        self._wishes = wishes
        self._timeout = timeout
        self._daemon = daemon
        self._tell = tell
        self._began = clock.now()
        self._refused: str | None = None  # the token that the server did not know
        self._is_proven = False  # whether the session has answered, or was opened here
        self._gaps = Gaps(structlog.get_logger().bind(file=str(memory)))
        self._recall_session()
        self._gaps.attempt("fleet", inventory.recall, memory.read("fleet"), self._gaps)

    # --- the session ---------------------------------------------------------------------------

    def open(self) -> bool:
        """Makes sure of a session; returns whether that took a login.

        Raises:
            NoSessionError: That is up to the daemon.
            NotNowError: The login is not allowed yet.
            CallError: The login failed.
        """
        if self._daemon:
            self._recall_session()  # the daemon may have another by now
            if self._client.token in (None, self._refused):
                raise NoSessionError
            return False
        if self._client.token is not None:
            return False
        self._log_in()
        return True

    def _log_in(self) -> None:
        due = max(self._session.due(), self._gate.pause.until)
        self._wait(LOGIN.name, due, self._clock.now() + PATIENCE, self._session.refusal)
        self._session.start(self._clock.now())
        self._keep_session()
        try:
            self._client.login()
        except CallError as error:
            now = self._clock.now()
            self._session.end(now, doubt_after(error, self._timeout))
            self._session.failed(error, now)
            self._note_pause(error)
            raise
        else:
            now = self._clock.now()
            self._session.end(now, 0.0)
            self._session.opened(now)
            self._is_proven = True
        finally:
            self._keep_session()

    def _recall_session(self) -> None:
        self._session = Session(self._wishes[LOGIN.name].limits)
        self._gate = HostGate()
        row = self._memory.read(SESSION).get("")
        if row is not None:
            recall_session(
                row, self._client, self._session, self._gate, clock=self._clock, gaps=self._gaps
            )

    def _keep_session(self) -> None:
        if not self._daemon:
            row = session_row(self._client, self._session, self._gate, self._clock)
            self._memory.write({(SESSION, ""): row})

    def _lose_session(self) -> None:
        self._refused = self._client.token
        self._client.forget()
        self._session.lost(self._clock.now())
        self._keep_session()

    def _note_pause(self, error: CallError) -> None:
        if error.reaction is Reaction.PAUSE:
            self._gate.refuse(self._clock.now(), error, 1.0)

    # --- calls ---------------------------------------------------------------------------------

    def call(
        self,
        interface: Interface,
        body: Mapping[str, Any],
        *,
        path: str | None = None,
        device_type: int | None = None,
    ) -> Any:
        """Makes a call when it is allowed and returns its `data`; repeats it after a login.

        Raises:
            NotNowError: It is not allowed for longer than a person waits; if it is the repetition
                that is not, the failure that asked for it is the cause.
            NoSessionError: There is no session, and a login is up to the daemon.
            CallError: It failed.
        """
        self.open()
        try:
            return self._call(interface, path or interface.path, body, device_type)
        except CallError as error:
            if not self._is_lost(error):
                raise
            lost = error
            self._lose_session()
        self.open()
        try:
            return self._call(interface, path or interface.path, body, device_type)
        except NotNowError as error:
            raise error from lost

    def _is_lost(self, error: CallError) -> bool:
        """Whether a failure tells that the session is over.

        One of an earlier run may be told so in any way.
        """
        unproven = not (self._is_proven or self._daemon) and is_about_session(error)
        return error.reaction is Reaction.LOG_IN or unproven

    def _call(
        self, interface: Interface, path: str, body: Mapping[str, Any], device_type: int | None
    ) -> Any:
        name = self._take(interface, device_type)
        failure: CallError | None = None
        try:
            data = self._client.call(path, body)
            self._session.answered(self._clock.now())
            self._is_proven = True
        except CallError as error:
            failure = error
            self._note_pause(error)
            raise
        finally:
            self._end(name, doubt_after(failure, self._timeout))
            self._keep_session()
        return data

    def notebook(
        self, walk: Walk, handlers: Mapping[str, Handler], sink: Sink, log: Any
    ) -> Notebook | None:
        """What writes down whatever is learnt; none while a daemon does so itself."""
        if self._daemon:
            return None
        return Notebook(
            self._memory,
            self._clock,
            client=self._client,
            session=self._session,
            gate=self._gate,
            inventory=self.inventory,
            walk=walk,
            handlers=handlers,
            sink=sink,
            log=log,
        )

    def forecast(self, calls: Iterable[tuple[Interface, int | None]]) -> float:
        """About how many seconds these calls take, each with its device type, one by one.

        What is not allowed for longer than a person waits is left out, as it will be.
        """
        start = now = self._clock.now()
        planned: dict[str, Ledger] = defaultdict(Ledger)
        for interface, device_type in calls:
            ledger, allowed = planned[interface.name], self._quotas(interface)
            due = max(
                now,
                self._due(interface, device_type),
                ledger.earliest(allowed, device_type, hurry=True),
            )
            if due - now <= PATIENCE:
                now = due + _USUAL_CALL
                ledger.note(due, now, device_type)
        return now - start

    def _take(self, interface: Interface, device_type: int | None) -> str:
        """Waits until the call is allowed and writes that it is about to be made."""
        name = token_hex(8)
        patience = self._clock.now() + PATIENCE
        while True:
            with self._memory.claim():
                due = self._due(interface, device_type)
                if due <= self._clock.now():
                    start = self._clock.now()
                    # Once given up, it may still arrive.
                    end = start + 2 * self._timeout
                    call = OthersCall(interface.name, device_type, start, end, under_way=True)
                    self._memory.write({(OTHERS_CALLS, name): call.remember(self._clock)})
                    return name
            self._wait(interface.name, due, patience)

    def _end(self, name: str, doubt: float) -> None:
        """Writes the true end of a call, unless the daemon has taken account of it already."""
        with self._memory.claim():
            call = self._others_calls().get(name)
            if call is not None:
                ended = call.ended(self._clock.now(), doubt)
                self._memory.write({(OTHERS_CALLS, name): ended.remember(self._clock)})

    def _others_calls(self) -> Mapping[str, OthersCall | None]:
        return others_calls(self._memory, self._clock, self._gaps)

    def _due(self, interface: Interface, device_type: int | None) -> float:
        """The earliest time for a call, whoever made those before it."""
        now = self._clock.now()
        if self._is_busy():
            return now + GLANCE  # one request in flight: parallel ones draw refusals
        row = self._memory.read(LANES).get(interface.name, {"calls": []})
        # What an earlier daemon left without an end, ended before we began.
        latest = now if self._daemon else self._began
        ledger = calls_of(row, self._clock, self._gaps, latest=latest)
        backoff = backoff_of(row, self._clock, self._gaps)
        for call in self._others_calls().values():
            if call is not None and call.interface == interface.name:
                ledger.note(call.start, call.end, call.device_type)
        allowed = ledger.earliest(self._quotas(interface), device_type, hurry=True)
        return max(allowed, backoff.until, self._gate.pause.until)

    def _quotas(self, interface: Interface) -> tuple[Quota, ...]:
        """What is allowed to a fleet like this one."""
        size = self.inventory.size(interface.device_types)
        return quotas(self._wishes[interface.name].limits, size)

    def _is_busy(self) -> bool:
        """Whether a call of the daemon, or of another command, is under way."""
        now = self._clock.now()
        if any(call and call.is_under_way(now) for call in self._others_calls().values()):
            return True
        kept = [each for kind in (LANES, SESSION) for each in self._memory.read(kind).values()]
        return self._daemon and any(map(is_under_way, kept))

    def _wait(
        self, name: str, due: float, patience: float, refusal: CallError | None = None
    ) -> None:
        seconds = due - self._clock.now()
        if due > patience:
            raise NotNowError(name, seconds, refusal)
        if seconds > 0:
            if seconds > GLANCE:
                self._tell(f"waiting {ceil(seconds)} s for the allowance of {name}")
            self._clock.wait(seconds)
