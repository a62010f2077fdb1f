"""A month of everything: no call refused, no alarm missed, none counted twice."""

import random
from collections import Counter
from contextlib import suppress

import pytest
from account.calendars import LONGEST, period
from account.server_alarms import ServerAlarm, key_of
from account.world import (
    EPOCH,
    EVERYTHING,
    FakeClock,
    Server,
    SimulationEnd,
    View,
    at,
    fleet,
    poller,
)

from exporter.account.alarms import AlarmTracker
from exporter.account.database import Database
from exporter.northbound.records import Windows

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("requested")]

HOUR = 3_600.0
DAY = 86_400.0
ZONES = ("Europe/Berlin", "Asia/Kolkata", "America/New_York", "Australia/Adelaide")
FAULTS = ("connection", "timeout", "http_502", "305", "20004")


class RecordingView(View):
    """A view that outlives pollers, with the active alarms and the windows of the last answers."""

    def __init__(self):
        super().__init__()
        self.active = {}
        self.windows = {}

    def answered(self, interface, name, answer):
        if isinstance(answer.value, Windows):
            self.windows[interface, name] = answer.value
        elif isinstance(answer.value, tuple):
            self.active[name] = set(map(key_of, answer.value))


@pytest.fixture
def new_alarm_counts(monkeypatch):
    """How often each alarm was taken for a new one."""
    counts, original = Counter(), AlarmTracker.apply_recent

    def apply_recent(*arguments):
        found = original(*arguments)
        counts.update(key_of(alarm) for each in found.values() for alarm in each.new)
        return found

    monkeypatch.setattr(AlarmTracker, "apply_recent", apply_recent)
    return counts


class Month:
    """A server with alarms that come, are acknowledged and go, and a daemon that restarts."""

    def __init__(self, edition, days, *, shortest):
        seed = len(edition)
        self.rng = random.Random(seed)  # noqa: S311  # because it is no key
        self.end = days * DAY
        self.quiet = self.end - 10 * DAY  # from here on nothing happens any more
        self.clock = FakeClock(self.end)
        self.server = Server(
            self.clock,
            edition,
            *fleet(4, {1: 2, 39: 1, 62: 1}),
            seed=seed,
            faults=FAULTS,
            fault_share=0.02,
            lag=1_000.0,
        )
        at(self.server, 24, lambda: setattr(self.server, "lost", 0.02))
        for n, plant in enumerate(self.server.plants.values()):
            plant["zone"] = ZONES[n % len(ZONES)]
        self.shortest = shortest
        self.start = self.server.time()
        self.server.troubles = [
            *(self.trouble(self.rng.uniform(-500 * DAY, 0)) for _ in range(80)),
            *(self.trouble(self.rng.uniform(0, self.quiet)) for _ in range(160)),
        ]
        self.view = RecordingView()
        self.database = Database()

    def trouble(self, after):
        rng = self.rng
        raised = float(round(self.start + after))
        visible = raised + rng.choice([0, 0, 60, HOUR, 5 * HOUR])
        lasts = self.shortest + rng.choice([0, HOUR, 5 * DAY, 60 * DAY]) * rng.random()
        cleared = min(visible + lasts, self.start + self.quiet)
        if rng.random() < 0.2:
            cleared = float("inf")
        return ServerAlarm(
            plant=rng.choice(list(self.server.plants)),
            serial=f"S{rng.randrange(8)}",
            alarm_id=rng.randrange(3),
            cause_id=rng.randrange(2),
            raised=raised,
            visible=visible,
            cleared=cleared,
            acknowledged=visible + rng.uniform(0, 2 * lasts),
            lingers=rng.choice([0, HOUR, 5 * DAY]),
            form=rng.choice(["numbers", "text", "bare"]),
        )

    def live(self, *, restarts, every):
        """Polls to the end; the daemon stops at random moments and comes back after a while."""
        moments = sorted(self.rng.uniform(0, self.quiet) for _ in range(restarts))
        for moment in [*moments, self.quiet, self.end]:
            self.clock.end = max(self.clock.at, 1_000 + moment)
            self.server.drop_token()
            self.poll(every)
            self.clock.at += self.rng.choice([0, 5, 60, self.shortest / 8])
            if moment == self.quiet:
                self.server.lost = self.server.fault_share = 0.0

    def poll(self, every):
        """One life of the daemon, whose every bug is seen, and which sleeps at one stretch."""
        walker = poller(
            self.server, self.view, walked=EVERYTHING, database=self.database, every=every
        )
        with suppress(SimulationEnd):
            while True:
                self.clock.wait(walker.step())


def check_alarms(month, new_alarm_counts, first_look):
    """Each was counted once, unless it was there at the first look or never to be seen."""
    now = month.server.time()
    late = {
        trouble.key
        for trouble in month.server.troubles
        if trouble.visible > first_look + 60
        and min(trouble.cleared + trouble.lingers, now) - trouble.visible >= month.shortest
    }
    known = {t.key for t in month.server.troubles if t.visible <= first_look}
    assert len(late) > 80
    assert set(new_alarm_counts.values()) == {1}
    assert late <= set(new_alarm_counts)
    assert not known & set(new_alarm_counts)
    for plant in month.server.plants:
        assert month.view.active[plant] == {
            trouble.key
            for trouble in month.server.troubles
            if trouble.plant == plant and trouble.active(now) and trouble.raised > now - 364.9 * DAY
        }


def check_statistics(month):
    """At the end each window is what the calendar says, and the last full one is full."""
    for (name, subject), windows in month.view.windows.items():
        kind = name.removeprefix("getKpiStation").removeprefix("getDevKpi")
        zone = month.server.zone_of(subject)
        rows = [row for row in (windows.current, windows.previous) if row]
        assert windows.previous is not None
        for row in rows:
            assert period(kind, zone, row.start)[0] == row.start
            assert month.server.time() - row.start < 4 * LONGEST[kind]
        start, end = period(kind, zone, windows.previous.start)
        assert windows.previous.reading.values["inverter_power"] == end - start


@pytest.mark.parametrize("edition", ["classic", "v6", "v25", "safe"])
def test_a_month_has_no_refused_call_no_missed_alarm_and_none_counted_twice(
    edition, new_alarm_counts
):
    month = Month(edition, 31, shortest=8 * HOUR)
    slow = dict.fromkeys(("getStationRealKpi", "getDevRealKpi"), 2 * HOUR)
    if edition == "classic":
        slow["getAlarmList"] = 1_800.0  # else forty thousand calls

    month.live(restarts=15, every=slow)

    assert month.server.refused == []
    first_look = next(call[0] for call in month.server.paths("getAlarmList") if call[3] == "ok")
    check_alarms(month, new_alarm_counts, EPOCH + first_look)
    check_statistics(month)
