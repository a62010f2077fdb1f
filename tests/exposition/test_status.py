"""What people are shown of plants and calls: the same as /metrics says."""

from collections import Counter

import pytest
from exposition.world import ALARMS, DEVICES, PLANTS, World

from exporter.account.fleet import FleetChange
from exporter.exposition.alarms import SEVERITIES
from exporter.exposition.status import plants_of
from exporter.exposition.translate import Translator
from exporter.northbound.errors import CallError, Failure, Reaction
from exporter.northbound.records import Alarm, Device, Plant
from exporter.status.model import (
    AccountCounts,
    CallCounts,
    HeldCounter,
    InterfaceStatus,
    PollingStatus,
)

POLLING = PollingStatus(
    logged_in=True, refusal=None, login_failure=None, waiting=(),
    login=InterfaceStatus("login", (), 60.0),
    interfaces=(),
)  # fmt: skip


def world_of(*devices, **settings):
    made = World(severities=SEVERITIES, **settings)
    made.fleet(Plant("NE=1", "Roof", capacity_watts=9_900.0), *devices)
    return made


def inverter(name, kind=1, plant="NE=1"):
    return Device(name, plant, kind)


def account(world):
    return world.view.status(POLLING)


def plant(world):
    (only,) = account(world).plants
    return only


def test_a_plant_that_nobody_was_asked_about_has_no_values():
    shown = plant(world_of(inverter("7")))
    assert (shown.code, shown.name, shown.capacity) == ("NE=1", "Roof", 9_900.0)
    assert (shown.health, shown.power, shown.energy, shown.alarms) == (None,) * 4
    assert (shown.inverters, shown.answered, shown.last_reading) == (1, 0, None)


def test_the_power_of_a_plant_is_the_sum_of_those_inverters_that_answered():
    world = world_of(inverter("7"), inverter("8", 38), inverter("9", 14), inverter("5", 17))
    world.answer(DEVICES, ["7"], {"7": {"active_power": 1.5}})
    world.answer(DEVICES, ["8"], {"8": {"active_power": 2.25}})
    world.answer(DEVICES, ["5"], {"5": {"active_power": 800.0}})  # a meter
    shown = plant(world)
    assert (shown.power, shown.inverters, shown.answered) == (3_750.0, 3, 2)
    world.answer(DEVICES, ["8"], {"8": {}})
    shown = plant(world)
    assert (shown.power, shown.answered) == (1_500.0, 1)


def test_an_inverter_of_another_plant_is_not_in_the_sum():
    world = World()
    world.fleet(Plant("NE=1", "A"), Plant("NE=2", "B"), inverter("7"), inverter("8", 1, "NE=2"))
    world.answer(DEVICES, ["7", "8"], {"7": {"active_power": 1.0}, "8": {"active_power": 2.0}})
    assert [each.power for each in account(world).plants] == [1_000.0, 2_000.0]


def test_values_that_left_the_page_are_not_shown_either():
    world = world_of(inverter("7"))
    world.answer(PLANTS, ["NE=1"], {"NE=1": {"real_health_state": 3.0, "day_power": 2.0}})
    world.answer(DEVICES, ["7"], {"7": {"active_power": 1.5}})
    shown = plant(world)
    assert (shown.health, shown.energy, shown.power) == ("healthy", 7.2e6, 1_500.0)
    world.at += 300.5
    shown = plant(world)
    assert (shown.health, shown.energy, shown.power, shown.answered) == (None, None, None, 0)
    assert shown.last_reading == world.epoch


@pytest.mark.parametrize(
    ("code", "name"), [(1.0, "disconnected"), (2.0, "faulty"), (9.0, "unknown"), (2.5, "unknown")]
)
@pytest.mark.parametrize("named", [True, False])
def test_health_is_told_by_its_code_whether_states_are_named_or_not(code, name, named):
    world = World(translator=Translator({}, name_states=named))
    world.fleet(Plant("NE=1", "A"))
    world.answer(PLANTS, ["NE=1"], {"NE=1": {"real_health_state": code}})
    assert plant(world).health == name


