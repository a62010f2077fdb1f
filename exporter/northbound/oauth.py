"""The session of an OAuth client ("Connect", servers since 24.4): a bearer token in each call.

The owner of the plants authorises the client once; what is kept of that is a refresh token. It is
exchanged for access tokens, each good for an hour, and mostly for one refresh token more, which
alone is valid then (RFC 6749). So the next one is kept before anything is done with what came with
it.
"""

import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from exporter.northbound.client import Session, decode_object
from exporter.northbound.data_items import parse_number, parse_text
from exporter.northbound.errors import (
    TOKEN_REFUSALS,
    CallError,
    Reaction,
    login_error,
    named_error,
    status_error,
)
from exporter.northbound.transport import Response, Transport

_OK = 200
_REFUSED = frozenset({400, 401})  # RFC 6749, 5.2
_NAMED = frozenset({_OK, 403})  # which some servers choose for a refusal, and then name it
_LIFETIME = 3600.0  # seconds of an access token, where the server tells none
_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")  # what fits into a header (RFC 6749, A.12)


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a token endpoint gives: `refresh` is None where the one before stays valid.

    `access` is None where it cannot be used, and there is a refresh token all the same to be kept.
    """

    access: str | None = field(repr=False)
    refresh: str | None = field(repr=False)
    lifetime: float


class TokenEndpoint:
    """The server that gives tokens to a client: another one than answers its calls."""

    def __init__(self, url: str, client_id: str, client_secret: str, transport: Transport) -> None:
        self.client_id = client_id
        self.client_secret = client_secret
        self._url = url
        self._transport = transport

    def exchange(self, code: str, redirect_uri: str) -> Tokens:
        """The first tokens, for the code that an authorisation brought (RFC 6749, 4.1.3).

        Raises:
            CallError: There are none.
        """
        return self._ask(grant_type="authorization_code", code=code, redirect_uri=redirect_uri)

    def refresh(self, token: str) -> Tokens:
        """The next tokens, for a refresh token (RFC 6749, 6).

        Raises:
            CallError: There are none.
        """
        return self._ask(grant_type="refresh_token", refresh_token=token)

    def permit(self, may_send: Callable[[], bool]) -> None:
        """Has it asked, right before a request is sent, whether it may be."""
        self._transport.may_send = may_send

    def _ask(self, **grant: str) -> Tokens:
        form = {**grant, "client_id": self.client_id, "client_secret": self.client_secret}
        response = self._post(form)
        answer = decode_object(response.body)
        if error := _error_of(response, answer):
            raise CallError(replace(error.failure, retry_after=response.retry_after))
        access, refresh = (_token(answer, name) for name in ("access_token", "refresh_token"))
        if access is None and refresh is None:
            raise named_error("no_token" if answer else "malformed")
        expires_in = parse_number(answer.get("expires_in"))
        if not isinstance(expires_in, float) or expires_in <= 0:
            expires_in = _LIFETIME
        return Tokens(access, refresh, expires_in)

    def _post(self, form: Mapping[str, str]) -> Response:
        try:
            return self._transport.post(self._url, {}, data=form)
        except CallError as raised:
            meaning = raised.meaning.replace("base_url", "token_url")
            error = CallError(replace(raised.failure, meaning=meaning))
        raise error  # outside of `except`: it has no other one as its context


def _error_of(response: Response, answer: Mapping[str, Any]) -> CallError | None:
    reason = parse_text(answer.get("error"))
    is_named = reason in TOKEN_REFUSALS
    if response.status in _REFUSED or (response.status in _NAMED and is_named):
        return named_error(reason if is_named else "token_refused", enveloped=True)
    if response.status == _OK:
        return None
    error = status_error(response.status)
    if error.reaction is Reaction.PAUSE:  # which is for the host that answers calls
        return CallError(replace(error.failure, reaction=Reaction.BACK_OFF))
    return error


def _token(answer: Mapping[str, Any], name: str) -> str | None:
    token = answer.get(name)
    return token if isinstance(token, str) and _TOKEN.fullmatch(token) else None


class RefreshTokens(Protocol):
    """Where an account's refresh token is kept; each method may raise OSError."""

    @property
    def is_unsaved(self) -> bool:
        """Whether there is one that could not be written yet."""
        ...

    def locked(self) -> AbstractContextManager[None]:
        """While it is held, no other process uses the token; BlockingIOError if one does."""
        ...

    def read(self) -> str | None:
        """The newest; None where there is none."""
        ...

    def write(self, token: str) -> None:
        """Keeps one in the place of all before; it outlives whatever happens from then on."""
        ...


class OAuthClient(Session):
    """One account's session; its token is the access token.

    Args:
        base_url: Scheme, host, perhaps a port and a path prefix.
        endpoint: Where its tokens come from.
        refresh_tokens: Where its refresh token is kept.
        transport: The way to the management system.
    """

    def __init__(
        self,
        base_url: str,
        endpoint: TokenEndpoint,
        refresh_tokens: RefreshTokens,
        transport: Transport,
    ) -> None:
        super().__init__(base_url, endpoint.client_id, transport)
        self._endpoint = endpoint
        self._refresh_tokens = refresh_tokens
        self._tried: str | None = None  # the credentials of the last login

    def permit(self, may_send: Callable[[], bool]) -> None:
        """Has it asked, right before a request is sent, whether it may be; to either server."""
        super().permit(may_send)
        self._endpoint.permit(may_send)

    def login(self) -> float:
        """Obtains an access token with the refresh token; the one before it may end."""
        self.drop_token()
        try:
            tokens = self._refresh()
        except CallError as raised:
            error = login_error(raised)
        except BlockingIOError:
            error = named_error("refresh_token_busy")
        except OSError as raised:
            reason = (
                "refresh_token_unsaved" if self._refresh_tokens.is_unsaved else "refresh_token_file"
            )
            error = named_error(reason, detail=raised.strerror or "")
        else:
            self.token = tokens.access
            return tokens.lifetime
        raise error  # outside of `except`: it has no other one as its context

    def _refresh(self) -> Tokens:
        with self._refresh_tokens.locked():
            token = self._refresh_tokens.read()
            self._tried = self._with_client(token)
            if token is None:
                raise named_error("no_refresh_token")
            # Whether the next one can be kept is tried before this one is spent for it.
            self._refresh_tokens.write(token)
            tokens = self._endpoint.refresh(token)
            if tokens.refresh is not None and tokens.refresh != token:
                self._refresh_tokens.write(tokens.refresh)
        if tokens.access is None:
            raise named_error("no_token")
        return tokens

    def _headers(self) -> Mapping[str, str]:
        # Alone: with an XSRF token besides, in a header or a cookie, servers answer 305.
        return {} if self.token is None else {"Authorization": f"Bearer {self.token}"}

    def _update_session(self, response: Response) -> None:
        """Takes nothing: only the token endpoint gives tokens."""

    def _credentials(self) -> str:
        try:
            return self._with_client(self._refresh_tokens.read())
        except OSError:  # while they cannot be read, they count as the same
            return self._tried or self._with_client(None)

    def _used_credentials(self) -> str:
        return self._tried or self._credentials()

    def _with_client(self, token: str | None) -> str:
        return "\n".join((self._endpoint.client_id, self._endpoint.client_secret, token or ""))
