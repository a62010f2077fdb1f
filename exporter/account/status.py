"""An account's polling as a frozen view that other threads may read. Pure."""

from math import isfinite

from exporter.account.account_polling import AccountConfig, AccountPolling
from exporter.account.interface_schedule import InterfaceSchedule, PollConfig
from exporter.account.quotas import FleetSize, Quota, pace, quotas
from exporter.clock import Clock, offset_of
from exporter.northbound.errors import CallError, data_error, login_reason_error, reason_error
from exporter.northbound.interfaces import LOGIN
from exporter.status import model as status


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
    login, *others = sorted(map(_planned, config.polled), key=lambda each: each.name != LOGIN.name)
    return status.PollingStatus(False, None, None, waiting, login, tuple(others))


def _planned(config: PollConfig) -> status.InterfaceStatus:
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
        len(schedule.silent),
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
