from collections import Counter

import pytest
from exposition.world import DEVICES, PLANTS, World
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from exporter.catalogue.index import ROWS, lookup
from exporter.exposition.plausibility import Output
from exporter.exposition.telemetry import NAMED_KEYS
from exporter.exposition.translate import Translator
from exporter.northbound.interfaces import Subject
from exporter.northbound.records import Device, Plant, Reading, Values

REALTIME = "getDevRealKpi"
NOW = 1_750_798_800.0


def translate(device_type, values, rejected=None, factors=None, interface=None):
    interface = interface or (PLANTS.name if device_type is None else REALTIME)
    translator = Translator(factors or {})
    return translator.translate(
        interface, device_type, Reading("d", Values(values), rejected or {}), NOW
    )


def numbers(translation):
    """Value by metric and labels, in short."""
    return {(s.metric.name, *s.labels): value for s, value in translation.samples.items()}


def test_states_that_are_not_named_are_shown_by_their_code():
    shown = {}
    for named in (True, False):
        translator = Translator({}, name_states=named)
        reading = Reading("d", Values({"inverter_state": 512.0, "run_state": 7.5}))
        found = translator.translate(REALTIME, 1, reading, NOW)
        shown[named] = numbers(found)
        assert found.unknown_states == Counter(fusionsolar_inverter_run_state=1)
    codes = {
        ("fusionsolar_inverter_state_code",): 512.0,
        ("fusionsolar_inverter_run_state_code",): 7.5,
    }
    assert shown[False] == codes
    assert shown[True].items() >= codes.items()
    assert shown[True]["fusionsolar_inverter_state", "grid_connected"] == 1.0


def test_states_that_have_no_code_are_named_in_any_case():
    translator = Translator({}, name_states=False)
    row = next(row for row in ROWS if row.words)
    word, name = next(iter(row.words.items()))
    reading = Reading("d", Values({}), {}, {row.key: word})
    found = numbers(translator.translate(row.interface, row.device_type, reading, NOW))
    assert found[(row.metric.name, *row.labels, name)] == 1.0
    assert len(found) == len(row.state_names) + 1  # and unknown


# Numbers


@pytest.mark.parametrize(
    ("device_type", "key", "value", "metric", "expected"),
    [
        (None, "day_power", 1.5, "plant_day_energy_joules", 5.4e6),
        (None, "total_power", 2.0, "plant_energy_joules_total", 7.2e6),
        (None, "day_income", -1.5, "plant_day_income", -1.5),
        (1, "active_power", 86.5, "inverter_active_power_watts", 86_500.0),
        (1, "efficiency", 98.0, "inverter_efficiency_ratio", 0.98),
        (1, "open_time", 1.75e12, "inverter_startup_timestamp_seconds", 1.75e9),
        (8, "reactive_power", -0.5, "transformer_reactive_power_vars", -500.0),
        (10, "radiant_total", 2.5, "weather_day_irradiation_joules_per_square_meter", 2.5e6),
        (15, "temprature", 38.5, "combiner_temperature_celsius", 38.5),
        (17, "active_power", 112.0, "meter_active_power_watts", 112.0),
        (17, "forward_reactive_cap", 1.0, "meter_positive_reactive_energy_var_seconds_total", 36e5),
        (39, "battery_soh", 99.0, "battery_state_of_health_ratio", 0.99),
        (41, "ch_discharge_power", -51.0, "battery_power_watts", -51.0),
        (47, "reactive_power", 143.0, "meter_reactive_power_vars", 143.0),
    ],
)  # fmt: skip
def test_a_value_becomes_a_sample_in_base_units(device_type, key, value, metric, expected):
    translation = translate(device_type, {key: value})
    assert numbers(translation) == {(f"fusionsolar_{metric}",): pytest.approx(expected, rel=1e-15)}
    assert translation.rejected == Counter()


def test_a_number_in_a_key_becomes_a_label():
    assert numbers(translate(1, {"pv36_u": 612.5})) == {
        ("fusionsolar_inverter_string_voltage_volts", "36"): 612.5
    }


@pytest.mark.parametrize(
    ("values", "rejected", "shown"),
    [
        ({"inverter_power": 2.0}, {}, [7.2e6]),
        ({"inverter_power": 2.0, "inverterYield": 5.0}, {}, [1.8e7]),
        ({"inverterYield": 5.0, "inverter_power": 2.0}, {}, [1.8e7]),
        ({"inverter_power": 2.0}, {"inverterYield": "not_a_number"}, []),
        ({"inverterYield": 5.0}, {}, [1.8e7]),
    ],
)
def test_the_modules_yield_stands_for_the_inverters_only_where_theirs_is_not_sent(
    values, rejected, shown
):
    translation = translate(None, values, rejected, interface="getKpiStationDay")

    name = "fusionsolar_plant_period_inverter_energy_joules"
    assert [v for each, v in translation.samples.items() if each.metric.name == name] == shown
    assert translation.unknown_keys == []


