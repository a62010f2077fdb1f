"""String inverters (1), central inverters (14) and smart energy centers (38); reference 3.6-3.10.

A smart energy center is a string inverter that also serves a battery: one table for both. The
reference stops at 24 strings, newer servers at 36.
"""

from exporter.catalogue.tables import (
    LINES,
    PHASES,
    SubjectTables,
    counter,
    device_tables,
    each,
    gauge,
    numbered,
    stateset,
)
from exporter.northbound.enums import INVERTER_STATES, RUN_STATES

STRING = (1, 38)
CENTRAL = (14,)
ALL = (1, 14, 38)

STRINGS = numbered("string", 36)
CENTRAL_STRINGS = numbered("string", 10)
MPPTS = numbered("mppt", 10)

KPIS = (
    stateset("inverter_state", ALL, "state", INVERTER_STATES, "Operating state of an inverter"),
    stateset("run_state", ALL, "run_state", RUN_STATES, "Connection of an inverter"),

    gauge("active_power",   "kW",   ALL,    "active_power_watts",    "Active power put out"),
    gauge("reactive_power", "kvar", ALL,    "reactive_power_vars",   "Reactive power put out"),
    gauge("power_factor",   "",     ALL,    "power_factor",          "Power factor of the output"),
    gauge("elec_freq",      "Hz",   ALL,    "frequency_hertz",       "Frequency of the grid"),
    gauge("{}_u",           "V",    STRING, "line_voltage_volts",    "Line-to-line voltage", LINES),
    gauge("{}_u",           "V",    ALL,    "phase_voltage_volts",   "Phase voltage", PHASES),
    gauge("{}_i",           "A",    ALL,    "phase_current_amperes", "Phase current", PHASES),

    gauge("day_cap",     "kWh", ALL, "day_energy_joules",   "Energy put out today"),
    counter("total_cap", "kWh", ALL, "energy_joules_total", "Lifetime energy put out"),

    gauge("mppt_power", "kW", ALL,     "dc_power_watts",     "Power of all DC inputs together"),
    gauge("center_u",   "V",  CENTRAL, "dc_voltage_volts",   "Voltage of the DC input"),
    gauge("center_i",   "A",  CENTRAL, "dc_current_amperes", "Current of the DC input"),
    counter("mppt_total_cap", "kWh", STRING, "dc_energy_joules_total",
            "Lifetime energy of all DC inputs together"),
    counter("mppt_{}_cap", "kWh", STRING, "mppt_energy_joules_total",
            "Lifetime energy of the DC inputs of one MPPT", MPPTS),
    gauge("pv{}_u",      "V", STRING,  "string_voltage_volts",   "Voltage of a string", STRINGS),
    gauge("pv{}_i",      "A", STRING,  "string_current_amperes", "Current of a string", STRINGS),
    gauge("center_i_{}", "A", CENTRAL, "string_current_amperes", label=CENTRAL_STRINGS),

    gauge("efficiency",  "%",  STRING,  "efficiency_ratio",    "Efficiency of conversion to AC"),
    gauge("temperature", "°C", ALL,     "temperature_celsius", "Temperature inside an inverter"),
    gauge("aop",         "%",  CENTRAL, "availability_ratio",  "Availability for production"),
    gauge("open_time",   "ms", ALL, "startup_timestamp_seconds",  "When an inverter started up"),
    gauge("close_time",  "ms", ALL, "shutdown_timestamp_seconds", "When an inverter shut down"),
)  # fmt: skip

STATISTICS = (
    gauge("collectTime", "ms", ALL, "period_start_timestamp_seconds", "When the period began"),

    gauge("installed_capacity", "kW",  ALL, "period_capacity_watts",
          "Installed capacity of an inverter's modules in the period"),
    gauge("product_power",      "kWh", ALL, "period_energy_joules",
          "Energy put out during the period"),
    gauge("perpower_ratio",     "h",   ALL, "period_full_load_seconds",
          "Full-load hours of the period, energy divided by installed capacity"),
)  # fmt: skip

DAY_STATISTICS = (
    *STATISTICS,
    gauge("yield_deviation", "%", ALL, "period_yield_deviation_ratio",
          "Deviation of an inverter's yield during the period"),
    gauge("total_aop",       "%", ALL, "period_availability_ratio",
          "Availability for production during the period"),
    gauge("aoc_ratio",       "%", ALL, "period_communication_ratio",
          "Availability of communication during the period"),
)  # fmt: skip

SUBJECT = SubjectTables("inverter", "Inverters", {
    **device_tables(KPIS),
    "getDevKpiDay": each("day", DAY_STATISTICS),
    "getDevKpiMonth": each("month", STATISTICS),
    "getDevKpiYear": each("year", STATISTICS),
})  # fmt: skip
