"""Sessions of a command: the daemon's while it runs, else its own."""

import pytest
from commands.probing import QUERY, QUESTION, Client, probe

from exporter.account.codec import StoredRow
from exporter.account.database import Database
from exporter.account.login import Login
from exporter.account.probe import NoSessionError, NotNowError
from exporter.clock import ClockStamp
from exporter.northbound.errors import CallError, reason_error

pytestmark = pytest.mark.slow


def test_the_first_call_logs_in_and_later_commands_use_the_session(home):
    database = Database()
    probe(home, database).call(QUERY, QUESTION)
    probe(home, database).call(QUERY, QUESTION)

    assert home.calls("login") == 1
    assert home.clock.waits == [61]


def test_while_the_daemon_logs_in_a_command_waits(home):
    database, now = home.database, home.clock.now()
    probe(home, database).open()
    with home.stored(database) as state:
        state.logins.change("", Login).log.start(now, now)

    with pytest.raises(NotNowError):
        probe(home, database, guest=True).call(QUERY, QUESTION)

    assert home.calls("snIsRegister") == 0


def test_a_refused_session_is_replaced_once_when_it_is_ours(home):
    database = Database()
    client = Client(home, database, reason_error("305"), {"ok": 1})

    assert probe(home, database, client=client).call(QUERY, QUESTION) == {"ok": 1}

    with home.stored(database) as state:
        assert state.login.token == "new"
    assert home.clock.waits == [61]  # the refused call counts


def test_a_session_that_is_refused_again_is_an_error(home):
    database = Database()
    client = Client(home, database, reason_error("305"), reason_error("305"))

    with pytest.raises(CallError, match="305"):
        probe(home, database, client=client).call(QUERY, QUESTION)


def test_beside_a_daemon_a_refused_session_is_left_to_it(home):
    probe(home, home.database).open()
    home.system.sessions.end("api")

    with pytest.raises(NoSessionError, match="try again in a minute"):
        probe(home, home.database, guest=True).call(QUERY, QUESTION)

    assert home.calls("login") == 1
    with home.stored() as state:
        assert state.login.token is not None  # the daemon's to change


def test_beside_a_daemon_without_a_session_nothing_is_asked(home):
    with pytest.raises(NoSessionError):
        probe(home, home.database, guest=True).call(QUERY, QUESTION)

    assert home.calls("login") == home.calls("snIsRegister") == 0


def test_beside_a_daemon_its_next_session_is_taken_up(home):
    probe(home, home.database).open()
    beside = probe(home, home.database, guest=True)
    home.system.sessions.end("api")
    with pytest.raises(NoSessionError):
        beside.call(QUERY, QUESTION)

    token = home.system.sessions.open("api", home.clock.time())
    with home.stored() as state:
        state.logins.change("", Login).token = token
    beside.call(QUERY, QUESTION)

    assert home.calls("login") == 1


def test_a_login_that_failed_counts_and_a_mended_password_may_come_after_its_window(home):
    database = Database()
    home.configure(account={"password": "wrong"})
    with pytest.raises(CallError, match="20400"):
        probe(home, database).open()

    home.configure()
    assert probe(home, database).open()

    assert home.clock.waits == [61]  # not the quarter of an hour that the same one would wait


def test_a_refused_password_is_not_tried_again_and_others_three_times_in_half_an_hour(home):
    database = Database()
    for n in range(6):
        home.configure(account={"password": f"wrong {n // 2}"})
        with pytest.raises((CallError, NotNowError)):
            probe(home, database).open()

    home.configure()
    with pytest.raises(NotNowError, match=r"in 1[0-9]{3} s, as the last was refused: user name"):
        probe(home, database).open()
    assert home.calls("login") == 3

    home.clock.pass_by(31 * 60)
    assert probe(home, database).open()


def test_a_state_that_is_not_understood_is_as_good_as_none(home):
    database, stamp = Database(), ClockStamp.of(home.clock)
    database.write(
        {
            ("login", ""): StoredRow('{"token": 7}', stamp),
            ("fleet", ""): StoredRow('{"plants": [{"strange": 1}]}', stamp),
        }
    )

    probe(home, database).call(QUERY, QUESTION)

    assert home.calls("login") == 1


@pytest.mark.parametrize("reason", ["305", "malformed", "20010", "http_500"])
def test_a_dead_session_of_a_previous_run_is_opened_anew_however_it_is_told(home, reason):
    database = Database()
    probe(home, database).open()
    client = Client(home, database, reason_error(reason), {})

    assert probe(home, database, client=client).call(QUERY, QUESTION) == {}
    assert client.token == "new"


@pytest.mark.parametrize("reason", ["timeout", "connection", "407"])
def test_a_call_that_says_nothing_of_the_session_costs_no_login(home, reason):
    database = Database()
    probe(home, database).open()
    client = Client(home, database, reason_error(reason))

    with pytest.raises(CallError):
        probe(home, database, client=client).call(QUERY, QUESTION)
    assert client.token != "new"
