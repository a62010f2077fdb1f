"""What an account still knows after its process was killed, at whatever moment."""

import random
import shutil
from contextlib import closing, contextmanager

import pytest
from account.restarts import Clock as StillClock
from account.restarts import restarted
from account.state_files import values, write_rows
from account.world import (
    DAY,
    HOUR,
    PARKED,
    FakeClock,
    Server,
    SimulationEnd,
    account,
    fleet,
    poller,
    refused,
    run,
)
from killing import KillableServer, Killed
from structlog.testing import capture_logs

from exporter.account.database import Database
from exporter.account.login import HostGate
from exporter.account.model import AccountState
from exporter.account.quotas import FleetSize, quotas
from exporter.exposition.account import AccountView
from exporter.exposition.page import Format, Page
from exporter.exposition.telemetry import Telemetry
from exporter.exposition.translate import Translator
from exporter.northbound.errors import Reaction
from exporter.northbound.interfaces import Limit

pytestmark = pytest.mark.slow


class ProcessClock:
    """The clocks of one process: the steady one starts anew, the wall's goes on."""

    def __init__(self, clock, may_kill):
        self._clock = clock
        self._start = clock.at - 50.0
        self.boot = None
        self._dangerous = may_kill

    def now(self):
        return self._clock.at - self._start

    def time(self):
        return self._clock.time()

    def wait(self, seconds):
        self._dangerous("idle", 0.02)
        left = self._clock.end - self._clock.at
        return self._clock.wait(max(min(seconds, left), 1e-6))  # less is lost in rounding


class KillableDatabase(Database):
    """A database before and after whose writes `may_kill` may raise Killed."""

    def __init__(self, path):
        self.may_kill = lambda *_: None
        super().__init__(path)

    def write(self, changes):
        self.may_kill("writing")
        super().write(changes)
        self.may_kill("writing")

    @contextmanager
    def claim(self):
        with super().claim():
            yield
        self.may_kill("claimed")


class Process:
    """One process on one account, with the real page."""

    def __init__(self, server, path, may_kill=lambda *_: None, **more):
        self.clock = ProcessClock(server.clock, may_kill)
        self.page = Page({}, self.clock.now)
        view = AccountView(
            "a",
            page=self.page,
            telemetry=Telemetry(),
            translator=Translator({}),
            places={},
            now=self.clock.now,
            wall=self.clock.time,
        )
        server.drop_token()  # it is in the process that the token is known
        self.database = KillableDatabase(path)
        world, server.clock = server.clock, self.clock
        self.poller = poller(server, view, database=self.database, **more)
        server.clock = world
        self.database.may_kill = may_kill

    def series(self):
        """Series and values on the page, as a scrape would now have them."""
        lines = self.page.exposition(Format.TEXT).decode().splitlines()
        return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))


@pytest.mark.parametrize("edition", ["classic", "v6", "v25", "safe"])
def test_a_hundred_kills_cost_one_login_no_refusal_and_no_value(tmp_path, edition):
    dice = random.Random(edition)  # noqa: S311  # dice, not keys
    devices = {1: 6, 39: 2, 47: 1}
    server = KillableServer(
        FakeClock(3 * DAY), edition, *fleet(2, devices), session_seconds=5 * DAY
    )
    directory, kills, logins_cut, idle = tmp_path / "0", [], 0, 0

    def may_kill(where, chance=0.06):
        if dice.random() < chance:
            kills.append(where)
            shutil.copytree(directory, tmp_path / str(len(kills)))
            raise Killed

    server.may_kill = may_kill
    process = None
    while len(kills) < 100:
        before = process and process.series()
        process = Process(server, directory / "a.sqlite", may_kill)
        after = process.series()
        if kills and kills[-1] == "idle":
            idle += 1
            assert after == before
        elif kills:
            assert after.keys() <= before.keys()
        with pytest.raises((Killed, SimulationEnd)) as end:
            process.poller.run()
        assert end.type is Killed, "too few kills"
        logins_cut += server.logging_in and kills[-1] in ("login", "writing")
        process.database.close()
        shutil.rmtree(directory)
        directory = tmp_path / str(len(kills))
        server.clock.advance(dice.choice([0.0, 0.5, 5.0, dice.uniform(0, 60)]))

    assert set(kills) >= {"idle", "writing", "claimed", "call"}
    assert idle > 5
    assert len(process.series()) > 2 * 9
    assert server.refused == []
    assert len(server.paths("login")) <= 1 + logins_cut
    assert len(server.calls) > 60


