"""Which unit devices send their power in: named when it cannot be, changed when that is proven."""

import pytest
from commands.world import run_check, world

from exporter.account.fleet import Fleet
from exporter.commands.check.powers import findings
from exporter.config.schema import Factor, Settings
from exporter.northbound import parsing
from exporter.northbound.records import Device, Plant

pytestmark = pytest.mark.slow

INVERTER, ENERGY_CENTER, GRID_METER, SENSOR, BATTERY = 1, 38, 17, 47, 39


def findings_of(*answered, capacity=9_900.0, factors=()):
    """What is found of devices in a plant, each given by its type and values; words and lines."""
    fleet = Fleet()
    fleet.add_plants([Plant("NE=1", "Home", capacity_watts=capacity)])
    devices = [
        Device(str(n), "NE=1", kind, f"Device {n}") for n, (kind, _) in enumerate(answered, start=1)
    ]
    fleet.list_devices(["NE=1"], devices)
    readings = {}
    for device, (kind, values) in zip(devices, answered, strict=True):
        data = [{"devId": int(device.id), "dataItemMap": values}]
        parsed = parsing.device_readings(data, [device.id]).records
        readings.setdefault(kind, []).extend(parsed)
    account = {"base_url": "https://eu5.example", "username": "a", "password": "b"}
    settings = Settings(accounts=[account], factors=list(factors))
    return [(each.words, each.paste) for each in findings(settings, fleet, readings)]


def factor_of(device_type, key, factor):
    return Factor(device_type=device_type, key=key, factor=factor)


def phases(volts, amperes, power_factor=None):
    """What three phases show."""
    values = {f"{phase}_{what}": value for phase in "abc"
              for what, value in (("u", volts), ("i", amperes))}  # fmt: skip
    return values if power_factor is None else {**values, "power_factor": power_factor}


# --- a single number ---------------------------------------------------------------------------


def test_an_inverter_that_shows_watts_as_kilowatts_is_named_and_what_would_fit():
    assert findings_of(
        (INVERTER, {"active_power": 25_400, "total_cap": 6925.39}), capacity=60_000
    ) == [
        (
            (
                "string_inverter Device 1 (1) shows 25.4 MW, but its plant Home has 60.0 kW: "
                "25.4 kW would fit, but a single number proves no unit; compare it with the portal"
            ),
            "",
        )
    ]


@pytest.mark.parametrize(
    ("kind", "key", "sent", "shown"),
    [
        (SENSOR, "active_power", -66_553_500, "power_sensor Device 1 (1) shows -66.6 MW"),
        (INVERTER, "active_power", -99_999_999, "string_inverter Device 1 (1) shows -100 GW"),
        (BATTERY, "ch_discharge_power", 2_147_483_647, "battery Device 1 (1) shows 2.15 GW"),
        (GRID_METER, "active_power", 42_949_672.95, "grid_meter Device 1 (1) shows 42.9 MW"),
    ],
)
def test_an_overflow_is_named_and_no_unit_is_blamed(kind, key, sent, shown):
    assert findings_of((kind, {key: sent, "power_factor": 32.767, "meter_u": 6553.5})) == [
        (
            f"{shown}, but its plant Home has 9.90 kW: no unit explains that; look at the device",
            "",
        )
    ]


def test_the_same_overflow_of_two_devices_is_no_proof_either():
    meter = (SENSOR, {"active_power": 6_655_350})

    ((words, paste),) = findings_of(meter, meter)

    assert paste == ""
    assert words == (
        "power_sensor Device 1 (1) shows 6.66 MW, but its plant Home has 9.90 kW (1 more of its "
        "type likewise): 6.66 kW would fit, but a single number proves no unit; compare it with "
        "the portal"
    )


def test_registers_that_overflow_together_prove_nothing():
    values = {"active_power": -66_553_500, "meter_u": 6553.5, "meter_i": 6553.5}

    ((words, paste),) = findings_of((SENSOR, values))

    assert words.endswith("no unit explains that; look at the device")
    assert paste == ""


def test_one_broken_inverter_among_others_is_named_and_changes_no_factor():
    assert findings_of(
        (INVERTER, {"active_power": 19.8}),
        (INVERTER, {"active_power": 25_400}),
        (INVERTER, {"active_power": 21.3}),
        capacity=60_000,
    ) == [
        (
            (
                "string_inverter Device 2 (2) shows 25.4 MW, but its plant Home has 60.0 kW: "
                "others of its type fit, so it is not the unit; look at the device"
            ),
            "",
        )
    ]


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (INVERTER, {"active_power": 9.1}),
        (INVERTER, {"active_power": 0}),
        (INVERTER, {"active_power": None}),
        (SENSOR, {"active_power": 98_000}),  # less than ten times what the plant has
        (BATTERY, {"ch_discharge_power": -4_800}),
        # A factory with a small plant on its roof.
        (GRID_METER, {"active_power": -320_000, **phases(231, 470, 0.98)}),
        # At the balance of a home, the current is reactive.
        (SENSOR, {"active_power": 0.2, "meter_u": 231, "meter_i": 0.9, "power_factor": 0.001}),
        # All the sun goes into the battery.
        (ENERGY_CENTER, {"active_power": 0.005, "pv1_u": 600, "pv1_i": 8}),
        # All comes from the battery.
        (ENERGY_CENTER, {"active_power": 5, "pv1_u": 180, "pv1_i": 0.1}),
    ],
)
def test_a_power_that_may_be_right_is_not_named(kind, values):
    assert findings_of((kind, values)) == []


