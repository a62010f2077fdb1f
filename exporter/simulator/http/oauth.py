"""Sign-in by OAuth: what an owner authorises, and the codes and tokens that follow (RFC 6749)."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from urllib.parse import parse_qs, urlencode

from exporter.northbound.interfaces import MINUTE
from exporter.simulator.http.answers import Answer
from exporter.simulator.http.sessions import User

AUTHORIZE_PATH = "/rest/dp/uidm/oauth2/v1/authorize"
TOKEN_PATH = "/rest/dp/uidm/oauth2/v1/token"  # noqa: S105  # a path
SCOPE = "pvms.openapi.basic"

_CODE_SECONDS = 5 * MINUTE
_LONGEST_STATE = 8  # characters; longer ones break the real system's flow


@dataclass(frozen=True, slots=True)
class _Issued:
    """What was given to a client, until when it is good, and for which address."""

    client: str
    ends: float
    redirect_uri: str = ""


class Authorizations:
    """The authorisations of all clients; every owner agrees at once.

    `seconds` is how long an access token lasts; a refresh token lasts until it is used, or for ever
    if it is not one that `rotates`. `bought` counts the access tokens that were given, `reused` the
    attempts to use a refresh token twice.
    """

    def __init__(
        self, clients: dict[str, User], *, seed: int, seconds: float, rotates: bool
    ) -> None:
        self.clients = clients
        self.bought = 0
        self.reused = 0
        self._seconds = seconds
        self._rotates = rotates
        self._rng = Random(f"oauth {seed}")  # noqa: S311  # because tests want the same tokens
        self._codes: dict[str, _Issued] = {}
        self._access: dict[str, _Issued] = {}
        self._refresh: dict[str, str] = {}
        self._used: set[str] = set()
        self._given: set[str] = set()

    @property
    def tokens(self) -> frozenset[str]:
        """All codes and tokens that were ever given."""
        return frozenset(self._given)

    @property
    def refresh_tokens(self) -> frozenset[str]:
        """Those that are good."""
        return frozenset(self._refresh)

    def agree(self, client: str) -> str:
        """An owner agrees, in whatever way; gives the refresh token that follows."""
        token = self._new_token("r")
        self._refresh[token] = client
        return token

    def account(self, token: str, now: float) -> str | None:
        """Whose access token it is, while it is good."""
        issued = self._access.get(token)
        return issued.client if issued is not None and now < issued.ends else None

    def withdraw(self) -> None:
        """Every owner withdraws what was authorised."""
        self._access.clear()
        self._used |= self._refresh.keys()
        self._refresh.clear()

    def authorize(self, query: str, now: float) -> Answer:
        """Sends the owner's browser back with a code (4.1.2), or says what was wrong."""
        asked = _unique_parameters(query)
        client, redirect_uri = asked.get("client_id", ""), asked.get("redirect_uri", "")
        state = asked.get("state", "")
        if client not in self.clients or not redirect_uri or len(state) > _LONGEST_STATE:
            return _refusal(400, "invalid_request")
        if asked.get("response_type") != "code" or asked.get("scope") != SCOPE:
            back = {"error": "invalid_scope", "state": state}
        else:
            code = self._new_token("c")
            self._codes[code] = _Issued(client, now + _CODE_SECONDS, redirect_uri)
            back = {"code": code, "state": state}
        joint = "&" if "?" in redirect_uri else "?"
        return Answer(302, (("Location", f"{redirect_uri}{joint}{urlencode(back)}"),))

    def token(self, body: bytes, now: float) -> Answer:
        """Gives tokens for a code or a refresh token (4.1.3, 6)."""
        asked = _unique_parameters(body.decode("ascii", "replace"))
        client = asked.get("client_id", "")
        user = self.clients.get(client)
        if user is None or asked.get("client_secret") != user.password:
            return _refusal(401, "invalid_client")
        grant = _GRANTS.get(asked.get("grant_type", ""))
        if grant is None:
            return _refusal(400, "unsupported_grant_type")
        refresh = grant(self, client, asked, now)
        return (
            _refusal(400, "invalid_grant") if refresh is None else self._give(client, refresh, now)
        )

    def _by_code(self, client: str, asked: Mapping[str, str], now: float) -> str | None:
        issued = self._codes.pop(asked.get("code", ""), None)
        if issued is None or now >= issued.ends:
            return None
        if (issued.client, issued.redirect_uri) != (client, asked.get("redirect_uri")):
            return None
        return self.agree(client)

    def _by_refresh_token(self, client: str, asked: Mapping[str, str], _now: float) -> str | None:
        token = asked.get("refresh_token", "")
        self.reused += token in self._used
        if self._refresh.get(token) != client:
            return None
        if not self._rotates:
            return ""
        del self._refresh[token]
        self._used.add(token)
        return self.agree(client)

    def _give(self, client: str, refresh: str, now: float) -> Answer:
        access = self._new_token("a")
        self.bought += 1
        self._access[access] = _Issued(client, now + self._seconds)
        given = {"access_token": access, "token_type": "Bearer", "expires_in": self._seconds}
        if refresh:
            given["refresh_token"] = refresh
        return Answer(body=json.dumps({**given, "scope": SCOPE}).encode())

    def _new_token(self, kind: str) -> str:
        made = f"{kind}-{self._rng.randbytes(24).hex()}"
        self._given.add(made)
        return made


_GRANTS: Mapping[str, Callable[[Authorizations, str, Mapping[str, str], float], str | None]] = {
    "authorization_code": Authorizations._by_code,  # noqa: SLF001  # its own
    "refresh_token": Authorizations._by_refresh_token,  # noqa: SLF001  # its own
}


def _unique_parameters(form: str) -> dict[str, str]:
    """The parameters of a form; of one that comes twice, none (3.1)."""
    return {name: values[0] for name, values in parse_qs(form).items() if len(values) == 1}


def _refusal(status: int, error: str) -> Answer:
    return Answer(status, body=json.dumps({"error": error}).encode())
