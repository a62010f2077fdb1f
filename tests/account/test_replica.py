"""Replicas on a real database: who holds which account, and for how long."""

import pytest
from account.shared import Member, execute, expire
from structlog.testing import capture_logs

from exporter.account.migrations import VERSION
from exporter.account.postgresql import connections
from exporter.account.postgresql.host_gate import SharedHostGate
from exporter.account.postgresql.leases import HEARTBEAT, LEASE
from exporter.northbound.errors import status_error

pytestmark = pytest.mark.slow

SIX = [f"a{n}" for n in range(6)]


@pytest.fixture
def members(database_url):
    """Makes replicas of six accounts."""
    made = []

    def member(accounts=SIX, **more):
        made.append(Member(database_url, accounts, **more))
        return made[-1]

    yield member
    for each in made:
        each.close()


def test_the_accounts_of_a_dead_replica_can_be_taken_within_thirty_seconds():
    assert LEASE + HEARTBEAT < 20


def test_replicas_that_start_together_share_from_the_first(members):
    one, two, three = members(), members(), members()
    assert [each.beat() for each in (one, two, three)] == [[], [], []]
    assert not one.replica.has_begun
    for each in (one, two, three):
        each.clock.advance(6.0)

    assert [len(each.beat()) for each in (one, two, three)] == [2, 2, 2]
    assert one.replica.has_begun


def test_one_that_comes_later_gets_its_share_one_account_at_a_time(members):
    one = members()
    assert one.settle() == SIX
    two = members()
    assert two.settle() == []

    for count in (1, 2, 3):
        one.beat()
        assert len(one.replica.leaving) == 1
        one.beat()  # nothing more is let go as long as that one is at work
        (leaving,) = one.replica.leaving
        assert two.beat() == SIX[7 - count :]
        one.replica.release(leaving)
        assert two.beat() == SIX[6 - count :]
    one.beat()
    assert (one.beat(), list(one.replica.leaving)) == (SIX[:3], [])


def test_the_accounts_of_a_dead_one_are_taken_with_the_word_that_it_may_be_alive(
    members, database_url
):
    one, two = members(), members()
    one.beat()
    two.settle()
    one.settle()
    expire(database_url, one)

    assert two.beat() == SIX
    taken = {name: lease.abandoned for name, lease in two.replica.leases.items()}
    assert taken == dict.fromkeys(SIX[:3], False) | dict.fromkeys(SIX[3:], True)


def test_what_was_let_go_was_not_abandoned(members):
    one = members()
    one.settle()
    one.replica.release("a0")
    two = members()
    two.settle()

    assert [(each.account, each.abandoned) for each in two.replica.leases.values()] == [
        ("a0", False)
    ]


def test_whoever_leaves_is_followed_at_once(members):
    one, two = members(), members()
    one.settle()
    two.settle()
    one.replica.leave()

    assert two.beat() == SIX
    assert {each.abandoned for each in two.replica.leases.values()} == {True}


def test_each_change_of_holders_raises_the_epoch(members, database_url):
    one, two = members(["a"]), members(["a"])
    one.settle()
    first = one.replica.leases["a"].epoch
    expire(database_url, one)
    two.beat()
    two.clock.advance(6.0)
    assert two.beat() == ["a"]
    assert two.replica.leases["a"].epoch == first + 1
    assert one.beat() == []


def test_a_lease_that_ran_out_while_nobody_wanted_it_goes_on(members, database_url):
    one = members()
    one.settle()
    before = dict(one.replica.leases)
    expire(database_url, one)

    one.clock.advance(60.0)
    assert one.beat() == SIX
    assert dict(one.replica.leases) == before


def test_after_the_database_was_away_nobody_takes_before_all_are_known_again(members, database_url):
    one, two = members(), members()
    one.beat()
    two.settle()
    one.settle()
    expire(database_url, one)
    expire(database_url, two)

    two.clock.advance(LEASE)
    assert len(two.beat()) == 3  # its own
    assert len(one.beat()) == 3
    two.clock.advance(6.0)
    assert len(two.beat()) == 3


