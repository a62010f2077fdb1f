"""Plants and devices count once, whichever accounts and exporters tell of them."""

import re

import pytest
from prometheus.dashboards import (
    DASHBOARDS,
    KWH,
    assert_query,
    panel_query,
    panels,
    series,
    with_variables,
)
from prometheus.promtool import needs_promtool

pytestmark = [pytest.mark.slow, needs_promtool]


def test_what_two_exporters_tell_one_after_the_other_is_one_curve(tmp_path):
    input_series = [
        series("meter_active_power_watts", *values, device_id="D", instance=instance)
        for instance, values in (("old", (700.0, 700.0, None)), ("new", (None, 700.0, 700.0)))
    ]
    input_series += [
        series("device_info", 1.0, 1.0, 1.0, device_id="D", device_name="Meter", instance="new"),
        series("plant_info", 1.0, 1.0, 1.0, plant_name="Home", instance="new"),
    ]
    names = 'device_name="Meter", plant_name="Home"'
    curve = [(f'{{plant_code="P", device_id="D", {names}}}', 700.0)]
    assert_query(
        tmp_path, "1m", input_series, panel_query("meters", "Active power (+ fed in)"), {60: curve}
    )


def series_of_two_accounts():
    """The same series of a plant of 100 kW, of two accounts."""
    when = {"period": "day", "window": "current"}
    for account in ("owner", "installer"):
        for metric, value, labels in (
            ("inverter_dc_power_watts", 60e3, {"device_id": "inverter"}),
            ("inverter_active_power_watts", 60e3, {"device_id": "inverter"}),
            ("meter_active_power_watts", -5e3, {"device_id": "meter"}),
            ("meter_reverse_active_energy_joules_total", 70 * KWH, {"device_id": "meter"}),
            ("plant_capacity_watts", 100e3, {}),
            ("plant_day_energy_joules", 400.0 * KWH, {}),
            ("plant_health_state_code", 2.0, {}),
            ("plant_period_pv_energy_joules", 400.0 * KWH, when),
            ("plant_period_self_supplied_energy_joules", 300.0 * KWH, when),
            ("alarms_active", 1.0, {"severity": "major"}),
            ("account_info", 1.0, {"currency": "EUR", "plant_code": ""}),
            ("plant_info", 1.0, {"plant_name": "Barn"}),
        ):
            yield series(metric, value, value, account=account, **labels)


@pytest.mark.parametrize(
    ("dashboard", "title", "legend", "value"),
    [
        ("home", "Now", "from the roof", 60e3),
        ("home", "Now", "drawn from the grid", 5e3),
        ("home", "Today", "produced", 400.0),
        ("home", "Saved", "today {{currency}}", 90.0),
        ("flow", "Energy flow", "PV", 60e3),
        ("flow", "Energy flow", "load", -65e3),
        ("flow", "PV today", None, 400.0),
        ("fleet", "Power now", None, 60e3),
        ("fleet", "Power now, kW/kWp", None, 0.6),
        ("fleet", "Energy today", None, 400.0),
        ("fleet", "Power by plant", "{{plant_name}}", 60e3),
        ("fleet", "Plants not healthy", None, 1.0),
        ("fleet", "Serious alarms", None, 1.0),
        ("meters", "Grid (+ fed in)", None, -5e3),
        ("alarms", "Affected plants", None, 1.0),
    ],
)
def test_a_plant_counts_once_however_many_accounts_tell_of_it(
    tmp_path, dashboard, title, legend, value
):
    shown = f"sum({panel_query(dashboard, title, legend)})"
    assert_query(tmp_path, "1m", list(series_of_two_accounts()), shown, {60: [("{}", value)]})


def test_plants_named_alike_are_told_apart_by_their_codes_and_others_by_their_names(tmp_path):
    input_series = []
    for code, account, name in (
        ("1", "north", "Home"),
        ("2", "south", "Home"),
        ("3", "south", "Barn"),
        ("3", "north", "Barn"),
    ):
        of = {"account": account, "plant_code": code}
        input_series.append(series("plant_info", 1.0, 1.0, plant_name=name, **of))
        input_series.append(series("plant_capacity_watts", 5e3, 5e3, **of))
        input_series.append(series("inverter_active_power_watts", 2e3, 2e3, device_id=code, **of))
    curves = panel_query("fleet", "Power by plant", "{{plant_name}}").replace('"P"', '".+"')
    names = {"1": "Home, 1", "2": "Home, 2", "3": "Barn"}
    shown = [(f'{{plant_code="{c}", plant_name="{name}"}}', 2e3) for c, name in names.items()]
    assert_query(tmp_path, "1m", input_series, curves, {60: shown})
    variables = DASHBOARDS["fleet"]["templating"]["list"]
    (query,) = (each["query"]["query"] for each in variables if each["name"] == "plant")
    listed = [(labels, 1.0) for labels, _watts in shown]
    assert_query(
        tmp_path,
        "1m",
        input_series,
        with_variables(query).removeprefix("query_result"),
        {60: listed},
    )


def test_whatever_is_told_of_plants_is_told_once():
    """However many exporters and accounts tell of them."""
    of_plants = [
        target["expr"]
        for name in DASHBOARDS
        for panel in panels(name)
        for target in panel["targets"]
        if "$plant" in target["expr"]
    ]
    once = (
        r"max without \((account, job, instance\) \(|account\) \(sum without \(job, instance\) \()"
        r"(\w+\()?fusionsolar_\w+{[^}]*}"
    )
    compared = r"(max|last)_over_time\(fusionsolar_\w+{[^}]*}"
    for query in of_plants:
        left = re.findall(r"\b(fusionsolar_\w+){", re.sub(f"{once}|{compared}", "", query))
        assert set(left) <= {"fusionsolar_plant_info", "fusionsolar_device_info"}


def test_accounts_that_disagree_about_a_name_are_no_error(tmp_path):
    input_series = [
        series("meter_active_power_watts", 700.0, 700.0, device_id="D", account="north")
    ]
    for account, name in (("north", "Old"), ("south", "New")):
        input_series.append(series("plant_info", 1.0, 1.0, plant_name=name, account=account))
        input_series.append(series("device_info", 1.0, 1.0, device_id="D", device_name=name))
    curves = f"sum by (plant_code, device_id) ({panel_query('meters', 'Active power (+ fed in)')})"
    assert_query(
        tmp_path, "1m", input_series, curves, {60: [('{plant_code="P", device_id="D"}', 700.0)]}
    )
