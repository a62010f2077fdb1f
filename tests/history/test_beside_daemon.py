"""History writes what the daemon would have shown then: both are run over the same days."""

import re

import pytest
from commands.world import world
from history.shown import in_files, on_page

from exporter.catalogue.index import lookup
from exporter.catalogue.model import Kind
from exporter.exposition.page import Page
from exporter.exposition.telemetry import Telemetry
from exporter.northbound.device_types import REALTIME_TYPES
from exporter.northbound.interfaces import DAY, HOUR, MINUTE

pytestmark = pytest.mark.slow

STATISTICS = ("getKpiStationHour", "getKpiStationDay", "getKpiStationMonth", "getKpiStationYear")
OF_DEVICES = ("getDevKpiDay", "getDevKpiMonth", "getDevKpiYear")
# What the 5-minute rows of devices tell, but for counters: a daemon that asks every quarter of an
# hour holds leaps back that rows of five minutes confirm.
PAST_OF_DEVICES = {
    row.metric.name
    for kind in REALTIME_TYPES
    for row in lookup("getDevFiveMinutes", kind).values()
    if row.metric and row.metric.kind is not Kind.COUNTER
}
TO = 1_751_328_000.0  # 2025-07-01
OFF = ("getStationRealKpi", "getDevRealKpi", "getAlarmList")
START = 1_750_852_800.0 + 4.5 * DAY  # 2025-06-30: the next day is another month's


@pytest.fixture
def home(tmp_path):
    with world(tmp_path, plants=2, limits="classic") as made:
        made.clock.step = 4.5 * DAY
        yield made


def poll(home, *, on, every):
    off = {name: {"enabled": False} for name in {*OFF, *STATISTICS, *OF_DEVICES} - {*on}}
    polled = {name: {"enabled": True, "every": every} for name in on}
    home.configure(account={"limits": "classic"}, interfaces=off | polled)


def pages_of_daemon(home, hours, step):
    """What a daemon shows at each step, by time."""
    page, pages = Page(Telemetry().registries, home.clock.now), {}
    with home.daemon(page):
        while home.clock.time() < START + hours * HOUR:
            # A minute after the round times at which history has samples.
            home.clock.pass_by(step - (home.clock.time() - MINUTE) % step)
            pages[home.clock.time() - MINUTE] = on_page(page)
    return pages


def device_of(labels):
    """The id of the device that a series is about."""
    found = re.search(r'device_id="([^"]+)"', labels)
    return found and found[1]


def history_of(home, *flags):
    """What history writes."""
    assert home.run("history", *flags, "--openmetrics", home.directory / "om") == 0
    assert home.refused() == 0
    return in_files(home.directory / "om")


def test_statistics_are_those_that_a_daemon_showed(home):
    poll(home, on=[*STATISTICS, *OF_DEVICES], every="1h")
    pages = pages_of_daemon(home, 44, 6 * HOUR)
    home.clock.pass_by(DAY)
    names = ",".join([*STATISTICS, *OF_DEVICES])
    past = history_of(home, "--from", "2025-05-01", "--to", "2025-07-04", "--sources", names)
    compared = 0
    for time, page in pages.items():
        expected = {key: value for key, value in page.items() if 'window="previous"' in key}
        then = {key: values[time] for key, values in past.items() if time in values}
        if time > START + 6 * HOUR:  # by when a daemon has asked about all of it
            assert then == expected, time
            compared += len(expected)
    assert compared > 1_000


def test_five_minutes_are_those_that_a_daemon_showed(home):
    poll(home, on=["getDevFiveMinutes"], every="15m")
    pages = pages_of_daemon(home, 4, HOUR)
    home.clock.pass_by(DAY)
    flags = ("--from", "2025-06-30", "--to", "2025-07-01", "--sources", "getDevFiveMinutes")
    past = history_of(home, *flags)
    compared = set()
    for page in pages.values():
        starts = {
            device_of(key): value
            for key, value in page.items()
            if key.startswith("fusionsolar_device_last_reading_timestamp_seconds")
        }
        for key, value in page.items():
            name, _, labels = key.partition("{")
            start = starts.get(device_of(labels))
            if start is not None and START <= start < TO and name in PAST_OF_DEVICES:
                assert (key, start, past[key].get(start)) == (key, start, value)
                compared.add((key, start))
    assert len(compared) > 1_000
