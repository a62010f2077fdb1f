"""Which accounts a replica acquires, and which one it releases: pure, and the same for all.

Everybody has as many as all others, or one more. What nobody holds is taken; beyond that, one
account after the other moves from who has too many to who has too few, and no other ever moves.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Balance:
    """How many of the free accounts to acquire, and which one to release, if any."""

    acquire: int = 0
    release: str | None = None


def balance(
    me: str, accounts: Collection[str], holders: Mapping[str, str | None], replicas: Collection[str]
) -> Balance:
    """What a replica does next.

    Args:
        me: This replica.
        accounts: Those that it may work with.
        holders: Who holds an account, of the replicas that live; of any of them, the same.
        replicas: Those that share these accounts, this one among them.
    """
    counts = dict.fromkeys(replicas, 0)
    for account in accounts:
        holder = holders.get(account)
        if holder in counts:
            counts[holder] += 1
    mine = counts[me]
    free = sum(holders.get(account) is None for account in accounts)
    least, more = divmod(len(accounts), len(counts))
    most = least + bool(more)
    someone_lacks = any(count < least for replica, count in counts.items() if replica != me)
    if free:
        return Balance(acquire=min(free, max(0, (least if someone_lacks else most) - mine)))
    has_surplus = mine > most or (mine > least and someone_lacks)
    if has_surplus and (mine > most or me == max(counts, key=lambda each: (counts[each], each))):
        return Balance(release=max(each for each in accounts if holders.get(each) == me))
    return Balance()
