"""The daemon's own way over an account's interfaces, gone once for a person."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog

from exporter.northbound.errors import CallError, Reaction
from exporter.northbound.interfaces import DEVICE_LIST, PLANT_LIST, Interface
from exporter.northbound.records import Parsed
from exporter.polling.errand import Errand, NoSessionError, NotNowError
from exporter.polling.handlers import AlarmTerms, Outcome, handlers_of
from exporter.polling.lane import Lane, Turn, Wish
from exporter.polling.ports import Clock, Sink
from exporter.polling.rounds import Batch
from exporter.polling.walk import Walk


@dataclass(frozen=True, slots=True)
class Answer:
    """What an answer brought: records, about whom nothing, and whether the list goes on.

    `mended` are the reasons of refusals after which it was asked in another way.
    """

    asked: Collection[str]
    parsed: Parsed[Any]
    outcome: Outcome
    mended: tuple[str, ...] = ()


class Tour:
    """Asks what the daemon would ask, call by call; the sink is told what it would be told.

    Unless a daemon is at work, it begins with what the last one knew, and all that is learnt is
    written down as a daemon does it: one that starts afterwards goes on from there.
    """

    def __init__(
        self,
        errand: Errand,
        wishes: Iterable[Wish],
        *,
        sink: Sink,
        clock: Clock,
        alarms: AlarmTerms,
    ) -> None:
        log = structlog.get_logger()
        self.inventory = errand.inventory
        walked = (wish for wish in wishes if wish.interface.walked)  # not the login
        self.walk = Walk(walked, errand.inventory, sink, log)
        self._errand = errand
        self._sink = sink
        self._clock = clock
        self._handlers = handlers_of(self.walk, errand.inventory, sink, clock, alarms)
        self._notebook = errand.notebook(self.walk, self._handlers, sink, log)
        if self._notebook:
            self._notebook.recall_knowledge()
        else:
            self.walk.fit()

    def batches(self, interface: Interface) -> list[Batch]:
        """What an interface has to be asked about, as far as the fleet is known."""
        lane = self.walk.lanes.get(interface.name)
        return list(lane.ring.batches) if lane else []

    def ask(self, interface: Interface, batch: Batch) -> Answer:
        """Makes one call, and those that mend it.

        Raises:
            NotNowError, NoSessionError, CallError: As Errand.call. If it was asked in another way
                by then, the refusal that led there is the cause.
        """
        lane = self.walk.lanes[interface.name]
        mended: list[CallError] = []
        while True:
            turn, before = self._turn(lane, batch)
            try:
                parsed = self._call(interface, turn)
            except (NotNowError, NoSessionError) as error:
                turn.group.called = batch.called = before
                if mended:
                    raise error from mended[0]
                raise
            except CallError as error:
                outcome = self._failed(lane, turn, error)
                if outcome is None:
                    if mended:
                        raise error from mended[0]
                    raise
                mended.append(error)
                if outcome.again:
                    continue
                parsed = Parsed(())
            else:
                outcome = self._answered(lane, turn, parsed)
            reasons = tuple(error.reason for error in mended)
            return Answer(turn.group.members, parsed, outcome, reasons)

    def _turn(self, lane: Lane, batch: Batch) -> tuple[Turn, float]:
        """A turn of a batch, whose call is counted apart, and when it was called before."""
        now, before = self._clock.now(), batch.called
        if lane.ring.pending() is None and now >= lane.ring.round_start + lane.every:
            lane.ring.start_round(now)
        return Turn(batch, batch.take(now)), before

    def _call(self, interface: Interface, turn: Turn) -> Parsed[Any]:
        path, body = self._handlers[interface.name].request(turn)
        call = partial(
            self._errand.call, interface, body, path=path, device_type=turn.batch.device_type
        )
        return interface.answer(call, turn.group.members)

    def _answered(self, lane: Lane, turn: Turn, parsed: Parsed[Any]) -> Outcome:
        interface = lane.interface
        # How long it took is shown nowhere: only that it succeeded, and when.
        self._sink.request(interface.name, 0.0, None)
        self._sink.permitted(interface.name, permitted=True)
        outcome = self._handlers[interface.name].apply(turn, parsed)
        lane.answered(turn, set(outcome.silent))
        if outcome.again:
            lane.ask_again(turn.batch)
        if outcome.refit:
            self._refit()
        self._write(lane)
        return outcome

    def _failed(self, lane: Lane, turn: Turn, error: CallError) -> Outcome | None:
        """Reacts to a failure; returns what it means where it is none."""
        now, mended = self._clock.now(), self._handlers[lane.interface.name].recover(turn, error)
        if mended is not None:
            if mended.again:
                lane.ask_again(turn.batch)
            if mended.refit:
                self._refit()
            self._write(lane)
            return mended
        if error.reason == "401":
            self._sink.permitted(lane.interface.name, permitted=False)
        # The errand has logged in again already, where that could help.
        lost = error.reaction is Reaction.LOG_IN
        reaction = Reaction.NEXT_TURN if lost else error.reaction
        if lane.failed(turn, error, reaction, now):
            self.walk.reread(lane.interface.subject, now)
        if reaction is Reaction.SPLIT:
            self._refit()
        if reaction is not Reaction.PAUSE:
            lane.hold(now, error.retry_after)
        self._write(lane)
        return None

    def _refit(self) -> None:
        self.walk.fit()
        for name, handler in self._handlers.items():
            handler.retain_only(self.walk.members(name))
        if self._notebook:
            self._notebook.fleet_changed()

    def _write(self, lane: Lane) -> None:
        if self._notebook:
            self._notebook.call_ended(lane)

    def read(self, interface: Interface) -> Iterator[Answer]:
        """Reads a list to its end, answer by answer.

        Raises:
            NotNowError, NoSessionError, CallError: As Errand.call.
        """
        for batch in self.batches(interface):
            answer = self.ask(interface, batch)
            yield answer
            while answer.outcome.again:
                answer = self.ask(interface, batch)
                yield answer

    def read_fleet(self) -> None:
        """Reads plants and devices, if nothing is known of them."""
        if not self.inventory.devices:
            for interface in (PLANT_LIST, DEVICE_LIST):
                for _ in self.read(interface):
                    pass
