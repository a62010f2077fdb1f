"""What stands before every answer: the rate limit, the password, the headers."""

import asyncio
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ssl import SSLContext
from typing import Protocol

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from exporter import NAME
from exporter.web.passwords import BusyError, Passwords

CHALLENGE = {"WWW-Authenticate": f'Basic realm="{NAME}", charset="UTF-8"'}


class Rules(Protocol):
    """How strangers are met, as the web configuration says it at the moment."""

    @property
    def tls(self) -> SSLContext | None:
        """What encrypts; None for plain HTTP."""

    @property
    def client_names(self) -> frozenset[str]:
        """Alternative names of which a client's certificate must hold one; empty: any will do."""

    @property
    def headers(self) -> Mapping[str, str]:
        """What every answer carries."""

    @property
    def users(self) -> Mapping[str, bytes]:
        """Name and bcrypt hash of those who may ask; empty: everybody may."""

    @property
    def interval(self) -> float:
        """Seconds after which one more request is answered; 0: no limit."""

    @property
    def burst(self) -> int:
        """How many requests may come at once."""


class Guard:
    """Lets those requests through to the application that the rules allow."""

    def __init__(self, app: ASGIApp, rules: Callable[[], Rules]) -> None:
        self._app = app
        self._rules = rules
        self._passwords = Passwords()
        self._bucket: Bucket | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        rules = self._rules()

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(rules.headers)
            await send(message)

        answer = await self._refusal(rules, Headers(scope=scope)) or self._app
        await answer(scope, receive, send_with_headers)

    async def _refusal(self, rules: Rules, headers: Headers) -> Response | None:
        if not self._is_in_time(rules):
            return PlainTextResponse("Too many requests.\n", status_code=429)
        if not rules.users:
            return None
        credentials = _credentials(headers.get("authorization", ""))
        try:
            if credentials and await self._passwords.match(rules.users, *credentials):
                return None
        except BusyError:
            return PlainTextResponse(
                "Too many passwords are being checked.\n",
                status_code=503,
                headers={"Retry-After": "1"},
            )
        return PlainTextResponse("Unauthorized.\n", status_code=401, headers=CHALLENGE)

    def _is_in_time(self, rules: Rules) -> bool:
        if not rules.interval:
            self._bucket = None
            return True
        now = asyncio.get_running_loop().time()
        bucket = self._bucket
        if bucket is None or (bucket.interval, bucket.burst) != (rules.interval, rules.burst):
            bucket = self._bucket = Bucket(rules.interval, rules.burst, rules.burst, now)
        return bucket.take(now)


@dataclass(slots=True)
class Bucket:
    """A token bucket: `burst` tokens at most, one more every `interval` seconds."""

    interval: float
    burst: int
    tokens: float
    filled: float

    def take(self, now: float) -> bool:
        """Takes a token where there is one."""
        self.tokens = min(self.burst, self.tokens + (now - self.filled) / self.interval)
        self.filled = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


def _credentials(header: str) -> tuple[str, bytes] | None:
    """User and password of an Authorization header (RFC 7617); None where it has none."""
    scheme, _, text = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = b64decode(text.strip(), validate=True).partition(b":")
        return (user.decode(), password) if colon else None
    except ValueError:
        return None
