"""One plant: does it give what its sun would let it?"""

from grafana.source import balance, states
from grafana.source.boards import ACCOUNT, PLANT, Folded, Line, dashboard, link
from grafana.source.history import DAYS, by_period
from grafana.source.panels import (
    DASHED,
    HOT,
    NONE_IS_GOOD,
    PERFORMING,
    STALE,
    Query,
    curves,
    heatmap,
    numbers,
    ranking,
    stat,
    timeline,
    trend,
)
from grafana.source.promql import (
    age,
    in_use,
    kilowatt_hours,
    of_plant,
    with_currency,
    with_device,
)
from grafana.source.tables import Column, each, table

NO_INVERTER = "No inverter is read."
NO_STATION = "This plant has no weather station."
INVERTER_ROW = link("fusionsolar-inverter", plant="${plant}", device="${__data.fields.device_id}")
INVERTER_SERIES = link(
    "fusionsolar-inverter", plant="${plant}", device="${__field.labels.device_id}"
)

POWER = of_plant("inverter_active_power_watts")
IRRADIANCE = of_plant("weather_irradiance_watts_per_square_meter")
STATE = of_plant("inverter_state_code")
LAST_READING = of_plant("device_last_reading_timestamp_seconds")
TODAY = balance.TODAY
YESTERDAY = ('period="day"', 'window="previous"')


def _each(expression: str) -> str:
    return with_device(f"sum by (device_id) ({expression})")


def _previous(quantity: str) -> str:
    return of_plant(f"plant_period_{quantity}", *YESTERDAY)


NOW = Line(
    5,
    (3, stat(
        "Health", "What the management system says of the plant.",
        f"max({of_plant('plant_health_state_code')})", states=states.PLANT_HEALTH,
    ).no_value("not reported")),
    (4, trend(
        "Power now", "Active power of all inverters that report.", f"sum({POWER})", "watt",
    ).no_value("not reported")),
    (4, stat(
        "Share of capacity", "Power now, divided by the installed capacity.",
        f"sum({POWER}) / (sum({of_plant('plant_capacity_watts')}) > 0)", "percentunit", decimals=1,
    ).no_value("not reported")),
    (3, stat(
        "Energy today", "Energy produced since the plant's midnight.",
        kilowatt_hours(f"sum({of_plant('plant_day_energy_joules')})"), "kwatth",
    ).no_value("not reported")),
    (3, stat(
        "This month", "Energy produced since the first of the month.",
        kilowatt_hours(f"sum({of_plant('plant_month_energy_joules')})"), "kwatth",
    ).no_value("not reported")),
    (3, stat(
        "Active alarms", "Alarms of any severity.", f"sum({of_plant('alarms_active')})",
        steps=NONE_IS_GOOD,
    ).no_value("not reported")),
    (4, stat(
        "Last reading", "Time since values of the plant last came.",
        f"max({age(of_plant('plant_last_reading_timestamp_seconds'))})", "s", steps=STALE,
        decimals=0,
    ).no_value("not reported")),
)  # fmt: skip

CURVES = Line(
    9,
    (15, curves(
        "Power and irradiance",
        "Active power of all inverters that report, the DC power that they would have under a "
        "clear sky, learned from their own best days, and the irradiance in the plane of the "
        "modules where the plant has a weather station.",
        Query(f"sum({POWER})", "power", "green"),
        Query(
            f"sum({of_plant('plant_expected_power_watts')})", "expected under a clear sky",
            "orange", line=DASHED,
        ),
        Query(
            f"avg({IRRADIANCE})", "irradiance", "yellow", "Wm2",
            {"fillOpacity": 0, "axisSoftMax": 1000},
        ),
        unit="watt", fill=25, floor=0,
    ).no_value(NO_INVERTER)),
    (9, curves(
        "Energy per day",
        "Energy put out by the inverters on each of the last 30 days; the last bar is today's.",
        Query(
            kilowatt_hours(by_period(of_plant, "inverter_energy_joules", DAYS)), "energy", "green"
        ),
        unit="kwatth", bars=True, floor=0, daily=True,
    ).no_value("A day is drawn once its statistics have come.")),
)  # fmt: skip

