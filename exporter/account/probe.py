"""Calls made for a person: under the account's own session and allowances, beside the daemon.

Whoever holds the state directory owns the session. While the daemon does, a command is its guest:
it borrows the token, never logs in, and stores its calls where the daemon and the next command find
them. Without a daemon it goes on from what the last one knew, and stores all that it learns.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from math import ceil
from typing import Any

import structlog

from exporter.account.account_polling import AccountConfig, AccountPolling, View
from exporter.account.batches import Batch
from exporter.account.fleet import Fleet
from exporter.account.gateway import BUSY_POLL_INTERVAL, Exchange, Slot
from exporter.account.handlers.base import Outcome
from exporter.account.interface_schedule import PlannedCall, PollConfig
from exporter.account.login import HostGate, is_about_session
from exporter.account.model import AccountState
from exporter.account.quotas import CallLog, Quota, quotas
from exporter.account.slots import GuestSlot, OwnerSlot
from exporter.account.store import RowStore
from exporter.clock import Clock
from exporter.northbound.client import Session
from exporter.northbound.errors import CallError, Reaction
from exporter.northbound.interfaces import DEVICE_LIST, LOGIN, PLANT_LIST, Interface
from exporter.northbound.records import Parsed

ALLOWANCE_TIMEOUT = 90.0  # seconds that a person waits for an allowance
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


@dataclass(frozen=True, slots=True)
class Answer:
    """What an answer brought: records, about whom nothing, and whether the list goes on.

    `recovered` are the reasons of refusals after which it was asked with other parameters.
    """

    asked: Collection[str]
    parsed: Parsed[Any]
    outcome: Outcome
    recovered: tuple[str, ...] = ()


class Probe:
    """Asks what the daemon would ask, call by call, for one command. Used by one thread.

    Args:
        config: The account; of its interfaces those that are to be asked about the fleet.
        limits: The limits in force of every interface, by its name.
        client: The account's way to the server.
        database: Shared with the daemon where `guest` says that one holds it.
        clock: Tells the time, and waits.
        view: Is shown what the daemon's would be shown.
        guest: Whether a daemon owns the session.
        report: Takes a line about what is waited for.
    """

    def __init__(  # noqa: PLR0913  # what a command needs, it is handed
        self,
        config: AccountConfig,
        limits: Mapping[str, PollConfig],
        *,
        client: Session,
        database: RowStore,
        clock: Clock,
        view: View,
        guest: bool,
        report: Callable[[str], None],
    ) -> None:
        self._limits = limits
        self._client = client
        self._clock = clock
        self._guest = guest
        self._report = report
        self._refused: str | None = None  # the token that the server did not know
        self._is_proven = False  # whether the session has answered, or was opened here
        self._polling = AccountPolling(
            replace(config, polled=(limits[LOGIN.name], *config.polled)),
            client=client,
            database=database,
            clock=clock,
            gate=HostGate(),
            view=view,
            log=structlog.get_logger(),
            guest=guest,
        )
        self._gateway = self._polling.gateway

    @property
    def state(self) -> AccountState:
        """All that is known of the account."""
        return self._polling.state

    @property
    def fleet(self) -> Fleet:
        """Its plants and devices."""
        return self._polling.fleet

    def save(self) -> None:
        """Stores what was changed, and shows nothing of it."""
        self._polling.store.save()

    # --- the session ---------------------------------------------------------------------------

    def open(self) -> bool:
        """Makes sure of a session; returns whether that took a login.

        Raises:
            NoSessionError: That is up to the daemon.
            NotNowError: The login is not allowed yet.
            CallError: The login failed.
        """
        if self._guest:
            self._polling.store.read(self.state.logins)  # the daemon may have another by now
            self._gateway.restore()
            if not self._gateway.has_session or self._client.token == self._refused:
                raise NoSessionError
            return False
        if self._gateway.has_session:
            return False
        self._log_in()
        return True

    def _log_in(self) -> None:
        deadline = self._clock.now() + ALLOWANCE_TIMEOUT
        login = self.state.login
        while True:
            self._wait(LOGIN.name, max(login.due, self._gateway.paused_until), deadline)
            exchange = self._gateway.login()
            if isinstance(exchange, Exchange):
                break
            self._wait(LOGIN.name, exchange.due, deadline)
        self._polling.count(LOGIN.name, exchange)
        self._polling.publish()
        if exchange.error is not None:
            raise exchange.error
        self._is_proven = True

    def _lose_session(self) -> None:
        self._refused = self._client.token
        self._client.drop_token()
        self.state.login.lost(self._clock.now())
        self._gateway.note_session()

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
        send = partial(self._client.call, path or interface.path, body)
        try:
            return self._call(interface, device_type, send)
        except CallError as error:
            if not self._is_lost(error):
                raise
            lost = error
            self._lose_session()
        self.open()
        try:
            return self._call(interface, device_type, send)
        except NotNowError as error:
            raise error from lost

    def _is_lost(self, error: CallError) -> bool:
        """Whether a failure means that the session is over.

        One of an earlier run may be told so in any way.
        """
        unproven = not (self._is_proven or self._guest) and is_about_session(error)
        return error.reaction is Reaction.LOG_IN or unproven

    def _call(self, interface: Interface, device_type: int | None, send: Callable[[], Any]) -> Any:
        deadline = self._clock.now() + ALLOWANCE_TIMEOUT
        slot = self._slot(interface, device_type)
        exchange = self._gateway.make(slot, send)
        while not isinstance(exchange, Exchange):
            self._wait(interface.name, exchange.due, deadline)
            exchange = self._gateway.make(slot, send)
        self._polling.count(interface.name, exchange)
        if exchange.error is None:
            self.state.login.answered_at = exchange.end
            self._is_proven = True
        self._gateway.note_session()
        self._polling.publish()
        if exchange.error is not None:
            raise exchange.error
        return exchange.answer

    def due(self, interface: Interface, device_type: int | None) -> float:
        """The earliest time at which the allowance has room for a call."""
        return self._slot(interface, device_type).due(self._clock.now())

    def _slot(self, interface: Interface, device_type: int | None) -> Slot:
        kind = GuestSlot if self._guest else OwnerSlot
        return kind(self._polling, interface, device_type, self.quotas(interface))

    def quotas(self, interface: Interface) -> tuple[Quota, ...]:
        """What is allowed to a fleet like this one."""
        size = self.fleet.size(interface.device_types)
        return quotas(self._limits[interface.name].limits, size)

    def _wait(self, name: str, due: float, deadline: float) -> None:
        seconds = due - self._clock.now()
        if due > deadline:
            raise NotNowError(
                name, seconds, self.state.login.refusal if name == LOGIN.name else None
            )
        if seconds > 0:
            if seconds > BUSY_POLL_INTERVAL:
                self._report(f"waiting {ceil(seconds)} s for the allowance of {name}")
            self._clock.wait(seconds)

    def forecast(self, calls: Iterable[tuple[Interface, int | None]]) -> float:
        """About how many seconds these calls take, each with its device type, one by one.

        What is not allowed for longer than a person waits is left out, as it will be.
        """
        start = now = self._clock.now()
        planned: dict[str, CallLog] = defaultdict(CallLog)
        for interface, device_type in calls:
            log, allowed = planned[interface.name], self.quotas(interface)
            due = max(
                now,
                self._slot(interface, device_type).due(start),
                log.earliest(allowed, device_type, burst=True),
            )
            if due - now <= ALLOWANCE_TIMEOUT:
                now = due + _USUAL_CALL
                log.record(due, now, device_type)
        return now - start

    # --- what the daemon would ask -------------------------------------------------------------

    def batches(self, interface: Interface) -> list[Batch]:
        """What an interface has to be asked about, as far as the fleet is known."""
        schedule = self._polling.schedule.interfaces.get(interface.name)
        return list(schedule.rotation.batches) if schedule else []

    def ask(self, interface: Interface, batch: Batch) -> Answer:
        """Makes one call, and those by which it recovers.

        Raises:
            NotNowError, NoSessionError, CallError: As `call`. If it was asked with other parameters
                by then, the refusal that led there is the cause.
        """
        schedule = self._polling.schedule.interfaces[interface.name]
        recovered: list[CallError] = []
        while True:
            planned = schedule.plan(batch, self._clock.now())
            call = partial(self._planned_call, planned)
            try:
                parsed = self._polling.ask(planned, call)
            except (NotNowError, NoSessionError) as error:
                if recovered:
                    raise error from recovered[0]
                raise
            except CallError as error:
                planned.batch.note_call(planned.group, planned.start)
                outcome = self._failed(planned, error)
                if outcome is None:
                    if recovered:
                        raise error from recovered[0]
                    raise
                recovered.append(error)
                if outcome.again:
                    continue
                parsed = Parsed(())
            else:
                planned.batch.note_call(planned.group, planned.start)
                outcome = self._polling.answered(planned, parsed)
            self._polling.publish()
            reasons = tuple(error.reason for error in recovered)
            return Answer(planned.members, parsed, outcome, reasons)

    def _planned_call(self, planned: PlannedCall, path: str, body: Mapping[str, Any]) -> Any:
        return self.call(planned.interface, body, path=path, device_type=planned.batch.device_type)

    def _failed(self, planned: PlannedCall, error: CallError) -> Outcome | None:
        """Reacts to a failure; returns what it means where it is none."""
        outcome = self._polling.recovered(planned, error)
        if outcome is None:
            # It was called again after a login already, where that could help.
            lost = error.reaction is Reaction.LOG_IN
            self._polling.failed(planned, error, Reaction.NEXT_TURN if lost else error.reaction)
        self._polling.publish()
        return outcome

    def read(self, interface: Interface) -> Iterator[Answer]:
        """Reads a list to its end, answer by answer.

        Raises:
            NotNowError, NoSessionError, CallError: As `call`.
        """
        for batch in self.batches(interface):
            answer = self.ask(interface, batch)
            yield answer
            while answer.outcome.again:
                answer = self.ask(interface, batch)
                yield answer

    def read_fleet(self) -> None:
        """Reads plants and devices, if nothing is known of them."""
        if not self.fleet.devices:
            self._read_lists(PLANT_LIST, DEVICE_LIST)

    def update_fleet(self) -> None:
        """Reads plants and devices where a daemon would by now; one that runs does so itself."""
        now, schedules = self._clock.now(), self._polling.schedule.interfaces
        if not self._guest:
            lists = (schedules[each.name] for each in (PLANT_LIST, DEVICE_LIST))
            due = [each for each in lists if now >= each.rotation.round.start + each.every]
            self._read_lists(*(each.interface for each in due))
        self.read_fleet()

    def _read_lists(self, *lists: Interface) -> None:
        for interface in lists:
            for _ in self.read(interface):
                pass
