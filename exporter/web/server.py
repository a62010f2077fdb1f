"""uvicorn with limits: no client, however slow or numerous, keeps another from its scrape."""

import asyncio
import errno
import re
import resource
import signal
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import inf
from typing import Any
from weakref import WeakSet

import structlog
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from exporter.web.access import AccessControl, AccessRules
from exporter.web.tls import TlsProtocol, certificate_names

EXCHANGE_TIMEOUT = 30.0  # seconds from the first byte of a request to the last of its answer
MAX_CONNECTIONS = 1_000  # where enough files may be open
MIN_CONNECTIONS = 16  # however few files may be open
OPEN_FILES = 4_096  # the limit that is asked for
OWN_FILES = 32  # that the process holds for itself, or opens now and then
BACKLOG = 64  # connections accepted at once, before the oldest have gone
WRITE_BUFFER = 64 * 1024  # bytes of a response for a slow reader; TLS would take 512 kB
SHUTDOWN_TIMEOUT = 1  # second for scrapes under way when the daemon ends
ABORT_AFTER = 0.8  # seconds of it, then unread responses are aborted

_END_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_ADDRESS = re.compile(r"(?:\[(?P<v6>[^\[\]]+)\]|(?P<host>[^\[\]:]*)):(?P<port>[0-9]{1,5})")


@dataclass(slots=True)
class ConnectionLimit:
    """Limits connections, so that file descriptors are left for everything else.

    `open_files` is how many the process may have, `needed` how many others may need at the moment.
    """

    open_files: float
    needed: Callable[[], int]
    _taken: WeakSet[socket.socket] = field(default_factory=WeakSet)
    _was_full: bool = False

    @property
    def sockets(self) -> float:
        """At most at any moment, those included that are being aborted."""
        return max(MIN_CONNECTIONS, self.open_files - OWN_FILES - self.needed())

    @property
    def connections(self) -> int:
        """At most in the long run."""
        return int(min(MAX_CONNECTIONS, max(self.sockets / 2, self.sockets - BACKLOG)))

    def admits(self, connection: socket.socket) -> bool:
        """Whether there is room for one more; if so, it is counted until it is closed."""
        if len(self._taken) >= self.sockets:
            self._taken = WeakSet(each for each in self._taken if each.fileno() >= 0)
        if len(self._taken) >= self.sockets:
            return False
        self._taken.add(connection)
        return True

    def warn_full(self) -> None:
        """Logs once that clients lose their connections to others."""
        if not self._was_full:
            self._was_full = True
            structlog.get_logger().warning(
                "too many connections, closing the oldest; logged once",
                connections=self.connections,
                open_files=self.open_files,
            )


class ListeningSocket(socket.socket):
    """A listening socket that closes connections beyond the limit at once."""

    limit: ConnectionLimit | None = None

    def accept(self) -> tuple[socket.socket, Any]:
        """Accepts a connection; ConnectionAbortedError beyond the limit."""
        connection, address = super().accept()
        if self.limit is not None and not self.limit.admits(connection):
            connection.close()
            self.limit.warn_full()
            raise ConnectionAbortedError(errno.ECONNABORTED, "too many connections")
        return connection, address


class BoundedProtocol(H11Protocol):
    """HTTP/1.1 that aborts exchanges that take too long, and the oldest idle connections.

    An exchange is a request and its response. uvicorn's own `limit_concurrency` would answer 503 to
    everybody instead.
    """

    client_names: frozenset[str] = frozenset()  # as in AccessRules
    limit: ConnectionLimit
    accepted_at = 0.0
    connection: asyncio.Transport | None = None  # below TLS, where there is TLS

    _deadline: asyncio.TimerHandle | None = None
    _under_way = True
    _eof_received = False

    def accept(self, transport: asyncio.Transport) -> None:
        """Takes a connection, at the price of the oldest idle one; its handshake may follow."""
        self.transport = self.connection = transport
        self.connections.add(self)
        self.accepted_at = self.loop.time()
        self._start_exchange()
        if len(self.connections) > self.limit.connections:
            self.limit.warn_full()
            others = (each for each in self.connections if isinstance(each, BoundedProtocol))
            oldest = min(
                (each for each in others if each.is_idle()),
                key=lambda each: each.accepted_at,
                default=self,
            )
            oldest.abort()
            # uvicorn does so in a moment; the next new connection must not choose the same one.
            self.connections.discard(oldest)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn declares it
        """Takes requests from now on: without TLS, or after the handshake."""
        super().connection_made(transport)
        if self.connection is None:
            self.accept(transport)
        transport.set_write_buffer_limits(WRITE_BUFFER)
        if self.client_names and self.client_names.isdisjoint(certificate_names(transport)):
            self.abort()

    def data_received(self, data: bytes) -> None:
        """Takes bytes of a request; the first starts its deadline."""
        if not self._under_way:
            self._start_exchange()
        super().data_received(data)

    def on_response_complete(self) -> None:
        """Ends an exchange; what follows is keep-alive, which uvicorn limits itself."""
        self._under_way = False
        if self.cycle.more_body:
            self.transport.close()  # no endpoint reads a body: it would be received for nothing
        super().on_response_complete()
        if not self.is_idle():  # the client had sent its next request already
            self._start_exchange()
        elif self._eof_received:
            self.transport.close()

    def eof_received(self) -> bool:  # type: ignore[override]  # as asyncio declares it
        """Keeps a half-closed connection open until its response is sent."""
        self._eof_received = True
        # TLS ends both ways at once.
        return self.transport is self.connection and not self.is_idle()

    def send_400_response(self, msg: str) -> None:
        """Refuses what is no HTTP; behind a request, it ends the response as well."""
        if self.is_idle():
            super().send_400_response(msg)
        else:
            self.cycle.disconnected = True  # or uvicorn would log the response's end as an error
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forgets the connection."""
        self._stop_deadline()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Ends with the server: at once when idle, else as soon as the response is read."""
        super().shutdown()
        self.loop.call_later(ABORT_AFTER, self._cancel)

    def _cancel(self) -> None:
        # Before uvicorn does: it would log a response that nobody waits for as an error.
        self.abort()
        for task in self.tasks:
            task.cancel()

    def is_idle(self) -> bool:
        """Whether no request is being answered; one that is still arriving does not count."""
        return self.cycle is None or self.cycle.response_complete

    def abort(self) -> None:
        """Closes the connection at once."""
        if self.connection:
            self.connection.abort()

    def _start_exchange(self) -> None:
        self._stop_deadline()
        self._under_way = True
        self._deadline = self.loop.call_later(EXCHANGE_TIMEOUT, self._abort_overdue)

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()

    def _abort_overdue(self) -> None:
        # A response is complete for uvicorn when its last piece is buffered, not when it is read.
        if self._under_way or (self.connection and self.connection.get_write_buffer_size()):
            self.abort()


