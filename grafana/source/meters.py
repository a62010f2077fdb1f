"""What the meters say, and how good the grid is."""

from grafana.source import states
from grafana.source.boards import ACCOUNT, PLANTS, Folded, Line, dashboard
from grafana.source.panels import STALE, Query, curves, ranking, stat, timeline, trend
from grafana.source.promql import age, increase_of, kilowatt_hours, of_phases, of_plants, with_names
from grafana.source.tables import Column, each, table

NAMES = "{{plant_name}}, {{device_name}}"
POWER = of_plants("meter_active_power_watts")
FREQUENCY = of_plants("meter_frequency_hertz")
FED_IN = "meter_positive_active_energy_joules_total"
DRAWN = "meter_reverse_active_energy_joules_total"
# A sensor of one phase, and the first phase of one of three, are reported without a letter.
PHASE_A = '"phase", "a", "", ""'


def _phases(of_phase: str, of_one: str) -> str:
    return f"({of_plants(of_phase)} or label_replace({of_plants(of_one)}, {PHASE_A}))"


PHASE_VOLTAGE = "meter_phase_voltage_volts"
VOLTAGE = _phases(PHASE_VOLTAGE, "meter_voltage_volts")
CURRENT = of_phases(
    _phases("meter_phase_current_amperes", "meter_current_amperes"), of_plants, PHASE_VOLTAGE
)
PHASE_POWER = of_plants("meter_phase_active_power_watts")
NO_METER = "no meter"
NO_TARIFFS = "no tariffs"
NO_EXTERNAL = "No EMMA measures a second point."
NO_TRANSFORMERS = "No transformer is read."
LAST_READING = of_plants("device_last_reading_timestamp_seconds")
PHASE_NAMES = f"{NAMES} {{{{phase}}}}"


def _each(expression: str) -> str:
    return with_names(f"sum by (plant_code, device_id) ({expression})")


def _increase_of(counter: str) -> str:
    return increase_of(of_plants, counter, "$__range")


NOW = Line(
    5,
    (4, trend(
        "Grid (+ fed in)", "Active power at all meters; negative while power is drawn.",
        f"sum({POWER})", "watt", steps=((None, "red"), (0, "blue")),
    ).no_value(NO_METER)),
    (5, stat(
        "Fed in", "Active energy fed into the grid in the time shown.",
        kilowatt_hours(f"sum({_increase_of(FED_IN)})"), "kwatth",
    ).no_value(NO_METER)),
    (5, stat(
        "Drawn", "Active energy drawn from the grid in the time shown.",
        kilowatt_hours(f"sum({_increase_of(DRAWN)})"), "kwatth",
    ).no_value(NO_METER)),
    (5, stat(
        "Lowest phase voltage", "Of all meters.", f"min({VOLTAGE} > 0)", "volt",
        decimals=1,
    ).no_value(NO_METER)),
    (5, stat(
        "Highest phase voltage", "Of all meters.", f"max({VOLTAGE} > 0)", "volt",
        decimals=1,
    ).no_value(NO_METER)),
)  # fmt: skip

POWERS = Line(
    9,
    (10, curves(
        "Active power (+ fed in)", "At each meter; negative while power is drawn.",
        Query(with_names(POWER), NAMES), unit="watt", fill=0,
    ).no_value(NO_METER)),
    (14, table(
        "Meters", "Every meter as it stands.",
        {"plant_name": "Plant", "device_name": "Meter", "device_id": "",
         "plant_code": ""},
        *each(
            _each,
            Column("Power", POWER, "watt", 1, width=85),
            Column("Fed in", kilowatt_hours(_increase_of(FED_IN)), "kwatth", 1, width=85),
            Column("Drawn", kilowatt_hours(_increase_of(DRAWN)), "kwatth", 1, width=80),
            Column("Power factor", of_plants("meter_power_factor"), "none", 3),
            Column("Frequency", FREQUENCY, "hertz", 2, width=85),
            Column("Age", f"{age(LAST_READING)} and {POWER}", "s", 0, STALE, width=70),
        ),
        sort={"Plant": False}, least=100,
    ).no_value(NO_METER)),
)  # fmt: skip