def test_zero_is_a_value_but_of_a_lifetime_counter():
    values = {"active_power": 0.0, "day_cap": 0.0, "total_cap": 0.0, "mppt_1_cap": 0.0}
    assert numbers(translate(1, values)) == {
        ("fusionsolar_inverter_active_power_watts",): 0.0,
        ("fusionsolar_inverter_day_energy_joules",): 0.0,
    }


def test_a_configured_factor_replaces_the_catalogues_for_its_type_and_key_alone():
    factors = {(17, "active_power"): 1e3, (1, "active_power"): 1.0}
    watts = "fusionsolar_{}_active_power_watts"
    values = {"active_power": 2.0}
    assert numbers(translate(17, values, factors=factors)) == {(watts.format("meter"),): 2_000.0}
    assert numbers(translate(47, values, factors=factors)) == {(watts.format("meter"),): 2.0}
    assert numbers(translate(1, values, factors=factors)) == {(watts.format("inverter"),): 2.0}
    assert numbers(translate(38, values, factors=factors)) == {(watts.format("inverter"),): 2_000.0}


def test_a_reading_is_judged_after_its_configured_factor():
    output = Output(60e3, 60e3)
    for factors, expected in (({}, {}), ({(1, "active_power"): 1.0}, {"watts": 25_400.0})):
        reading = Reading("d", Values({"active_power": 25_400.0}))
        found = Translator(factors).translate(REALTIME, 1, reading, NOW, output)
        assert {each.metric.unit: value for each, value in found.samples.items()} == expected


@pytest.mark.parametrize("factor", [2.5e6, 1.0, 7.2e6])
def test_a_counter_follows_a_changed_factor_at_once_and_still_does_not_fall(factor):
    before, after = Translator({}), Translator({(1, "total_cap"): factor})
    energy = "fusionsolar_inverter_energy_joules_total"
    counters = {Subject.PLANTS: {}, Subject.DEVICES: {}}
    before.guard.restore(counters, {})
    before.translate(REALTIME, 1, Reading("d", Values({"total_cap": 100.0}), {}), NOW)
    after.guard.restore(counters, {"d": 1})

    found = after.translate(REALTIME, 1, Reading("d", Values({"total_cap": 99.0}), {}), NOW)

    assert numbers(found) == {(energy,): 100.0 * factor}
    assert found.rejected == {"counter_fell": 1}


def test_a_value_too_large_in_base_units_is_rejected_and_leaves_the_others():
    translation = translate(1, {"total_cap": 1e304, "active_power": 1e306, "a_u": 231.0})
    assert numbers(translation) == {("fusionsolar_inverter_phase_voltage_volts", "a"): 231.0}
    assert translation.rejected == Counter(not_finite=2)


def test_an_overflow_does_not_touch_the_guarded_counter():
    translator = Translator({})
    for value in (5.0, 1e304):
        translation = translator.translate(
            REALTIME, 1, Reading("d", Values({"total_cap": value})), NOW
        )
    assert translation.samples == {}
    again = translator.translate(REALTIME, 1, Reading("d", Values({"total_cap": 5.0})), NOW)
    assert numbers(again) == {("fusionsolar_inverter_energy_joules_total",): 1.8e7}


def test_a_counter_that_fell_is_counted_and_held():
    translator = Translator({})
    translator.translate(
        REALTIME, 1, Reading("d", Values({"total_cap": 10.0, "mppt_1_cap": 4.0})), NOW
    )
    fallen = translator.translate(
        REALTIME, 1, Reading("d", Values({"total_cap": 9.0, "mppt_1_cap": 5.0})), NOW
    )
    assert fallen.rejected == Counter(counter_fell=1)
    assert numbers(fallen) == {
        ("fusionsolar_inverter_energy_joules_total",): 3.6e7,
        ("fusionsolar_inverter_mppt_energy_joules_total", "1"): 1.8e7,
    }


def test_a_counter_is_held_per_label():
    translator = Translator({})
    translator.translate(REALTIME, 1, Reading("d", Values({"mppt_1_cap": 10.0})), NOW)
    other = translator.translate(REALTIME, 1, Reading("d", Values({"mppt_2_cap": 1.0})), NOW)
    assert numbers(other) == {("fusionsolar_inverter_mppt_energy_joules_total", "2"): 3.6e6}


