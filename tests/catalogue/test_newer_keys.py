"""What newer servers (23.x to 26.x) send beside the reference: a metric for each, or a reason."""

import pytest

from exporter.catalogue.index import lookup
from exporter.northbound import enums
from exporter.northbound.device_types import DEVICE_TYPES, REALTIME_TYPES, STATISTICS_TYPES

PHASES, LINES = "abc", ("ab", "bc", "ca")
TARIFFS = [
    f"{direction}_{kind}_{tariff}"
    for direction in ("positive", "reverse")
    for kind in ("active", "reactive")
    for tariff in ("top", "peak", "power", "valley")
]
MODULES = [
    f"battery_unit_info.unit{unit}{place}.{what}"
    for unit in range(1, 5)
    for place in ("", ".1", ".2", ".3")
    for what in ("sn", "soh")
]
HOUR = ["PVYield", "inverterYield", "selfProvide", "chargeCap", "dischargeCap"]
LONGER = [*HOUR, "selfUsePower", "buyPower", "inverter_power", "use_power", "ongrid_power"]

# Interface, device type (None: plant) and keys: documented, or seen in answers.
SENT = [
    ("getStationRealKpi", None, ["day_on_grid_energy", "day_use_energy"]),
    ("getKpiStationHour", None, [*HOUR, "inverter_power", "ongrid_power", "power_profit"]),
    *((f"getKpiStation{period}", None, LONGER) for period in ("Day", "Month", "Year")),
    ("getDevRealKpi", 23070, [
        "active_power", *(f"active_power_{phase}" for phase in PHASES), "active_cap",
        "reverse_active_cap", "reactive_power", "power_factor", "run_state",
        *(f"{phase}_{what}" for phase in PHASES for what in "ui"),
    ]),
    ("getDevRealKpi", 47, [
        "active_power", *(f"active_power_{phase}" for phase in PHASES), "meter_u", "meter_i",
        "b_u", "c_u", "b_i", "c_i", *(f"{line}_u" for line in LINES), "reactive_power",
        *(f"reactive_power_{phase}" for phase in PHASES), "total_apparent_power",
        "forward_reactive_cap", "reverse_reactive_cap", *TARIFFS, "grid_frequency",
        "power_factor", "meter_status", "run_state", "active_cap", "reverse_active_cap",
    ]),
    ("getDevRealKpi", 17, ["active_power", *(f"active_power_{phase}" for phase in PHASES)]),
    ("getDevRealKpi", 39, [
        "rated_capacity", *MODULES, "battery_soh", "ch_discharge_power", "max_charge_power",
        "max_discharge_power", "battery_status", "ch_discharge_model",
    ]),
    *(
        (f"getDevKpi{period}", 39, ["charge_cap", "discharge_cap", "charge_time", "discharge_time"])
        for period in ("Day", "Month", "Year")
    ),
    ("getDevRealKpi", 41, [
        "ch_discharge_power", "battery_soc", "battery_soh", "charge_cap", "discharge_cap",
        "run_state",
    ]),
    *(
        (f"getDevKpi{period}", 41, ["charge_cap", "discharge_cap"])
        for period in ("Day", "Month", "Year")
    ),
    ("getDevRealKpi", 60001, [
        "mains_state", "ac_voltage", "ac_current", "ac_frequency", "active_power",
        "grid_quality_grade", "total_energy_consumption", "supply_duration_per_total",
    ]),
    ("getDevRealKpi", 60003, ["running_state", "output_power", "load_rate"]),
    ("getDevRealKpi", 60010, ["ac_voltage", "ac_current", "ac_frequency", "active_power"]),
    ("getDevRealKpi", 60014, [
        "battery_state", "soc", "charge_discharge_power", "voltage", "current", "total_capacity",
        "total_discharge", "total_discharge_times", "remaining_backup_time",
    ]),
    ("getDevRealKpi", 60043, ["total_output_current", "total_output_power"]),
    ("getDevRealKpi", 60044, ["input_voltage", "output_voltage", "output_current", "on_off_state"]),
    ("getDevRealKpi", 60092, [
        "pv_input_voltage", "pv_input_current", "pv_input_power", "inverter_voltage",
        "inverter_frequency", "ac_output_voltage", "ac_output_current", "ac_output_frequency",
        "ac_output_apparent_power", "total_runtime",
    ]),
    *(
        ("getDevRealKpi", device_type, [
            *(f"pv{number}_{what}" for number in range(1, 37) for what in "ui"), "close_time",
            "mppt_power", *(f"mppt_{number}_cap" for number in range(1, 5)), "day_cap",
        ])
        for device_type in (1, 38)
    ),
]  # fmt: skip