def test_replicas_with_other_accounts_take_no_share_of_these(members):
    old, new = members(SIX[:4]), members()
    old.settle()

    assert new.settle() == SIX[4:]
    assert len(old.beat()) == 4


def test_an_account_that_is_deleted_from_the_configuration_is_let_go(members):
    one = members()
    one.settle()
    one.replica.configure(SIX[1:])

    assert one.replica.leaving == {"a0"}
    assert one.beat() == SIX[1:]
    one.replica.release("a0")
    assert one.replica.leaving == set()


def test_an_account_whose_row_was_deleted_is_taken_anew(members, database_url):
    one = members()
    one.settle()
    execute(database_url, "DELETE FROM fusionsolar_account WHERE account = 'a0'")

    assert one.beat() == SIX[1:]
    assert one.beat() == SIX


def test_a_command_keeps_what_it_takes_and_takes_what_nobody_holds(members):
    command = members(share=False)
    command.beat()
    assert command.replica.acquire("a0")
    one = members()

    assert one.settle() == SIX[1:]
    assert not command.replica.acquire("a1")
    command.replica.leave()
    assert one.beat() == SIX


def test_what_a_later_version_wrote_is_left_to_it_as_long_as_there_is_one(members, database_url):
    one, newer = members(), members(["other"])
    newer.beat()
    one.beat()
    execute(database_url, "UPDATE fusionsolar_account SET version = %s", VERSION + 1)
    later = "UPDATE fusionsolar_replica SET version = %s WHERE id = %s"
    execute(database_url, later, VERSION + 1, newer.replica.id)
    one.clock.advance(6.0)

    assert one.beat() == []
    expire(database_url, newer)
    assert one.beat() == SIX


def test_a_database_out_of_reach_is_said_once(members, postgres_server, monkeypatch):
    monkeypatch.setattr(connections, "_RETRY", 0.0)
    one = members()
    one.settle()
    with capture_logs() as logs:
        postgres_server.stop()
        try:
            for _ in range(3):
                one.replica.try_to_beat()
            assert sorted(one.replica.leases) == SIX
            assert one.replica.is_alive
            one.clock.advance(LEASE)
            assert not one.replica.is_alive
        finally:
            postgres_server.start()
        one.replica.try_to_beat()

    assert [each["event"] for each in logs] == ["database unreachable", "database reachable again"]
    assert one.replica.is_alive


# --- the gate of a host -------------------------------------------------------------------------


@pytest.fixture
def gates(members):
    """The gates of one host, of two replicas."""
    one, two = members(), members()
    for each in (one, two):
        each.beat()
    return [
        SharedHostGate(each.connections, each.clock, "host:443", each.replica.id)
        for each in (one, two)
    ]


def test_logins_of_all_replicas_take_turns(gates):
    one, two = gates
    assert one.acquire_turn(1000.0) == 0.0
    assert two.acquire_turn(1000.0) == 1.0
    two.release_turn(1000.0)  # it has no turn to end
    assert two.acquire_turn(1001.0) == 1.0
    one.release_turn(1000.0)
    assert two.acquire_turn(1002.0) == 0.0


def test_a_turn_ends_by_itself(gates, database_url):
    one, two = gates
    assert one.acquire_turn(1000.0) == 0.0
    execute(database_url, "UPDATE fusionsolar_host SET turn_ends = clock_timestamp()")
    assert two.acquire_turn(1000.0) == 0.0


def test_a_pause_is_everybodys_until_it_is_lifted(gates):
    one, two = gates
    one.refuse(999.0, 1000.0, status_error(429), 1.0)
    assert one.pause.until == 1300.0
    two.look()
    assert (two.pause.wait, round(two.pause.until)) == (300.0, 1300)
    one.look()
    assert one.pause.until == 1300.0

    two.lift()
    one.look()
    assert (one.pause.until < 1000.0, two.pause.until < 1000.0) == (True, True)


def test_without_the_database_nobody_logs_in(gates, postgres_server):
    one, _ = gates
    postgres_server.stop()
    try:
        assert one.acquire_turn(1000.0) == 1.0
        one.release_turn(1000.0)
    finally:
        postgres_server.start()
