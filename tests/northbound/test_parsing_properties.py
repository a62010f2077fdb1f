"""Whatever JSON comes: nothing but a CallError is raised, and what is told is fit to be shown."""

import re
from collections import Counter
from dataclasses import astuple
from math import isfinite

from hypothesis import given
from hypothesis import strategies as st

from exporter.northbound import parsing
from exporter.northbound.data_items import parse_number
from exporter.northbound.errors import CallError
from exporter.northbound.records import Reading, Values

REASONS = {"wrong_type", "duplicate", "not_asked_for"}
UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
ASKED = ["A", "NE=1", "1", "-1", str(2**53 + 1)]

texts = st.text(st.characters(exclude_categories=()), max_size=20)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-3, 3)
    | st.just(10**400)
    | st.floats()
    | texts
    | st.sampled_from([*ASKED, "N/A", "1e400", "NaN", "12.5", "\ud800", "NE=\x00"])
)
keys = texts | st.sampled_from(
    ["stationCode", "plantCode", "id", "devId", "devTypeId", "dataItemMap", "list", "pageCount"]
)
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=8),
    max_leaves=30,
)


def items_with(**fields):
    item = st.fixed_dictionaries({}, optional=fields) | json_values
    items = st.lists(item, max_size=6)
    return items | st.fixed_dictionaries({"list": items, "pageCount": scalars}) | json_values


times = st.sampled_from([1, 1750760000000, "1750760000000", 1750760000000.0, 0, None]) | scalars
codes = st.integers(-1, 8) | st.integers(0, 8).map(str) | scalars
places = {"latitude": scalars, "longitude": scalars}
plant_lists = items_with(
    stationCode=scalars, plantCode=scalars, stationName=scalars, capacity=scalars,
    buildState=scalars, **places,
)  # fmt: skip
device_lists = items_with(
    id=scalars, stationCode=st.just("A") | scalars, devTypeId=st.just(1) | scalars,
    devName=scalars, invType=scalars, **places,
)  # fmt: skip
readings = items_with(
    stationCode=scalars, devId=scalars,
    dataItemMap=st.dictionaries(keys, json_values, max_size=8) | json_values,
)  # fmt: skip
rows = items_with(
    stationCode=st.just("A") | scalars, devId=st.sampled_from([1, "1", -1]) | scalars,
    collectTime=times, dataItemMap=st.dictionaries(keys, json_values, max_size=8) | json_values,
)  # fmt: skip
alarm_lists = items_with(
    stationCode=st.just("A") | scalars, esnCode=scalars, alarmId=codes, causeId=codes,
    raiseTime=times, alarmName=scalars, devName=scalars, lev=codes, alarmType=codes, status=codes,
    recoveryTime=times,
)  # fmt: skip
upgrade_lists = items_with(
    devId=st.sampled_from([1, "1", -1]) | scalars, result=scalars, failCode=codes,
    lastUpgradeTime=times, process=scalars, upgradeResult=codes, sourceVersion=scalars,
)  # fmt: skip
details = (
    st.fixed_dictionaries({"detail": st.dictionaries(keys | st.sampled_from(ASKED), json_values)})
    | json_values
)


def parsed(parse, data):
    """The parser's result, or None where the shape of all was wrong."""
    try:
        result = parse(data, ASKED)
    except CallError:
        if isinstance(data, list | None):
            raise
        return None
    assert set(result.rejected) <= REASONS
    assert result.page is None or all(n is None or n >= 1 for n in astuple(result.page))
    if isinstance(data, list):
        assert len(result.records) + result.rejected.total() == len(data)
    return result


def check_text(*values: str):
    for text in values:
        assert len(text) <= 512
        assert UNPRINTABLE.search(text) is None
        text.encode()


def check_place(record):
    assert (record.latitude is None) == (record.longitude is None)
    if record.latitude is not None:
        assert abs(record.latitude) <= 90
        assert abs(record.longitude) <= 180


def assert_distinct(identities):
    assert max(Counter(identities).values(), default=1) == 1


@given(plant_lists)
def test_any_plant_list_is_parsed(data):
    result = parsed(parsing.plants, data)
    for plant in result.records if result else ():
        check_text(plant.code, plant.name, plant.build_state, plant.connection_type)
        check_place(plant)
        assert plant.code
        assert plant.capacity_watts is None or isfinite(plant.capacity_watts)


@given(device_lists)
def test_any_device_list_is_parsed(data):
    result = parsed(parsing.devices, data)
    for device in result.records if result else ():
        check_text(device.id, device.name, device.model, device.serial_number)
        check_place(device)
        assert re.fullmatch(r"-?[0-9]{1,20}", device.id)
        assert device.plant_code in ASKED
        assert device.type_id >= 0


