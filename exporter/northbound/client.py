"""One account's way to the management system: login, envelope, `call()`; one HTTP request each.

Nothing here retries, waits or logs in by itself: when to call what is the poller's business.
"""

import json
import re
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from functools import cached_property
from typing import Any, NamedTuple
from urllib.parse import urlsplit

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
from exporter.northbound.errors import (
    FAIL_CODES,
    CallError,
    Reaction,
    fail_code_error,
    status_error,
    word_error,
)
from exporter.northbound.fields import text
from exporter.northbound.interfaces import LOGIN
from exporter.northbound.seal import is_seal_of, sealed

_OK = 200
_REDIRECTS = range(300, 400)
_STATUS_STANDS = frozenset({401, 403, 429})  # whatever the body says
_LARGEST_ANSWER = 64 * 1024 * 1024  # bytes, decompressed
_MOST_VALUES = 4_000_000  # of an answer; decoded, each costs up to 70 bytes
_PIECE = 64 * 1024
_LONGEST_MESSAGE = 200  # characters
_LONGEST_INTEGER = 400  # digits; a float ends at 309, and int() refuses from 4300 on
_TOO_OFTEN, _FREQUENCY = "ACCESS_FREQUENCY_IS_TOO_HIGH", 407  # the words sometimes come alone
_NUMERIC = re.compile(r"\s*(-?[0-9]{1,9})(\.0*)?\s*", re.ASCII)

# To a login, both mean that user name or password is wrong.
_REFUSALS = frozenset({"empty", "http_401"})

# What the libraries raise, by the reason it is counted under; anything else is `connection`.
_RAISED: tuple[tuple[type[Exception], str], ...] = (
    (requests.exceptions.Timeout, "timeout"),
    (requests.exceptions.SSLError, "tls"),
    (requests.exceptions.ContentDecodingError, "malformed"),
)


class _Answer(NamedTuple):
    status: int
    token: str | None
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
        try:
            self.call(LOGIN.path, {"userName": self._username, "systemCode": self._password})
        except CallError as failure:
            failure.message = ""  # it may repeat the password
            if failure.reason in _REFUSALS:
                failure.reaction = Reaction.REFUSE_CREDENTIALS
            raise
        if self.token is None:
            raise word_error("no_token", enveloped=True)

    def call(self, path: str, body: Mapping[str, Any]) -> Any:
        """Posts `body` and returns the `data` of the answer's envelope.

        Raises:
            CallError: Whatever went wrong, on the way or in the answer.
        """
        answer = self._exchange(path, body)
        if self.tap is not None:
            self.tap(path, answer.body)
        data = _unwrap(answer)
        self.token = answer.token or self.token
        return data

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
        except Exception as raised:  # noqa: BLE001  # because requests lets strangers through
            failure = word_error(_reason(raised))
            failure.detail = _detail(raised)
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
                raise word_error("redirect")
            if status in _STATUS_STANDS:
                raise status_error(status)
            return _Answer(status, _token(response), _read(response))


def _reason(raised: Exception) -> str:
    return next((word for kind, word in _RAISED if isinstance(raised, kind)), "connection")


def _detail(raised: BaseException | None) -> str:
    """What the system or OpenSSL says at the bottom of it; none of it is from an answer."""
    said = ""
    while raised is not None and not isinstance(raised, CallError):
        said = getattr(raised, "verify_message", "") or getattr(raised, "strerror", "") or said
        raised = raised.__context__
    return said


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
    """The token in the header or, cut as RFC 6265 says (5.2), in the cookie."""
    token = response.headers.get("xsrf-token", "").strip()
    for cookie in response.raw.headers.getlist("set-cookie"):
        name, _, value = cookie.partition(";")[0].partition("=")
        if name.strip().upper() == "XSRF-TOKEN":
            token = token or value.strip().strip('"')
    return token or None


def _unwrap(answer: _Answer) -> Any:
    """The `data` of a successful envelope.

    The envelope is `{success, data, failCode, params, message}`; the reference's own example of a
    failure has the code in `data` and a failCode of 0 (2.2), another one only a message (2.17).
    """
    envelope = _decode(answer.body)
    success, code = envelope.get("success"), _fail_code(envelope)
    if answer.status != _OK:
        if success is False and code is not None and code in FAIL_CODES:
            raise _failure(envelope, code)
        raise status_error(answer.status)
    if not answer.body.strip():
        raise word_error("empty")
    data = envelope.get("data")
    nothing_but_a_code = code in FAIL_CODES and (not data or isinstance(data, str))
    if success is True and not nothing_but_a_code:
        return data
    raise _failure(envelope, code)


def _failure(envelope: Mapping[str, Any], code: int | None) -> CallError:
    message = " ".join(text(envelope.get("message"), _LONGEST_MESSAGE).split())
    if code is not None:
        failure = fail_code_error(code)
    elif envelope.get("success") is False and message:
        failure = word_error("refused", enveloped=True)
    else:
        failure = word_error("malformed")
    failure.message = message
    return failure


def _decode(body: bytes) -> dict[str, Any]:
    """The JSON object in a body, whatever type the headers call it; empty if there is none."""
    with suppress(ValueError, RecursionError):
        decoded = json.loads(body, parse_int=_integer)
        if isinstance(decoded, dict):
            return decoded
    return {}


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else float(digits)


def _fail_code(envelope: Mapping[str, Any]) -> int | None:
    data = envelope.get("data")
    code = _number(envelope.get("failCode")) or _number(data)
    if code is None and any(
        isinstance(said, str) and _TOO_OFTEN in said for said in (data, envelope.get("message"))
    ):
        return _FREQUENCY
    return code


def _number(raw: object) -> int | None:
    """A whole number other than 0, which as a failCode stands for none."""
    match raw:
        case bool():
            return None
        case int() | float() if raw == raw // 1:
            return int(raw) or None
        case str() if found := _NUMERIC.fullmatch(raw):
            return int(found[1]) or None
        case _:
            return None


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
