"""A handful of rows in full, and what statistics and upgrade records become."""

from dataclasses import asdict

import pytest

from exporter.catalogue.index import lookup
from exporter.catalogue.model import Kind, Metric, PlausibleRange, Row, Series
from exporter.northbound.enums import BATTERY_MODES, UPGRADE_RESULTS
from exporter.northbound.interfaces import DAY, HOUR

# What statistics and upgrade records become: key, metric, factor.
PLANT_HOUR = [
    ("radiation_intensity", "plant_period_irradiation_joules_per_square_meter", 3.6e6),
    ("theory_power", "plant_period_theoretical_energy_joules", 3.6e6),
    ("PVYield", "plant_period_pv_energy_joules", 3.6e6),
    ("inverterYield", "plant_period_inverter_energy_joules", 3.6e6),
    ("inverter_power", "plant_period_inverter_energy_joules", 3.6e6),
    ("selfProvide", "plant_period_self_supplied_energy_joules", 3.6e6),
    ("chargeCap", "plant_period_charge_energy_joules", 3.6e6),
    ("dischargeCap", "plant_period_discharge_energy_joules", 3.6e6),
    ("ongrid_power", "plant_period_feed_in_energy_joules", 3.6e6),
    ("power_profit", "plant_period_income", 1),
]
PLANT_LONGER = [
    ("use_power", "plant_period_consumed_energy_joules", 3.6e6),
    ("selfUsePower", "plant_period_self_consumed_energy_joules", 3.6e6),
    ("buyPower", "plant_period_purchased_energy_joules", 3.6e6),
    ("installed_capacity", "plant_period_capacity_watts", 1e3),
    ("performance_ratio", "plant_period_performance_ratio", 0.01),
    ("perpower_ratio", "plant_period_full_load_seconds", 3600),
    ("reduction_total_co2", "plant_period_co2_reduction_grams", 1e6),
    ("reduction_total_coal", "plant_period_coal_savings_grams", 1e6),
    ("reduction_total_tree", "plant_period_trees", 1),
]
BATTERY = [
    ("charge_cap", "battery_period_charge_energy_joules", 3.6e6),
    ("discharge_cap", "battery_period_discharge_energy_joules", 3.6e6),
    ("charge_time", "battery_period_charge_seconds", 3600),
    ("discharge_time", "battery_period_discharge_seconds", 3600),
]
INVERTER = [
    ("installed_capacity", "inverter_period_capacity_watts", 1e3),
    ("product_power", "inverter_period_energy_joules", 3.6e6),
    ("perpower_ratio", "inverter_period_full_load_seconds", 3600),
]
DAY_ONLY = [
    ("yield_deviation", "inverter_period_yield_deviation_ratio", 0.01),
    ("total_aop", "inverter_period_availability_ratio", 0.01),
    ("aoc_ratio", "inverter_period_communication_ratio", 0.01),
]
UPGRADE = [
    ("process", "device_upgrade_progress_ratio", 0.01),
    ("lastUpgradeTime", "device_upgrade_timestamp_seconds", 0.001),
]


def tariff(energy, unit, value):
    return f'meter_{energy}_tariff_energy_{unit}_total{{tariff="{value}"}}'


def test_a_number_in_a_key_becomes_a_label():
    assert asdict(lookup("getDevRealKpi", 1)["pv7_u"]) == asdict(
        Row(
            interface="getDevRealKpi",
            device_type=1,
            key="pv7_u",
            series=Series(
                Metric(
                    name="fusionsolar_inverter_string_voltage_volts",
                    kind=Kind.GAUGE,
                    help="Voltage of a string (pv1_u to pv36_u).",
                    unit="volts",
                    labels=("string",),
                ),
                ("7",),
            ),
            source_unit="V",
            range=PlausibleRange(-0.9, 2_000, measured_freely=True),
        )
    )


def test_strings_of_a_central_inverter_are_strings_like_any_other():
    central = lookup("getDevRealKpi", 14)["center_i_10"]

    assert central.metric == lookup("getDevRealKpi", 1)["pv10_i"].metric
    assert central.metric.help == (
        "Current of a string (pv1_i to pv36_i, center_i_1 to center_i_10)."
    )
    assert central.labels == ("10",)


def test_a_plants_lifetime_energy_is_a_counter_of_joules():
    assert asdict(lookup("getStationRealKpi", None)["total_power"]) == asdict(
        Row(
            interface="getStationRealKpi",
            device_type=None,
            key="total_power",
            series=Series(
                Metric(
                    name="fusionsolar_plant_energy_joules_total",
                    kind=Kind.COUNTER,
                    help="Lifetime energy produced (total_power).",
                    unit="joules",
                )
            ),
            factor=3_600_000,
            source_unit="kWh",
            range=PlausibleRange(0, 1e10 * 50 * 366 * DAY),
        )
    )


def test_a_battery_mode_is_a_stateset_with_a_code():
    assert asdict(lookup("getDevRealKpi", 39)["ch_discharge_model"]) == asdict(
        Row(
            interface="getDevRealKpi",
            device_type=39,
            key="ch_discharge_model",
            series=Series(
                Metric(
                    name="fusionsolar_battery_mode",
                    kind=Kind.STATESET,
                    help="Rule by which a battery works (ch_discharge_model).",
                )
            ),
            states=BATTERY_MODES,
            code=Series(
                Metric(
                    name="fusionsolar_battery_mode_code",
                    kind=Kind.GAUGE,
                    help="Rule by which a battery works, as the code that was sent "
                    "(ch_discharge_model).",
                )
            ),
        )
    )


