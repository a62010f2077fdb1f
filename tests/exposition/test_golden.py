"""From a real answer to the lines of /metrics, for every device type and for plants.

`UPDATE_GOLDEN=1 pytest tests/exposition/test_golden.py` writes the expected texts anew; read them.
"""

import os
import shutil
import subprocess
from collections import defaultdict

import pytest
from exposition.world import FIXTURES, World, payload
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as openmetrics_families,
)
from prometheus_client.parser import text_string_to_metric_families

from exporter.exposition.page import Format
from exporter.northbound import parsing
from exporter.northbound.interfaces import INTERFACES, REALTIME_TYPES

# Refusals have no values: the page after them is the page before.
ANSWERS = sorted(
    f"{interface}/{path.stem}"
    for interface in ("getStationRealKpi", "getDevRealKpi")
    for path in (FIXTURES / interface).glob("*.json")
    if payload(f"{interface}/{path.stem}")["success"]
)
LISTED_PLANTS = parsing.plants(payload("getStationList/classic")["data"], ())
LISTED_DEVICES = parsing.devices(
    payload("getDevList/mixed")["data"], [plant.code for plant in LISTED_PLANTS.records]
)


def world_after(name):
    """The page after one answer, about a fleet of nothing but what was asked for."""
    envelope, world = payload(name), World()
    interface = INTERFACES[name.partition("/")[0]]
    params = envelope["params"] or {"devIds": str(envelope["data"][0]["devId"])}
    asked = (params.get("devIds") or params["stationCodes"]).split(",")
    devices = [device for device in LISTED_DEVICES.records if device.id in asked]
    codes = {device.plant_code for device in devices} | set(asked)
    world.fleet(*devices, *(plant for plant in LISTED_PLANTS.records if plant.code in codes))
    world.sink.readings(interface, asked, interface.parser(envelope["data"], asked))
    return world


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


def test_every_type_with_real_time_values_has_a_golden_page():
    types = {
        device.type_id
        for name in ANSWERS
        for device in LISTED_DEVICES.records
        if f'device_id="{device.id}"' in (FIXTURES / f"{name}.prom").read_text()
    }
    assert types >= REALTIME_TYPES


def test_no_golden_page_is_left_without_its_answer():
    written = {f"{path.parent.name}/{path.stem}" for path in FIXTURES.glob("*/*.prom")}
    assert written == set(ANSWERS)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
@pytest.mark.parametrize("name", ANSWERS)
def test_promtool_has_nothing_to_say(name):
    ran = subprocess.run(  # noqa: S603  # because the page is our own
        [shutil.which("promtool"), "check", "metrics"],
        input=(FIXTURES / f"{name}.prom").read_bytes(), capture_output=True, check=False,
    )  # fmt: skip
    assert (ran.stdout, ran.stderr, ran.returncode) == (b"", b"", 0)