EXTERNAL = Line(
    8,
    (12, curves(
        "External measuring point", "Active power at the second point that an EMMA measures.",
        Query(with_names(of_plants("meter_external_active_power_watts")), NAMES),
        unit="watt", fill=0,
    ).no_value(NO_EXTERNAL)),
    (12, table(
        "Energy at external measuring points", "In the time shown, both ways.",
        {"plant_name": "Plant", "device_name": "EMMA", "device_id": "",
         "plant_code": ""},
        *each(
            _each,
            *(
                Column(
                    name,
                    kilowatt_hours(
                        _increase_of(f"meter_external_{way}_active_energy_joules_total")
                    ),
                    "kwatth", 1, width=140,
                )
                for name, way in (("Towards the grid", "positive"), ("From the grid", "reverse"))
            ),
        ),
        sort={"Plant": False}, least=100,
    ).no_value(NO_EXTERNAL)),
)  # fmt: skip

QUALITY = Line(
    9,
    (8, curves(
        "Phase voltages", "Of every phase that a meter reports.",
        Query(with_names(f"({VOLTAGE} > 0)"), PHASE_NAMES), unit="volt", fill=0,
    ).no_value("No meter reports it.")),
    (8, curves(
        "Phase currents", "Of every phase that a meter reports.",
        Query(with_names(CURRENT), PHASE_NAMES), unit="amp", fill=0,
    ).no_value("No meter reports it.")),
    (8, curves(
        "Frequency", "Of the grid, at each meter.",
        Query(with_names(FREQUENCY), NAMES), unit="hertz", fill=0,
    ).no_value("No meter reports it.")),
)  # fmt: skip

PHASES = Line(
    9,
    (8, curves(
        "Active power by phase (+ fed in)",
        "At each meter, negative while power is drawn; of one phase, the whole.",
        Query(
            with_names(
                f"({of_phases(PHASE_POWER, of_plants, PHASE_VOLTAGE)} or label_replace({POWER} "
                f"unless on (device_id) {PHASE_POWER}, {PHASE_A}))"
            ),
            PHASE_NAMES,
        ),
        unit="watt", fill=0,
    ).no_value("No meter reports it.")),
    (8, curves(
        "Reactive power", "At each meter.",
        Query(with_names(of_plants("meter_reactive_power_vars")), NAMES),
        unit="voltampreact", fill=0,
    ).no_value("No meter reports it.")),
    (8, timeline(
        "Power sensors", "State of each power sensor.",
        with_names(of_plants("meter_status_code")), NAMES, states.METER,
    ).no_value("No power sensor reports its state.")),
)  # fmt: skip

TARIFFS = Line(
    8,
    (12, ranking(
        "Fed in by tariff", "Active energy fed into the grid in the time shown.",
        kilowatt_hours(
            "sort_desc(sum by (tariff) "
            f"({_increase_of('meter_positive_active_tariff_energy_joules_total')}))"
        ),
        "{{tariff}}", "kwatth",
    ).no_value(NO_TARIFFS)),
    (12, ranking(
        "Drawn by tariff", "Active energy drawn from the grid in the time shown.",
        kilowatt_hours(
            "sort_desc(sum by (tariff) "
            f"({_increase_of('meter_reverse_active_tariff_energy_joules_total')}))"
        ),
        "{{tariff}}", "kwatth",
    ).no_value(NO_TARIFFS)),
)  # fmt: skip

TRANSFORMERS = Line(
    8,
    (8, curves(
        "Transformer power", "Active power delivered by each transformer.",
        Query(with_names(of_plants("transformer_active_power_watts")), NAMES), unit="watt",
    ).no_value(NO_TRANSFORMERS)),
    (8, curves(
        "Transformer voltages", "Between the lines.",
        Query(
            with_names(of_plants("transformer_line_voltage_volts")), f"{NAMES}, line {{{{line}}}}"
        ),
        unit="volt", fill=0,
    ).no_value(NO_TRANSFORMERS)),
    (8, curves(
        "Transformer currents", "Of each phase.",
        Query(with_names(of_plants("transformer_phase_current_amperes")), PHASE_NAMES),
        unit="amp", fill=0,
    ).no_value(NO_TRANSFORMERS)),
)  # fmt: skip

DASHBOARD = dashboard(
    "fusionsolar-meters",
    "Meters and grid quality",
    "What the meters say, and how good the grid is.",
    (ACCOUNT, PLANTS),
    (
        NOW,
        POWERS,
        QUALITY,
        PHASES,
        Folded("Tariffs", TARIFFS),
        Folded("Transformers", TRANSFORMERS),
        Folded("External measuring points of EMMAs", EXTERNAL),
    ),
)
