"""Clocks that are set, and machines that sleep or start: no call is too early, and no value is lost
or stale because of it.
"""

import random

import pytest
from account import world as world_of
from account.world import DAY, EPOCH, HOUR, FakeClock, account, fleet, poller, run
from clocked import ClockedWorld
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from killing import KillableServer, Killed

from exporter.account.database import Database
from exporter.clock import ClockStamp, SystemClock

pytestmark = pytest.mark.slow


class Machine:
    """A machine's clocks: its steady one starts anew when it does, its wall clock errs."""

    def __init__(self, clock):
        self.clock = clock
        self.boots = 0
        self.start(error=0.0)

    def start(self, error):
        self.boots += 1
        self.boot = f"boot {self.boots}"
        self.started = self.clock.at - 5.0
        self.error = error

    def now(self):
        return self.clock.at - self.started

    def time(self):
        return self.clock.at + EPOCH + self.error


def process(server, machine, database):
    """A process that starts: the server knows of it by its calls only."""
    server.drop_token()
    world, server.clock = server.clock, machine
    made = poller(server, database=database)
    server.clock = world
    return made


def run_process(server, machine, database, end):
    """Polls until then, or until the process is killed."""
    at_work = process(server, machine, database)
    try:
        while server.clock.at < end:
            nap = at_work.step()
            server.clock.advance(max(0.001, min(nap, 60.0, end - server.clock.at)))
    except Killed:
        return


def world(edition, seed):
    server = KillableServer(
        FakeClock(365 * DAY), edition, *fleet(2, {1: 6, 39: 2}), seed=seed, session_seconds=5 * DAY
    )
    return server, Machine(server.clock), Database(), random.Random(seed)  # noqa: S311  # dice, not keys


def kill_randomly(dice):
    """Kills the process at one place of fifty."""

    def may_kill(_where):
        if dice.random() < 0.02:
            raise Killed

    return may_kill


STEPS = [-400 * DAY, -DAY, -HOUR, -61.0, -5.0, 5.0, 61.0, HOUR, DAY, 400 * DAY]


@pytest.mark.parametrize("edition", ["classic", "v6", "v25", "safe"])
@examples(15)
@given(seed=st.integers(0, 2**32))
def test_however_the_wall_clock_is_set_and_processes_are_killed_no_call_is_too_early(edition, seed):
    server, machine, database, dice = world(edition, seed)
    server.may_kill = kill_randomly(dice)
    for _ in range(25):
        run_process(server, machine, database, server.clock.at + dice.uniform(0, 900))
        if dice.random() < 0.7:
            machine.error += dice.choice(STEPS)

    assert server.refused == []
    assert len(server.calls) > 50


@pytest.mark.parametrize("edition", ["classic", "v6"])
@examples(15)
@given(seed=st.integers(0, 2**32))
def test_a_machine_without_a_battery_calls_never_too_early_after_its_starts(edition, seed):
    server, machine, database, dice = world(edition, seed)
    server.may_kill = kill_randomly(dice)
    for _ in range(12):
        set_at = server.clock.at + dice.uniform(0, 600)  # over the network
        while dice.random() < 0.8:
            length = dice.choice([30.0, 120.0, 3_000.0])
            if server.clock.at < set_at:
                length = min(length, set_at - server.clock.at)
            run_process(server, machine, database, server.clock.at + length)
            if server.clock.at >= set_at - 1e-6:
                machine.error = 0.0
        server.clock.advance(dice.uniform(5.0, 60.0))
        machine.start(error=-dice.choice([0.0, 40.0, 7_200.0, 300 * DAY]))

    assert server.refused == []
    assert machine.boots == 13


def test_a_normal_restart_of_a_machine_waits_for_nothing():
    server, machine, database, _ = world("classic", 0)
    run_process(server, machine, database, server.clock.at + 2 * HOUR)
    calls = len(server.calls)
    server.clock.advance(61.0)
    machine.start(error=0.0)
    at = server.clock.at

    run_process(server, machine, database, at + 1.0)

    assert len(server.calls) >= calls + 2
    assert server.refused == []


def test_once_the_clock_is_set_all_times_are_written_anew():
    """So that they are right for a machine that is started again later."""
    server, machine, database, _ = world("v6", 0)
    machine.error = -300 * DAY
    at_work = process(server, machine, database)
    for _ in range(600):
        server.clock.advance(max(0.001, min(at_work.step(), 60.0)))
    machine.error = 0.0
    set_at = len(server.calls)
    while len(server.calls) == set_at:
        server.clock.advance(max(0.001, min(at_work.step(), 60.0)))

    rows = [*database.read("interface").values(), *database.read("login").values()]
    assert len(rows) == 5
    assert {row.stamp.offset > 0 for row in rows} == {True}


