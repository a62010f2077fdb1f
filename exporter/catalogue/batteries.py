"""Batteries (39; reference 3.6), and the energy storage (41) of newer servers.

Six of the keys are documented for type 41. It has all of them here: one not sent is just absent.
`battery_soh` has no unit in the reference, and is a percentage.
"""

from exporter.catalogue.lines import expand, gauge, stateset
from exporter.northbound.codes import BATTERY_MODES, BATTERY_STATES, RUN_STATES

ALL = (39, 41)

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

ROWS = expand("battery", {"getDevRealKpi": KPIS})
