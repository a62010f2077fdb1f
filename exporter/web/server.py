"""uvicorn, bounded: no client, however slow or numerous, keeps another from its scrape."""

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

from exporter.web.guard import Guard, Rules
from exporter.web.tls import SecureProtocol, names_of

EXCHANGE = 30.0  # seconds from the first byte of a request to the last of its answer
CONNECTIONS = 1_000  # at most, where enough files may be open
OPEN_FILES = 4_096
OWN_FILES = 32  # that the process holds for itself, or opens now and then
BURST = 64  # connections taken at once, before the oldest have gone
FEWEST = 16  # connections, however few files may be open
BUFFERED = 64 * 1024  # bytes of an answer that wait for a slow reader; TLS would take 512 kB
GRACE = 1  # second for scrapes under way when the daemon ends
PATIENCE = 0.8  # seconds of it: whoever has not read its answer by then is hung up on

_ENDING = (signal.SIGTERM, signal.SIGINT)
_ADDRESS = re.compile(r"(?:\[(?P<v6>[^\[\]]+)\]|(?P<host>[^\[\]:]*)):(?P<port>[0-9]{1,5})")


@dataclass(slots=True)
class Room:
    """How many connections there may be, so that all else still finds a file to open.

    `limit` is how many files may be open, `needed` how many of them others may need at a moment.
    """

    limit: float
    needed: Callable[[], int]
    _taken: WeakSet[socket.socket] = field(default_factory=WeakSet)
    _was_full: bool = False

    @property
    def sockets(self) -> float:
        """Connections at any moment, those included that are just being hung up on."""
        return max(FEWEST, self.limit - OWN_FILES - self.needed())

    @property
    def connections(self) -> int:
        """Connections that are kept."""
        return int(min(CONNECTIONS, max(self.sockets / 2, self.sockets - BURST)))

    def admits(self, connection: socket.socket) -> bool:
        """Whether there is room for one more; if so, it is counted until it is closed."""
        if len(self._taken) >= self.sockets:
            self._taken = WeakSet(each for each in self._taken if each.fileno() >= 0)
        if len(self._taken) >= self.sockets:
            return False
        self._taken.add(connection)
        return True

    def tell_full(self) -> None:
        """Says once that clients are hung up on for others."""
        if not self._was_full:
            self._was_full = True
            structlog.get_logger().warning(
                "too many connections, hanging up on the oldest; said once",
                connections=self.connections,
                open_files=self.limit,
            )


class Listening(socket.socket):
    """A listening socket that hangs up at once on those for whom there is no room."""

    room: Room | None = None

    def accept(self) -> tuple[socket.socket, Any]:
        """Takes a connection; ConnectionAbortedError where there was no room for it."""
        connection, address = super().accept()
        if self.room is not None and not self.room.admits(connection):
            connection.close()
            self.room.tell_full()
            raise ConnectionAbortedError(errno.ECONNABORTED, "too many connections")
        return connection, address


