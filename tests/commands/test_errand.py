"""Calls of a command: the session and the allowances are the daemon's, whether it runs or not."""

import pytest
from commands.world import NOON, world

from exporter.config import load
from exporter.northbound.errors import CallError, reason_error
from exporter.northbound.interfaces import INTERFACES
from exporter.polling import memory as memories
from exporter.polling.errand import Errand, NoSessionError, NotNowError
from exporter.polling.memory import Memory
from exporter.wiring import client_of, inventory_of, wish_of

STATION = INTERFACES["getStationRealKpi"]
QUERY = INTERFACES["snIsRegister"]
QUESTION = {"SN": "BV1", "userName": "owner@example.com", "key": "k"}


@pytest.fixture
def home(tmp_path):
    with world(tmp_path) as made:
        yield made


def errand(home, memory=None, *, daemon=False, client=None):
    settings = load(home.config, {})
    account = settings.accounts[0]
    return Errand(
        client or client_of(account),
        memory or Memory(),
        home.clock,
        wishes={n: wish_of(settings, account, i) for n, i in INTERFACES.items()},
        inventory=inventory_of(account),
        timeout=account.timeout,
        daemon=daemon,
        tell=lambda _: None,
    )


def lane(*calls):
    """What a daemon writes of an interface: due, start, end and type of each call, in epoch."""
    return {"calls": [list(call) for call in calls], "backoff": [0.0, None], "round_start": None}


def test_the_first_call_logs_in_and_later_commands_use_the_session(home):
    memory = Memory()
    errand(home, memory).call(QUERY, QUESTION)
    errand(home, memory).call(QUERY, QUESTION)

    assert home.calls("login") == 1
    assert home.clock.waits == [61]


def test_a_call_waits_for_the_daemons_last_one(home):
    memory, now = Memory(), home.clock.time()
    memory.write({("lane", "getStationRealKpi"): lane([now - 240, now - 240, now - 239, None])})

    errand(home, memory).call(STATION, {"stationCodes": "NE=33554432"})

    assert home.clock.waits == [64]  # a window of five minutes and a hundredth


def test_a_call_that_is_not_allowed_soon_is_not_made(home):
    memory, now = Memory(), home.clock.time()
    memory.write({("lane", "getStationRealKpi"): lane([now, now, now, None])})

    with pytest.raises(NotNowError, match="getStationRealKpi is allowed in 303 s") as told:
        errand(home, memory).call(STATION, {"stationCodes": "NE=33554432"})

    assert told.value.seconds == pytest.approx(303)
    assert home.calls("getStationRealKpi") == 0
    assert home.clock.waits == []


def test_a_backoff_of_the_daemon_holds(home):
    memory, until = Memory(), home.clock.time() + 40
    memory.write({("lane", "snIsRegister"): lane() | {"backoff": [60.0, until]}})

    errand(home, memory).call(QUERY, QUESTION)

    assert home.clock.waits == [40]


def test_a_call_that_a_killed_daemon_left_without_an_end_ended_before_us(home):
    memory, now = Memory(), home.clock.time()
    memory.write({("lane", "snIsRegister"): lane([now - 900, now - 900, None, None])})

    errand(home, memory).call(QUERY, QUESTION)

    assert home.clock.waits == [61]


def test_the_daemon_and_its_commands_do_not_call_at_once(home):
    memory, now = home.memory, home.clock.time()
    errand(home, memory).open()
    memory.write({("lane", "getDevList"): lane([now, now, None, None])})
    beside = errand(home, memory, daemon=True)

    with pytest.raises(NotNowError):
        beside.call(QUERY, QUESTION)
    assert home.calls("snIsRegister") == 0

    memory.write({("lane", "getDevList"): lane([now, now, now + 1, None])})
    beside.call(QUERY, QUESTION)


def test_commands_do_not_call_at_once_either(home):
    memory, now = home.memory, home.clock.time()
    errand(home, memory).open()
    other = {"interface": "getDevUpgradeInfo", "device_type": 1, "start": now, "end": now + 60}
    memory.write({("call", "other"): other | {"under_way": True}})

    errand(home, memory, daemon=True).call(QUERY, QUESTION)

    assert home.clock.waits == [1] * 60  # when it must have been killed


def test_while_the_daemon_logs_in_a_command_waits(home):
    memory, now = home.memory, home.clock.time()
    errand(home, memory).open()
    session = memory.read("session")[""]
    memory.write({("session", ""): session | {"calls": [[now, now, None, None]]}})

    with pytest.raises(NotNowError):
        errand(home, memory, daemon=True).call(QUERY, QUESTION)

    assert home.calls("snIsRegister") == 0


@pytest.mark.parametrize("where", [("lane", "getKpiStationDay"), ("lane", "getKpiStationHour"),
    ("session", "")])  # fmt: skip  # one that is walked, one that is not, and the login
