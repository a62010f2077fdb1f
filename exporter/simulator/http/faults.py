"""Injectable faults, one table row each.

A fault of the first table replaces the answer, one of the second changes the data before they are
wrapped, one of the third changes the finished answer.
"""

import gzip
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from exporter.simulator.endpoints.request import Refusal
from exporter.simulator.http.answers import (
    LOG_IN_AGAIN,
    TOO_OFTEN,
    Answer,
    Behaviour,
    Call,
    bad_parameters,
    failure,
    token_headers,
)
from exporter.simulator.http.sessions import Sessions

Items = list[dict[str, Any]]
_MEGABYTE = 1024 * 1024
# Stands for a number that JSON can say and Python's writer cannot.
_OVERFLOW = "\x00overflow"
_UNREQUESTED = {"stationCode": "NE=0", "devId": 1}
_NAMES = frozenset({"stationCode", "plantCode", "devId", "id"})  # identify an item


@dataclass(frozen=True, slots=True)
class Fault:
    """One injected fault.

    `interface` is a name as in the reference, or `*`, and so is `account`; `count` how many calls
    it still affects (None: all), each the `every`-th of those it `met`; `members` the plant codes
    or device ids that it affects (empty: any call, and all its items); `value` is the kind's
    parameter: a failCode, a status, a host, a value.
    """

    kind: str
    interface: str = "*"
    account: str = "*"
    count: int | None = None
    every: int = 1
    met: int = 0
    probability: float = 1.0
    value: Any = None
    members: frozenset[str] = frozenset()


def _fail_code(fault: Fault, call: Call, _sessions: Sessions) -> Answer:
    code = 20004 if fault.value is None else fault.value
    return failure(call, Refusal(code, data=TOO_OFTEN if code == 407 else None))  # noqa: PLR2004  # because the code says it


def _fail_code_in_data(fault: Fault, call: Call, _sessions: Sessions) -> Answer:
    return failure(call, Refusal(0, data=fault.value or 20007))


_QUOTA = {
    "errorCode": 49401021002,
    "errorType": "FORBIDDEN",
    "exceptionInfo": "Request is rejected by api quotaControl. "
    "api:ies_PVMSNbiService_thirdData, quota exceeded",
}


def _http_status(fault: Fault, _call: Call, _sessions: Sessions) -> Answer:
    status = fault.value or 502
    if status == 403:  # noqa: PLR2004  # because the status says it
        return Answer(status=403, body=json.dumps(_QUOTA).encode())
    page = f"<html><body><h1>{status}</h1></body></html>".encode()
    return Answer(status=status, headers=(("Content-Type", "text/html"),), body=page)


def _session_stolen(_fault: Fault, call: Call, sessions: Sessions) -> Answer:
    sessions.end(call.account)
    return failure(call, Refusal(305, message=LOG_IN_AGAIN))


def _redirect(fault: Fault, _call: Call, _sessions: Sessions) -> Answer:
    location = fault.value or "http://127.0.0.1:9/thirdData/login"
    return Answer(status=307, headers=(("Location", location),))


REPLACEMENTS: Mapping[str, Callable[[Fault, Call, Sessions], Answer]] = {
    "fail_code": _fail_code,
    "fail_code_in_data": _fail_code_in_data,
    "http_status": _http_status,
    "bad_parameters": lambda _fault, _call, _sessions: bad_parameters(),
    "session_stolen": _session_stolen,
    "redirect": _redirect,
}


def _key(item: Mapping[str, Any]) -> str:
    return str(item.get("stationCode", item.get("devId", "")))


def _applies(fault: Fault, item: Mapping[str, Any]) -> bool:
    return not fault.members or _key(item) in fault.members


def _change_each(
    change: Callable[[Fault, dict[str, Any]], Iterable[Any]],
) -> Callable[[Fault, Any], Any]:
    """A change that replaces each affected item by none, one or several."""

    def change_data(fault: Fault, data: Any) -> Any:
        if not isinstance(data, list):
            return data
        changed = (change(fault, item) if _applies(fault, item) else [item] for item in data)
        return [new for news in changed for new in news]

    return change_data


def _values(change: Callable[[Fault, dict[str, Any]], Any]) -> Callable[[Fault, Any], Any]:
    """A change of the values of each affected item, and of those of a registration.

    They are its `dataItemMap` or, where it has none, all fields that do not identify it.
    """

    def item_of(fault: Fault, item: dict[str, Any]) -> Items:
        if "dataItemMap" in item:
            return [{**item, "dataItemMap": change(fault, item["dataItemMap"] or {})}]
        names = {key: value for key, value in item.items() if key in _NAMES}
        fields = {key: value for key, value in item.items() if key not in _NAMES}
        return [{**names, **(change(fault, fields) or {})}]

    change_items = _change_each(item_of)

    def change_data(fault: Fault, data: Any) -> Any:
        if isinstance(data, dict) and "detail" in data:
            return {**data, "detail": change(fault, data["detail"])}
        return change_items(fault, data)

    return change_data


