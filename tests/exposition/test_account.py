"""What an account shows while answers come and the fleet changes around them."""

import pytest
from exposition.world import ACCOUNT_INFO, DEVICES, PLANTS, World
from structlog.testing import capture_logs

from exporter.account.model import AcceptedValue
from exporter.northbound.interfaces import INTERFACES, Subject
from exporter.northbound.records import Device, Plant

HILL, MILL = Plant("HILL", "Hill"), Plant("MILL", "Mill")
A, B, C = (Device(name, "HILL", 1) for name in "123")
POWER = "fusionsolar_inverter_active_power_watts"
READ_AT = "fusionsolar_device_last_reading_timestamp_seconds"


@pytest.fixture
def world():
    world = World()
    world.fleet(HILL, MILL, A, B, C)
    return world


def kilowatts(**devices):
    """Values by device id: kilowatts(d1=5)."""
    return {name[1:]: {"active_power": float(value)} for name, value in devices.items()}


def by_device(world, metric):
    """Value by device id."""
    return {
        series.partition("device_id=")[2].partition(",")[0]: value
        for series, value in world.series(metric + "{").items()
    }


def powers(world):
    return by_device(world, POWER)


def read_at(world):
    return by_device(world, READ_AT)


# Answers


def test_an_answer_replaces_all_that_is_known_of_its_devices(world):
    world.answer(DEVICES, ["1"], {"1": {"active_power": 5.0, "day_cap": 1.0}})
    world.answer(DEVICES, ["1"], {"1": {"active_power": 6.0, "a_u": 230.0}})
    assert world.series("fusionsolar_inverter") == {
        f"{POWER}{{account=home,device_id=1,plant_code=HILL}}": 6_000.0,
        "fusionsolar_inverter_phase_voltage_volts"
        "{account=home,device_id=1,phase=a,plant_code=HILL}": 230.0,
    }


def test_a_device_left_out_loses_its_values_at_once_but_not_its_last_reading(world):
    world.answer(DEVICES, ["1", "2"], kilowatts(d1=5, d2=6))
    first = world.epoch
    world.epoch += 60
    world.answer(DEVICES, ["1", "2"], kilowatts(d1=7))
    assert powers(world) == {"1": 7_000.0}
    assert read_at(world) == {"1": first + 60, "2": first}


@pytest.mark.parametrize("values", [{}, {"new_key": 1.0}])
def test_a_device_without_a_usable_value_has_no_new_last_reading(world, values):
    world.answer(DEVICES, ["1"], kilowatts(d1=5))
    first = world.epoch
    world.epoch += 60
    world.answer(DEVICES, ["1"], {"1": values})
    assert powers(world) == {}
    assert read_at(world) == {"1": first}


def test_a_device_that_never_reported_has_no_last_reading(world):
    world.answer(DEVICES, ["1", "2"], kilowatts(d1=5))
    assert read_at(world) == {"1": world.epoch}


def test_values_that_no_answer_renews_stay_until_they_are_too_old(world):
    world.answer(DEVICES, ["1"], kilowatts(d1=5))
    world.at += 300.0
    assert powers(world) == {"1": 5_000.0}
    world.at += 0.1
    assert powers(world) == {}
    assert read_at(world) == {"1": world.epoch}


def test_the_plan_decides_what_is_too_old(world):
    world.answer(DEVICES, ["1"], kilowatts(d1=5))
    world.at += 900.0
    world.plan(DEVICES, max_age=1_500.0)
    assert powers(world) == {"1": 5_000.0}


def test_plants_and_devices_age_by_their_own_interfaces_plan(world):
    world.plan(PLANTS, max_age=1_500.0)
    world.answer(DEVICES, ["1"], kilowatts(d1=5))
    world.answer(PLANTS, ["HILL"], {"HILL": {"day_power": 1.0}})
    world.at += 900.0
    assert powers(world) == {}
    assert len(world.series("fusionsolar_plant_day_energy_joules")) == 1


