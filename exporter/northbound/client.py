"""One account's way to the management system: login, envelope, `call()`; one HTTP request each.

Nothing here retries, waits or logs in by itself: when to call what is the poller's business.
"""

import re
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from email.utils import formatdate, parsedate_to_datetime
from functools import cached_property
from http.client import BadStatusLine, HTTPException
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.exceptions import InsecureRequestWarning

from exporter import NAME
from exporter.northbound.deadline import (
    Deadline,
    DeadlineConnection,
    DeadlineTlsConnection,
)
from exporter.northbound.envelope import data_of
from exporter.northbound.errors import (
    CallError,
    data_error,
    login_error,
    word_error,
)
from exporter.northbound.interfaces import LOGIN
from exporter.northbound.seal import is_seal_of, sealed

_REDIRECTS = range(300, 400)
_LARGEST_ANSWER = 64 * 1024 * 1024  # bytes, decompressed
_MOST_VALUES = 4_000_000  # of an answer; decoded, each costs up to 70 bytes
_PIECE = 64 * 1024
_BAD_REQUEST = 400
_PORTS = {"http": 80, "https": 443}
_LONGEST_HOST = 253
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
# here is a bug of ours.
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


class _Answer(NamedTuple):
    status: int
    token: str | None
    retry_after: float
    body: bytes


class Client:
    """One account's session.

    Args:
        base_url: Scheme, host, perhaps a port and a path prefix.
        username: Of the northbound account.
        password: Its `systemCode`.
        timeout: Seconds for a whole exchange, from the connection to the last byte.
        ca_file: Certificates to trust instead of the usual ones.
        verify: Whether the server's certificate is checked at all.

    Attributes:
        token: The session's XSRF token, or None before a login.
        tap: Where given, it is shown the path and the body of each answer as received.
    """

    def __init__(  # noqa: PLR0913  # because an account has that many settings
        self,
        base_url: str,
        username: str,
        password: str,
        *,
        timeout: float,
        ca_file: str | None = None,
        verify: bool = True,
    ) -> None:
        self.token: str | None = None
        self.tap: Callable[[str, bytes], None] | None = None
        self._base_url = base_url.rstrip("/")
        self._username = username
        self._password = password
        self._timeout = timeout
        self._verify: str | bool = (ca_file or True) if verify else False
        if not verify:  # the owner has decided; a warning a call would only hide others
            urllib3.disable_warnings(InsecureRequestWarning)

    def __repr__(self) -> str:
        address = urlsplit(self._base_url)
        host = address.netloc.rpartition("@")[2]
        return f"Client({address.scheme}://{host}{address.path}, {self._username})"

    @cached_property
    def seal(self) -> str:
        """A slow, salted digest, which tells the password from others later."""
        return sealed(self._password)

    def is_sealed(self, seal: str) -> bool:
        """Whether it was this password that was sealed."""
        return is_seal_of(seal, self._password)

    def login(self) -> None:
        """Opens a session (reference 2.1); the one before it, of whatever program, ends.

        Raises:
            CallError: The login failed; the client has no token then.
        """
        self.forget()
        failure: CallError | None = None
        try:
            self._call(LOGIN.path, {"userName": self._username, "systemCode": self._password})
        except CallError as raised:
            raised.message = ""  # it may repeat the password
            failure = login_error(raised)
        else:
            if self.token is None:
                failure = word_error("no_token", enveloped=True)
        if failure is not None:
            self.forget()  # a refusal may come with a token
            raise failure

    def call(self, path: str, body: Mapping[str, Any]) -> Any:
        """Posts `body` and returns the `data` of the answer's envelope.

        Raises:
            CallError: Whatever went wrong, on the way or in the answer.
        """
        try:
            return self._call(path, body)
        except CallError as failure:
            raise data_error(failure) from None

    def _call(self, path: str, body: Mapping[str, Any]) -> Any:
        answer = self._exchange(path, body)
        if self.tap is not None:
            self.tap(path, answer.body)
        self.token = answer.token or self.token  # a refusal may bring the next one, too
        try:
            return data_of(answer.status, answer.body)
        except CallError as failure:
            failure.retry_after = answer.retry_after
            raise

    def forget(self) -> None:
        """Drops the session's token."""
        self.token = None

    def _exchange(self, path: str, body: Mapping[str, Any]) -> _Answer:
        # A failure is raised outside of `except`: the library's own exception, which holds the
        # request with its secrets, must not hang on it as its context.
        deadline = Deadline(self._timeout)
        failure: CallError | None = None
        try:
            with deadline:
                answer = self._send(path, body, deadline)
        except CallError as raised:
            failure = raised
        except _TRANSPORT as raised:
            failure = word_error(_reason(raised))
            failure.detail = _detail(raised)
        except Exception:
            if not deadline.passed:  # else the library stumbled over the socket that was cut
                raise
        if deadline.passed:
            failure = word_error("timeout")
        if failure is not None:
            raise failure
        return answer

    def _send(self, path: str, body: Mapping[str, Any], deadline: Deadline) -> _Answer:
        """One request on a connection of its own.

        With calls seconds or minutes apart, a kept connection would mostly be one that the server
        is about to drop. Without requests' session there is also no .netrc, no cookie jar, and
        nobody who reads the body of a redirect.
        """
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "Connection": "close",
            "User-Agent": NAME,
        }
        if self.token is not None:
            headers |= {"XSRF-TOKEN": self.token, "Cookie": f"XSRF-TOKEN={self.token}"}
        if isinstance(self._verify, str) and Path(self._verify).is_fifo():
            # Nobody might ever write to it, and no deadline ends OpenSSL's reading.
            failure = word_error("tls")
            failure.detail = "ca_file is a pipe"
            raise failure
        url = self._base_url + path
        request = requests.Request("POST", url, headers=headers, json=body).prepare()
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
                failure = word_error("redirect")
                failure.detail = _elsewhere(url, response.headers.get("location", ""))
                raise failure
            answer = _Answer(status, _token(response), _retry_after(response), _read(response))
            if status == _BAD_REQUEST and _TLS_WANTED.search(answer.body):
                raise word_error("only_tls")
            return answer


