"""The queries of panels, evaluated by promtool on series of the tests."""

import pytest
from prometheus.dashboards import KWH, assert_query, panel_query, panels, series, with_variables
from prometheus.promtool import needs_promtool

pytestmark = [pytest.mark.slow, needs_promtool]

HOUR = 3600


def days(ahead):
    """The hourly samples of four days of UTC, of a plant whose clocks are some hours ahead.

    Each day yields as many kWh as its number, evenly.
    """
    windows = {"current": 0, "previous": 1}
    starts, energies = {each: [] for each in windows}, {each: [] for each in windows}
    for hour in range(4 * 24 + 1):
        today, since = divmod(hour + ahead, 24)
        for window, back in windows.items():
            day = today - back
            starts[window].append(float((24 * day - ahead) * HOUR))
            share = 1.0 if back else since / 24
            energies[window].append(float(day * share * KWH))
    period = {"period": "day"}
    for window in windows:
        yield series(
            "plant_period_start_timestamp_seconds", *starts[window], window=window, **period
        )
        yield series("plant_period_pv_energy_joules", *energies[window], window=window, **period)


@pytest.mark.parametrize("ahead", [-8, 0, 2, 11])
def test_a_day_is_drawn_at_its_own_date_in_any_zone_and_the_running_one_so_far(tmp_path, ahead):
    today, since = divmod(4 * 24 + ahead, 24)
    bars = {day: float(day) for day in range(1, today)} | {today: today * since / 24}
    expected = {day * 24 * HOUR: [("{}", bars[day])] if day in bars else [] for day in range(1, 5)}
    assert_query(tmp_path, "1h", list(days(ahead)), panel_query("home", "Best days"), expected)


def powers_read_apart(seconds_later):
    """100 kW of PV, 2 fed in; the meter is read some seconds after the inverter."""
    yield series("plant_info", *[1.0] * 31, plant_name="Home")
    for kind, device, watts, seconds in (
        ("inverter_dc", "inverter", 100e3, 0.0),
        ("meter_active", "meter", 2e3, float(seconds_later)),
    ):
        yield series(f"{kind}_power_watts", *[watts] * 31, device_id=device)
        at = [60.0 * minute + seconds for minute in range(31)]
        yield series("device_last_reading_timestamp_seconds", *at, device_id=device)


def test_a_load_is_made_of_readings_of_one_quarter_of_an_hour_only(tmp_path):
    load = panel_query("flow", "Load by plant")
    plant = '{plant_code="P", plant_name="Home"}'
    assert_query(tmp_path, "1m", list(powers_read_apart(300)), load, {1800: [(plant, 98e3)]})
    assert_query(tmp_path, "1m", list(powers_read_apart(1200)), load, {1800: []})
    assert_query(
        tmp_path,
        "1m",
        list(powers_read_apart(1200)),
        panel_query("flow", "Age spread"),
        {1800: [("{}", 1200)]},
    )


def test_a_string_that_died_is_drawn_and_one_that_never_was_is_not(tmp_path):
    strings = {"1": (8.0, 9.0), "2": (8.0, 0.0), "3": (0.0, 0.0), "4": (0.0, 0.0)}
    input_series = [
        series(
            "inverter_string_current_amperes",
            *[before] * 60,
            *[now] * 61,
            device_id="D",
            string=name,
        )
        for name, (before, now) in strings.items()
    ]
    # The fourth is wired, but dead from the start.
    input_series += [
        series("inverter_string_voltage_volts", *[volts] * 121, device_id="D", string=name)
        for name, volts in (("3", 3.0), ("4", 600.0))
    ]
    identity = 'device_id="D", plant_code="P"'
    shown = [
        (f'{{{identity}, string="0{name}"}}', now)
        for name, (_before, now) in strings.items()
        if name != "3"
    ]
    assert_query(tmp_path, "1m", input_series, panel_query("inverter", "Strings"), {7200: shown})


