"""One inverter: what comes in, what goes out, and is every string at work?"""

from collections.abc import Callable

from grafana.source import states
from grafana.source.boards import ACCOUNT, PLANT, Line, dashboard, device
from grafana.source.panels import (
    DASHED,
    HOT,
    STALE,
    Query,
    curves,
    heatmap,
    ranking,
    stat,
    timeline,
    trend,
)
from grafana.source.promql import (
    age,
    in_use,
    increase_of,
    kilowatt_hours,
    merged,
    of_device,
    of_phases,
)

PHASES = {"a": "orange", "b": "green", "c": "blue"}
AC = of_device("inverter_active_power_watts")
BEST_AC = merged(f"max_over_time({of_device.series('inverter_active_power_watts')}[1d])")
MPPTS = increase_of(of_device, "inverter_mppt_energy_joules_total", "1d")
DC = of_device("inverter_dc_power_watts")
CURRENTS = of_device("inverter_string_current_amperes")
VOLTAGES = of_device("inverter_string_voltage_volts")
# A central inverter reports no voltages of strings.
WIRED = f"({CURRENTS} and {VOLTAGES} > 0 or {CURRENTS} unless on (device_id) {VOLTAGES})"


def _phases(expression_of: Callable[[str], str]) -> list[Query]:
    return [
        Query(expression_of(f'phase="{phase}"'), f"phase {phase}", color)
        for phase, color in PHASES.items()
    ]


def _volts(phase: str) -> str:
    return of_device("inverter_phase_voltage_volts", phase)


def _amperes(phase: str) -> str:
    return of_phases(
        of_device("inverter_phase_current_amperes", phase),
        of_device,
        "inverter_phase_voltage_volts",
    )


NOW = Line(
    5,
    (5, stat(
        "State", "Operating state, as the inverter names it.", of_device("inverter_state_code"),
        states=states.INVERTER,
    )),
    (3, trend("AC power", "Active power put out.", f"sum({AC})", "watt")),
    (3, trend("DC power", "Power of all DC inputs together.", f"sum({DC})", "watt")),
    (3, stat(
        "Energy today", "Energy put out since the plant's midnight.",
        kilowatt_hours(of_device("inverter_day_energy_joules")), "kwatth",
    )),
    (4, stat(
        "Lifetime energy", "Energy put out since the inverter began to count.",
        kilowatt_hours(of_device("inverter_energy_joules_total")), "kwatth",
    )),
    (3, trend(
        "Temperature", "Inside the inverter.", f"max({of_device('inverter_temperature_celsius')})",
        "celsius", steps=HOT, decimals=1,
    )),
    (3, stat(
        "Last reading", "Time since values of the inverter last came.",
        age(of_device("device_last_reading_timestamp_seconds")), "s", steps=STALE, decimals=0,
    )),
)  # fmt: skip

POWER = Line(
    9,
    (12, curves(
        "Power",
        "What comes in as DC and goes out as AC. Dashed is the DC power that it would have under a "
        "clear sky, learned from its own best days.",
        Query(DC, "DC", "orange", line={"fillOpacity": 0}),
        Query(AC, "AC", "green"),
        Query(
            of_device("inverter_expected_power_watts"), "expected under a clear sky",
            "text", line=DASHED,
        ),
        unit="watt", floor=0, fill=25,
    )),
    (12, heatmap(
        "Strings",
        "Current of each string input over time: a dark row among bright ones is a string that is "
        "out or weak. Inputs that nothing is wired to are left out.",
        Query(in_use(of_device, "inverter_string"), "{{string}}"), unit="amp",
    )),
)  # fmt: skip

STRINGS = Line(
    14,
    (8, ranking(
        "Strings now",
        "Current of each string, weakest first. Inputs without voltage are left out.",
        f"sort({WIRED})", "string {{string}}", "amp", name_size=11,
    )),
    (8, curves(
        "Strings relative to their median",
        "Current of each string, divided by the median of all, while the inverter "
        "gives more than a tenth of its best of the last day.",
        Query(
            f"{WIRED} / on () group_left () (quantile(0.5, {WIRED}) > 0)"
            f" and on () {AC} > 0.1 * {BEST_AC}",
            "string {{string}}",
        ),
        unit="percentunit", floor=0, fill=0, legend="",
        steps=((None, "transparent"), (0.8, "orange")),
    )),
    (8, curves(
        "String voltages", "Voltage of each string input; of a central inverter, of all together.",
        Query(f"{VOLTAGES} > 0", "string {{string}}"),
        Query(f"{of_device('inverter_dc_voltage_volts')} > 0", "DC input"),
        unit="volt", fill=0, legend="",
    )),
)  # fmt: skip

CONVERSION = Line(
    8,
    (8, ranking(
        "MPPTs, last 24 hours",
        "DC energy that each MPPT gained in the last 24 hours.",
        kilowatt_hours(f"sort_desc(sum by (mppt) ({MPPTS}) > 0)"),
        "MPPT {{mppt}}", "kwatth",
    ).no_value("none")),
    (8, curves(
        "Efficiency", "Of conversion to AC, as the inverter reports it.",
        Query(
            f"{of_device('inverter_efficiency_ratio')} > 0", "efficiency", "green",
            line={"axisSoftMin": 0.9, "axisSoftMax": 1},
        ),
        unit="percentunit", fill=0,
    ).no_value("This inverter does not report it, or has not put out anything.")),
    (8, curves(
        "Temperature", "Inside the inverter.",
        Query(of_device("inverter_temperature_celsius"), "inverter", "red"),
        unit="celsius", steps=((None, "transparent"), *HOT[1:]),
    )),
)  # fmt: skip

GRID = Line(
    8,
    (8, curves(
        "Phase voltages", "Of the grid, at the inverter, while it is connected.",
        *_phases(lambda phase: f"{_volts(phase)} > 0"), unit="volt", fill=0,
    )),
    (8, curves(
        "Phase currents", "Put out by the inverter.",
        *_phases(_amperes), unit="amp", fill=0,
    )),
    (8, curves(
        "Frequency and power factor",
        "Of the grid, while the inverter is connected; the power factor, of the output, on the "
        "right.",
        Query(f"{of_device('inverter_frequency_hertz')} > 0", "frequency", "blue"),
        Query(
            f"{of_device('inverter_power_factor')} != 0", "power factor", "purple",
            "none", {"axisSoftMin": 0.9, "axisSoftMax": 1},
        ),
        unit="hertz", fill=0,
    )),
)  # fmt: skip

PAST = Line(
    5,
    (16, timeline(
        "States", "Operating state over time.", of_device("inverter_state_code"),
        "inverter", states.INVERTER,
    )),
    (8, curves(
        "Reactive power", "Put out by the inverter.",
        Query(of_device("inverter_reactive_power_vars"), "reactive power", "purple"),
        unit="voltampreact",
    )),
)  # fmt: skip

DASHBOARD = dashboard(
    "fusionsolar-inverter",
    "Inverter",
    "What comes into an inverter, what goes out, and whether every string is at work.",
    (
        ACCOUNT,
        PLANT,
        device("Inverter", "string_inverter", "central_inverter", "smart_energy_center"),
    ),
    (NOW, POWER, STRINGS, CONVERSION, "Grid", GRID, PAST),
)