def test_after_a_restart_no_call_of_the_killed_daemon_is_under_way(home, where):
    with home.daemon():
        home.clock.pass_by(60)
    kind, name = where
    stored = home.memory.read(kind).get(name) or lane()
    start = home.clock.time()
    home.memory.write({where: stored | {"calls": [[start, start, None, None]]}})

    with home.daemon():
        errand(home, home.memory, daemon=True).call(QUERY, QUESTION)

    assert home.clock.waits == []


def test_a_command_of_another_version_leaves_the_state_to_the_running_daemon(home, monkeypatch):
    with home.daemon():
        home.clock.pass_by(60)
        with monkeypatch.context() as other:
            other.setattr(memories, "VERSION", memories.VERSION + 1)
            status = home.run("registered", "--user", "owner@example.com", "--sn", "BV1")
        home.clock.pass_by(60)

    assert status == 1
    assert home.calls("login") == 1
    assert not list(home.state.glob("*.damaged"))
    assert home.memory.read("session")[""]["token"] is not None


class Client:
    """Answers from a script; `seen` are the notes of calls while each was under way."""

    def __init__(self, memory, *script):
        self.token = "t"
        self.seen = []
        self._memory = memory
        self._script = iter(script)

    def login(self):
        self.token = "new"

    def forget(self):
        self.token = None

    def call(self, path, body):  # noqa: ARG002  # the port's form
        self.seen.append(list(self._memory.read("call").values()))
        step = next(self._script)
        if isinstance(step, CallError):
            raise step
        return step


def test_a_call_is_on_disk_before_it_is_made_and_its_end_afterwards(home):
    memory = Memory()
    client = Client(memory, {})
    start = home.clock.time()

    errand(home, memory, client=client).call(QUERY, QUESTION)

    clocks = {"boot": home.clock.boot, "epoch": NOON - 1_000.0, "now": 1_000.0}
    note = {"interface": "snIsRegister", "device_type": None, "start": start, "clock": clocks}
    # Until its end is known, it may be given up after 30 s, and arrive as much later.
    assert client.seen == [[note | {"end": start + 60, "under_way": True}]]
    assert list(memory.read("call").values()) == [note | {"end": start, "under_way": False}]


def test_a_call_that_was_given_up_may_still_arrive(home):
    memory = Memory()
    client = Client(memory, reason_error("timeout"))
    start = home.clock.time()

    with pytest.raises(CallError):
        errand(home, memory, client=client).call(QUERY, QUESTION)

    (note,) = memory.read("call").values()
    assert note["end"] == start + 30


def test_the_daemon_waits_for_a_commands_call_and_counts_all_of_its_time(home):
    made = []

    def count():
        return sum(home.calls(name) for name in INTERFACES)

    def give_up(*_):
        before = count()
        home.clock.pass_by(29)  # in which a minute's turn is due
        made.append(count() - before)
        home.clock.pass_by(1)
        raise reason_error("timeout")

    with home.daemon():
        home.clock.pass_by(290)
        client = client_of(load(home.config, {}).accounts[0])
        client.call = give_up
        beside = errand(home, home.memory, daemon=True, client=client)
        start = home.clock.time()
        with pytest.raises(CallError, match="timeout"):
            beside.call(INTERFACES["getStationList"], {})
        home.clock.pass_by(90)

    assert made == [0]
    assert home.memory.read("call") == {}
    *_, last = home.memory.read("lane")["getStationList"]["calls"]
    assert last[1:3] == pytest.approx([start, start + 60])


@pytest.mark.parametrize("step", [-86_400, -30, 30, 86_400])
def test_a_clock_that_is_set_meanwhile_neither_ends_a_wait_nor_lengthens_it(home, step):
    memory = Memory()
    client = Client(memory, {}, {})
    errand(home, memory, client=client).call(QUERY, QUESTION)
    home.clock.step += step

    errand(home, memory, client=client).call(QUERY, QUESTION)

    assert home.clock.waits == [61]


def test_a_clock_that_is_set_during_a_call_makes_it_no_longer(home):
    memory = Memory()
    client = Client(memory)

    def call(*_):
        home.clock.step += 86_400
        home.clock.pass_by(5)
        return {}

    client.call = call
    errand(home, memory, client=client).call(QUERY, QUESTION)

    (note,) = memory.read("call").values()
    assert note["end"] - note["start"] == pytest.approx(5.0)


def test_a_call_that_is_not_understood_is_left_out(home):
    memory = Memory()
    memory.write({("call", "1"): {"interface": "snIsRegister", "at": "some time"}})
    memory.write({("lane", "snIsRegister"): {"calls": "?", "backoff": "?"}})

    errand(home, memory).call(QUERY, QUESTION)

    assert home.clock.waits == [61]  # what the daemon wrote may be a call that was just made


