"""What both archives promise: a file, and tables of a database that replicas share."""

from contextlib import ExitStack, contextmanager
from math import inf
from threading import Lock, Thread

import pytest
from account.shared import Member, execute, expire

from exporter.account.postgresql.fence import Fence
from exporter.account.quotas import Call
from exporter.history import archive_tables
from exporter.history.archive import ArchiveBusyError, ArchiveError, Coverage, Pending
from exporter.history.archive_file import archive_in_file
from exporter.history.archive_tables import archive_in_tables
from exporter.history.plan import HistoryUnit
from exporter.northbound.interfaces import DAY, HOUR
from exporter.northbound.records import Alarm, Reading, TimedReading, Values

DAYS, ALARMS = "getKpiStationDay", "getAlarmList"


def fence_of(member, name="a/history", turn=None):
    return Fence(member.connections, member.replica.id, name, turn or Lock())


@pytest.fixture
def member(database_url):
    made = Member(database_url)
    made.settle()
    yield made
    made.close()


@pytest.fixture(params=["file", pytest.param("postgresql", marks=pytest.mark.slow)])
def open_archive(request, tmp_path):
    """Opens the same archive once more."""
    if request.param == "file":
        return lambda: archive_in_file(tmp_path / "archive.history")
    fence = fence_of(request.getfixturevalue("member"))
    return lambda: archive_in_tables(fence)


def unit(subject="A", begin=0.0, interface=DAYS):
    return HistoryUnit(begin, interface, subject)


def rows(*values, subject="A"):
    return tuple(
        TimedReading(n * DAY, Reading(subject, Values({"inverter_power": value})))
        for n, value in enumerate(values)
    )


def test_an_answer_comes_back_as_it_was_kept(open_archive):
    alarm = Alarm("A", "sn", "1", "2", 5.0, name="\0 ü", recovered=7.0)
    with open_archive() as archive:
        archive.store({unit("A"): rows(1.5, 2.0), unit("B\0\\"): ()}, 9.0)
        archive.store({unit("A", interface=ALARMS): (alarm,)}, 8.0)
        archive.store({unit("C"): ()}, 7.0, "20026")
    with open_archive() as archive:
        assert archive.rows(unit("A")) == rows(1.5, 2.0)
        assert archive.rows(unit("B\0\\")) == ()
        assert archive.rows(unit("nobody")) == ()
        assert archive.rows(unit("A", interface=ALARMS)) == (alarm,)
        assert archive.covered(DAYS) == {
            unit("A"): Coverage(9.0),
            unit("B\0\\"): Coverage(9.0),
            unit("C"): Coverage(7.0, "20026"),
        }
        assert archive.covered(ALARMS) == {unit("A", interface=ALARMS): Coverage(8.0)}


def test_a_later_answer_takes_the_place_of_an_earlier_one(open_archive):
    with open_archive() as archive:
        archive.store({unit(): rows(1.0)}, 1.0)
        archive.store({unit(): rows(1.0, 2.0)}, 2.0)
        assert archive.rows(unit()) == rows(1.0, 2.0)
        assert archive.covered(DAYS) == {unit(): Coverage(2.0)}


def test_a_target_lacks_what_it_was_not_sent_the_earliest_first(open_archive):
    with open_archive() as archive:
        archive.store(
            {unit("B"): rows(1.0), unit("A", 50.0): rows(1.0), unit("A"): rows(1.0)}, 90.0
        )
        archive.store({unit("empty"): ()}, 90.0)
        lacking = [
            Pending(unit("A"), 10.0, 80.0),
            Pending(unit("B"), 10.0, 80.0),
            Pending(unit("A", 50.0), 10.0, 80.0),
        ]
        assert list(archive.pending("x", 10.0, 80.0)) == lacking

        archive.sent("x", lacking[1:])
        assert list(archive.pending("x", 10.0, 80.0)) == lacking[:1]
        assert list(archive.pending("y", 10.0, 80.0)) == lacking
        # What lies before and after, and what was answered later, comes by itself.
        assert list(archive.pending("x", 0.0, 95.0)) == [
            Pending(unit("A"), 0.0, 90.0),
            Pending(unit("B"), 0.0, 90.0),
            Pending(unit("A", 50.0), 0.0, 90.0),
        ]
        archive.store({unit("B"): rows(1.0, 2.0)}, 99.0)
        assert list(archive.pending("x", 10.0, 99.0))[1] == Pending(unit("B"), 80.0, 99.0)
        # Nothing lies after its end.
        assert list(archive.pending("x", 99.0, 200.0)) == []


