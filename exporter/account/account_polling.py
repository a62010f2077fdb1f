"""What an account's polls have in common: its state, its schedule, and what answers mean.

The daemon's poller decides when to call; a command asks once. Both change the same state.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import inf
from typing import Any, Protocol

from exporter.account.changes import Changes, Plan, RequestMade
from exporter.account.fleet import Fleet, FleetState
from exporter.account.gateway import Exchange, Gateway
from exporter.account.handlers import AlarmFilter, handlers_of
from exporter.account.handlers.base import Outcome
from exporter.account.interface_schedule import (
    InterfaceSchedule,
    InterfaceState,
    PlannedCall,
    PollConfig,
)
from exporter.account.login import HostGate
from exporter.account.model import AccountState, InterfaceResult
from exporter.account.schedule import Schedule
from exporter.account.store import RowStore, Store
from exporter.clock import Clock
from exporter.northbound.client import Session
from exporter.northbound.device_types import device_type_slug
from exporter.northbound.errors import CallError, Reaction
from exporter.northbound.interfaces import DAY, HOUR, LOGIN
from exporter.northbound.records import Parsed

QUIET = HOUR  # seconds without a failure, after which one that had come back is over


class View(Protocol):
    """Shows what an account knows."""

    def restored(self, state: AccountState, offset: float) -> None:
        """Shows what a previous run has left; `offset` is of the wall clock that it went by."""
        ...

    def show(self, changes: Changes) -> None:
        """Shows what one step changed."""
        ...


@dataclass(frozen=True, slots=True)
class AccountConfig:
    """An account as it is to be polled.

    `polled` are its interfaces, the login among them. `fleet` makes its fleet, with its filters.
    `scale` shortens the waits that no limit tells, as it does the limits.
    """

    name: str
    polled: Sequence[PollConfig]
    timeout: float
    alarms: AlarmFilter
    fleet: Callable[[FleetState], Fleet]
    scale: float = 1.0


@dataclass(slots=True)
class _Incident:
    """Why something fails (for no reason: it does not), and when it failed last.

    It `recurs` if it began soon after the one before.
    """

    reasons: set[str] = field(default_factory=set)
    failed: float = -inf
    recurs: bool = False


class Incidents:
    """What fails at the moment.

    An incident ends with the first success, one that recurs after a quiet hour: so what fails
    every now and then is told of three times, and not each time.
    """

    def __init__(self) -> None:
        self._incidents: defaultdict[Hashable, _Incident] = defaultdict(_Incident)

    def failed(self, subject: Hashable, reason: str, now: float) -> bool:
        """Notes a failure; returns whether that, or its reason, is news."""
        incident = self._incidents[subject]
        if not incident.reasons:
            incident.recurs = now - incident.failed < QUIET
        incident.failed = now
        known = reason in incident.reasons
        incident.reasons.add(reason)
        return not known

    def succeeded(self, subject: Hashable, now: float) -> bool:
        """Notes a success; returns whether it is news, as an incident is over."""
        incident = self._incidents[subject]
        if not incident.reasons or (incident.recurs and now - incident.failed < QUIET):
            return False
        incident.reasons.clear()
        return True


class AccountPolling:
    """One account's state and schedule.

    A `guest` uses the state of a daemon at work, and stores only what it leaves for that: its calls
    and the values that an operator accepts. `anew` takes over nothing of a previous run but calls.
    """

    def __init__(  # noqa: PLR0913  # all that an account is made of
        self,
        config: AccountConfig,
        *,
        client: Session,
        database: RowStore,
        clock: Clock,
        gate: HostGate,
        view: View,
        log: Any,
        guest: bool = False,
        anew: bool = False,
    ) -> None:
        self.state = AccountState()
        self.changes = Changes()
        self.incidents = Incidents()
        self.log = log
        self._clock = clock
        self._view = view
        self.store = Store(self.state, database, clock, log, guest=guest)
        self.store.load(calls_only=anew)
        busy_until = -inf
        if not guest:
            if database.was_abandoned():
                busy_until = self.state.abandon(config.timeout)
            self.state.after_restart(clock.now())
        self.gateway = Gateway(
            client,
            self.state,
            self.store,
            clock,
            gate,
            timeout=config.timeout,
            scale=config.scale,
            guest=guest,
            busy_until=busy_until,
        )
        self.gateway.restore()
        self.fleet = config.fleet(self.state.fleet)
        self.fleet.is_partial |= self.store.is_incomplete
        polled = {each.interface.name: each for each in config.polled}
        self.state.login.limit(polled.pop(LOGIN.name).limits)
        self.schedule = Schedule(map(self._schedule_of, polled.values()), self.fleet, log)
        self._handlers = handlers_of(
            self.state, self.fleet, self.schedule, clock, alarms=config.alarms, log=log
        )
        self._start()

    def _schedule_of(self, config: PollConfig) -> InterfaceSchedule:
        name = config.interface.name
        state = self.state.interfaces.get_or_add(name, InterfaceState)
        return InterfaceSchedule(config, state, self.state.batches.get(name, ()))

    def _start(self) -> None:
        """Fits all to the fleet that a previous run has left, and shows what it knew."""
        now = self._clock.now()
        for each in self.schedule.interfaces.values():
            if each.is_list and (self.fleet.is_partial or self._is_nameless()):
                each.read_out_of_turn(now)
        self._fit()
        for each in self.schedule.interfaces.values():
            each.expire_old(now)
        self.state.drop_unknown()
        self._view.restored(self.state, self.store.previous_offset)
        self.publish()

    def _is_nameless(self) -> bool:
        """Whether nothing is known, or devices lack the DN that is to be asked for."""
        return not self.fleet.plants or any(
            each.interface.by_dn and self.fleet.nameless(each.interface.device_types)
            for each in self.schedule.interfaces.values()
        )

    def publish(self) -> None:
        """Shows and stores what was changed."""
        changes, self.changes = self.changes, Changes()
        try:
            self._view.show(changes)
        finally:
            self.store.save()

    # --- calls ---------------------------------------------------------------------------------

    def ask(self, planned: PlannedCall, call: Callable[..., Any]) -> Parsed[Any]:
        """Makes a planned call by `call`, given its path and its body.

        Raises:
            CallError: It failed, or its answer is not understood.
        """
        handler = self._handlers[planned.interface.name]
        path, body = handler.request(planned)
        return planned.interface.answer(partial(call, path, body), handler.asked(planned))

    def count(self, interface: str, exchange: Exchange) -> None:
        """Counts an HTTP request."""
        self.changes.requests.append(
            RequestMade(interface, exchange.end - exchange.start, exchange.error)
        )
        if exchange.error is None:
            self._result(interface).last_success = self._clock.time()

    def _result(self, interface: str) -> InterfaceResult:
        return self.state.results.change(interface, InterfaceResult)

    def answered(self, planned: PlannedCall, parsed: Parsed[Any]) -> Outcome:
        """Applies an answer."""
        name, batch = planned.interface.name, planned.batch
        schedule = self.schedule.interfaces[name]
        self._result(name).permitted = True
        self.changes.rejected.setdefault(name, Counter()).update(parsed.rejected)
        outcome = self._handlers[name].apply(planned, parsed, self.changes)
        self._apply(schedule, planned, outcome, answered=True)
        if not batch.halved:
            batch.failure = None
        alike = (b for b in schedule.rotation.batches if b.device_type == batch.device_type)
        recovered = not any(each.failure for each in alike)
        if recovered and self.incidents.succeeded(planned.caller, self._clock.now()):
            self._log_of(planned).info("answers again")
        return outcome

    def recovered(self, planned: PlannedCall, error: CallError) -> Outcome | None:
        """What a failure means where it is none: it is asked in another way, or not at all."""
        if error.reaction is Reaction.SKIP_MEMBER and planned.is_about_settings:
            return self.answered(planned, Parsed(()))
        schedule = self.schedule.interfaces[planned.interface.name]
        outcome = self._handlers[planned.interface.name].recover(planned, error)
        if outcome is not None:
            # Without another question the refusal was a list's end, or of what nobody needs.
            self._apply(schedule, planned, outcome, answered=outcome.refit and not outcome.again)
            self._log_of(planned).info(
                "asking with other parameters" if outcome.again else "continuing without an answer",
                reason=error.reason,
            )
        return outcome

    def _apply(
        self,
        schedule: InterfaceSchedule,
        planned: PlannedCall,
        outcome: Outcome,
        *,
        answered: bool,
    ) -> None:
        if answered:
            schedule.answered(planned, outcome.unanswered)
        if outcome.again:
            schedule.ask_again(planned.batch)
        if outcome.refit:
            self._fit()
        self._note_change(schedule)

    def failed(self, planned: PlannedCall, error: CallError, reaction: Reaction) -> None:
        """Reacts to a failure, perhaps otherwise than the error alone would have it."""
        now, interface = self._clock.now(), planned.interface
        schedule = self.schedule.interfaces[interface.name]
        if error.reason == "401":
            self._result(interface.name).permitted = False
        if schedule.failed(planned, error, reaction, now):
            self.schedule.reread(interface.subject, now)
        if reaction is not Reaction.PAUSE:
            schedule.hold(now, error.retry_after)
        if reaction is Reaction.NEXT_DAY:
            schedule.back_off_today(now, self._seconds_left_today())
        if reaction is Reaction.SPLIT:
            self._fit()
        self._note_change(schedule)
        planned.batch.failure = error.reason
        if self.incidents.failed(planned.caller, error.reason, now):
            advice = interface.advice(error.reason)
            meaning = "; ".join(filter(None, (error.describe(), advice)))
            level = logging.INFO if reaction is Reaction.SKIP_MEMBER else logging.WARNING
            self._log_of(planned).log(level, "call failed", reason=error.reason, meaning=meaning)

    def _seconds_left_today(self) -> float:
        """Until it is midnight at all plants, as far as statistics tell where; else by UTC."""
        wall = self._clock.time()
        starts = self.state.midnights() or [0.0]
        return max((start - wall) % DAY for start in starts)

    def _note_change(self, schedule: InterfaceSchedule) -> None:
        name = schedule.interface.name
        self.state.interfaces.changed.add(name)
        self.changes.unanswered[name] = len(schedule.unanswered)

    def _fit(self) -> None:
        """Fits schedules to the fleet as now known, and drops what is gone."""
        self.schedule.fit()
        change = self.fleet.change()
        for name, each in self.schedule.interfaces.items():
            self.state.interfaces.changed.add(name)
            self.state.batches[name] = each.rotation.batches
            self.changes.plans[name] = Plan(each.pace, each.duration, each.max_age)
            self._handlers[name].retain_only(each.members)
        if change is not None:
            self.state.fleets.changed.add("")
            for subject, gone in change.gone.items():
                self.state.drop(subject, gone)
            self.changes.fleet = change

    def _log_of(self, planned: PlannedCall) -> Any:
        log = self.log.bind(interface=planned.interface.name)
        kind = planned.batch.device_type
        return log if kind is None else log.bind(device_type=device_type_slug(kind))