def test_a_refused_session_is_replaced_once_when_it_is_ours(home):
    memory = Memory()
    client = Client(memory, reason_error("305"), {"ok": 1})

    assert errand(home, memory, client=client).call(QUERY, QUESTION) == {"ok": 1}

    assert memory.read("session")[""]["token"] == "new"
    assert home.clock.waits == [61]  # the refused call counts


def test_a_session_that_is_refused_again_is_an_error(home):
    memory = Memory()
    client = Client(memory, reason_error("305"), reason_error("305"))

    with pytest.raises(CallError, match="305"):
        errand(home, memory, client=client).call(QUERY, QUESTION)


def test_beside_a_daemon_a_refused_session_is_left_to_it(home):
    errand(home, home.memory).open()
    home.system.sessions.end("api")

    with pytest.raises(NoSessionError, match="try again in a minute"):
        errand(home, home.memory, daemon=True).call(QUERY, QUESTION)

    assert home.calls("login") == 1
    assert home.memory.read("session")[""]["token"] is not None  # the daemon's to change


def test_beside_a_daemon_without_a_session_nothing_is_asked(home):
    with pytest.raises(NoSessionError):
        errand(home, home.memory, daemon=True).call(QUERY, QUESTION)

    assert home.calls("login") == home.calls("snIsRegister") == 0


def test_beside_a_daemon_its_next_session_is_taken_up(home):
    errand(home, home.memory).open()
    beside = errand(home, home.memory, daemon=True)
    home.system.sessions.end("api")
    with pytest.raises(NoSessionError):
        beside.call(QUERY, QUESTION)

    token = home.system.sessions.open("api", home.clock.time())
    session = home.memory.read("session")[""]
    home.memory.write({("session", ""): session | {"token": token}})
    beside.call(QUERY, QUESTION)

    assert home.calls("login") == 1


def test_a_login_that_failed_counts_and_a_mended_password_may_come_after_its_window(home):
    memory = Memory()
    home.configure(account={"password": "wrong"})
    with pytest.raises(CallError, match="20400"):
        errand(home, memory).open()

    home.configure()
    assert errand(home, memory).open()

    assert home.clock.waits == [61]  # not the quarter of an hour that the same one would wait


def test_a_refused_password_is_not_tried_again_and_others_three_times_in_half_an_hour(home):
    memory = Memory()
    for n in range(6):
        home.configure(account={"password": f"wrong {n // 2}"})
        with pytest.raises((CallError, NotNowError)):
            errand(home, memory).open()

    home.configure()
    with pytest.raises(NotNowError, match=r"in 1[0-9]{3} s, as the last was refused: user name"):
        errand(home, memory).open()
    assert home.calls("login") == 3

    home.clock.pass_by(31 * 60)
    assert errand(home, memory).open()


def test_a_memory_that_is_not_understood_is_as_good_as_none(home):
    memory = Memory()
    memory.write({("session", ""): {"token": 7}, ("fleet", "plants"): [{"strange": 1}]})

    errand(home, memory).call(QUERY, QUESTION)

    assert home.calls("login") == 1


def test_daemon_and_commands_share_an_allowance_for_hours_without_a_refusal(home):
    with home.daemon():
        home.clock.pass_by(600)
        for _ in range(6):
            home.run("upgrade", "status")
            home.run("registered", "--user", "owner@example.com", "--sn", "BV1")
            home.run("check")
            home.clock.pass_by(300)

    assert home.refused() == 0
    assert home.calls("login") <= 4  # one for each half hour that a session lasts
    assert home.calls("snIsRegister") == 6
    assert {note["interface"] for note in home.memory.read("call").values()} == {"snIsRegister",
        "getDevUpgradeInfo"}  # fmt: skip  # the daemon has taken over what it walks itself


def test_a_restarted_daemon_counts_the_calls_of_commands_once(home):
    home.run("check")
    for _ in range(3):
        with home.daemon():
            home.clock.pass_by(60)

    calls = home.memory.read("lane")["getStationList"]["calls"]
    assert len(calls) == home.calls("getStationList")


@pytest.mark.parametrize("reason", ["305", "malformed", "20010", "http_500"])
def test_a_dead_session_of_a_previous_run_is_opened_anew_however_it_is_told(home, reason):
    memory = Memory()
    errand(home, memory).open()
    client = Client(memory, reason_error(reason), {})

    assert errand(home, memory, client=client).call(QUERY, QUESTION) == {}
    assert client.token == "new"


@pytest.mark.parametrize("reason", ["timeout", "connection", "407"])
def test_a_call_that_says_nothing_of_the_session_costs_no_login(home, reason):
    memory = Memory()
    errand(home, memory).open()
    client = Client(memory, reason_error(reason))

    with pytest.raises(CallError):
        errand(home, memory, client=client).call(QUERY, QUESTION)
    assert client.token != "new"
