"""What an account shows again after a restart, and what it makes of foreign data."""

import pytest
from exposition.world import DAYS, DEVICES, EPOCH, PLANTS, Memory, World
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as openmetrics_families,
)
from structlog.testing import capture_logs

from exporter.exposition.alarms import SEVERITIES
from exporter.exposition.page import Format
from exporter.northbound.records import Alarm, Device, Plant

HILL, MILL = Plant("HILL", "Hill"), Plant("MILL", "Mill")
A, B = Device("1", "HILL", 1), Device("2", "HILL", 1)
FLEET = (HILL, MILL, A, B)
FAULT = Alarm("HILL", "SN1", "2032", "1", 1_000.0, "Loose wire", "Roof", "major", "exception", 1)
UPGRADING = ({"upgradeResult": 4.0}, "V1", "V2")
ENERGY = "fusionsolar_inverter_energy_joules_total"


def new_world():
    world = World(severities=SEVERITIES)
    world.fleet(*FLEET)
    return world


@pytest.fixture
def memory():
    """Of a world to which everything that can be remembered was told."""
    world, memory = new_world(), Memory()
    tell_everything(world)
    memory.write(world.sink.changes())
    return memory


def tell_everything(world):
    values = {"active_power": 5.0, "inverter_state": 512.0, "total_cap": 10.0, "mppt_1_cap": 4.0}
    world.answer(DEVICES, ["1", "2"], {"1": values})
    world.answer(PLANTS, ["HILL", "MILL"], {"HILL": {"total_power": 7.0, "real_health_state": 3.0}})
    day = {"inverter_power": 2.0}
    world.tell_statistics(DAYS, {"HILL": ((86_400.0, day), (0.0, day)), "MILL": (None, None)})
    world.tell_alarms({"HILL": ([FAULT], [FAULT]), "MILL": ([], [])})
    world.tell_upgrades(["1", "2"], {"1": UPGRADING})


def restart(memory, *, after=0.0, fleet=FLEET, severities=SEVERITIES):
    """A new page, so many seconds later on the wall's clock and on another page's clock."""
    world = World(severities=severities, at=50.0, epoch=EPOCH + after)
    world.fleet(*fleet)
    world.sink.recall(memory.read)
    return world


def test_the_page_after_a_restart_is_the_page_before(memory):
    before = new_world()
    tell_everything(before)
    assert restart(memory).series() == before.series()


def test_values_have_their_true_age(memory):
    everything = restart(memory).series()
    assert restart(memory, after=300.0).series() == everything
    left = restart(memory, after=301.0).series()
    assert {series.partition("{")[0] for series in left} == {
        "fusionsolar_account_info",
        "fusionsolar_plant_info",
        "fusionsolar_device_info",
        "fusionsolar_plant_last_reading_timestamp_seconds",
        "fusionsolar_device_last_reading_timestamp_seconds",
        "fusionsolar_alarms_total",
        "fusionsolar_device_upgrade_info",
    }
    assert left.items() <= everything.items()


def test_a_time_in_the_future_counts_as_now(memory):
    world = restart(memory, after=-1e6)
    everything = world.series()
    world.at += 300.0
    assert world.series() == everything
    world.at += 1.0
    assert world.series("fusionsolar_inverter") == {}


def test_nothing_is_counted_a_second_time(memory):
    before, world = new_world(), new_world()
    values = {"total_cap": 10.0, "new": 1.0, "inverter_state": 7.0, "a_u": 1e308}
    before.answer(DEVICES, ["1"], {"1": values})
    memory.write(before.sink.changes())
    world.sink.recall(memory.read)
    assert world.sink.unknown_keys == {}
    names = [
        sample.name
        for family in world.telemetry.registry.collect()
        for sample in family.samples
        if sample.labels.get("interface") and sample.value
    ]
    assert set(names) == {
        "fusionsolar_interface_pace_seconds", "fusionsolar_interface_walk_seconds",
    }  # fmt: skip


def test_a_held_counter_stays_held_however_often_the_exporter_restarts():
    world, memory = new_world(), Memory()
    world.answer(DEVICES, ["1"], {"1": {"total_cap": 9_000.0}})
    for fallen in (1.0, 1.1, 1.2, 1.3):
        world.answer(DEVICES, ["1"], {"1": {"total_cap": fallen}})
        memory.write(world.sink.changes())
        world = restart(memory)
        assert list(world.series(ENERGY).values()) == [9_000 * 3.6e6]
    world.at += 86_400.0
    world.answer(DEVICES, ["1"], {"1": {"total_cap": 1.4}})
    assert list(world.series(ENERGY).values()) == [pytest.approx(1.4 * 3.6e6)]


