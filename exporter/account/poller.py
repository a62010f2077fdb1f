"""The one thread of an account: it logs in, makes the call that is due, and applies the answer."""

import logging
from collections.abc import Iterable
from functools import partial
from math import inf, isfinite
from typing import Any

import structlog

from exporter.account.account_polling import AccountConfig, AccountPolling, View
from exporter.account.gateway import Exchange
from exporter.account.interface_schedule import InterfaceSchedule, PlannedCall, PollConfig
from exporter.account.login import HostGate
from exporter.account.quotas import FleetSize, Quota, pace, quotas
from exporter.account.store import RowStore
from exporter.clock import Clock, offset_of
from exporter.northbound.client import Session
from exporter.northbound.errors import (
    CallError,
    Reaction,
    data_error,
    login_reason_error,
    reason_error,
)
from exporter.northbound.interfaces import LOGIN
from exporter.status import model as status

CALLS_UNTIL_DOWN = 3  # in a row without a proper answer before the account is down
MAX_SLEEP = 60.0  # seconds
ERROR_DELAY = 60.0  # seconds after a bug of ours, so that it cannot hammer the server
_ACCOUNT, _DOWN = "account", "down"  # what fails besides calls, and why


class _ScheduledSlot:
    """Where the gateway counts the call of an interface that is due."""

    def __init__(self, polling: AccountPolling, schedule: InterfaceSchedule) -> None:
        self._polling = polling
        self._schedule = schedule
        self.planned: PlannedCall

    def due(self, now: float) -> float:
        return self._schedule.due(now)

    def start(self, now: float) -> None:
        self.planned = self._schedule.start(now)
        self._polling.state.interfaces.changed.add(self._schedule.interface.name)

    def end(self, now: float, margin: float) -> None:
        self._schedule.end(now, margin)
        self._polling.state.interfaces.changed.add(self._schedule.interface.name)