def _elsewhere(url: str, location: str) -> str:
    """Where a redirect points to: scheme, host and port, and nothing else, which may be secret."""
    if not location:
        return ""
    with suppress(ValueError):
        here, there = urlsplit(url), urlsplit(urljoin(url, location))
        host = there.hostname or ""
        if (there.scheme, there.netloc) == (here.scheme, here.netloc):
            return "to another path of the same host"
        if there.scheme in _PORTS and len(host) <= _LONGEST_HOST and _HOST.fullmatch(host):
            port = f":{there.port}" if there.port not in (None, _PORTS[there.scheme]) else ""
            return f"to {there.scheme}://{f'[{host}]' if ':' in host else host}{port}"
    return ""


def _reason(raised: Exception) -> str:
    for cause in _causes(raised):
        if isinstance(cause, ssl.SSLError) and cause.reason in _NO_TLS:
            return "no_tls"
        if isinstance(cause, BadStatusLine) and str(cause).startswith(_TLS_ALERT):
            return "only_tls"
    return next(word for kind, word in _RAISED if isinstance(raised, kind))


def _detail(raised: Exception) -> str:
    """What the system or OpenSSL says at the bottom of it; none of it is from an answer."""
    said = ""
    for cause in _causes(raised):
        said = getattr(cause, "verify_message", "") or getattr(cause, "strerror", "") or said
    return said


def _causes(raised: BaseException | None) -> Iterator[BaseException]:
    """An exception, and those in whose handling it was raised."""
    while raised is not None and not isinstance(raised, CallError):
        yield raised
        raised = raised.__context__


def _read(response: requests.Response) -> bytes:
    body = bytearray()
    for piece in response.iter_content(_PIECE):
        body += piece
        if len(body) > _LARGEST_ANSWER:
            raise word_error("too_large")
    # Empty lists in lists decode into thirty times their size. Each value is behind one of these.
    if sum(map(body.count, b"[{,")) > _MOST_VALUES:
        raise word_error("too_large")
    return bytes(body)


def _token(response: requests.Response) -> str | None:
    """The last token in a header or, cut as RFC 6265 says (5.2), in a cookie."""
    headers = response.raw.headers
    cookies = (cookie.partition(";")[0].partition("=") for cookie in headers.getlist("set-cookie"))
    found = [
        *(value.strip().strip('"') for name, _, value in cookies if _is_token(name)),
        *(header.strip() for header in headers.getlist("xsrf-token")),
    ]
    return next((token for token in reversed(found) if token), None)


def _is_token(cookie: str) -> bool:
    return cookie.strip().upper() == "XSRF-TOKEN"


def _retry_after(response: requests.Response) -> float:
    """Seconds that the server asks to be left alone (RFC 9110, 10.2.3); 0 where it does not."""
    asked = response.headers.get("retry-after", "").strip()
    if asked.isascii() and asked.isdigit():
        return float(asked)
    with suppress(ValueError, OverflowError, TypeError):  # no date, none of this world, no zone
        until = parsedate_to_datetime(asked)
        # By the server's own clock, where it tells the time.
        now = parsedate_to_datetime(response.headers.get("date") or formatdate(usegmt=True))
        return max(0.0, (until - now).total_seconds())
    return 0.0


class _Adapter(HTTPAdapter):
    """Requests' adapter, with connections under a deadline."""

    def __init__(self, deadline: Deadline) -> None:
        super().__init__()
        self._deadline = deadline

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        """The pool for a request; it is asked for by `send`."""
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = DeadlineTlsConnection if pool.scheme == "https" else DeadlineConnection
        pool.conn_kw["deadline"] = self._deadline
        return pool
