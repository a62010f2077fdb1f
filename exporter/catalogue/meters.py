"""Grid meters (17), power sensors (47; reference 3.6, 3.7), and EMMA (23070) of newer servers.

The energies are counted by the meter itself, over its lifetime. Reactive ones are printed in kWh
or kvar in the reference, and are kvarh. `active_power` is W for both types: the reference says kW
for a grid meter, later editions W, and live servers send W.

Newer power sensors send what a grid meter sends, phases in W. A sensor of one phase sends "N/A" for
them, and null for tariffs.

An EMMA measures the grid connection, too, but the other way round: its powers are positive while
they are drawn, and its `active_cap` is the energy drawn. Here all meters say the same. Its
external measuring point has metrics of its own, so that a sum over meters counts nothing twice.
"""

from exporter.catalogue.model import StandIn
from exporter.catalogue.tables import (
    LINES,
    PHASE_A,
    PHASES,
    PHASES_B_AND_C,
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
OF_REFERENCE = (*GRID, *SENSOR)
ALL = (*OF_REFERENCE, *EMMA)

# A sensor of three phases sends the first of them as a sensor of one phase sends its only one.
VOLTAGE_A = StandIn("meter_u", beside="b_u")
CURRENT_A = StandIn("meter_i", beside="b_i")

KPIS = (
    stateset("meter_status", SENSOR, "status", METER_STATES, "Operating state of a meter"),
    stateset("run_state", (*SENSOR, *EMMA), "run_state", RUN_STATES, "Connection of a meter"),

    gauge("active_power", "W",  OF_REFERENCE, "active_power_watts",
          "Active power at a meter, positive while it is fed into the grid"),
    gauge("active_power", "kW", EMMA, "active_power_watts", negated=True),
    gauge("active_power_{}", "kW", GRID, "phase_active_power_watts",
          "Active power of a phase, positive while it is fed into the grid", PHASES),
    gauge("active_power_{}", "W",  SENSOR, "phase_active_power_watts", label=PHASES),
    gauge("active_power_{}", "kW", EMMA, "phase_active_power_watts", label=PHASES, negated=True),
    gauge("reactive_power", "kvar", GRID,   "reactive_power_vars",
          "Reactive power at a meter; nobody has verified in which unit an EMMA sends it"),
    gauge("reactive_power", "var",  SENSOR, "reactive_power_vars"),
    gauge("reactive_power", "kvar", EMMA,   "reactive_power_vars", negated=True),
    gauge("reactive_power_{}", "kvar", OF_REFERENCE, "phase_reactive_power_vars",
          "Reactive power of a phase; nobody has verified in which unit a power sensor sends it",
          PHASES),
    gauge("total_apparent_power", "kVA", OF_REFERENCE, "apparent_power_volt_amperes",
          "Apparent power at a meter; nobody has verified in which unit a power sensor sends it"),
    gauge("power_factor",   "",   ALL,          "power_factor",    "Power factor at a meter"),
    gauge("grid_frequency", "Hz", OF_REFERENCE, "frequency_hertz", "Frequency of the grid"),
    gauge("meter_u",        "V",  SENSOR,       "voltage_volts",
          "Voltage of the grid; at a sensor of three phases, that of phase a"),
    gauge("meter_i",        "A",  SENSOR,       "current_amperes",
          "Current at a meter; at a sensor of three phases, that of phase a"),
    gauge("{}_u", "V", ALL, "line_voltage_volts", "Line-to-line voltage", LINES),
    gauge("{}_u", "V", (*GRID, *EMMA), "phase_voltage_volts",
          "Phase voltage; a power sensor sends that of phase a as meter_u", PHASES),
    gauge("{}_u", "V", SENSOR, "phase_voltage_volts", label=PHASES_B_AND_C),
    gauge("{}_u", "V", SENSOR, "phase_voltage_volts", label=PHASE_A, stand_in=VOLTAGE_A),
    gauge("{}_i", "A", (*GRID, *EMMA), "phase_current_amperes",
          "Phase current; a power sensor sends that of phase a as meter_i", PHASES),
    gauge("{}_i", "A", SENSOR, "phase_current_amperes", label=PHASES_B_AND_C),
    gauge("{}_i", "A", SENSOR, "phase_current_amperes", label=PHASE_A, stand_in=CURRENT_A),

    counter("active_cap", "kWh", OF_REFERENCE, "positive_active_energy_joules_total",
            "Lifetime active energy fed into the grid"),
    counter("reverse_active_cap", "kWh", EMMA, "positive_active_energy_joules_total"),
    counter("reverse_active_cap", "kWh", OF_REFERENCE, "reverse_active_energy_joules_total",
            "Lifetime active energy drawn from the grid"),
    counter("active_cap", "kWh", EMMA, "reverse_active_energy_joules_total"),
    counter("forward_reactive_cap", "kvarh", OF_REFERENCE,
            "positive_reactive_energy_var_seconds_total", "Lifetime positive reactive energy"),
    counter("reverse_reactive_cap", "kvarh", OF_REFERENCE,
            "reverse_reactive_energy_var_seconds_total", "Lifetime negative reactive energy"),

    counter("positive_active_{}", "kWh", OF_REFERENCE, "positive_active_tariff_energy_joules_total",
            "Lifetime active energy fed into the grid, by tariff", TARIFFS),
    counter("reverse_active_{}", "kWh", OF_REFERENCE, "reverse_active_tariff_energy_joules_total",
            "Lifetime active energy drawn from the grid, by tariff", TARIFFS),
    counter("positive_reactive_{}", "kvarh", OF_REFERENCE,
            "positive_reactive_tariff_energy_var_seconds_total",
            "Lifetime positive reactive energy, by tariff", TARIFFS),
    counter("reverse_reactive_{}", "kvarh", OF_REFERENCE,
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