@pytest.mark.parametrize(
    ("watts", "words"),
    [(500.0, "fed into the grid"), (-500.0, "drawn from the grid"), (5.0, "grid: nothing flows")],
)
def test_a_home_is_told_in_words_which_way_the_energy_flows(tmp_path, watts, words):
    input_series = [series("meter_active_power_watts", *[watts] * 16, device_id="meter")]
    for each in ("fed into the grid", "drawn from the grid", "grid: nothing flows"):
        expected = [("{}", abs(watts))] if each == words else []
        assert_query(
            tmp_path, "1m", input_series, panel_query("home", "Now", each), {900: expected}
        )


def test_phases_that_there_are_not_are_not_drawn(tmp_path):
    for dashboard in ("inverter", "meters"):
        kind = dashboard.removesuffix("s")
        input_series = [
            series(f"{kind}_phase_{quantity}", value, value, device_id="D", phase=phase)
            for phase, volts, amperes in (("a", 230.0, 4.0), ("b", 230.0, 0.0), ("c", 0.0, 0.0))
            for quantity, value in (("voltage_volts", volts), ("current_amperes", amperes))
        ]
        input_series.append(series("device_info", 1.0, 1.0, device_id="D", device_name="D"))
        input_series.append(series("plant_info", 1.0, 1.0, plant_name="P"))
        (panel,) = (each for each in panels(dashboard) if each["title"] == "Phase currents")
        drawn = with_variables(" or ".join(target["expr"] for target in panel["targets"]))
        expected = [('{phase="a"}', 4.0), ('{phase="b"}', 0.0)]
        assert_query(tmp_path, "1m", input_series, f"sum by (phase) ({drawn})", {60: expected})


@pytest.mark.parametrize(("seconds", "shown"), [(3600, [("{}", 3000)]), (1200, [])])
def test_a_home_is_told_if_its_values_are_old(tmp_path, seconds, shown):
    input_series = [series("plant_last_reading_timestamp_seconds", *[600.0] * 61)]
    assert_query(
        tmp_path,
        "1m",
        input_series,
        panel_query("home", "Now", "last reading, ago"),
        {seconds: shown},
    )


def test_all_but_the_ten_largest_plants_are_one(tmp_path):
    input_series = [
        series(metric, *[value] * 2, plant_code=f"{number}", **labels)
        for number in range(1, 13)
        for metric, value, labels in (
            ("plant_capacity_watts", number * 1e3, {}),
            ("inverter_active_power_watts", 100.0 + number, {"device_id": f"inverter {number}"}),
        )
    ]
    others = panel_query("fleet", "Power by plant", "all others").replace('"P"', '".+"')
    assert_query(tmp_path, "1m", input_series, others, {60: [("{}", 203.0)]})


def test_a_home_is_told_what_it_saved_at_its_price_and_in_its_currency(tmp_path):
    when = {"period": "day", "window": "current"}
    input_series = [
        series("plant_period_self_supplied_energy_joules", *[10.0 * KWH] * 2, **when),
        series("account_info", 1.0, 1.0, currency="EUR", plant_code=""),
        series("plant_info", 1.0, 1.0),
    ]
    saved = panel_query("home", "Saved", "today {{currency}}")
    assert_query(tmp_path, "1m", input_series, saved, {60: [('{currency="EUR"}', 3.0)]})


def batteries(**rated):
    """Two batteries, one half full and one full, that are rated for so many kWh."""
    for device, ratio in (("small", 1.0), ("large", 0.5)):
        yield series("battery_state_of_charge_ratio", ratio, ratio, device_id=device)
    for device, capacity in rated.items():
        kwh = capacity * KWH
        yield series("battery_rated_energy_joules", kwh, kwh, device_id=device)


def test_batteries_are_full_by_what_they_hold_or_it_is_said_that_they_count_alike(tmp_path):
    weighed, plain = (
        panel_query("flow", "State of charge", name) for name in ("together", "plain mean")
    )
    whole = panel_query("home", "Now", "battery is full to")
    for rated, by_energy, alike in (
        ({"small": 5.0, "large": 15.0}, [("{}", 0.625)], []),
        ({"small": 5.0}, [], [("{}", 0.75)]),
        ({}, [], [("{}", 0.75)]),
    ):
        input_series = list(batteries(**rated))
        assert_query(tmp_path, "1m", input_series, weighed, {60: by_energy})
        assert_query(tmp_path, "1m", input_series, plain, {60: alike})
        assert_query(tmp_path, "1m", input_series, whole, {60: by_energy or alike})


