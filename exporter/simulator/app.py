"""The management system over HTTP: a thin ASGI application."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from exporter.simulator.answers import Answer, Behaviour
from exporter.simulator.control import control_routes
from exporter.simulator.system import System

TRANSPORT = "simulator.transport"  # where the server leaves a connection's transport in the scope
LONGEST_HANG = 60.0
_DRIP_PAUSE = 1.0
_PIECE = 1024 * 1024  # bytes of a body that are sent at a time, as fast as they are read

Latency = float | tuple[float, float]


def build_app(system: System, *, latency: Latency = 0.0, control: bool = False) -> Starlette:
    """The application over a system.

    `latency` is the seconds between a request's arrival at the socket and its answer, or a range
    to draw them from; the system sees the call somewhere in between, as on a real network.
    `control` opens the doors of control.py.
    """
    dice = Random(system.fleet.seed)  # noqa: S311  # because waiting times are no secret
    low, high = latency if isinstance(latency, tuple) else (latency, latency)

    async def answer(request: Request) -> Response:
        body = await request.body()
        wait = dice.uniform(low, high)
        there = wait * dice.random()
        await asyncio.sleep(there)
        made = system.handle(request.method, request.url.path, request.headers, body)
        await asyncio.sleep(wait - there)
        return Delivery(made)

    methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]
    everything = Route("/{path:path}", answer, methods=methods)
    return Starlette(routes=[*control_routes(system), everything] if control else [everything])


class Delivery(Response):
    """Sends an answer, well or badly, as its behaviour says."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.body, answer.status)
        length = self.raw_headers
        named = [(name.lower().encode(), value.encode()) for name, value in answer.headers]
        self.raw_headers = [*named, *length]
        self._behaviour = answer.behaviour

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends it (ASGI)."""
        if self._behaviour is Behaviour.NORMAL:
            await self.begin(send, b"")
            for start in range(0, len(self.body), _PIECE):
                await self.go_on(send, bytes(self.body[start : start + _PIECE]))
            await send({"type": "http.response.body", "body": b""})
        else:
            await _DELIVERIES[self._behaviour](self, scope[TRANSPORT], receive, send)

    async def begin(self, send: Send, part: bytes) -> None:
        """Sends the headers, which promise the whole body, and a part of it."""
        await send(
            {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        )
        await self.go_on(send, part)

    async def go_on(self, send: Send, part: bytes) -> None:
        """Sends a further part of the body."""
        await send({"type": "http.response.body", "body": part, "more_body": True})

    @property
    def half(self) -> bytes:
        """The first half of the body."""
        return bytes(self.body[: len(self.body) // 2])


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _reset(transport: Any, receive: Receive) -> None:
    """Ends the connection with a RST."""
    linger = struct.pack("ii", 1, 0)
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    transport.abort()
    await _gone(receive)


async def _hang(transport: Any, receive: Receive) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(_gone(receive), LONGEST_HANG)
    await _reset(transport, receive)


async def _reset_before_headers(
    _delivery: Delivery, transport: Any, receive: Receive, _send: Send
) -> None:
    await _reset(transport, receive)


async def _reset_in_body(delivery: Delivery, transport: Any, receive: Receive, send: Send) -> None:
    await delivery.begin(send, delivery.half)
    await _reset(transport, receive)


async def _hang_before_headers(
    _delivery: Delivery, transport: Any, receive: Receive, _send: Send
) -> None:
    await _hang(transport, receive)


async def _hang_in_body(delivery: Delivery, transport: Any, receive: Receive, send: Send) -> None:
    await delivery.begin(send, delivery.half)
    await _hang(transport, receive)


async def _drip(delivery: Delivery, _transport: Any, receive: Receive, send: Send) -> None:
    await delivery.begin(send, b"")
    gone = asyncio.ensure_future(_gone(receive))
    for byte in bytes(delivery.body):
        await asyncio.wait([gone], timeout=_DRIP_PAUSE)
        if gone.done():
            return
        await delivery.go_on(send, bytes([byte]))
    gone.cancel()
    await send({"type": "http.response.body", "body": b""})


async def _short_body(delivery: Delivery, transport: Any, receive: Receive, send: Send) -> None:
    await delivery.begin(send, delivery.half)
    transport.close()
    await _gone(receive)


_DELIVERIES: Mapping[Behaviour, Callable[[Delivery, Any, Receive, Send], Any]] = {
    Behaviour.RESET_BEFORE_HEADERS: _reset_before_headers,
    Behaviour.RESET_IN_BODY: _reset_in_body,
    Behaviour.HANG_BEFORE_HEADERS: _hang_before_headers,
    Behaviour.HANG_IN_BODY: _hang_in_body,
    Behaviour.DRIP: _drip,
    Behaviour.SHORT_BODY: _short_body,
}
