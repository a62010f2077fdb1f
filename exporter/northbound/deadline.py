"""One deadline for a whole exchange: connection, TLS, headers and body, however slow the drip."""

import socket
import time
from collections.abc import Callable
from contextlib import suppress
from threading import Timer
from types import TracebackType
from typing import Any, Self

from urllib3.connection import HTTPConnection, HTTPSConnection

from exporter.northbound.errors import NotSentError


class Deadline:
    """The end of an exchange: when it comes, the socket is shut, whatever is waited for.

    A library's time-out starts anew with every byte; this one does not. What it cannot end is
    the resolver's search for the host's address. `may_send` is asked before anything is sent.
    """

    def __init__(self, seconds: float, may_send: Callable[[], bool] = lambda: True) -> None:
        self.may_send = may_send
        self._end = time.monotonic() + seconds
        self._socket: socket.socket | None = None
        self._timer = Timer(seconds, self.cut)
        self._timer.daemon = True
        self._timer.name = "deadline"

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        self._timer.join()
        if self._socket is not None:
            self._socket.close()

    @property
    def left(self) -> float:
        """Seconds, never so few that a socket would take them for "do not wait"."""
        return max(self._end - time.monotonic(), 0.001)

    @property
    def passed(self) -> bool:
        """Whether the end has come."""
        return time.monotonic() >= self._end

    def watch(self, watched: socket.socket) -> None:
        """Takes charge of a connected socket.

        Of a duplicate, for TLS takes the descriptor away from the socket that it wraps.
        """
        self._socket = watched.dup()
        if self.passed:
            self.cut()

    def cut(self) -> None:
        """Shuts the socket; whoever waits for it wakes up."""
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


class DeadlineConnection(HTTPConnection):
    """A connection under a deadline."""

    def __init__(self, *args: Any, deadline: Deadline, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadline = deadline

    def _new_conn(self) -> socket.socket:
        # Each address gets its share: one that swallows packets must leave time for the next.
        addresses = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        self.timeout = self._deadline.left / len(addresses)
        connected = super()._new_conn()
        connected.settimeout(self._deadline.left)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            # Nor does the system send again what was not received until then, though the process
            # be stopped: whoever takes its account over counts on that.
            left = int(self._deadline.left * 1000)
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, left)
        self._deadline.watch(connected)
        return connected

    def send(self, data: Any) -> None:
        """Sends a part of the request, unless it is no longer to be sent."""
        if self.sock is None:
            self.connect()
        if not self._deadline.may_send():
            raise NotSentError
        super().send(data)


class DeadlineTlsConnection(DeadlineConnection, HTTPSConnection):
    """The same with TLS, through a proxy's tunnel too."""
