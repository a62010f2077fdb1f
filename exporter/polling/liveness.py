"""Whether an account's session is alive, judged by all of its interfaces together. Pure.

Servers tell a dead session in many ways: by a code, by words, by a page for people, by refusing
everything. And one interface alone may tell so of a session that works on all others.
"""

from collections import Counter
from collections.abc import Mapping
from enum import Enum
from math import inf
from typing import Any

from exporter.northbound.errors import NO_ANSWER, RATE_LIMITED, CallError, Reaction
from exporter.northbound.interfaces import DAY, MINUTE
from exporter.polling.allowance import Backoff

FAILED_CALLS = 3  # since the last proper answer, before a session that nobody calls lost seems so
FAILED_INTERFACES = 2
TRIAL_PAUSE = 30 * MINUTE  # after a login that did not help; then twice as long each time

Caller = tuple[str, int | None]  # an interface, and the device type it was asked about

# Failures that say nothing about a session: nobody answered, we called too often, or asked for the
# pages of a list in a form that the server does not take.
_SILENT = NO_ANSWER | RATE_LIMITED | {"30004", "30005", "30006"}
_TOO_OFTEN = frozenset({Reaction.BACK_OFF, Reaction.PAUSE})


def is_about_session(error: CallError) -> bool:
    """Whether a dead session may be why a call failed; some server tells it in any such way."""
    return error.reason not in _SILENT and error.reaction not in _TOO_OFTEN


class Claim(Enum):
    """What became of a claim that the session is lost, whose caller has not answered since."""

    DOUBTED = "doubted"  # no login was made yet
    BELIEVED = "believed"  # one was
    DISPROVED = "disproved"  # another caller has answered since


class Liveness:
    """What the calls of one session say about it."""

    def __init__(self) -> None:
        self._failures: Counter[str] = Counter()  # by interface, since the last proper answer
        self._claims: dict[Caller, Claim] = {}
        self._alone: set[Caller] = set()  # who claimed a loss as the only one
        self._pause = Backoff()

    def answered(self, caller: Caller) -> None:
        """Notes a proper answer: the session is alive."""
        self._failures.clear()
        self._pause = Backoff()
        self._claims.pop(caller, None)
        self._claims = dict.fromkeys(self._claims, Claim.DISPROVED)

    def failed(self, interface: str, error: CallError) -> None:
        """Notes a failed call."""
        if is_about_session(error):
            self._failures[interface] += 1

    def reaction(
        self, caller: Caller, error: CallError, *, repeated: bool, young: bool
    ) -> Reaction:
        """What to do about a failed call, in the light of all others.

        A session that works elsewhere is not dead: then the caller alone is refused. Nor is it lost
        because of a call that is `repeated` right after a login, or of a caller that a login did
        not help, or, at first and while the session is `young`, because of one that claimed a loss
        before as the only one; unless another one says so, too.
        """
        if error.reaction is not Reaction.LOG_IN:
            return error.reaction
        before = self._claims.get(caller)
        if before is Claim.DISPROVED:
            return Reaction.PARK
        others = (claim for who, claim in self._claims.items() if who != caller)
        confirmed = any(claim is not Claim.DISPROVED for claim in others)
        doubtful = before is Claim.BELIEVED or (before is None and young and caller in self._alone)
        believed = not repeated and (confirmed or not doubtful)
        if believed or before is None:
            self._claims[caller] = Claim.BELIEVED if believed else Claim.DOUBTED
        if confirmed:
            self._alone.clear()
        else:
            self._alone.add(caller)
        return Reaction.LOG_IN if believed else Reaction.NEXT_TURN

    def trial_due(self, interfaces: int) -> float:
        """When to try a login, since nothing answers properly; inf where something may.

        So many interfaces are called.
        """
        enough = len(self._failures) >= min(FAILED_INTERFACES, interfaces)
        return self._pause.until if enough and self._failures.total() >= FAILED_CALLS else inf

    def tried(self, now: float) -> None:
        """Notes a login that was made because the session seemed dead."""
        self._failures.clear()
        self._pause.refused(now, TRIAL_PAUSE, DAY)

    def remember(self, epoch: float) -> dict[str, Any]:
        """The pause as plain data, in times that are `epoch` later."""
        return {"pause": self._pause.remember(epoch)}

    def recall(self, stored: Mapping[str, Any], epoch: float, now: float) -> None:
        """Goes on with the pause of a previous run."""
        self._pause.recall(stored["pause"], epoch, now)
