"""Rows of the state as they are taken up again: by their own clocks, and field by field.

A field that is not understood is as in a new object, so that it costs nothing beside it. Only calls
are never taken for none: one of unknown time counts as one that ends now.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from exporter.northbound.interfaces import Subject
from exporter.polling.allowance import Backoff, Ledger
from exporter.polling.eras import epoch_for, epoch_of, stamped
from exporter.polling.lane import Lane, Wish
from exporter.polling.ports import Client, Clock
from exporter.polling.rounds import Batch, Group, Ring
from exporter.polling.session import HostGate, Session
from exporter.polling.tolerance import Gaps, NotUnderstoodError

LANES, SESSION = "lane", "session"  # the kinds under which the daemon writes its calls
_CALLS = ("calls", "refusals")  # the fields that hold calls


def session_row(client: Client, session: Session, gate: HostGate, clock: Clock) -> dict[str, Any]:
    """The session as it is written down."""
    epoch = epoch_of(clock)
    row = {
        "token": client.token,
        "refused": client.seal if session.refusal else None,
        "pause": gate.pause.remember(epoch),
        **session.remember(epoch),
    }
    return stamped(row, clock)


def recall_session(  # noqa: PLR0913  # because it tells each of them
    row: object, client: Client, session: Session, gate: HostGate, *, clock: Clock, gaps: Gaps
) -> None:
    """Takes a written session up again."""
    epoch, now = epoch_for(row, clock), clock.now()

    def trial(fields: Mapping[str, Any]) -> bool:
        Session(()).recall(fields, epoch, now)
        return True

    blank = Session(()).remember(epoch)
    session.recall(_sound(blank, _with_calls(row, clock, gaps), trial, SESSION, gaps), epoch, now)
    stored = row if isinstance(row, dict) else {}
    gaps.attempt(SESSION, gate.pause.recall, stored.get("pause", [0.0, None]), epoch, now)
    token, seal = stored.get("token"), stored.get("refused")
    if isinstance(token, str) and token.isprintable():  # it goes into a header
        client.token = token
    if isinstance(seal, str) and gaps.attempt(SESSION, client.is_sealed, seal) is False:
        session.believe_credentials(now)


def lane_row(lane: Lane, clock: Clock) -> dict[str, Any]:
    """An interface's calls, waits and turns as they are written down."""
    return stamped(lane.remember(epoch_of(clock)), clock)


def recall_ring(batches: object, lane: Lane, clock: Clock, gaps: Gaps) -> bool:
    """Takes an interface's batches up again; returns whether these were all of them."""
    if lane.interface.subject is Subject.ACCOUNT:
        return True
    epoch, now = epoch_of(clock), clock.now()

    def sound(batch: Any) -> list[Any]:
        Ring(1).recall([batch], epoch, now)
        return list(batch)

    understood = gaps.each("ring", sound, batches)
    lane.ring.recall(understood, epoch, now)
    return understood == batches


def recall_lane(row: object, lane: Lane, clock: Clock, gaps: Gaps, *, whole: bool) -> None:
    """Takes an interface's calls, waits and turns up again.

    `whole` tells that its batches are as they were, so that it is known whose turns these are.
    """
    epoch, now = epoch_for(row, clock), clock.now()

    def trial(fields: Mapping[str, Any]) -> bool:
        other = Lane(Wish(lane.interface, lane.limits, lane.every))
        other.ring.batches = [Batch(each.device_type, [Group(())]) for each in lane.ring.batches]
        other.recall(fields, epoch, now)
        return True

    stored = _with_calls(row, clock, gaps)
    if not whole:
        stored = {**stored, "turns": []}
    blank = Lane(Wish(lane.interface, lane.limits, lane.every)).remember(epoch)
    lane.recall(_sound(blank, stored, trial, lane.interface.name, gaps), epoch, now)


def calls_of(row: object, clock: Clock, gaps: Gaps, *, latest: float) -> Ledger:
    """The calls of a row; one without an end, or of unknown time, counts as ended at `latest`."""
    ledger = Ledger()
    ledger.recall(_with_calls(row, clock, gaps)["calls"], epoch_for(row, clock), latest)
    return ledger


def backoff_of(row: object, clock: Clock, gaps: Gaps) -> Backoff:
    """The wait that a row tells of."""
    backoff = Backoff()
    if isinstance(row, dict) and "backoff" in row:
        epoch, now = epoch_for(row, clock), clock.now()
        gaps.attempt("backoff", backoff.recall, row["backoff"], epoch, now)
    return backoff


def is_under_way(row: object) -> bool:
    """Whether one of a row's calls has no end yet."""
    match row:
        case {"calls": [*calls]}:
            return any(isinstance(call, list) and call[2:3] == [None] for call in calls)
    return False


def _with_calls(row: object, clock: Clock, gaps: Gaps) -> dict[str, Any]:
    """A row whose calls a ledger understands."""
    epoch, now = epoch_for(row, clock), clock.now()
    unknown = [now + epoch, now + epoch, None, None]

    def sound(call: Any) -> list[Any]:
        Ledger().recall([call[:4]], epoch, now)
        return list(call[:4])

    stored = row if isinstance(row, dict) else {}
    if row is not stored:
        gaps.tell("calls", NotUnderstoodError("a mapping expected"))
    told = {name: stored.get(name, []) for name in _CALLS} | {"calls": stored.get("calls")}
    return stored | {
        name: [gaps.attempt("calls", sound, call) or unknown for call in calls]
        if isinstance(calls, list)
        else [unknown]
        for name, calls in told.items()
    }


def _sound(
    blank: Mapping[str, Any],
    stored: object,
    trial: Callable[[Mapping[str, Any]], bool],
    part: str,
    gaps: Gaps,
) -> dict[str, Any]:
    """`blank` with those fields of `stored` that pass a trial, which raises or returns true.

    All together, or else each for itself.
    """
    if not isinstance(stored, dict):
        gaps.tell(part, NotUnderstoodError("a mapping expected"))
        return dict(blank)
    known = _known(blank, stored)
    if gaps.attempt(part, trial, {**blank, **known}):
        return {**blank, **known}
    sound = dict(blank)
    for name, value in known.items():
        if isinstance(blank[name], dict):
            within = partial(_trial_within, trial, blank, name)
            sound[name] = _sound(blank[name], value, within, part, gaps)
        elif gaps.attempt(part, trial, {**blank, name: value}):
            sound[name] = value
    return sound


def _known(blank: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """Those fields of `stored` that `blank` has, and of fields that hold fields likewise."""
    return {
        name: _known(blank[name], stored[name])
        if isinstance(blank[name], dict) and isinstance(stored[name], dict)
        else stored[name]
        for name in blank
        if name in stored
    }


def _trial_within(
    trial: Callable[[Mapping[str, Any]], bool],
    blank: Mapping[str, Any],
    name: str,
    fields: Mapping[str, Any],
) -> bool:
    return trial({**blank, name: fields})
