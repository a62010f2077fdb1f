"""One HTTP request on a connection of its own, under one deadline; whatever fails is a CallError.

The deadline is that of the whole exchange: connection, TLS, headers and body, however slow the
drip.

Kept apart from what is asked: an account's calls go to the management system, and an OAuth client's
sign-in to another server, with another certificate.
"""

import re
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from email.utils import formatdate, parsedate_to_datetime
from functools import lru_cache
from http.client import BadStatusLine, HTTPException
from pathlib import Path
from threading import Timer
from types import TracebackType
from typing import Any, Literal, NamedTuple, Self
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from requests.adapters import DEFAULT_CA_BUNDLE_PATH, HTTPAdapter
from urllib3 import HTTPHeaderDict
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import InsecureRequestWarning
from urllib3.util import create_urllib3_context

from exporter import NAME
from exporter.northbound.errors import CallError, NotSentError, named_error

_REDIRECTS = range(300, 400)
_MAX_ANSWER = 64 * 1024 * 1024  # bytes, decompressed
_MAX_VALUES = 4_000_000  # of an answer; decoded, each costs up to 70 bytes
_CHUNK = 64 * 1024
_MAX_USER_TIMEOUT = 2**31 - 1  # ms; the system counts no further
_HEADERS: Mapping[str, str] = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
    "Connection": "close",
    "User-Agent": NAME,
}
_BAD_REQUEST = 400
_PORTS = {"http": 80, "https": 443}
_MAX_HOST = 253
_HOST = re.compile(r"[a-z0-9._:-]+", re.ASCII)
# What OpenSSL calls an answer that is no TLS; it depends on its version and on the first bytes.
_NO_TLS = frozenset({
    "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL",
    "WRONG_VERSION_NUMBER",
})  # fmt: skip
# How servers that want TLS answer what is none: with an alert (RFC 8446, 6), or in words.
_TLS_ALERT = "\x15\x03"
_TLS_WANTED = re.compile(rb"(?i)plain http\b.{0,40}(?:https|ssl)|http request to an https")

# What requests, urllib3, http.client and the system raise, by the reason it is counted under. Not
# everything comes wrapped: an address may be no address, a header may not be sendable. What is not
# here is a bug of the exporter.
_RAISED: tuple[tuple[type[Exception], str], ...] = (
    (requests.exceptions.Timeout, "timeout"),
    (requests.exceptions.SSLError, "tls"),
    (requests.exceptions.ContentDecodingError, "malformed"),
    (requests.exceptions.RequestException, "connection"),
    (urllib3.exceptions.HTTPError, "connection"),
    (HTTPException, "connection"),
    (OSError, "connection"),
    (UnicodeError, "connection"),
)
_TRANSPORT = tuple(kind for kind, _ in _RAISED)


class Response(NamedTuple):
    """An answer; `retry_after` is for how many seconds the server asks not to be called."""

    status: int
    headers: HTTPHeaderDict
    retry_after: float
    body: bytes


class Transport:
    """The way to one server.

    Args:
        timeout: Seconds for a whole exchange, from the connection to the last byte.
        ca_file: Certificates to trust instead of the usual ones.
        verify: Whether the server's certificate is checked at all.
    """

    def __init__(self, timeout: float, *, ca_file: str | None = None, verify: bool = True) -> None:
        self._timeout = timeout
        self._verify: str | bool = (ca_file or True) if verify else False
        # Asked once more when a connection stands, right before the first byte is sent.
        self.may_send: Callable[[], bool] = lambda: True
        if not verify:  # the owner has decided; a warning a call would only hide others
            urllib3.disable_warnings(InsecureRequestWarning)

    def post(self, url: str, headers: Mapping[str, str], **body: Any) -> Response:
        """Posts `json=` or, as a form, `data=`; returns what is answered, whatever its status.

        Raises:
            CallError: Nothing was answered in time, or what is no answer.
            NotSentError: It is no longer to be sent.
        """
        # An error is raised outside of `except`: the library's own exception, which holds the
        # request with its secrets, must not be its context.
        deadline = Deadline(self._timeout, self.may_send)
        error: CallError | None = None
        try:
            with deadline:
                response = self._send(url, headers, body, deadline)
        except NotSentError:
            raise
        except CallError as raised:
            error = raised
        except _TRANSPORT as raised:
            error = named_error(_reason(raised), detail=_detail(raised))
        except Exception:
            if not deadline.passed:  # else the library stumbled over the socket that was cut
                raise
        if deadline.passed:
            error = named_error("timeout")
        if error is not None:
            raise error
        return response

    def _send(
        self, url: str, headers: Mapping[str, str], body: Mapping[str, Any], deadline: "Deadline"
    ) -> Response:
        """One request on a connection of its own.

        With calls seconds or minutes apart, a kept connection would mostly be one that the server
        is about to drop. Without requests' session there is also no .netrc, no cookie jar, and
        no reading of a redirect's body.
        """
        if isinstance(self._verify, str) and Path(self._verify).is_fifo():
            # Nobody might ever write to it, and no deadline ends OpenSSL's reading.
            raise named_error("tls", detail="ca_file is a pipe")
        request = requests.Request("POST", url, headers={**_HEADERS, **headers}, **body).prepare()
        with requests.Session() as session:
            environment: Any = session.merge_environment_settings(
                url, {}, stream=True, verify=self._verify, cert=None
            )
        with (
            closing(_Adapter(deadline)) as adapter,
            adapter.send(request, timeout=self._timeout, **environment) as response,
        ):
            status = response.status_code
            if status in _REDIRECTS:
                location = response.headers.get("location", "")
                raise named_error("redirect", detail=_redirect_target(url, location))
            content = _read(response)
            if status == _BAD_REQUEST and _TLS_WANTED.search(content):
                raise named_error("only_tls")
            return Response(status, response.raw.headers, _retry_after(response.headers), content)


