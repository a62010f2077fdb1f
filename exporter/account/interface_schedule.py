"""When one interface is called next, and about whom. Pure: every time is an argument."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import assert_never

from exporter.account.batches import NO_WEIGHTS, Batch, Group, IsSuspended, Rotation, Round
from exporter.account.quotas import (
    BURST_SPACING,
    Backoff,
    CallLog,
    DayBackoff,
    FleetSize,
    Quota,
    Suspension,
    pace,
    quotas,
)
from exporter.northbound.errors import CallError, Reaction
from exporter.northbound.interfaces import (
    DAY,
    DEVICE_LIST,
    HOUR,
    PLANT_LIST,
    Content,
    Interface,
    Limit,
    Subject,
)

# Reactions to answers that say nothing about the batch: it has yet to be answered.
NOT_FINAL = frozenset({Reaction.LOG_IN, Reaction.BACK_OFF})
# Refusals of what was asked for, as a session that is lost to it alone; others are the interface's.
_ABOUT_THE_TYPE = frozenset({"20009", "20013"})


@dataclass(frozen=True, slots=True)
class PollConfig:
    """An interface to be polled: its limits in force, and seconds between starts of rounds.

    The plants of a call may have so many devices at most; inf: any number, and no limit knows any.
    """

    interface: Interface
    limits: tuple[Limit, ...]
    every: float
    max_devices_per_call: float = inf


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """A call that starts now.

    It is `repeated` after a login, or `extra`: asked once more in a round that has had the
    batch.
    """

    interface: Interface
    batch: Batch
    group: Group
    start: float
    repeated: bool = False
    extra: bool = False

    @property
    def members(self) -> tuple[str, ...]:
        """The plants or devices that it is about."""
        return self.group.members

    @property
    def is_about_settings(self) -> bool:
        """Whether a refusal of its only member says no more than that it has no such setting."""
        return self.interface.content is Content.CONFIGURATION and len(self.members) == 1

    @property
    def caller(self) -> tuple[str, int | None]:
        """The interface, and the device type that it is asked about."""
        return self.interface.name, self.batch.device_type


@dataclass(slots=True)
class InterfaceState:
    """What is known of the calls of one interface."""

    log: CallLog = field(default_factory=CallLog)
    backoff: Backoff = field(default_factory=Backoff)
    retry: Backoff = field(default_factory=Backoff)
    day: DayBackoff = field(default_factory=DayBackoff)
    round: Round = field(default_factory=Round)

    @property
    def waits_until(self) -> float:
        """When it may be called again after a refusal for the number of its calls."""
        return max(self.backoff.until, self.day.until)

    def after_restart(self, now: float) -> None:
        """Goes on where a previous run ended, of which no call is under way any more."""
        self.log.after_restart(now)
        self.backoff.after_restart(now)
        self.retry.after_restart(now)
        self.day.after_restart(now)


class InterfaceSchedule:
    """When one interface is called, and about whom."""

    def __init__(
        self,
        config: PollConfig,
        state: InterfaceState | None = None,
        batches: Sequence[Batch] = (),
    ) -> None:
        self.interface = config.interface
        # Whether this interface tells which plants and devices there are.
        self.is_list = self.interface in (PLANT_LIST, DEVICE_LIST)
        self.limits = config.limits
        self.every = config.every
        self.state = state or InterfaceState()
        self.rotation = Rotation(
            self.interface.batch,
            config.max_devices_per_call,
            eager=self.interface.every > 0,
            state=self.state.round,
            batches=batches,
        )
        if self.interface.subject is Subject.ACCOUNT and not self.rotation.batches:
            self.rotation.ask_once()
        self.quotas: tuple[Quota, ...] = quotas(self.limits, FleetSize())
        self.is_urgent = self.is_list  # while everybody waits for what it brings
        self.unanswered: set[str] = set()
        self._suspended: dict[int | None, Suspension] = {}
        self._repeat = False

    @property
    def pace(self) -> float:
        """Seconds from call to call when the allowance in force is used evenly."""
        return pace(self.quotas)

    @property
    def duration(self) -> float:
        """Seconds that a round over the whole fleet is planned to take."""
        return self.rotation.duration(self.pace, self.every)

    @property
    def max_age(self) -> float:
        """Seconds after which a value is too old to be shown: three rounds, or five paces.

        Where the answer tells when its values were true, they are late on arrival.
        """
        return self.interface.lag + max(3 * self.duration, 5 * self.pace)

    @property
    def members(self) -> Collection[str]:
        """All that it is asked about."""
        return {member for batch in self.rotation.batches for member in batch.members}

    def fit(
        self,
        wanted: dict[int | None, Sequence[str]],
        size: FleetSize,
        weights: Mapping[str, int] = NO_WEIGHTS,
    ) -> None:
        """Fits batches and quotas to the fleet; `weights` are the devices of its plants."""
        if self.interface.subject is not Subject.ACCOUNT:
            self.rotation.update(wanted, weights)
            self.unanswered.intersection_update(m for members in wanted.values() for m in members)
        self.quotas = quotas(self.limits, size)

    # --- what comes next -----------------------------------------------------------------------

    def due(self, now: float) -> float:
        """The earliest time for the next call; inf when there is nothing to ask."""
        wanted, batch, _ = self._next_batch(self._suspended_at(now))
        if batch is None:
            return min(map(self._suspended_until, self.rotation.batches), default=inf)
        allowed = self.state.log.earliest(
            self.quotas, batch.device_type, burst=self._may_burst or self._repeat
        )
        return max(allowed, wanted, self.state.waits_until)

    def _next_batch(self, suspended: IsSuspended) -> tuple[float, Batch | None, bool]:
        """Which batch comes next, when, and whether it is an extra call.

        Of this round, once more in it, or of the next round.
        """
        oldest = self.rotation.oldest(suspended)
        if oldest is None or self.rotation.is_pending(oldest):
            return self.rotation.round.start, oldest, False
        next_round = self.rotation.round.start + self.every
        again = self.rotation.repeated(suspended)
        if again is not None and self.state.retry.until < next_round:
            return self.state.retry.until, again, True
        return next_round, oldest, False

    @property
    def _may_burst(self) -> bool:
        """The first round of a day-long allowance takes minutes, not the day."""
        if not self.is_urgent and all(b.progress.called > -inf for b in self.rotation.batches):
            return False  # as nearly always
        return self.is_list or any(quota.window >= DAY for quota in self.quotas)

    def _suspended_at(self, now: float) -> IsSuspended:
        return lambda batch: self._suspended_until(batch) > now

    def _suspended_until(self, batch: Batch) -> float:
        until = batch.suspension.until
        if self._suspended:  # which hardly ever is
            about = {None, batch.device_type} & self._suspended.keys()
            until = max([until, *(self._suspended[kind].until for kind in about)])
        return until

    def start(self, now: float) -> PlannedCall:
        """The call to make now, noted as started."""
        due = self.due(now)
        suspended = self._suspended_at(now)
        _, batch, extra = self._next_batch(suspended)
        assert batch is not None, "started before it was due"  # noqa: S101  # a bug, not a state
        if not extra and self.rotation.pending(suspended) is None:
            self.rotation.start_round(now)
        self.state.log.start(now if due == -inf else due, now, batch.device_type)
        planned = PlannedCall(self.interface, batch, batch.next_group(), now, self._repeat, extra)
        self._repeat = False
        return planned

    def plan(self, batch: Batch, now: float) -> PlannedCall:
        """A call about a batch out of turn, whose calls are counted elsewhere."""
        if self.rotation.pending() is None and now >= self.rotation.round.start + self.every:
            self.rotation.start_round(now)
        return PlannedCall(self.interface, batch, batch.next_group(), now)

    # --- how it went ---------------------------------------------------------------------------

    def end(self, now: float, margin: float) -> None:
        """Notes that a call ended, however it went; it may arrive up to `margin` seconds later."""
        self.state.log.end(now, self.quotas, margin)

    def answered(self, planned: PlannedCall, unanswered: Collection[str]) -> None:
        """Notes an answer; `unanswered` are the members it said nothing about."""
        batch = planned.batch
        batch.answered(planned.group)
        batch.progress.final = True
        self.unanswered.difference_update(planned.members)
        self.unanswered |= set(unanswered)
        self.state.backoff.succeeded()
        self.state.day.succeeded()
        self.state.retry = Backoff()
        self._suspended.pop(None, None)
        self._suspended.pop(batch.device_type, None)
        self._finish_round(batch)

    def failed(
        self, planned: PlannedCall, error: CallError, reaction: Reaction, now: float
    ) -> bool:
        """Reacts to a failure; returns whether the list of the batch's members is to be read.

        `reaction` is the error's, or another one in the light of what other interfaces say.
        """
        batch, final = planned.batch, self._is_final(error)
        batch.progress.final |= final
        if reaction is Reaction.LOG_IN and self._may_repeat:
            self._repeat = True
            batch.progress.called = -inf
            return False
        if reaction is not Reaction.SKIP_MEMBER:
            self.unanswered.update(planned.members)
        match reaction:
            case Reaction.BACK_OFF:
                self.state.backoff.refused(now, self.pace, HOUR)
            case Reaction.SUSPEND:
                typed = error.reason in _ABOUT_THE_TYPE or error.reaction is Reaction.LOG_IN
                kind = batch.device_type if typed else None
                self._suspended.setdefault(kind, Suspension()).refused(now)
            case Reaction.SPLIT if len(batch.members) > 1:
                self.rotation.split(batch, now)
            case Reaction.REREAD_FLEET:
                news = batch.failed(planned.group, now)
                self._finish_round(batch)
                return news
            case (
                Reaction.LOG_IN
                | Reaction.SPLIT
                | Reaction.PAUSE
                | Reaction.REFUSE_CREDENTIALS
                | Reaction.NEXT_DAY
                | Reaction.SKIP_MEMBER
                | Reaction.NEXT_TURN
            ):
                pass
            case missed:
                assert_never(missed)
        if self.is_list or (self.rotation.eager and not final):
            self._retry(batch, now)
        return False

    def hold(self, now: float, seconds: float) -> None:
        """Calls nothing for so many seconds, as the server asked for it."""
        if seconds:
            self.state.backoff.hold(now, min(seconds, DAY))

    def back_off_today(self, now: float, left: float) -> None:
        """Calls nothing until the day is over, which has so many seconds left."""
        self.state.day.refused(now, left)

    def _retry(self, batch: Batch, now: float) -> None:
        """Asks once more in this round, whose next may be hours away.

        A list, for which everybody waits, after a minute of a day-long allowance, then 2, 4 …; any
        other after a pace, then ever more rarely.
        """
        batch.progress.again = True
        if self.is_list:
            self.state.retry.refused(
                now, max(q.window for q in self.quotas) * BURST_SPACING, self.pace
            )
        else:
            self.state.retry.refused(now, self.pace, HOUR)

    def _is_final(self, error: CallError) -> bool:
        if self.is_list:  # which is asked again in a minute
            # An account that may not list its plants has an unknown fleet, not an empty one.
            suspended = error.reaction is Reaction.SUSPEND and self.interface is not PLANT_LIST
            return suspended or error.reaction is Reaction.REREAD_FLEET
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
        start = self.rotation.round.start
        if self.is_list and any(group.called < start for group in batch.groups):
            batch.progress.again = True

    def ask_again(self, batch: Batch) -> None:
        """Asks the batch once more in this round: its answer goes on, or another is needed."""
        batch.progress.again = True
        if self.is_list:  # of which a page is not the whole
            batch.progress.final = False

    def read_out_of_turn(self, now: float) -> None:
        """Starts a round at the next allowed call."""
        if self.rotation.pending() is None:
            self.rotation.start_round(now)

    def resume(self) -> None:
        """Lets what is suspended be asked again."""
        self._suspended.clear()
        for batch in self.rotation.batches:
            batch.suspension = Suspension()

    def retry_failed(self, now: float) -> None:
        """Asks once for what is suspended, and in this round for what failed.

        If it was the session's fault, the retry succeeds; if it was not, rests go on doubling.
        """
        of_batches = (batch.suspension for batch in self.rotation.batches)
        for suspension in (*self._suspended.values(), *of_batches):
            suspension.retry(now)
        if self.rotation.eager:  # else the next round is near
            for batch in self.rotation.batches:
                batch.progress.again |= batch.failure is not None

    def expire_old(self, now: float) -> None:
        """Forgets that batches were answered, where it was too long ago for values to be shown."""
        for batch in self.rotation.batches:
            batch.progress.final &= now - batch.progress.called <= self.max_age