def test_what_is_not_in_the_fleet_is_not_shown(world):
    world.telemetry.introduce("home", [DEVICES.name])
    world.answer(DEVICES, ["1", "99"], kilowatts(d1=5, d99=7))
    assert powers(world) == {"1": 5_000.0}
    assert world.self_metric("fusionsolar_unknown_keys_total", interface=DEVICES.name) == 0
    world.fleet(HILL, A, B, Device("99", "HILL", 1))
    assert powers(world) == {"1": 5_000.0}


def test_an_answer_before_any_list_shows_nothing():
    world = World()
    world.answer(DEVICES, ["1"], kilowatts(d1=5))
    world.answer(PLANTS, ["HILL"], {"HILL": {"day_power": 1.0}})
    assert world.series() == {ACCOUNT_INFO: 1.0}


# Batches


def test_a_batch_may_be_cut_in_halves_and_joined_again(world):
    world.answer(DEVICES, ["1", "2", "3"], kilowatts(d1=1, d2=2, d3=3))
    world.answer(DEVICES, ["1", "2"], kilowatts(d1=4, d2=5))
    assert powers(world) == {"1": 4_000.0, "2": 5_000.0, "3": 3_000.0}
    world.answer(DEVICES, ["3"], kilowatts(d3=6))
    assert powers(world) == {"1": 4_000.0, "2": 5_000.0, "3": 6_000.0}
    world.answer(DEVICES, ["1", "2", "3"], kilowatts(d1=7, d2=8, d3=9))
    assert powers(world) == {"1": 7_000.0, "2": 8_000.0, "3": 9_000.0}


def test_the_half_that_is_not_renewed_keeps_its_age(world):
    world.answer(DEVICES, ["1", "2"], kilowatts(d1=1, d2=2))
    world.at += 200.0
    world.answer(DEVICES, ["1"], kilowatts(d1=3))
    world.at += 200.0
    assert powers(world) == {"1": 3_000.0}


def test_a_device_that_changes_its_batch_takes_its_last_reading_with_it(world):
    world.answer(DEVICES, ["1", "2"], kilowatts(d1=1, d2=2))
    world.answer(DEVICES, ["3", "2"], kilowatts(d3=3))
    assert powers(world) == {"1": 1_000.0, "3": 3_000.0}
    assert read_at(world) == dict.fromkeys("123", world.epoch)


def test_a_plant_code_and_a_device_id_may_be_the_same_text(world):
    world.fleet(Plant("1", "One"), Device("1", "1", 1))
    world.answer(DEVICES, ["1"], {"1": {"total_cap": 10.0}})
    world.answer(PLANTS, ["1"], {"1": {"total_power": 20.0}})
    world.fleet(Plant("1", "One"))
    device, plant = "fusionsolar_inverter_energy", "fusionsolar_plant_energy"
    assert (len(world.series(device)), len(world.series(plant))) == (0, 1)
    world.answer(PLANTS, ["1"], {"1": {"total_power": 19.0}})
    assert list(world.series(plant).values()) == [7.2e7]


# The fleet


def test_a_device_that_is_gone_is_gone_with_all_its_series(world):
    world.answer(DEVICES, ["1", "2"], kilowatts(d1=1, d2=2))
    world.fleet(HILL, A, C)
    assert [series for series in world.series() if "device_id=2" in series] == []
    assert powers(world) == {"1": 1_000.0}


def test_a_plant_that_is_gone_is_gone_with_all_its_series(world):
    for plant in ("HILL", "MILL"):
        world.answer(PLANTS, [plant], {plant: {"day_power": 1.0}})
    world.fleet(MILL)
    assert [series for series in world.series() if "HILL" in series] == []
    assert len(world.series("fusionsolar_plant_day_energy_joules")) == 1


def test_a_device_that_returns_starts_without_a_past(world):
    world.answer(DEVICES, ["1"], {"1": {"total_cap": 10.0}})
    world.fleet(HILL, B)
    world.fleet(HILL, A, B)
    assert read_at(world) == {}
    world.answer(DEVICES, ["1"], {"1": {"total_cap": 9.0}})
    assert list(world.series("fusionsolar_inverter_energy").values()) == [3.24e7]


