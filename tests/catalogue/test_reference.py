"""The catalogue against the reference's own table: every key, in its real unit."""

import json
from pathlib import Path

import pytest

from exporter.catalogue.index import lookup
from exporter.northbound import enums
from exporter.northbound.interfaces import INTERFACES

# Interface → device type → key → unit as printed; "code" stands for an enumeration's explanation.
REFERENCE = json.loads(Path(__file__).with_name("reference_keys.json").read_text("utf-8"))

PRINTED = [
    (interface, None if device_type == "plant" else int(device_type), key, unit)
    for interface, types in REFERENCE.items()
    for device_type, keys in types.items()
    for key, unit in keys.items()
]

# What a printed unit becomes: the metric's unit, and the factor.
UNITS = {
    "%": ("ratio", 0.01),
    "A": ("amperes", 1),
    "Degree": ("degrees", 1),
    "Hz": ("hertz", 1),
    "MJ/m²": ("joules_per_square_meter", 1e6),
    "Millisecond": ("seconds", 0.001),
    "None": ("", 1),
    "Time (ms)": ("seconds", 0.001),
    "Times": ("", 1),
    "Ton": ("grams", 1_000_000),
    "Tree": ("", 1),
    "V": ("volts", 1),
    "Var": ("vars", 1),
    "W": ("watts", 1),
    "W/m²": ("watts_per_square_meter", 1),
    "code": ("", 1),
    "h": ("seconds", 3600),
    "kVA": ("volt_amperes", 1000),
    "kVar": ("vars", 1000),
    "kW": ("watts", 1000),
    "kWh": ("joules", 3_600_000),
    "kWh/m²": ("joules_per_square_meter", 3_600_000),
    "m/s": ("meters_per_second", 1),
    "°C": ("celsius", 1),
    "¥": ("", 1),
}

VAR_SECONDS = ("var_seconds", 3_600_000)

# Where the reference prints a wrong unit, or none.
FAULTS = {
    (None, "performance_ratio"): ("ratio", 0.01),
    (14, "temperature"): ("celsius", 1),
    (17, "active_power"): ("watts", 1),
    (17, "forward_reactive_cap"): VAR_SECONDS,
    (17, "reverse_reactive_cap"): VAR_SECONDS,
    (17, "positive_reactive_top"): VAR_SECONDS,
    (17, "positive_reactive_peak"): VAR_SECONDS,
    (17, "positive_reactive_power"): VAR_SECONDS,
    (17, "positive_reactive_valley"): VAR_SECONDS,
    (17, "reverse_reactive_top"): VAR_SECONDS,
    (17, "reverse_reactive_peak"): VAR_SECONDS,
    (17, "reverse_reactive_power"): VAR_SECONDS,
    (17, "reverse_reactive_valley"): VAR_SECONDS,
    (39, "battery_soh"): ("ratio", 0.01),
}

STATES = {
    (None, "real_health_state"): enums.PLANT_HEALTH_STATES,
    (1, "inverter_state"): enums.INVERTER_STATES,
    (14, "inverter_state"): enums.INVERTER_STATES,
    (38, "inverter_state"): enums.INVERTER_STATES,
    (39, "battery_status"): enums.BATTERY_STATES,
    (39, "ch_discharge_model"): enums.BATTERY_MODES,
    (47, "meter_status"): enums.METER_STATES,
    (1, "run_state"): enums.RUN_STATES,
    (8, "run_state"): enums.RUN_STATES,
    (10, "run_state"): enums.RUN_STATES,
    (14, "run_state"): enums.RUN_STATES,
    (15, "run_state"): enums.RUN_STATES,
    (38, "run_state"): enums.RUN_STATES,
    (39, "run_state"): enums.RUN_STATES,
    (47, "run_state"): enums.RUN_STATES,
}

COUNTED_KEYS = {
    None: {"total_power"},
    1: {"total_cap", "mppt_total_cap", *(f"mppt_{n}_cap" for n in range(1, 11))},
    14: {"total_cap"},
    38: {"total_cap", *(f"mppt_{n}_cap" for n in range(1, 5))},
    17: {
        "active_cap",
        "reverse_active_cap",
        "forward_reactive_cap",
        "reverse_reactive_cap",
        *(
            f"{direction}_{energy}_{tariff}"
            for direction in ("positive", "reverse")
            for energy in ("active", "reactive")
            for tariff in ("top", "peak", "power", "valley")
        ),
    },
    47: {"active_cap", "reverse_active_cap"},
}


