"""The management system over HTTP: a thin ASGI application."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from random import Random
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from exporter.simulator.http.answers import Answer, Behaviour
from exporter.simulator.http.control import control_routes
from exporter.simulator.http.system import System

TRANSPORT = "simulator.transport"  # where the server leaves a connection's transport in the scope
MAX_HANG = 60.0
_DRIP_PAUSE = 1.0
_CHUNK = 1024 * 1024  # bytes of a body that are sent at a time, as fast as they are read

Latency = float | tuple[float, float]


def build_app(system: System, *, latency: Latency = 0.0, control: bool = False) -> Starlette:
    """The application over a system.

    `latency` is the seconds between a request's arrival at the socket and its answer, or a range
    to draw them from; the system sees the call somewhere in between, as on a real network.
    `control` adds the endpoints of control.py.
    """
    rng = Random(system.fleet.seed)  # noqa: S311  # because latencies are no secret
    low, high = latency if isinstance(latency, tuple) else (latency, latency)

    async def answer(request: Request) -> Response:
        body = await request.body()
        wait = rng.uniform(low, high)
        before = wait * rng.random()
        await asyncio.sleep(before)
        url = request.url
        path = f"{url.path}?{url.query}" if url.query else url.path
        made = system.handle(request.method, path, request.headers, body)
        await asyncio.sleep(wait - before)
        return Delivery(made)

    methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]
    everything = Route("/{path:path}", answer, methods=methods)
    return Starlette(routes=[*control_routes(system), everything] if control else [everything])


class Delivery(Response):
    """Sends an answer, complete or not, according to its behaviour."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.body, answer.status)
        length = self.raw_headers
        named = [(name.lower().encode(), value.encode()) for name, value in answer.headers]
        self.raw_headers = [*named, *length]
        self._behaviour = answer.behaviour

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends it (ASGI)."""
        match self._behaviour:
            case Behaviour.NORMAL:
                await self._send_all(send)
            case Behaviour.DRIP:
                await self._drip(receive, send)
            case cut:
                half, end = _INCOMPLETE[cut]
                if half:
                    await self._begin(send, bytes(self.body[: len(self.body) // 2]))
                await end(scope[TRANSPORT], receive)

    async def _send_all(self, send: Send) -> None:
        await self._begin(send, b"")
        for start in range(0, len(self.body), _CHUNK):
            await self._send_part(send, bytes(self.body[start : start + _CHUNK]))
        await self._end(send)

    async def _drip(self, receive: Receive, send: Send) -> None:
        await self._begin(send, b"")
        disconnected = asyncio.ensure_future(_disconnected(receive))
        for byte in bytes(self.body):
            await asyncio.wait([disconnected], timeout=_DRIP_PAUSE)
            if disconnected.done():
                return
            await self._send_part(send, bytes([byte]))
        disconnected.cancel()
        await self._end(send)

    async def _begin(self, send: Send, part: bytes) -> None:
        """Sends the headers, which promise the whole body, and a part of it."""
        await send(
            {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        )
        await self._send_part(send, part)

    async def _send_part(self, send: Send, part: bytes) -> None:
        await send({"type": "http.response.body", "body": part, "more_body": True})

    async def _end(self, send: Send) -> None:
        await send({"type": "http.response.body", "body": b""})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _reset(transport: Any, receive: Receive) -> None:
    """Resets the connection (RST)."""
    linger = struct.pack("ii", 1, 0)
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    transport.abort()
    await _disconnected(receive)


async def _hang(transport: Any, receive: Receive) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(_disconnected(receive), MAX_HANG)
    await _reset(transport, receive)


async def _close(transport: Any, receive: Receive) -> None:
    """Closes the connection in an orderly way."""
    transport.close()
    await _disconnected(receive)


# Incomplete answers: whether headers and half of the body are sent, and how the connection ends.
_INCOMPLETE: Mapping[Behaviour, tuple[bool, Callable[[Any, Receive], Awaitable[None]]]] = {
    Behaviour.RESET_BEFORE_HEADERS: (False, _reset),
    Behaviour.RESET_IN_BODY: (True, _reset),
    Behaviour.HANG_BEFORE_HEADERS: (False, _hang),
    Behaviour.HANG_IN_BODY: (True, _hang),
    Behaviour.SHORT_BODY: (True, _close),
}
