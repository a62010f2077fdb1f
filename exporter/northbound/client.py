"""One account's session with the management system: `login()` and `call()`, one HTTP request each.

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
from exporter.northbound.deadline import Deadline, DeadlineConnection, DeadlineTlsConnection
from exporter.northbound.envelope import data_of
from exporter.northbound.errors import CallError, data_error, login_error, named_error
from exporter.northbound.fingerprint import fingerprint_of, is_fingerprint_of
from exporter.northbound.interfaces import LOGIN

_REDIRECTS = range(300, 400)
_LARGEST_ANSWER = 64 * 1024 * 1024  # bytes, decompressed
_MOST_VALUES = 4_000_000  # of an answer; decoded, each costs up to 70 bytes
_CHUNK = 64 * 1024
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


class _Response(NamedTuple):
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
        on_response: Where set, it is called with the path and the body of each answer as received.
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
        self.on_response: Callable[[str, bytes], None] | None = None
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
    def password_fingerprint(self) -> str:
        """A slow, salted digest, by which the password is recognised later."""
        return fingerprint_of(self._password)

    def has_password(self, fingerprint: str) -> bool:
        """Whether the fingerprint is that of this client's password."""
        return is_fingerprint_of(fingerprint, self._password)

    def login(self) -> None:
        """Opens a session (reference 2.1); the one before it, of whatever program, ends.

        Raises:
            CallError: The login failed; the client has no token then.
        """
        self.drop_token()
        try:
            self._call(LOGIN.path, {"userName": self._username, "systemCode": self._password})
        except CallError as raised:
            error = login_error(raised)
        else:
            if self.token is not None:
                return
            error = named_error("no_token", enveloped=True)
        self.drop_token()  # a refusal may come with a token
        raise error

    def call(self, path: str, body: Mapping[str, Any]) -> Any:
        """Posts `body` and returns the `data` of the answer's envelope.

        Raises:
            CallError: Whatever went wrong, on the way or in the answer.
        """
        try:
            return self._call(path, body)
        except CallError as raised:
            error = data_error(raised)
        raise error  # outside of `except`: it has no other one as its context

    def _call(self, path: str, body: Mapping[str, Any]) -> Any:
        response = self._exchange(path, body)
        if self.on_response is not None:
            self.on_response(path, response.body)
        self.token = response.token or self.token  # a refusal may bring the next one, too
        return data_of(response.status, response.body, response.retry_after)

    def drop_token(self) -> None:
        """Drops the session's token."""
        self.token = None

    def _exchange(self, path: str, body: Mapping[str, Any]) -> _Response:
        # An error is raised outside of `except`: the library's own exception, which holds the
        # request with its secrets, must not be its context.
        deadline = Deadline(self._timeout)
        error: CallError | None = None
        try:
            with deadline:
                response = self._send(path, body, deadline)
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

    def _send(self, path: str, body: Mapping[str, Any], deadline: Deadline) -> _Response:
        """One request on a connection of its own.

        With calls seconds or minutes apart, a kept connection would mostly be one that the server
        is about to drop. Without requests' session there is also no .netrc, no cookie jar, and
        no reading of a redirect's body.
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
            raise named_error("tls", detail="ca_file is a pipe")
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
                location = response.headers.get("location", "")
                raise named_error("redirect", detail=_redirect_target(url, location))
            content = _read(response)
            if status == _BAD_REQUEST and _TLS_WANTED.search(content):
                raise named_error("only_tls")
            return _Response(status, _token(response), _retry_after(response), content)


def _redirect_target(url: str, location: str) -> str:
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
        if len(body) > _LARGEST_ANSWER:
            raise named_error("too_large")
    # Empty lists in lists decode into thirty times their size. Each value is behind one of these.
    if sum(map(body.count, b"[{,")) > _MOST_VALUES:
        raise named_error("too_large")
    return bytes(body)


def _token(response: requests.Response) -> str | None:
    """The last token in a header or, cut as RFC 6265 says (5.2), in a cookie."""
    headers = response.raw.headers
    cookies = (cookie.partition(";")[0].partition("=") for cookie in headers.getlist("set-cookie"))
    tokens = [
        *(
            value.strip().strip('"')
            for name, _, value in cookies
            if name.strip().upper() == "XSRF-TOKEN"
        ),
        *(header.strip() for header in headers.getlist("xsrf-token")),
    ]
    return next((token for token in reversed(tokens) if token), None)


def _retry_after(response: requests.Response) -> float:
    """Seconds for which the server asks for no call (RFC 9110, 10.2.3); 0 where it does not."""
    wait = response.headers.get("retry-after", "").strip()
    if wait.isascii() and wait.isdigit():
        return float(wait)
    with suppress(ValueError, OverflowError, TypeError):  # no date, out of range, no zone
        until = parsedate_to_datetime(wait)
        # By the server's own clock, where it sends the time.
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