def test_what_the_parser_could_not_use_is_counted_by_reason():
    rejected = {
        "active_power": "not_a_number",
        "a_u": "not_finite",
        "b_u": "not_finite",
        "inverter_state": "wrong_type",
    }
    translation = translate(1, {"day_cap": 1.0}, rejected)
    assert translation.rejected == Counter(not_a_number=1, not_finite=2, wrong_type=1)
    assert numbers(translation) == {("fusionsolar_inverter_day_energy_joules",): 3.6e6}


@pytest.mark.parametrize("device_type", [0, 2, 23093, -1])
def test_of_a_type_without_kpis_every_key_is_unknown(device_type):
    translation = translate(device_type, {"active_power": 1.0}, {"day_cap": "wrong_type"})
    assert translation.samples == {}
    assert sorted(translation.unknown_keys) == ["active_power", "day_cap"]
    assert translation.rejected == Counter()


# States

INVERTER_STATES = [
    (0, "standby_initializing"),
    (1, "standby_insulation_resistance_detection"),
    (2, "standby_sunlight_detection"),
    (3, "standby_power_grid_detection"),
    (256, "startup"),
    (512, "grid_connected"),
    (513, "grid_connected_power_limited"),
    (514, "grid_connected_self_derating"),
    (768, "shutdown_unexpected"),
    (769, "shutdown_commanded"),
    (770, "shutdown_ovgr"),
    (771, "shutdown_communication_disconnected"),
    (772, "shutdown_power_limited"),
    (773, "shutdown_manual_startup_required"),
    (774, "shutdown_dc_switch_disconnected"),
    (1025, "grid_schedule_cos_phi_p_curve"),
    (1026, "grid_schedule_q_u_curve"),
    (1280, "spot_check_ready"),
    (1281, "spot_checking"),
    (1536, "inspecting"),
    (1792, "afci_self_test"),
    (2048, "iv_scanning"),
    (2304, "dc_input_detection"),
    (40960, "standby_no_sunlight"),
    (45056, "communication_disconnected"),
    (49152, "loading"),
]
STATE_ROWS = [row for row in ROWS if row.states is not None]


def name_row(row):
    return f"{row.interface} {row.device_type} {row.key}"


@pytest.mark.parametrize(("code", "state"), INVERTER_STATES)
@pytest.mark.parametrize("device_type", [1, 14, 38])
def test_an_inverter_is_in_exactly_one_of_its_states(device_type, code, state):
    translation = translate(device_type, {"inverter_state": float(code)})
    every = [name for _, name in INVERTER_STATES] + ["unknown"]
    assert numbers(translation) == {
        ("fusionsolar_inverter_state_code",): code,
        **{("fusionsolar_inverter_state", name): float(name == state) for name in every},
    }
    assert translation.unknown_states == Counter()


@pytest.mark.parametrize("row", STATE_ROWS, ids=name_row)
def test_a_code_without_a_name_is_unknown_shown_and_counted(row):
    for code in {4.0, 99.0, 512.5, -1.0, 1e300, 65_536.0} - row.states.keys():
        translation = translate(row.device_type, {row.key: code}, interface=row.interface)
        states = {key: value for key, value in numbers(translation).items() if len(key) == 2}
        assert [name for (_, name), value in states.items() if value] == ["unknown"]
        assert len(states) == len(row.states) + 1
        assert numbers(translation)[row.code.metric.name,] == code
        assert translation.unknown_states == Counter({row.metric.name: 1})


@pytest.mark.parametrize("row", STATE_ROWS, ids=name_row)
def test_without_a_code_there_is_no_state_at_all(row):
    for rejected in ({}, {row.key: "not_a_number"}):
        assert translate(row.device_type, {}, rejected, interface=row.interface).samples == {}


# Unknown keys, on the account


def world_of(*devices):
    world = World()
    world.fleet(Plant("P", "Plant"), *devices)
    return world


def test_an_unknown_key_is_counted_each_time_and_named_once():
    world = world_of(Device("1", "P", 1), Device("2", "P", 1), Device("3", "P", 39))
    with capture_logs() as logs:
        for _ in range(2):
            world.answer(DEVICES, ["1", "2", "3"], {d: {"inverterYield": 1.0} for d in "123"})
            world.answer(PLANTS, ["P"], {"P": {"selfUsePower": 1.0}})
    named = [("string_inverter", "inverterYield"), ("battery", "inverterYield"),
             ("plant", "selfUsePower")]  # fmt: skip
    assert list(world.view.unknown_keys) == named
    assert [(entry["device_type"], entry["key"]) for entry in logs] == named
    assert world.self_metric("fusionsolar_unknown_keys_total", interface=REALTIME) == 6
    assert world.self_metric("fusionsolar_unknown_keys_total", interface=PLANTS.name) == 2


