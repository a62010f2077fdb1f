"""Answers: the envelope of the reference, and how the bytes are sent."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from exporter.simulator.endpoints.request import Refusal

TOO_OFTEN = "ACCESS_FREQUENCY_IS_TOO_HIGH"
LOG_IN_AGAIN = "USER_MUST_RELOGIN"


class Behaviour(Enum):
    """How an answer's bytes are sent."""

    NORMAL = "normal"
    RESET_BEFORE_HEADERS = "reset_before_headers"
    RESET_IN_BODY = "reset_in_body"
    HANG_BEFORE_HEADERS = "hang_before_headers"
    HANG_IN_BODY = "hang_in_body"
    DRIP = "drip"  # a byte a second
    SHORT_BODY = "short_body"  # closed in order before the announced length


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer. Content-Length is not among the headers: the server adds it."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json;charset=UTF-8"),)
    body: bytes = b""
    behaviour: Behaviour = Behaviour.NORMAL


@dataclass(slots=True)
class Call:
    """One admitted call: by whom, of what, with which parameters, when."""

    account: str
    interface: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    time: float = 0.0

    def members(self) -> frozenset[str]:
        """The plants, devices or serial numbers the call requests, as far as it can be parsed."""
        names = ("stationCodes", "devIds", "devDn", "SN", "plantCode")
        requested = map(self.parameters.get, names)
        return frozenset(",".join(part for part in requested if isinstance(part, str)).split(","))


def _envelope(call: Call, **content: Any) -> bytes:
    parameters = {**call.parameters, "currentTime": int(call.time * 1000)}
    parameters.pop("systemCode", None)
    order = {"success": True, "data": None, "failCode": 0, "params": parameters, "message": None}
    return json.dumps({**order, **content}, ensure_ascii=False).encode()


def success(call: Call, data: Any, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    """An answer with data."""
    return Answer(headers=(*Answer().headers, *headers), body=_envelope(call, data=data))


def failure(call: Call, refusal: Refusal) -> Answer:
    """An answer with a failCode: HTTP 200 all the same."""
    return Answer(
        body=_envelope(
            call,
            success=False,
            data=refusal.data,
            failCode=refusal.code,
            message=refusal.message,
        )
    )


_BAD_PARAMETERS = {
    "descArgs": None,
    "detailArgs": ["parameter"],
    "exceptionId": "framwork.remote.Paramerror",
    "exceptionType": "ROA_EXFRAME_EXCEPTION",
    "reasonArgs": ["parameter"],
}


def bad_parameters() -> Answer:
    """How the gateway of newer systems refuses what it cannot read."""
    return Answer(status=400, body=json.dumps(_BAD_PARAMETERS).encode())


def token_headers(token: str) -> tuple[tuple[str, str], ...]:
    """The headers that carry a session's token to the client."""
    return (("xsrf-token", token), ("Set-Cookie", f"XSRF-TOKEN={token}; path=/; HttpOnly"))
