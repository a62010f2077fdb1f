"""The table of all endpoints, by the name of the interface."""

from collections.abc import Callable, Mapping
from typing import Any

from exporter.simulator.endpoints.alarms import alarm_list
from exporter.simulator.endpoints.configuration import battery_mode, export_limit
from exporter.simulator.endpoints.five_minutes import five_minutes
from exporter.simulator.endpoints.history import device_histories, device_history
from exporter.simulator.endpoints.lists import device_list, plant_list, plant_pages
from exporter.simulator.endpoints.realtime import device_values, plant_values
from exporter.simulator.endpoints.registration import registrations
from exporter.simulator.endpoints.request import Parameters, View
from exporter.simulator.endpoints.statistics import device_statistics, plant_statistics
from exporter.simulator.endpoints.upgrades import order_upgrades, upgrade_records

Endpoint = Callable[[View, Parameters], Any]

ENDPOINTS: Mapping[str, Endpoint] = {
    "getStationList": plant_list,
    "stations": plant_pages,
    "getStationRealKpi": plant_values,
    **{f"getKpiStation{name}": plant_statistics(name) for name in ("Hour", "Day", "Month", "Year")},
    "getDevList": device_list,
    "getDevRealKpi": device_values,
    "getDevFiveMinutes": five_minutes,
    "getDevHistoryKpi": device_histories,
    "device/history": device_history,
    **{f"getDevKpi{name}": device_statistics(name) for name in ("Day", "Month", "Year")},
    "devUpgrade": order_upgrades,
    "getDevUpgradeInfo": upgrade_records,
    "getAlarmList": alarm_list,
    "snIsRegister": registrations,
    "active-power-control-mode": export_limit,
    "battery-mode": battery_mode,
}
# The first edition of what was not there from the beginning.
SINCE: Mapping[str, str] = {
    "getDevHistoryKpi": "2022",
    **dict.fromkeys(("device/history", "active-power-control-mode", "battery-mode"), "26"),
}
# The last edition of whose accounts may call what others may not any more.
UNTIL: Mapping[str, str] = {"getDevFiveMinutes": "2020"}
