from collections import Counter

import pytest

from exporter.northbound import parsing
from exporter.northbound.device_types import REALTIME_TYPES, device_type_slug
from exporter.northbound.interfaces import INTERFACES
from exporter.northbound.records import Parsed, Reading, TimedReading, Values

HILL = "BA4372D08E014822AB065017416F254C"
HARBOUR = "5D02E8B40AD342159AC8D8A2BCD4FAB5"

OLDER_TYPES = [number for number in REALTIME_TYPES - {41} if number < 100]

# Midnights in Zurich: 22, 23 and 24 June 2025.
MIDNIGHTS = (1750543200.0, 1750629600.0, 1750716000.0)


def starts(parsed, subject):
    return [row.start for row in parsed.records if row.reading.subject == subject]


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("getKpiStationHour/day", 5),
        ("getKpiStationDay/month", 12),
        ("getKpiStationMonth/year", 12),
        ("getKpiStationYear/years", 12),
    ],
)
def test_statistics_of_plants_have_every_key_and_their_own_starts(data, name, keys):
    items = data(name)
    parsed = INTERFACES[name.partition("/")[0]].parser(items, [HILL, HARBOUR])
    assert parsed.rejected == Counter()
    assert len(parsed.records) == len(items) == 6
    assert starts(parsed, HILL) == starts(parsed, HARBOUR) == sorted(starts(parsed, HILL))
    assert len(parsed.records[-1].reading.values) == keys


def test_a_row_of_a_day_begins_at_the_plants_midnight(data):
    parsed = parsing.plant_statistics(data("getKpiStationDay/month"), [HILL])
    assert starts(parsed, HILL) == list(MIDNIGHTS)
    assert parsed.rejected == Counter(not_asked_for=3)
    assert parsed.records[0].reading.values["inverter_power"] == 412.68


def test_a_row_without_values_stays_for_its_start(data):
    parsed = parsing.plant_statistics(data("getKpiStationDay/month"), [HARBOUR])
    assert parsed.records[-1] == TimedReading(MIDNIGHTS[-1], Reading(HARBOUR, Values({})))


def test_the_statistics_oddities_are_counted(data):
    parsed = parsing.plant_statistics(data("getKpiStationDay/quirks"), [HILL])
    assert parsed == Parsed(
        (
            TimedReading(
                MIDNIGHTS[0],
                Reading(HILL, Values({"inverter_power": 412.68}), {"use_power": "wrong_type"}),
            ),
            TimedReading(MIDNIGHTS[1], Reading(HILL, Values({}))),
            TimedReading(MIDNIGHTS[2], Reading(HILL, Values({}))),
        ),
        Counter(duplicate=1, not_asked_for=1, wrong_type=4),
    )


@pytest.mark.parametrize("type_id", sorted(OLDER_TYPES))
def test_every_device_type_has_5_minute_rows(data, type_id):
    items = data(f"getDevFiveMinutes/{device_type_slug(type_id)}")
    asked = list(dict.fromkeys(str(item["devId"]) for item in items))
    parsed = parsing.device_rows(items, asked)
    assert parsed.rejected == Counter()
    assert [row.start for row in parsed.records] == [
        1750798200.0, 1750798500.0, 1750798500.0, 1750798200.0,
    ]  # fmt: skip
    assert parsed.records[1].reading.values.keys() == {
        key for key, raw in items[1]["dataItemMap"].items() if raw != "N/A"
    }
    assert [row.reading.rejected for row in parsed.records] == [{}] * 4


@pytest.mark.parametrize("interface", ["getDevKpiDay", "getDevKpiMonth", "getDevKpiYear"])
@pytest.mark.parametrize("type_id", [1, 14, 38, 39])
def test_every_device_type_with_statistics_is_read(data, interface, type_id):
    items = data(f"{interface}/{device_type_slug(type_id)}")
    asked = list(dict.fromkeys(str(item["devId"]) for item in items))
    parsed = INTERFACES[interface].parser(items, asked)
    assert parsed.rejected == Counter()
    assert starts(parsed, asked[0]) == starts(parsed, asked[1])
    full, partial = parsed.records[0].reading.values, parsed.records[3].reading.values
    assert full.keys() == items[0]["dataItemMap"].keys()
    assert len(partial) == len(full) - 1


def test_two_rows_of_one_device_differ_by_their_start():
    times = (1_501_862_400_000, 1_501_862_700_000, 1_501_862_700_000.0)
    items = [{"devId": 1, "collectTime": time, "dataItemMap": {"a": 1.0}} for time in times]
    parsed = parsing.device_rows(items, ["1"])
    assert starts(parsed, "1") == [1_501_862_400.0, 1_501_862_700.0]
    assert parsed.rejected == Counter(duplicate=1)


@pytest.mark.parametrize("time", [None, "", "today", 0, -1, True, 1.5, 1_501_862_400, 10**18, [1]])
def test_a_row_without_a_time_is_counted(time):
    item = {"devId": 1, "collectTime": time, "dataItemMap": {"active_power": 1}}
    assert parsing.device_rows([item], ["1"]) == Parsed((), Counter(wrong_type=1))