def test_a_plant_without_a_capacity_has_nothing_to_compare_with():
    assert findings_of((INVERTER, {"active_power": 25_400}), capacity=None) == []


# --- proof -------------------------------------------------------------------------------------


def test_several_devices_out_of_proportion_in_the_same_way_prove_the_unit():
    assert findings_of(
        (INVERTER, {"active_power": 25_400}),
        (INVERTER, {"active_power": 24_100}),
        (INVERTER, {"active_power": 0}),
        capacity=60_000,
    ) == [
        (
            (
                "string_inverter Device 1 (1) shows 25.4 MW, but its plant Home has 60.0 kW "
                "(1 more of its type likewise)"
            ),
            "factors: [{device_type: 1, key: active_power, factor: 1}]",
        )
    ]


def test_volts_and_amperes_of_the_same_reading_prove_the_unit():
    values = {"active_power": 25_400, **phases(231, 36.9, 0.99)}

    assert findings_of((INVERTER, values), capacity=60_000) == [
        (
            "string_inverter Device 1 (1) shows 25.4 MW, but its volts and amperes make 25.3 kW",
            "factors: [{device_type: 1, key: active_power, factor: 1}]",
        )
    ]


def test_so_do_those_of_the_strings():
    values = {"active_power": 25_400, "pv1_u": 700, "pv1_i": 18.4, "pv2_u": 690, "pv2_i": 18.9}

    ((_, paste),) = findings_of((INVERTER, values), capacity=60_000)

    assert paste == "factors: [{device_type: 1, key: active_power, factor: 1}]"


@pytest.mark.parametrize(
    ("kind", "measured"),
    [
        (GRID_METER, phases(231, 6.2, 0.98)),
        (SENSOR, {"meter_u": 231, "meter_i": 18.6, "power_factor": -0.98}),
    ],
)
def test_a_meter_of_an_old_server_that_sends_kilowatts_shows_a_thousandth_and_is_named(
    kind, measured
):
    ((words, paste),) = findings_of((kind, {"active_power": -4.2, **measured}))

    assert words.endswith("Device 1 (1) shows -4 W, but its volts and amperes make 4.21 kW")
    assert paste == f"factors: [{{device_type: {kind}, key: active_power, factor: 1000}}]"


def test_a_factor_that_an_old_server_needed_is_taken_back():
    values = {"active_power": 5_000, "meter_u": 231, "meter_i": 21.8}
    factors = [factor_of(SENSOR, "active_power", 1000)]

    ((words, paste),) = findings_of((SENSOR, values), factors=factors)

    assert words == (
        "power_sensor Device 1 (1) shows 5.00 MW, but its volts and amperes make 5.04 kW"
    )
    assert paste == "factors: []"


def test_the_proposed_line_is_whole():
    watts = {"active_power": 25_400, **phases(231, 36.9, 0.99)}
    factors = [factor_of(SENSOR, "active_power", 1000), factor_of(BATTERY, "ch_discharge_power", 2)]

    pastes = {
        paste
        for _, paste in findings_of(
            (INVERTER, watts), (ENERGY_CENTER, watts), capacity=60_000, factors=factors
        )
    }

    assert pastes == {
        (
            "factors: [{device_type: 47, key: active_power, factor: 1000}, "
            "{device_type: 39, key: ch_discharge_power, factor: 2}, "
            "{device_type: 1, key: active_power, factor: 1}, "
            "{device_type: 38, key: active_power, factor: 1}]"
        )
    }


def test_two_devices_that_contradict_each_other_change_no_factor():
    ((_, paste),) = findings_of(
        (INVERTER, {"active_power": 25_400, **phases(231, 36.9, 0.99)}),
        (INVERTER, {"active_power": 25.4, **phases(231, 36.9, 0.99)}),
        capacity=60_000,
    )

    assert paste == ""


# --- the command -------------------------------------------------------------------------------


def test_check_names_a_meter_far_above_its_plant_without_a_factor(tmp_path, capsys):
    with world(tmp_path) as home:
        home.system.faults.add(
            "value", interface="getDevRealKpi", members=["1000000033021485"], value=-1_500_000.0
        )
        _, account, _ = run_check(home, capsys)

    powers = [each for each in account["findings"] if "power_sensor Meter" in each["words"]]
    assert [each["paste"] for each in powers] == [""]
