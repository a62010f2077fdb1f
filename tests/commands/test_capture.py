"""`check --capture`: answers in which nobody and nothing can be recognized."""

import json
import re
import stat
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from commands.world import PASSWORD, world
from hypothesis import example, given
from hypothesis import strategies as st

from exporter.catalogue.index import ROWS
from exporter.commands.check.capture import Anonymizer, Capture
from exporter.northbound import parsing

pytestmark = pytest.mark.slow


@pytest.fixture
def home(tmp_path):
    with world(tmp_path, plants=2, alarm_history=True, alarm_every=86_400.0) as made:
        yield made


@pytest.fixture
def answers(home, tmp_path):
    """What a check has captured, by file name."""
    home.run("check", "--capture", tmp_path / "raw")
    return {path.name: path for path in (tmp_path / "raw").iterdir()}


def read(answers, name):
    return json.loads(answers[name].read_text())


def test_each_answer_is_a_file_for_its_owner_alone(answers):
    assert {"login-1.json", "getStationList-1.json", "getDevList-1.json", "getDevRealKpi-1.json",
            "getDevRealKpi-2.json", "getAlarmList-1.json"} <= set(answers)  # fmt: skip
    assert {stat.S_IMODE(path.stat().st_mode) for path in answers.values()} == {0o600}


def test_none_of_the_originals_is_in_any_file(home, answers):
    plants = home.system.fleet.plants.values()
    devices = home.system.fleet.devices.values()
    originals = {
        *(plant.code.removeprefix("NE=") for plant in plants),
        *(plant.name for plant in plants),
        *(str(degrees) for plant in plants for degrees in (plant.latitude, plant.longitude)),
        *(str(abs(device.id)) for device in devices),
        *(device.esn for device in devices if device.esn),
        *(json.dumps(device.name)[1:-1] for device in devices),
        *(PASSWORD, "api", "Owner", "Encrypted"),
        *home.system.sessions.tokens,
    }
    text = "\n".join(path.read_text() for path in answers.values())

    found = {name for name in originals if re.search(rf"(?<![\w]){re.escape(name)}(?![\w])", text)}
    assert found == set()
    assert "NE=" in text


def test_what_belongs_together_still_does(answers):
    plants = parsing.plants(read(answers, "getStationList-1.json")["data"], ()).records
    codes = [plant.code for plant in plants]
    asked = read(answers, "getDevList-1.json")["params"]["stationCodes"]
    devices = parsing.devices(read(answers, "getDevList-1.json")["data"], codes)
    alarms = read(answers, "getAlarmList-1.json")["data"]

    assert asked.split(",") == codes
    assert not devices.rejected
    assert {device.plant_code for device in devices.records} == set(codes)
    assert alarms
    assert {alarm["stationCode"] for alarm in alarms} <= set(codes)
    serials = {device.serial_number for device in devices.records}
    assert {alarm["esnCode"] for alarm in alarms if alarm["esnCode"]} <= serials


def test_ids_keep_their_form_and_values_their_meaning(home, answers):
    listed = {device["id"]: device for device in read(answers, "getDevList-1.json")["data"]}
    lengths = sorted(len(str(each)) for each in listed)
    assert lengths == sorted(len(str(each)) for each in home.system.fleet.devices)
    assert any(each < 0 for each in listed)

    captured = read(answers, "getDevRealKpi-1.json")
    (device,) = {type(item["devId"]) for item in captured["data"]}
    assert device is int
    inverter = next(i["dataItemMap"] for i in captured["data"] if "pv1_u" in i["dataItemMap"])
    assert inverter["inverter_state"] in (512, 40960)
    assert captured["params"]["currentTime"] > 1_750_000_000_000


def test_a_captured_capacity_and_type_can_be_used_as_a_fixture(home, answers):
    (first, *_) = read(answers, "getStationList-1.json")["data"]
    plant = home.system.fleet.plants["NE=33554432"]
    assert first["capacity"] == plant.capacity_kw / 1000
    types = {device["devTypeId"] for device in read(answers, "getDevList-1.json")["data"]}
    assert types == {device.type_id for device in home.system.fleet.devices.values()}


@pytest.mark.parametrize("occupied", ["file", "directory with a file"])
def test_a_directory_in_use_is_refused(home, capsys, tmp_path, occupied):
    place = tmp_path / "raw"
    if occupied == "file":
        place.write_text("mine")
    else:
        place.mkdir()
        (place / "mine").write_text("mine")

    with pytest.raises(SystemExit) as ended:
        home.run("check", "--capture", place)

    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith(f"fusionsolar-exporter: --capture {place}: ")
    assert home.calls("login") == 0


def test_what_is_no_json_is_not_written(home, tmp_path):
    home.system.faults.add("html", interface="getStationRealKpi")

    home.run("check", "--capture", tmp_path / "raw")

    assert json.loads((tmp_path / "raw/getStationRealKpi-1.json").read_text()) == {
        "not_json": True,
        "bytes": 39,
    }


