"""What an account's thread writes down, so that a restart goes on where it ended.

The start of every call is written before its first byte is sent: whatever happens then, the next
life knows that the call may have counted.
"""

from collections.abc import Callable, Mapping
from functools import partial
from math import inf
from typing import Any

from exporter.northbound.interfaces import DAY, Subject
from exporter.polling.allowance import Ledger
from exporter.polling.eras import epoch_of
from exporter.polling.inquiries import Inquiry
from exporter.polling.inventory import Inventory
from exporter.polling.lane import Lane
from exporter.polling.others import OTHERS_CALLS, others_calls
from exporter.polling.ports import Client, Clock, Memory, Sink
from exporter.polling.session import HostGate, Session
from exporter.polling.walk import Walk

LANES, SESSION = "lane", "session"  # the kinds under which the daemon writes its calls
GLANCE = 1.0  # seconds until somebody else's call under way is looked after again
_REMEMBERED = 2 * DAY  # longer than any window counts


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
        inquiries: Mapping[str, Inquiry],
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
        self._inquiries = inquiries
        self._sink = sink
        self._log = log

    # --- writing -------------------------------------------------------------------------------

    def session_changed(self) -> None:
        """Writes that a login is about to be made, or how it went."""
        self._memory.write(self._session_changes())

    def call_starts(self, lane: Lane) -> None:
        """Writes that a call is about to be made."""
        self._memory.write(self._lane_changes(lane))

    def call_ended(self, lane: Lane) -> None:
        """Writes how it went, and all that it changed."""
        self._memory.write(
            {
                **self._session_changes(),
                **self._lane_changes(lane),
                **self._inquiries[lane.interface.name].changes(),
                **self._sink.changes(),
            }
        )

    def fleet_changed(self) -> None:
        """Writes the fleet, and how it is cut into batches."""
        changes = self._inventory.remember()
        for name, lane in self._walk.lanes.items():
            changes |= self._lane_changes(lane)
            changes |= {("ring", name): lane.ring.remember()}
            changes |= self._inquiries[name].changes()
        self._memory.write({**changes, **self._sink.changes()})

    def _session_changes(self) -> dict[tuple[str, str], Any]:
        return session_changes(self._client, self._session, self._gate, epoch_of(self._clock))

    def _lane_changes(self, lane: Lane) -> dict[tuple[str, str], Any]:
        return {(LANES, lane.interface.name): lane.remember(epoch_of(self._clock))}

    # --- others --------------------------------------------------------------------------------

    def note_others(self) -> float:
        """Takes account of calls that a command has made meanwhile.

        From now on they stand among the calls of their interface, and nowhere else. Those of
        interfaces that are not walked wait for the next command.

        Returns:
            Until when to make no call, since one of theirs is under way; -inf if none is.
        """
        now, time = self._clock.now(), self._clock.time()
        busy_until = -inf
        changes: dict[tuple[str, str], Any] = {}
        for name, call in others_calls(self._memory).items():
            lane = self._walk.lanes.get(call.interface)
            if call.is_under_way(time):
                busy_until = now + GLANCE
            elif lane is not None:
                lane.note(*call.times(epoch_of(self._clock), now), call.device_type)
                changes |= self._lane_changes(lane) | {(OTHERS_CALLS, name): None}
            elif call.end < time - _REMEMBERED:
                changes[OTHERS_CALLS, name] = None
        if changes:
            self._memory.write(changes)
        return busy_until

    # --- reading -------------------------------------------------------------------------------

    def recall(self) -> None:
        """Goes on where an earlier life ended; what cannot be understood is forgotten."""
        self._attempt("fleet", self._recall_fleet)
        for name, lane in self._walk.lanes.items():
            self._attempt(name, partial(self._recall_lane, lane))
        self._walk.fit()
        for lane in self._walk.lanes.values():
            lane.forget_old(self._clock.now())
        for name, inquiry in self._inquiries.items():
            self._attempt(name, partial(inquiry.recall, self._memory.read))
        self._attempt("values", partial(self._sink.recall, self._memory.read))
        self._attempt("session", self._recall_session)
        self._attempt("calls", self._end_calls)
        self._tell_refusal()

    def _attempt(self, part: str, recall: Callable[[], None]) -> None:
        try:
            recall()
        except Exception as error:  # noqa: BLE001  # because a file may hold anything
            self._log.warning(
                "state was not understood, going on without",
                part=part,
                file=str(self._memory),
                reason=type(error).__name__,  # its text may hold what the file does
            )

    def _recall_fleet(self) -> None:
        self._inventory.recall(self._memory.read("fleet"))

    def _recall_lane(self, lane: Lane) -> None:
        name = lane.interface.name
        ring = self._memory.read("ring").get(name)
        if ring is not None and lane.interface.subject is not Subject.ACCOUNT:
            lane.ring.recall(ring)
        stored = self._memory.read(LANES).get(name)
        if stored is not None:
            lane.recall(stored, epoch_of(self._clock), self._clock.now())
        if lane.is_list and (self._inventory.is_partial or not self._inventory.plants):
            lane.read_out_of_turn(self._clock.now())

    def _recall_session(self) -> None:
        stored = self._memory.read(SESSION).get("")
        if stored is None:
            return
        recall_session(
            stored,
            self._client,
            self._session,
            self._gate,
            epoch=epoch_of(self._clock),
            now=self._clock.now(),
        )

    def _end_calls(self) -> None:
        """Writes that no call of an earlier life is under way, be its interface walked or not."""
        changes: dict[tuple[str, str], Any] = {}
        epoch = epoch_of(self._clock)
        for kind in (LANES, SESSION):
            for name, stored in self._memory.read(kind).items():
                ledger = Ledger()
                ledger.recall(stored["calls"], epoch, self._clock.now())
                changes[kind, name] = {**stored, "calls": ledger.remember(epoch)}
        self._memory.write(changes)

    def _tell_refusal(self) -> None:
        refusal, wait = self._session.refusal, self._session.due() - self._clock.now()
        if refusal is not None and wait > 0:
            self._log.warning(
                "the credentials were refused; others are tried at once after a reload",
                reason=refusal.reason,
                next_login_in_seconds=round(wait),
            )


def session_changes(
    client: Client, session: Session, gate: HostGate, epoch: float
) -> dict[tuple[str, str], Any]:
    """The session as it is written down, by kind and name."""
    return {
        (SESSION, ""): {
            "token": client.token,
            "refused": client.seal if session.refusal else None,
            "pause": gate.pause.remember(epoch),
            **session.remember(epoch),
        }
    }


def recall_session(  # noqa: PLR0913  # because it tells each of them
    stored: Mapping[str, Any],
    client: Client,
    session: Session,
    gate: HostGate,
    *,
    epoch: float,
    now: float,
) -> None:
    """Takes a written session up again."""
    session.recall(stored, epoch, now)
    gate.pause.recall(stored["pause"], epoch, now)
    token = stored["token"]
    if isinstance(token, str) and token.isprintable():  # it goes into a header
        client.token = token
    seal = stored.get("refused")
    if isinstance(seal, str) and not client.is_sealed(seal):
        session.believe_credentials(now)
