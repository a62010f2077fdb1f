import json
from collections import Counter

import pytest

from exporter.northbound import parsing
from exporter.northbound.device_types import REALTIME_TYPES, device_type_slug
from exporter.northbound.errors import CallError, Reaction
from exporter.northbound.records import Device, ListPage, Parsed, Plant, Reading, Values

HILL = "BA4372D08E014822AB065017416F254C"
HARBOUR = "5D02E8B40AD342159AC8D8A2BCD4FAB5"
MILL = "NE=33534657"
INVERTER = "-214543629611879"
OTHER = "1000000137278685"

# All but that of registrations, whose `data` is no list.
PARSERS = [
    parsing.plants,
    parsing.devices,
    parsing.plant_readings,
    parsing.device_readings,
    parsing.plant_statistics,
    parsing.device_rows,
    parsing.alarms,
    parsing.upgrades,
    parsing.upgrade_orders,
]


def one(parsed: Parsed):
    (record,) = parsed.records
    return record


# The shape of `data`


@pytest.mark.parametrize("parse", PARSERS)
@pytest.mark.parametrize(
    "data", [None, [], {"list": None}, {"list": [], "pageCount": 0}, {"total": 3}, {"pageCount": 1}]
)
def test_nothing_is_an_empty_result(parse, data):
    parsed = parse(data, [])
    assert (parsed.records, parsed.rejected) == ((), Counter())


@pytest.mark.parametrize("parse", PARSERS)
@pytest.mark.parametrize(
    "data",
    ["text", 1, 0.5, True, {}, {"list": "text"}, {"list": "text", "total": 3}, {"items": []}],
)
def test_data_of_another_shape_is_malformed(parse, data):
    with pytest.raises(CallError) as caught:
        parse(data, [])
    error = caught.value
    assert (error.reason, error.reaction, error.enveloped) == (
        "malformed", Reaction.NEXT_TURN, True,
    )  # fmt: skip


@pytest.mark.parametrize("parse", PARSERS)
def test_an_item_that_is_no_object_is_counted(parse):
    assert parse([1, "text", None, [], True, {}], []).rejected == Counter(wrong_type=6)


# Plants


def test_an_old_plant_list_has_megawatts_and_no_coordinates(data):
    assert parsing.plants(data("getStationList/classic"), []).records == (
        Plant(HILL, "Hillside plant 1", 1_465_000.0, "2", "2"),
        Plant(HARBOUR, 'Harbour "roof" \\ ☀', 5_000.0),
        Plant(MILL, "", None, "3", "1"),
    )


def test_a_paged_plant_list_has_kilowatts_and_coordinates_as_text(data):
    parsed = parsing.plants(data("stations/page1"), [])
    assert parsed.records == (
        Plant(MILL, "Mill pond", 9_240.0, latitude=47.3769, longitude=8.5417),
        Plant("NE=33594051", "Orchard", 146_500_000.0),
        Plant("NE=33600102", "School gym", 29_700.0, latitude=51.5072, longitude=-0.1276),
    )
    assert parsed.page == ListPage(count=2, total=4)


def test_the_old_interface_may_answer_with_a_page(data):
    parsed = parsing.plants(data("getStationList/paged"), [])
    assert (one(parsed).code, parsed.page) == (MILL, ListPage(count=1, total=1))


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ({"pageCount": 3, "total": 250}, ListPage(3, 250)),
        ({"pageCount": 3.0, "total": "250"}, ListPage(3, 250)),
        ({"pageCount": "3"}, ListPage(3)),
        ({"pageCount": 10_000, "total": 1_000_000}, ListPage(10_000, 1_000_000)),
        ({"pageCount": 10_001, "total": 1_000_001}, ListPage()),
        ({"pageCount": 0, "total": 0}, ListPage()),
        ({"pageCount": -1, "total": -1}, ListPage()),
        ({"pageCount": None, "total": "many"}, ListPage()),
        ({}, ListPage()),
    ],
)  # fmt: skip
def test_a_page_tells_how_many_pages_and_plants_there_are_or_nothing(sent, read):
    assert parsing.plants({"list": [], **sent}, []).page == read


