"""What both stores of an account's rows promise: a file of its own, and a shared database."""

import pytest
from account.shared import Member
from account.state_files import MORE, SOME, values, write_rows

from exporter.account.database import Database


@pytest.fixture(params=["file", pytest.param("postgresql", marks=pytest.mark.slow)])
def open_rows(request, path):
    """Opens the rows of the same account once more, as its only process or as a command beside."""
    if request.param == "file":
        databases = []

        def open_rows(*, beside=False):
            databases.append(Database(path, locked=not beside))
            return databases[-1]

        yield open_rows
        for each in databases:
            each.close()
        return
    member = Member(request.getfixturevalue("database_url"))
    member.settle()
    yield lambda *, beside=False: member.guest() if beside else member.rows()
    member.close()


def test_what_was_written_is_read_by_kind_and_name(open_rows):
    rows = open_rows()
    write_rows(rows, SOME)
    write_rows(rows, MORE)

    for each in (rows, open_rows()):
        assert values(each, "interface") == {"a": [1.5, None], "c": list(range(2_000))}
        assert values(each, "session") == {"": {"token": "t"}}
        assert values(each, "nothing") == {}
    assert rows.is_kept


def test_a_row_comes_back_as_it_was(open_rows):
    rows = open_rows()
    write_rows(rows, SOME)
    written = rows.read("interface")["a"]

    found = open_rows().read("interface")["a"]
    assert (found, found.body) == (written, "[1.5, null]")
    assert (found.stamp.boot, found.stamp.offset, found.stamp.now) == ("boot", 1.0, 2.0)


@pytest.mark.parametrize("name", ["\0", "a\0b", "\\0", "\\\\0\0\\", "ü'\n\"", ""])
def test_a_row_may_have_any_name(open_rows, name):
    write_rows(open_rows(), {("interface", name): 1})

    assert values(open_rows(), "interface") == {name: 1}


def test_a_claim_writes_all_at_its_end(open_rows):
    rows, command = open_rows(), open_rows(beside=True)
    write_rows(rows, SOME)
    assert values(command, "session") == {"": {"token": "t"}}

    with rows.claim():
        assert rows.may_call
        write_rows(rows, {("interface", "a"): 1})
        write_rows(rows, {("interface", "b"): None})
        assert values(rows, "interface") == {"a": 1}
        assert values(command, "interface") == {"a": [1.5, None], "b": {"x": "ü\n"}}

    assert values(command, "interface") == {"a": 1}
    assert rows.may_call


def test_a_command_and_the_holder_see_what_the_other_wrote(open_rows):
    rows, command = open_rows(), open_rows(beside=True)
    write_rows(rows, SOME)
    with command.claim():
        assert values(command, "session") == {"": {"token": "t"}}
        write_rows(command, {("call", "1"): "made"})

    with rows.claim():
        assert values(rows, "call") == {"1": "made"}
    assert command.may_call


def test_nothing_was_deleted_or_abandoned(open_rows):
    rows = open_rows()
    write_rows(rows, SOME)

    assert not rows.was_deleted()
    assert not rows.was_abandoned()
