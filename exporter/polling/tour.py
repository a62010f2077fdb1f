"""The daemon's own way over an account's interfaces, gone once for a person."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog

from exporter.northbound.errors import CallError
from exporter.northbound.interfaces import DEVICE_LIST, PLANT_LIST, Interface
from exporter.northbound.records import Parsed
from exporter.polling.errand import Errand, NoSessionError, NotNowError
from exporter.polling.inquiries import AlarmTerms, Outcome, inquiries_of
from exporter.polling.lane import Turn, Wish
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
    """Asks what the daemon would ask, call by call; the sink is told what it would be told."""

    def __init__(
        self,
        errand: Errand,
        wishes: Iterable[Wish],
        *,
        sink: Sink,
        clock: Clock,
        alarms: AlarmTerms,
    ) -> None:
        self.inventory = errand.inventory
        self.walk = Walk(wishes, errand.inventory, sink, structlog.get_logger())
        self.walk.fit()
        self._errand = errand
        self._clock = clock
        self._inquiries = inquiries_of(self.walk, errand.inventory, sink, clock, alarms)

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
        inquiry = self._inquiries[interface.name]
        mended: list[CallError] = []
        while True:
            turn = Turn(batch, batch.take(self._clock.now()))
            try:
                parsed = self._call(interface, turn)
            except (CallError, NotNowError, NoSessionError) as error:
                if not (isinstance(error, CallError) and (outcome := inquiry.mends(turn, error))):
                    if mended:
                        raise error from mended[0]
                    raise
                mended.append(error)
                if outcome.again:
                    continue
                parsed = Parsed(())
            else:
                outcome = inquiry.take(turn, parsed)
            if outcome.refit:
                self.walk.fit()
            reasons = tuple(error.reason for error in mended)
            return Answer(turn.group.members, parsed, outcome, reasons)

    def _call(self, interface: Interface, turn: Turn) -> Parsed[Any]:
        path, body = self._inquiries[interface.name].request(turn)
        call = partial(
            self._errand.call, interface, body, path=path, device_type=turn.batch.device_type
        )
        return interface.answer(call, turn.group.members)

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
        """Reads plants and devices, if nothing is known of them, and writes them down."""
        if not self.inventory.devices:
            for interface in (PLANT_LIST, DEVICE_LIST):
                for _ in self.read(interface):
                    pass
            self._errand.keep_fleet()