def test_refusals_are_captured_too(home, tmp_path):
    home.system.faults.add("fail_code", interface="getAlarmList", value=20009)

    home.run("check", "--capture", tmp_path / "raw")

    captured = json.loads((tmp_path / "raw/getAlarmList-1.json").read_text())
    assert (captured["success"], captured["failCode"]) == (False, 20009)


# --- anonymous answers ----------------------------------------------------------------------------


def anonymized(**fields):
    return Anonymizer().envelope(fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"failCode": 407, "data": "ACCESS_FREQUENCY_IS_TOO_HIGH", "message": None},
        {"success": True, "data": [], "pageNo": 1, "total": "12"},
        {"dataItemMap": {"active_power": 12.5, "day_cap": "3.25", "close_time": 1750798800000}},
        {"dataItemMap": {"active_power": -66553500, "active_cap": 42949672.95}},
        {"dataItemMap": {"ch_discharge_power": 2147483647, "total_cap": 4294967295, "pv1_u": 0}},
        {"dataItemMap": {"newKey": None, "other": "N/A", "third": 0, "flag": True}},
        {"dataItems": {"inverter_state": 512.0, "open_time": "1750798800000"}},
        {"failCode": 0, "data": 20007, "success": False},
        {"errorCode": 49401021002},
        {"softwareVersion": "V100R001C00SPC161", "model": "SUN2000-4.95KTL-JPL1"},
        {"operationMode": "TOU", "touOperationModeParamDetail": {"allowedAcChargePower": 2.5}},
        {"limitedPowerGridValueParam": {"limitationMode": "totalPower"}, "controlMode": "noLimit"},
        {"collectTime": 1750798800000, "raiseTime": "1750798800000", "beginTime": 1750798800},
    ],
)
def test_what_tells_nothing_of_anybody_stays(fields):
    assert anonymized(**fields) == fields