def test_a_plant_that_returns_starts_without_a_past(world):
    world.answer(PLANTS, ["HILL"], {"HILL": {"total_power": 10.0}})
    world.fleet(MILL)
    world.fleet(HILL, MILL)
    world.answer(PLANTS, ["HILL"], {"HILL": {"total_power": 9.0}})
    assert list(world.series("fusionsolar_plant_energy").values()) == [3.24e7]


def test_a_renamed_plant_has_another_info_and_the_same_values(world):
    world.answer(PLANTS, ["HILL"], {"HILL": {"day_power": 1.0}})
    before = world.series("fusionsolar_plant_day")
    world.fleet(Plant("HILL", "Castle hill"), MILL, A)
    (info,) = [each for each in world.series("fusionsolar_plant_info") if "HILL" in each]
    assert "plant_name=Castle hill" in info
    assert world.series("fusionsolar_plant_day") == before


def test_a_renamed_device_has_another_info_and_the_same_values(world):
    world.answer(DEVICES, ["1"], kilowatts(d1=1))
    world.fleet(HILL, Device("1", "HILL", 1, name="Roof"))
    (info,) = world.series("fusionsolar_device_info")
    assert "device_name=Roof" in info
    assert powers(world) == {"1": 1_000.0}


def test_a_device_that_moved_is_relabelled_on_all_its_series(world):
    world.answer(DEVICES, ["1", "2"], {d: {"active_power": 1.0, "total_cap": 5.0} for d in "12"})
    world.fleet(HILL, MILL, Device("1", "MILL", 1), B)
    mine = [series for series in world.series() if "device_id=1" in series]
    assert {series.partition("{")[0] for series in mine} == {
        "fusionsolar_device_info", "fusionsolar_inverter_energy_joules_total", POWER, READ_AT,
    }  # fmt: skip
    assert all("plant_code=MILL" in series for series in mine)
    world.answer(DEVICES, ["1"], {"1": {"total_cap": 4.0}})
    assert list(world.series("fusionsolar_inverter_energy").values()) == [1.8e7, 1.8e7]


def test_a_moved_device_keeps_the_age_of_its_values(world):
    world.answer(DEVICES, ["1"], kilowatts(d1=1))
    world.at += 200.0
    world.fleet(HILL, MILL, Device("1", "MILL", 1))
    world.at += 200.0
    assert powers(world) == {}


def test_under_another_type_an_id_is_another_device(world):
    world.answer(DEVICES, ["1"], {"1": {"total_cap": 10.0, "active_power": 1.0}})
    world.fleet(HILL, Device("1", "HILL", 38))
    assert world.series("fusionsolar_inverter") == {}
    assert read_at(world) == {}
    world.answer(DEVICES, ["1"], {"1": {"total_cap": 9.0}})
    assert list(world.series("fusionsolar_inverter_energy").values()) == [3.24e7]


def test_a_device_of_another_type_has_that_types_metrics(world):
    world.answer(DEVICES, ["1"], {"1": {"active_power": 2.0}})
    world.fleet(HILL, Device("1", "HILL", 17))
    world.answer(DEVICES, ["1"], {"1": {"active_power": 2.0}})
    assert powers(world) == {}
    assert by_device(world, "fusionsolar_meter_active_power_watts") == {"1": 2.0}


def test_the_same_fleet_again_changes_nothing(world):
    world.answer(DEVICES, ["1"], kilowatts(d1=1))
    before = world.text()
    world.fleet(HILL, MILL, A, B, C)
    assert world.text() == before


def test_of_an_empty_fleet_nothing_is_left(world):
    world.answer(DEVICES, ["1"], kilowatts(d1=1))
    world.fleet()
    assert world.series() == {ACCOUNT_INFO: 1.0}


def test_the_fleet_is_counted_by_type(world):
    assert world.self_metric("fusionsolar_plants") == 2
    assert world.self_metric("fusionsolar_devices", device_type="string_inverter") == 3
    world.fleet(HILL, Device("1", "HILL", 39), Device("2", "HILL", 4711))
    assert world.self_metric("fusionsolar_plants") == 1
    assert world.self_metric("fusionsolar_devices", device_type="string_inverter") is None
    assert world.self_metric("fusionsolar_devices", device_type="battery") == 1
    assert world.self_metric("fusionsolar_devices", device_type="type_4711") == 1


