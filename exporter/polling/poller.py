"""The one thread of an account: it logs in, makes the call that is due, and hands on the answer."""

import logging
import threading
import time
from collections.abc import Iterable, Sequence
from math import inf
from typing import Any

import structlog

from exporter.northbound.codes import device_type_slug
from exporter.northbound.errors import CallError, Reaction
from exporter.northbound.interfaces import (
    DEVICE_LIST,
    EDITIONS,
    HOUR,
    LOGIN,
    PLANT_LIST,
    Interface,
    Subject,
)
from exporter.northbound.records import Parsed, Plant
from exporter.polling.allowance import pace, quotas
from exporter.polling.inventory import Inventory
from exporter.polling.lane import Lane, Turn, Wish
from exporter.polling.pages import PlantPages
from exporter.polling.ports import Client, Clock, Sink
from exporter.polling.session import HostGate, Session

SILENT_CALLS = 3  # calls in a row without a proper answer before the account is down
LONGEST_NAP = 60.0  # seconds
REPAIR_PAUSE = 60.0  # seconds after a bug of ours, so that it cannot hammer the server


class SystemClock:
    """The machine's clock; `stop` ends every wait."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        # Unlike time.monotonic, this clock goes on while the machine is suspended, as the
        # server's windows and the age of our values do.
        self._clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

    def now(self) -> float:
        """Seconds since the machine started."""
        return time.clock_gettime(self._clock)

    def time(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def wait(self, seconds: float) -> bool:
        """Waits until the time is over or the daemon is stopped."""
        return self._stopped.wait(seconds)

    def stop(self) -> None:
        """Ends all waits, now and later."""
        self._stopped.set()


class Poller:
    """Walks one account's plants and devices for as long as the clock lets it.

    `ready` is set once every real-time batch of the fleet has had a final answer; until then
    `waiting` says, in words, for what.
    """

    def __init__(  # noqa: PLR0913  # what a thread is handed, it is handed here
        self,
        account: str,
        wishes: Iterable[Wish],
        *,
        edition: str,
        timeout: float,
        client: Client,
        inventory: Inventory,
        sink: Sink,
        clock: Clock,
        gate: HostGate,
    ) -> None:
        by_name = {wish.interface.name: wish for wish in wishes}
        self.ready = False
        self.waiting: tuple[str, ...] = ("not logged in yet",)
        self._session = Session(by_name.pop(LOGIN.name).limits)
        self._lanes = {name: Lane(wish) for name, wish in by_name.items()}
        self._edition = edition
        self._timeout = timeout
        self._client = client
        self._inventory = inventory
        self._sink = sink
        self._clock = clock
        self._gate = gate
        self._pages = PlantPages()
        self._log = structlog.get_logger().bind(account=account)
        self._up = False
        self._login_trouble: str | None = None
        self._without_answer = 0
        self._faster: tuple[str, ...] = ()
        self._fit()

    def run(self) -> None:
        """Polls until the clock says stop. Never raises."""
        stopped = False
        while not stopped:
            try:
                nap = self.step()
            except Exception:  # noqa: BLE001  # the only eye on a plant must not close
                self._log.exception("bug in the poller, going on")
                nap = REPAIR_PAUSE
            stopped = self._clock.wait(min(nap, LONGEST_NAP))

    def step(self) -> float:
        """Makes the one call that is due; returns the seconds until the next may be."""
        now = self._clock.now()
        due, lane = min(
            ((lane.due(now), lane) for lane in self._lanes.values()),
            key=lambda candidate: candidate[0],
            default=(inf, None),
        )
        login = self._client.token is None
        if login:
            due = self._session.due()
        due = max(due, self._gate.pause.until)
        if lane is None or due > now:
            return due - now
        if login or (self._session.spent(now) and self._session.due() <= now):
            self._login()
        else:
            self._call(lane)
        self._tell_readiness()
        return 0.0

    # --- the session ---------------------------------------------------------------------------

    def _login(self) -> None:
        with self._gate.login:
            start = self._clock.now()
            if self._gate.pause.until > start:
                return  # refused to another account while this one stood at the gate
            self._session.start(start)
            error = None
            try:
                self._client.login()
            except CallError as caught:
                error = caught
            finally:
                now = self._clock.now()
                self._session.end(now, self._doubt(error))
        self._sink.request(LOGIN.name, now - start, error)
        if error is None:
            self._session.opened(now)
            self._gate.pause.succeeded()
            self._without_answer = 0
            self._set_up(up=True)
        else:
            self._set_up(up=False)
            self._session.failed(error, now)
            if error.reaction is Reaction.PAUSE:
                self._pause(start, now)
            self._log.log(
                logging.DEBUG if error.reason == self._login_trouble else logging.WARNING,
                "login failed",
                reason=error.reason,
                meaning=error.meaning,
                next_in_seconds=round(max(0.0, self._session.due() - now)),
            )
        self._login_trouble = error.reason if error else None

    def _lose_session(self, now: float) -> None:
        self._client.forget()
        if self._session.lost(now):
            self._sink.session_lost()
            self._log.warning(
                "session ended early: another program logs in with this account; "
                "give each its own northbound account",
                next_login_in_seconds=round(max(0.0, self._session.due() - now)),
            )

    # --- calls ---------------------------------------------------------------------------------

    def _call(self, lane: Lane) -> None:
        interface = lane.interface
        start = self._clock.now()
        turn = lane.take(start)
        members = turn.group.members
        path, body = (
            self._pages.request(start)
            if interface is PLANT_LIST
            else (interface.path, interface.body(turn.batch.device_type, members))
        )
        error = parsed = None
        try:
            data = self._client.call(path, body)
            assert interface.parser is not None, "only interfaces with a parser are walked"  # noqa: S101  # a bug, not a state
            parsed = interface.parser(data, members)
        except CallError as caught:
            error = caught
        finally:
            now = self._clock.now()
            lane.end(now, self._doubt(error))
        self._sink.request(interface.name, now - start, error)
        self._note_envelope(error)
        if error is not None:
            self._failed(lane, turn, error, start, now)
        if parsed is not None:
            self._answered(lane, turn, parsed, now)
        self._sink.unanswered(interface.name, len(lane.silent))

    def _doubt(self, error: CallError | None) -> float:
        """Seconds after its end in which a call that we gave up on may still arrive."""
        return self._timeout if error is not None and error.reason == "timeout" else 0.0

    def _answered(self, lane: Lane, turn: Turn, parsed: Parsed[Any], now: float) -> None:
        interface = lane.interface
        self._gate.pause.succeeded()
        self._session.answered(now)
        self._sink.permitted(interface.name, permitted=True)
        self._sink.rejected(interface.name, parsed.rejected)
        silent: set[str] = set()
        if interface is PLANT_LIST:
            lane.answered(turn, silent)
            self._take_plants(lane, turn, parsed, now)
        elif interface is DEVICE_LIST:
            lane.answered(turn, silent)
            self._inventory.take_devices(turn.group.members, parsed.records, self._doubted())
            self._fit()
        else:
            heard = {reading.subject for reading in parsed.records if reading.values}
            silent = set(turn.group.members) - heard
            lane.answered(turn, silent)
            self._sink.readings(interface, turn.group.members, parsed)
        self._note_answer(lane, turn)

    def _take_plants(self, lane: Lane, turn: Turn, parsed: Parsed[Plant], now: float) -> None:
        self._inventory.add_plants(parsed.records)
        codes = self._pages.take(parsed, now)
        if codes is None:
            lane.next_page(turn.batch)
        else:
            self._inventory.end_plant_list(codes, self._doubted())
        self._fit()

    def _failed(self, lane: Lane, turn: Turn, error: CallError, start: float, now: float) -> None:
        interface = lane.interface
        if interface is PLANT_LIST:
            if self._pages.falls_back(error, now):
                lane.next_page(turn.batch)
                self._log.info("plant list refused, using the paged one", reason=error.reason)
                return
            self._pages.fail(error)
        if error.reason == "401":
            self._sink.permitted(interface.name, permitted=False)
        if error.reaction is Reaction.PAUSE:
            self._pause(start, now)
        if error.reaction is Reaction.LOG_IN:
            self._lose_session(now)
        if error.reaction is Reaction.REFUSE_CREDENTIALS:
            # The account was closed while we were logged in.
            self._client.forget()
            self._session.failed(error, now)
            self._set_up(up=False)
        if lane.failed(turn, error, now):
            about = DEVICE_LIST if interface.subject is Subject.DEVICES else PLANT_LIST
            if about.name in self._lanes:
                self._lanes[about.name].read_out_of_turn(now)
        self._note_failure(lane, turn, error)

    def _pause(self, start: float, now: float) -> None:
        """Load refusals concern the source address: the host's other accounts wait with us.

        What was under way when the pause began is part of the same refusal.
        """
        if start < self._gate.pause.until - self._gate.pause.wait:
            return
        realtime = self._lanes.get("getDevRealKpi")
        window = max(q.window for q in realtime.quotas) if realtime else self._session.pace
        self._gate.pause.refused(now, window, HOUR)

    def _doubted(self) -> set[str]:
        return {
            member
            for lane in self._lanes.values()
            for batch in lane.ring.batches
            for member in batch.doubted
        }

    # --- the fleet -----------------------------------------------------------------------------

    def _fit(self) -> None:
        """Fits every lane to the fleet as now known, and tells the plan."""
        plants = list(self._inventory.plants)
        for lane in self._lanes.values():
            types = lane.interface.device_types
            wanted: dict[int | None, Sequence[str]] = (
                {None: plants}
                if lane.interface.subject is Subject.PLANTS
                else dict(self._inventory.by_type(types))
            )
            lane.fit(wanted, self._inventory.size(types))
            self._tell_plan(lane)
        self._sink.fleet(self._inventory.plants, self._inventory.devices)
        self._tell_faster_edition()

    def _tell_plan(self, lane: Lane) -> None:
        self._sink.plan(lane.interface.name, pace=lane.pace, walk=lane.walk, max_age=lane.max_age)

    def _tell_faster_edition(self) -> None:
        if self._edition != "safe":
            return
        faster = tuple(
            name
            for name, lane in self._lanes.items()
            if lane.interface.realtime
            and lane.limits == EDITIONS["safe"](lane.interface)
            and lane.ring.walk(self._v6_pace(lane.interface), lane.every) < lane.walk
        )
        if faster and faster != self._faster:
            self._log.info(
                "an account created after June 2022 could be polled faster: limits: v6",
                interfaces=",".join(faster),
            )
        self._faster = faster

    def _v6_pace(self, interface: Interface) -> float:
        return pace(quotas(interface.v6, self._inventory.size(interface.device_types)))

    # --- what is told --------------------------------------------------------------------------

    def _note_envelope(self, error: CallError | None) -> None:
        if error is None or error.enveloped:
            self._without_answer = 0
            self._set_up(up=self._client.token is not None)
            return
        self._without_answer += 1
        if self._without_answer >= SILENT_CALLS:
            self._set_up(up=False)

    def _set_up(self, *, up: bool) -> None:
        if up != self._up:
            self._up = up
            self._log.info("up" if up else "down")
        self._sink.up(up=up)

    def _note_failure(self, lane: Lane, turn: Turn, error: CallError) -> None:
        if turn.batch.trouble != error.reason:
            turn.batch.trouble = error.reason
            self._log_of(lane, turn).warning(
                "call failed", reason=error.reason, meaning=error.meaning
            )

    def _note_answer(self, lane: Lane, turn: Turn) -> None:
        if turn.batch.trouble is not None and not turn.batch.halved:
            turn.batch.trouble = None
            self._log_of(lane, turn).info("answers again")

    def _log_of(self, lane: Lane, turn: Turn) -> Any:
        log = self._log.bind(interface=lane.interface.name)
        kind = turn.batch.device_type
        return log if kind is None else log.bind(device_type=device_type_slug(kind))

    def _tell_readiness(self) -> None:
        if self.ready:
            return
        self.waiting = tuple(self._missing())
        self.ready = not self.waiting
        for lane in self._lanes.values():
            lane.in_first_round = not self.ready
        if self.ready:
            self._log.info(
                "every plant and device has been asked",
                plants=len(self._inventory.plants),
                devices=len(self._inventory.devices),
            )

    def _missing(self) -> Iterable[str]:
        if self._session.refusal is not None:
            yield f"the credentials are refused ({self._session.refusal})"
        elif self._client.token is None:
            yield "not logged in"
        for lane in self._lanes.values():
            batches = lane.ring.batches
            waiting = sum(not batch.final for batch in batches)
            if waiting:
                yield f"{lane.interface.name}: {waiting} of {len(batches)} batches not answered yet"
