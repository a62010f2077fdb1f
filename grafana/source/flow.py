"""Where the energy comes from, and where it goes.

The load is measured by nobody: it is what the modules give, less what the batteries take and the
meter feeds in. That holds for batteries on the DC side and on the AC side; the losses of
conversion, a few percent, count as load. A plant needs one meter, at its grid connection.

Inverters, meters and batteries are not read at the same moment. A difference between their values
of now would show that, so all powers are means over a quarter of an hour, and there is no load
while the readings that it is made of are further apart than that.
"""

from grafana.source import balance, states
from grafana.source.boards import ACCOUNT, PLANTS, Line, dashboard
from grafana.source.panels import Query, curves, numbers, ranking, stat, timeline, trend
from grafana.source.promql import (
    kilowatt_hours,
    merged,
    of_plants,
    per_plant,
    with_names,
    with_plant,
)

NO_BATTERY = "No battery is read."
PV_COLOR, LOAD_COLOR = "yellow", "purple"
CHARGE_COLOR, DISCHARGE_COLOR = "semi-dark-green", "green"
FEED_IN_COLOR, DRAW_COLOR = "blue", "red"


def _mean(metric: str) -> str:
    return per_plant(merged(f"avg_over_time({of_plants.series(metric)}[15m])"))


PV = _mean("inverter_dc_power_watts")
METER = _mean("meter_active_power_watts")
BATTERY = _mean("battery_power_watts")
BATTERIES = of_plants("device_info", 'device_type=~"battery|ess"')
# Nothing flows where there is no battery; a battery that is silent is another matter.
CHARGING = f"({BATTERY} or 0 * {PV} unless on (plant_code) {BATTERIES})"
LAST_READING = of_plants("device_last_reading_timestamp_seconds")
READ = (
    f"({LAST_READING} and on (device_id) ({of_plants('inverter_dc_power_watts')} "
    f"or {of_plants('meter_active_power_watts')} or {of_plants('battery_power_watts')}))"
)
APART = f"(max by (plant_code) ({READ}) - min by (plant_code) ({READ}))"
TOO_FAR_APART = 900  # s
# The ms over which a line goes on: where a poll cycle is long, readings are often too far apart.
SPANNING = {"spanNulls": 3_600_000}
BETWEEN_READINGS = "[30m:1m]"  # for which a load stays, so that what is stacked does not jump
LOAD = f"({PV} - {CHARGING} - {METER} unless {APART} > {TOO_FAR_APART})"
SOC = of_plants("battery_state_of_charge_ratio")
_RATED = of_plants("battery_rated_energy_joules")
_UNRATED = f"({SOC} unless on (device_id) {_RATED})"
_HELD = f"({SOC} * on (device_id) group_left () max by (device_id) ({_RATED}))"
# Together: by what each battery can hold or, where one does not report that, all alike.
WEIGHED_SOC = f"(sum({_HELD}) / sum({_RATED} and on (device_id) {SOC}) unless on () {_UNRATED})"
PLAIN_SOC = f"(avg({SOC}) and on () {_UNRATED})"
CHARGE = f"({WEIGHED_SOC} or {PLAIN_SOC})"
_HEALTH = of_plants("battery_state_of_health_ratio")
_MODULES = of_plants("battery_module_state_of_health_ratio")
# Of a battery that reports only its modules', the weakest one's.
HEALTH = (
    f"({_HEALTH} > 0 or min by (plant_code, device_id) ({_MODULES}) "
    f"unless on (device_id) {_HEALTH} > 0)"
)
DAY = balance.TODAY
PRODUCED = balance.produced(of_plants, *DAY)
FED_IN = balance.of_today(of_plants, "feed_in", "plant_day_feed_in_energy_joules")
USED = balance.of_today(of_plants, "consumed", "plant_day_consumed_energy_joules")
CHARGED = balance.of_today(of_plants, "charge", "battery_day_charge_energy_joules")
DISCHARGED = balance.of_today(of_plants, "discharge", "battery_day_discharge_energy_joules")


# Grafana stacks a whole series downwards if most of its samples are negative, and -0 is. Where
# nothing flows, what supplies must therefore be 0, and what takes -0.


def _negative_part(expression: str) -> str:
    """What is negative, summed over the plants and turned upwards."""
    return f"sum(clamp_min(-{expression}, 0))"


def _positive_part(expression: str) -> str:
    """What is positive, summed over the plants and turned downwards."""
    return f"-sum(clamp_min({expression}, 0))"


NOW = Line(
    5,
    (3, trend(
        "PV", "Power of all modules, as DC; a mean of 15 minutes, as are all powers here.",
        f"sum({PV})", "watt",
    )),
    (3, trend(
        "Load", "What the plants use: PV, less charging and feed-in. It includes the losses.",
        f"sum({LOAD})", "watt",
    )),
    (3, trend(
        "Grid (+ fed in)", "At the meters; negative while power is drawn.", f"sum({METER})", "watt",
        steps=((None, DRAW_COLOR), (0, FEED_IN_COLOR)),
    )),
    (4, trend(
        "Batteries (+ charge)", "Negative while they are discharged.", f"round(sum({BATTERY}))",
        "watt",
        steps=((None, "orange"), (0, "green")),
    )),
    (4, numbers(
        "State of charge",
        "Of all batteries together, by what each can hold; a plain mean, and called that, if one "
        "does not report what it can hold.",
        Query(WEIGHED_SOC, "together"),
        Query(PLAIN_SOC, "plain mean"),
        unit="percentunit", steps=((None, "text"), (0, "red"), (0.15, "orange"), (0.3, "green")),
    ).decimals(0).no_value("no battery")),
    (4, stat(
        "Self-sufficient now",
        "Share of the load that does not come from the grid, now.",
        f"1 - sum(clamp_min(-{METER}, 0) and {LOAD}) / (sum({LOAD}) > 0)", "percentunit",
        steps=((None, "text"), (0, "red"), (0.3, "orange"), (0.7, "green")), decimals=0,
    )),
    (3, stat(
        "Age spread",
        "Between the oldest and the newest reading that the load of a plant is made of, where they "
        "are furthest apart. Beyond a quarter of an hour a plant has no load here.",
        f"max({APART})", "s", steps=((None, "green"), (300, "orange"), (TOO_FAR_APART, "red")),
        decimals=0,
    )),
)  # fmt: skip

