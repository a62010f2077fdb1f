"""One account's session with the management system, however it signs in: one HTTP request a call.

Nothing here retries, waits or logs in by itself: when to call what is the poller's business.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from exporter.northbound.envelope import data_of
from exporter.northbound.errors import CallError, data_error
from exporter.northbound.fingerprint import fingerprint_of, is_fingerprint_of
from exporter.northbound.transport import Response, Transport


class Session(ABC):
    """One account's session.

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
        self._fingerprint_of = lru_cache(maxsize=1)(fingerprint_of)
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
        self._answered(response)
        return data_of(response.status, response.body, response.retry_after)

    @abstractmethod
    def _headers(self) -> Mapping[str, str]:
        """What proves the session in a call."""

    @abstractmethod
    def _answered(self, response: Response) -> None:
        """Takes from an answer, or a refusal, what the session goes on with."""

    @abstractmethod
    def _credentials(self) -> str:
        """What the next login is made with, as one text."""

    @abstractmethod
    def _used_credentials(self) -> str:
        """What the last login was made with."""