# Keys without a metric, and why.
LEFT_OUT = {
    ("getStationRealKpi", None, "active_power"): "one report alone; no list of keys has it",
    ("getStationRealKpi", None, "real_power"): "what clients look for, and nobody has seen",
    ("getStationRealKpi", None, "current_power"): "what clients look for, and nobody has seen",
    ("getDevRealKpi", 23070, "grid_frequency"): "an EMMA does not send it",
}

# Types by what newer documents call them; those without values have a name alone.
NAMED = {
    1: "string_inverter", 2: "smartlogger", 8: "transformer", 10: "emi", 13: "dpu",
    16: "general_device", 17: "grid_meter", 22: "pid", 37: "pinnet_smartlogger",
    38: "smart_energy_center", 39: "battery", 40: "smart_backup_box", 41: "ess", 45: "mbus",
    46: "optimizer", 47: "power_sensor", 62: "dongle", 63: "distributed_smartlogger",
    70: "safety_box", 23070: "emma", 23093: "pv_ess_all_in_one", 60001: "mains", 60003: "genset",
    60010: "ac_output", 60014: "battery_rack", 60043: "solar_supply_group",
    60044: "solar_supply_unit", 60092: "power_converter",
}  # fmt: skip


@pytest.mark.parametrize(
    ("interface", "device_type", "keys"), SENT, ids=[f"{row[0]}-{row[1]}" for row in SENT]
)
def test_every_key_that_newer_servers_send_has_a_metric(interface, device_type, keys):
    assert [key for key in keys if key not in lookup(interface, device_type)] == []


@pytest.mark.parametrize("source", LEFT_OUT)
def test_what_is_left_out_has_a_reason_and_no_metric(source):
    interface, device_type, key = source
    assert key not in lookup(interface, device_type)
    assert LEFT_OUT[source]


def test_every_listed_type_has_its_name():
    assert {number: DEVICE_TYPES[number].slug for number in NAMED} == NAMED


def test_what_has_values_is_asked_for_them_and_nothing_else_is():
    emma_and_sites = {number for number in NAMED if number > 100} - {23093}
    assert {1, 8, 10, 14, 15, 17, 38, 39, 41, 47} | emma_and_sites == REALTIME_TYPES
    assert {1, 14, 38, 39, 41} == STATISTICS_TYPES


def test_the_codes_of_newer_servers_have_names():
    assert sorted(enums.BATTERY_MODES) == list(range(13))
    assert enums.BATTERY_STATES[4] == "hibernating"
    assert enums.SOLAR_SUPPLY_STATES == {0: "on", 1: "off"}
    assert len(set(enums.BATTERY_MODES.values())) == 13


@pytest.mark.parametrize(
    "metric",
    [
        ("getDevRealKpi", 23070, "reactive_power"),
        ("getDevRealKpi", 23070, "ex_active_power"),
        ("getDevRealKpi", 47, "reactive_power_a"),
        ("getDevRealKpi", 47, "total_apparent_power"),
        ("getDevRealKpi", 60043, "total_output_power"),
    ],
)
def test_what_nobody_has_verified_says_so(metric):
    interface, device_type, key = metric
    assert "nobody has verified" in lookup(interface, device_type)[key].metric.help