def test_a_key_that_brings_no_number_is_named_like_any_other():
    world = world_of(Device("1", "P", 1))
    world.answer(DEVICES, ["1"], {"1": {}}, {"1": {"battery_unit_info": "wrong_type"}})
    assert list(world.view.unknown_keys) == [("string_inverter", "battery_unit_info")]
    assert world.self_metric("fusionsolar_unknown_keys_total", interface=REALTIME) == 1
    reasons = {"interface": REALTIME, "reason": "wrong_type"}
    assert world.self_metric("fusionsolar_values_rejected_total", **reasons) is None


def test_only_so_many_keys_are_named_but_all_are_counted():
    world = world_of(Device("1", "P", 1))
    keys = {f"key {n}": 1.0 for n in range(NAMED_KEYS + 500)}
    world.answer(DEVICES, ["1"], {"1": keys})
    assert len(world.view.unknown_keys) == NAMED_KEYS == 1_000
    assert (
        world.self_metric("fusionsolar_unknown_keys_total", interface=REALTIME) == NAMED_KEYS + 500
    )


def test_unknown_states_are_counted_by_metric():
    world = world_of(Device("1", "P", 1))
    world.answer(DEVICES, ["1"], {"1": {"inverter_state": 7.0, "run_state": 1.0}})
    counted = {"metric": "fusionsolar_inverter_state"}
    assert world.self_metric("fusionsolar_unknown_states_total", **counted) == 1
    counted = {"metric": "fusionsolar_inverter_run_state"}
    assert world.self_metric("fusionsolar_unknown_states_total", **counted) is None


def test_every_reason_reaches_the_rejected_counter():
    world = world_of(Device("1", "P", 1))
    answer = [
        {"devId": 1, "dataItemMap": {"total_cap": 10, "active_power": "hot", "a_u": 1e308,
                                     "day_cap": 1e308, "b_u": [1]}},
        {"devId": 1, "dataItemMap": {}},
        {"devId": 2, "dataItemMap": {}},
        {"devId": None},
    ]  # fmt: skip
    for total in (10, 9):
        answer[0]["dataItemMap"]["total_cap"] = total
        parsed = DEVICES.parser(answer, ["1"])
        world.show(rejected={REALTIME: parsed.rejected})
        found = {each.subject: each for each in parsed.records}
        world.answer(DEVICES, ["1"], {"1": found["1"].values}, {"1": found["1"].rejected})
    counted = {
        reason: world.self_metric(
            "fusionsolar_values_rejected_total", interface=REALTIME, reason=reason
        )
        for reason in ("not_a_number", "not_finite", "counter_fell", "duplicate", "not_asked_for")
    }
    assert counted == {
        "not_a_number": 2, "not_finite": 2, "counter_fell": 1, "duplicate": 2, "not_asked_for": 2,
    }  # fmt: skip
    wrong = {"interface": REALTIME, "reason": "wrong_type"}
    assert world.self_metric("fusionsolar_values_rejected_total", **wrong) == 4


# Whatever comes

TYPES = [None, 1, 8, 10, 14, 15, 17, 38, 39, 41, 47, 2]
KEYS = [*sorted({row.key for row in ROWS}), "new", ""]


@given(
    st.sampled_from(TYPES),
    st.lists(
        st.dictionaries(
            st.sampled_from(KEYS), st.floats(allow_nan=False, allow_infinity=False), max_size=12
        ),
        max_size=4,
    ),
    st.dictionaries(
        st.sampled_from(KEYS), st.sampled_from(["wrong_type", "not_finite"]), max_size=4
    ),
)
def test_no_value_costs_the_page(device_type, answers, rejected):
    world = world_of(*([] if device_type is None else [Device("P", "P", device_type)]))
    interface = PLANTS if device_type is None else DEVICES
    rows = lookup(interface.name, device_type)
    for values in answers:
        world.answer(interface, ["P"], {"P": values}, {"P": rejected})
        series = world.series()
        known = {rows[key].metric.name for key in values if key in rows}
        shown = {name.partition("{")[0] for name in series}
        assert shown - known <= {
            "fusionsolar_account_info",
            "fusionsolar_plant_info",
            "fusionsolar_device_info",
            "fusionsolar_plant_last_reading_timestamp_seconds",
            "fusionsolar_device_last_reading_timestamp_seconds",
        } | {f"{name}_code" for name in known}