def _thin(fault: Fault, data: Any) -> Any:
    """Drops every second item, or every n-th."""
    nth = fault.value or 2
    if not isinstance(data, list):
        return data
    return [item for n, item in enumerate(data, start=1) if n % nth or not _applies(fault, item)]


_ODD_VALUES = (
    float("nan"), float("inf"), float("-inf"), "N/A", "", "None", True, False, None,
    {"nested": 1}, [1, 2], _OVERFLOW, "1e400", "12.5", 10**400,
)  # fmt: skip


def _with_odd_values(_fault: Fault, values: dict[str, Any]) -> dict[str, Any]:
    return {key: _ODD_VALUES[n % len(_ODD_VALUES)] for n, key in enumerate(values)}


def _unrequested(_fault: Fault, data: Any) -> Any:
    if not (isinstance(data, list) and data):
        return data
    own = {key: value for key, value in _UNREQUESTED.items() if key in data[0]}
    return [*data, {**data[0], **own}]


DATA_CHANGES: Mapping[str, Callable[[Fault, Any], Any]] = {
    "data_as": lambda fault, _data: fault.value,
    "left_out": _change_each(lambda _fault, _item: []),
    "thinned": _thin,
    "twice": _change_each(lambda _fault, item: [item, item]),
    "not_asked_for": _unrequested,
    "wrong_items": _change_each(lambda _fault, item: [None, 7, "item", [], item]),
    "null_map": _values(lambda _fault, _values: None),
    "null_values": _values(lambda _fault, values: dict.fromkeys(values)),
    "odd_values": _values(_with_odd_values),
    "value": _values(lambda fault, values: dict.fromkeys(values, fault.value)),
    "unknown_keys": _values(
        lambda _fault, values: {**values, "selfUsePower": 1.5, "battery_unit_info": [{"soh": 99}]}
    ),
}


def _with_type(content_type: str, answer: Answer) -> tuple[tuple[str, str], ...]:
    others = (pair for pair in answer.headers if pair[0] != "Content-Type")
    return (("Content-Type", content_type), *others)


def _html(_fault: Fault, answer: Answer, _call: Call, _sessions: Sessions) -> Answer:
    page = b"<html><body>Please log in</body></html>"
    return replace(answer, headers=_with_type("text/html", answer), body=page)


def _content_type(fault: Fault, answer: Answer, _call: Call, _sessions: Sessions) -> Answer:
    return replace(answer, headers=_with_type(fault.value or "text/plain", answer))


def _charset(fault: Fault, answer: Answer, _call: Call, _sessions: Sessions) -> Answer:
    """Announces one charset and writes in another."""
    return replace(answer, body=answer.body.decode().encode(fault.value or "utf-16-le"))


def _huge(fault: Fault, answer: Answer, _call: Call, _sessions: Sessions) -> Answer:
    """Valid JSON behind so many bytes of white space."""
    return replace(answer, body=b" " * (fault.value or 65 * _MEGABYTE) + answer.body)


def _gzip_bomb(fault: Fault, answer: Answer, _call: Call, _sessions: Sessions) -> Answer:
    bomb = gzip.compress(b" " * (fault.value or 128 * _MEGABYTE) + answer.body, compresslevel=1)
    return replace(answer, headers=(*answer.headers, ("Content-Encoding", "gzip")), body=bomb)


def _nesting(fault: Fault, answer: Answer, _call: Call, _sessions: Sessions) -> Answer:
    depth = fault.value or 100_000
    nested = b"[" * depth + b"]" * depth
    return replace(answer, body=b'{"success": true, "failCode": 0, "data": ' + nested + b"}")


def _duplicate_keys(_fault: Fault, answer: Answer, _call: Call, _sessions: Sessions) -> Answer:
    return replace(answer, body=answer.body.replace(b"{", b'{"success": false, ', 1))


def _surrogates(_fault: Fault, answer: Answer, _call: Call, _sessions: Sessions) -> Answer:
    """Puts a lone surrogate into every name."""
    names = rb'("(?:alarmName|devName|stationName|plantName)": ")'
    return replace(answer, body=re.sub(names, rb"\1\\ud83c", answer.body))