class BoundedProtocol(H11Protocol):
    """Ends exchanges that take too long, and the oldest idle connection where there are too many.

    uvicorn's own `limit_concurrency` would answer 503 to everybody instead.
    """

    client_names: frozenset[str] = frozenset()  # as in Rules
    room: Room

    _deadline: asyncio.TimerHandle | None = None
    _under_way = True
    _has_said_all = False
    _opened = 0.0
    _socket: asyncio.Transport | None = None  # below TLS, where there is TLS

    def accept(self, transport: asyncio.Transport) -> None:
        """Takes a connection in, at the price of the oldest idle one; its handshake may follow."""
        self.transport = self._socket = transport
        self.connections.add(self)
        self._opened = self.loop.time()
        self._start_exchange()
        if len(self.connections) > self.room.connections:
            self.room.tell_full()
            others = (c for c in self.connections if isinstance(c, BoundedProtocol))
            oldest = min(
                (c for c in others if c._is_idle()),  # noqa: SLF001  # our own
                key=lambda c: c._opened,  # noqa: SLF001  # our own
                default=self,
            )
            oldest._hang_up()  # noqa: SLF001  # our own
            # uvicorn does so in a moment; the next newcomer must not choose the same one.
            self.connections.discard(oldest)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn declares it
        """Takes requests from now on: in the clear, or after the handshake."""
        super().connection_made(transport)
        if self._socket is None:
            self.accept(transport)
        transport.set_write_buffer_limits(BUFFERED)
        if self.client_names and self.client_names.isdisjoint(names_of(transport)):
            self._hang_up()

    def data_received(self, data: bytes) -> None:
        """Takes bytes of a request in; the first starts its deadline."""
        if not self._under_way:
            self._start_exchange()
        super().data_received(data)

    def on_response_complete(self) -> None:
        """Ends an exchange; what follows is keep-alive, which uvicorn limits itself."""
        self._under_way = False
        if self.cycle.more_body:
            self.transport.close()  # nothing here reads a body: it would be read for nothing
        super().on_response_complete()
        if not self._is_idle():  # the client had sent its next request already
            self._start_exchange()
        elif self._has_said_all:
            self.transport.close()

    def eof_received(self) -> bool:  # type: ignore[override]  # as asyncio declares it
        """Answers one who has said all, and then hangs up."""
        self._has_said_all = True
        # TLS ends both ways at once.
        return self.transport is self._socket and not self._is_idle()

    def send_400_response(self, msg: str) -> None:
        """Refuses what is no HTTP; behind a request, it ends the answer as well."""
        if self._is_idle():
            super().send_400_response(msg)
        else:
            self.cycle.disconnected = True  # or uvicorn would log the answer's end as an error
            self._hang_up()

    def connection_lost(self, exc: Exception | None) -> None:
        """Lets a connection go."""
        self._stop_deadline()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Ends with the server: at once when idle, else as soon as the answer is read."""
        super().shutdown()
        self.loop.call_later(PATIENCE, self._give_up)

    def _give_up(self) -> None:
        # Before uvicorn does: it would log the answer that nobody waits for as an error.
        self._hang_up()
        for task in self.tasks:
            task.cancel()

    def _is_idle(self) -> bool:
        """Whether no request is being answered; one that is still arriving does not count."""
        return self.cycle is None or self.cycle.response_complete

    def _start_exchange(self) -> None:
        self._stop_deadline()
        self._under_way = True
        self._deadline = self.loop.call_later(EXCHANGE, self._end)

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()

    def _end(self) -> None:
        # An answer is complete for uvicorn when its last piece is buffered, not when it is read.
        if self._under_way or (self._socket and self._socket.get_write_buffer_size()):
            self._hang_up()

    def _hang_up(self) -> None:
        if self._socket:
            self._socket.abort()


def parse(address: str) -> tuple[str, int]:
    """Host ("": all addresses) and port of `host:port`, `[v6]:port` or `:port`.

    Raises ValueError for an address that is none.
    """
    found = _ADDRESS.fullmatch(address)
    if found is None or int(found["port"]) > 65_535:  # noqa: PLR2004  # the last port
        raise ValueError("expected host:port, [v6]:port or :port")
    return found["v6"] or found["host"], int(found["port"])


def bind(address: str) -> Listening:
    """Opens a listening socket; ValueError as `parse`, OSError where it cannot be had."""
    host, port = parse(address)
    if ":" in host:
        opened = socket.create_server((host, port), family=socket.AF_INET6)
    elif not host and socket.has_dualstack_ipv6():
        opened = socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
    else:
        opened = socket.create_server((host, port))
    return Listening(fileno=opened.detach())


def hold_signals() -> None:
    """Lets the process live on after uvicorn, which raises the signal that ended it once more."""
    for number in _ENDING:
        signal.signal(number, lambda *_: None)


def serve(
    app: ASGIApp,
    sockets: Sequence[Listening],
    rules: Callable[[], Rules] | None = None,
    needed: Callable[[], int] = lambda: 0,
) -> None:
    """Serves until SIGTERM or SIGINT, then returns.

    `rules` says at any moment how strangers are met; without it, everybody is, in plain HTTP.
    `needed` says how many files others than the server may have to open.
    """
    room = Room(_open_files(), needed)
    for listening in sockets:
        listening.room = room

    def protocol(**of_uvicorn: Any) -> asyncio.BaseProtocol:
        bounded = BoundedProtocol(**of_uvicorn)
        bounded.room = room
        now = rules() if rules else None
        if now is None or now.tls is None:
            return bounded
        bounded.client_names = now.client_names
        return SecureProtocol(bounded, now.tls, bounded.loop)

    config = uvicorn.Config(
        _until_cancelled(Guard(app, rules) if rules else app),
        http=protocol,  # type: ignore[arg-type]  # because uvicorn calls it, class or not
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="error",  # what strangers do wrong would fill the log
        access_log=False,
        server_header=False,
        backlog=BURST,
        timeout_graceful_shutdown=GRACE,
    )
    server = uvicorn.Server(config)
    # Before uvicorn sets the same: who ends the process while it starts is heard. Afterwards
    # uvicorn raises the signal that ended it once more.
    for number in _ENDING:
        signal.signal(number, server.handle_exit)
    asyncio.run(_serve(server, list(sockets)))


def _until_cancelled(app: ASGIApp) -> ASGIApp:
    """Lets an answer end in silence when the server ends; uvicorn would log a traceback."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        with suppress(asyncio.CancelledError):
            await app(scope, receive, send)

    return answer


async def _serve(server: uvicorn.Server, sockets: list[socket.socket]) -> None:
    asyncio.get_running_loop().set_exception_handler(_without_files_once())
    await server.serve(sockets)


def _open_files() -> float:
    """How many files the process may have open; raised as far as it is of use."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return inf if soft == resource.RLIM_INFINITY else soft


def _without_files_once() -> Callable[[asyncio.AbstractEventLoop, dict[str, Any]], None]:
    """Handles what goes wrong in the event loop: that no file can be opened is said once.

    asyncio would say so each second, with a traceback.
    """
    was_said = False

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        nonlocal was_said
        error = context.get("exception")
        if not isinstance(error, OSError) or error.errno not in (errno.EMFILE, errno.ENFILE):
            loop.default_exception_handler(context)
        elif not was_said:
            was_said = True
            structlog.get_logger().error("no client can connect", reason=error.strerror)

    return handle
