"""Who takes and who lets go: everybody gets a fair share, and nothing moves without need."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.account.postgresql.balance import Balance, balance

NINE = [f"a{n}" for n in range(9)]


def holders_by_count(*counts):
    """Who holds the nine: so many x, y and z; the rest is free."""
    holders = [name for name, count in zip("xyz", counts, strict=False) for _ in range(count)]
    return dict(zip(NINE, [*holders, *[None] * (9 - len(holders))], strict=True))


@pytest.mark.parametrize(
    ("me", "holders", "replicas", "expected"),
    [
        ("x", holders_by_count(), "x", Balance(acquire=9)),
        ("x", holders_by_count(), "xyz", Balance(acquire=3)),
        ("x", holders_by_count(3, 3, 3), "xyz", Balance()),
        ("z", holders_by_count(3, 3), "xyz", Balance(acquire=3)),
        ("x", holders_by_count(3, 3), "xyz", Balance()),  # the rest is for the one who has none
        ("x", holders_by_count(3, 3), "xy", Balance(acquire=1)),
        ("x", holders_by_count(9), "xy", Balance(release="a8")),
        ("x", holders_by_count(5, 4), "xy", Balance()),
        ("x", holders_by_count(5, 3), "xy", Balance()),  # what is free comes first
        ("y", holders_by_count(5, 3), "xy", Balance(acquire=1)),
        ("x", holders_by_count(4, 5), "xyz", Balance(release="a3")),
        ("z", holders_by_count(4, 5), "xyz", Balance()),
        # Of four, each has two: one of those with three lets one go, always the same.
        ("z", holders_by_count(3, 3, 3), "wxyz", Balance(release="a8")),
        ("x", holders_by_count(3, 3, 3), "wxyz", Balance()),
        # What somebody else holds, a command say, is nobody's to take.
        ("x", dict.fromkeys(NINE, "somebody"), "xy", Balance()),
    ],
)
def test_what_a_replica_does_next(me, holders, replicas, expected):
    assert balance(me, NINE, holders, replicas) == expected


@given(
    count=st.integers(0, 25),
    replicas=st.lists(st.sampled_from("uvwxyz"), min_size=1, unique=True),
    holders=st.lists(st.sampled_from([*"uvwxyz", None]), min_size=25, max_size=25),
    order=st.randoms(use_true_random=False),
)
def test_from_any_state_all_have_the_same_soon_and_no_more_moves_than_it_takes(
    count, replicas, holders, order
):
    accounts = [f"a{n:02}" for n in range(count)]
    now = dict(zip(accounts, holders, strict=False))
    now = {name: who if who in replicas else None for name, who in now.items()}
    before = Counter(who for who in now.values() if who)
    released = 0
    quiet = False
    while not quiet:
        quiet = True
        order.shuffle(replicas)
        for me in replicas:
            step = balance(me, accounts, now, replicas)
            free = [name for name in accounts if now[name] is None]
            now |= dict.fromkeys(free[: step.acquire], me)
            if step.release is not None:
                assert now[step.release] == me
                now[step.release] = None
                released += 1
            quiet &= step == Balance()
    assert None not in now.values()
    sizes = Counter(now.values())
    counts = [sizes[each] for each in replicas]
    assert max(counts) - min(counts) <= 1
    most = -(-count // len(replicas))
    assert released <= sum(max(0, before[each] - count // len(replicas)) for each in replicas)
    assert released >= sum(max(0, before[each] - most) for each in replicas)