@pytest.mark.parametrize(
    "fields",
    [
        {"linkmanPho": 491701234567},
        {"linkmanPho": "+49 170 1234567"},
        {"ownerId": 7},
        {"ownerScore": 48.77},
        {"stationAddr": "Sonnenweg 7, 12345 Musterstadt"},
        {"message": "user owner@example.com is locked"},
        {"data": {"XV123456789": True}},
        {"dataItemMap": {"newSerial": "HV12345678"}},
        {"dataItemMap": {"newSerial": "1234567890"}},
        {"dataItemMap": {"newId": 1234567890123}},
        {"dataItemMap": {"pack": [{"sn": "HV1"}]}},
        {"softwareVersion": "Müller & Söhne"},
        {"latitude": 48.775845, "longitude": "9.182932"},
        {"gridConnectionDate": "2020-06-23T10:00:00+02:00"},
        {"dataItemMap": {"newKey": 1.5}},
        {"dataItemMap": {"lat": 52.3741}},
        {"dataItemMap": {"x": "52.3741"}},
        {"dataItemMap": {"position": [52.3741, 4.8952]}},
        {"dataItemMap": {"active_power": [52.3741, 4.8952]}},
        {"dataItemMap": {"module": {"active_power": 52.3741}}},
        {"dataItemMap": {"latitude": 52.3741}},
        {"dataItemMap": {"day_cap": 491701234567}},
        {"dataItemMap": {"open_time": 49170123456}},
        {"active_power": 52.3741},
        {"data": {"lat": 52.3741, "lon": 4.8952}},
        {"data": 49170123},
        {"status": 52.3741},
        {"alarmId": 2102312345},
        {"latitude": {"value": 52.3741}},
        {"latitude": "N52.3741"},
        {"collectTime": 49170123456},
        {"errorCode": 491701234567},
        {"model": "BV0435461495"},
        {"model": "+491701234567"},
        {"model": "Sonnenweg 17"},
        {"softwareVersion": "52.3741"},
        {"phone": 10**400 // 7},
        {"latitude": 10**400 // 7},
        {"newKey": 1.23456e-05},
    ],
)
def test_what_could_tell_of_somebody_goes(fields):
    shown = json.dumps(anonymized(**fields), ensure_ascii=False)

    for value in re.findall(
        r'[^\[\]{}":, ]+', json.dumps(list(_values(fields)), ensure_ascii=False)
    ):
        if len(value) > 3:
            assert value not in shown
    assert anonymized(**fields) != fields


def _values(tree):
    match tree:
        case dict():
            for key, value in tree.items():
                yield from _values(value)
                if re.search(r"\d{5}", key):
                    yield key
        case list():
            for value in tree:
                yield from _values(value)
        case bool():
            pass
        case _:
            yield tree


def test_secrets_are_removed_even_where_they_look_like_codes():
    assert anonymized(params={"systemCode": "12345678", "token": "x-1"}) == {
        "params": {"systemCode": "removed", "token": "removed"}
    }


def test_an_absent_place_stays_absent():
    assert anonymized(latitude="", longitude=None) == {"latitude": "", "longitude": None}
    assert anonymized(latitude=0, longitude=0) == {"latitude": 0.0, "longitude": 0.0}


def test_a_time_keeps_its_form():
    assert anonymized(
        gridConnectionDate="2020-06-23T10:00:00+02:00", built="2019-05-04 08:09:10"
    ) == {
        "gridConnectionDate": "2020-01-01T00:00:00+00:00",
        "built": "2019-01-01 00:00:00",
    }


def test_a_number_keeps_its_form_and_is_the_same_as_text():
    shown = anonymized(one=52.3741, other="52.3741", third=-12, fourth=512.0)

    assert re.fullmatch(r"[1-9]{2}\.[1-9]{4}", repr(shown["one"]))
    assert shown["other"] == repr(shown["one"])
    assert -99 <= shown["third"] <= -11
    assert shown["fourth"].is_integer()


# Each has a 0 in it, which no replacement has.
TELEPHONES = st.integers(490_170_000_000, 490_179_999_999)
SERIALS = st.from_regex(r"[A-Z]{2}0[0-9]{9}", fullmatch=True)
PLANTS = st.integers(33_050_000_000_000, 33_059_999_999_999).map(lambda n: f"NE={n}")
COORDINATES = st.integers(1_000_000, 1_799_999).map(lambda n: 50 + n / 100_000_000 + 1e-9)
TEXTS = st.from_regex(r"[A-Z][a-z]{9} 0[0-9]{2}, 0[0-9]{4} [A-Z][a-z]{9}", fullmatch=True)
SECRETS = st.one_of(
    TELEPHONES,
    TELEPHONES.map(str),
    TELEPHONES.map(lambda n: f"+{n}"),
    TELEPHONES.map(float),
    SERIALS,
    PLANTS,
    COORDINATES,
    COORDINATES.map(lambda degrees: -degrees),
    COORDINATES.map(repr),
    TEXTS,
    TEXTS.map(lambda text: f"{text}@example.com".replace(" ", "")),
)
KPIS = sorted({row.key for row in ROWS if row.source_unit not in ("ms", "") and "." not in row.key})
# Where a number of any size may be a value: a coordinate there cannot be told from one.
VALUES = frozenset({*(row.key for row in ROWS), "capacity"})
NAMES = st.one_of(
    st.sampled_from(
        ["lat", "gps", "owner", "a", "x1", "unit1", "message", "data", "list", "params",
         "dataItemMap", "dataItems", "model", "softwareVersion", "status", "alarmId", "collectTime",
         "latitude", "longitude", "stationCode", "devIds", "sn", "capacity", "devTypeId"]
    ),
    st.sampled_from(KPIS),
    SERIALS,
    TEXTS,
    COORDINATES.map(repr),
)  # fmt: skip
TREES = st.recursive(
    st.one_of(SECRETS, st.sampled_from([None, True, 0, 7, "N/A"])),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(NAMES, inner, max_size=5)),
    max_leaves=20,
)


def _planted(tree, key=""):
    """The secrets in a tree, as they would be read."""
    match tree:
        case dict():
            for name, each in tree.items():
                yield from _planted(each, name)
                if "0" in name and name not in VALUES:
                    yield name
        case list():
            for each in tree:
                yield from _planted(each)
        case float() if key in VALUES and abs(tree) < 1_000:
            pass
        case str() if key in VALUES and re.fullmatch(r"5[0-9]\.[0-9]+", tree):
            pass
        case str():
            yield tree.removeprefix("NE=").removeprefix("+")
        case int() | float():
            yield repr(abs(tree)).removesuffix(".0")


@given(TREES, st.dictionaries(st.sampled_from(KPIS), st.floats(-1e6, 1e6), max_size=8))
def test_no_secret_planted_anywhere_is_in_a_file_and_the_values_are(tree, kpis):
    secrets = {each for each in _planted(tree) if len(each) > 5}
    answer = {"data": [{"devId": 7, "dataItemMap": kpis}, {"more": tree}], "params": tree}

    with TemporaryDirectory() as directory:
        capture = Capture(Path(directory))
        capture.record("/thirdData/getDevRealKpi", json.dumps(answer).encode())
        text = (Path(directory) / "getDevRealKpi-1.json").read_text()

    assert {each for each in secrets if each in text} == set()
    assert json.loads(text)["data"][0]["dataItemMap"] == kpis


def test_places_move_together():
    anonymizer = Anonymizer()
    one, other = (
        anonymizer.envelope({"latitude": latitude, "longitude": 179.0}) for latitude in (40.0, 41.0)
    )

    assert other["latitude"] - one["latitude"] == pytest.approx(1.0)
    assert abs(one["latitude"] - 40.0) >= 2
    assert one["longitude"] == other["longitude"]
    assert -180 <= one["longitude"] <= 180


@given(st.lists(st.text(max_size=12), unique=True, max_size=60))
@example(["devName"])
def test_different_originals_have_different_replacements_and_the_same_has_one(names):
    anonymizer = Anonymizer()
    first = anonymizer.envelope([{"devName": name} for name in names])
    again = anonymizer.envelope([{"devName": name} for name in names])

    assert first == again
    shown = [item["devName"] for item in first]
    kept = [name for name, item in zip(names, shown, strict=True) if name == item]
    assert len(set(shown)) == len(shown) or kept