def test_a_battery_is_as_healthy_as_its_weakest_module_if_it_tells_no_more(tmp_path):
    input_series = [
        series("battery_state_of_health_ratio", 0.0, 0.0, device_id="modules"),
        series("battery_state_of_health_ratio", 0.9, 0.9, device_id="whole"),
    ]
    input_series += [
        series(
            "battery_module_state_of_health_ratio",
            *[health] * 2,
            device_id=device,
            unit="1",
            module=module,
        )
        for device, module, health in (
            ("modules", "1", 0.95),
            ("modules", "2", 0.85),
            ("whole", "1", 0.8),
        )
    ]
    input_series.append(series("plant_info", 1.0, 1.0, plant_name="Home"))
    for device in ("modules", "whole"):
        input_series.append(series("device_info", 1.0, 1.0, device_id=device, device_name=device))
    of_home = 'plant_code="P", plant_name="Home"'
    expected = [
        (f'{{{of_home}, device_id="{device}", device_name="{device}"}}', value)
        for device, value in (("modules", 0.85), ("whole", 0.9))
    ]
    assert_query(
        tmp_path, "1m", input_series, panel_query("flow", "State of health"), {60: expected}
    )


def test_the_racks_of_a_site_charge_or_supply_it(tmp_path):
    for watts, charging, supplying in ((900.0, [("{}", 900.0)], []), (-900.0, [], [("{}", 900.0)])):
        input_series = [series("rack_power_watts", watts, watts, device_id="rack")]
        for legend, samples in (
            ("charges the racks", charging),
            ("comes from the racks", supplying),
        ):
            assert_query(
                tmp_path, "1m", input_series, panel_query("site", "Now", legend), {60: samples}
            )


def test_the_sun_over_a_site_is_counted_once(tmp_path):
    input_series = [
        series("solar_supply_group_output_power_watts", 700.0, 700.0, device_id="group"),
        series("converter_pv_power_watts", 300.0, 300.0, device_id="converter"),
    ]
    sun = panel_query("site", "Now", "from the sun")
    assert_query(tmp_path, "1m", input_series, sun, {60: [("{}", 300.0)]})
    assert_query(tmp_path, "1m", input_series[:1], sun, {60: [("{}", 700.0)]})


@pytest.mark.parametrize(("statistic", "shown"), [((7.0, 7.0), 7.0), ((None, None), 9.0)])
def test_what_was_fed_in_today_is_of_the_statistics_as_all_it_adds_up_with(
    tmp_path, statistic, shown
):
    when = {"period": "day", "window": "current"}
    input_series = [
        series(
            "plant_period_feed_in_energy_joules",
            *[each and each * KWH for each in statistic],
            **when,
        ),
        series("plant_day_feed_in_energy_joules", *[9.0 * KWH] * 2),
    ]
    for place in (panel_query("flow", "Fed in today"), panel_query("home", "Today", "fed in")):
        assert_query(tmp_path, "1m", input_series, place, {60: [("{}", shown)]})


def test_the_configured_export_limit_is_named(tmp_path):
    modes = {"no_limit": 0.0, "zero_export_limitation": 1.0}
    label = "fusionsolar_plant_export_limit_mode"
    input_series = [
        series("plant_export_limit_mode", v, v, **{label: mode}) for mode, v in modes.items()
    ]
    named = f'{{plant_code="P", {label}="zero_export_limitation"}}'
    assert_query(
        tmp_path, "1m", input_series, panel_query("plant", "Export limit"), {60: [(named, 1.0)]}
    )


