"""All interfaces of an account as they are walked over its fleet."""

from collections.abc import Collection, Iterable, Mapping
from math import inf
from typing import Any

from exporter.northbound.interfaces import (
    DEVICE_LIST,
    EDITIONS,
    PLANT_LIST,
    Interface,
    Subject,
)
from exporter.polling.allowance import pace, quotas
from exporter.polling.inventory import Inventory
from exporter.polling.lane import Lane, Wish
from exporter.polling.ports import Sink


class Walk:
    """The lanes of an account, fitted to its fleet."""

    def __init__(self, wishes: Iterable[Wish], inventory: Inventory, sink: Sink, log: Any) -> None:
        self.lanes: Mapping[str, Lane] = {wish.interface.name: Lane(wish) for wish in wishes}
        self._inventory = inventory
        self._sink = sink
        self.log = log
        self._faster: tuple[str, ...] = ()

    def next(self, now: float) -> tuple[float, Lane | None]:
        """The lane whose call is due first, and when."""
        return min(
            ((lane.due(now), lane) for lane in self.lanes.values() if self._knows_enough(lane)),
            key=lambda candidate: candidate[0],
            default=(inf, None),
        )

    def _knows_enough(self, lane: Lane) -> bool:
        """Whether its batches can be cut: where devices count, they must have been listed."""
        devices = self.lanes.get(DEVICE_LIST.name)
        if lane.interface.heaviest is None or devices is None:
            return True
        return all(batch.called > -inf for batch in devices.ring.batches)

    def unpark(self) -> None:
        """Lets what was left alone take its turns again."""
        for lane in self.lanes.values():
            lane.unpark()

    def ask_failed_again(self, now: float) -> None:
        """Asks once more for all that failed, as it may have been the session's fault."""
        for lane in self.lanes.values():
            lane.ask_failed_again(now)

    @property
    def called(self) -> int:
        """How many interfaces have something to be asked about."""
        return sum(bool(lane.ring.batches) for lane in self.lanes.values())

    def doubted(self) -> set[str]:
        """Plants and devices over which a call failed last."""
        return {
            member
            for lane in self.lanes.values()
            for batch in lane.ring.batches
            for member in batch.doubted
        }

    def is_silent(self) -> bool:
        """Whether the last calls for values brought nothing about anybody.

        For values as of now; where nobody asks for those, for any.
        """
        asked = [(n, lane) for n, lane in self.lanes.items() if not lane.is_list]
        newest = [(n, lane) for n, lane in asked if lane.interface.realtime]
        return all(lane.silent.issuperset(self.members(name)) for name, lane in newest or asked)

    def reread(self, subject: Subject, now: float) -> None:
        """Reads the list of what was asked about at its next allowed call."""
        about = DEVICE_LIST if subject is Subject.DEVICES else PLANT_LIST
        if about.name in self.lanes:
            self.lanes[about.name].read_out_of_turn(now)

    def members(self, name: str) -> Collection[str]:
        """All that an interface is asked about."""
        ring = self.lanes[name].ring
        return {member for batch in ring.batches for member in batch.members}

    def fit(self) -> None:
        """Fits every lane to the fleet as now known, and tells the plan."""
        weights = self._inventory.weights()
        for name, lane in self.lanes.items():
            types = lane.interface.device_types
            wanted = self._inventory.wanted(lane.interface.subject, types)
            lane.fit(wanted, self._inventory.size(types), weights)
            self._sink.plan(name, pace=lane.pace, walk=lane.walk, max_age=lane.max_age)
        self._sink.fleet(self._inventory.plants, self._inventory.devices)
        self._tell_faster_edition()

    def missing(self) -> Iterable[str]:
        """What everybody still waits for: lists and values as of now, in words."""
        for lane in self.lanes.values():
            if not (lane.is_list or lane.interface.realtime):
                continue
            batches = lane.ring.batches
            waiting = sum(not batch.final for batch in batches)
            if waiting:
                yield f"{lane.interface.name}: {waiting} of {len(batches)} batches not answered yet"

    def arrive(self) -> None:
        """Everything was asked once: the lists are in no hurry any more."""
        for lane in self.lanes.values():
            lane.hurried = False

    def _tell_faster_edition(self) -> None:
        faster = tuple(
            name
            for name, lane in self.lanes.items()
            if lane.interface.realtime
            and lane.limits == EDITIONS["safe"](lane.interface)
            and lane.ring.walk(self._v6_pace(lane.interface), lane.every) < lane.walk
        )
        if faster and faster != self._faster:
            self.log.info(
                "an account created after June 2022 could be polled faster: limits: v6",
                interfaces=",".join(faster),
            )
        self._faster = faster

    def _v6_pace(self, interface: Interface) -> float:
        return pace(quotas(interface.v6, self._inventory.size(interface.device_types)))