SUN = (6, curves(
    "Sun", "Elevation above the horizon at the plant's coordinates.",
    Query(f"max({of_plant('plant_sun_elevation_degrees')})", "elevation", "yellow"),
    unit="degree",
).no_value("Where the plant is, is not known."))  # fmt: skip

INVERTERS = Line(
    8,
    (9, timeline(
        "Inverters", "State of each inverter; a click opens it.",
        with_device(STATE), "{{device_name}}", states.INVERTER,
        link=INVERTER_SERIES,
    ).no_value(NO_INVERTER)),
    (9, curves(
        "Power by inverter", "Active power of each inverter.",
        Query(with_device(POWER), "{{device_name}}"), unit="watt", floor=0, fill=0,
    ).no_value(NO_INVERTER)),
    SUN,
)  # fmt: skip

COMPARISON = Line(
    8,
    (24, table(
        "Inverters compared",
        "What each inverter gives now and gave today, and its power as a share of the strongest "
        "one's. Inverters with other modules differ for that reason alone.",
        {"device_name": "Inverter", "device_id": ""},
        *each(
            _each,
            Column("State", STATE, states=states.INVERTER, width=190),
            Column("Power", POWER, "watt", 1),
            Column(
                "Of the strongest", f"{POWER} / on () group_left () (max({POWER}) > 0)",
                "percentunit", 0, bar=1, width=150,
            ),
            Column("Today", kilowatt_hours(of_plant("inverter_day_energy_joules")), "kwatth", 1),
            Column("Temperature", of_plant("inverter_temperature_celsius"), "celsius", 1, HOT),
            Column("Age", f"{age(LAST_READING)} and {STATE}", "s", 0, STALE),
        ),
        sort={"Inverter": False}, least=100,
        links={"device_name": INVERTER_ROW},
    ).no_value(NO_INVERTER)),
)  # fmt: skip

PAST = Line(
    4,
    (4, stat(
        "Yesterday, kWh/kWp", "Energy divided by installed capacity: full-load hours.",
        f"max({_previous('full_load_seconds')}) / 3600", "none", decimals=2,
    ).no_value("no day is over yet")),
    (4, stat(
        "Fed in yesterday", "Energy fed into the grid.",
        kilowatt_hours(f"max({_previous('feed_in_energy_joules')})"), "kwatth",
    ).no_value("no meter")),
    (4, stat(
        "Self-consumption", "Today's part of what the modules gave that the grid did not get.",
        balance.self_consumption(of_plant, *TODAY), "percentunit", decimals=0,
    ).no_value("not reported yet")),
    (4, stat(
        "Self-sufficiency", "Today's part of the consumption that did not come from the grid.",
        balance.self_sufficiency(of_plant, *TODAY), "percentunit", decimals=0,
    ).no_value("no meter")),
    (4, stat(
        "Lifetime energy", "Energy produced since the plant began to count.",
        kilowatt_hours(f"sum({of_plant('plant_energy_joules_total')})"), "kwatth",
    ).no_value("not reported")),
    (4, stat(
        "Income today", "Revenue today, in the account's currency if one is configured.",
        with_currency(f"sum({of_plant('plant_day_income')})", of_plant),
        "none", legend="{{currency}}", decimals=2,
    ).no_value("not reported")),
)  # fmt: skip

IRRADIATION = Line(
    6,
    (5, stat(
        "Performance ratio yesterday",
        "Energy put out yesterday to the energy that the irradiation would have given.",
        f"max({_previous('performance_ratio')})", "percentunit",
        steps=PERFORMING, decimals=1,
    ).no_value("no weather station")),
    (5, stat(
        "Irradiation yesterday, kWh/m²", "On the day before today.",
        kilowatt_hours(f"max({_previous('irradiation_joules_per_square_meter')})"), "none",
        decimals=2,
    ).no_value("no weather station")),
    (14, curves(
        "Performance ratio per day",
        "Energy put out to the energy that the irradiation would have given without losses.",
        Query(by_period(of_plant, "performance_ratio", DAYS), "performance ratio", "blue"),
        unit="percentunit", bars=True, floor=0, daily=True,
    ).no_value(NO_STATION)),
)  # fmt: skip

