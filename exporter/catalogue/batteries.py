"""Batteries (39; reference 3.6-3.10), and the energy storage (41) of newer servers.

Six of the keys are documented for type 41. It has all of them here: one not sent is just absent.
Its statistics lack the times.
`battery_soh` has no unit in the reference, and is a percentage; 0 says that it is not reported.

Newer servers tell of the modules in `battery_unit_info`: of each stack its modules, or its only
one, `{"unit1": [{"sn": …, "soh": "95.0%"}, …], "unit2": {"sn": …, "soh": …}}`.
"""

from exporter.catalogue.tables import (
    Label,
    SubjectTables,
    device_tables,
    each,
    gauge,
    info,
    stateset,
)
from exporter.northbound.enums import BATTERY_MODES, BATTERY_STATES, RUN_STATES

ALL = (39, 41)

BATTERY = (39,)

# Stacks and the modules in each, with room for those to come.
STACKS, DEPTH = range(1, 5), range(1, 9)
_PLACES = {f"unit{unit}.{module}": (str(unit), str(module)) for unit in STACKS for module in DEPTH}
_ONLY_ONES = {f"unit{unit}": (str(unit), "1") for unit in STACKS}
MODULES, ONLY_MODULES = (Label(("unit", "module"), places) for places in (_PLACES, _ONLY_ONES))
SERIALS, ONLY_SERIALS = (
    Label(("unit", "module", "serial_number"), places) for places in (_PLACES, _ONLY_ONES)
)

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
    gauge("battery_soh", "%", ALL, "state_of_health_ratio", "State of health",
          zero_is_absent=True),
    gauge("battery_unit_info.{}.soh", "%", ALL, "module_state_of_health_ratio",
          "State of health of a battery's module, by its stack and its position there", MODULES,
          zero_is_absent=True),
    gauge("battery_unit_info.{}.soh", "%", ALL, "module_state_of_health_ratio", label=ONLY_MODULES,
          fallback_for="battery_unit_info.{}.1.soh", zero_is_absent=True),
    info("battery_unit_info.{}.sn", "", ALL, "module_info",
         "Serial number of a battery's module, by its stack and its position there", SERIALS),
    info("battery_unit_info.{}.sn", "", ALL, "module_info", label=ONLY_SERIALS,
         fallback_for="battery_unit_info.{}.1.sn"),

    gauge("rated_capacity", "kWh", ALL, "rated_energy_joules",
          "Energy that a battery is rated for"),
    gauge("charge_cap",    "kWh", ALL, "day_charge_energy_joules",    "Energy charged today"),
    gauge("discharge_cap", "kWh", ALL, "day_discharge_energy_joules", "Energy discharged today"),
)  # fmt: skip

STATISTICS = (
    gauge("collectTime", "ms", ALL, "period_start_timestamp_seconds", "When the period began"),

    gauge("charge_cap",     "kWh", ALL, "period_charge_energy_joules",
          "Energy charged during the period"),
    gauge("discharge_cap",  "kWh", ALL, "period_discharge_energy_joules",
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
