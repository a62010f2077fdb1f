"""How each kind of interface is asked, and what is made of its answers: one handler a kind."""

from collections.abc import Mapping
from typing import Any, assert_never

from exporter.account.fleet import Fleet
from exporter.account.handlers.alarms import AlarmFilter, AlarmsHandler, filters_of
from exporter.account.handlers.base import Handler
from exporter.account.handlers.lists import DeviceListHandler, PlantListHandler
from exporter.account.handlers.readings import (
    ConfigurationHandler,
    HistoryHandler,
    ReadingsHandler,
    RowsHandler,
    StatisticsHandler,
    UpgradesHandler,
)
from exporter.account.model import AccountState
from exporter.account.schedule import Schedule
from exporter.clock import Clock
from exporter.northbound.interfaces import Content

__all__ = ["AlarmFilter", "filters_of", "handlers_of"]


def handlers_of(  # noqa: C901, PLR0913  # a case a kind, and what all of them need
    state: AccountState,
    fleet: Fleet,
    schedule: Schedule,
    clock: Clock,
    *,
    alarms: AlarmFilter,
    log: Any,
) -> Mapping[str, Handler]:
    """The handler of each interface that is polled, by name."""
    lists = {"fleet": fleet, "schedule": schedule, "log": log}
    made: dict[str, Handler] = {}
    for name, each in schedule.interfaces.items():
        common = (each.interface, state, clock)
        match each.interface.content:
            case Content.PLANTS:
                made[name] = PlantListHandler(*common, **lists)
            case Content.DEVICES:
                made[name] = DeviceListHandler(*common, **lists)
            case Content.READINGS:
                made[name] = ReadingsHandler(*common)
            case Content.ROWS if each.interface.by_dn:
                made[name] = HistoryHandler(*common, each, fleet=fleet, log=log)
            case Content.ROWS:
                made[name] = RowsHandler(*common, each)
            case Content.STATISTICS:
                made[name] = StatisticsHandler(*common)
            case Content.ALARMS:
                made[name] = AlarmsHandler(*common, alarms, log)
            case Content.CONFIGURATION:
                made[name] = ConfigurationHandler(*common)
            case Content.UPGRADES:
                made[name] = UpgradesHandler(*common)
            case Content.NOTHING:
                continue  # the login, which is never planned
            case missed:
                assert_never(missed)
    return made
