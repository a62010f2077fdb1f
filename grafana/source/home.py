"""A home: what does the roof give, where does it go, and what is it worth?

On a telephone panels stand below each other in this order: the first fit its screen.
"""

from collections.abc import Callable

from grafana.source import balance
from grafana.source.boards import ACCOUNT, PLANT, Line, dashboard, price
from grafana.source.flow import (
    BATTERY,
    CHARGE,
    CHARGE_COLOR,
    DISCHARGE_COLOR,
    DRAW_COLOR,
    FED_IN,
    FEED_IN_COLOR,
    LOAD,
    LOAD_COLOR,
    METER,
    PV,
    PV_COLOR,
    SPANNING,
    USED,
)
from grafana.source.history import (
    DAYS,
    MONTHS,
    YEARS,
    Calendar,
    by_past_period,
    by_period,
    year_before,
)
from grafana.source.panels import DASHED, STALE, Query, Steps, curves, gauges, heatmap, numbers
from grafana.source.promql import age, kilowatt_hours, of_plants, with_currency
from grafana.source.tables import Column, best, table

OLD = age(of_plants("plant_last_reading_timestamp_seconds"))
IDLE = 20  # W that count as nothing: meters waver
KEPT_COLOR = "semi-dark-green"
LATER = "A period is drawn once its statistics have come."
SHARES: Steps = ((None, "text"), (0, "red"), (0.3, "orange"), (0.6, "green"))
KEPT: Steps = ((None, "text"), (0, KEPT_COLOR))  # what is fed in is no loss
# ms between two bars that are no gap; a gap would make the bars as narrow as a day.
NO_GAPS = {"insertNulls": 400 * 86_400_000}
WEEK = {"1 Mon": -3, "2 Tue": -2, "3 Wed": -1, "4 Thu": 0, "5 Fri": 1, "6 Sat": 2, "7 Sun": 3}


def _now(period: str) -> tuple[str, ...]:
    return f'period="{period}"', 'window="current"'


PERIODS = {
    "today": _now("day"),
    "this month": _now("month"),
    "this year": _now("year"),
    "of all time": (),
}


def _kilograms(when: tuple[str, ...]) -> str:
    """Of all time at the rate of this year: nobody counts it."""
    of_period = (
        f"sum({of_plants('plant_period_co2_reduction_grams', *(when or _now('year')))}) / 1000"
    )
    if when:
        return of_period
    ever, year = (f"sum({balance.produced(of_plants, *each)})" for each in ((), _now("year")))
    return f"{of_period} * {ever} / ({year} > 0)"


def _flows(power: str, above: Query, below: Query, idle: str) -> tuple[Query, ...]:
    """In words which way a power flows; `above` and `below` bear names and colours."""
    total = f"sum({power})"
    return (
        Query(f"{total} > {IDLE}", above.legend, above.color),
        Query(f"-{total} > {IDLE}", below.legend, below.color),
        Query(f"round(abs({total})) <= {IDLE}", idle, "text"),
    )


def _energy(name: str, color: str, joules: str) -> Query:
    return Query(kilowatt_hours(f"sum({joules})"), name, color)


def _money(energy: Callable[..., str], price: str, period: str, color: str) -> Query:
    """With the currency in its name, if one is configured."""
    joules = energy(of_plants, *PERIODS[period])
    worth = f"sum({kilowatt_hours(joules)} * ${price})"
    return Query(with_currency(worth, of_plants), f"{period} {{{{currency}}}}", color)


NOW = Line(
    8,
    (7, numbers(
        "Now",
        "Which way the energy flows: means of the last quarter of an hour, as inverter, meter and "
        "battery are not read at the same moment. It says so if the last reading is older.",
        Query(f"sum({PV})", "from the roof", PV_COLOR),
        Query(f"sum({LOAD})", "used at home", LOAD_COLOR),
        *_flows(
            METER,
            Query("", "fed into the grid", FEED_IN_COLOR),
            Query("", "drawn from the grid", DRAW_COLOR),
            "grid: nothing flows",
        ),
        *_flows(
            BATTERY,
            Query("", "charges the battery", CHARGE_COLOR),
            Query("", "comes from the battery", DISCHARGE_COLOR),
            "battery: at rest",
        ),
        Query(CHARGE, "battery is full to", "text", "percentunit", axis=False),
        Query(f"max({OLD}) > {STALE[1][0]}", "last reading, ago", STALE[1][1], "s", axis=False),
        unit="watt",
    ).no_value("nothing reported")),
    (5, numbers(
        "Today",
        "Since the plant's midnight, by its statistics, which come about once an hour.",
        _energy("produced", PV_COLOR, balance.produced(of_plants, *_now("day"))),
        _energy("used", LOAD_COLOR, USED),
        _energy("fed in", FEED_IN_COLOR, FED_IN),
        _energy("drawn", DRAW_COLOR, balance.imported(of_plants, *_now("day"))),
        unit="kwatth",
    ).no_value("not reported yet")),
    (6, gauges(
        "Self-sufficiency", "The part of the consumption that did not come from the grid.",
        *(
            Query(balance.self_sufficiency(of_plants, *when), name)
            for name, when in PERIODS.items()
        ),
        steps=SHARES,
    ).no_value("no meter")),
    (6, gauges(
        "Self-consumption", "The part of what the roof gave that did not go into the grid.",
        *(
            Query(balance.self_consumption(of_plants, *when), name)
            for name, when in PERIODS.items()
        ),
        steps=KEPT,
    ).no_value("no meter")),
)  # fmt: skip