def test_a_plain_list_is_no_page():
    assert parsing.plants([{"stationCode": "A"}], []).page is None


@pytest.mark.parametrize("name", ["getStationList/classic", "stations/page1", "stations/page2"])
def test_personal_data_is_never_read(data, name):
    text = repr(parsing.plants(data(name), []))
    assert [word for word in ("Example Street", "Contact", "contact@", "+00") if word in text] == []


def test_the_first_of_two_plants_with_one_code_stands():
    items = [{"stationCode": "A", "stationName": "first"}, {"plantCode": "A", "plantName": "next"}]
    parsed = parsing.plants(items, [])
    assert (one(parsed).name, parsed.rejected) == ("first", Counter(duplicate=1))


@pytest.mark.parametrize("code", [None, "", [], {}, True, "A,B", " A", "A\x00", "A" * 513])
def test_a_plant_needs_a_code_that_can_be_sent_again(code):
    parsed = parsing.plants([{"stationCode": code}], [])
    assert (parsed.records, parsed.rejected) == ((), Counter(wrong_type=1))


@pytest.mark.parametrize(
    "capacity", [None, "", "N/A", "much", True, [], float("nan"), 1e308, 10**400]
)
def test_a_capacity_that_is_no_number_is_left_out(capacity):
    plant = one(parsing.plants([{"stationCode": "A", "capacity": capacity}], []))
    assert plant.capacity_watts is None


def test_a_capacity_gains_no_digits_by_its_unit():
    plant = one(parsing.plants([{"stationCode": "A", "capacity": 0.00391}], []))
    assert plant.capacity_watts == 3_910.0


@pytest.mark.parametrize(
    ("latitude", "longitude", "place"),
    [
        (47.5, -8.25, (47.5, -8.25)),
        ("-90", "180", (-90.0, 180.0)),
        (0, 8.5, (0.0, 8.5)),
        (0, 0, (None, None)),
        ("0.0", 0, (None, None)),
        ("", "", (None, None)),
        (47.5, None, (None, None)),
        (90.1, 8.5, (None, None)),
        (47.5, -180.1, (None, None)),
        (float("nan"), 8.5, (None, None)),
        (True, 8.5, (None, None)),
        ("47,5", "8,25", (None, None)),
    ],
)
def test_coordinates_are_a_place_on_earth_or_nothing(latitude, longitude, place):
    item = {"stationCode": "A", "latitude": latitude, "longitude": longitude}
    plant = one(parsing.plants([item], []))
    assert (plant.latitude, plant.longitude) == place


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("two\nlines\tand more", "two\nlines\tand more"),
        ("NUL\x00 bell\x07 cr\r del\x7f csi\x9b", "NUL� bell� cr� del� csi�"),
        ("half a \ud83d smile", "half a � smile"),
        ("a whole 😀", "a whole 😀"),
        ("x" * 600, "x" * 512),
        (12, "12"),
        (12.0, "12"),
        (1.5, "1.5"),
        (10**5000, ""),
        (float("inf"), ""),
        (True, ""),
        (["x"], ""),
        (None, ""),
    ],
    ids=range(13),
)
def test_a_text_is_cleaned_and_capped(raw, name):
    plant = one(parsing.plants([{"stationCode": "A", "stationName": raw}], []))
    assert plant.name == name


# Devices


def test_a_device_list_keeps_ids_exact_and_fills_what_is_missing(data):
    parsed = parsing.devices(data("getDevList/mixed"), [HILL, HARBOUR])
    by_name = {device.name: device for device in parsed.records}
    assert parsed.rejected == Counter()
    assert by_name["Inverter 1"] == Device(
        INVERTER, HILL, 1, "Inverter 1", "SUN2000-100KTL-M1",
        "HV0000000001", "V500R001C00SPC111", 47.3769, 8.5417, "NE=45112001",
    )  # fmt: skip
    assert by_name["Inverter 2"].model == "SUN2000-100KTL-M1-A"
    assert by_name["Inverter 2"].latitude == 47.377
    assert by_name["Home 1"].latitude is None
    assert by_name["Home 2"] == Device(
        "1000000033393156", HARBOUR, 38, "Home 2", "SUN2000L-5KTL",
        "SE0000000002", "V100R001C00SPC142",
    )  # fmt: skip
    assert by_name["Battery 1"] == Device(
        "1000000033393039", HARBOUR, 39, "Battery 1", dn="NE=45112560"
    )
    assert by_name["Combiner 2"].type_id == 15
    assert by_name["Weather 2"].id == "9223372036854775807"
    assert by_name["Logger"].model == "SmartLogger3000"
    assert by_name["Dongle"].id == "1000000033393062"
    assert by_name['Optimizer "roof" \\ ☀'].id == "-9223372036854775808"