ENVIRONMENT = Line(
    8,
    (8, curves(
        "Irradiance", "In the plane of the modules, and on the horizontal.",
        Query(f"avg({IRRADIANCE})", "modules", "yellow"),
        Query(
            f"avg({of_plant('weather_horizontal_irradiance_watts_per_square_meter')})",
            "horizontal", "orange",
        ),
        unit="Wm2", floor=0,
    ).no_value(NO_STATION)),
    (8, curves(
        "Temperatures", "Of the air and of the modules.",
        Query(f"avg({of_plant('weather_ambient_temperature_celsius')})", "air", "blue"),
        Query(f"avg({of_plant('weather_module_temperature_celsius')})", "modules", "red"),
        unit="celsius", fill=0,
    ).no_value(NO_STATION)),
    (8, curves(
        "Wind", "Speed, and direction on the right: 0° is north.",
        Query(f"avg({of_plant('weather_wind_speed_meters_per_second')})", "speed", "blue"),
        Query(
            f"avg({of_plant('weather_wind_direction_degrees')})", "direction", "purple", "degree",
            {"drawStyle": "points", "showPoints": "always", "pointSize": 3},
        ),
        unit="velocityms", floor=0,
    ).no_value(NO_STATION)),
)  # fmt: skip

NO_BOXES = "This plant has no DC combiner boxes that are read."
BOXES = Line(
    9,
    (6, ranking(
        "Combiner boxes", "Current of each DC combiner box.",
        f"sort_desc({with_device(of_plant('combiner_dc_current_amperes'))})", "{{device_name}}",
        "amp",
    ).no_value("no boxes")),
    (12, heatmap(
        "Strings of combiner boxes",
        "Current of each string over time: a dark row among bright ones is a string that is out or "
        "weak. Inputs that never carried a current are left out.",
        Query(
            with_device(in_use(of_plant, "combiner_string")), "{{device_name}}, string {{string}}"
        ),
        unit="amp",
    ).no_value(NO_BOXES)),
    (6, curves(
        "Temperatures of combiner boxes", "Inside each DC combiner box.",
        Query(with_device(of_plant("combiner_temperature_celsius")), "{{device_name}}"),
        unit="celsius", fill=0,
    ).no_value(NO_BOXES)),
)  # fmt: skip

NOT_ASKED = "The interfaces that report it are off, or report nothing of this plant."
CONFIGURED = {1: "configured"}


def _configured(metric: str) -> str:
    return f"{of_plant(metric)} == 1"


CONFIGURATION = Line(
    7,
    (8, timeline(
        "Export limit", "How the plant's feed-in is limited.",
        _configured("plant_export_limit_mode"), "{{fusionsolar_plant_export_limit_mode}}",
        CONFIGURED,
    ).no_value(NOT_ASKED)),
    (8, timeline(
        "Battery mode", "The rule by which the batteries are configured to work.",
        _configured("plant_battery_mode"), "{{fusionsolar_plant_battery_mode}}", CONFIGURED,
    ).no_value(NOT_ASKED)),
    (8, numbers(
        "Maximum feed-in", "Where the export limit is a power, or a share of the plant's.",
        Query(f"sum({of_plant('plant_export_limit_watts')})", "power"),
        Query(
            f"max({of_plant('plant_export_limit_ratio')})", "share", unit="percentunit", axis=False,
        ),
        unit="watt",
    ).no_value("no limit reported")),
)  # fmt: skip

DASHBOARD = dashboard(
    "fusionsolar-plant",
    "Plant",
    "Whether a plant gives what its sun would let it.",
    (ACCOUNT, PLANT),
    (
        NOW,
        CURVES,
        INVERTERS,
        COMPARISON,
        PAST,
        Folded("Configuration", CONFIGURATION),
        Folded("Weather station", IRRADIATION, ENVIRONMENT),
        Folded("DC combiner boxes", BOXES),
    ),
)
