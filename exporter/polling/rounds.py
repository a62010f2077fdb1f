"""Batches, and whose turn it is. Pure: every time is an argument.

A ring holds the batches of one interface. A round serves each batch once, the least recently
called first. A batch keeps its members while the fleet changes around it, so that its values keep
their place.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from types import MappingProxyType
from typing import Any

from exporter.northbound.interfaces import DAY
from exporter.polling.eras import read, written

LONGEST_REST = 64  # turns
# Seconds until a size that was refused is tried again: so many, then twice as many each time.
SIZE_REST, LONGEST_SIZE_REST = DAY, 32 * DAY
NO_WEIGHTS: Mapping[str, int] = MappingProxyType({})


@dataclass(slots=True, eq=False)
class Group:
    """Members of a batch that are asked for together; usually all of them.

    `answered` tells how the last call went: None before the first. A lone member that fails rests
    for `rest` turns of its batch, twice as many each time; `wait` of them are left.
    """

    members: tuple[str, ...]
    called: float = -inf
    answered: bool | None = None
    rest: int = 0
    wait: int = 0


@dataclass(slots=True, eq=False)
class Batch:
    """At most a batch size of plants, or of devices of one type.

    One bad member can fail a whole batch. Such a batch goes halved, its groups taking turns in its
    place: halves that are answered join again and have every second turn, a lone culprit is asked
    ever more rarely.

    A batch that the server finds too large is cut in two. `refused` is when that was, `size_rest`
    how many seconds from then on nobody is added.
    """

    device_type: int | None
    groups: list[Group]
    called: float = -inf
    again: bool = False  # to be asked once more in this round
    final: bool = False  # has had an answer that waiting would not better
    trouble: str | None = None  # why it failed last, until all of it is well again
    refused: float = -inf
    size_rest: float = 0.0
    _probed: bool = False  # whether the last turn was not the good group's

    @property
    def members(self) -> tuple[str, ...]:
        """All members."""
        return tuple(m for group in self.groups for m in group.members)

    def take(self, now: float) -> Group:
        """The group whose turn it is, noted as called."""
        group = self._next()
        for other in self.groups:
            other.wait = max(0, other.wait - 1)
        self._probed = not group.answered
        self.again = False
        self.called = group.called = now
        return group

    def _next(self) -> Group:
        good = [group for group in self.groups if group.answered]
        others = [group for group in self.groups if not group.answered]
        probes = [group for group in others if not group.wait]
        if good and (self._probed or not probes):
            return good[0]
        return min(probes or others, key=lambda group: (group.wait, group.called))

    def answer(self, group: Group) -> None:
        """Notes that a group was answered; answered groups become one."""
        group.answered = True
        good = [each for each in self.groups if each.answered]
        if good == [group]:
            self._probed = False  # asked a moment ago
        if len(good) > 1:
            joined = Group(tuple(m for each in good for m in each.members), group.called, True)
            self.groups = [joined] + [each for each in self.groups if not each.answered]

    def fail(self, group: Group) -> bool:
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
            group.rest = min(max(1, 2 * group.rest), LONGEST_REST)
            group.wait = group.rest
        return news

    @property
    def halved(self) -> bool:
        """Whether some of the members are asked apart."""
        return len(self.groups) > 1

    @property
    def doubted(self) -> tuple[str, ...]:
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
        return min(2 * self.size_rest, LONGEST_SIZE_REST) if again else SIZE_REST

    def keep(self, wanted: Collection[str]) -> None:
        """Drops the members that are no longer wanted; a changed batch is whole again."""
        kept = [m for m in self.members if m in wanted]
        if len(kept) < len(self.members):
            self._reset(kept)

    def add(self, members: Iterable[str]) -> None:
        """Takes new members in; a changed batch is whole again."""
        self._reset([*self.members, *members])

    def _reset(self, members: Sequence[str]) -> None:
        self.groups = [Group(tuple(members))] if members else []


@dataclass(slots=True)
class Ring:
    """The batches of one interface, and the round they are in.

    A batch has at most `size` members, and at most `heaviest` of what they weigh together, but a
    member that is heavier stands alone. In an `eager` ring, whose next round may be hours away, a
    batch with new members is asked once more in this one.
    """

    size: int
    heaviest: float = inf
    eager: bool = False
    batches: list[Batch] = field(default_factory=list)
    round_start: float = -inf

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
            batch.keep(wanted)
            batch.keep(self._fill((), batch.members, weights))
        full = [batch for batch in batches if batch.is_full(self.round_start) and batch.groups]
        settled = {member for batch in full for member in batch.members}
        loose = [member for member in wanted if member not in settled]
        batches = [batch for batch in batches if not batch.is_full(self.round_start)]
        batches.sort(key=lambda batch: len(batch.members), reverse=True)
        needed = len(self._pack(loose, weights))
        kept, spare = batches[:needed], batches[needed:]
        known = {member for batch in batches for member in batch.members}
        homeless = [member for batch in spare for member in batch.members]
        homeless += [member for member in loose if member not in known]
        for batch in kept:
            more = self._fill(batch.members, homeless, weights)
            if more:
                batch.add(more)
                batch.again |= self.eager
                homeless = [member for member in homeless if member not in more]
        fresh = self._pack(homeless, weights)
        return [
            *full,
            *(batch for batch in kept if batch.groups),
            *(Batch(device_type, [Group(tuple(members))]) for members in fresh),
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
            if heavier <= self.heaviest or not count:
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
        self.batches[place : place + 1] = [
            Batch(batch.device_type, [Group(half)], refused=now, size_rest=rest)
            for half in halves
            if half
        ]

    def remember(self, epoch: float) -> list[Any]:
        """The batches as plain data, in times that are `epoch` later.

        Device type, when its size was refused and the rest from then on (false: never), members.
        """
        return [
            [
                b.device_type,
                [written(b.refused, epoch), b.size_rest] if b.size_rest else False,
                list(b.members),
            ]
            for b in self.batches
        ]

    def recall(self, batches: Iterable[Any], epoch: float, now: float) -> None:
        """Takes the batches of an earlier life up again.

        Where it is only known that a size was refused, as it was once written, it was just now.
        """
        self.batches = []
        for device_type, refusal, members in batches:
            if members and isinstance(device_type, int | None):
                batch = Batch(device_type, [Group(tuple(map(str, members)))])
                if refusal:
                    time, rest = (None, SIZE_REST) if refusal is True else refusal
                    batch.refused = read(time, epoch, now, never=now)
                    batch.size_rest = min(rest, LONGEST_SIZE_REST)
                self.batches.append(batch)

    def ask_once(self) -> None:
        """Makes the ring of an interface that is asked about nothing: one batch, no members."""
        self.batches = [Batch(None, [Group(())])]

    def pending(self, resting: Collection[int | None] = ()) -> Batch | None:
        """The batch whose turn it is in this round; None when all were served.

        `resting` names device types that are not to be called now.
        """
        return self._least_recent(resting, lambda batch: batch.called < self.round_start)

    def repeated(self, resting: Collection[int | None] = ()) -> Batch | None:
        """A batch that was served in this round, but is to be asked once more."""
        return self._least_recent(resting, lambda batch: batch.again)

    def oldest(self, resting: Collection[int | None] = ()) -> Batch | None:
        """The batch that was served longest ago: the first of the next round."""
        return self._least_recent(resting, lambda _: True)

    def _least_recent(
        self, resting: Collection[int | None], chosen: Callable[[Batch], bool]
    ) -> Batch | None:
        return min(
            (b for b in self.batches if b.device_type not in resting and chosen(b)),
            key=lambda batch: batch.called,
            default=None,
        )

    def start_round(self, now: float) -> None:
        """Begins a round: every batch is to be served again."""
        self.round_start = now

    def walk(self, pace: float, every: float) -> float:
        """Seconds from a batch's turn to its next when all calls go as planned."""
        return max(len(self.batches) * pace, every)
