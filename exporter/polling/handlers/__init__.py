"""How each kind of interface is asked, and what is made of its answers: one handler a kind."""

from collections.abc import Mapping
from typing import assert_never

from exporter.northbound.interfaces import Content
from exporter.polling.handlers.alarms import AlarmsHandler, AlarmTerms
from exporter.polling.handlers.base import Handler, Outcome
from exporter.polling.handlers.lists import DeviceListHandler, PlantListHandler
from exporter.polling.handlers.readings import (
    ReadingsHandler,
    RowsHandler,
    StatisticsHandler,
    UpgradesHandler,
)
from exporter.polling.inventory import Inventory
from exporter.polling.ports import Clock, Sink
from exporter.polling.walk import Walk

__all__ = ["AlarmTerms", "Handler", "Outcome", "handlers_of"]


def handlers_of(
    walk: Walk, inventory: Inventory, sink: Sink, clock: Clock, alarms: AlarmTerms
) -> Mapping[str, Handler]:
    """The handler of each interface that is walked, by name."""
    made: dict[str, Handler] = {}
    for name, lane in walk.lanes.items():
        interface = lane.interface
        match interface.content:
            case Content.PLANTS:
                made[name] = PlantListHandler(interface, sink, clock, inventory, walk)
            case Content.DEVICES:
                made[name] = DeviceListHandler(interface, sink, clock, inventory, walk)
            case Content.ROWS:
                made[name] = RowsHandler(interface, sink, clock, lane)
            case Content.STATISTICS:
                made[name] = StatisticsHandler(interface, sink, clock)
            case Content.ALARMS:
                made[name] = AlarmsHandler(interface, sink, clock, alarms, walk.log)
            case Content.UPGRADES:
                made[name] = UpgradesHandler(interface, sink, clock)
            case Content.READINGS:
                made[name] = ReadingsHandler(interface, sink, clock)
            case Content.NOTHING:
                continue  # the login, which has no turns
            case missed:
                assert_never(missed)
    return made
