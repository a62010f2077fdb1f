"""Checks passwords against bcrypt hashes: slow by design, so each once, and one at a time."""

import asyncio
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from functools import partial
from itertools import chain

from exporter.web.threads import in_daemon_thread

MAX_CACHED = 100  # outcomes of each kind, right and wrong
MAX_PENDING = 16  # comparisons, before others are refused
_MAX_PASSWORD = 72  # bytes that bcrypt looks at


class BusyError(Exception):
    """Too many passwords wait for their comparison."""


class Passwords:
    """Compares passwords with hashes, and caches outcomes by digest.

    Right and wrong ones are cached apart, so that no flood of guesses evicts the right ones.
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._outcomes: dict[bool, OrderedDict[bytes, None]] = {
            True: OrderedDict(),
            False: OrderedDict(),
        }
        self._pending: dict[bytes, asyncio.Task[bool]] = {}
        self._comparing = asyncio.Lock()

    async def match(self, users: Mapping[str, bytes], user: str, password: bytes) -> bool:
        """Whether `user` is one of `users`, by name and bcrypt hash, and this is the password.

        Raises:
            BusyError: At once, when it is not cached and too many are being compared.
        """
        # With all users: after a change of one, everybody is compared anew, unknown names as well.
        all_users = chain.from_iterable((each.encode(), users[each]) for each in sorted(users))
        digest = self._digest(user.encode(), password, *all_users)
        for outcome, digests in self._outcomes.items():
            if digest in digests:
                digests.move_to_end(digest)
                return outcome
        task = self._pending.get(digest)
        if task is None:
            if len(self._pending) >= MAX_PENDING:
                raise BusyError
            task = asyncio.create_task(self._compare(digest, users, user, password))
            self._pending[digest] = task
        # Others may wait for the same comparison.
        return await asyncio.shield(task)

    async def _compare(
        self, digest: bytes, users: Mapping[str, bytes], user: str, password: bytes
    ) -> bool:
        try:
            async with self._comparing:
                right = partial(_is_right, users, user, password[:_MAX_PASSWORD])
                outcome = await in_daemon_thread(right)
        finally:
            del self._pending[digest]
        digests = self._outcomes[outcome]
        digests[digest] = None
        if len(digests) > MAX_CACHED:
            digests.popitem(last=False)
        return outcome

    def _digest(self, *parts: bytes) -> bytes:
        message = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
        return hmac.digest(self._key, message, "sha256")


def _is_right(users: Mapping[str, bytes], user: str, password: bytes) -> bool:
    """Whether it is the user's password; the time that takes does not depend on the name.

    Each cost doubles the work. An unknown name is compared with the costliest hash; for a cheaper
    one, comparing again at its own cost and at each up to the highest adds up to as much work.
    """
    import bcrypt  # noqa: PLC0415  # takes memory that few need

    costliest = max(users.values(), key=_cost)
    hashed = users.get(user, costliest)
    matches = bcrypt.checkpw(password, hashed)
    for cost in range(_cost(hashed), _cost(costliest)):
        bcrypt.checkpw(password, b"%b%02d%b" % (hashed[:4], cost, hashed[6:]))
    return matches and user in users


def _cost(hashed: bytes) -> int:
    return int(hashed[4:6])
