"""Grid meters (17), power sensors (47; reference 3.6, 3.7), and EMMA (23070) of newer servers.

The energies are counted by the meter itself, over its lifetime. Reactive ones are printed in kWh
or kvar in the reference, and are kvarh. `active_power` is W for both types: the reference says kW
for a grid meter, later editions W, and live servers send W.

An EMMA measures the grid connection, too, but the other way round: its powers are positive while
they are drawn, and its `active_cap` is the energy drawn. Here all meters say the same. Its
external measuring point has metrics of its own, so that a sum over meters counts nothing twice.
"""

from exporter.catalogue.tables import (
    LINES,
    PHASES,
    TARIFFS,
    SubjectTables,
    counter,
    device_tables,
    gauge,
    stateset,
)
from exporter.northbound.enums import METER_STATES, RUN_STATES

GRID = (17,)
SENSOR = (47,)
EMMA = (23070,)
PHASED = (*GRID, *EMMA)
ALL = (*GRID, *SENSOR, *EMMA)

KPIS = (
    stateset("meter_status", SENSOR, "status", METER_STATES, "Operating state of a meter"),
    stateset("run_state", (*SENSOR, *EMMA), "run_state", RUN_STATES, "Connection of a meter"),

    gauge("active_power", "W",  (*GRID, *SENSOR), "active_power_watts",
          "Active power at a meter, positive while it is fed into the grid"),
    gauge("active_power", "kW", EMMA, "active_power_watts", negated=True),
    gauge("active_power_{}", "kW", GRID, "phase_active_power_watts",
          "Active power of a phase, positive while it is fed into the grid", PHASES),
    gauge("active_power_{}", "kW", EMMA, "phase_active_power_watts", label=PHASES, negated=True),
    gauge("reactive_power",    "kvar", GRID,   "reactive_power_vars",
          "Reactive power at a meter; nobody has verified in which unit an EMMA sends it"),
    gauge("reactive_power",    "var",  SENSOR, "reactive_power_vars"),
    gauge("reactive_power",    "kvar", EMMA,   "reactive_power_vars", negated=True),
    gauge("reactive_power_{}", "kvar", GRID,   "phase_reactive_power_vars",
          "Reactive power of a phase", PHASES),
    gauge("total_apparent_power", "kVA", GRID, "apparent_power_volt_amperes",
          "Apparent power at a meter"),
    gauge("power_factor",   "",   ALL,    "power_factor",          "Power factor at a meter"),
    gauge("grid_frequency", "Hz", (*GRID, *SENSOR), "frequency_hertz", "Frequency of the grid"),
    gauge("meter_u",        "V",  SENSOR, "voltage_volts",         "Voltage of the grid"),
    gauge("meter_i",        "A",  SENSOR, "current_amperes",       "Current at a meter"),
    gauge("{}_u",           "V",  PHASED, "line_voltage_volts",    "Line-to-line voltage", LINES),
    gauge("{}_u",           "V",  PHASED, "phase_voltage_volts",   "Phase voltage", PHASES),
    gauge("{}_i",           "A",  PHASED, "phase_current_amperes", "Phase current", PHASES),

    counter("active_cap", "kWh", (*GRID, *SENSOR), "positive_active_energy_joules_total",
            "Lifetime active energy fed into the grid"),
    counter("reverse_active_cap", "kWh", EMMA, "positive_active_energy_joules_total"),
    counter("reverse_active_cap", "kWh", (*GRID, *SENSOR), "reverse_active_energy_joules_total",
            "Lifetime active energy drawn from the grid"),
    counter("active_cap", "kWh", EMMA, "reverse_active_energy_joules_total"),
    counter("forward_reactive_cap", "kvarh", GRID, "positive_reactive_energy_var_seconds_total",
            "Lifetime positive reactive energy"),
    counter("reverse_reactive_cap", "kvarh", GRID, "reverse_reactive_energy_var_seconds_total",
            "Lifetime negative reactive energy"),

    counter("positive_active_{}", "kWh", GRID, "positive_active_tariff_energy_joules_total",
            "Lifetime active energy fed into the grid, by tariff", TARIFFS),
    counter("reverse_active_{}", "kWh", GRID, "reverse_active_tariff_energy_joules_total",
            "Lifetime active energy drawn from the grid, by tariff", TARIFFS),
    counter("positive_reactive_{}", "kvarh", GRID,
            "positive_reactive_tariff_energy_var_seconds_total",
            "Lifetime positive reactive energy, by tariff", TARIFFS),
    counter("reverse_reactive_{}", "kvarh", GRID,
            "reverse_reactive_tariff_energy_var_seconds_total",
            "Lifetime negative reactive energy, by tariff", TARIFFS),

    gauge("ex_active_power", "kW", EMMA, "external_active_power_watts",
          "Active power at the external measuring point of an EMMA, positive while it flows "
          "towards the grid; nobody has verified where that is", negated=True),
    counter("ex_reverse_active_cap", "kWh", EMMA, "external_positive_active_energy_joules_total",
            "Lifetime active energy towards the grid at the external measuring point of an EMMA"),
    counter("ex_active_cap", "kWh", EMMA, "external_reverse_active_energy_joules_total",
            "Lifetime active energy from the grid at the external measuring point of an EMMA"),
)  # fmt: skip

SUBJECT = SubjectTables("meter", "Meters", device_tables(KPIS))