@given(readings)
def test_any_readings_are_parsed(data):
    for parse in (parsing.plant_readings, parsing.device_readings):
        result = parsed(parse, data)
        for reading in result.records if result else ():
            check_text(*reading.values, *reading.rejected)
            assert reading.subject in ASKED
            assert all(map(isfinite, reading.values.values()))
            assert set(reading.rejected.values()) <= {"wrong_type", "not_finite", "not_a_number"}


plain_items = st.dictionaries(
    st.sampled_from(["a", "b", " c", "", "x.y", "x.sn", "\x00", "k" * 200]) | st.text(max_size=3),
    st.none() | st.floats() | st.integers() | st.sampled_from([10**400, True, "1", "12 %"]),
)


@given(plain_items, st.sampled_from(sorted(ASKED)))
def test_plain_numbers_are_read_as_those_beside_others(items, subject):
    item = {"stationCode": subject, "dataItemMap": items}
    (alone,) = parsing.plant_readings([item], [subject]).records
    beside = {**items, "last": True}
    (other,) = parsing.plant_readings([{**item, "dataItemMap": beside}], [subject]).records
    assert other == Reading(
        subject, Values(alone.values), {**alone.rejected, "last": "wrong_type"}, alone.texts
    )


@given(rows)
def test_any_rows_are_parsed(data):
    for parse in (parsing.plant_statistics, parsing.device_rows):
        result = parsed(parse, data)
        for row in result.records if result else ():
            check_text(*row.reading.values, *row.reading.rejected)
            assert row.reading.subject in ASKED
            assert 0 < row.start < 253402300800
            assert all(map(isfinite, row.reading.values.values()))
        if result:
            assert_distinct((row.reading.subject, row.start) for row in result.records)


@given(alarm_lists)
def test_any_alarm_list_is_parsed(data):
    result = parsed(parsing.alarms, data)
    for alarm in result.records if result else ():
        check_text(alarm.serial_number, alarm.alarm_id, alarm.cause_id, alarm.name)
        check_text(alarm.device_name)
        assert alarm.plant_code in ASKED
        assert alarm.alarm_id
        assert 0 < alarm.raised < 253402300800
        assert alarm.severity in {"critical", "major", "minor", "warning", "unknown"}
        assert alarm.status is None or alarm.active is (alarm.status not in {4, 5, 6})
    if result:
        assert_distinct(
            (alarm.plant_code, alarm.serial_number, alarm.alarm_id, alarm.cause_id, alarm.raised)
            for alarm in result.records
        )


@given(upgrade_lists)
def test_any_upgrades_and_orders_are_parsed(data):
    upgrades, orders = parsed(parsing.upgrades, data), parsed(parsing.upgrade_orders, data)
    for upgrade in upgrades.records if upgrades else ():
        check_text(upgrade.source_version, upgrade.target_version)
        assert upgrade.reading.subject in ASKED
        assert set(upgrade.reading.values) <= {"lastUpgradeTime", "process", "upgradeResult"}
        assert all(map(isfinite, upgrade.reading.values.values()))
    for order in orders.records if orders else ():
        assert order.device_id in ASKED
        assert isinstance(order.accepted, bool)
    if upgrades and orders:
        assert_distinct(upgrade.reading.subject for upgrade in upgrades.records)
        assert_distinct(order.device_id for order in orders.records)


@given(details)
def test_any_registrations_are_parsed(data):
    try:
        result = parsing.registrations(data, ASKED)
    except CallError:
        return
    assert set(result.rejected) <= REASONS
    for registration in result.records:
        assert registration.serial_number in ASKED
        assert isinstance(registration.registered, bool)
    assert_distinct(registration.serial_number for registration in result.records)


@given(st.integers(-(2**63), 2**63 - 1), st.sampled_from([int, str]))
def test_every_64_bit_id_is_exact(identity, form):
    item = {"id": form(identity), "stationCode": "A", "devTypeId": 1}
    (device,) = parsing.devices([item], ["A"]).records
    assert device.id == str(identity)
    answer = [{"devId": form(identity), "dataItemMap": None}]
    (reading,) = parsing.device_readings(answer, [device.id]).records
    assert reading.subject == device.id


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_finite_number_is_read_as_it_was_written(value):
    assert parse_number(value) == value
    assert parse_number(repr(value)) == value


@given(json_values)
def test_any_value_is_a_finite_number_absent_or_refused(raw):
    value = parse_number(raw)
    assert value is None or value in {"wrong_type", "not_finite", "not_a_number"} or isfinite(value)
