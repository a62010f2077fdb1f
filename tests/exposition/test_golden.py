"""From a real answer to the lines of /metrics, for every device type and for plants.

`UPDATE_GOLDEN=1 pytest tests/exposition/test_golden.py` writes the expected texts anew; read them.
"""

import os
from collections import defaultdict

import pytest
from exposition.world import FIXTURES, World, payload
from prometheus.promtool import check_metrics, needs_promtool
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as openmetrics_families,
)
from prometheus_client.parser import text_string_to_metric_families

from exporter.account.model import VALUES
from exporter.exposition.alarms import SEVERITIES
from exporter.exposition.page import Format
from exporter.northbound import parsing
from exporter.northbound.device_types import REALTIME_TYPES
from exporter.northbound.interfaces import INTERFACES, Content, Subject
from exporter.northbound.records import Reading, Values

SHOWN = [interface for interface in INTERFACES.values() if interface.content in VALUES]
# Refusals have no values: the page after them is the page before.
ANSWERS = sorted(
    f"{interface.name}/{path.stem}"
    for interface in SHOWN
    for path in (FIXTURES / interface.name).glob("*.json")
    if payload(f"{interface.name}/{path.stem}")["success"]
)
NEWER_TYPES = {41, *(number for number in REALTIME_TYPES if number > 100)}  # than 5-minute data
LISTED_PLANTS = parsing.plants(payload("getStationList/classic")["data"], ())
LISTED_DEVICES = parsing.devices(
    payload("getDevList/mixed")["data"], [plant.code for plant in LISTED_PLANTS.records]
)


def world_after(name):
    """The page after one answer, about a fleet of nothing but what was asked for."""
    envelope = payload(name)
    interface = INTERFACES[name.rpartition("/")[0]]
    world = World(severities=SEVERITIES if interface.content is Content.ALARMS else ())
    world.plan(interface, max_age=300.0)
    asked = asked_for(interface, envelope)
    devices = [device for device in LISTED_DEVICES.records if device.id in asked]
    codes = {device.plant_code for device in devices} | set(asked)
    world.fleet(*devices, *(plant for plant in LISTED_PLANTS.records if plant.code in codes))
    names = {device.dn: device.id for device in devices} if interface.by_dn else asked
    show(world, interface, asked, interface.parser(envelope["data"], names))
    return world


def asked_for(interface, envelope):
    """What the answer repeats of the question, or else whatever it may have been."""
    params = envelope["params"] or {}
    if dn := params.get("devDn"):
        return [device.id for device in LISTED_DEVICES.records if device.dn == dn]
    named = map(params.get, ("devIds", "stationCodes", "plantCode"))
    if asked := next(filter(None, named), None):
        return asked.split(",")
    if interface.subject is Subject.PLANTS:
        return [plant.code for plant in LISTED_PLANTS.records]
    return [str(envelope["data"][0]["devId"])]


def show(world, interface, asked, parsed):
    """Shows an answer as the poller does, as if it were the first one."""
    rows = defaultdict(list)
    match interface.content:
        case Content.READINGS | Content.CONFIGURATION:
            readings = {each.subject: each for each in parsed.records}
            _show_readings(world, interface, asked, readings)
        case Content.ROWS:
            newest = {}
            for row in sorted(parsed.records, key=lambda row: row.start):
                newest[row.reading.subject] = row
            measured = {name: row.start for name, row in newest.items()}
            readings = {name: row.reading for name, row in newest.items()}
            _show_readings(world, interface, asked, readings, measured)
        case Content.STATISTICS:
            for row in sorted(parsed.records, key=lambda row: -row.start):
                if row.reading.values:
                    rows[row.reading.subject].append((row.start, row.reading.values))
            world.show_statistics(
                interface, {name: (*rows[name], None, None)[:2] for name in asked}
            )
        case Content.ALARMS:
            for alarm in parsed.records:
                rows[alarm.plant_code].append(alarm)
            world.show_alarms(
                {code: ([a for a in rows[code] if a.active], rows[code]) for code in asked}
            )
        case Content.UPGRADES:
            found = {
                each.reading.subject: (
                    each.reading.values,
                    each.source_version,
                    each.target_version,
                )
                for each in parsed.records
            }
            world.show_upgrades(asked, found)
        case missed:
            pytest.fail(f"{missed} is not shown")


def _show_readings(world, interface, asked, readings, measured=None):
    world.read(
        interface, [readings.get(name, Reading(name, Values({}))) for name in asked], measured
    )


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_becomes_exactly_this_page(name):
    golden, actual = FIXTURES / f"{name}.prom", world_after(name).text()
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(actual)
    assert actual == golden.read_text()


@pytest.mark.parametrize("name", ANSWERS)
def test_the_page_holds_no_series_twice_and_one_state_of_each(name):
    world, states = world_after(name), defaultdict(list)
    assert world.series()
    for family in text_string_to_metric_families(world.text()):
        for sample in family.samples:
            if sample.labels.pop(family.name, None):
                states[family.name, *sample.labels.items()].append(sample.value)
    assert all(sorted(values) == [*[0.0] * (len(values) - 1), 1.0] for values in states.values())


@pytest.mark.parametrize("name", ANSWERS)
def test_the_openmetrics_page_says_the_same(name):
    world = world_after(name)
    page = world.page.exposition(Format.OPENMETRICS).decode()
    assert page.count("# EOF\n") == 1
    assert page.endswith("# EOF\n")
    samples = {
        (sample.name, *sorted(sample.labels.items()))
        for family in openmetrics_families(page)
        for sample in family.samples
    }
    assert len(samples) == len(world.series())
    assert [line for line in page.splitlines() if line[0] != "#"] == [
        line for line in world.text().splitlines() if line[0] != "#"
    ]


def test_every_interface_has_a_golden_page_for_each_of_its_types():
    shown = defaultdict(set)
    for name in ANSWERS:
        page = (FIXTURES / f"{name}.prom").read_text()
        shown[name.rpartition("/")[0]] |= {
            device.type_id
            for device in LISTED_DEVICES.records
            if f'device_id="{device.id}"' in page
        }
    of_older_servers = {
        row.name: row.device_types if row.subject is Subject.DEVICES else frozenset()
        for row in SHOWN
    }
    of_older_servers["getDevFiveMinutes"] -= NEWER_TYPES
    for history in ("getDevHistoryKpi", "device/history"):  # whose keys are those of real-time
        of_older_servers[history] -= NEWER_TYPES - {41}
    assert {name: types & of_older_servers[name] for name, types in shown.items()} == (
        of_older_servers
    )
    assert shown["getDevRealKpi"] >= REALTIME_TYPES


def test_no_golden_page_is_left_without_its_answer():
    pages = [path.relative_to(FIXTURES) for path in FIXTURES.rglob("*.prom")]
    written = {str(path.with_suffix("")) for path in pages}
    assert written == set(ANSWERS)


@pytest.mark.slow
@needs_promtool
@pytest.mark.parametrize("name", ANSWERS)
def test_promtool_has_nothing_to_say(name):
    assert check_metrics((FIXTURES / f"{name}.prom").read_text("utf-8")) == (0, "")