COURSE = Line(
    9,
    (12, curves(
        "Power",
        "What the roof gives and what the home uses; means of a quarter of an hour. Dashed is what "
        "the roof would give under a clear sky, learned from its own best days: it begins after a "
        "week of them.",
        Query(f"sum({PV})", "from the roof", PV_COLOR),
        Query(
            f"sum({LOAD})", "used at home", LOAD_COLOR,
            line={"fillOpacity": 0, **SPANNING},
        ),
        Query(
            f"sum({of_plants('plant_expected_power_watts')})", "expected under a clear sky",
            "orange", line=DASHED,
        ),
        unit="watt", floor=0, fill=25,
    ).no_value("No inverter has reported anything in this time.")),
    (12, curves(
        "Battery",
        "How full it is; on the right its power, which is negative while it is discharged.",
        Query(
            CHARGE, "state of charge", "green", line={"axisSoftMin": 0, "axisSoftMax": 1},
        ),
        Query(
            f"sum({BATTERY})", "power (+ charging)", "blue", "watt",
            {**DASHED, "axisCenteredZero": True},
        ),
        unit="percentunit", fill=20,
    ).no_value("No battery has reported anything in this time.")),
)  # fmt: skip


def _each_period(energy: Callable[..., str]) -> str:
    """In kWh, a series each period."""
    energies = {name: energy(of_plants, *when) for name, when in PERIODS.items()}
    return " or ".join(
        f'label_replace({kilowatt_hours(f"sum({joules})")}, "period", "{name}", "", "")'
        for name, joules in energies.items()
    )


ENERGIES = {
    "Yield": balance.produced,
    "Used": balance.consumed,
    "Fed in": balance.fed_in,
    "Drawn": balance.imported,
}
WORTH = Line(
    6,
    (6, numbers(
        "Saved",
        "What was used and did not come from the grid, at the grid's price, which stands at the "
        "top.",
        *(_money(balance.self_supplied, "import_price", period, "green") for period in PERIODS),
        unit="none",
    ).decimals(2).no_value("no meter")),
    (6, numbers(
        "Earned", "What was fed in, at its price, which stands at the top.",
        *(_money(balance.fed_in, "export_price", period, "blue") for period in PERIODS),
        unit="none",
    ).decimals(2).no_value("no meter")),
    (5, numbers(
        "CO₂ avoided",
        "By the energy of the roof, as the management system reckons it; of all time, at the rate "
        "of this year.",
        *(Query(_kilograms(when), name, "green") for name, when in PERIODS.items()),
        unit="suffix: kg",
    ).no_value("not reported yet")),
    (7, table(
        "Energy, kWh",
        "By the plant's statistics; of all time, by what the plant and its meters counted, also in "
        "the gauges and for the money. A meter that is younger than the plant counted less.",
        {"period": "Period"},
        *(
            Column(name, _each_period(energy), "none", 0, width=0)
            for name, energy in ENERGIES.items()
        ),
        sort={"Yield": False}, widths={"period": 80}, least=60,
    ).no_value("not reported yet")),
)  # fmt: skip


def _energies(calendar: Calendar, later: int = 0) -> dict[str, str]:
    """The energies of each day or month, in kWh."""
    energies = {
        each: by_period(of_plants, f"{each}_energy_joules", calendar, later)
        for each in ("pv", "inverter", "feed_in", "consumed", "self_supplied", "purchased")
    }
    made = f"({energies['pv']} or {energies['inverter']})"
    self_supplied = (
        f"({energies['self_supplied']} or {energies['inverter']} - {energies['feed_in']})"
    )
    return {
        "produced": kilowatt_hours(made),
        "supplied": kilowatt_hours(f"clamp_min({self_supplied}, 0)"),
        "kept": kilowatt_hours(f"clamp_min({made} - {energies['feed_in']}, 0)"),
        "fed in": kilowatt_hours(energies["feed_in"]),
        "drawn": kilowatt_hours(
            f"-clamp_min({energies['purchased']} or {energies['consumed']} - {self_supplied}, 0)"
        ),
    }