def test_a_unit_may_tell_of_what_lies_before_its_begin_as_days_do_in_the_east(open_archive):
    begin = 10 * DAY
    with open_archive() as archive:
        archive.store({unit("A", begin): rows(begin - 1.0)}, begin + DAY)
        first = Pending(unit("A", begin), begin - 14 * HOUR, begin - 60.0)
        assert list(archive.pending("x", 0.0, begin - 60.0)) == [first]
        archive.sent("x", [first])
        assert list(archive.pending("x", 0.0, begin - 60.0)) == []
        assert list(archive.pending("x", 0.0, begin)) == [
            Pending(unit("A", begin), begin - 60.0, begin)
        ]
        assert list(archive.pending("x", 0.0, begin - 14 * HOUR)) == []


def test_what_was_sent_without_the_unit_before_is_sent_again(open_archive):
    with open_archive() as archive:
        archive.store({unit(): rows(1.0)}, 90.0)
        archive.sent("x", [Pending(unit(), inf, 90.0)])
        assert list(archive.pending("x", 0.0, 90.0)) == [Pending(unit(), 0.0, 90.0, is_again=True)]
        archive.sent("x", archive.pending("x", 0.0, 90.0))
        assert list(archive.pending("x", 0.0, 90.0)) == []


def test_calls_are_remembered_for_days(open_archive):
    with open_archive() as archive:
        archive.note_call(DAYS, None, 1.0, 2.0)
        archive.note_call(DAYS, 1, 3 * DAY, 3 * DAY + 5.0)
        archive.note_call(DAYS, 38, 3 * DAY + 2.0, 3 * DAY + 3.0)
        archive.note_call(ALARMS, None, 3 * DAY, 3 * DAY)
    with open_archive() as archive:
        assert archive.calls(DAYS, 100.0).calls == [
            Call(3 * DAY - 100.0, 3 * DAY - 100.0, 5.0, 1),
            Call(3 * DAY - 98.0, 3 * DAY - 98.0, 1.0, 38),
        ]


def test_one_job_at_a_time_has_it(open_archive):
    with open_archive():
        with (
            pytest.raises(ArchiveBusyError, match="another process fetches the history"),
            open_archive(),
        ):
            pass
        with pytest.raises(ArchiveBusyError), open_archive():
            pass
    with open_archive() as archive:
        assert archive.covered(DAYS) == {}


# --- in a database -----------------------------------------------------------------------------


@pytest.fixture
def other(database_url, member):  # noqa: ARG001  # comes second
    made = Member(database_url)
    made.settle()
    yield made
    made.close()


@contextmanager
def refused():
    with ExitStack() as stack:
        stack.enter_context(pytest.raises(ArchiveBusyError))
        yield


@pytest.mark.slow
def test_the_next_holder_goes_on_where_a_dead_one_stopped(member, other, database_url):
    with archive_in_tables(fence_of(member)) as archive:
        archive.store({unit(): rows(1.0)}, 9.0)
        with refused(), archive_in_tables(fence_of(other)):
            pass
        expire(database_url, member)
        with archive_in_tables(fence_of(other)) as next_one:
            assert next_one.covered(DAYS) == {unit(): Coverage(9.0)}
            # Of the one before nothing is written any more.
            with refused():
                archive.store({unit(): rows(2.0)}, 10.0)
            with refused():
                archive.covered(DAYS)
            assert next_one.rows(unit()) == rows(1.0)


