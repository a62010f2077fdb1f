"""All interfaces that an account polls, and which of them is called next."""

from collections.abc import Iterable, Mapping
from math import inf
from typing import Any

from exporter.account.fleet import Fleet
from exporter.account.interface_schedule import InterfaceSchedule
from exporter.account.quotas import pace, quotas
from exporter.northbound.interfaces import (
    DEVICE_LIST,
    EDITIONS,
    PLANT_LIST,
    Interface,
    Subject,
)


class Schedule:
    """The schedules of all interfaces that an account polls."""

    def __init__(self, schedules: Iterable[InterfaceSchedule], fleet: Fleet, log: Any) -> None:
        self.interfaces: Mapping[str, InterfaceSchedule] = {
            each.interface.name: each for each in schedules
        }
        self._fleet = fleet
        self._log = log
        self._faster: tuple[str, ...] = ()

    def fit(self) -> None:
        """Fits batches and quotas to the fleet as now known."""
        weights = self._fleet.weights()
        for each in self.interfaces.values():
            types = each.interface.device_types
            wanted = self._fleet.wanted(each.interface.subject, types, by_dn=each.interface.by_dn)
            each.fit(wanted, self._fleet.size(types), weights)
        self._log_faster_edition()

    def next(self, now: float) -> tuple[float, InterfaceSchedule | None]:
        """The interface whose call is due first, and when."""
        return min(
            ((each.due(now), each) for each in self.interfaces.values() if self._is_ready(each)),
            key=lambda candidate: candidate[0],
            default=(inf, None),
        )

    def _is_ready(self, schedule: InterfaceSchedule) -> bool:
        """Whether its batches can be cut: where devices count, they must have been listed."""
        devices = self.interfaces.get(DEVICE_LIST.name)
        if schedule.rotation.max_weight == inf or devices is None:
            return True
        return all(batch.progress.called > -inf for batch in devices.rotation.batches)

    @property
    def called(self) -> int:
        """How many interfaces have something to be asked about."""
        return sum(bool(each.rotation.batches) for each in self.interfaces.values())

    def suspects(self) -> set[str]:
        """Plants and devices over which a call failed last."""
        return {
            member
            for each in self.interfaces.values()
            for batch in each.rotation.batches
            for member in batch.suspects
        }

    def is_unanswered(self) -> bool:
        """Whether the last calls for values brought nothing about anybody.

        For values as of now; where nobody asks for those, for any.
        """
        asked = [each for each in self.interfaces.values() if not each.is_list]
        newest = [each for each in asked if each.interface.realtime]
        return all(each.unanswered.issuperset(each.members) for each in newest or asked)

    def reread(self, subject: Subject, now: float) -> None:
        """Reads the list of what was asked about at its next allowed call."""
        about = DEVICE_LIST if subject is Subject.DEVICES else PLANT_LIST
        if about.name in self.interfaces:
            self.interfaces[about.name].read_out_of_turn(now)

    def missing(self) -> Iterable[str]:
        """What readiness still waits for: lists and real-time values, in words."""
        for each in self.interfaces.values():
            if not (each.is_list or each.interface.realtime):
                continue
            batches = each.rotation.batches
            waiting = sum(not batch.progress.final for batch in batches)
            if waiting:
                yield f"{each.interface.name}: {waiting} of {len(batches)} batches not answered yet"

    def end_first_round(self) -> None:
        """Everything was asked once: the lists are no longer urgent."""
        for each in self.interfaces.values():
            each.is_urgent = False

    def _log_faster_edition(self) -> None:
        """Says once, until it changes, that the newer edition's limits would be faster."""
        faster = tuple(
            name
            for name, each in self.interfaces.items()
            if each.interface.realtime
            and each.limits == EDITIONS["safe"](each.interface)
            and each.rotation.duration(self._v6_pace(each.interface), each.every) < each.duration
        )
        if faster and faster != self._faster:
            self._log.info(
                "an account created after June 2022 could be polled faster: limits: v6",
                interfaces=",".join(faster),
            )
        self._faster = faster

    def _v6_pace(self, interface: Interface) -> float:
        return pace(quotas(interface.v6, self._fleet.size(interface.device_types)))
