"""One account's session with the management system: one HTTP request a call.

Nothing here retries, waits or logs in by itself: when to call what is the poller's business.
"""

import hmac
import json
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from hashlib import pbkdf2_hmac
from math import inf
from typing import Any
from urllib.parse import urlsplit

from exporter.northbound.data_items import parse_int, parse_text
from exporter.northbound.errors import (
    FAIL_CODES,
    CallError,
    data_error,
    fail_code_error,
    login_error,
    named_error,
    status_error,
)
from exporter.northbound.interfaces import LOGIN
from exporter.northbound.transport import Response, Transport

_DIGEST_ROUNDS = 600_000  # a quarter of a second, for those who would guess
_SALT_SIZE = 16  # bytes


class Session(ABC):
    """One account's session, however it signs in.

    Args:
        base_url: Scheme, host, perhaps a port and a path prefix.
        username: Who signs in.
        transport: The way to the server.

    Attributes:
        token: What proves the session, or None before a login.
        on_response: Where set, it is called with the path and the body of each answer as received.
    """

    def __init__(self, base_url: str, username: str, transport: Transport) -> None:
        self.token: str | None = None
        self.on_response: Callable[[str, bytes], None] | None = None
        self._base_url = base_url.rstrip("/")
        self._username = username
        self._transport = transport
        # Both are slow, and asked again and again about the same.
        self._fingerprint_of = lru_cache(maxsize=1)(_fingerprint_of)
        self._is_fingerprint_of = lru_cache(maxsize=1)(is_fingerprint_of)

    def __repr__(self) -> str:
        address = urlsplit(self._base_url)
        host = address.netloc.rpartition("@")[2]
        place = f"{address.scheme}://{host}{address.path}"
        return f"{type(self).__name__}({place}, {self._username})"

    @property
    def fingerprint(self) -> str:
        """A slow, salted digest of the credentials, by which they are recognised later.

        Of those that the last login was made with, should there be others by now.
        """
        return self._fingerprint_of(self._used_credentials())

    def has_credentials(self, fingerprint: str) -> bool:
        """Whether the fingerprint is that of the credentials for the next login."""
        return self._is_fingerprint_of(fingerprint, self._credentials())

    def permit(self, may_send: Callable[[], bool]) -> None:
        """Has it asked, right before a request is sent, whether it may be.

        If not, the call ends with a NotSentError.
        """
        self._transport.may_send = may_send

    @abstractmethod
    def login(self) -> float:
        """Opens a session; returns for how many seconds it is good, inf where that is not told.

        Raises:
            CallError: The login failed; there is no token then.
        """

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

    def drop_token(self) -> None:
        """Drops the session's token."""
        self.token = None

    def _call(self, path: str, body: Mapping[str, Any]) -> Any:
        response = self._transport.post(self._base_url + path, self._headers(), json=body)
        if self.on_response is not None:
            self.on_response(path, response.body)
        self._update_session(response)
        return data_of(response.status, response.body, response.retry_after)

    @abstractmethod
    def _headers(self) -> Mapping[str, str]:
        """What proves the session in a call."""

    @abstractmethod
    def _update_session(self, response: Response) -> None:
        """Takes over the session's next token from an answer or a refusal."""

    @abstractmethod
    def _credentials(self) -> str:
        """What the next login is made with, as one text."""

    @abstractmethod
    def _used_credentials(self) -> str:
        """What the last login was made with."""