def _new_token(_fault: Fault, answer: Answer, call: Call, sessions: Sessions) -> Answer:
    """The session gets another token; the old one ends."""
    token = sessions.open(call.account, call.time)
    return replace(answer, headers=(*answer.headers, *token_headers(token)))


def _no_token(_fault: Fault, answer: Answer, _call: Call, _sessions: Sessions) -> Answer:
    return replace(answer, headers=answer.headers[:1])


def _with_behaviour(behaviour: Behaviour) -> Callable[[Fault, Answer, Call, Sessions], Answer]:
    return lambda _fault, answer, _call, _sessions: replace(answer, behaviour=behaviour)


ANSWER_CHANGES: Mapping[str, Callable[[Fault, Answer, Call, Sessions], Answer]] = {
    "html": _html,
    "content_type": _content_type,
    "charset": _charset,
    "empty_body": lambda _fault, answer, _call, _sessions: replace(answer, body=b""),
    "truncated_json": lambda _fault, answer, _call, _sessions: replace(
        answer, body=answer.body[: len(answer.body) // 2]
    ),
    "huge_body": _huge,
    "gzip_bomb": _gzip_bomb,
    "deep_nesting": _nesting,
    "duplicate_keys": _duplicate_keys,
    "lone_surrogates": _surrogates,
    "new_token": _new_token,
    "no_token": _no_token,
    **{
        behaviour.value: _with_behaviour(behaviour)
        for behaviour in Behaviour
        if behaviour is not Behaviour.NORMAL
    },
}

KINDS = REPLACEMENTS.keys() | DATA_CHANGES.keys() | ANSWER_CHANGES.keys()


class Faults:
    """The active faults, in the order they were added; may be changed while the system runs."""

    def __init__(self, *, seed: int = 0) -> None:
        self._rng = Random(f"faults {seed}")  # noqa: S311  # because chance must be repeatable
        self._pending: tuple[Fault, ...] = ()

    @property
    def pending(self) -> tuple[Fault, ...]:
        """The faults that may still take effect."""
        return self._pending

    def add(self, kind: str, *, members: Iterable[str | int] = (), **fields: Any) -> Fault:
        """Adds a fault; `fields` are a Fault's others.

        Raises:
            ValueError: The kind is in none of the tables.
            TypeError: A fault has no such field.
        """
        if kind not in KINDS:
            raise ValueError(f"no fault is called {kind!r}; there are {', '.join(sorted(KINDS))}")
        fault = Fault(kind, members=frozenset(map(str, members)), **fields)
        self._pending = (*self._pending, fault)
        return fault

    def clear(self) -> None:
        """Ends all faults."""
        self._pending = ()

    def replace_answer(self, call: Call, sessions: Sessions) -> Answer | None:
        """The answer of the first fault that replaces the system's, if there is one."""
        for fault in self._due(REPLACEMENTS, call):
            return REPLACEMENTS[fault.kind](fault, call, sessions)
        return None

    def change_data(self, call: Call, data: Any) -> Any:
        """The data as changed by the faults."""
        for fault in self._due(DATA_CHANGES, call):
            data = DATA_CHANGES[fault.kind](fault, data)
        return data

    def change_answer(self, call: Call, answer: Answer, sessions: Sessions) -> Answer:
        """The answer as changed by the faults."""
        answer = replace(answer, body=answer.body.replace(b'"\\u0000overflow"', b"1e400"))
        for fault in self._due(ANSWER_CHANGES, call):
            answer = ANSWER_CHANGES[fault.kind](fault, answer, call, sessions)
        return answer

    def _due(self, kinds: Mapping[str, Any], call: Call) -> Iterable[Fault]:
        """The faults of these kinds that affect this call; each is counted as it is yielded."""
        for fault in self._pending:
            if fault.kind in kinds and self._matches(fault, call):
                met = replace(fault, met=fault.met + 1)
                if met.met % met.every:
                    self._replace(fault, met)
                else:
                    self._replace(fault, *_remaining(met))
                    yield fault

    def _matches(self, fault: Fault, call: Call) -> bool:
        return (
            fault.interface in ("*", call.interface)
            and fault.account in ("*", call.account)
            and (not fault.members or not fault.members.isdisjoint(call.members()))
            and (fault.probability >= 1 or self._rng.random() < fault.probability)
        )

    def _replace(self, fault: Fault, *instead: Fault) -> None:
        place = self._pending.index(fault)
        self._pending = (*self._pending[:place], *instead, *self._pending[place + 1 :])


def _remaining(fault: Fault) -> tuple[Fault, ...]:
    """The fault after it has taken effect once more, if any of it remains."""
    if fault.count is None:
        return (fault,)
    return (replace(fault, count=fault.count - 1),) if fault.count > 1 else ()