def _bars(calendar: Calendar) -> tuple[Query, ...]:
    energies = _energies(calendar)
    return (
        Query(energies["kept"], "used or stored at home", KEPT_COLOR, line=NO_GAPS),
        Query(energies["fed in"], "fed in", FEED_IN_COLOR, line=NO_GAPS),
        Query(energies["drawn"], "drawn from the grid", DRAW_COLOR, line=NO_GAPS),
    )


YEAR_BEFORE = kilowatt_hours(
    f"(({year_before(of_plants, 'pv_energy_joules', MONTHS)} "
    f"or {year_before(of_plants, 'inverter_energy_joules', MONTHS)}) "
    f"and {_energies(MONTHS)['produced']})"
)

BARS = Line(
    9,
    (12, curves(
        "Day by day",
        "Above zero what the roof gave, below it what came from the grid; the last bar is today's.",
        *_bars(DAYS), unit="kwatth", bars=True, stacked=True, daily=True,
    ).no_value(LATER)),
    (12, curves(
        "Month by month, and the year before",
        "As day by day. The dots are what the roof gave in the same month a year earlier; it needs "
        "a Prometheus that keeps two years.",
        *_bars(MONTHS),
        Query(
            YEAR_BEFORE, "the year before", "text",
            line={**NO_GAPS, "drawStyle": "points", "showPoints": "always", "pointSize": 8,
                  "stacking": {"mode": "none", "group": "B"}},
        ),
        unit="kwatth", bars=True, stacked=True, daily=True,
    ).time_from("1y").no_value(LATER)),
)  # fmt: skip

_YEARLY = _energies(YEARS)
_CAPACITY = by_period(of_plants, "capacity_watts", YEARS)


def _yearly_value(energy: str, price: str) -> str:
    return with_currency(f"({_YEARLY[energy]}) * ${price}", of_plants)


YEARLY = Line(
    8,
    (8, curves(
        "Year by year",
        "As day by day; the last bar is of the year that has begun. The history command fills in "
        "the years before the exporter came.",
        *_bars(YEARS),
        unit="kwatth", bars=True, stacked=True,
    ).interval("7d").time_from("10y").no_value(LATER)),
    (8, curves(
        "Specific yield by year, kWh/kWp",
        "The energy of each year for every kWp that was installed then. Weather moves it by a few "
        "percent from year to year; what falls year after year is age, dirt or shade.",
        Query(f"({_YEARLY['produced']}) / ({_CAPACITY} / 1000)", "kWh for each kWp", PV_COLOR,
              line=NO_GAPS),
        unit="none", bars=True, floor=0, legend="",
    ).interval("7d").time_from("10y").no_value(LATER)),
    (8, curves(
        "Savings and earnings by year",
        "Saved and earned, at today's prices, which stand at the top.",
        Query(
            _yearly_value("supplied", "import_price"), "saved {{currency}}", "green", line=NO_GAPS
        ),
        Query(
            _yearly_value("fed in", "export_price"), "earned {{currency}}", "blue", line=NO_GAPS
        ),
        unit="none", bars=True, stacked=True, floor=0,
    ).interval("7d").time_from("10y").no_value(LATER)),
)  # fmt: skip

WHOLE_DAYS = kilowatt_hours(
    f"({by_past_period(of_plants, 'pv_energy_joules', DAYS)} "
    f"or {by_past_period(of_plants, 'inverter_energy_joules', DAYS)})"
)
CALENDAR = Line(
    8,
    (12, heatmap(
        "Calendar",
        "What the roof gave each day: a column is a week, the darker the more.",
        *(Query(_energies(DAYS, later=24 * days)["produced"], day) for day, days in WEEK.items()),
        unit="kwatth", scheme="YlGn",
    ).interval("7d").time_from("1y").no_value(LATER)),
    (6, best(
        "Best days", "The ten best days of the last year.",
        _energies(DAYS)["produced"], "kwatth", 10,
    ).time_from("1y").no_value(LATER)),
    (6, best(
        "Worst days", "The ten worst days of the last year that are over.",
        WHOLE_DAYS, "kwatth", 10, worst=True,
    ).time_from("1y").no_value(LATER)),
)  # fmt: skip

DASHBOARD = dashboard(
    "fusionsolar-home",
    "Home",
    "What the roof gives, where it goes, and what it is worth.",
    (
        ACCOUNT,
        PLANT,
        price("import_price", "Price of the grid's kWh", "What a kWh from the grid costs", "0.30"),
        price("export_price", "Price of a kWh fed in", "What a kWh fed in brings", "0.08"),
    ),
    (NOW, COURSE, WORTH, BARS, YEARLY, CALENDAR),
    narrow=True,
)