class Poller:
    """Polls one account's plants and devices for as long as the clock lets it.

    It has to `restore` before it may `run`. `ready` is set once every real-time batch of the fleet
    has had a final answer; until then `waiting` says, in words, for what. `report`, replaced after
    each call, says how the account is; other threads may read it.
    """

    def __init__(  # noqa: PLR0913  # what a thread is handed, it is handed here
        self,
        config: AccountConfig,
        *,
        client: Session,
        view: View,
        clock: Clock,
        gate: HostGate,
        database: RowStore,
    ) -> None:
        self.ready = False
        self.waiting: tuple[str, ...] = ("its state is being restored",)
        self.report = restoring_status(config, self.waiting)
        self._log = structlog.get_logger().bind(account=config.name)
        self._client = client
        self._clock = clock
        self._gate = gate
        self._make = partial(
            AccountPolling,
            config,
            client=client,
            database=database,
            clock=clock,
            gate=gate,
            view=view,
            log=self._log,
        )
        self._polling: AccountPolling
        self._resume_requested = False
        self._failed_calls = 0  # in a row without a proper answer

    def restore(self) -> None:
        """Restores the state of a previous run, and shows it. Never raises.

        Takes seconds where that is much.
        """
        try:
            self._polling = self._make()
        except Exception:  # noqa: BLE001  # better an account without a past than none
            self._log.exception("bug in restoring the state, continuing without it")
            self._polling = self._make(anew=True)
            self._polling.changes.bugs += 1
            self._polling.publish()
        self._polling.incidents.failed(_ACCOUNT, _DOWN, -inf)  # nobody has to be told
        self._schedule = self._polling.schedule
        self._state = self._polling.state
        self._log_refusal()
        if self._polling.gateway.has_session:  # whose next call may be due hours from now
            self._set_up(up=True)
            self._polling.publish()
        self._check_readiness()
        self._report()

    def resume(self) -> None:
        """Asks again at once for what is suspended, as its owner may have fixed the cause.

        Any thread may say so.
        """
        self._resume_requested = True

    def run(self) -> None:
        """Polls until the clock says stop. Never raises."""
        stopped = False
        while not stopped:
            try:
                delay = self.step()
            except Exception:  # noqa: BLE001  # a bug must not end the polling
                self._log.exception("bug in the poller, continuing")
                self._count_bug()
                delay = ERROR_DELAY
            stopped = self._clock.wait(min(delay, MAX_SLEEP))

    def _count_bug(self) -> None:
        self._polling.changes.bugs += 1
        self._count_unanswered()
        try:
            self._polling.publish()
        except Exception:  # noqa: BLE001  # it may be the same bug
            self._log.exception("bug in the poller, continuing")

    def step(self) -> float:
        """Makes the one call that is due; returns the seconds until the next may be."""
        now = self._clock.now()
        if self._resume_requested:
            self._resume_requested = False
            self._gate.lift()
            self._state.login.liveness.lift()
            for each in self._schedule.interfaces.values():
                each.resume()
        due, schedule = self._schedule.next(now)
        login, trial = self._state.login, self._state.login.trial_due(self._schedule.called)
        if login.refusal_reason and self._polling.gateway.recognise_credentials():
            self._log.info("there are other credentials, which are tried at once")
        needs_login = not self._polling.gateway.has_session
        due = max(login.due if needs_login else min(due, trial), self._polling.gateway.paused_until)
        if schedule is None or due > now:
            return due - now
        if needs_login or trial <= now:
            delay = self._log_in(on_trial=trial <= now)
        else:
            delay = self._call(schedule)
        self._polling.publish()
        self._check_readiness()
        self._report()
        return delay

    # --- the session ---------------------------------------------------------------------------

    def _log_in(self, *, on_trial: bool) -> float:
        """Logs in, unless another process makes a call; returns how long to wait, in seconds."""
        exchange = self._polling.gateway.login(on_trial=on_trial)
        if not isinstance(exchange, Exchange):
            return max(0.0, exchange.due - self._clock.now())
        self._polling.count(LOGIN.name, exchange)
        self._set_up(up=exchange.error is None)
        if exchange.error is None:
            self._failed_calls = 0
            self._polling.incidents.succeeded(LOGIN.name, exchange.end)
            if on_trial:
                self._log.warning("no interface gave a proper answer, logged in anew")
                for each in self._schedule.interfaces.values():
                    each.retry_failed(exchange.end)
        else:
            self._log_failed_login(exchange.error, exchange.end)
        return 0.0

    def _log_failed_login(self, error: CallError, now: float) -> None:
        is_news = self._polling.incidents.failed(LOGIN.name, error.reason, now)
        self._log.log(
            logging.WARNING if is_news else logging.DEBUG,
            "login failed",
            reason=error.reason,
            meaning=error.describe(),
            next_in_seconds=self._seconds_to_login,
        )

    @property
    def _seconds_to_login(self) -> int:
        return round(max(0.0, self._state.login.due - self._clock.now()))

    def _log_refusal(self) -> None:
        refusal = self._state.login.refusal
        if refusal is not None and self._state.login.due > self._clock.now():
            self._log.warning(
                "the credentials were refused; others are tried at once after a reload",
                reason=refusal.reason,
                next_login_in_seconds=self._seconds_to_login,
            )

    def _lose_session(self, now: float) -> None:
        self._client.drop_token()
        if self._state.login.lost(now):
            self._polling.changes.sessions_lost += 1
            self._log.warning(
                "session ended early: another program logs in with this account; "
                "give each its own northbound account",
                next_login_in_seconds=self._seconds_to_login,
            )

    # --- calls ---------------------------------------------------------------------------------

    def _call(self, schedule: InterfaceSchedule) -> float:
        """Makes a call, unless another process makes one; returns how long to wait, in seconds."""
        slot = _ScheduledSlot(self._polling, schedule)
        exchange = self._polling.gateway.make(slot, lambda: self._ask(slot.planned))
        if not isinstance(exchange, Exchange):
            # Where it is due only later, on account of a command's calls, others may be due now.
            return max(0.0, exchange.busy_until - self._clock.now())
        self._polling.count(schedule.interface.name, exchange)
        if exchange.error is None or exchange.error.enveloped:
            self._failed_calls = 0
            self._set_up(up=self._client.token is not None)
        else:
            self._count_unanswered()
        if exchange.error is None:
            self._answered(slot.planned, exchange)
        else:
            self._failed(slot.planned, exchange.error, exchange.end)
        self._polling.gateway.note_session()
        return 0.0

    def _ask(self, planned: PlannedCall) -> Any:
        try:
            return self._polling.ask(planned, self._client.call)
        except Exception:  # a bug, too, costs a batch its turn, or it would be asked for ever
            planned.batch.note_call(planned.group, planned.start)
            raise

    def _answered(self, planned: PlannedCall, exchange: Exchange) -> None:
        planned.batch.note_call(planned.group, planned.start)
        self._gate.pause.succeeded()
        self._state.login.answered_at = exchange.end
        self._state.first_shown.get_or_add("", self._clock.time)
        self._state.login.liveness.answered(planned.caller)
        self._polling.answered(planned, exchange.answer)

    def _failed(self, planned: PlannedCall, error: CallError, now: float) -> None:
        login = self._state.login
        login.liveness.failed(planned.interface.name, error)
        if self._polling.recovered(planned, error) is not None:
            return
        reaction = login.liveness.reaction(
            planned.caller, error, repeated=planned.repeated, young=login.is_young(now)
        )
        if reaction is Reaction.LOG_IN:
            self._lose_session(now)
        self._polling.failed(planned, error, reaction)

    # --- what is shown -------------------------------------------------------------------------

    def _count_unanswered(self) -> None:
        self._failed_calls += 1
        if self._failed_calls >= CALLS_UNTIL_DOWN:
            self._set_up(up=False)

    def _set_up(self, *, up: bool) -> None:
        self._polling.changes.up = up
        incidents, now = self._polling.incidents, self._clock.now()
        if up and incidents.succeeded(_ACCOUNT, now):
            self._log.info("up")
        elif not up and incidents.failed(_ACCOUNT, _DOWN, now):
            self._log.info("down")

    def _check_readiness(self) -> None:
        if self.ready:
            return
        self.waiting = tuple(self._missing())
        self.ready = not self.waiting
        if self.ready:
            self._schedule.end_first_round()
            self._log.info(
                "every plant and device has been asked",
                plants=len(self._polling.fleet.plants),
                devices=len(self._polling.fleet.devices),
            )

    def _missing(self) -> Iterable[str]:
        refusal = self._state.login.refusal
        if refusal is not None:
            yield f"the credentials are refused ({refusal})"
        elif not self._polling.gateway.has_session:
            yield "not logged in"
        yield from self._schedule.missing()

    def _report(self) -> None:
        self.report = polling_status(self._polling, self.waiting, self._clock)