FLOW = Line(
    11,
    (24, curves(
        "Energy flow",
        "Above zero is what supplies: PV, discharging batteries, the grid. Below it is what takes: "
        "load, charging batteries, feed-in. The two sides are equal, as far as readings are of one "
        "time: where they are too far apart, the load is that of half an hour before at most.",
        Query(f"sum({PV})", "PV", PV_COLOR),
        Query(_negative_part(BATTERY), "discharge", DISCHARGE_COLOR),
        Query(_negative_part(METER), "from the grid", DRAW_COLOR),
        Query(f"-sum(last_over_time({LOAD}{BETWEEN_READINGS}))", "load", LOAD_COLOR),
        Query(_positive_part(BATTERY), "charge", CHARGE_COLOR),
        Query(_positive_part(METER), "feed-in", FEED_IN_COLOR),
        unit="watt", stacked=True,
    )),
)  # fmt: skip

TODAY = Line(
    4,
    (3, stat(
        "PV today",
        "What the modules gave, by the plants' daily statistics; of servers that do not report it, "
        "what the inverters put out.",
        kilowatt_hours(f"sum({PRODUCED})"), "kwatth",
    )),
    (3, stat(
        "Fed in today", "By the daily statistics, or else as the plants report it.",
        kilowatt_hours(f"sum({FED_IN})"), "kwatth",
    )),
    (3, stat(
        "Used today", "By the daily statistics, or else as the plants report it.",
        kilowatt_hours(f"sum({USED})"), "kwatth",
    )),
    (4, stat(
        "Self-consumption",
        "Today's share of the energy produced that was not fed in, as servers report it or "
        "calculated.",
        balance.self_consumption(of_plants, *DAY), "percentunit", decimals=0,
    )),
    (4, stat(
        "Self-sufficiency",
        "Today's share of the consumption that did not come from the grid, as servers report it or "
        "calculated.",
        balance.self_sufficiency(of_plants, *DAY), "percentunit", decimals=0,
    )),
    (3, stat(
        "Charged today",
        "Energy into the batteries, by the daily statistics, or else as they report it.",
        kilowatt_hours(f"sum({CHARGED})"), "kwatth",
    ).no_value("no battery")),
    (4, stat(
        "Discharged today",
        "Energy out of the batteries, by the daily statistics, or else as they report it.",
        kilowatt_hours(f"sum({DISCHARGED})"), "kwatth",
    ).no_value("no battery")),
)  # fmt: skip

BATTERY_CURVES = Line(
    8,
    (8, curves(
        "State of charge of each", "Of each battery.",
        Query(with_names(SOC), "{{plant_name}}, {{device_name}}"),
        unit="percentunit", floor=0, fill=0,
    ).no_value(NO_BATTERY)),
    (8, curves(
        "Battery power (+ charging)", "Of each battery; negative while it is discharged.",
        Query(
            with_names(of_plants("battery_power_watts")), "{{plant_name}}, {{device_name}}"
        ),
        unit="watt", fill=0,
    ).no_value(NO_BATTERY)),
    (8, timeline(
        "Battery states", "Operating state of each battery that reports it.",
        with_names(of_plants("battery_status_code")), "{{plant_name}}, {{device_name}}",
        states.BATTERY,
    ).no_value("No battery reports its state.")),
)  # fmt: skip

BATTERY_FACTS = Line(
    8,
    (8, ranking(
        "State of health",
        "Of each battery that reports one; of one that reports its modules' alone, the lowest.",
        f"sort({with_names(HEALTH)})",
        "{{plant_name}}, {{device_name}}", "percentunit",
        steps=((None, "red"), (0.7, "orange"), (0.8, "green")), top=1, long_names=True,
    ).no_value("none")),
    (8, curves(
        "Load by plant", "PV, less charging and feed-in.",
        Query(with_plant(LOAD), "{{plant_name}}", line=SPANNING), unit="watt", fill=0,
    )),
    (8, timeline(
        "Battery modes", "The rule by which each battery works.",
        with_names(of_plants("battery_mode_code")), "{{plant_name}}, {{device_name}}",
        states.BATTERY_MODE,
    ).no_value("No battery reports its mode.")),
)  # fmt: skip

DASHBOARD = dashboard(
    "fusionsolar-flow",
    "Energy flow",
    "Where the energy comes from and where it goes: modules, batteries, grid and load.",
    (ACCOUNT, PLANTS),
    (NOW, FLOW, TODAY, "Batteries", BATTERY_CURVES, BATTERY_FACTS),
)
