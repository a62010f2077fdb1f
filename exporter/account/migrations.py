"""The versions of the state file, and how an earlier one becomes the next. Each step is kept.

A step works on plain data: what it does not understand it leaves out, or leaves to the codec.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

VERSION = 2

CREATE = """CREATE TABLE rows (
    kind TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL,
    boot TEXT, clock_offset REAL NOT NULL, written REAL NOT NULL,
    PRIMARY KEY (kind, name)
)"""

_Stamp = tuple[str | None, float, float]
_Converted = tuple[str, str, Any]  # kind, name, and value
_READINGS = frozenset({
    "getStationRealKpi", "getDevRealKpi", "getDevFiveMinutes", "getDevUpgradeInfo",
})  # fmt: skip
_NO_STAMP: _Stamp = (None, 0.0, 0.0)  # of rows whose times are seconds since the epoch


def _from_1(file: sqlite3.Connection) -> None:
    """From 0.1.0: checksums and lists without names; times as the wall clock showed them."""
    file.execute(CREATE)
    bodies: dict[tuple[str, str], Any] = {}
    for kind, name, body in file.execute("SELECT kind, name, body FROM things").fetchall():
        try:
            bodies[kind, name] = json.loads(body)
        except (ValueError, RecursionError):
            bodies[kind, name] = None
    stamp = _stamp_of(bodies.get(("session", "")))
    for (kind, name), body in bodies.items():
        own = _stamp_of(body) if kind in ("lane", "session", "call") else stamp
        try:
            converted = _converted(kind, name, body, own[1], bodies)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            # Calls are never forgotten: of these rows the codec makes one that ends now.
            calls = {"lane": "interface", "session": "login"}
            converted = [(calls[kind], name, {})] if kind in calls else []
        _put(file, converted, own)
    _put(file, _fleet(bodies), stamp)
    _put(file, _alarm_query(bodies), stamp)
    file.execute("DROP TABLE things")


def _put(file: sqlite3.Connection, converted: Iterable[_Converted], stamp: _Stamp) -> None:
    for kind, name, value in converted:
        row = (kind, name, json.dumps(value), *stamp)
        file.execute("INSERT OR REPLACE INTO rows VALUES (?, ?, ?, ?, ?, ?)", row)


def _stamp_of(body: Any) -> _Stamp:
    match body:
        case {"clock": {"boot": str(boot), "epoch": float(offset), "now": float(now)}}:
            return boot, offset, now
    return _NO_STAMP


def _converted(
    kind: str, name: str, body: Any, offset: float, bodies: Mapping[tuple[str, str], Any]
) -> list[_Converted]:
    """What becomes of one row; times are `offset` earlier on the steady clock."""
    group, _, of = kind.partition("/")
    if kind == "lane":
        whole = ("ring", name) in bodies
        return [("interface", name, _interface(body, offset, whole=whole))]
    if kind == "counters/accepted":
        subject, code, metric = body
        return [("accepted", name, {"subject": subject, "name": code, "metric": metric})]
    if kind in _LASTING:
        new, convert = _LASTING[kind]
        return [(new, name, convert(body))]
    if group in _GROUPS:
        new, convert_of = _GROUPS[group]
        return [(f"{new}/{of}" if of else new, name, convert_of(body, offset, of, name))]
    return []


def _to_steady_time(time: Any, offset: float) -> Any:
    return None if time is None else time - offset


def _flag(value: Any) -> bool | None:
    return None if value is None else bool(value)


def _calls(calls: Iterable[Any], offset: float) -> dict[str, Any]:
    return {"calls": [_call(call, offset) for call in calls]}


def _call(call: Any, offset: float) -> dict[str, Any]:
    """A call; of one that is not understood nothing, so that it counts as one of now."""
    try:
        due, start, end, device_type = call[:4]
        return {
            "due": due - offset,
            "start": start - offset,
            "lasted": None if end is None else end - start,
            "device_type": device_type,
        }
    except (TypeError, ValueError):
        return {}


def _backoff(stored: Any, offset: float) -> dict[str, Any]:
    wait, until = stored
    return {"wait": wait, "until": _to_steady_time(until, offset)}


def _login(body: Mapping[str, Any], offset: float) -> dict[str, Any]:
    refused = ("refuse_credentials", "back_off")
    waits = {name: _backoff(wait, offset) for name, wait in body["waits"].items()}
    others = [wait for name, wait in waits.items() if name not in refused]
    longest = max(others, key=lambda wait: wait["until"] or float("-inf"), default={})
    return {
        "token": body.get("token"),
        "log": _calls(body["calls"], offset),
        "refusals": _calls(body.get("refusals", ()), offset),
        "credentials_wait": waits.get("refuse_credentials", {}),
        "frequency_wait": waits.get("back_off", {}),
        "answer_wait": longest,
        "stolen": _backoff(body["stolen"], offset),
        "pause": _backoff(body.get("pause", (0.0, None)), offset),
        "lost_before": body["lost_before"],
        "since": _to_steady_time(body["since"], offset),
        "answered_at": _to_steady_time(body["answered"], offset),
        "refusal_reason": body["refusal"],
        "fingerprint": body.get("refused"),
        "liveness": {
            "pause": _backoff(body["liveness"]["pause"], offset) if "liveness" in body else {}
        },
    }


def _plant_list(body: Mapping[str, Any], offset: float) -> dict[str, Any]:
    form = {"path": body["path"], "size": body["size"]}
    return {"worked": form, "left_whole": _to_steady_time(body["since"], offset)}


def _interface(body: Mapping[str, Any], offset: float, *, whole: bool) -> dict[str, Any]:
    """Calls, waits and progress; that only where it is known of which batches it is."""
    progress = [
        {"called": _to_steady_time(called, offset), "final": final, "again": again}
        for called, final, again in (body["turns"] if whole else ())
    ]
    return {
        "log": _calls(body["calls"], offset),
        "backoff": _backoff(body["backoff"], offset),
        "retry": _backoff(body["retry"], offset),
        "round": {"start": _to_steady_time(body["round_start"], offset), "progress": progress},
    }


def _batch(device_type: Any, refusal: Any, members: Any, *, offset: float) -> dict[str, Any]:
    batch = {"device_type": device_type, "members": members}
    if refusal is True:  # it is only known that its size was refused
        return {**batch, "size_rest": 86_400.0}
    if not refusal:
        return batch
    return {**batch, "refused": _to_steady_time(refusal[0], offset), "size_rest": refusal[1]}


def _foreign_call(body: Mapping[str, Any], offset: float) -> dict[str, Any]:
    start, end = body["start"], body["end"]
    named = {key: body[key] for key in ("interface", "device_type", "under_way")}
    return {**named, "start": start - offset, "lasted": end - start}


def _answer(interface: str, name: str, body: Mapping[str, Any], offset: float) -> dict[str, Any]:
    at, shown = body["at"], body["shown"]
    if interface in _READINGS:
        value: Any = {"subject": name, "values": shown}
    elif interface == "getAlarmList":
        value = [{"plant_code": name, **alarm} for alarm in shown]
    else:
        value = {
            window: row
            and {"start": row["start"], "reading": {"subject": name, "values": row["values"]}}
            for window, row in shown.items()
        }
    return {"at": at, "read_at": at - offset, "value": value}


def _alarms(body: Mapping[str, Any]) -> dict[str, Any]:
    """Infinite times are null from now on."""
    finite = {
        key: body[key] if abs(body[key]) < float("inf") else None
        for key in ("since", "swept", "swept_all", "swept_with")
        if key in body
    }
    return {
        **finite,
        "active": [
            [[a["serial_number"], a["alarm_id"], a["cause_id"], a["raised"]], a]
            for a in body["active"]
        ],
        "seen": [[key[:4], None] for key in body["seen"]],
        "older": [{"begin": begin, "end": end} for begin, end in body["older"]],
        "moves": [[name, times] for *name, times in body.get("moves", ())],
    }


def _counter(
    metric: str, labels: list[str], value: float, since: Any = None, proved: Any = 0.0, *run: Any
) -> list[Any]:
    """A counter; the first releases wrote a count of low answers behind the value, nothing else."""
    state: dict[str, Any] = {"value": value}
    if run:
        state |= {"since": since, "proved": proved}
        if run[0] is not None:
            names = ("value", "since", "at", "start", "begun", "agreed")
            state["run"] = dict(zip(names, run[0], strict=True))
    return [[metric, labels], state]


# What was not made anew by each answer: the new kind, and how a row becomes one of it.
_LASTING: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "lasting/fusionsolar_plant_last_reading_timestamp_seconds": (
        "last_reading/plants",
        lambda body: body[0][1],
    ),
    "lasting/fusionsolar_device_last_reading_timestamp_seconds": (
        "last_reading/devices",
        lambda body: body[0][1],
    ),
    "lasting/fusionsolar_device_upgrade_info": ("upgrade", lambda body: body[0][0]),
    "lasting/fusionsolar_alarms_total": (
        "alarm_totals",
        lambda body: {labels[0]: value for labels, value in body},
    ),
}
# The other kinds, by what stands before the interface: given also offset, interface and name.
_GROUPS: Mapping[str, tuple[str, Callable[[Any, float, str, str], Any]]] = {
    "session": ("login", lambda body, offset, *_: _login(body, offset)),
    "ring": ("batches", lambda body, offset, *_: [_batch(*each, offset=offset) for each in body]),
    "plant list form": ("plant_list", lambda body, offset, *_: _plant_list(body, offset)),
    "told": ("result", lambda body, *_: {**body, "permitted": _flag(body.get("permitted"))}),
    "call": ("foreign_call", lambda body, offset, *_: _foreign_call(body, offset)),
    "shown": ("answer", lambda body, offset, of, name: _answer(of, name, body, offset)),
    "periods": ("statistics", lambda body, *_: [{"row": r, "read_at": at} for r, at in body]),
    "book": ("alarms", lambda body, *_: _alarms(body)),
    "counters": ("counters", lambda body, *_: [_counter(*each) for each in body]),
}


def _fleet(bodies: Mapping[tuple[str, str], Any]) -> Iterator[_Converted]:
    fleet = {name: body for (kind, name), body in bodies.items() if kind == "fleet"}
    named: dict[str, Any] = {"filters": fleet.get("filters", [])}
    for name, key in (("plants", "code"), ("devices", "id")):
        listed = fleet.get(name, [])
        if not isinstance(listed, list):
            listed = []
        named[name] = {
            each[key]: each
            for each in listed
            if isinstance(each, dict) and isinstance(each.get(key), str)
        }
    if fleet:
        yield "fleet", "", named


def _alarm_query(bodies: Mapping[tuple[str, str], Any]) -> Iterator[_Converted]:
    query = {
        new: bodies[old, ""]
        for new, old in (("filters", "book terms"), ("reach", "book reach"))
        if (old, "") in bodies
    }
    if query:
        yield "alarm_query", "", query


MIGRATIONS: Mapping[int, Callable[[sqlite3.Connection], None]] = {1: _from_1}
