"""Whether a password is a user's: slow by bcrypt's design, so done once, and by one at a time."""

import asyncio
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from functools import partial
from itertools import chain

import bcrypt

from exporter.web.threads import in_daemon_thread

REMEMBERED = 100  # outcomes of each kind, right and wrong
WAITING = 16  # comparisons not yet done, before others are turned away
LONGEST = 72  # bytes that bcrypt looks at


class BusyError(Exception):
    """Too many passwords wait for their comparison."""


class Passwords:
    """Compares passwords with their hashes; remembers outcomes, never what led to them.

    Right ones and wrong ones are remembered apart, so that no flood of guesses makes the exporter
    forget who may ask.
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._remembered: dict[bool, OrderedDict[bytes, None]] = {
            True: OrderedDict(),
            False: OrderedDict(),
        }
        self._pending: dict[bytes, asyncio.Task[bool]] = {}
        self._turn = asyncio.Lock()

    async def match(self, users: Mapping[str, bytes], user: str, password: bytes) -> bool:
        """Whether `user` is one of `users`, by name and bcrypt hash, and this is the password.

        Raises:
            BusyError: At once, when it is not known and too many are being compared already.
        """
        # With all users, so that a change of one has everybody compared anew, strangers as well.
        everybody = chain.from_iterable((each.encode(), users[each]) for each in sorted(users))
        trial = self._digest(user.encode(), password, *everybody)
        for outcome, trials in self._remembered.items():
            if trial in trials:
                trials.move_to_end(trial)
                return outcome
        task = self._pending.get(trial)
        if task is None:
            if len(self._pending) >= WAITING:
                raise BusyError
            task = asyncio.create_task(self._compare(trial, users, user, password))
            self._pending[trial] = task
        # Others may wait for the same comparison.
        return await asyncio.shield(task)

    async def _compare(
        self, trial: bytes, users: Mapping[str, bytes], user: str, password: bytes
    ) -> bool:
        try:
            async with self._turn:
                right = partial(_is_right, users, user, password[:LONGEST])
                outcome = await in_daemon_thread(right)
        finally:
            del self._pending[trial]
        trials = self._remembered[outcome]
        trials[trial] = None
        if len(trials) > REMEMBERED:
            trials.popitem(last=False)
        return outcome

    def _digest(self, *parts: bytes) -> bytes:
        message = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
        return hmac.digest(self._key, message, "sha256")


def _is_right(users: Mapping[str, bytes], user: str, password: bytes) -> bool:
    """Whether it is the user's password; how long that takes tells nothing about the name.

    Each cost doubles the work. The dearest hash is compared for a name that nobody has; a cheaper
    one, and then itself once more at its own cost and at each up to the dearest, is as much work.
    """
    dearest = max(users.values(), key=_cost)
    hashed = users.get(user, dearest)
    same = bcrypt.checkpw(password, hashed)
    for cost in range(_cost(hashed), _cost(dearest)):
        bcrypt.checkpw(password, b"%b%02d%b" % (hashed[:4], cost, hashed[6:]))
    return same and user in users


def _cost(hashed: bytes) -> int:
    return int(hashed[4:6])