def test_a_calls_start_is_on_disk_before_its_first_byte_is_sent(tmp_path):
    path = tmp_path / "a.sqlite"
    seen = []

    class Watching(Server):
        def on_disk(self, kind, name):
            with closing(Database(path)) as database:
                call = values(database, kind)[name]["log"]["calls"][-1]
            on_time = call["start"] == pytest.approx(self.clock.now(), abs=1e-3)
            seen.append((name, on_time, call["lasted"]))

        def login(self):
            self.on_disk("login", "")
            return super().login()

        def call(self, path, body):
            self.on_disk("interface", path.rsplit("/", 1)[1])
            return super().call(path, body)

    server = Watching(FakeClock(600.0), "classic", *fleet(1, {1: 2}))
    run(poller(server, database=Database(path)))

    assert len(seen) == len(server.tried) > 15
    assert {name for name, _, _ in seen} == {"", *server_paths(server)}
    assert {(on_time, end) for _, on_time, end in seen} == {(True, None)}


def server_paths(server):
    return {name for name, _ in server.tried} - {"login"}


# --- one thing at a time ------------------------------------------------------------------------


def run_process(server, path, hours, **more):
    """A process of so many hours, killed at their end; returns it."""
    process = Process(server, path, **more)
    server.clock.end = server.clock.at + hours * HOUR
    run(process.poller)
    process.database.close()
    return process


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.sqlite"


def test_values_that_have_grown_too_old_do_not_come_back(path):
    server = account(hours=10.0)
    before = run_process(server, path, 0.2).series()
    server.clock.end += DAY
    server.clock.advance(200.0)
    assert Process(server, path).series() == before

    server.clock.advance(3_600.0)

    left = Process(server, path).series()
    assert left.items() < before.items()
    assert any(name.startswith("fusionsolar_device_info") for name in left)
    assert not any("run_state" in name for name in left)


def test_a_list_that_a_kill_cut_off_is_asked_for_at_once(path):
    server = account(hours=10.0)

    def cut_off(name, _body):
        if name == "getDevList":
            raise Killed

    server.script = cut_off
    process = Process(server, path)
    with pytest.raises(Killed):
        process.poller.run()
    process.database.close()
    server.script = lambda *_: None

    process = run_process(server, path, 0.1)

    assert any("run_state" in name for name in process.series())
    assert server.refused == []
    assert len(server.paths("login")) == 1


def test_a_list_that_failed_is_asked_for_again_soon(path):
    server = account(hours=10.0)
    server.script = lambda name, _: (
        refused("20004", Reaction.NEXT_TURN) if name == "getDevList" else None
    )
    run_process(server, path, 0.01)
    assert server.paths("getDevList")
    server.script = lambda *_: None

    assert any("run_state" in name for name in run_process(server, path, 0.1).series())


def test_a_list_is_not_read_again_before_its_time(path):
    server = account(hours=10.0)
    run_process(server, path, 1.0)

    run_process(server, path, 4.0)

    assert len(server.paths("getDevList")) == 1
    assert len(server.paths("login")) <= 12  # a session lasts half an hour here


def test_a_call_that_was_given_up_may_still_arrive_after_a_restart():
    once_a_minute = quotas([Limit(1, 60.0)], FleetSize())
    state = AccountState()
    state.login.log.start(100.0, 100.0)
    state.login.log.end(130.0, once_a_minute, margin=30.0)

    later = StillClock(31.0, 1_100.0)
    again = restarted(state.logins, AccountState().logins, StillClock(130.0, 1_000.0), later)[""]
    again.after_restart(31.0)

    assert again.log.earliest(once_a_minute, None) == pytest.approx(60.0 + 60.6)


