"""Sites of Huawei's Power-M (iSitePower) on newer servers: 60001 to 60092.

Such a site lives on modules, mains and a generator set. Each of its devices is a subject of its
own, so that no sum mixes what passes through one after the other: the same energy flows through a
solar supply unit, its group, the rack and the AC output.
"""

from exporter.catalogue.tables import SubjectTables, counter, device_tables, gauge, stateset
from exporter.northbound.enums import (
    GENSET_STATES,
    GRID_QUALITIES,
    MAINS_STATES,
    RACK_STATES,
    SOLAR_SUPPLY_STATES,
)

MAINS = (60001,)
GENSET = (60003,)
AC_OUTPUT = (60010,)
RACK = (60014,)
SOLAR_GROUP = (60043,)
SOLAR_UNIT = (60044,)
CONVERTER = (60092,)
ALL = (*MAINS, *GENSET, *AC_OUTPUT, *RACK, *SOLAR_GROUP, *SOLAR_UNIT, *CONVERTER)

MAINS_KPIS = (
    stateset("mains_state", MAINS, "state", MAINS_STATES, "Whether the mains are there"),
    stateset("grid_quality_grade", MAINS, "quality", GRID_QUALITIES, "Quality of the mains"),

    gauge("active_power", "kW", MAINS, "active_power_watts", "Active power drawn from the mains"),
    gauge("ac_voltage",   "V",  MAINS, "voltage_volts",      "Voltage of the mains"),
    gauge("ac_current",   "A",  MAINS, "current_amperes",    "Current from the mains"),
    gauge("ac_frequency", "Hz", MAINS, "frequency_hertz",    "Frequency of the mains"),
    counter("total_energy_consumption", "kWh", MAINS, "energy_joules_total",
            "Lifetime energy drawn from the mains"),
    gauge("supply_duration_per_total", "h", MAINS, "supply_seconds",
          "How long the mains have supplied a site in all"),
)  # fmt: skip

GENSET_KPIS = (
    stateset("running_state", GENSET, "state", GENSET_STATES, "Whether a generator set runs"),

    gauge("output_power", "kW", GENSET, "output_power_watts",
          "Power that a generator set delivers"),
    gauge("load_rate",    "%",  GENSET, "load_ratio",
          "Power that a generator set delivers, divided by what it is rated for"),
)  # fmt: skip

AC_OUTPUT_KPIS = (
    gauge("active_power", "kW", AC_OUTPUT, "active_power_watts", "Active power of the AC loads"),
    gauge("ac_voltage",   "V",  AC_OUTPUT, "voltage_volts",      "Voltage of the AC output"),
    gauge("ac_current",   "A",  AC_OUTPUT, "current_amperes",    "Current of the AC output"),
    gauge("ac_frequency", "Hz", AC_OUTPUT, "frequency_hertz",    "Frequency of the AC output"),
)  # fmt: skip

RACK_KPIS = (
    stateset("battery_state", RACK, "state", RACK_STATES, "Operating state of a battery rack"),

    gauge("charge_discharge_power", "kW", RACK, "power_watts",
          "Power of a battery rack, positive while it charges"),
    gauge("voltage", "V", RACK, "voltage_volts",         "Voltage of a battery rack"),
    gauge("current", "A", RACK, "current_amperes",       "Current of a battery rack"),
    gauge("soc",     "%", RACK, "state_of_charge_ratio", "State of charge of a battery rack"),
    gauge("total_capacity", "kWh", RACK, "capacity_joules", "Energy that a battery rack can hold"),
    counter("total_discharge", "kWh", RACK, "discharge_energy_joules_total",
            "Lifetime energy discharged from a battery rack"),
    gauge("total_discharge_times", "",  RACK, "discharges",
          "How often a battery rack was discharged"),
    gauge("remaining_backup_time", "h", RACK, "remaining_backup_seconds",
          "How long a battery rack will supply its loads"),
)  # fmt: skip

SOLAR_GROUP_KPIS = (
    gauge("total_output_current", "A", SOLAR_GROUP, "output_current_amperes",
          "Current of all solar supply units together"),
    # Clients disagree, and no answer was seen: "kW" here if a group shows a thousandth.
    gauge("total_output_power",   "W", SOLAR_GROUP, "output_power_watts",
          "Power of all solar supply units together; nobody has verified whether it is sent in W, "
          "as is taken here, or in kW"),
)  # fmt: skip

SOLAR_UNIT_KPIS = (
    stateset("on_off_state", SOLAR_UNIT, "state", SOLAR_SUPPLY_STATES,
             "Whether a solar supply unit is switched on"),

    gauge("input_voltage",  "V", SOLAR_UNIT, "input_voltage_volts",
          "Voltage of the modules at a solar supply unit"),
    gauge("output_voltage", "V", SOLAR_UNIT, "output_voltage_volts",
          "Voltage that a solar supply unit puts out"),
    gauge("output_current", "A", SOLAR_UNIT, "output_current_amperes",
          "Current that a solar supply unit puts out"),
)  # fmt: skip

CONVERTER_KPIS = (
    gauge("pv_input_power",   "kW", CONVERTER, "pv_power_watts",      "Power of the modules"),
    gauge("pv_input_voltage", "V",  CONVERTER, "pv_voltage_volts",    "Voltage of the modules"),
    gauge("pv_input_current", "A",  CONVERTER, "pv_current_amperes",  "Current of the modules"),
    gauge("inverter_voltage", "V",  CONVERTER, "inverter_voltage_volts",
          "Voltage of a power converter's inverter"),
    gauge("inverter_frequency", "Hz", CONVERTER, "inverter_frequency_hertz",
          "Frequency of a power converter's inverter"),
    gauge("ac_output_apparent_power", "kVA", CONVERTER, "output_apparent_power_volt_amperes",
          "Apparent power that a power converter puts out"),
    gauge("ac_output_voltage",   "V",  CONVERTER, "output_voltage_volts",
          "Voltage that a power converter puts out"),
    gauge("ac_output_current",   "A",  CONVERTER, "output_current_amperes",
          "Current that a power converter puts out"),
    # Misprinted as kW.
    gauge("ac_output_frequency", "Hz", CONVERTER, "output_frequency_hertz",
          "Frequency of what a power converter puts out"),
    gauge("total_runtime", "h", CONVERTER, "runtime_seconds",
          "How long a power converter has run in all"),
)  # fmt: skip

SUBJECTS = (
    SubjectTables("mains", "Mains of Power-M sites", device_tables(MAINS_KPIS)),
    SubjectTables("genset", "Generator sets of Power-M sites", device_tables(GENSET_KPIS)),
    SubjectTables("ac_output", "AC outputs of Power-M sites", device_tables(AC_OUTPUT_KPIS)),
    SubjectTables("rack", "Battery racks of Power-M sites", device_tables(RACK_KPIS)),
    SubjectTables(
        "solar_supply_group", "Groups of solar supply units", device_tables(SOLAR_GROUP_KPIS)
    ),
    SubjectTables("solar_supply_unit", "Solar supply units", device_tables(SOLAR_UNIT_KPIS)),
    SubjectTables("converter", "Power converters of Power-M sites", device_tables(CONVERTER_KPIS)),
)
