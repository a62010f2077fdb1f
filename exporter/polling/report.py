"""An account's polling as a frozen view that other threads may read. Pure."""

from math import isfinite

from exporter.northbound.errors import CallError, data_error, login_reason_error, reason_error
from exporter.northbound.interfaces import LOGIN
from exporter.polling import lane as lanes
from exporter.polling.allowance import Quota
from exporter.polling.session import Session
from exporter.polling.walk import Walk
from exporter.status.model import FailureStatus, InterfaceStatus, PollingStatus


def report(  # noqa: PLR0913  # because it looks at each of them
    walk: Walk,
    session: Session,
    *,
    logged_in: bool,
    login_failure: str | None,
    waiting: tuple[str, ...],
    lack: str,
    paused: float,
    now: float,
    epoch: float,
) -> PollingStatus:
    """How an account fares; nothing is asked before `paused`, and times are `epoch` later."""
    blocked = paused if logged_in else max(paused, session.due())
    login = InterfaceStatus(
        LOGIN.name,
        _allowance(session.quotas),
        session.pace,
        next_call=None if logged_in else max(now, blocked) + epoch,
    )
    return PollingStatus(
        logged_in,
        _failure(session.refusal),
        _failure(login_reason_error(login_failure)) if login_failure else None,
        waiting,
        login,
        tuple(_lane(lane, blocked, now, epoch) for lane in walk.lanes.values()),
        lack,
    )


def _lane(lane: lanes.Lane, blocked: float, now: float, epoch: float) -> InterfaceStatus:
    due, batches = lane.due(now), lane.ring.batches
    reasons = dict.fromkeys(batch.trouble for batch in batches if batch.trouble)
    return InterfaceStatus(
        lane.interface.name,
        _allowance(lane.quotas),
        lane.pace,
        lane.walk if batches else None,
        max(now, blocked, due) + epoch if isfinite(max(due, now)) else None,
        len(batches),
        sum(batch.final for batch in batches),
        len(lane.silent),
        tuple(
            FailureStatus(reason, data_error(reason_error(reason)).meaning) for reason in reasons
        ),
    )


def _allowance(quotas: tuple[Quota, ...]) -> tuple[tuple[int, float], ...]:
    """The calls that all device types share, the longest window first."""
    shared: dict[float, int] = {}
    for quota in quotas:
        if quota.device_type is None:
            shared[quota.window] = min(quota.calls, shared.get(quota.window, quota.calls))
    return tuple((shared[window], window) for window in sorted(shared, reverse=True))


def _failure(error: CallError | None) -> FailureStatus | None:
    return FailureStatus(error.reason, error.meaning) if error is not None else None
