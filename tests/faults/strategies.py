"""What servers may say, from nearly right to nonsense, as hypothesis strategies."""

import gzip
import json

from hypothesis import strategies as st

from exporter.catalogue.index import lookup
from exporter.northbound.errors import FAIL_CODES
from exporter.northbound.interfaces import (
    DEVICE_LIST,
    INTERFACES,
    PAGED_PLANT_LIST_PATH,
    PLANT_LIST,
    Content,
    Subject,
)

PLANTS = ("A", "NE=1", 'say "b"\\', "Ü")  # codes
DEVICES = ("1", "-1", str(2**53 + 1), "7")
TYPES = (1, 17, 38, 39, 41, 62, 999)
NOW = 1_700_000_000  # seconds since the epoch

texts = st.text(st.characters(exclude_categories=()), max_size=12)
odd = (
    st.none()
    | st.booleans()
    | st.integers(-3, 9)
    | st.integers()
    | st.just(10**400)
    | st.floats()
    | texts
    | st.sampled_from(
        ["", "N/A", "1e400", "NaN", "12.5", "\ud800", "a\nb", '"\\', "\x00\x85\u2028"]
    )
)
json_values = st.recursive(
    odd,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=10,
)
numbers = st.floats(-1e9, 1e9) | st.sampled_from([0.0, 1, 512, 40960, "2.5", 1e308, -0.0]) | odd
codes = st.integers(0, 7) | odd
times = (
    st.sampled_from([0, 3_600, 86_400, 2_678_400, 31_536_000]).map(lambda ago: (NOW - ago) * 1000)
    | odd
)


# What the lists say at first, so that there is something to ask about.
FLEET = {
    PLANT_LIST.path: [{"stationCode": code, "stationName": code} for code in PLANTS],
    DEVICE_LIST.path: [
        {"id": device, "stationCode": plant, "devTypeId": device_type}
        for device, plant, device_type in zip(DEVICES, PLANTS, TYPES, strict=False)
    ],
}


def usually(valid, other):
    """Nine times of ten the one."""
    return st.integers(0, 9).flatmap(lambda n: other if n == 0 else valid)


def _values(interface, device_type):
    known = sorted(lookup(interface.name, device_type)) or ["active_power"]
    keys = usually(st.sampled_from(known), texts)
    return usually(st.dictionaries(keys, numbers, max_size=12), json_values)


def _item(interface, body, device_type):
    """One item of an answer to a call: about one of those asked for, or about another."""
    plants = st.sampled_from(body["stationCodes"].split(",") if "stationCodes" in body else PLANTS)
    devices = st.sampled_from(body["devIds"].split(",") if "devIds" in body else DEVICES)
    plant, device = usually(plants, odd), usually(devices, odd)
    place = {"latitude": numbers, "longitude": numbers}
    match interface.content:
        case Content.PLANTS:
            needed = {"stationCode": plant}
            more = {"stationName": texts | odd, "capacity": numbers, "buildState": odd, **place}
        case Content.DEVICES:
            types = usually(st.sampled_from(TYPES), odd)
            needed = {"id": device, "stationCode": plant, "devTypeId": types}
            more = {"devName": texts | odd, "esnCode": texts | odd, "invType": odd, **place}
        case Content.ALARMS:
            needed = {"stationCode": plant, "alarmId": codes, "raiseTime": times}
            more = {
                "esnCode": st.sampled_from("ab") | odd, "causeId": codes, "lev": codes,
                "alarmName": texts | odd, "devName": texts | odd, "alarmType": codes,
                "status": codes, "recoveryTime": times,
            }  # fmt: skip
        case Content.UPGRADES:
            needed = {"devId": device}
            more = {
                "lastUpgradeTime": times, "process": numbers, "upgradeResult": codes,
                "sourceVersion": texts | odd, "targetVersion": texts | odd,
            }  # fmt: skip
        case _:
            subject = {"stationCode": plant} if interface.subject is Subject.PLANTS else {
                "devId": device
            }  # fmt: skip
            needed = {**subject, "dataItemMap": _values(interface, device_type)}
            more = {"collectTime": usually(times, odd)}
    return usually(st.fixed_dictionaries(needed, optional=more), json_values)


def interface_of(path):
    """The interface that a path belongs to."""
    if path == PAGED_PLANT_LIST_PATH:
        return PLANT_LIST
    return next(row for row in INTERFACES.values() if row.path == path)


def answers(path, body):
    """What `data` may be in the answer to a call."""
    device_type = int(body["devTypeId"]) if "devTypeId" in body else None
    items = st.lists(_item(interface_of(path), body, device_type), max_size=6)
    page = st.fixed_dictionaries({"list": items, "pageCount": codes}, optional={"pageNo": codes})
    return usually(items, page | st.none() | json_values)


fail_codes = st.sampled_from(sorted(FAIL_CODES)) | st.integers()

envelopes = (
    st.fixed_dictionaries(
        {"success": st.booleans() | odd},
        optional={"data": json_values, "failCode": fail_codes | odd, "message": json_values},
    )
    | json_values
)


def envelopes_around(data):
    """Envelopes that hold this, and say that they do."""
    return st.fixed_dictionaries(
        {"success": st.just(True), "data": data},
        optional={"failCode": st.just(0) | odd, "params": json_values, "message": json_values},
    )


def as_json(content):
    """As a server writes it, NaN and all."""
    return json.dumps(content).encode()


def bodies(contents):
    """Bytes of an answer with such a content, well or badly written, or any others."""
    written = contents.map(as_json)
    return (
        written
        | written.map(lambda body: body.decode().encode("utf-16"))
        | st.tuples(written, st.integers(0, 60)).map(lambda pair: pair[0][: pair[1]])
        | written.map(lambda body: gzip.compress(body, mtime=0))
        | st.binary(max_size=200)
        | st.sampled_from([b"", b"[" * 5_000, b'{"success": true, "data": ' + b"9" * 5_000 + b"}"])
    )


_printable = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=20)
headers = st.dictionaries(
    st.sampled_from(["Content-Encoding", "Content-Type", "xsrf-token", "Set-Cookie", "Location"]),
    st.sampled_from(["gzip", "deflate", "text/html; charset=x", "XSRF-TOKEN=a=b; x", "XSRF-TOKEN"])
    | _printable,
    max_size=3,
)
statuses = st.just(200) | st.sampled_from([201, 204, 302, 400, 401, 403, 429, 500, 599])