def test_the_time_while_the_exporter_was_down_counts_for_a_rise():
    world, memory = new_world(), Memory()
    world.fleet(Plant("HILL", "Hill", 10_000.0), A)
    world.answer(DEVICES, ["1"], {"1": {"total_cap": 9_000.0}})
    memory.write(world.sink.changes())
    shown = []
    for hours in (0, 100):
        world = restart(memory, after=3_600.0 * hours, fleet=[Plant("HILL", "Hill", 10_000.0), A])
        world.answer(DEVICES, ["1"], {"1": {"total_cap": 9_500.0}})
        shown += world.series(ENERGY).values()
    assert shown == [9_000 * 3.6e6, 9_500 * 3.6e6]


def test_first_sightings_count_on(memory):
    world = restart(memory)
    world.tell_alarms({"HILL": ([FAULT], [FAULT])})
    assert [value for value in world.series("fusionsolar_alarms_total").values() if value] == [2.0]


def test_of_other_severities_only_the_common_ones_count_on(memory):
    world = restart(memory, severities=("warning", "major"))
    of = "fusionsolar_alarms_total{account=home,plant_code=HILL,severity"
    assert world.series(of) == {f"{of}=warning}}": 0.0, f"{of}=major}}": 1.0}
    assert restart(memory, severities=()).series("fusionsolar_alarm_") == {}
    assert restart(memory, severities=()).series("fusionsolar_alarms_total") == {}


def test_the_next_answer_replaces_what_was_recalled(memory):
    world = restart(memory)
    world.answer(DEVICES, ["1"], {"1": {"active_power": 6.0}})
    world.tell_alarms({"HILL": ([], [])})
    world.tell_upgrades(["1"], {})
    world.tell_statistics(DAYS, {"HILL": (None, None)})
    assert list(world.series("fusionsolar_inverter").values()) == [6_000.0]
    assert world.series("fusionsolar_alarm_") == {}
    assert world.series("fusionsolar_plant_period") == {}
    assert len(world.series("fusionsolar_device_upgrade")) == 1


def test_batches_are_as_large_as_they_were(memory):
    world = restart(memory)
    ours = [block for block, _ in world.page._blocks.values() if block.source]
    assert len(ours) == 5  # one for each interface that told anything


def test_what_is_not_in_the_fleet_is_not_shown_and_forgotten(memory):
    world = restart(memory, fleet=[MILL, Device("2", "MILL", 1)])
    shown = world.series()
    assert [s for s in shown if "HILL" in s or "device_id=1" in s] == []
    memory.write(world.sink.changes())
    assert {name for kind in memory.values() for name in kind} == {"MILL", "2"}


def test_what_is_gone_is_forgotten_everywhere():
    world, memory = new_world(), Memory()
    tell_everything(world)
    memory.write(world.sink.changes())
    assert "HILL" in memory["counters/plants"]
    world.fleet(MILL, B)
    memory.write(world.sink.changes())
    assert {name for kind in memory.values() for name in kind} == {"MILL", "2"}


def test_under_another_type_nothing_of_a_device_is_remembered(memory):
    world = restart(memory)
    world.fleet(HILL, MILL, Device("1", "HILL", 38), B)
    memory.write(world.sink.changes())
    assert [kind for kind, names in memory.items() if "1" in names] == []


def test_only_what_changed_is_a_change(memory):
    world = restart(memory)
    assert world.sink.changes() == {}
    world.answer(DEVICES, ["1"], {"1": {"active_power": 5.0}})
    assert set(world.sink.changes()) == {("shown/getDevRealKpi", "1")}
    world.epoch += 60.0
    world.answer(DEVICES, ["1"], {"1": {"total_cap": 11.0}})
    world.tell_alarms({"HILL": ([FAULT], [])})
    assert set(world.sink.changes()) == {
        ("shown/getDevRealKpi", "1"),
        ("lasting/fusionsolar_device_last_reading_timestamp_seconds", "1"),
        ("counters/devices", "1"),
        ("shown/getAlarmList", "HILL"),
    }
    world.fleet(*FLEET)
    assert world.sink.changes() == {}


# Foreign data

junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["", "x", "\ud800", "major", 10**400, -1.0, 1e308, -1e308, float("nan")]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["at", "shown", "current", "values", "start", "active_power", "\ud800"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=6,
)


def paths(data, path=()):
    """The way to each value within plain data, from the whole to the smallest."""
    yield path
    if isinstance(data, dict | list):
        for key, value in data.items() if isinstance(data, dict) else enumerate(data):
            yield from paths(value, (*path, key))


def replaced(data, path, value):
    if not path:
        return value
    copy = data.copy()
    copy[path[0]] = replaced(copy[path[0]], path[1:], value)
    return copy