@pytest.mark.slow
def test_accounts_have_archives_of_their_own(member):
    with (
        archive_in_tables(fence_of(member, "a/history")) as a,
        archive_in_tables(fence_of(member, "b/history")) as b,
    ):
        a.store({unit(): rows(1.0)}, 9.0)
        a.note_call(DAYS, None, 1.0, 2.0)
        assert (b.covered(DAYS), b.rows(unit()), b.calls(DAYS, 0.0).calls) == ({}, (), [])
        assert list(b.pending("x", 0.0, 9.0)) == []


@pytest.mark.slow
def test_archives_of_a_process_take_one_connection_however_many_there_are(member):
    turn, read = Lock(), []
    fences = [fence_of(member, f"{name}/history", turn) for name in "ab"]
    with archive_in_tables(fences[0]), archive_in_tables(fences[1]) as archive:
        waiting = Thread(target=lambda: read.append(archive.covered(DAYS)))
        with fences[0].transaction():
            waiting.start()
            waiting.join(0.3)
            assert read == []
        waiting.join()
    assert read == [{}]


@pytest.mark.slow
def test_it_is_read_part_by_part(member, monkeypatch):
    monkeypatch.setattr(archive_tables, "PART", 3)
    units = [unit(subject, begin) for begin in (0.0, 5.0) for subject in "ABCD"]
    with archive_in_tables(fence_of(member)) as archive:
        archive.store(dict.fromkeys(units, rows(1.0)), 9.0)
        assert archive.covered(DAYS) == dict.fromkeys(units, Coverage(9.0))
        found = []
        for each in archive.pending("x", 0.0, 9.0):
            found.append(each.unit)
            archive.sent("x", [each])  # what is noted meanwhile moves nothing
        assert found == units


@pytest.mark.slow
def test_without_the_database_it_says_so_and_can_be_opened_again(
    member, postgres_server, monkeypatch
):
    monkeypatch.setattr("exporter.account.postgresql.connections._RETRY", 0.0)
    fence = fence_of(member)
    archive = None
    with ExitStack() as stack:
        stack.enter_context(pytest.raises(ArchiveError, match=r"^postgresql://127.0.0.1/"))
        archive = stack.enter_context(archive_in_tables(fence))
        archive.store({unit(): rows(1.0)}, 9.0)
        postgres_server.stop()
        stack.callback(postgres_server.start)
        archive.store({unit(): rows(2.0)}, 9.0)
    # It was not let go in the database, but is known to be ours.
    with archive_in_tables(fence) as again:
        assert again.rows(unit()) == rows(1.0)


@pytest.mark.slow
def test_a_user_without_a_right_to_make_tables_uses_those_that_are_there(member, database_url):
    with archive_in_tables(fence_of(member)):
        pass
    tables = [f"fusionsolar_{name}" for name in ("replica", "account", "row", "host")]
    tables += [f"fusionsolar_history_{name}" for name in ("answer", "sent", "call")]
    for statement in (
        "DROP ROLE IF EXISTS plain",
        "CREATE ROLE plain LOGIN",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {', '.join(tables)} TO plain",
        "GRANT SELECT ON fusionsolar_schema TO plain",
    ):
        execute(database_url, statement)
    plain = Member(database_url.replace("exporter@", "plain@"))
    plain.settle()
    with archive_in_tables(fence_of(plain)) as archive:
        archive.store({unit(): rows(1.0)}, 9.0)
        archive.sent("x", archive.pending("x", 0.0, 9.0))
        archive.note_call(DAYS, None, 1.0, 2.0)
        assert archive.rows(unit()) == rows(1.0)
    plain.close()
    for statement in ("DROP OWNED BY plain", "DROP ROLE plain"):
        execute(database_url, statement)
