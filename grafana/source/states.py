"""What codes are called and how they are coloured; the names are the exporter's own."""

from collections.abc import Mapping

from grafana_foundation_sdk.models.dashboard import ValueMap, ValueMapping, ValueMappingResult

from exporter.northbound import enums

# By the first beginning of a name that fits. What fits none is a rare, harmless state.
_COLORS = (
    ("grid_connected_", "yellow"),
    ("grid_connected", "green"),
    ("grid_schedule", "green"),
    ("standby_no_sunlight", "dark-blue"),
    ("standby", "light-blue"),
    ("startup", "light-green"),
    ("shutdown_unexpected", "red"),
    ("shutdown", "orange"),
    ("communication_disconnected", "purple"),
    ("disconnected", "purple"),
    ("offline", "purple"),
    ("faulty", "red"),
    ("healthy", "green"),
    ("normal", "green"),
    ("running", "green"),
    ("available", "green"),
    ("unavailable", "red"),
    ("stopped", "blue"),
    ("charging", "green"),
    ("float_charging", "light-green"),
    ("boost_charging", "semi-dark-green"),
    ("discharging", "yellow"),
    ("power_off", "orange"),
    ("answering", "green"),
    ("permitted", "green"),
    ("silent", "red"),
    ("refused", "red"),
    ("hibernating", "dark-blue"),
    ("maximum_self_consumption", "green"),
    ("time_of_use", "blue"),
    ("fixed_charge", "purple"),
    ("forced_charge", "orange"),
    ("active", "orange"),
    ("acknowledged", "blue"),
    ("being_handled", "blue"),
)
_EXACTLY = {"on": "green", "off": "dark-blue"}
_OTHERWISE = "light-yellow"

INVERTER = enums.INVERTER_STATES
PLANT_HEALTH = enums.PLANT_HEALTH_STATES
METER = enums.METER_STATES
BATTERY = enums.BATTERY_STATES
BATTERY_MODE = enums.BATTERY_MODES
MAINS = enums.MAINS_STATES
GENSET = enums.GENSET_STATES
RACK = enums.RACK_STATES
SOLAR_SUPPLY = enums.SOLAR_SUPPLY_STATES
ALARM = enums.ALARM_STATUSES
ANSWERS: Mapping[int, str] = {0: "silent", 1: "answering"}
PERMISSION: Mapping[int, str] = {0: "refused", 1: "permitted"}

SEVERITY_COLORS = {
    "critical": "dark-red",
    "major": "red",
    "minor": "orange",
    "warning": "yellow",
    "unknown": "purple",
}
SEVERITIES = tuple(enums.ALARM_SEVERITIES.values())


def text(name: str) -> str:
    """A state's name for people."""
    return name.replace("_", " ")


def color(name: str) -> str:
    """A state's colour in Grafana's palette."""
    fitting = (color for start, color in _COLORS if name.startswith(start))
    return _EXACTLY.get(name) or next(fitting, _OTHERWISE)


def mapping(states: Mapping[int, str]) -> list[ValueMapping]:
    """Codes shown as names. One without a name stays a number."""
    return [
        ValueMap(
            {
                str(code): ValueMappingResult(text=text(name), color=color(name), index=index)
                for index, (code, name) in enumerate(states.items())
            }
        )
    ]