def test_the_newest_reading_is_that_of_any_of_its_devices():
    world = world_of(inverter("7"), inverter("8"))
    world.answer(DEVICES, ["7"], {"7": {"active_power": 1.5}})
    world.epoch += 60
    world.answer(DEVICES, ["8"], {"8": {"active_power": 1.5}})
    world.epoch += 60
    world.answer(PLANTS, ["NE=1"], {"NE=1": {}})
    assert plant(world).last_reading == world.epoch - 60


def test_alarms_are_shown_by_severity_and_none_is_not_unknown():
    world = world_of()
    world.show_alarms({"NE=1": ((), ())})
    assert plant(world).alarms == {}
    alarms = [
        Alarm("NE=1", "S1", str(n), "1", world.epoch, severity=severity)
        for n, severity in enumerate(("major", "critical", "major"))
    ]
    world.show_alarms({"NE=1": (alarms, ())})
    assert plant(world).alarms == {"critical": 1, "major": 2}
    assert world.series("fusionsolar_alarms_active{account=home,plant_code=NE=1,severity=major}")
    assert ALARMS.name == "getAlarmList"


def test_devices_are_counted_by_type_and_unknown_keys_are_named():
    world = world_of(inverter("7"), inverter("8"), inverter("5", 39))
    world.answer(DEVICES, ["7"], {"7": {"active_power": 1.5, "novelty": 1.0}})
    shown = account(world)
    assert shown.devices == {"string_inverter": 2, "battery": 1}
    assert shown.unknown_keys == ("string_inverter: novelty",)
    assert shown.exports_unknown_keys is False
    assert account(World(max_unknown_keys=1)).exports_unknown_keys is True


def test_calls_are_shown_as_they_were_counted():
    world = world_of()
    world.telemetry.introduce("home", ["getDevRealKpi", "getAlarmList"])
    world.show(up=True, sessions_lost=1)
    world.request("getDevRealKpi")
    world.request("getDevRealKpi", error=CallError(Failure("407", Reaction.BACK_OFF, "too often")))
    late = CallError(Failure("timeout", Reaction.NEXT_TURN, "too late"))
    world.request("getDevRealKpi", error=late, permitted=False)
    assert account(world).counts == AccountCounts(
        up=True,
        sessions_lost=1,
        calls={
            "getDevRealKpi": CallCounts(
                requests=3, failures=2, refused=1, last_success=world.epoch, permitted=False
            ),
            "getAlarmList": CallCounts(),
        },
    )


def test_looking_changes_nothing():
    world = world_of(inverter("7"), itself=True)
    world.telemetry.introduce("home", ["getDevRealKpi"])
    own = world.telemetry.of("home").registry
    before = own.collect()
    names = [(f.name, len(f.samples)) for f in before]
    account(world)
    assert [(f.name, len(f.samples)) for f in own.collect()] == names


def test_what_counters_hold_back_is_shown_until_it_is_confirmed():
    world = world_of(inverter("7"))
    for value in (5_000.0, 700_000.0):
        world.answer(DEVICES, ["7"], {"7": {"mppt_2_cap": value}})
    assert account(world).held_back == (
        HeldCounter(
            "devices",
            "7",
            "",
            "fusionsolar_inverter_mppt_energy_joules_total",
            ("2",),
            "kWh",
            5_000.0,
            700_000.0,
            world.epoch,
        ),
    )
    world.answer(DEVICES, ["7"], {"7": {"mppt_2_cap": 5_000.5}})
    assert account(world).held_back == ()


@pytest.mark.parametrize("count", [1, 50])
def test_each_source_is_looked_at_once_however_many_devices_there_are(count):
    fleet = FleetChange(
        {"NE=1": Plant("NE=1", "A")}, {str(n): inverter(str(n)) for n in range(count)}, {}
    )
    looks = Counter()

    def shown(source):
        looks[source] += 1
        return {}

    (found,) = plants_of(fleet, shown)
    assert (found.inverters, found.answered, found.power) == (count, 0, None)
    assert set(looks.values()) == {1}
