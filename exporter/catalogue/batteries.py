"""Batteries (39; reference 3.6-3.10), and the energy storage (41) of newer servers.

Six of the keys are documented for type 41. It has all of them here: one not sent is just absent.
It has no statistics.
`battery_soh` has no unit in the reference, and is a percentage.
"""

from exporter.catalogue.tables import SubjectTables, device_tables, each, gauge, stateset
from exporter.northbound.enums import BATTERY_MODES, BATTERY_STATES, RUN_STATES

ALL = (39, 41)

BATTERY = (39,)

KPIS = (
    stateset("battery_status", ALL, "status", BATTERY_STATES, "Operating state of a battery"),
    stateset("ch_discharge_model", ALL, "mode", BATTERY_MODES, "Rule by which a battery works"),
    stateset("run_state", ALL, "run_state", RUN_STATES, "Connection of a battery"),

    gauge("ch_discharge_power", "W", ALL, "power_watts",
          "Power of a battery, positive while it charges"),
    gauge("max_charge_power",    "W", ALL, "max_charge_power_watts",    "Charging power limit"),
    gauge("max_discharge_power", "W", ALL, "max_discharge_power_watts", "Discharging power limit"),
    gauge("busbar_u",            "V", ALL, "voltage_volts",             "Voltage of a battery"),

    gauge("battery_soc", "%", ALL, "state_of_charge_ratio", "State of charge"),
    gauge("battery_soh", "%", ALL, "state_of_health_ratio", "State of health"),

    gauge("charge_cap",    "kWh", ALL, "day_charge_energy_joules",    "Energy charged today"),
    gauge("discharge_cap", "kWh", ALL, "day_discharge_energy_joules", "Energy discharged today"),
)  # fmt: skip

STATISTICS = (
    gauge("collectTime", "ms", BATTERY, "period_start_timestamp_seconds", "When the period began"),

    gauge("charge_cap",     "kWh", BATTERY, "period_charge_energy_joules",
          "Energy charged during the period"),
    gauge("discharge_cap",  "kWh", BATTERY, "period_discharge_energy_joules",
          "Energy discharged during the period"),
    gauge("charge_time",    "h",   BATTERY, "period_charge_seconds",
          "How long a battery charged during the period"),
    gauge("discharge_time", "h",   BATTERY, "period_discharge_seconds",
          "How long a battery discharged during the period"),
)  # fmt: skip

SUBJECT = SubjectTables("battery", "Batteries", {
    **device_tables(KPIS),
    "getDevKpiDay": each("day", STATISTICS),
    "getDevKpiMonth": each("month", STATISTICS),
    "getDevKpiYear": each("year", STATISTICS),
})  # fmt: skip
