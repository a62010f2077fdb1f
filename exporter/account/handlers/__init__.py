"""How each kind of interface is asked, and what is made of its answers: one handler a kind."""

from collections.abc import Callable, Mapping
from typing import Any, assert_never

from exporter.account.fleet import Fleet
from exporter.account.handlers.alarms import AlarmFilter, AlarmsHandler, filters_of
from exporter.account.handlers.base import Handler
from exporter.account.handlers.lists import DeviceListHandler, PlantListHandler
from exporter.account.handlers.readings import (
    ConfigurationHandler,
    ReadingsHandler,
    StatisticsHandler,
    UpgradesHandler,
    rows_handler,
)
from exporter.account.model import AccountState
from exporter.account.schedule import Schedule
from exporter.clock import Clock
from exporter.northbound.interfaces import Content, Interface

__all__ = ["AlarmFilter", "filters_of", "handlers_of"]

# The handlers of values that need nothing but the state.
_OF_VALUES: Mapping[Content, Callable[[Interface, AccountState, Clock], Handler]] = {
    Content.READINGS: ReadingsHandler,
    Content.STATISTICS: StatisticsHandler,
    Content.CONFIGURATION: ConfigurationHandler,
    Content.UPGRADES: UpgradesHandler,
}


def handlers_of(  # noqa: PLR0913  # what all of them need together
    state: AccountState,
    fleet: Fleet,
    schedule: Schedule,
    clock: Clock,
    *,
    alarms: AlarmFilter,
    log: Any,
) -> Mapping[str, Handler]:
    """The handler of each interface that is polled, by name."""
    known = {"fleet": fleet, "log": log}
    lists = known | {"schedule": schedule}
    made: dict[str, Handler] = {}
    for name, each in schedule.interfaces.items():
        interface = each.interface
        match interface.content:
            case Content.PLANTS:
                made[name] = PlantListHandler(interface, state, clock, **lists)
            case Content.DEVICES:
                made[name] = DeviceListHandler(interface, state, clock, **lists)
            case Content.ROWS:
                made[name] = rows_handler(interface, state, clock, schedule=each, **known)
            case Content.ALARMS:
                made[name] = AlarmsHandler(interface, state, clock, alarms, log)
            case (
                Content.READINGS | Content.STATISTICS | Content.CONFIGURATION | Content.UPGRADES
            ) as content:
                made[name] = _OF_VALUES[content](interface, state, clock)
            case Content.NOTHING:
                continue  # the login, which is never planned
            case missed:
                assert_never(missed)
    return made