@settings(max_examples=150)
@given(st.data(), junk)
def test_whatever_stands_in_the_memory_the_page_is_sound(data, foreign):
    world, memory = new_world(), Memory()
    tell_everything(world)
    memory.write(world.sink.changes())
    kind, name = data.draw(
        st.sampled_from([(kind, name) for kind, names in memory.items() for name in names])
    )
    path = data.draw(st.sampled_from(list(paths(memory[kind][name]))))
    memory[kind][name] = replaced(memory[kind][name], path, foreign)
    again = restart(memory)
    assert_sound(again)
    tell_everything(again)
    assert_sound(again)


@pytest.mark.parametrize(
    ("kind", "name", "foreign"),
    [
        ("shown/getDevRealKpi", "1", {"at": 0.0, "shown": {"total_cap": True}}),
        ("shown/getDevRealKpi", "1", {"at": "0", "shown": {}}),
        ("shown/getDevRealKpi", "1", {"shown": {"active_power": 1.0}}),
        ("shown/getKpiStationDay", "HILL", {"at": 0.0, "shown": {"current": None}}),
        ("shown/getAlarmList", "HILL", {"at": 0.0, "shown": [{"alarm_id": "1"}]}),
        ("lasting/fusionsolar_alarms_total", "HILL", [[["major"], -1.0]]),
        ("lasting/fusionsolar_alarms_total", "HILL", [[["major", "minor"], 1.0]]),
        ("lasting/fusionsolar_device_upgrade_info", "1", [[["V1", "V2"], 2.0]]),
        ("lasting/fusionsolar_device_upgrade_info", "1", [[["V1", 2], 1.0]]),
        ("lasting/fusionsolar_device_upgrade_info", "1", [[["V1", "\ud800"], 1.0]]),
        ("counters/devices", "1", [[ENERGY, [], -1.0, 0]]),
        ("counters/devices", "1", [[ENERGY, [], 1.0, "1", 0.0, None]]),
        ("counters/devices", "1", [[ENERGY, [], 1.0, 1.0, 0.0, [1.0, 1.0]]]),
    ],
)
def test_what_is_malformed_is_left_out_alone(memory, kind, name, foreign):
    memory[kind][name] = None
    without = restart(memory).series()
    memory[kind][name] = foreign
    assert restart(memory).series() == without
    assert without != restart(Memory()).series()


def test_of_what_is_malformed_it_is_told_once_for_each_kind_and_never_quoted(memory):
    memory["shown/getDevRealKpi"] |= {name: {"at": "t0ken"} for name in "12"}
    memory["counters/devices"]["1"] = "t0ken"

    with capture_logs() as logs:
        restart(memory)

    told = "state was not understood, going on without"
    assert logs == [
        {"event": told, "log_level": "warning", "account": "home", "part": part}
        for part in ("counters/devices", "shown/getDevRealKpi")
    ]


def assert_sound(world):
    shown = world.series()
    page = world.page.exposition(Format.OPENMETRICS).decode()
    read = [sample for family in openmetrics_families(page) for sample in family.samples]
    assert len(read) == len(shown) > 0


def own(world, name, interface):
    labels = {"account": "home", "interface": interface}
    return world.telemetry.registry.get_sample_value(f"fusionsolar_interface_{name}", labels)


LAST_SUCCESS = "last_success_timestamp_seconds"


def called():
    """Of a world whose exporter called three interfaces, one of them in vain."""
    world, memory = new_world(), Memory()
    for interface in ("login", "getDevRealKpi", "getDevFiveMinutes"):
        world.sink.request(interface, 1.0, None)
    world.sink.permitted("getDevRealKpi", permitted=True)
    world.sink.permitted("getAlarmList", permitted=False)
    memory.write(world.sink.changes())
    return world, memory


def test_when_an_interface_last_answered_and_whether_it_may_is_told_again():
    before, memory = called()

    after = restart(memory, after=3_600.0)

    assert own(after, LAST_SUCCESS, "login") == before.epoch
    assert own(after, LAST_SUCCESS, "getDevRealKpi") == before.epoch
    assert own(after, "permitted", "getDevRealKpi") == 1
    assert own(after, LAST_SUCCESS, "getAlarmList") is None
    assert own(after, "permitted", "getAlarmList") == 0
    assert own(after, LAST_SUCCESS, "getDevFiveMinutes") is None  # which is called no longer
    assert own(restart(memory, after=-60.0), LAST_SUCCESS, "login") == before.epoch - 60.0


@pytest.mark.parametrize("foreign", [None, [], "x", {}, {"last_success": "1"}, {"last_success": 1}])
def test_a_last_success_that_is_none_is_not_told(foreign):
    _, memory = called()
    memory["told"]["login"] = foreign

    after = restart(memory)

    assert own(after, LAST_SUCCESS, "login") is None
    assert own(after, "permitted", "getDevRealKpi") == 1