@pytest.mark.parametrize("none", ["null", "N/A", "", " ", None])
def test_a_serial_number_or_dn_that_a_text_denies_is_none(none):
    item = {"id": 1, "devTypeId": 1, "stationCode": "A", "esnCode": none, "devDn": none}
    device = one(parsing.devices([item], ["A"]))
    assert (device.serial_number, device.dn) == ("", "")
    assert one(parsing.devices([{**item, "devDns": "NE=1"}], ["A"])).dn == "NE=1"


def test_the_device_lists_oddities_are_counted(data):
    parsed = parsing.devices(data("getDevList/quirks"), [HILL])
    assert [device.name for device in parsed.records] == ["First"]
    assert parsed.rejected == Counter(wrong_type=8, duplicate=1, not_asked_for=1)


@pytest.mark.parametrize(
    ("raw", "identity"),
    [
        (-214543629611879, "-214543629611879"),
        (2**53 + 1, "9007199254740993"),
        (-(2**63), "-9223372036854775808"),
        ("-214543629611879", "-214543629611879"),
        (" 9007199254740993 ", "9007199254740993"),
        (1000000137278685.0, "1000000137278685"),
    ],
)
def test_an_id_is_exact(raw, identity):
    item = {"id": raw, "stationCode": "A", "devTypeId": 1}
    assert one(parsing.devices([item], ["A"])).id == identity


@pytest.mark.parametrize(
    "raw",
    [None, "", True, 1.5, 2.0**53 + 2, float("nan"), float("inf"), 2**64, "1_0", "٣", "one", "1.5",
     "NE=45112561", "\ud83d", [1]],
)  # fmt: skip
def test_an_id_that_cannot_be_exact_is_none(raw):
    item = {"id": raw, "stationCode": "A", "devTypeId": 1}
    assert parsing.devices([item], ["A"]).rejected == Counter(wrong_type=1)


@pytest.mark.parametrize("raw", [None, "", "inverter", True, -1, 1.5, 2**31, [1]])
def test_a_device_without_a_type_is_counted(raw):
    item = {"id": 1, "stationCode": "A", "devTypeId": raw}
    assert parsing.devices([item], ["A"]).rejected == Counter(wrong_type=1)


# Readings


@pytest.mark.parametrize("name", ["strings", "numbers"])
def test_plant_readings_are_the_same_as_text_and_as_numbers(data, name):
    parsed = parsing.plant_readings(data(f"getStationRealKpi/{name}"), [HILL, HARBOUR])
    hill, harbour = parsed.records
    assert hill == Reading(
        HILL,
        Values(
            {
                "real_health_state": 3.0,
                "day_power": 412.68,
                "month_power": 9120.4,
                "total_power": 318204.57,
                "day_income": 61.902,
                "total_income": 47730.686,
            }
        ),
    )
    assert harbour.values.keys() == {"real_health_state", "day_power", "total_power", "month_power"}
    assert harbour.rejected == {}


@pytest.mark.parametrize("type_id", sorted(REALTIME_TYPES))
def test_every_device_type_is_read(data, type_id):
    items = data(f"getDevRealKpi/{device_type_slug(type_id)}")
    asked = [str(item["devId"]) for item in items]
    parsed = parsing.device_readings(items, asked)
    full, partial = parsed.records
    present = {key for key, raw in items[0]["dataItemMap"].items() if raw != "N/A"}
    assert full.values.keys() == present
    assert set() < partial.values.keys() < present | {"close_time"}
    assert [full.rejected, partial.rejected, parsed.rejected] == [{}, {}, Counter()]
    assert [full.subject, partial.subject] == asked


