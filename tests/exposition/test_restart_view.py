"""What an account shows again after a restart, and what it makes of foreign data."""

import json

import pytest
from exposition.world import DAYS, DEVICES, EPOCH, PLANTS, World
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as openmetrics_families,
)
from structlog.testing import capture_logs

from exporter.account.codec import StoredRow
from exporter.clock import ClockStamp
from exporter.exposition.alarms import SEVERITIES
from exporter.exposition.page import Format, Page
from exporter.northbound.errors import fail_code_error
from exporter.northbound.records import Alarm, Device, Plant

pytestmark = pytest.mark.slow

HILL, MILL = Plant("HILL", "Hill"), Plant("MILL", "Mill")
A, B = Device("1", "HILL", 1), Device("2", "HILL", 1)
FLEET = (HILL, MILL, A, B)
FAULT = Alarm("HILL", "SN1", "2032", "1", 1_000.0, "Loose wire", "Roof", "major", "exception", 1)
UPGRADING = ({"upgradeResult": 4.0}, "V1", "V2")
ENERGY = "fusionsolar_inverter_energy_joules_total"
TOTALS = "fusionsolar_alarms_total"


def new_world(**settings):
    return World(fleet=FLEET, **{"severities": SEVERITIES, **settings})


@pytest.fixture
def world():
    """A world of which everything is known that can be stored."""
    world = new_world()
    show_everything(world)
    return world


def show_everything(world):
    values = {"active_power": 5.0, "inverter_state": 512.0, "total_cap": 10.0, "mppt_1_cap": 4.0}
    world.answer(DEVICES, ["1", "2"], {"1": values})
    world.answer(PLANTS, ["HILL", "MILL"], {"HILL": {"total_power": 7.0, "real_health_state": 3.0}})
    day = {"inverter_power": 2.0}
    world.show_statistics(DAYS, {"HILL": ((86_400.0, day), (0.0, day)), "MILL": (None, None)})
    world.show_alarms({"HILL": ([FAULT], [FAULT]), "MILL": ([], [])})
    world.show_upgrades(["1", "2"], {"1": UPGRADING})


def names(state):
    """Of which plants and devices anything is known."""
    return {name for section in state.sections for name in section} - {""}


def test_the_page_after_a_restart_is_the_page_before(world):
    assert world.restart().series() == world.series()


def test_values_have_their_true_age(world):
    everything = world.restart().series()
    assert world.restart(after=300.0).series() == everything
    left = world.restart(after=301.0).series()
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


def test_a_time_in_the_future_counts_as_now(world):
    again = world.restart(after=-1e6)
    everything = again.series()
    again.at += 300.0
    assert again.series() == everything
    again.at += 1.0
    assert again.series("fusionsolar_inverter") == {}


def test_nothing_is_counted_a_second_time():
    before = new_world()
    values = {"total_cap": 10.0, "new": 1.0, "inverter_state": 7.0, "a_u": 1e308}
    before.answer(DEVICES, ["1"], {"1": values})
    world = before.restart()
    assert world.view.unknown_keys == []
    counted = [
        sample.name
        for family in world.telemetry.of("home").registry.collect()
        for sample in family.samples
        if sample.labels.get("interface") and sample.value
    ]
    assert set(counted) == {
        "fusionsolar_interface_pace_seconds", "fusionsolar_interface_walk_seconds",
    }  # fmt: skip


def test_a_held_counter_stays_held_however_often_the_exporter_restarts():
    world = new_world()
    world.answer(DEVICES, ["1"], {"1": {"total_cap": 9_000.0}})
    for fallen in (1.0, 1.1, 1.2, 1.3):
        world.answer(DEVICES, ["1"], {"1": {"total_cap": fallen}})
        world = world.restart()
        assert list(world.series(ENERGY).values()) == [9_000 * 3.6e6]
    world.at += 86_400.0
    world.answer(DEVICES, ["1"], {"1": {"total_cap": 1.4}})
    assert list(world.series(ENERGY).values()) == [pytest.approx(1.4 * 3.6e6)]


def test_the_time_while_the_exporter_was_down_counts_for_a_rise():
    world = World(fleet=[Plant("HILL", "Hill", 10_000.0), A])
    world.answer(DEVICES, ["1"], {"1": {"total_cap": 9_000.0}})
    shown = []
    for hours in (0, 100):
        world = world.restart(after=3_600.0 * hours)
        world.answer(DEVICES, ["1"], {"1": {"total_cap": 9_500.0}})
        shown += world.series(ENERGY).values()
    assert shown == [9_000 * 3.6e6, 9_500 * 3.6e6]


