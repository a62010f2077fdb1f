"""What an account's thread writes down, so that a restart goes on where it ended.

The start of every call is written before its first byte is sent: whatever happens then, the next
life knows that the call may have counted.
"""

from collections.abc import Mapping
from math import inf
from typing import Any

from exporter.northbound.interfaces import DAY
from exporter.polling.eras import epoch_for, epoch_of, stamped
from exporter.polling.handlers import Handler
from exporter.polling.inventory import Inventory
from exporter.polling.lane import Lane
from exporter.polling.others import OTHERS_CALLS, others_calls
from exporter.polling.ports import Client, Clock, Memory, Sink
from exporter.polling.rows import (
    LANES,
    SESSION,
    calls_of,
    lane_row,
    recall_lane,
    recall_ring,
    recall_session,
    session_row,
)
from exporter.polling.session import HostGate, Session
from exporter.polling.tolerance import Gaps
from exporter.polling.walk import Walk

GLANCE = 1.0  # seconds until somebody else's call under way is looked after again
_REMEMBERED = 2 * DAY  # longer than any window counts
_STEP = 1.0  # seconds by which the wall clock is set rather than steered


class Notebook:
    """Writes what changed, and takes it all up again."""

    def __init__(  # noqa: PLR0913  # because it writes about each of them
        self,
        memory: Memory,
        clock: Clock,
        *,
        client: Client,
        session: Session,
        gate: HostGate,
        inventory: Inventory,
        walk: Walk,
        handlers: Mapping[str, Handler],
        sink: Sink,
        log: Any,
    ) -> None:
        self._memory = memory
        self._clock = clock
        self._client = client
        self._session = session
        self._gate = gate
        self._inventory = inventory
        self._walk = walk
        self._handlers = handlers
        self._sink = sink
        self._log = log
        self._gaps = Gaps(log.bind(file=str(memory)))
        self._epoch = epoch_of(clock)

    # --- writing -------------------------------------------------------------------------------

    def session_changed(self) -> None:
        """Writes that a login is about to be made, or how it went."""
        self._write(self._session_changes())

    def call_starts(self, lane: Lane) -> None:
        """Writes that a call is about to be made."""
        self._write(self._lane_changes(lane))

    def call_ended(self, lane: Lane) -> None:
        """Writes how it went, and all that it changed."""
        self._write(
            {
                **self._session_changes(),
                **self._lane_changes(lane),
                **self._handlers[lane.interface.name].changes(),
                **self._sink.changes(),
            }
        )

    def fleet_changed(self) -> None:
        """Writes the fleet, and how it is cut into batches."""
        changes = self._inventory.remember()
        for name, lane in self._walk.lanes.items():
            changes |= self._lane_changes(lane)
            changes |= {("ring", name): lane.ring.remember(epoch_of(self._clock))}
            changes |= self._handlers[name].changes()
        self._write({**changes, **self._sink.changes()})

    def _write(self, changes: dict[tuple[str, str], Any]) -> None:
        """Writes, and all times anew once the wall clock was set: the right ones, by then."""
        epoch = epoch_of(self._clock)
        if abs(epoch - self._epoch) > _STEP:
            self._epoch = epoch
            changes = {**self._all_times(), **changes}
        self._memory.write(changes)

    def _all_times(self) -> dict[tuple[str, str], Any]:
        changes = self._session_changes()
        for lane in self._walk.lanes.values():
            changes |= self._lane_changes(lane)
        return changes

    def _session_changes(self) -> dict[tuple[str, str], Any]:
        return {(SESSION, ""): session_row(self._client, self._session, self._gate, self._clock)}

    def _lane_changes(self, lane: Lane) -> dict[tuple[str, str], Any]:
        return {(LANES, lane.interface.name): lane_row(lane, self._clock)}

    # --- others --------------------------------------------------------------------------------

    def note_others(self) -> float:
        """Takes account of calls that a command has made meanwhile, and of what it was told.

        From now on they stand among the calls of their interface, and nowhere else. Those of
        interfaces that are not walked wait for the next command.

        Returns:
            Until when to make no call, since one of theirs is under way; -inf if none is.
        """
        now = self._clock.now()
        self._sink.accept(self._memory.read)
        busy_until = -inf
        changes: dict[tuple[str, str], Any] = {}
        for name, call in others_calls(self._memory, self._clock, self._gaps).items():
            lane = self._walk.lanes.get(call.interface) if call else None
            if call is None:
                changes[OTHERS_CALLS, name] = None  # or it would be met for ever
            elif call.is_under_way(now):
                busy_until = now + GLANCE
            elif lane is not None:
                lane.note(call.start, call.end, call.device_type)
                changes |= self._lane_changes(lane) | {(OTHERS_CALLS, name): None}
            elif call.end < now - _REMEMBERED:
                changes[OTHERS_CALLS, name] = None
        if changes:
            self._write(changes)
        return busy_until

    # --- reading -------------------------------------------------------------------------------

    def recall(self) -> None:
        """Goes on where an earlier life ended; what cannot be understood is forgotten."""
        self.recall_knowledge()
        row = self._memory.read(SESSION).get("")
        self._gaps.attempt(SESSION, self._recall_session, row)
        self._gaps.attempt("calls", self._end_calls)
        self._tell_refusal()

    def recall_knowledge(self) -> None:
        """Takes up fleet, turns, answers and values, but for the session."""
        attempt, read = self._gaps.attempt, self._memory.read
        attempt("fleet", self._inventory.recall, read("fleet"), self._gaps)
        rings, rows = read("ring"), read(LANES)
        for name, lane in self._walk.lanes.items():
            attempt(name, self._recall_lane, lane, rings.get(name), rows.get(name))
        self._walk.fit()
        for lane in self._walk.lanes.values():
            lane.forget_old(self._clock.now())
        for name, handler in self._handlers.items():
            attempt(name, handler.recall, read, self._gaps)
        session = read(SESSION).get("")  # which is written whenever anything is
        wall = self._clock.now() + epoch_for(session, self._clock)
        attempt("values", self._sink.recall, read, wall)

    def _recall_lane(self, lane: Lane, batches: object, row: object) -> None:
        whole = batches is not None and recall_ring(batches, lane, self._clock, self._gaps)
        if row is not None:
            recall_lane(row, lane, self._clock, self._gaps, whole=whole)
        if lane.is_list and (self._inventory.is_partial or not self._inventory.plants):
            lane.read_out_of_turn(self._clock.now())

    def _recall_session(self, row: object) -> None:
        if row is not None:
            recall_session(
                row, self._client, self._session, self._gate, clock=self._clock, gaps=self._gaps
            )

    def _end_calls(self) -> None:
        """Writes that no call of an earlier life is under way, be its interface walked or not."""
        clock, changes = self._clock, self._all_times()
        for kind in (LANES, SESSION):
            for name, row in self._memory.read(kind).items():
                if (kind, name) not in changes and isinstance(row, dict):
                    calls = calls_of(row, clock, self._gaps, latest=clock.now())
                    ended = {**row, "calls": calls.remember(epoch_of(clock))}
                    changes[kind, name] = stamped(ended, clock)
        for name, call in others_calls(self._memory, clock, self._gaps).items():
            changes[OTHERS_CALLS, name] = call and call.remember(clock)
        self._memory.write(changes)

    def _tell_refusal(self) -> None:
        refusal, wait = self._session.refusal, self._session.due() - self._clock.now()
        if refusal is not None and wait > 0:
            self._log.warning(
                "the credentials were refused; others are tried at once after a reload",
                reason=refusal.reason,
                next_login_in_seconds=round(wait),
            )