@pytest.mark.parametrize("step", [-DAY, DAY])
def test_values_are_as_old_as_they_are_after_the_clock_was_set(step):
    server, machine, database, _ = world("classic", 0)
    shown = []

    class View(world_of.View):
        def restored(self, state, offset):
            super().restored(state, offset)
            shown.append(machine.now() + offset)

    run_process(server, machine, database, server.clock.at + 600.0)
    written = machine.time()
    machine.error += step
    server.clock.advance(90.0)
    server.clock, clock = machine, server.clock
    poller(server, View(), database=database)
    server.clock = clock

    assert shown == [pytest.approx(written + 90.0)]


@pytest.mark.parametrize("step", [DAY, -DAY, 400 * DAY, -400 * DAY, 90.0])
def test_a_clock_that_is_set_loses_no_value_and_no_call(step):
    steady, stepped = account(hours=1), account(hours=1)
    world = ClockedWorld(stepped.clock)
    pages = []

    def set_the_clock(_name, _body):
        if len(stepped.calls) == 40:
            stepped.clock.step += step
        if len(stepped.calls) >= 10:
            pages.append(set(world.series("fusionsolar_inverter")))

    stepped.script = set_the_clock
    run(poller(steady))
    run(poller(stepped, world.view))

    assert [call[:2] for call in stepped.calls] == [call[:2] for call in steady.calls]
    assert stepped.refused == []
    assert len(pages) > 60
    assert pages[0]
    assert all(page == pages[0] for page in pages)


def test_a_suspended_machine_shows_no_stale_value_and_calls_as_if_nothing_had_been():
    server = account(hours=4)
    world = ClockedWorld(server.clock)
    slept, woken = [], []

    def sleep(_name, _body):
        if len(server.calls) == 60:
            server.clock.at += HOUR
            slept.append(world.series("fusionsolar_inverter"))
        if len(server.calls) == 70:
            woken.append(world.series("fusionsolar_inverter"))

    server.script = sleep
    run(poller(server, world.view))

    assert slept == [{}]
    assert woken[0]
    assert server.refused == []


class Clock:
    """Clocks that stand still."""

    def __init__(self, boot, now, time):
        self.boot = boot
        self._now, self._time = now, time

    def now(self):
        return self._now

    def time(self):
        return self._time


@pytest.mark.parametrize(
    ("before", "after", "ago"),
    [
        # The same start of the machine: its steady clock knows, whatever the wall clock shows.
        (Clock("a", 50.0, 9_000.0), Clock("a", 80.0, 9_030.0), 30.0),
        (Clock("a", 50.0, 9_000.0), Clock("a", 80.0, 99_999.0), 30.0),
        (Clock("a", 50.0, 9_000.0), Clock("a", 80.0, 1.0), 30.0),
        # Another start: the wall clock is believed; what it has not seen yet is now.
        (Clock("a", 5_000.0, 9_000.0), Clock("b", 80.0, 9_500.0), 500.0),
        (Clock("a", 5_000.0, 9_000.0), Clock("b", 80.0, 8_000.0), -1_000.0),
        # But not what it showed soon after a start, if it seems longer ago than this one.
        (Clock("a", 50.0, 9_000.0), Clock("b", 80.0, 99_999.0), 80.0),
        (Clock("a", 50.0, 9_000.0), Clock("b", 80.0, 9_060.0), 60.0),
        # Where starts cannot be told apart there is only the wall clock.
        (Clock(None, 50.0, 9_000.0), Clock(None, 80.0, 9_500.0), 500.0),
    ],
)
def test_a_row_says_by_its_clocks_how_long_ago_it_was_written(before, after, ago):
    written, stamp = before.now(), ClockStamp.of(before)

    assert after.now() - (written + stamp.shift(after)) == ago


def test_without_clocks_that_are_understood_there_is_only_the_wall_clock():
    stamp = ClockStamp("a", float("nan"), 1.0)

    assert stamp.offset_for(Clock("a", 80.0, 9_500.0)) == 9_420.0


def test_the_systems_clock_knows_its_start_of_the_machine_from_others():
    boot = SystemClock().boot

    assert boot == SystemClock().boot
    assert boot is None or len(boot) == 36