class Client(Session):
    """The session of an API account: a login with its password, then the server's XSRF token.

    Args:
        base_url: Scheme, host, perhaps a port and a path prefix.
        username: Of the northbound account.
        password: Its `systemCode`.
        timeout: Seconds for a whole exchange, from the connection to the last byte.
        ca_file: Certificates to trust instead of the usual ones.
        verify: Whether the server's certificate is checked at all.
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
        super().__init__(base_url, username, Transport(timeout, ca_file=ca_file, verify=verify))
        self._password = password

    def login(self) -> float:
        """Opens a session (reference 2.1); the one before it, of whatever program, ends.

        How long it lasts is not told, since each call extends it.
        """
        self.drop_token()
        try:
            self._call(LOGIN.path, {"userName": self._username, "systemCode": self._password})
        except CallError as raised:
            error = login_error(raised)
        else:
            if self.token is not None:
                return inf
            error = named_error("no_token", enveloped=True)
        self.drop_token()  # a refusal may come with a token
        raise error

    def _headers(self) -> Mapping[str, str]:
        if self.token is None:
            return {}
        return {"XSRF-TOKEN": self.token, "Cookie": f"XSRF-TOKEN={self.token}"}

    def _update_session(self, response: Response) -> None:
        self.token = _token(response) or self.token  # a refusal may bring the next one, too

    def _credentials(self) -> str:
        return self._password

    def _used_credentials(self) -> str:
        return self._password


def _token(response: Response) -> str | None:
    """The last token in a header or, cut as RFC 6265 says (5.2), in a cookie."""
    headers = response.headers
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


# --- the envelope {success, data, failCode, params, message}, and failures in whatever form ------
#
# The reference's own example of a failure has the code in `data` and a failCode of 0 (2.2), another
# one only a message (2.17); newer servers and gateways have more ways.

_OK = 200
_BAD_REQUEST = 400
_STATUS_STANDS = frozenset({401, 403, 429})  # whatever else the body says
# How a gateway in front of the interface tells, with HTTP 400, what it does not take.
_GATEWAY_EXCEPTION = "ROA_"
_SESSION_CODES = frozenset({305, 306, 307})
_MAX_MESSAGE = 200  # characters
_MAX_INTEGER_DIGITS = 400  # digits; a float ends at 309, and int() refuses from 4300 on
# Words that count like their failCode, without which they sometimes come, anywhere in a failure.
_CODE_WORDS = {b"ACCESS_FREQUENCY_IS_TOO_HIGH": 407, b"USER_MUST_RELOGIN": 305}
_SEARCHED = 4096  # bytes of a failure's body; longer ones are pages for people


def data_of(status: int, body: bytes, retry_after: float = 0.0) -> Any:
    """The `data` of a successful envelope, from an answer's HTTP status and body.

    Raises:
        CallError: The call failed, or this is no envelope; it carries `retry_after`.
    """
    envelope = decode_object(body)
    error = _error_of(status, body, envelope)
    if error is not None:
        raise CallError(replace(error.failure, retry_after=retry_after))
    return envelope.get("data")


def _error_of(status: int, body: bytes, envelope: Mapping[str, Any]) -> CallError | None:
    success, data = envelope.get("success"), envelope.get("data")
    has_data = success is True and bool(data) and not isinstance(data, str)
    text_code = None if has_data else _text_code(body)
    code = text_code or _fail_code(envelope)
    if status != _OK:
        is_failure = success is False or text_code is not None
        # The end of a session says more than any status, and a refusal by code more than most.
        known = _SESSION_CODES if status in _STATUS_STANDS else FAIL_CODES
        refusal = status == _BAD_REQUEST and success is False and code is not None
        if (is_failure and code in known) or refusal:
            return _error(envelope, code)
        kind = parse_text(envelope.get("exceptionType"))
        if status == _BAD_REQUEST and kind.startswith(_GATEWAY_EXCEPTION):
            return _bad_parameters(envelope)
        return status_error(status)
    if not body.strip():
        return named_error("empty")
    if success is True and (has_data or code not in FAIL_CODES):
        return None
    return _error(envelope, code)


def _text_code(body: bytes) -> int | None:
    """The failCode that a failure spells in words, in whatever field or form."""
    text = body[:_SEARCHED].replace(b"\0", b"").upper()  # as UTF-16, too
    return next((code for words, code in _CODE_WORDS.items() if words in text), None)


def _error(envelope: Mapping[str, Any], code: int | None) -> CallError:
    error = named_error("malformed") if code is None else fail_code_error(code)
    if error.reason == "malformed" and envelope.get("success") is False:
        error = named_error("refused", enveloped=True)
    message = " ".join(parse_text(envelope.get("message"), _MAX_MESSAGE).split())
    return CallError(replace(error.failure, message=message))


def _bad_parameters(envelope: Mapping[str, Any]) -> CallError:
    error = named_error("bad_parameters", enveloped=True)
    message = parse_text(envelope.get("exceptionId"), _MAX_MESSAGE)
    return CallError(replace(error.failure, message=message))


def decode_object(body: bytes) -> dict[str, Any]:
    """The JSON object in a body, whatever type the headers call it; empty if there is none."""
    with suppress(ValueError, RecursionError):
        decoded = json.loads(body, parse_int=_integer)
        if isinstance(decoded, dict):
            return decoded
    return {}


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MAX_INTEGER_DIGITS else float(digits)


def _fail_code(envelope: Mapping[str, Any]) -> int | None:
    """The failCode, wherever the answer has it; 0 means none."""
    codes = (parse_int(envelope.get(key)) for key in ("failCode", "data"))
    return next(filter(None, codes), None)


# --- fingerprints --------------------------------------------------------------------------------


def _fingerprint_of(password: str) -> str:
    """A salted digest of the password, slow to make; another one each time."""
    return _digest(password, os.urandom(_SALT_SIZE))


def is_fingerprint_of(fingerprint: str, password: str) -> bool:
    """Whether the fingerprint was made of this password."""
    try:
        salt = bytes.fromhex(fingerprint[: 2 * _SALT_SIZE])
    except ValueError:
        return False
    return hmac.compare_digest(_digest(password, salt).encode(), fingerprint.encode())


def _digest(password: str, salt: bytes) -> str:
    digest = pbkdf2_hmac("sha256", password.encode(errors="surrogatepass"), salt, _DIGEST_ROUNDS)
    return salt.hex() + digest.hex()
