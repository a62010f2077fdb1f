"""What a command has read, a daemon that starts afterwards knows: nothing is asked twice."""

import re

import pytest
from commands.world import world

from exporter.exposition.page import Format, Page
from exporter.exposition.telemetry import Telemetry

pytestmark = pytest.mark.slow

POWER = "fusionsolar_inverter_active_power_watts"
DAY = "fusionsolar_plant_period_inverter_energy_joules"


@pytest.fixture
def home(tmp_path):
    with world(tmp_path, alarm_every=None) as made:
        made.system.raise_alarm(device_id=-214543629611879, alarm_id=2064)
        yield made


def page_of(home):
    return Page(Telemetry().registries, home.clock.now)


def values(page):
    """The series of a page and their values, but for where the sun stands."""
    text = page.exposition(Format.TEXT).decode()
    series = re.findall(r"^(fusionsolar_[^ ]+) (.+)$", text, re.MULTILINE)
    return {name: value for name, value in series if "sun_elevation" not in name}


def values_of(page, metric):
    return [value for name, value in values(page).items() if name.startswith(f"{metric}{{")]


def test_a_daemon_shows_at_once_what_a_check_has_read(home):
    home.run("check")
    page = page_of(home)

    with home.daemon(page) as daemon:
        at_once = values(page)
        assert daemon.ready

    for metric in (
        POWER,
        "fusionsolar_battery_power_watts",
        "fusionsolar_meter_active_power_watts",
        "fusionsolar_plant_day_energy_joules",
        "fusionsolar_device_last_reading_timestamp_seconds",
    ):
        assert any(name.startswith(f"{metric}{{") for name in at_once), metric
    periods = {
        (found[1], found[2])
        for name in at_once
        if (found := re.match(r'fusionsolar_plant_period_.*period="(\w+)",.*window="(\w+)"', name))
    }
    assert {period for period, _ in periods} == {"day", "month", "year"}
    assert sorted(values_of(page, "fusionsolar_alarms_active")) == ["0.0"] * 4 + ["1.0"]


def test_and_asks_nothing_of_that_again_in_its_first_minutes(home):
    home.run("check")
    before = home.all_calls()

    with home.daemon(page_of(home)):
        home.clock.pass_by(60)
        after = home.all_calls()
        home.clock.pass_by(3_600)

    assert after == before
    assert home.refused() == 0
    assert home.calls("getStationList") == 1


def test_what_a_daemon_knew_a_check_leaves_as_it_was_and_adds_to_it(home):
    first, second = page_of(home), page_of(home)
    with home.daemon(first):
        home.clock.pass_by(7_200)
        before = values_of(first, "fusionsolar_alarms_total")

    home.run("check")
    with home.daemon(second):
        assert values_of(second, "fusionsolar_alarms_total") == before
        assert values(second).keys() == values(first).keys()


def test_a_call_that_was_not_made_leaves_its_batch_to_the_daemon(home):
    home.configure(interfaces={"getAlarmList": {"allowance": {"calls": 1, "per": "31m"}}})
    home.run("check")
    home.clock.pass_by(300)
    home.run("check")  # in which alarms are not allowed yet

    with home.daemon(page_of(home)):
        home.clock.pass_by(1_800)

    assert home.calls("getAlarmList") == 2
    assert home.refused() == 0


def test_a_refusal_for_frequency_is_remembered_by_the_daemon(home):
    home.system.faults.add("fail_code", interface="getAlarmList", value=407, count=1)
    home.run("check")
    asked = home.calls("getAlarmList")

    with home.daemon(page_of(home)):
        home.clock.pass_by(1_500)
        assert home.calls("getAlarmList") == asked
        home.clock.pass_by(600)

    assert home.calls("getAlarmList") > asked


def test_beside_a_daemon_a_check_writes_nothing_but_its_calls(home):
    kinds = (
        "fleet", "batches", "answer/getDevRealKpi", "alarms", "statistics/getKpiStationDay",
    )  # fmt: skip
    with home.daemon(page_of(home)):
        home.clock.pass_by(600)
        home.clock.daemon = None  # it makes no call meanwhile
        before = [home.database.read(kind) for kind in kinds]
        home.run("check")
        assert [home.database.read(kind) for kind in kinds] == before
