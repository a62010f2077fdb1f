"""The lists of plants and devices: what an account has to ask about."""

from collections.abc import Callable, Collection, Mapping
from math import inf
from typing import Any

from exporter.northbound.errors import CallError
from exporter.northbound.interfaces import Interface
from exporter.northbound.records import Parsed
from exporter.polling.eras import epoch_of
from exporter.polling.handlers.base import DefaultHandler, Outcome, Request
from exporter.polling.inventory import Inventory
from exporter.polling.lane import Turn
from exporter.polling.pages import Listed, PlantPages, missing_from
from exporter.polling.ports import Clock, Sink
from exporter.polling.tolerance import Gaps
from exporter.polling.walk import Walk

PLANT_LIST_FORM = "plant list form"  # the kind under which it is written down

EMPTY_LISTS = 3  # in a row, before they are believed


class ListHandler(DefaultHandler):
    """A list of the fleet."""

    def __init__(
        self, interface: Interface, sink: Sink, clock: Clock, inventory: Inventory, walk: Walk
    ) -> None:
        super().__init__(interface, sink, clock)
        self._inventory = inventory
        self._walk = walk
        self._log = walk.log.bind(interface=interface.name)
        self._missing: dict[tuple[str, ...], int | None] = {}  # by who was asked about

    def _tell_missing(self, turn: Turn, missing: int | None) -> None:
        """Says that a list is not whole, once until that changes."""
        members = turn.group.members
        if missing == self._missing.get(members, 0):
            return
        self._missing[members] = missing
        if missing == 0:
            del self._missing[members]
            self._log.info("the list is whole again")
            return
        self._log.warning(
            "the list gave fewer items than it counts; whatever it left out is kept",
            missing="unknown" if missing is None else missing,
        )


class PlantListHandler(ListHandler):
    """The list of plants, whole or page by page."""

    def __init__(
        self, interface: Interface, sink: Sink, clock: Clock, inventory: Inventory, walk: Walk
    ) -> None:
        super().__init__(interface, sink, clock, inventory, walk)
        self._pages = PlantPages()
        self._empty = 0  # lists in a row, while nothing answered about the plants
        self._empty_since = inf
        self._was_empty = False
        self._lack = ""

    def request(self, turn: Turn) -> Request:  # noqa: ARG002  # because it is asked about nothing
        return self._pages.request(self._clock.now())

    def apply(self, turn: Turn, parsed: Parsed[Any]) -> Outcome:
        self._inventory.add_plants(parsed.records)
        listed = self._pages.take(parsed, self._clock.now())
        return Outcome(again=True, refit=True) if listed is None else self._end(turn, listed)

    def _end(self, turn: Turn, listed: Listed) -> Outcome:
        if listed.missing == 0:
            self._end_whole(listed.codes)
        self._tell_missing(turn, listed.missing)
        return Outcome(refit=True, missing=listed.missing)

    def _end_whole(self, codes: Collection[str]) -> None:
        silent = self._walk.is_silent()
        gone = self._inventory.end_plant_list(
            codes,
            self._walk.doubted(),
            silent=silent,
            believed=bool(codes) or self._is_withdrawn(silent=silent),
        )
        if codes:
            self._empty = 0
        self._tell_change(codes, gone)

    def _is_withdrawn(self, *, silent: bool) -> bool:
        """Whether an empty list is to be believed.

        Servers give one now and then. It is if several agree, over a round at least, while nothing
        answers about the plants either.
        """
        now, lane = self._clock.now(), self._walk.lanes[self._interface.name]
        self._empty = self._empty + 1 if silent else 0
        if self._empty == 1:
            self._empty_since = now
        lasted = now - self._empty_since >= max(lane.every, lane.pace)
        return self._empty >= EMPTY_LISTS and lasted

    def _tell_change(self, codes: Collection[str], gone: Collection[str]) -> None:
        left = len(self._inventory.plants)
        if gone:
            self._log.warning("plants are gone from the list", plants=len(gone), left=left)
        elif left and not codes and not self._was_empty:
            self._log.warning("the plant list came back empty; those known are kept", plants=left)
        self._was_empty = not codes
        if self._inventory.lack not in ("", self._lack):
            self._log.warning("there is nothing to export", reason=self._inventory.lack)
        self._lack = self._inventory.lack

    def recover(self, turn: Turn, error: CallError) -> Outcome | None:
        step = self._pages.refused(error, self._clock.now())
        if isinstance(step, Listed):
            return self._end(turn, step)
        return Outcome(again=True) if step else None

    def changes(self) -> Mapping[tuple[str, str], Any]:
        return {(PLANT_LIST_FORM, ""): self._pages.remember(epoch_of(self._clock))}

    def recall(self, read: Callable[[str], Mapping[str, Any]], gaps: Gaps) -> None:
        stored = read(PLANT_LIST_FORM).get("")
        if stored is not None:
            epoch, now = epoch_of(self._clock), self._clock.now()
            gaps.attempt(PLANT_LIST_FORM, self._pages.recall, stored, epoch, now)


class DeviceListHandler(ListHandler):
    """The devices of plants."""

    def apply(self, turn: Turn, parsed: Parsed[Any]) -> Outcome:
        members, missing = turn.group.members, missing_from(parsed)
        self._inventory.take_devices(
            members, parsed.records, self._walk.doubted(), whole=missing == 0
        )
        self._tell_missing(turn, missing)
        return Outcome(refit=True, missing=missing)