def test_two_accounts_share_a_page_without_touching_each_other(world):
    office = World("office", page=world.page)
    office.fleet(HILL, A)
    for each in (world, office):
        each.answer(DEVICES, ["1"], kilowatts(d1=5))
    assert len(world.series(POWER)) == 2
    office.fleet()
    assert list(world.series(POWER)) == [f"{POWER}{{account=home,device_id=1,plant_code=HILL}}"]


def test_values_that_say_when_they_were_true_age_from_then_on(world):
    rows = INTERFACES["getDevFiveMinutes"]
    world.plan(rows, max_age=900.0)
    measured = {"1": world.epoch - 300, "2": world.epoch - 800}

    world.answer(rows, ["1", "2", "3"], kilowatts(d1=1, d2=2), measured=measured)

    assert powers(world) == {"1": 1_000.0, "2": 2_000.0}
    assert read_at(world) == {"1": world.epoch - 300, "2": world.epoch - 800}
    world.at += 101
    assert powers(world) == {"1": 1_000.0}
    world.at += 500
    assert powers(world) == {}


# What an operator accepts of lifetime counters

COUNTERS = ("fusionsolar_inverter_energy_joules_total", "fusionsolar_plant_energy_joules_total")


def world_holding_back():
    """A plant with an inverter, both of which hold a value back."""
    world = World()
    world.fleet(Plant("P", "Roof"), Device("7", "P", 1, name="Inverter"))
    for value in (5_000.0, 0.5):
        world.answer(PLANTS, ["P"], {"P": {"total_power": value}})
        world.answer(DEVICES, ["7"], {"7": {"total_cap": value}})
    return world


def energies(world):
    return [next(iter(world.series(name).values()), None) for name in COUNTERS]


def test_what_an_operator_accepts_is_shown_with_the_next_answer():
    world = world_holding_back()
    world.state.accepted["x"] = AcceptedValue(Subject.DEVICES, "7", COUNTERS[0])
    world.answer(DEVICES, ["7"], {"7": {"total_cap": 0.5}})
    world.answer(PLANTS, ["P"], {"P": {"total_power": 0.5}})
    assert energies(world) == [0.5 * 3.6e6, 5_000 * 3.6e6]
    assert world.state.accepted == {}


@pytest.mark.parametrize("accepted", [("8", COUNTERS[0]), ("7", COUNTERS[1])])
def test_what_is_accepted_of_no_counter_that_holds_a_value_back_is_dropped(accepted):
    world = world_holding_back()
    world.state.accepted["x"] = AcceptedValue(Subject.DEVICES, *accepted)
    world.answer(DEVICES, ["7"], {"7": {"total_cap": 0.5}})
    assert energies(world) == [5_000 * 3.6e6] * 2
    assert world.state.accepted == {}


def test_a_value_held_back_is_named_once_in_the_log():
    with capture_logs() as logs:
        world = world_holding_back()
        for _ in range(3):
            world.answer(DEVICES, ["7"], {"7": {"total_cap": 0.5}})
    named = {"event": "value rejected", "log_level": "warning", "account": "home"}
    assert logs == [
        named | {"device_type": "plant", "name": "P", "key": "total_power", "value": 0.5,
                 "shown": 5_000.0, "reason": "counter_fell"},
        named | {"device_type": "string_inverter", "name": "7", "key": "total_cap", "value": 0.5,
                 "shown": 5_000.0, "reason": "counter_fell"},
    ]  # fmt: skip


def test_that_a_new_meters_value_is_confirmed_is_logged():
    world = world_holding_back()
    with capture_logs() as logs:
        for step in range(1, 26):
            world.at += 3_600.0
            world.answer(DEVICES, ["7"], {"7": {"total_cap": 0.5 + 0.01 * step}})
    assert [(entry["event"], entry["value"]) for entry in logs] == [
        ("counter value confirmed", pytest.approx(0.74))
    ]
