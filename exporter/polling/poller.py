"""The one thread of an account: it logs in, makes the call that is due, and hands on the answer."""

import logging
from collections.abc import Iterable
from functools import partial
from typing import Any

import structlog

from exporter.northbound.codes import device_type_slug
from exporter.northbound.errors import CallError, Reaction
from exporter.northbound.interfaces import LOGIN, Interface
from exporter.northbound.records import Parsed
from exporter.polling.allowance import doubt_after
from exporter.polling.eras import epoch_of
from exporter.polling.handlers import AlarmTerms, handlers_of
from exporter.polling.inventory import Inventory
from exporter.polling.lane import Lane, Turn, Wish
from exporter.polling.notebook import Notebook
from exporter.polling.ports import Client, Clock, Memory, Sink
from exporter.polling.report import report
from exporter.polling.session import HostGate, Session
from exporter.polling.walk import Walk
from exporter.status.model import PollingStatus

SILENT_CALLS = 3  # calls in a row without a proper answer before the account is down
LONGEST_NAP = 60.0  # seconds
REPAIR_PAUSE = 60.0  # seconds after a bug of ours, so that it cannot hammer the server


class Poller:
    """Walks one account's plants and devices for as long as the clock lets it.

    It has to `restore` before it may `run`. `ready` is set once every real-time batch of the fleet
    has had a final answer; until then `waiting` says, in words, for what. `report`, replaced after
    each call, says how the account fares; other threads may read it. `scale` shortens the waits
    that no limit tells, as it does the limits.
    """

    def __init__(  # noqa: PLR0913  # what a thread is handed, it is handed here
        self,
        account: str,
        wishes: Iterable[Wish],
        *,
        timeout: float,
        alarms: AlarmTerms,
        client: Client,
        inventory: Inventory,
        sink: Sink,
        clock: Clock,
        gate: HostGate,
        memory: Memory,
        scale: float = 1.0,
    ) -> None:
        by_name = {wish.interface.name: wish for wish in wishes}
        self.ready = False
        self.waiting: tuple[str, ...] = ("its state is being restored",)
        self._log = structlog.get_logger().bind(account=account)
        self._session = Session(by_name.pop(LOGIN.name).limits)
        self._walk = Walk(by_name.values(), inventory, sink, self._log)
        self._timeout = timeout
        self._client = client
        self._inventory = inventory
        self._sink = sink
        self._clock = clock
        self._gate = gate
        self._memory = memory
        self._scale = scale
        self._handlers = handlers_of(self._walk, inventory, sink, clock, alarms)
        self._up = False
        self._owner_was_here = False
        self._login_trouble: str | None = None
        self._without_answer = 0
        self._notebook = Notebook(
            memory,
            clock,
            client=client,
            session=self._session,
            gate=gate,
            inventory=inventory,
            walk=self._walk,
            handlers=self._handlers,
            sink=sink,
            log=self._log,
        )
        self.report = self._report()

    def restore(self) -> None:
        """Shows what `memory` holds of an earlier life, and goes on from there. Never raises.

        Takes seconds where that is much.
        """
        try:
            self._notebook.recall()
            self._tell_readiness()
        except Exception:  # noqa: BLE001  # better an account without a past than none
            self._log.exception("bug in restoring the state, going on without")
            self._sink.bug()
            self._inventory.clear()
            self._walk.fit()
        self.report = self._report()

    def unpark(self) -> None:
        """Asks again at once for what was left alone, as its owner may have mended it.

        Any thread may say so.
        """
        self._owner_was_here = True

    def run(self) -> None:
        """Polls until the clock says stop. Never raises."""
        stopped = False
        while not stopped:
            try:
                nap = self.step()
            except Exception:  # noqa: BLE001  # the only eye on a plant must not close
                self._log.exception("bug in the poller, going on")
                self._sink.bug()
                self._note_silence()
                nap = REPAIR_PAUSE
            stopped = self._clock.wait(min(nap, LONGEST_NAP))

    def step(self) -> float:
        """Makes the one call that is due; returns the seconds until the next may be."""
        now = self._clock.now()
        if self._owner_was_here:
            self._owner_was_here = False
            self._gate.lift()
            self._walk.unpark()
        due, lane = self._walk.next(now)
        login = self._client.token is None
        trial = self._session.trial_due(self._walk.called)
        due = self._session.due() if login else min(due, trial)
        due = max(due, self._gate.pause.until)
        if lane is None or due > now:
            return due - now
        if login or (self._session.due() <= now and self._renews(now)):
            nap = self._login()
        else:
            nap = self._call(lane)
        self._tell_readiness()
        self.report = self._report()
        return nap

    # --- the session ---------------------------------------------------------------------------

    def _renews(self, now: float) -> bool:
        """Whether to log in though there is a session: it is about to expire, or seems dead."""
        return self._session.spent(now) or self._seems_dead(now)

    def _seems_dead(self, now: float) -> bool:
        return self._session.trial_due(self._walk.called) <= now

    def _login(self) -> float:
        """Logs in, if nobody else makes a call; returns how long to wait, in seconds."""
        entered = self._clock.now()
        wait = self._gate.enter(entered)
        if wait > 0:
            return wait
        try:
            return self._log_in(entered)
        finally:
            self._gate.leave(entered)

    def _log_in(self, start: float) -> float:
        token, on_trial = self._client.token, self._seems_dead(start)
        with self._memory.claim():
            busy_until = self._notebook.note_others()
            if busy_until > start:
                return busy_until - start
            self._session.start(start)
            if on_trial:
                self._session.liveness.tried(start)
            self._notebook.session_changed()
        error = None
        try:
            self._client.login()
        except CallError as caught:
            error = caught
        finally:
            now = self._clock.now()
            self._session.end(now, doubt_after(error, self._timeout))
        self._sink.request(LOGIN.name, now - start, error)
        if error is None:
            self._logged_in(now, on_trial=on_trial)
        else:
            self._login_failed(error, token, start, now)
        self._login_trouble = error.reason if error else None
        self._notebook.session_changed()
        return 0.0

    def _logged_in(self, now: float, *, on_trial: bool) -> None:
        self._session.opened(now)
        self._gate.pause.succeeded()
        self._without_answer = 0
        self._set_up(up=True)
        if on_trial:
            self._log.warning("no interface gave a proper answer, logged in anew")
            self._walk.ask_failed_again(now)

    def _login_failed(self, error: CallError, token: str | None, start: float, now: float) -> None:
        self._set_up(up=False)
        self._session.failed(error, now)
        # A login that failed has ended no session, but refused credentials have none.
        refused = error.reaction is Reaction.REFUSE_CREDENTIALS
        self._client.token = None if refused else token
        if error.reaction is Reaction.PAUSE:
            self._pause(error, start, now)
        self._log.log(
            logging.DEBUG if error.reason == self._login_trouble else logging.WARNING,
            "login failed",
            reason=error.reason,
            meaning=error.words,
            next_in_seconds=round(max(0.0, self._session.due() - now)),
        )

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

    def _call(self, lane: Lane) -> float:
        """Makes a call, unless somebody else makes one; returns how long to wait, in seconds."""
        start = self._clock.now()
        with self._memory.claim():
            busy_until = self._notebook.note_others()
            if busy_until > start or lane.due(start) > start:
                return max(0.0, busy_until - start)
            turn = lane.take(start)
            self._notebook.call_starts(lane)
        error = parsed = None
        try:
            parsed = self._ask(lane.interface, turn)
        except CallError as caught:
            error = caught
        finally:
            now = self._clock.now()
            lane.end(now, doubt_after(error, self._timeout))
        self._sink.request(lane.interface.name, now - start, error)
        self._note_envelope(error)
        if error is not None:
            self._failed(lane, turn, error, start, now)
        if parsed is not None:
            self._answered(lane, turn, parsed, now)
        self._sink.unanswered(lane.interface.name, len(lane.silent))
        self._notebook.call_ended(lane)
        return 0.0

    def _ask(self, interface: Interface, turn: Turn) -> Parsed[Any]:
        path, body = self._handlers[interface.name].request(turn)
        return interface.answer(partial(self._client.call, path, body), turn.group.members)

    def _answered(self, lane: Lane, turn: Turn, parsed: Parsed[Any], now: float) -> None:
        self._gate.pause.succeeded()
        self._session.answered(now)
        self._session.liveness.answered((lane.interface.name, turn.batch.device_type))
        self._sink.permitted(lane.interface.name, permitted=True)
        self._sink.rejected(lane.interface.name, parsed.rejected)
        outcome = self._handlers[lane.interface.name].apply(turn, parsed)
        lane.answered(turn, set(outcome.silent))
        if outcome.again:
            lane.ask_again(turn.batch)
        if outcome.refit:
            self._refit()
        self._note_answer(lane, turn)

    def _refit(self) -> None:
        self._walk.fit()
        for name, handler in self._handlers.items():
            handler.retain_only(self._walk.members(name))
        self._notebook.fleet_changed()

    def _failed(self, lane: Lane, turn: Turn, error: CallError, start: float, now: float) -> None:
        interface, liveness = lane.interface, self._session.liveness
        liveness.failed(interface.name, error)
        mended = self._handlers[interface.name].recover(turn, error)
        if mended is not None:
            if mended.again:
                lane.ask_again(turn.batch)
            elif mended.refit:  # the refusal was a list's end
                lane.answered(turn, set(mended.silent))
                self._refit()
            self._log_of(lane, turn).info(
                "asking in another way" if mended.again else "doing without", reason=error.reason
            )
            return
        if error.reason == "401":
            self._sink.permitted(interface.name, permitted=False)
        reaction = liveness.reaction(
            (interface.name, turn.batch.device_type),
            error,
            repeated=turn.repeated,
            young=self._session.is_young(now),
        )
        if reaction is Reaction.LOG_IN:
            self._lose_session(now)
        if lane.failed(turn, error, reaction, now):
            self._walk.reread(interface.subject, now)
        if reaction is Reaction.PAUSE:
            self._pause(error, start, now)
        else:
            lane.hold(now, error.retry_after)
        if reaction is Reaction.SPLIT:
            self._refit()
        self._note_failure(lane, turn, error)

    def _pause(self, error: CallError, start: float, now: float) -> None:
        """Load refusals concern the source address: the host's other accounts wait with us.

        What was under way when the pause began is part of the same refusal.
        """
        if start >= self._gate.pause.until - self._gate.pause.wait:
            self._gate.refuse(now, error, self._scale)

    # --- what is told --------------------------------------------------------------------------

    def _note_envelope(self, error: CallError | None) -> None:
        if error is None or error.enveloped:
            self._without_answer = 0
            self._set_up(up=self._client.token is not None)
            return
        self._note_silence()

    def _note_silence(self) -> None:
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
            advice = lane.interface.advice(error.reason)
            meaning = "; ".join(filter(None, (error.words, advice)))
            self._log_of(lane, turn).warning("call failed", reason=error.reason, meaning=meaning)

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
        if self.ready:
            self._walk.arrive()
            self._log.info(
                "every plant and device has been asked",
                plants=len(self._inventory.plants),
                devices=len(self._inventory.devices),
            )

    def _report(self) -> PollingStatus:
        return report(
            self._walk,
            self._session,
            logged_in=self._client.token is not None,
            login_failure=self._login_trouble,
            waiting=self.waiting,
            lack=self._inventory.lack,
            paused=self._gate.pause.until,
            now=self._clock.now(),
            epoch=epoch_of(self._clock),
        )

    def _missing(self) -> Iterable[str]:
        if self._session.refusal is not None:
            yield f"the credentials are refused ({self._session.refusal})"
        elif self._client.token is None:
            yield "not logged in"
        yield from self._walk.missing()
