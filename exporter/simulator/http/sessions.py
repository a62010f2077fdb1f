"""Sessions: one an account, with passwords, locks and tokens."""

import base64
from collections import deque
from dataclasses import dataclass, field
from random import Random

from exporter.northbound.interfaces import MINUTE

_WRONG_PASSWORDS = 5
_WRONG_WINDOW = 10 * MINUTE
_LOCK = 30 * MINUTE


@dataclass(frozen=True, slots=True)
class User:
    """An account: its password, its plants (None: all), the interfaces refused to it."""

    password: str = field(repr=False)
    plants: frozenset[str] | None = None
    refused: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Session:
    account: str
    ends: float


class Sessions:
    """The sessions of all accounts. A login ends the account's previous session."""

    def __init__(
        self, users: dict[str, User], *, seed: int, seconds: float, scale: float = 1.0
    ) -> None:
        self.users = users
        self._seconds = seconds
        self._scale = scale  # seconds that a second of the lock lasts
        self._rng = Random(f"tokens {seed}")  # noqa: S311  # because tests want the same tokens
        self._by_token: dict[str, _Session] = {}
        self._failures: dict[str, deque[float]] = {}
        self._locked_until: dict[str, float] = {}

    @property
    def tokens(self) -> frozenset[str]:
        """The tokens of all sessions that were not ended."""
        return frozenset(self._by_token)

    def locked(self, account: str, now: float) -> bool:
        """Whether too many wrong passwords have locked the account."""
        return now < self._locked_until.get(account, now)

    def check(self, account: str, password: str, now: float) -> bool:
        """Whether the password is right; the fifth wrong one in ten minutes locks for thirty."""
        user = self.users.get(account)
        if user is not None and user.password == password:
            self._failures.pop(account, None)
            return True
        failures = self._failures.setdefault(account, deque(maxlen=_WRONG_PASSWORDS))
        failures.append(now)
        if len(failures) == _WRONG_PASSWORDS and now - failures[0] < _WRONG_WINDOW * self._scale:
            self._locked_until[account] = now + _LOCK * self._scale
            failures.clear()
        return False

    def open(self, account: str, now: float) -> str:
        """Begins a session and gives its token, ending the account's previous one."""
        self.end(account)
        token = "x-" + base64.b64encode(self._rng.randbytes(31)).decode()
        self._by_token[token] = _Session(account, now + self._seconds)
        return token

    def end(self, account: str) -> None:
        """Ends the account's session, if there is one."""
        self._by_token = {t: s for t, s in self._by_token.items() if s.account != account}

    def account(self, token: str, now: float) -> str | None:
        """Whose live session the token belongs to."""
        session = self._by_token.get(token)
        return session.account if session is not None and now < session.ends else None