def parse(address: str) -> tuple[str, int]:
    """Host ("": all addresses) and port of `host:port`, `[v6]:port` or `:port`.

    Raises ValueError for an address that is none.
    """
    found = _ADDRESS.fullmatch(address)
    if found is None or int(found["port"]) > 65_535:  # noqa: PLR2004  # the last port
        raise ValueError("expected host:port, [v6]:port or :port")
    return found["v6"] or found["host"], int(found["port"])


def bind(address: str) -> ListeningSocket:
    """Opens a listening socket; ValueError as `parse`, OSError where it cannot be had."""
    host, port = parse(address)
    if ":" in host:
        opened = socket.create_server((host, port), family=socket.AF_INET6)
    elif not host and socket.has_dualstack_ipv6():
        opened = socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
    else:
        opened = socket.create_server((host, port))
    return ListeningSocket(fileno=opened.detach())


def ignore_end_signals() -> None:
    """Lets the process live on after uvicorn, which raises the signal that ended it once more."""
    for number in _END_SIGNALS:
        signal.signal(number, lambda *_: None)


def serve(
    app: ASGIApp,
    sockets: Sequence[ListeningSocket],
    rules: Callable[[], AccessRules] | None = None,
    needed: Callable[[], int] = lambda: 0,
) -> None:
    """Serves until SIGTERM or SIGINT, then returns.

    `rules` are the access rules at the moment; without it, all are admitted over plain HTTP.
    `needed` is how many files others than the server may have to open.
    """
    limit = ConnectionLimit(_open_files(), needed)
    for listening in sockets:
        listening.limit = limit

    def protocol(**of_uvicorn: Any) -> asyncio.BaseProtocol:
        bounded = BoundedProtocol(**of_uvicorn)
        bounded.limit = limit
        now = rules() if rules else None
        if now is None or now.tls is None:
            return bounded
        bounded.client_names = now.client_names
        return TlsProtocol(bounded, now.tls, bounded.loop)

    config = uvicorn.Config(
        _until_cancelled(AccessControl(app, rules) if rules else app),
        http=protocol,  # type: ignore[arg-type]  # because uvicorn calls it, class or not
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="error",  # mistakes of clients would fill the log
        access_log=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=SHUTDOWN_TIMEOUT,
    )
    server = uvicorn.Server(config)
    # uvicorn sets the same later; this one ends the process while it starts. Afterwards uvicorn
    # raises the signal that ended it once more.
    for number in _END_SIGNALS:
        signal.signal(number, server.handle_exit)
    asyncio.run(_serve(server, list(sockets)))


def _until_cancelled(app: ASGIApp) -> ASGIApp:
    """Ends a response silently when the server ends; uvicorn would log a traceback."""

    async def respond(scope: Scope, receive: Receive, send: Send) -> None:
        with suppress(asyncio.CancelledError):
            await app(scope, receive, send)

    return respond


async def _serve(server: uvicorn.Server, sockets: list[socket.socket]) -> None:
    asyncio.get_running_loop().set_exception_handler(_log_no_files_once())
    await server.serve(sockets)


def _open_files() -> float:
    """How many files the process may have open; raised as far as it is of use."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return inf if soft == resource.RLIM_INFINITY else soft


def _log_no_files_once() -> Callable[[asyncio.AbstractEventLoop, dict[str, Any]], None]:
    """An exception handler of the event loop that logs once that no file can be opened.

    asyncio would log it each second, with a traceback.
    """
    logged = False

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        nonlocal logged
        error = context.get("exception")
        if not isinstance(error, OSError) or error.errno not in (errno.EMFILE, errno.ENFILE):
            loop.default_exception_handler(context)
        elif not logged:
            logged = True
            structlog.get_logger().error("no client can connect", reason=error.strerror)

    return handle