def test_a_time_in_the_future_counts_as_now(path):
    server = account(hours=30.0)
    run_process(server, path, 0.5)
    server.clock.step -= 1_000_000.0
    calls = len(server.calls)

    process = Process(server, path)
    values = process.series()
    process.database.close()
    run_process(server, path, 0.5)

    assert any("run_state" in name for name in values)
    assert server.refused == []
    assert len(server.calls) > calls + 50


def test_a_refusal_for_frequency_is_remembered(path):
    server = account(hours=10.0)
    server.script = lambda name, _: (
        refused("407", Reaction.BACK_OFF) if name == "getDevRealKpi" else None
    )
    run_process(server, path, 0.45)  # refused after 1, 3, 7 and 15 minutes
    server.script = lambda *_: None
    before = len(server.paths("getDevRealKpi"))

    run_process(server, path, 0.05)

    assert before == 5
    assert len(server.paths("getDevRealKpi")) == before


def test_an_interface_that_was_not_permitted_is_tried_again(path):
    server = account(hours=10.0)
    server.script = lambda name, _: refused("401", PARKED) if name == "getDevRealKpi" else None
    run_process(server, path, 0.9)
    server.script = lambda *_: None
    assert len(server.paths("getDevRealKpi")) == 3

    run_process(server, path, 0.05)

    assert len(server.paths("getDevRealKpi")) > 3


def test_refused_credentials_wait_across_restarts_and_the_log_says_so(path):
    server = account(hours=10.0)
    server.script = lambda *_: refused("20400", Reaction.REFUSE_CREDENTIALS)
    run_process(server, path, 0.1)

    with capture_logs() as logs:
        for _ in range(5):
            run_process(server, path, 0.02)

    assert len(server.paths("login")) == 1
    entries = [entry for entry in logs if "credentials were refused" in entry["event"]]
    assert [entry["next_login_in_seconds"] for entry in entries] == pytest.approx(
        [540, 468, 396, 324, 252], abs=2
    )
    assert {entry["reason"] for entry in entries} == {"20400"}

    run_process(server, path, 0.2)
    assert len(server.paths("login")) == 2


def test_new_credentials_are_tried_at_once(path):
    server = account(hours=10.0)
    server.script = lambda *_: refused("20400", Reaction.REFUSE_CREDENTIALS)
    run_process(server, path, 0.05)
    server.script = lambda *_: None
    server.password = "another"
    run_process(server, path, 0.05)

    assert [outcome for *_, outcome in server.paths("login")] == ["20400", None]
    assert len(server.calls) > 3


def test_a_pause_of_the_host_is_not_shortened_by_what_another_account_remembers(path):
    server = account(hours=10.0)
    run_process(server, path, 0.1)
    gate = HostGate()
    gate.pause.refused(1_000_000.0, 300.0, 3_600.0)

    Process(server, path, gate=gate)

    assert gate.pause.until == 1_000_300.0


def test_a_pause_of_the_host_is_remembered(path):
    server = account(hours=10.0)
    run_process(server, path, 0.1)
    server.script = lambda *_: refused("http_429", Reaction.PAUSE, enveloped=False)
    run_process(server, path, 0.02)
    server.script = lambda *_: None
    before = len(server.calls)

    run_process(server, path, 0.01)

    assert len(server.calls) == before


@pytest.mark.parametrize("junk", [7, [[]], {"plants": 3}, [["x", 1, 2]]])
@pytest.mark.parametrize("kind", ["fleet", "batches", "interface", "login", "answer/getDevRealKpi"])
def test_what_is_not_understood_is_forgotten(path, kind, junk):
    server = account(hours=10.0)
    run_process(server, path, 0.1)
    with closing(Database(path)) as database:
        names = [(kind, name) for name in database.read(kind)]
        assert names
        write_rows(database, dict.fromkeys(names, junk))

    process = run_process(server, path, 0.1)

    assert any("run_state" in name for name in process.series())
