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
        match self._behaviour:
            case Behaviour.NORMAL:
                await self._whole(send)
            case Behaviour.DRIP:
                await self._drip(receive, send)
            case cut:
                half, then = _CUT[cut]
                if half:
                    await self._begin(send, bytes(self.body[: len(self.body) // 2]))
                await then(scope[TRANSPORT], receive)

    async def _whole(self, send: Send) -> None:
        await self._begin(send, b"")
        for start in range(0, len(self.body), _PIECE):
            await self._go_on(send, bytes(self.body[start : start + _PIECE]))
        await self._end(send)

    async def _drip(self, receive: Receive, send: Send) -> None:
        await self._begin(send, b"")
        gone = asyncio.ensure_future(_gone(receive))
        for byte in bytes(self.body):
            await asyncio.wait([gone], timeout=_DRIP_PAUSE)
            if gone.done():
                return
            await self._go_on(send, bytes([byte]))
        gone.cancel()
        await self._end(send)

    async def _begin(self, send: Send, part: bytes) -> None:
        """Sends the headers, which promise the whole body, and a part of it."""
        await send(
            {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        )
        await self._go_on(send, part)

    async def _go_on(self, send: Send, part: bytes) -> None:
        await send({"type": "http.response.body", "body": part, "more_body": True})

    async def _end(self, send: Send) -> None:
        await send({"type": "http.response.body", "body": b""})


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


async def _close(transport: Any, receive: Receive) -> None:
    """Ends the connection in good order."""
    transport.close()
    await _gone(receive)


# The answers that are cut short: whether the headers and half of the body come, and what then.
_CUT: Mapping[Behaviour, tuple[bool, Callable[[Any, Receive], Awaitable[None]]]] = {
    Behaviour.RESET_BEFORE_HEADERS: (False, _reset),
    Behaviour.RESET_IN_BODY: (True, _reset),
    Behaviour.HANG_BEFORE_HEADERS: (False, _hang),
    Behaviour.HANG_IN_BODY: (True, _hang),
    Behaviour.SHORT_BODY: (True, _close),
}