def test_first_sightings_count_on(world):
    again = world.restart()
    again.show_alarms({"HILL": ([FAULT], [FAULT])})
    assert [value for value in again.series(TOTALS).values() if value] == [2.0]


def test_of_other_severities_only_the_common_ones_count_on(world):
    of = f"{TOTALS}{{account=home,plant_code=HILL,severity"
    again = world.restart(severities=("warning", "major"))
    assert again.series(of) == {f"{of}=warning}}": 0.0, f"{of}=major}}": 1.0}
    assert world.restart(severities=()).series("fusionsolar_alarm_") == {}
    assert world.restart(severities=()).series(TOTALS) == {}


def test_the_next_answer_replaces_what_was_restored(world):
    again = world.restart()
    again.answer(DEVICES, ["1"], {"1": {"active_power": 6.0}})
    again.show_alarms({"HILL": ([], [])})
    again.show_upgrades(["1"], {})
    again.show_statistics(DAYS, {"HILL": (None, None)})
    assert list(again.series("fusionsolar_inverter").values()) == [6_000.0]
    assert again.series("fusionsolar_alarm_") == {}
    assert again.series("fusionsolar_plant_period") == {}
    assert len(again.series("fusionsolar_device_upgrade")) == 1


class CountingPage(Page):
    """Remembers the blocks that age."""

    def __init__(self):
        super().__init__({}, lambda: 0.0)
        self.ageing = {}

    def update(self, changes, *, account):
        super().update(changes, account=account)
        self.ageing.update({key: block for key, block in changes.items() if block and block.source})


def test_batches_are_as_large_as_they_were(world):
    page = CountingPage()
    world.restart(page=page)
    assert len(page.ageing) == 5  # one for each interface that brought anything


def test_what_is_not_in_the_fleet_is_not_shown_and_dropped(world):
    world.save()
    again = World(database=world.database, fleet=[MILL, Device("2", "MILL", 1)])
    shown = again.series()
    assert [s for s in shown if "HILL" in s or "device_id=1" in s] == []
    assert names(again.state) == names(again.restart().state) == {"MILL", "2"}


def test_what_is_gone_is_dropped_everywhere(world):
    assert names(world.state) == {"HILL", "MILL", "1", "2"}
    world.fleet(MILL, Device("2", "MILL", 1))
    assert names(world.state) == names(world.restart().state) == {"MILL", "2"}


def test_under_another_type_nothing_of_a_device_is_kept(world):
    world = world.restart()
    world.fleet(HILL, MILL, Device("1", "HILL", 38), B)
    assert [each.kind for each in world.state.sections if "1" in each] == []


def test_only_what_changed_is_stored(world):
    world = world.restart()
    assert world.unsaved() == set()
    world.answer(DEVICES, ["1"], {"1": {"active_power": 5.0}})
    assert world.unsaved() == {("answer/getDevRealKpi", "1"), ("last_reading/devices", "1")}
    world.save()
    assert world.unsaved() == set()
    world.epoch += 60.0
    world.answer(DEVICES, ["1"], {"1": {"total_cap": 11.0}})
    world.show_alarms({"HILL": ([FAULT], [])})
    assert world.unsaved() == {
        ("answer/getDevRealKpi", "1"),
        ("last_reading/devices", "1"),
        ("counters/devices", "1"),
        ("answer/getAlarmList", "HILL"),
    }


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
                ["at", "value", "current", "values", "start", "active_power", "\ud800"]
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


def overwrite(world, kind, name, data):
    """Leaves something else in a world's database than what was stored."""
    stamp = ClockStamp(None, EPOCH, 0.0)
    row = None if data is None else StoredRow(json.dumps(data), stamp)
    world.database.write({(kind, name): row})


@given(st.data(), junk)
def test_whatever_stands_in_the_database_the_page_is_sound(data, foreign):
    world = new_world()
    show_everything(world)
    stored = sorted(world.unsaved())
    world.save()
    kind, name = data.draw(st.sampled_from(stored))
    body = json.loads(world.database.read(kind)[name].body)
    path = data.draw(st.sampled_from(list(paths(body))))
    overwrite(world, kind, name, replaced(body, path, foreign))
    again = world.restart()
    assert_sound(again)
    again.fleet(*FLEET)
    show_everything(again)
    assert_sound(again)


