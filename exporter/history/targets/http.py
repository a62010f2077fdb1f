"""How samples are posted: with patience for a target that is busy, and a clear word otherwise."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from hashlib import sha256
from typing import Any

import requests

from exporter.clock import Clock
from exporter.history.series import TargetError

FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0  # seconds between two tries
MOST_TRIES = 30  # half an hour
_LONGEST_WORDS = 300  # of what a target says
_ELSEWHERE, _SERVER_ERROR = 300, 500  # the least statuses of two kinds
_BUSY = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where samples are posted, and how. No password is printed; a token may stand in the URL."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    auth: tuple[str, str] | None = field(default=None, repr=False)
    verify: bool | str = True
    timeout: float = 60.0


@dataclass(frozen=True, slots=True)
class Refusal:
    """A target's answer that another try would not change."""

    status: int
    words: str


def shown(url: str) -> str:
    """A URL as it may be told and kept: with a digest for its parameters, which may be tokens."""
    place, mark, parameters = url.partition("?")
    return f"{place}{mark}{sha256(parameters.encode()).hexdigest()[:8]}" if mark else place


class Sender:
    """Posts bodies to one endpoint. Waits while it is busy, as long as it asks for."""

    def __init__(self, endpoint: Endpoint, clock: Clock) -> None:
        self._endpoint = endpoint
        self._clock = clock
        self._session = requests.Session()
        self._session.headers.update(endpoint.headers)
        if endpoint.auth:  # which requests encodes as Latin-1
            user, password = (each.encode().decode("latin-1") for each in endpoint.auth)
            self._session.auth = user, password
        self._session.trust_env = False  # netrc and proxies are not asked for

    def close(self) -> None:
        """Lets its connections go."""
        self._session.close()

    def post(
        self, body: bytes, headers: Mapping[str, str], parameters: Mapping[str, str] | None = None
    ) -> Refusal | None:
        """Posts a body until it is taken; returns the refusal if it is not.

        Raises:
            TargetError: Nobody took it in half an hour.
        """
        wait, why = FIRST_WAIT, ""
        for _ in range(MOST_TRIES):
            asked = 0.0
            try:
                answer = self._post(body, headers, parameters)
            except requests.RequestException as error:
                why = type(error).__name__
            else:
                if answer.status_code < _ELSEWHERE:
                    return None
                words = _printable(answer.text[:_LONGEST_WORDS])
                if answer.is_redirect:
                    words += "; it leads elsewhere, and the URL has to be the last"
                if answer.status_code < _SERVER_ERROR and answer.status_code not in _BUSY:
                    return Refusal(answer.status_code, words)
                why = f"HTTP {answer.status_code} {words}"
                asked = _retry_after(answer.headers.get("Retry-After"), self._clock.time())
            if self._clock.wait(max(wait, asked)):
                break
            wait = min(2 * wait, LONGEST_WAIT)
        raise TargetError(f"{shown(self._endpoint.url)} takes no samples: {why}")

    def _post(
        self, body: bytes, headers: Mapping[str, str], parameters: Mapping[str, str] | None
    ) -> Any:
        return self._session.post(
            self._endpoint.url,
            data=body,
            headers=dict(headers),
            params=parameters,
            timeout=self._endpoint.timeout,
            verify=self._endpoint.verify,
            allow_redirects=False,
        )


def _printable(text: str) -> str:
    """In one line, and without what a terminal would take for an order."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


def _retry_after(text: str | None, now: float) -> float:
    """How many seconds a target asks to wait, at most an hour."""
    seconds = 0.0
    with suppress(ValueError, TypeError):
        if text is not None and text.strip().isdecimal():
            seconds = float(text)
        elif text is not None:
            seconds = parsedate_to_datetime(text).timestamp() - now
    return min(max(seconds, 0.0), 3600.0)
