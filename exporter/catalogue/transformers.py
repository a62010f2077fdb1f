"""Transformers (8; reference 3.6, 3.7)."""

from exporter.catalogue.tables import LINES, PHASES, SubjectTables, device_tables, gauge, stateset
from exporter.northbound.enums import RUN_STATES

ALL = (8,)

KPIS = (
    stateset("run_state", ALL, "run_state", RUN_STATES, "Connection of a transformer"),

    gauge("active_power",   "kW",   ALL, "active_power_watts",  "Active power delivered"),
    gauge("reactive_power", "kvar", ALL, "reactive_power_vars", "Reactive power delivered"),
    gauge("power_factor",   "",     ALL, "power_factor",        "Power factor"),
    gauge("elec_freq",      "Hz",   ALL, "frequency_hertz",     "Frequency of the grid"),
    gauge("{}_u", "V", ALL, "line_voltage_volts",    "Line-to-line voltage", LINES),
    gauge("{}_u", "V", ALL, "phase_voltage_volts",   "Phase voltage", PHASES),
    gauge("{}_i", "A", ALL, "phase_current_amperes", "Phase current", PHASES),
)  # fmt: skip

SUBJECT = SubjectTables("transformer", "Transformers", device_tables(KPIS))