def test_a_home_reads_its_energy_of_each_period_and_of_all_time(tmp_path):
    input_series = [
        series("plant_period_pv_energy_joules", *[n * KWH] * 2, period=period, window="current")
        for period, n in (("day", 5.0), ("month", 70.0), ("year", 800.0))
    ]
    input_series.append(series("plant_energy_joules_total", *[9000.0 * KWH] * 2))
    (table,) = (panel for panel in panels("home") if panel["title"] == "Energy, kWh")
    produced = with_variables(table["targets"][0]["expr"])
    expected = {"today": 5.0, "this month": 70.0, "this year": 800.0, "of all time": 9000.0}
    shown = [(f'{{period="{name}"}}', value) for name, value in expected.items()]
    assert_query(tmp_path, "1m", input_series, produced, {60: shown})


@pytest.mark.parametrize(
    ("dashboard", "title", "metric"),
    [
        ("home", "Power", "plant_expected_power_watts"),
        ("plant", "Power and irradiance", "plant_expected_power_watts"),
        ("inverter", "Power", "inverter_expected_power_watts"),
    ],
)
def test_what_is_expected_stands_beside_what_is(tmp_path, dashboard, title, metric):
    device = {"device_id": "D"} if dashboard == "inverter" else {}
    expected = panel_query(dashboard, title, "expected under a clear sky")
    input_series = [series(metric, 4200.0, 4200.0, **device)]
    assert_query(tmp_path, "1m", input_series, f"sum({expected})", {60: [("{}", 4200.0)]})


def test_of_plants_of_one_size_those_that_gave_most_are_drawn_and_not_others_at_each_look(tmp_path):
    input_series = [
        series(metric, *[value] * 2, plant_code=f"{number}", **labels)
        for number in range(1, 31)
        for metric, value, labels in (
            ("plant_capacity_watts", 5e3, {}),
            ("plant_energy_joules_total", number * 1e4 * KWH, {}),
            ("inverter_active_power_watts", 100.0 + number, {"device_id": f"inverter {number}"}),
        )
    ]
    others = panel_query("fleet", "Power by plant", "all others").replace('"P"', '".+"')
    assert_query(
        tmp_path, "1m", input_series, others, {60: [("{}", 20 * 100.0 + sum(range(1, 21)))]}
    )


def test_plants_that_were_never_ill_are_not_among_the_ten_worst(tmp_path):
    input_series = [
        series(metric, *values, plant_code=code, **labels)
        for code, healths in {"well": [3.0] * 61, "ill": [2.0] * 9 + [3.0] * 52}.items()
        for metric, values, labels in (
            ("plant_health_state_code", healths, {}),
            ("plant_info", [1.0] * 61, {"plant_name": code}),
        )
    ]
    shown = panel_query("fleet", "Plants that were not healthy").replace('"P"', '".+"')
    assert_query(
        tmp_path, "1m", input_series, shown, {3600: [('{plant_code="ill", plant_name="ill"}', 3.0)]}
    )


def test_a_home_is_told_its_shares_money_and_carbon_of_all_time_by_what_its_meter_counted(tmp_path):
    year = {"period": "year", "window": "current"}
    input_series = [
        series(metric, value, value, **labels)
        for metric, value, labels in (
            ("plant_energy_joules_total", 10_000.0 * KWH, {}),
            ("meter_positive_active_energy_joules_total", 4_000.0 * KWH, {"device_id": "meter"}),
            ("meter_reverse_active_energy_joules_total", 2_000.0 * KWH, {"device_id": "meter"}),
            ("plant_period_pv_energy_joules", 1_000.0 * KWH, year),
            ("plant_period_co2_reduction_grams", 475e3, year),
            ("account_info", 1.0, {"currency": "EUR", "plant_code": ""}),
            ("plant_info", 1.0, {}),
        )
    ]
    euros = '{currency="EUR"}'
    for title, legend, labels, value in (
        ("Self-consumption", "of all time", "{}", 0.6),
        ("Self-sufficiency", "of all time", "{}", 0.75),
        ("Saved", "of all time {{currency}}", euros, 1_800.0),
        ("Earned", "of all time {{currency}}", euros, 320.0),
        ("CO₂ avoided", "of all time", "{}", 4_750.0),
    ):
        assert_query(
            tmp_path,
            "1m",
            input_series,
            panel_query("home", title, legend),
            {60: [(labels, value)]},
        )
