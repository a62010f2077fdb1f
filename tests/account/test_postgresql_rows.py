"""Rows in a database that others use too: fenced, migrated, and without it no call is made."""

import json
import threading

import pytest
from account.shared import Member, execute, expire
from account.state_files import SOME, events, values, write_rows
from structlog.testing import capture_logs

from exporter.account.migrations import MIGRATIONS, VERSION
from exporter.account.postgresql import rows as module
from exporter.account.postgresql.connections import Connections
from exporter.account.postgresql.schema import SCHEMA

pytestmark = pytest.mark.slow


@pytest.fixture
def member(database_url):
    made = Member(database_url)
    made.settle()
    yield made
    made.close()


@pytest.fixture
def other(database_url, member):  # noqa: ARG001  # comes second
    made = Member(database_url)
    yield made
    made.close()


def test_whoever_has_lost_the_account_makes_no_call_and_writes_nothing(member, other, database_url):
    rows = member.rows()
    write_rows(rows, SOME)
    expire(database_url, member)
    assert other.settle() == ["a"]

    with capture_logs() as logs:
        write_rows(rows, {("interface", "a"): "fenced"})
        with rows.claim():
            assert not rows.may_call
            write_rows(rows, {("interface", "a"): "fenced"})
        member.beat()  # it lives again, and holds nothing
        with rows.claim():
            write_rows(rows, {("interface", "a"): "fenced"})

    assert not rows.may_call
    assert not rows.is_kept
    assert values(other.rows(), "interface")["a"] == [1.5, None]
    assert events(logs) == ["state is not kept", "accounts were taken over by other replicas"]


def test_a_lease_that_is_over_permits_no_call_but_what_happened_is_written(member, database_url):
    rows = member.rows()
    expire(database_url, member)

    with rows.claim():
        assert not rows.may_call
        write_rows(rows, SOME)

    assert values(member.rows(), "session") == {"": {"token": "t"}}
    member.beat()
    with rows.claim():
        assert rows.may_call


def test_a_permission_ends_with_the_lease_by_the_steady_clock(member):
    rows = member.rows(member.clock)
    with rows.claim():
        pass

    assert rows.may_call
    member.clock.advance(13.0)
    assert rows.may_call
    member.clock.advance(2.0)
    assert not rows.may_call


def test_while_an_account_is_claimed_nobody_takes_it_nor_waits(member, other, database_url):
    rows = member.rows()
    with rows.claim():
        expire(database_url, member)
        assert other.settle() == []
        write_rows(rows, SOME)

    assert other.beat() == ["a"]
    assert values(other.rows(), "session") == {"": {"token": "t"}}


def test_a_command_waits_while_the_holder_decides(member):
    rows, command = member.rows(), member.guest()
    read_values = []

    def decide():
        with command.claim():
            read_values.append(values(command, "interface"))

    thread = threading.Thread(target=decide)
    with rows.claim():
        thread.start()
        thread.join(0.2)
        assert read_values == []
        write_rows(rows, {("interface", "a"): 1})
    thread.join()

    assert read_values == [{"a": 1}]


def test_without_the_database_no_call_is_made_and_what_is_learned_is_written_later(
    member, postgres_server, monkeypatch
):
    monkeypatch.setattr("exporter.account.postgresql.connections._RETRY", 0.0)
    rows = member.rows()
    write_rows(rows, SOME)
    with capture_logs() as logs:
        postgres_server.stop()
        try:
            with rows.claim():
                assert not rows.may_call
            write_rows(rows, {("interface", "a"): "late"})
            assert not rows.is_kept
            assert values(rows, "interface") == {"a": "late"}
        finally:
            postgres_server.start()
        with rows.claim():
            assert rows.may_call

    assert rows.may_call
    assert rows.is_kept
    assert values(member.rows(), "interface") == {"a": "late", "b": {"x": "ü\n"}}
    assert events(logs) == [
        "state cannot be kept, no call is made until it can",
        "state is kept again",
    ]


def test_a_claim_that_cannot_be_written_permits_no_call(member, database_url):
    rows = member.rows()
    with rows.claim():
        assert rows.may_call
        write_rows(rows, SOME)
        execute(
            database_url,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid != pg_backend_pid()"
            " AND datname = current_database()",
        )

    assert not rows.may_call
    assert not rows.is_kept