DEVICE_INTERFACES = ["getDevRealKpi", "getDevFiveMinutes", "getDevHistoryKpi", "device/history"]


def meaning(row):
    return row.key, row.metric, row.labels, row.factor, row.states, row.code and row.code.metric


def test_the_copy_of_the_reference_is_whole():
    counts = {
        interface: {device_type: len(keys) for device_type, keys in types.items()}
        for interface, types in REFERENCE.items()
    }

    assert len(PRINTED) == 612
    assert counts == {
        "getStationRealKpi": {"plant": 6},
        "getKpiStationHour": {"plant": 5},
        "getKpiStationDay": {"plant": 12},
        "getKpiStationMonth": {"plant": 12},
        "getKpiStationYear": {"plant": 12},
        "getDevRealKpi": {
            "1": 81,
            "14": 31,
            "38": 42,
            "15": 25,
            "10": 9,
            "17": 40,
            "47": 10,
            "39": 11,
            "8": 14,
        },
        "getDevFiveMinutes": {
            "1": 79,
            "14": 30,
            "38": 41,
            "15": 24,
            "10": 8,
            "17": 40,
            "47": 9,
            "39": 10,
            "8": 13,
        },
        "getDevKpiDay": {"39": 4, "1": 6, "14": 6, "38": 6},
        "getDevKpiMonth": {"39": 4, "1": 3, "14": 3, "38": 3},
        "getDevKpiYear": {"39": 4, "1": 3, "14": 3, "38": 3},
    }


def test_every_key_of_the_reference_is_mapped_in_base_units():
    rows = {(name, kind, key): lookup(name, kind)[key] for name, kind, key, _ in PRINTED}

    assert {each: (row.metric.unit, row.factor) for each, row in rows.items()} == {
        (name, kind, key): FAULTS.get((kind, key), UNITS[unit]) for name, kind, key, unit in PRINTED
    }


def test_every_enumeration_is_a_stateset_with_its_code_beside_it():
    statesets = {
        (interface, device_type, key): row.states
        for interface, device_type, key, _ in PRINTED
        if (row := lookup(interface, device_type)[key]).metric.kind == "stateset"
    }

    assert statesets == {
        (interface, device_type, key): STATES[device_type, key]
        for interface, device_type, key, unit in PRINTED
        if unit == "code"
    }


def test_lifetime_energies_are_counters_and_nothing_else_is():
    counted = {
        (interface, device_type, key)
        for interface, device_type, key, _ in PRINTED
        if lookup(interface, device_type)[key].metric.kind == "counter"
    }

    assert counted == {
        (interface, device_type, key)
        for interface, device_type, key, _ in PRINTED
        if key in COUNTED_KEYS.get(device_type, ())
    }


@pytest.mark.parametrize("interface", DEVICE_INTERFACES)
@pytest.mark.parametrize("device_type", [1, 38])
def test_both_inverters_with_strings_have_all_36_of_them(interface, device_type):
    keys = {f"pv{number}_{quantity}" for number in range(1, 37) for quantity in "ui"}

    assert keys - lookup(interface, device_type).keys() == set()


@pytest.mark.parametrize("interface", DEVICE_INTERFACES)
@pytest.mark.parametrize(("device_type", "like"), [(38, 1), (41, 39)])
def test_types_that_share_a_table_share_every_metric(interface, device_type, like):
    rows = lookup(interface, device_type).values()

    assert list(map(meaning, rows)) == list(map(meaning, lookup(interface, like).values()))


@pytest.mark.parametrize("interface", ["getDevHistoryKpi", "device/history"])
@pytest.mark.parametrize("device_type", sorted(INTERFACES["getDevRealKpi"].device_types))
def test_history_has_every_key_of_real_time_data(interface, device_type):
    assert list(map(meaning, lookup(interface, device_type).values())) == list(
        map(meaning, lookup("getDevRealKpi", device_type).values())
    )


@pytest.mark.parametrize("device_type", sorted(INTERFACES["getDevFiveMinutes"].device_types))
def test_the_5_minute_data_are_the_real_time_ones_without_the_run_state(device_type):
    real_time = dict(lookup("getDevRealKpi", device_type))
    five_minutes = dict(lookup("getDevFiveMinutes", device_type))
    real_time.pop("run_state", None)  # a grid meter has none
    if device_type == 15:
        real_time["temperature"] = real_time.pop("temprature")

    assert {key: meaning(row)[1:] for key, row in five_minutes.items()} == {
        key: meaning(row)[1:] for key, row in real_time.items()
    }
