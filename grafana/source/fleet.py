"""All plants: how much do they give now, and which of them needs a look?"""

from grafana.source import site, states
from grafana.source.boards import ACCOUNT, PLANTS, Line, dashboard, link
from grafana.source.panels import (
    NONE_IS_GOOD,
    PERFORMING,
    STALE,
    Query,
    colored_series,
    curves,
    named_series,
    ranking,
    stat,
    timeline,
    trend,
)
from grafana.source.promql import (
    age,
    kilowatt_hours,
    merged,
    of_plants,
    per_plant,
    with_account,
    with_plant,
)
from grafana.source.tables import Column, places, table

PLANT_PAGE = link("fusionsolar-plant", plant="${__data.fields.plant_code}")
SERIES_PAGE = link("fusionsolar-plant", plant="${__field.labels.plant_code}")

# A Power-M site has no inverter.
POWER = f"({per_plant(of_plants('inverter_active_power_watts'))} or {site.SUN})"
CAPACITY = per_plant(of_plants("plant_capacity_watts"))
SHARE = f"({POWER} / ({CAPACITY} > 0))"
TODAY = per_plant(of_plants("plant_day_energy_joules"))
HEALTH = of_plants("plant_health_state_code")
SERIOUS = of_plants("alarms_active", 'severity=~"critical|major"')
LAST_READING = of_plants("plant_last_reading_timestamp_seconds")
# Among equals Prometheus picks at random, anew at each refresh: of plants of one size, those that
# gave most for all time.
LARGEST = (
    f"topk(10, {CAPACITY} + 1e-15 * {per_plant(of_plants('plant_energy_joules_total'))} "
    f"or {CAPACITY})"
)
YIELD = f"({TODAY} / ({CAPACITY} > 0) / 3600)"  # kWh/kWp of today
HEALTHY = 3  # the lower the mean, the longer a plant was not
_MEAN = f"avg_over_time({of_plants.series('plant_health_state_code')}[$__range] @ end())"
LEAST_HEALTHY = f"bottomk(10, {merged(_MEAN)} < {HEALTHY})"
YESTERDAY = ('period="day"', 'window="previous"')
PERFORMANCE = per_plant(of_plants("plant_period_performance_ratio", *YESTERDAY))
FULL_LOAD = of_plants("plant_period_full_load_seconds", *YESTERDAY)

NOW = Line(
    5,
    (4, trend(
        "Power now",
        "Active power of all inverters that report and, of Power-M sites, of their modules.",
        f"sum({POWER})", "watt",
    )),
    (4, trend(
        "Power now, kW/kWp",
        "Power of the plants that report it, divided by their installed capacity.",
        f"sum({POWER} and {CAPACITY}) / (sum({CAPACITY} and {POWER}) > 0)",
        "none", decimals=2,
    )),
    (4, stat(
        "Energy today",
        "Energy produced since each plant's own midnight.",
        kilowatt_hours(f"sum({TODAY})"), "kwatth",
    )),
    (4, stat(
        "Plants not healthy",
        "Plants that the management system calls faulty or disconnected.",
        f"sum({HEALTH} != bool {HEALTHY})", steps=NONE_IS_GOOD,
    )),
    (4, stat(
        "Serious alarms", "Active alarms, critical and major.", f"sum({SERIOUS})",
        steps=NONE_IS_GOOD,
    )),
    (4, stat(
        "Oldest reading",
        "Time since values of a plant last came, for the plant that waits longest.",
        f"max({age(LAST_READING)})", "s", steps=STALE, decimals=0,
    )),
)  # fmt: skip

PLACES = Line(
    9,
    (14, curves(
        "Power by plant",
        "Power of each of the ten largest plants, and of all others together.",
        Query(with_plant(f"({POWER} and {LARGEST})"), "{{plant_name}}"),
        Query(f"sum({POWER} unless {LARGEST})", "all others", "text"),
        unit="watt", stacked=True, floor=0,
    )),
    (10, places(
        "Health on the map",
        "Plants at their coordinates, coloured by health.",
        with_plant(per_plant(of_plants("plant_latitude_degrees"))),
        with_plant(per_plant(of_plants("plant_longitude_degrees"))),
        Column("Health", with_plant(per_plant(HEALTH)), states=states.PLANT_HEALTH),
    )),
)  # fmt: skip