def test_a_statistic_knows_its_period_and_not_yet_its_window():
    assert asdict(lookup("getKpiStationDay", None)["radiation_intensity"]) == asdict(
        Row(
            interface="getKpiStationDay",
            device_type=None,
            key="radiation_intensity",
            series=Series(
                Metric(
                    name="fusionsolar_plant_period_irradiation_joules_per_square_meter",
                    kind=Kind.GAUGE,
                    help="Irradiation during the period (radiation_intensity).",
                    unit="joules_per_square_meter",
                    labels=("period", "window"),
                ),
                ("day",),
            ),
            factor=3_600_000,
            source_unit="kWh/m²",
            range=PlausibleRange(0, 1_400 * 25 * HOUR),
        )
    )


def test_the_state_of_an_upgrade_is_a_stateset_with_a_code():
    assert asdict(lookup("getDevUpgradeInfo", 38)["upgradeResult"]) == asdict(
        Row(
            interface="getDevUpgradeInfo",
            device_type=38,
            key="upgradeResult",
            series=Series(
                Metric(
                    name="fusionsolar_device_upgrade_state",
                    kind=Kind.STATESET,
                    help="State of a device's last upgrade (upgradeResult).",
                )
            ),
            states=UPGRADE_RESULTS,
            code=Series(
                Metric(
                    name="fusionsolar_device_upgrade_state_code",
                    kind=Kind.GAUGE,
                    help="State of a device's last upgrade, as the code that was sent "
                    "(upgradeResult).",
                )
            ),
        )
    )


@pytest.mark.parametrize(
    ("interface", "device_type", "key", "name", "factor"),
    [
        *(("getKpiStationHour", None, *fact) for fact in PLANT_HOUR),
        *(
            (f"getKpiStation{period}", None, *fact)
            for period in ("Day", "Month", "Year")
            for fact in PLANT_HOUR + PLANT_LONGER
        ),
        *(
            (f"getDevKpi{period}", device_type, *fact)
            for period in ("Day", "Month", "Year")
            for device_type, facts in (
                (39, BATTERY),
                (41, BATTERY[:2]),
                (1, INVERTER),
                (14, INVERTER),
                (38, INVERTER),
            )
            for fact in facts
        ),
        *(("getDevKpiDay", device_type, *fact) for device_type in (1, 14, 38) for fact in DAY_ONLY),
        *(("getDevUpgradeInfo", device_type, *fact) for device_type in (1, 38) for fact in UPGRADE),
    ],
)
def test_a_statistic_or_record_becomes_a_metric(interface, device_type, key, name, factor):
    row = lookup(interface, device_type)[key]

    assert (row.metric.name, row.factor) == (f"fusionsolar_{name}", factor)


@pytest.mark.parametrize(
    ("device_type", "key", "series"),
    [
        (1, "ab_u", 'inverter_line_voltage_volts{line="ab"}'),
        (1, "a_u", 'inverter_phase_voltage_volts{phase="a"}'),
        (1, "mppt_10_cap", 'inverter_mppt_energy_joules_total{mppt="10"}'),
        (1, "mppt_total_cap", "inverter_dc_energy_joules_total"),
        (14, "center_i", "inverter_dc_current_amperes"),
        (14, "center_i_1", 'inverter_string_current_amperes{string="1"}'),
        (17, "active_power", "meter_active_power_watts"),
        (17, "active_power_c", 'meter_phase_active_power_watts{phase="c"}'),
        (17, "active_cap", "meter_positive_active_energy_joules_total"),
        (17, "positive_active_top", tariff("positive_active", "joules", "sharp")),
        (17, "reverse_active_peak", tariff("reverse_active", "joules", "peak")),
        (17, "positive_reactive_power", tariff("positive_reactive", "var_seconds", "shoulder")),
        (17, "reverse_reactive_valley", tariff("reverse_reactive", "var_seconds", "off_peak")),
        (23070, "active_power", "meter_active_power_watts"),
        (23070, "active_cap", "meter_reverse_active_energy_joules_total"),
        (23070, "reverse_active_cap", "meter_positive_active_energy_joules_total"),
        (23070, "ex_active_power", "meter_external_active_power_watts"),
        (15, "temprature", "combiner_temperature_celsius"),
        (15, "dc_i20", 'combiner_string_current_amperes{string="20"}'),
        (10, "radiant_total", "weather_day_irradiation_joules_per_square_meter"),
        (41, "ch_discharge_power", "battery_power_watts"),
        (39, "rated_capacity", "battery_rated_energy_joules"),
        (
            39,
            "battery_unit_info.unit2.3.soh",
            'battery_module_state_of_health_ratio{unit="2"}{module="3"}',
        ),
        (
            39,
            "battery_unit_info.unit4.soh",
            'battery_module_state_of_health_ratio{unit="4"}{module="1"}',
        ),
        (8, "ca_u", 'transformer_line_voltage_volts{line="ca"}'),
    ],
)
def test_a_key_becomes_a_series(device_type, key, series):
    row = lookup("getDevRealKpi", device_type)[key]
    labels = zip(row.metric.labels, row.labels, strict=True)
    written = "".join(f'{{{name}="{value}"}}' for name, value in labels)

    assert row.metric.name + written == f"fusionsolar_{series}"
