"""The lists of plants and devices: what an account has to ask about."""

from collections.abc import Collection
from math import inf
from typing import Any

from exporter.account.changes import Changes
from exporter.account.fleet import Fleet
from exporter.account.handlers.base import Handler, Outcome, Request
from exporter.account.interface_schedule import PlannedCall
from exporter.account.model import AccountState
from exporter.account.plant_pages import ListEnd, PlantPages, missing_from
from exporter.account.schedule import Schedule
from exporter.clock import Clock
from exporter.northbound.errors import CallError
from exporter.northbound.interfaces import Interface
from exporter.northbound.records import Device, Parsed, Plant

EMPTY_LISTS = 3  # in a row, before they are accepted


class ListHandler(Handler):
    """A list of the fleet."""

    def __init__(  # noqa: PLR0913  # what it changes, and what it decides by
        self,
        interface: Interface,
        state: AccountState,
        clock: Clock,
        *,
        fleet: Fleet,
        schedule: Schedule,
        log: Any,
    ) -> None:
        super().__init__(interface, state, clock)
        self._fleet = fleet
        self._schedule = schedule
        self._log = log.bind(interface=interface.name)
        self._missing: dict[tuple[str, ...], int | None] = {}  # by who was asked about

    def _log_missing(self, planned: PlannedCall, missing: int | None) -> None:
        """Says that a list is not whole, once until that changes."""
        members = planned.members
        if missing == self._missing.get(members, 0):
            return
        self._missing[members] = missing
        if missing == 0:
            del self._missing[members]
            self._log.info("the list is complete again")
            return
        self._log.warning(
            "the list gave fewer items than it counts; whatever it left out is kept",
            missing="unknown" if missing is None else missing,
        )


class PlantListHandler(ListHandler):
    """The list of plants, whole or page by page."""

    def __init__(  # noqa: PLR0913  # as above
        self,
        interface: Interface,
        state: AccountState,
        clock: Clock,
        *,
        fleet: Fleet,
        schedule: Schedule,
        log: Any,
    ) -> None:
        super().__init__(interface, state, clock, fleet=fleet, schedule=schedule, log=log)
        self._pages = PlantPages(state.plant_list)
        self._empty = 0  # lists in a row, while nothing answered about the plants
        self._empty_since = inf
        self._was_empty = False
        self._no_data_reason = ""

    def request(self, planned: PlannedCall) -> Request:  # noqa: ARG002  # because it is asked about nothing
        return self._pages.request(self._clock.now())

    def apply(self, planned: PlannedCall, parsed: Parsed[Plant], changes: Changes) -> Outcome:  # noqa: ARG002  # the fleet's are found later
        self._fleet.add_plants(parsed.records)
        end = self._pages.apply(parsed, self._clock.now())
        return Outcome(again=True, refit=True) if end is None else self._end(planned, end)

    def _end(self, planned: PlannedCall, end: ListEnd) -> Outcome:
        self._state.plant_lists.changed.add("")
        if end.missing == 0:
            self._end_whole(end.codes)
        self._log_missing(planned, end.missing)
        return Outcome(refit=True, missing=end.missing)

    def _end_whole(self, codes: Collection[str]) -> None:
        unanswered = self._schedule.is_unanswered()
        gone = self._fleet.end_plant_list(
            codes,
            self._schedule.suspects(),
            unanswered=unanswered,
            accepted=bool(codes) or self._is_withdrawn(unanswered=unanswered),
        )
        if codes:
            self._empty = 0
        self._log_change(codes, gone)

    def _is_withdrawn(self, *, unanswered: bool) -> bool:
        """Whether an empty list is to be accepted.

        Servers give one now and then. It is if several agree, over a round at least, while nothing
        answers about the plants either.
        """
        now, schedule = self._clock.now(), self._schedule.interfaces[self._interface.name]
        self._empty = self._empty + 1 if unanswered else 0
        if self._empty == 1:
            self._empty_since = now
        lasted = now - self._empty_since >= max(schedule.every, schedule.pace)
        return self._empty >= EMPTY_LISTS and lasted

    def _log_change(self, codes: Collection[str], gone: Collection[str]) -> None:
        left = len(self._fleet.plants)
        if gone:
            self._log.warning("plants are gone from the list", plants=len(gone), left=left)
        elif left and not codes and not self._was_empty:
            self._log.warning("the plant list came back empty; those known are kept", plants=left)
        self._was_empty = not codes
        if self._fleet.no_data_reason not in ("", self._no_data_reason):
            self._log.warning("there is nothing to export", reason=self._fleet.no_data_reason)
        self._no_data_reason = self._fleet.no_data_reason

    def recover(self, planned: PlannedCall, error: CallError) -> Outcome | None:
        step = self._pages.refused(error, self._clock.now())
        if isinstance(step, ListEnd):
            return self._end(planned, step)
        return Outcome(again=True) if step else None


class DeviceListHandler(ListHandler):
    """The devices of plants."""

    def apply(self, planned: PlannedCall, parsed: Parsed[Device], changes: Changes) -> Outcome:  # noqa: ARG002  # as above
        missing = missing_from(parsed)
        self._fleet.list_devices(
            planned.members, parsed.records, self._schedule.suspects(), whole=missing == 0
        )
        self._log_missing(planned, missing)
        return Outcome(refit=True, missing=missing)
