"""What is written survives a wall clock that is set: no process calls too early because of it."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polling import world as world_of
from polling.world import DAY, EPOCH, HOUR, FakeClock, Server, fleet, poller

from exporter.polling.clock import SystemClock
from exporter.polling.eras import epoch_for, stamped
from exporter.polling.memory import Memory


class Killed(BaseException):
    """The process was ended without a word."""


class Perilous(Server):
    """A server during whose calls the process may be killed."""

    def __post_init__(self):
        super().__post_init__()
        self.peril = 0.0

    def _arrive(self, name, body):
        self._may_end()
        super()._arrive(name, body)
        self._may_end()

    def _may_end(self):
        if self.random.random() < self.peril:
            raise Killed


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


def process(server, machine, memory):
    """A process that starts: the server knows of it by its calls only."""
    server.forget()
    world, server.clock = server.clock, machine
    made = poller(server, memory=memory)
    server.clock = world
    return made


def live(server, machine, memory, end):
    """Polls until then, or until the process is killed."""
    at_work = process(server, machine, memory)
    try:
        while server.clock.at < end:
            nap = at_work.step()
            server.clock.advance(max(0.001, min(nap, 60.0, end - server.clock.at)))
    except Killed:
        return


def world(edition, seed):
    server = Perilous(
        FakeClock(365 * DAY), edition, *fleet(2, {1: 6, 39: 2}), seed=seed, session_seconds=5 * DAY
    )
    return server, Machine(server.clock), Memory(), random.Random(seed)  # noqa: S311  # dice, not keys


STEPS = [-400 * DAY, -DAY, -HOUR, -61.0, -5.0, 5.0, 61.0, HOUR, DAY, 400 * DAY]


@pytest.mark.parametrize("edition", ["classic", "v6", "safe"])
@settings(max_examples=15)
@given(seed=st.integers(0, 2**32))
def test_however_the_wall_clock_is_set_and_processes_are_killed_no_call_is_too_early(edition, seed):
    server, machine, memory, dice = world(edition, seed)
    server.peril = 0.02
    for _ in range(25):
        live(server, machine, memory, server.clock.at + dice.uniform(0, 900))
        if dice.random() < 0.7:
            machine.error += dice.choice(STEPS)

    assert server.refused == []
    assert len(server.calls) > 50


@pytest.mark.parametrize("edition", ["classic", "v6"])
@settings(max_examples=15)
@given(seed=st.integers(0, 2**32))
def test_a_machine_without_a_battery_calls_never_too_early_after_its_starts(edition, seed):
    server, machine, memory, dice = world(edition, seed)
    server.peril = 0.02
    for _ in range(12):
        set_at = server.clock.at + dice.uniform(0, 600)  # over the network
        while dice.random() < 0.8:
            length = dice.choice([30.0, 120.0, 3_000.0])
            if server.clock.at < set_at:
                length = min(length, set_at - server.clock.at)
            live(server, machine, memory, server.clock.at + length)
            if server.clock.at >= set_at - 1e-6:
                machine.error = 0.0
        server.clock.advance(dice.uniform(5.0, 60.0))
        machine.start(error=-dice.choice([0.0, 40.0, 7_200.0, 300 * DAY]))

    assert server.refused == []
    assert machine.boots == 13


def test_a_normal_restart_of_a_machine_waits_for_nothing():
    server, machine, memory, _ = world("classic", 0)
    live(server, machine, memory, server.clock.at + 2 * HOUR)
    calls = len(server.calls)
    server.clock.advance(61.0)
    machine.start(error=0.0)
    at = server.clock.at

    live(server, machine, memory, at + 1.0)

    assert len(server.calls) >= calls + 2
    assert server.refused == []


def test_once_the_clock_is_set_all_times_are_written_anew():
    """So that they are right for a machine that is started again later."""
    server, machine, memory, _ = world("v6", 0)
    machine.error = -300 * DAY
    at_work = process(server, machine, memory)
    for _ in range(600):
        server.clock.advance(max(0.001, min(at_work.step(), 60.0)))
    machine.error = 0.0
    set_at = len(server.calls)
    while len(server.calls) == set_at:
        server.clock.advance(max(0.001, min(at_work.step(), 60.0)))

    rows = memory.read("lane")
    starts = [start for row in rows.values() for _, start, _, _ in row["calls"]]
    assert len(rows) == 4
    assert len(starts) >= len(rows)
    assert min(starts) > EPOCH


@pytest.mark.parametrize("step", [-DAY, DAY])
def test_values_are_as_old_as_they_are_after_the_clock_was_set(step):
    server, machine, memory, _ = world("classic", 0)
    shown = []

    class Sink(world_of.Sink):
        def recall(self, read, wall):  # noqa: ARG002  # the port's form
            shown.append(wall)

    live(server, machine, memory, server.clock.at + 600.0)
    written = machine.time()
    machine.error += step
    server.clock.advance(90.0)
    server.clock, clock = machine, server.clock
    poller(server, Sink(), memory=memory)
    server.clock = clock

    assert shown == [pytest.approx(written + 90.0)]


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
def test_a_row_tells_by_its_clocks_how_long_ago_it_was_written(before, after, ago):
    row = stamped({"at": before.time()}, before)

    assert after.now() - (row["at"] - epoch_for(row, after)) == ago


@pytest.mark.parametrize(
    "clocks",
    [None, 7, {}, {"boot": "a"}, {"boot": "a", "epoch": "x", "now": 1.0},
     {"boot": "a", "epoch": float("nan"), "now": 1.0}, {"boot": 1, "epoch": 1.0, "now": 1.0}],
)  # fmt: skip
@pytest.mark.parametrize("row", [{"clock": ...}, {}, [], None, 7])
def test_without_clocks_that_are_understood_there_is_only_the_wall_clock(row, clocks):
    row = {"clock": clocks} if row == {"clock": ...} else row

    assert epoch_for(row, Clock("a", 80.0, 9_500.0)) == 9_420.0


def test_the_systems_clock_knows_its_start_of_the_machine_from_others():
    boot = SystemClock().boot

    assert boot == SystemClock().boot
    assert boot is None or len(boot) == 36