def test_a_silent_device_was_there(data):
    parsed = parsing.device_readings(data("getDevRealKpi/silent"), [INVERTER, OTHER])
    assert parsed == Parsed((Reading(INVERTER, Values({})), Reading(OTHER, Values({}))))


def test_unwanted_items_are_counted_and_the_first_of_two_stands(data):
    parsed = parsing.device_readings(data("getDevRealKpi/unwanted_items"), [INVERTER, OTHER])
    assert parsed.records == (Reading(INVERTER, Values({"active_power": 3.2})),)
    assert parsed.rejected == Counter(wrong_type=3, duplicate=1, not_asked_for=1)


def test_every_unusable_value_has_its_reason(body):
    items = json.loads(body("getDevRealKpi/odd_values"))["data"]
    assert one(parsing.device_readings(items, [INVERTER])) == Reading(
        INVERTER,
        Values(
            {
                "active_power": 12.5,
                "reactive_power": -0.15,
                "inverter_state": 512.0,
                "run_state": 1.0,
                "new_�_key": 7.0,
                "battery_unit_info.1.soh": 99.0,
                "a_u.value": 1.0,
            }
        ),
        {
            "efficiency": "not_a_number",
            "temperature": "not_a_number",
            "power_factor": "wrong_type",
            "elec_freq": "not_finite",
            "day_cap": "not_finite",
            "mppt_power": "not_finite",
            "total_cap": "not_finite",
            "open_time": "not_finite",
            "battery_unit_info": "wrong_type",
            "a_u": "wrong_type",
        },
    )


MODULES = {
    "unit1": [{"sn": "HV1", "soh": "95.0%"}, {"sn": "0012345", "soh": " 0.0 % "}, {"sn": "null"}],
    "unit2": {"sn": 12345, "soh": 97},
    "unit3": None,
    "unit4": [],
}


def test_what_stands_in_an_object_is_known_by_the_way_to_it():
    item = {"devId": 1, "dataItemMap": {"battery_unit_info": MODULES, "battery_soc": "80"}}
    assert one(parsing.device_readings([item], ["1"])) == Reading(
        "1",
        Values(
            {
                "battery_soc": 80.0,
                "battery_unit_info.unit1.1.soh": 95.0,
                "battery_unit_info.unit1.2.soh": 0.0,
                "battery_unit_info.unit2.soh": 97.0,
            }
        ),
        {
            "battery_unit_info": "wrong_type",
        },
        {
            "battery_unit_info.unit1.1.sn": "HV1",
            "battery_unit_info.unit1.2.sn": "0012345",
            "battery_unit_info.unit2.sn": "12345",
        },
    )


def test_an_object_is_read_to_a_depth_that_no_answer_has():
    deep = 7
    for _ in range(500):
        deep = {"in": deep}
    reading = one(parsing.device_readings([{"devId": 1, "dataItemMap": {"a": deep}}], ["1"]))
    assert (reading.values, reading.rejected) == (
        {}, {"a": "wrong_type", "a.in.in.in.in": "wrong_type"},
    )  # fmt: skip


def test_a_percentage_is_a_number_in_an_object_alone():
    item = {"devId": 1, "dataItemMap": {"temperature": "60%", "a": {"b": "60%", "c": "x%"}}}
    reading = one(parsing.device_readings([item], ["1"]))
    assert reading.values == {"a.b": 60.0}
    assert reading.rejected == {
        "temperature": "not_a_number", "a": "wrong_type", "a.c": "not_a_number",
    }  # fmt: skip


def test_keys_are_capped_in_length_and_number():
    items = {"x" * 200: 1} | {f"key{n}": n for n in range(10_000)}
    reading = one(parsing.device_readings([{"devId": 1, "dataItemMap": items}], ["1"]))
    assert "x" * 128 in reading.values
    assert len(reading.values) == 4096
