"""What the daemon is going to do with the allowances, and what would make values fresher."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from exporter.config import AccountSettings, Settings
from exporter.northbound.interfaces import EDITIONS, LOGIN
from exporter.polling.inventory import Inventory
from exporter.polling.lane import Lane, Wish
from exporter.status.text import duration
from exporter.wiring import wish_of, wishes_of

_CONDITIONS = {"classic": "if older than July 2022", "v6": "if younger than that"}

_MUCH = 0.8  # of a time; what is saved beyond that is not worth a setting


@dataclass(frozen=True, slots=True)
class Planned:
    """One interface: calls a round, seconds from call to call and from round to round.

    Values are as old as a round at most; `fresher` tells what would shorten it.
    """

    interface: str
    calls: int
    pace: float
    freshness: float
    fresher: tuple[str, ...]


def plan_of(
    settings: Settings, account: AccountSettings, inventory: Inventory, edition: str | None
) -> list[Planned]:
    """The plan for each enabled interface; `edition` is the one known to hold, if any is."""
    lanes = [
        _lane(wish, inventory, wish.interface.device_types)
        for wish in wishes_of(settings, account)
        if wish.interface is not LOGIN
    ]
    return [
        Planned(
            lane.interface.name,
            len(lane.ring.batches),
            lane.pace,
            lane.walk,
            tuple(_fresher(settings, account, inventory, lane, edition)),
        )
        for lane in lanes
        if lane.ring.batches
    ]


def _lane(wish: Wish, inventory: Inventory, device_types: Collection[int]) -> Lane:
    """An interface as the daemon would walk it over the devices of these types."""
    lane = Lane(wish)
    wanted = inventory.wanted(wish.interface.subject, device_types)
    lane.fit(wanted, inventory.size(device_types), inventory.weights())
    return lane


def _fresher(
    settings: Settings,
    account: AccountSettings,
    inventory: Inventory,
    lane: Lane,
    known: str | None,
) -> Iterator[str]:
    interface = lane.interface
    wish = wish_of(settings, account, interface)
    possible = lane.ring.walk(lane.pace, 0.0)
    if possible < _MUCH * lane.every:
        yield f"every: {_written(possible)}"
        return
    if settings.interface(account, interface.name).allowance:
        yield "a larger allowance, if the account has one"
        return
    for edition, condition in _CONDITIONS.items():
        limits = EDITIONS[edition](interface)
        other = _lane(replace(wish, limits=limits), inventory, interface.device_types)
        if other.walk < lane.walk and known in (None, edition):
            yield f"limits: {edition} ({duration(other.walk)}), {condition}"
    kinds = inventory.by_type(interface.device_types).keys() - {None}
    if len(kinds) > 1:
        types = (interface.device_types - {kind} for kind in kinds)
        shortest = min(_lane(wish, inventory, others).walk for others in types)
        if shortest < lane.walk:
            yield f"one of device_types less ({duration(shortest)})"


def _written(seconds: float) -> str:
    """A duration as the configuration has it."""
    return duration(seconds).replace(" min", "m").replace(" ", "")
