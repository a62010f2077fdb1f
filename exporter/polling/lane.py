"""One interface of one account: what it may, what it wants, and how it fares. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, assert_never

from exporter.northbound.errors import CallError, Reaction
from exporter.northbound.interfaces import (
    DAY,
    DEVICE_LIST,
    HOUR,
    PLANT_LIST,
    Interface,
    Limit,
    Subject,
)
from exporter.polling.allowance import (
    HURRY,
    Backoff,
    FleetSize,
    Ledger,
    Parking,
    Quota,
    pace,
    quotas,
)
from exporter.polling.eras import read, written
from exporter.polling.rounds import NO_WEIGHTS, Batch, Group, Ring

# Reactions to answers that say nothing about the batch: it has yet to be answered.
NOT_FINAL = frozenset({Reaction.LOG_IN, Reaction.BACK_OFF})
# Refusals of what was asked for, as a session that is lost to it alone; others are the interface's.
_ABOUT_THE_TYPE = frozenset({"20009", "20013"})


@dataclass(frozen=True, slots=True)
class Wish:
    """An interface to be walked: its limits in force, and seconds between starts of rounds."""

    interface: Interface
    limits: tuple[Limit, ...]
    every: float


@dataclass(frozen=True, slots=True)
class Turn:
    """A call about to be made."""

    batch: Batch
    group: Group
    repeated: bool = False  # after a login
    extra: bool = False  # asked once more in a round that has served the batch


class Lane:
    """The ring, the ledger and the waits of one interface."""

    def __init__(self, wish: Wish) -> None:
        self.interface = wish.interface
        self.limits = wish.limits
        self.every = wish.every
        self.ring = Ring(
            wish.interface.batch,
            wish.interface.heaviest or inf,
            eager=wish.interface.every > 0,
        )
        if wish.interface.subject is Subject.ACCOUNT:
            self.ring.ask_once()
        self.quotas: tuple[Quota, ...] = quotas(wish.limits, FleetSize())
        self.hurried = self.is_list  # while everybody waits for what it brings
        self.silent: set[str] = set()
        self._ledger = Ledger()
        self._backoff = Backoff()
        self._retry = Backoff()
        self._parked: dict[int | None, Parking] = {}
        self._repeat = False
        self._under_way: Batch | None = None

    @property
    def is_list(self) -> bool:
        """Whether this interface tells which plants and devices there are."""
        return self.interface in (PLANT_LIST, DEVICE_LIST)

    @property
    def pace(self) -> float:
        """Seconds from call to call when the allowance in force is used evenly."""
        return pace(self.quotas)

    @property
    def walk(self) -> float:
        """Seconds that a walk over the whole fleet is planned to take."""
        return self.ring.walk(self.pace, self.every)

    @property
    def max_age(self) -> float:
        """Seconds after which a value is too old to be shown: three walks, or five paces.

        Where the answer tells when its values were true, they are late on arrival.
        """
        return self.interface.late + max(3 * self.walk, 5 * self.pace)

    def fit(
        self,
        wanted: dict[int | None, Sequence[str]],
        size: FleetSize,
        weights: Mapping[str, int] = NO_WEIGHTS,
    ) -> None:
        """Fits batches and quotas to the fleet; `weights` are the devices of its plants."""
        if self.interface.subject is not Subject.ACCOUNT:
            self.ring.update(wanted, weights)
            self.silent.intersection_update(m for members in wanted.values() for m in members)
        self.quotas = quotas(self.limits, size)

    def due(self, now: float) -> float:
        """The earliest time for the next call; inf when there is nothing to ask."""
        resting = self._resting(now)
        wanted, batch, _ = self._wanted(resting)
        if batch is None:
            return min((resting[each.device_type] for each in self.ring.batches), default=inf)
        allowed = self._ledger.earliest(
            self.quotas, batch.device_type, hurry=self._hurries or self._repeat
        )
        return max(allowed, wanted, self._backoff.until, resting.get(None, -inf))

    def _wanted(self, resting: Mapping[int | None, float]) -> tuple[float, Batch | None, bool]:
        """Which batch comes next, when, and whether it is an extra call.

        Of this round, once more in it, or of the next round.
        """
        batch = self.ring.pending(resting)
        if batch is not None:
            return self.ring.round_start, batch, False
        next_round = self.ring.round_start + self.every
        again = self.ring.repeated(resting)
        if again is not None and self._retry.until < next_round:
            return self._retry.until, again, True
        return next_round, self.ring.oldest(resting), False

    @property
    def _hurries(self) -> bool:
        """The first round of a day-long allowance takes minutes, not the day."""
        daily = self.is_list or any(quota.window >= DAY for quota in self.quotas)
        return daily and (self.hurried or any(b.called == -inf for b in self.ring.batches))

    def _resting(self, now: float) -> dict[int | None, float]:
        return {
            kind: parking.until for kind, parking in self._parked.items() if parking.until > now
        }

    def take(self, now: float) -> Turn:
        """The call to make now, noted as started."""
        due = self.due(now)
        resting = self._resting(now)
        _, batch, extra = self._wanted(resting)
        assert batch is not None, "taken before it was due"  # noqa: S101  # a bug, not a state
        if not extra and self.ring.pending(resting) is None:
            self.ring.start_round(now)
        turn = Turn(batch, batch.take(now), self._repeat, extra)
        self._repeat = False
        self._under_way = batch
        self._ledger.start(now if due == -inf else due, now, batch.device_type)
        return turn

    def end(self, now: float, doubt: float) -> None:
        """Notes that the call ended, however it went; it may arrive up to `doubt` seconds later."""
        self._under_way = None
        self._ledger.end(now, self.quotas, doubt)

    def answered(self, turn: Turn, silent: set[str]) -> None:
        """Notes an answer; `silent` are the members it said nothing about."""
        turn.batch.answer(turn.group)
        turn.batch.final = True
        self.silent.difference_update(turn.group.members)
        self.silent |= silent
        self._backoff.succeeded()
        self._retry = Backoff()
        self._parked.pop(None, None)
        self._parked.pop(turn.batch.device_type, None)
        self._finish_round(turn.batch)

    def failed(self, turn: Turn, error: CallError, reaction: Reaction, now: float) -> bool:
        """Reacts to a failure; returns whether the list of the batch's members is to be read.

        `reaction` is the error's, or another one in the light of what other interfaces say.
        """
        final = self._is_final(error)
        turn.batch.final |= final
        if reaction is Reaction.LOG_IN and self._may_repeat:
            self._repeat = True
            turn.batch.called = -inf
            return False
        self.silent.update(turn.group.members)
        match reaction:
            case Reaction.BACK_OFF:
                self._backoff.refused(now, self.pace, HOUR)
            case Reaction.PARK:
                typed = error.reason in _ABOUT_THE_TYPE or error.reaction is Reaction.LOG_IN
                kind = turn.batch.device_type if typed else None
                self._parked.setdefault(kind, Parking()).refused(now)
            case Reaction.SPLIT if len(turn.batch.members) > 1:
                self.ring.split(turn.batch, now)
            case Reaction.REREAD_FLEET:
                news = turn.batch.fail(turn.group)
                self._finish_round(turn.batch)
                return news
            case (
                Reaction.LOG_IN
                | Reaction.SPLIT
                | Reaction.PAUSE
                | Reaction.REFUSE_CREDENTIALS
                | Reaction.NEXT_TURN
            ):
                pass
            case missed:
                assert_never(missed)
        if self.is_list or (self.ring.eager and not final):
            self._try_again(turn.batch, now)
        return False

    def hold(self, now: float, seconds: float) -> None:
        """Calls nothing for so many seconds, as the server asked for it."""
        if seconds:
            self._backoff.hold(now, min(seconds, DAY))

    def _try_again(self, batch: Batch, now: float) -> None:
        """Asks once more in this round, whose next may be hours away.

        A list, for which everybody waits, after a minute of a day-long allowance, then 2, 4 …; any
        other after a pace, then ever more rarely.
        """
        batch.again = True
        if self.is_list:
            self._retry.refused(now, max(q.window for q in self.quotas) * HURRY, self.pace)
        else:
            self._retry.refused(now, self.pace, HOUR)

    def _is_final(self, error: CallError) -> bool:
        if self.is_list:  # which is asked again in a minute
            # An account that may not list its plants has an unknown fleet, not an empty one.
            parked = error.reaction is Reaction.PARK and self.interface is not PLANT_LIST
            return parked or error.reaction is Reaction.REREAD_FLEET
        return error.enveloped and error.reaction not in NOT_FINAL

    @property
    def _may_repeat(self) -> bool:
        """Whether a repeated call can come before the batch's next turn.

        Where each device type has a quota of its own, the window of its type is spent: other types
        would only wait behind it.
        """
        return all(quota.device_type is None for quota in self.quotas)

    def _finish_round(self, batch: Batch) -> None:
        """A halved list is read to its end in one round: its next is hours away."""
        if self.is_list and any(group.called < self.ring.round_start for group in batch.groups):
            batch.again = True

    def ask_again(self, batch: Batch) -> None:
        """Asks the batch once more in this round: its answer goes on, or another is needed."""
        batch.again = True
        if self.is_list:  # of which a page is not the whole
            batch.final = False

    def read_out_of_turn(self, now: float) -> None:
        """Starts a round at the next allowed call."""
        if self.ring.pending() is None:
            self.ring.start_round(now)

    def unpark(self) -> None:
        """Lets what was left alone take its turns again."""
        self._parked.clear()

    def ask_failed_again(self, now: float) -> None:
        """Asks once what was left alone, and in this round what failed.

        If it was the session's fault, it is mended; if it was not, rests go on doubling.
        """
        for parking in self._parked.values():
            if parking.until > now:  # one more refusal makes the rest what it was
                parking.rest, parking.until = parking.rest / 2, now
        if self.ring.eager:  # else the next round is near
            for batch in self.ring.batches:
                batch.again |= batch.trouble is not None

    def note(self, start: float, end: float, device_type: int | None) -> None:
        """Notes a call that somebody else made under the same allowance."""
        self._ledger.note(start, end, device_type)

    def remember(self, epoch: float) -> dict[str, Any]:
        """Calls, waits and turns as plain data, in times that are `epoch` later.

        A turn under way counts as not taken: should the process end now, it has served nobody.
        """
        return {
            "calls": self._ledger.remember(epoch),
            "backoff": self._backoff.remember(epoch),
            "retry": self._retry.remember(epoch),
            "round_start": written(self.ring.round_start, epoch),
            "turns": [
                [None if b is self._under_way else written(b.called, epoch), b.final, b.again]
                for b in self.ring.batches
            ],
        }

    def recall(self, stored: Mapping[str, Any], epoch: float, now: float) -> None:
        """Goes on where an earlier life ended, after its batches were recalled."""
        self._ledger.recall(stored["calls"], epoch, now)
        self._backoff.recall(stored["backoff"], epoch, now)
        self._retry.recall(stored["retry"], epoch, now)
        self.ring.round_start = read(stored["round_start"], epoch, now, never=-inf)
        for batch, (called, final, again) in zip(self.ring.batches, stored["turns"], strict=False):
            batch.called = read(called, epoch, now, never=-inf)
            batch.final, batch.again = bool(final), bool(again)

    def forget_old(self, now: float) -> None:
        """Forgets that batches were answered, where it was too long ago for values to be shown."""
        for batch in self.ring.batches:
            batch.final &= now - batch.called <= self.max_age
