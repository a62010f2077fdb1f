"""Batches of plants or devices, and which of them is asked about next. Pure: times are arguments.

A rotation holds the batches of one interface. A round asks about each batch once, the least
recently called first. A batch keeps its members while the fleet changes around it, so that its
values keep their place.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from operator import attrgetter
from types import MappingProxyType
from typing import Annotated

from exporter.account.codec import NotKept, PastTime
from exporter.account.quotas import Suspension
from exporter.northbound.interfaces import DAY

MAX_SKIPS = 64  # calls of its batch
# Seconds until a size that was refused is tried again: so many, then twice as many each time.
SIZE_REST, MAX_SIZE_REST = DAY, 32 * DAY
NO_WEIGHTS: Mapping[str, int] = MappingProxyType({})


@dataclass(slots=True, eq=False)
class Group:
    """Members of a batch that are asked for together; usually all of them.

    `answered` says how the last call went: None before the first. A single member that fails skips
    `backoff` calls of its batch, twice as many each time; `skips` of them are still to come.
    """

    members: tuple[str, ...]
    called: float = -inf
    answered: bool | None = None
    backoff: int = 0
    skips: int = 0

    @property
    def is_refused(self) -> bool:
        """Whether it failed, and there is nothing in it to be asked apart."""
        return self.answered is False and len(self.members) == 1 and self.called > -inf


@dataclass(slots=True)
class Progress:
    """When a batch was called last, and whether that was all.

    `again` asks it once more in this round; `final` says that it has had an answer that waiting
    would not better.
    """

    called: PastTime = -inf
    final: bool = False
    again: bool = False


@dataclass(slots=True)
class Round:
    """When the round began, and how far each batch is in it."""

    start: PastTime = -inf
    progress: list[Progress] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Batch:
    """At most a batch size of plants, or of devices of one type.

    One bad member can fail a whole batch. Such a batch is halved, and its groups are asked in turn
    instead of it: halves that are answered join again and are asked every second time, a
    single failing member ever more rarely.

    A batch that the server finds too large is cut in two. `refused` is when that was, `size_rest`
    how many seconds from then on nobody is added. One all of whose members fail, each by itself,
    is suspended.
    """

    device_type: int | None
    members: tuple[str, ...]
    refused: PastTime = -inf
    size_rest: float = 0.0
    progress: Annotated[Progress, NotKept] = field(default_factory=Progress)
    groups: Annotated[list[Group], NotKept] = field(default_factory=list)
    failure: Annotated[str | None, NotKept] = None  # why it failed last, until all of it answers
    probed: Annotated[bool, NotKept] = False  # whether the last call was not the good group's
    suspension: Annotated[Suspension, NotKept] = field(default_factory=Suspension)

    def __post_init__(self) -> None:
        self.groups = self.groups or [Group(self.members)]

    def note_call(self, group: Group, now: float) -> None:
        """Notes that a group was asked about at this time."""
        for other in self.groups:
            other.skips = max(0, other.skips - 1)
        self.probed = not group.answered
        self.progress.again = False
        self.progress.called = group.called = now

    def next_group(self) -> Group:
        """The group to ask about next."""
        good = [group for group in self.groups if group.answered]
        others = [group for group in self.groups if not group.answered]
        probes = [group for group in others if not group.skips]
        if good and (self.probed or not probes):
            return good[0]
        return min(probes or others, key=lambda group: (group.skips, group.called))

    def after_restart(self, now: float) -> None:
        """Keeps a stored refusal within what the server could have made of it."""
        if self.size_rest and self.refused == -inf:
            self.refused = now  # it is only known that there was one
        self.size_rest = min(max(self.size_rest, 0.0), MAX_SIZE_REST)

    def answered(self, group: Group) -> None:
        """Notes that a group was answered; answered groups become one."""
        group.answered = True
        self.suspension = Suspension()
        good = [each for each in self.groups if each.answered]
        if good == [group]:
            self.probed = False  # asked a moment ago
        if len(good) > 1:
            joined = Group(tuple(m for each in good for m in each.members), group.called, True)
            self.groups = [joined] + [each for each in self.groups if not each.answered]

    def failed(self, group: Group, now: float) -> bool:
        """Notes that a group failed because of some member; returns whether that is news."""
        news = group.answered is not False
        group.answered = False
        if len(group.members) > 1:
            middle = (len(group.members) + 1) // 2
            self.groups.remove(group)
            self.groups += [
                Group(half, answered=False)
                for half in (group.members[:middle], group.members[middle:])
            ]
        elif len(self.groups) > 1:
            group.backoff = min(max(1, 2 * group.backoff), MAX_SKIPS)
            group.skips = group.backoff
        if all(each.is_refused for each in self.groups):
            self.suspension.refused(now)
        return news

    @property
    def halved(self) -> bool:
        """Whether some of the members are asked apart."""
        return len(self.groups) > 1

    @property
    def suspects(self) -> tuple[str, ...]:
        """Members whose last call failed because of one of them."""
        return tuple(m for group in self.groups if group.answered is False for m in group.members)

    def is_full(self, now: float) -> bool:
        """Whether it is all that the server takes at once."""
        return now < self.refused + self.size_rest

    def rest_after_refusal(self, now: float) -> float:
        """How long to leave it at less, now that its size is refused.

        A part that is refused as well belongs to the same refusal. Refused again soon after a rest,
        it rests twice as long; long after it, as if for the first time.
        """
        if self.is_full(now):
            return self.size_rest
        again = now < self.refused + 2 * self.size_rest
        return min(2 * self.size_rest, MAX_SIZE_REST) if again else SIZE_REST

    def retain_only(self, wanted: Collection[str]) -> None:
        """Drops the members that are no longer wanted; a changed batch is whole again."""
        kept = [m for m in self.members if m in wanted]
        if len(kept) < len(self.members):
            self._reset(kept)

    def add(self, members: Iterable[str]) -> None:
        """Takes new members in; a changed batch is whole again."""
        self._reset([*self.members, *members])

    def _reset(self, members: Sequence[str]) -> None:
        self.members = tuple(members)
        self.groups = [Group(self.members)]
        self.suspension = Suspension()


IsSuspended = Callable[[Batch], bool]


def never_suspended(_batch: Batch) -> bool:
    """No batch is suspended."""
    return False


class Rotation:
    """The batches of one interface, and the round they are in.

    A batch has at most `size` members, and at most `max_weight` of what they weigh together, but a
    member that is heavier stands alone. If `eager`, as the next round may be hours away, a batch
    with new members is asked once more in this one.
    """

    def __init__(
        self,
        size: int,
        max_weight: float = inf,
        *,
        eager: bool = False,
        state: Round | None = None,
        batches: Sequence[Batch] = (),
    ) -> None:
        self.size = size
        self.max_weight = max_weight
        self.eager = eager
        self.round = state or Round()
        self._batches: list[Batch] = []
        if len(batches) == len(self.round.progress):  # else nobody knows whose each is
            for batch, progress in zip(batches, self.round.progress, strict=True):
                batch.progress = progress
        self.batches = list(batches)

    @property
    def batches(self) -> list[Batch]:
        """All batches."""
        return self._batches

    @batches.setter
    def batches(self, batches: list[Batch]) -> None:
        self._batches = batches
        self.round.progress = [batch.progress for batch in batches]

    def update(
        self, wanted: Mapping[int | None, Sequence[str]], weights: Mapping[str, int] = NO_WEIGHTS
    ) -> None:
        """Fits the batches to the fleet: what each device type (None: plants) has to be asked.

        Members keep their batch; new ones fill gaps first; there are never more batches of a type
        than its members need, as far as the server takes them. Those that have rested since their
        size was refused are joined, to try it again.
        """
        kept: list[Batch] = []
        for device_type in dict.fromkeys([*(b.device_type for b in self.batches), *wanted]):
            members = wanted.get(device_type, ())
            mine = [batch for batch in self.batches if batch.device_type == device_type]
            kept.extend(self._fit(device_type, mine, dict.fromkeys(members), weights))
        self.batches = kept

    def _fit(
        self,
        device_type: int | None,
        batches: list[Batch],
        wanted: Mapping[str, None],
        weights: Mapping[str, int],
    ) -> list[Batch]:
        for batch in batches:
            batch.retain_only(wanted)
            batch.retain_only(self._fill((), batch.members, weights))
        full = [batch for batch in batches if batch.is_full(self.round.start) and batch.members]
        settled = {member for batch in full for member in batch.members}
        movable = [member for member in wanted if member not in settled]
        batches = [batch for batch in batches if not batch.is_full(self.round.start)]
        batches.sort(key=lambda batch: len(batch.members), reverse=True)
        needed = len(self._pack(movable, weights))
        kept, surplus = batches[:needed], batches[needed:]
        known = {member for batch in batches for member in batch.members}
        unplaced = [member for batch in surplus for member in batch.members]
        unplaced += [member for member in movable if member not in known]
        for batch in kept:
            more = self._fill(batch.members, unplaced, weights)
            if more:
                batch.add(more)
                batch.progress.again |= self.eager
                unplaced = [member for member in unplaced if member not in more]
        fresh = self._pack(unplaced, weights)
        return [
            *full,
            *(batch for batch in kept if batch.members),
            *(Batch(device_type, tuple(members)) for members in fresh),
        ]

    def _fill(
        self, members: Sequence[str], more: Iterable[str], weights: Mapping[str, int]
    ) -> dict[str, None]:
        """Those of `more` that a batch with these members has room for."""
        count, weight = len(members), sum(weights.get(member, 0) for member in members)
        chosen: dict[str, None] = {}
        for member in more:
            if count >= self.size:
                break
            heavier = weight + weights.get(member, 0)
            if heavier <= self.max_weight or not count:
                chosen[member] = None
                count, weight = count + 1, heavier
        return chosen

    def _pack(self, members: Sequence[str], weights: Mapping[str, int]) -> list[Sequence[str]]:
        """The members, in order, in batches that are as full as may be."""
        packed: list[Sequence[str]] = []
        left = dict.fromkeys(members)
        while left:
            batch = self._fill((), left, weights)
            packed.append(tuple(batch))
            for member in batch:
                del left[member]
        return packed

    def split(self, batch: Batch, now: float) -> None:
        """Halves a batch, as the server takes less at once than it should, for a day at least."""
        middle = (len(batch.members) + 1) // 2
        halves = batch.members[:middle], batch.members[middle:]
        rest = batch.rest_after_refusal(now)
        place = self.batches.index(batch)
        parts = [Batch(batch.device_type, half, now, rest) for half in halves if half]
        self.batches = [*self.batches[:place], *parts, *self.batches[place + 1 :]]

    def ask_once(self) -> None:
        """For an interface that is asked about nothing: one batch without members."""
        self.batches = [Batch(None, ())]

    def pending(self, suspended: IsSuspended = never_suspended) -> Batch | None:
        """The batch that is next in this round; None when all were asked about.

        `suspended` tells which are not to be called now.
        """
        oldest = self.oldest(suspended)
        return oldest if oldest and self.is_pending(oldest) else None

    def is_pending(self, batch: Batch) -> bool:
        """Whether a batch has not been asked about in this round."""
        return batch.progress.called < self.round.start

    def repeated(self, suspended: IsSuspended = never_suspended) -> Batch | None:
        """A batch that was asked about in this round, but is to be asked once more."""
        return _least_recent([b for b in self.batches if b.progress.again and not suspended(b)])

    def oldest(self, suspended: IsSuspended = never_suspended) -> Batch | None:
        """The batch that was asked about longest ago: the first of the next round."""
        return _least_recent([batch for batch in self.batches if not suspended(batch)])

    def start_round(self, now: float) -> None:
        """Begins a round: every batch is to be asked about again."""
        self.round.start = now

    def duration(self, pace: float, every: float) -> float:
        """Seconds from one call of a batch to its next when all calls go as planned."""
        return max(len(self.batches) * pace, every)


_CALLED = attrgetter("progress.called")


def _least_recent(batches: Sequence[Batch]) -> Batch | None:
    return min(batches, key=_CALLED) if batches else None
