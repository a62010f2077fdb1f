"""Serves the management system on a socket: in the foreground, or in a thread of its own."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self, cast

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from exporter.simulator.http.app import TRANSPORT, Latency, build_app
from exporter.simulator.http.system import System


class OpenProtocol(H11Protocol):
    """Lets the application reach the connection, so that it can break it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # because uvicorn narrows it too
        """Hands the transport on in the scope of each request."""
        app = cast("ASGIApp", self.config.loaded_app)

        async def with_transport(scope: Scope, receive: Receive, send: Send) -> None:
            await app({**scope, TRANSPORT: transport}, receive, send)

        self.app = cast("Any", with_transport)
        super().connection_made(transport)


class Server:
    """A running management system; a context manager. Without a socket it takes a loopback port.

    It answers at all that are `listening`; `host`, `port` and `url` are those of the first.

    `start` serves from a thread and returns when the port answers; `run` serves here until a
    signal ends it. With a TLS context it speaks HTTPS.
    """

    def __init__(
        self,
        system: System,
        listening: Sequence[socket.socket] = (),
        *,
        latency: Latency = 0.0,
        control: bool = False,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._sockets = [*listening] or [socket.create_server(("127.0.0.1", 0))]
        self.system = system
        self.host, self.port = self._sockets[0].getsockname()[:2]
        config = uvicorn.Config(
            build_app(system, latency=latency, control=control),
            http=OpenProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            timeout_graceful_shutdown=1,
        )
        config.load()
        config.ssl = tls  # uvicorn itself would only read one from files
        self._scheme = "http" if tls is None else "https"
        self._server = uvicorn.Server(config)
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The base address, without a slash at its end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self._scheme}://{host}:{self.port}"

    def run(self) -> None:
        """Serves in the foreground until SIGINT or SIGTERM."""
        self._server.run(sockets=self._sockets)

    def start(self) -> Self:
        """Serves in a thread of its own. Connections wait in the backlog until it is up."""
        self._thread = threading.Thread(target=self.run, name="simulator", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Ends the thread and its connections."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join()
        for listening in self._sockets:
            listening.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