def _redirect_target(url: str, location: str) -> str:
    """Where a redirect points to: scheme, host and port, and nothing else, which may be secret."""
    if not location:
        return ""
    with suppress(ValueError):
        here, there = urlsplit(url), urlsplit(urljoin(url, location))
        host = there.hostname or ""
        if (there.scheme, there.netloc) == (here.scheme, here.netloc):
            return "to another path of the same host"
        if there.scheme in _PORTS and len(host) <= _MAX_HOST and _HOST.fullmatch(host):
            port = f":{there.port}" if there.port not in (None, _PORTS[there.scheme]) else ""
            return f"to {there.scheme}://{f'[{host}]' if ':' in host else host}{port}"
    return ""


def _reason(raised: Exception) -> str:
    for cause in _causes(raised):
        if isinstance(cause, ssl.SSLError) and cause.reason in _NO_TLS:
            return "no_tls"
        if isinstance(cause, BadStatusLine) and str(cause).startswith(_TLS_ALERT):
            return "only_tls"
    return next(reason for kind, reason in _RAISED if isinstance(raised, kind))


def _detail(raised: Exception) -> str:
    """The message of the system or of OpenSSL at its root; nothing of it is from an answer."""
    detail = ""
    for cause in _causes(raised):
        detail = getattr(cause, "verify_message", "") or getattr(cause, "strerror", "") or detail
    return detail


def _causes(raised: BaseException | None) -> Iterator[BaseException]:
    """An exception, and those in whose handling it was raised."""
    while raised is not None and not isinstance(raised, CallError):
        yield raised
        raised = raised.__context__


def _read(response: requests.Response) -> bytes:
    body = bytearray()
    for chunk in response.iter_content(_CHUNK):
        body += chunk
        if len(body) > _MAX_ANSWER:
            raise named_error("too_large")
    # Empty lists in lists decode into thirty times their size. Each value is behind one of these.
    if sum(map(body.count, b"[{,")) > _MAX_VALUES:
        raise named_error("too_large")
    return bytes(body)


def _retry_after(headers: Mapping[str, str]) -> float:
    """Seconds for which a server asks for no call (RFC 9110, 10.2.3); 0 where it does not.

    By its own clock, if it sends the time.
    """
    wait = headers.get("retry-after", "").strip()
    if wait.isascii() and wait.isdigit():
        return float(wait)
    with suppress(ValueError, OverflowError, TypeError):  # no date, out of range, no zone
        now = parsedate_to_datetime(headers.get("date") or formatdate(usegmt=True))
        return max(0.0, (parsedate_to_datetime(wait) - now).total_seconds())
    return 0.0


# --- the deadline --------------------------------------------------------------------------------


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
        """Shuts the socket, which wakes any thread that waits for it."""
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
            left = min(int(self._deadline.left * 1000), _MAX_USER_TIMEOUT)
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


class _Adapter(HTTPAdapter):
    """Requests' adapter, with connections under a deadline."""

    def __init__(self, deadline: Deadline) -> None:
        super().__init__()
        self._deadline = deadline

    def get_connection_with_tls_context(
        self, request: Any, verify: Any, proxies: Any = None, cert: Any = None
    ) -> Any:
        """The pool for a request; it is asked for by `send`."""
        pool: Any = super().get_connection_with_tls_context(request, bool(verify), proxies, cert)
        pool.ConnectionCls = DeadlineTlsConnection if pool.scheme == "https" else DeadlineConnection
        pool.conn_kw["deadline"] = self._deadline
        if verify and pool.scheme == "https":
            pool.conn_kw["ssl_context"] = _trusting(verify)
        return pool

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Has requests name no certificates to read again where the connection has its context."""
        if not verify:
            super().cert_verify(conn, url, verify, cert)  # type: ignore[no-untyped-call]


def _trusting(verify: str | Literal[True]) -> ssl.SSLContext:
    """What trusts the certificates of a file or directory, or the usual ones, as they are now.

    They are read once for all connections: that takes as long as all else of a call.

    Raises:
        CallError: They cannot be read.
    """
    bundle = DEFAULT_CA_BUNDLE_PATH if verify is True else verify
    try:
        now = Path(bundle).stat()
        return _context(bundle, now.st_ino, now.st_mtime_ns, now.st_size)
    except OSError as error:
        detail = f"no certificates to trust: {error.strerror}"
    raise named_error("tls", detail=detail)


@lru_cache(maxsize=4)
def _context(bundle: str, *_version: int) -> ssl.SSLContext:
    context = create_urllib3_context()
    where = "capath" if Path(bundle).is_dir() else "cafile"
    context.load_verify_locations(**{where: bundle})
    return context