PLANTS_TABLE = table(
    "Plants",
    "Every plant with what it does now and, where it has a weather station, its performance ratio "
    "(PR) of the last complete day; first those that are not healthy or have most alarms. A click "
    "opens the plant.",
    {"plant_name": "Plant", "account": "Account", "plant_code": ""},
    Column(
        "Health",
        with_account(with_plant(per_plant(HEALTH))),
        states=states.PLANT_HEALTH,
        width=120,
    ),
    Column("Power", with_plant(POWER), "watt", 1),
    Column("kW/kWp", with_plant(SHARE), "none", 2, bar=1, width=150),
    Column("Today", with_plant(f"({kilowatt_hours(TODAY)})"), "kwatth", 1),
    Column("kWh/kWp", with_plant(YIELD), "none", 2),
    Column("PR yesterday", with_plant(PERFORMANCE), "percentunit", 0, PERFORMING, width=115),
    Column("Alarms", with_plant(per_plant(SERIOUS)), "short", 0, NONE_IS_GOOD),
    Column("Age", with_plant(per_plant(age(LAST_READING))), "s", 0, STALE),
    sort={"Health": False, "Alarms": True},
    widths={"account": 120},
    links={"plant_name": PLANT_PAGE},
)

WORST = Line(
    9,
    (24, PLANTS_TABLE),
)  # fmt: skip

RANKS = Line(
    8,
    (6, ranking(
        "Highest yield today, kWh/kWp",
        "Energy since each plant's midnight divided by installed capacity: the ten highest.",
        f"sort_desc({with_plant(f'topk(10, {YIELD})')})", "{{plant_name}}", "none",
    ).decimals(2)),
    (6, ranking(
        "Lowest yield today, kWh/kWp",
        "As the highest: the ten lowest, as soon as any plant has 0.5 kWh/kWp.",
        f"sort({with_plant(f'(bottomk(10, {YIELD}) and on () max({YIELD}) > 0.5)')})",
        "{{plant_name}}", "none",
    ).decimals(2).no_value("none yet")),
    (6, ranking(
        "Lowest yesterday, kWh/kWp",
        "Energy of the last complete day divided by installed capacity: the ten "
        "lowest.",
        f"sort({with_plant(f'(bottomk(10, {FULL_LOAD}) / 3600)')})", "{{plant_name}}", "none",
    ).decimals(2)),
    (6, ranking(
        "Highest power now, kW/kWp",
        "Power divided by installed capacity: the ten highest of those that give any.",
        f"sort_desc({with_plant(f'topk(10, {SHARE} > 0)')})", "{{plant_name}}", "none", top=1,
    ).decimals(2).no_value("none")),
)  # fmt: skip

PAST = Line(
    8,
    (8, timeline(
        "Plants that were not healthy",
        "What the management system says of them; the ten that were longest not healthy.",
        with_plant(f"({per_plant(HEALTH)} and on (plant_code) {LEAST_HEALTHY})"),
        "{{plant_name}}", states.PLANT_HEALTH, link=SERIES_PAGE,
    ).no_value("All plants were healthy in this time.")),
    (8, named_series(
        curves(
            "Inverters by state", "How many inverters are in each state.",
            Query(f'count_values("code", {of_plants("inverter_state_code")})', "{{code}}"),
            unit="short", stacked=True, floor=0,
        ),
        states.INVERTER,
    )),
    (8, colored_series(
        curves(
            "Active alarms", "Alarms that are active, by severity.",
            Query(f"sum by (severity) ({of_plants('alarms_active')})", "{{severity}}"),
            unit="short", stacked=True, floor=0,
        ),
        states.SEVERITY_COLORS,
    )),
)  # fmt: skip

DASHBOARD = dashboard(
    "fusionsolar-fleet",
    "Fleet overview",
    "How much all plants give now, and which of them needs a look.",
    (ACCOUNT, PLANTS),
    (NOW, PLACES, WORST, RANKS, PAST),
)
