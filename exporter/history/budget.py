"""How many calls history may make: what the daemon leaves over, or a share. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from math import floor, inf

from exporter.account.quotas import Quota


def quotas_left(
    allowed: Iterable[Quota], used: float, share: float | None = None
) -> tuple[Quota, ...]:
    """What history may use of quotas: a share, or what `used` calls a second leave over.

    None where nothing is left. A quota of which less than one call is left allows one in more time.
    """
    found = []
    for quota in allowed:
        part = 1.0 - used / (quota.calls / quota.window) if share is None else share
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