def test_rows_of_an_earlier_version_are_migrated_once(member, database_url, monkeypatch):
    write_rows(member.rows(), {("old", "a"): {"x": 1}, ("other", ""): 2})
    execute(database_url, "UPDATE fusionsolar_account SET version = 0")

    def rename(file):
        file.execute("UPDATE rows SET kind = 'new' WHERE kind = 'old'")

    steps = {number: lambda _file: None for number in range(VERSION)}
    monkeypatch.setattr(module, "MIGRATIONS", steps | {0: rename})
    rows = member.rows()

    assert values(rows, "new") == {"a": {"x": 1}}
    assert values(rows, "old") == {}
    assert values(member.rows(), "other") == {"": 2}
    assert execute(database_url, "SELECT version FROM fusionsolar_account") == [(VERSION,)]
    assert set(MIGRATIONS) == set(range(1, VERSION))


def test_rows_of_a_later_version_are_taken_over_and_said_once(member, database_url):
    write_rows(member.rows(), SOME)
    execute(database_url, "UPDATE fusionsolar_account SET version = %s", VERSION + 1)

    with capture_logs() as logs:
        assert values(member.rows(), "session") == {"": {"token": "t"}}
        assert values(member.rows(), "session") == {"": {"token": "t"}}

    assert events(logs) == ["state of a later version, taking over what is understood"]


def test_tables_of_a_later_version_are_let_be(member, database_url):
    write_rows(member.rows(), SOME)
    execute(database_url, "UPDATE fusionsolar_schema SET version = %s", SCHEMA + 1)
    late = Member(database_url)

    with capture_logs() as logs:
        late.replica.try_to_beat()

    assert [(each["event"], each["reason"]) for each in logs] == [
        ("database unreachable", "its tables are of version 2, this one uses 1")
    ]
    assert execute(database_url, "SELECT count(*) FROM fusionsolar_row") == [(3,)]


def test_a_user_without_a_right_to_make_tables_uses_those_that_are_there(member, database_url):
    write_rows(member.rows(), SOME)
    tables = "fusionsolar_replica, fusionsolar_account, fusionsolar_row, fusionsolar_host"
    for statement in (
        "DROP ROLE IF EXISTS plain",
        "CREATE ROLE plain LOGIN",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {tables} TO plain",
        "GRANT SELECT ON fusionsolar_schema TO plain",
    ):
        execute(database_url, statement)
    plain = Member(database_url.replace("exporter@", "plain@"))

    assert plain.beat() == []
    plain.close()
    for statement in ("DROP OWNED BY plain", "DROP ROLE plain"):
        execute(database_url, statement)


@pytest.mark.parametrize("url", ["postgresql://[::1/x", "postgresql://h/d?nothing=1"])
def test_what_is_no_url_is_refused_without_being_quoted(url):
    with pytest.raises(ValueError, match=r"^is no URL that PostgreSQL understands$") as refused:
        Connections(url)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize(
    "url",
    ["postgresql://me:pa@ss@h/d", "postgresql://me:pa/ss@h/d", "postgres://me@pa@ss@h:1/d?a=b"],
)
def test_a_password_that_would_be_taken_for_a_host_or_database_is_refused(url):
    reason = "^has a password with @ or /, which have to be written as %40 and %2F$"
    with pytest.raises(ValueError, match=reason):
        Connections(url)
    assert Connections("postgresql://me:pa%40s%2Fs@h/d?options=a@b").name == "postgresql://h/d"


def test_the_name_of_a_database_tells_no_user_and_no_password():
    connections = Connections("postgresql://someone:secret@db.example:5433/state?sslmode=require")

    assert connections.name == "postgresql://db.example/state"
    assert json.dumps(connections.name).count("secret") == 0


def test_a_database_that_was_read_only_is_written_to_again(member, database_url):
    (name,) = execute(database_url, "SELECT current_database()")[0]
    read_only = f'ALTER DATABASE "{name}" SET default_transaction_read_only = '
    execute(database_url, f"{read_only}on")
    late = Member(database_url)
    late.replica.try_to_beat()
    execute(f"{database_url}?options=-cdefault_transaction_read_only%3Doff", f"{read_only}off")
    with capture_logs() as logs:
        late.replica.try_to_beat()
    late.close()

    assert [each["event"] for each in logs] == ["database reachable again"]
    assert member.beat() == ["a"]