def test_what_is_stored_as_of_somebody_else_costs_no_page(world):
    value = {"subject": "9", "values": {"total_cap": 1.0}}
    world.save()
    overwrite(world, "answer/getDevRealKpi", "1", {"at": 0.0, "read_at": 0.0, "value": value})
    assert_sound(world.restart())


def series_without(world, kind, name):
    """The page after a restart without a row."""
    overwrite(world, kind, name, None)
    return world.restart().series()


@pytest.mark.parametrize(
    ("kind", "name", "foreign"),
    [
        ("answer/getDevRealKpi", "1", "x"),
        ("answer/getDevRealKpi", "1", {"at": 0.0, "read_at": 0.0}),
        ("answer/getDevRealKpi", "1", {"at": 0.0, "read_at": 0.0, "value": {"values": "x"}}),
        ("answer/getKpiStationDay", "HILL", {"at": 0.0, "read_at": "x", "value": {}}),
        ("answer/getAlarmList", "HILL", {"at": 0.0, "read_at": 0.0, "value": "x"}),
        ("alarm_totals", "HILL", {"major": "x"}),
        ("alarm_totals", "HILL", {"major": -1.0}),
        ("upgrade", "1", ["V1"]),
        ("upgrade", "1", ["V1", 2]),
        ("upgrade", "1", ["V1", "\ud800"]),
        ("counters/devices", "1", [[[ENERGY, []], {"value": -1.0}]]),
        ("counters/devices", "1", [[[ENERGY, []], {"value": "x"}]]),
        ("counters/devices", "1", [[[ENERGY], {"value": 1.0}]]),
    ],
)
def test_what_is_malformed_is_left_out_alone(world, kind, name, foreign):
    world.save()
    expected = series_without(world, kind, name)
    overwrite(world, kind, name, foreign)
    assert world.restart().series() == expected


def test_of_what_is_malformed_it_is_said_once_for_each_kind_and_never_quoted(world):
    world.save()
    for name in "12":
        overwrite(world, "answer/getDevRealKpi", name, {"at": "t0ken"})
    overwrite(world, "counters/devices", "1", "t0ken")

    with capture_logs() as logs:
        world.restart()

    event = "state was not understood, continuing without it"
    entries = {(each["event"], each["log_level"], each["part"]) for each in logs}
    assert entries == {
        (event, "warning", f"{p}") for p in ("answer/getDevRealKpi", "counters/devices")
    }
    assert len(logs) == 2
    assert "t0ken" not in str(logs)


def assert_sound(world):
    shown = world.series()
    page = world.page.exposition(Format.OPENMETRICS).decode()
    read = [sample for family in openmetrics_families(page) for sample in family.samples]
    assert len(read) == len(shown) > 0


# Calls

LAST_SUCCESS = "fusionsolar_interface_last_success_timestamp_seconds"
PERMITTED = "fusionsolar_interface_permitted"


def world_after_calls():
    """A world whose exporter called interfaces, two of them in vain."""
    world = new_world()
    for interface in ("login", "getDevFiveMinutes"):
        world.request(interface)
    world.request("getDevRealKpi", permitted=True)
    world.request("getAlarmList", error=fail_code_error(401), permitted=False)
    return world


def test_when_an_interface_last_answered_and_whether_it_may_is_shown_again():
    before = world_after_calls()

    after = before.restart(after=3_600.0)

    assert after.self_metric(LAST_SUCCESS, interface="login") == before.epoch
    assert after.self_metric(LAST_SUCCESS, interface="getDevRealKpi") == before.epoch
    assert after.self_metric(PERMITTED, interface="getDevRealKpi") == 1
    assert after.self_metric(LAST_SUCCESS, interface="getAlarmList") is None
    assert after.self_metric(PERMITTED, interface="getAlarmList") == 0
    # Which is called no longer:
    assert after.self_metric(LAST_SUCCESS, interface="getDevFiveMinutes") is None
    earlier = before.restart(after=-60.0)
    assert earlier.self_metric(LAST_SUCCESS, interface="login") == before.epoch - 60.0


@pytest.mark.parametrize("foreign", [[], "x", {}, {"last_success": "x"}])
def test_a_last_success_that_is_none_is_not_shown(foreign):
    before = world_after_calls()
    before.save()
    overwrite(before, "result", "login", foreign)

    after = before.restart()

    assert after.self_metric(LAST_SUCCESS, interface="login") is None
    assert after.self_metric(PERMITTED, interface="getDevRealKpi") == 1
