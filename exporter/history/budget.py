"""How many calls history may make: what the daemon leaves over, or a share. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from math import floor, inf

from exporter.account.quotas import Quota


@dataclass(frozen=True, slots=True)
class Budget:
    """What history may use of an interface's allowance: this share, or what is left over."""

    share: float | None = None

    def quotas(self, allowed: Iterable[Quota], used: float) -> tuple[Quota, ...]:
        """What is left of quotas where the daemon makes `used` calls a second of the interface.

        None where nothing is. A quota of which less than one call is left allows one in more time.
        """
        found = []
        for quota in allowed:
            rate = quota.calls / quota.window
            part = self.share if self.share is not None else 1.0 - used / rate
            if part <= 0:
                return ()
            found.append(_part(quota, part))
        return tuple(found)


def _part(quota: Quota, part: float) -> Quota:
    # What is meant to be a whole call must not be lost to rounding.
    calls = floor(quota.calls * part + 1e-9)
    if calls:
        return replace(quota, calls=calls)
    return replace(quota, calls=1, window=quota.window / (quota.calls * part))


def seconds_for(calls: int, quotas: Collection[Quota]) -> float:
    """About how long so many calls take; inf where none is allowed."""
    if not quotas:
        return inf
    return max(((calls - 1) // quota.calls) * quota.window for quota in quotas) if calls else 0.0
