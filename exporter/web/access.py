"""Access to all pages: the rate limit, passwords, and headers of every response."""

import asyncio
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ssl import SSLContext

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from exporter import NAME
from exporter.web.passwords import BusyError, Passwords

CHALLENGE = {"WWW-Authenticate": f'Basic realm="{NAME}", charset="UTF-8"'}


@dataclass(frozen=True, slots=True)
class AccessRules:
    """What clients must fulfil; the defaults admit all over plain HTTP.

    `tls` is None for plain HTTP; `client_names` are the alternative names of which a client's
    certificate must hold one (empty: any); `headers` go with every response; `users` maps a name to
    its bcrypt hash (empty: no password is asked for). One more request is answered every `interval`
    seconds (0: no limit), and `burst` of them at once.
    """

    tls: SSLContext | None = None
    client_names: frozenset[str] = frozenset()
    headers: Mapping[str, str] = field(default_factory=dict)
    users: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    interval: float = 0.0
    burst: int = 0


class AccessControl:
    """Passes those requests on to the application that the rules allow."""

    def __init__(self, app: ASGIApp, rules: Callable[[], AccessRules]) -> None:
        self._app = app
        self._rules = rules
        self._passwords = Passwords()
        self._bucket: TokenBucket | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        rules = self._rules()

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(rules.headers)
            await send(message)

        answer = await self._refusal(rules, Headers(scope=scope)) or self._app
        await answer(scope, receive, send_with_headers)

    async def _refusal(self, rules: AccessRules, headers: Headers) -> Response | None:
        if not self._within_rate(rules):
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

    def _within_rate(self, rules: AccessRules) -> bool:
        if not rules.interval:
            self._bucket = None
            return True
        now = asyncio.get_running_loop().time()
        bucket = self._bucket
        if bucket is None or (bucket.interval, bucket.burst) != (rules.interval, rules.burst):
            bucket = self._bucket = TokenBucket(rules.interval, rules.burst, rules.burst, now)
        return bucket.take(now)


@dataclass(slots=True)
class TokenBucket:
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
