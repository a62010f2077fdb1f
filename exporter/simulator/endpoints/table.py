"""The table of all endpoints, by the name of the interface."""

from collections.abc import Callable, Mapping
from typing import Any

from exporter.simulator.endpoints.alarms import alarm_list
from exporter.simulator.endpoints.configuration import battery_mode, export_limit
from exporter.simulator.endpoints.five_minutes import five_minutes
from exporter.simulator.endpoints.lists import device_list, plant_list, plant_pages
from exporter.simulator.endpoints.realtime import device_values, plant_values
from exporter.simulator.endpoints.registration import registrations
from exporter.simulator.endpoints.request import Parameters, View
from exporter.simulator.endpoints.statistics import device_statistics, plant_statistics
from exporter.simulator.endpoints.upgrades import order_upgrades, upgrade_records

Endpoint = Callable[[View, Parameters], Any]

# What servers of edition 26 have besides.
ADDED: Mapping[str, Endpoint] = {
    "active-power-control-mode": export_limit,
    "battery-mode": battery_mode,
}
ENDPOINTS: Mapping[str, Endpoint] = {
    "getStationList": plant_list,
    "stations": plant_pages,
    "getStationRealKpi": plant_values,
    **{f"getKpiStation{name}": plant_statistics(name) for name in ("Hour", "Day", "Month", "Year")},
    "getDevList": device_list,
    "getDevRealKpi": device_values,
    "getDevFiveMinutes": five_minutes,
    **{f"getDevKpi{name}": device_statistics(name) for name in ("Day", "Month", "Year")},
    "devUpgrade": order_upgrades,
    "getDevUpgradeInfo": upgrade_records,
    "getAlarmList": alarm_list,
    "snIsRegister": registrations,
    **ADDED,
}