# --- the report ----------------------------------------------------------------------------------


def polling_status(
    polling: AccountPolling, waiting: tuple[str, ...], clock: Clock
) -> status.PollingStatus:
    """How an account is polled; nothing is asked while its host is paused."""
    login, gateway = polling.state.login, polling.gateway
    now, offset = clock.now(), offset_of(clock)
    logged_in, paused = gateway.has_session, gateway.paused_until
    blocked = paused if logged_in else max(paused, login.due)
    own = status.InterfaceStatus(
        LOGIN.name,
        _allowance(login.quotas),
        login.pace,
        next_call=None if logged_in else max(now, blocked) + offset,
    )
    schedules = polling.schedule.interfaces.values()
    return status.PollingStatus(
        logged_in,
        _failure(login.refusal),
        _failure(login_reason_error(login.failure)) if login.failure else None,
        waiting,
        own,
        tuple(_interface(each, blocked, now, offset) for each in schedules),
        polling.fleet.no_data_reason,
    )


def restoring_status(config: AccountConfig, waiting: tuple[str, ...]) -> status.PollingStatus:
    """An account of which nothing is known yet."""
    login, *others = sorted(
        map(_planned_status, config.polled), key=lambda each: each.name != LOGIN.name
    )
    return status.PollingStatus(False, None, None, waiting, login, tuple(others))


def _planned_status(config: PollConfig) -> status.InterfaceStatus:
    allowed = quotas(config.limits, FleetSize())
    return status.InterfaceStatus(config.interface.name, _allowance(allowed), pace(allowed))


def _interface(
    schedule: InterfaceSchedule, blocked: float, now: float, offset: float
) -> status.InterfaceStatus:
    due, batches = schedule.due(now), schedule.rotation.batches
    reasons = dict.fromkeys(batch.failure for batch in batches if batch.failure)
    return status.InterfaceStatus(
        schedule.interface.name,
        _allowance(schedule.quotas),
        schedule.pace,
        schedule.duration if batches else None,
        max(now, blocked, due) + offset if isfinite(max(due, now)) else None,
        len(batches),
        sum(batch.progress.final for batch in batches),
        len(schedule.unanswered),
        tuple(
            status.FailureStatus(reason, data_error(reason_error(reason)).meaning)
            for reason in reasons
        ),
    )


def _allowance(quotas: tuple[Quota, ...]) -> tuple[tuple[int, float], ...]:
    """The calls that all device types share, the longest window first."""
    shared: dict[float, int] = {}
    for quota in quotas:
        if quota.device_type is None:
            shared[quota.window] = min(quota.calls, shared.get(quota.window, quota.calls))
    return tuple((shared[window], window) for window in sorted(shared, reverse=True))


def _failure(error: CallError | None) -> status.FailureStatus | None:
    return status.FailureStatus(error.reason, error.meaning) if error is not None else None
