"""Whatever is killed when: at most one call's answer is lost, none is asked for twice that came."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from commands.world import Clock
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from exporter.account.fleet import Fleet
from exporter.account.quotas import Quota
from exporter.exposition.translate import Translator, UnknownValues
from exporter.history.archive_file import archive_in_file
from exporter.history.job import HistorySelection, Job
from exporter.history.replay import Replay
from exporter.northbound.interfaces import DAY, INTERFACES
from exporter.northbound.records import Plant

pytestmark = pytest.mark.slow

DAYS = INTERFACES["getKpiStationDay"]
START, END = (datetime(2025, month, 1, tzinfo=UTC).timestamp() for month in (1, 6))
PLANTS = ("A", "B")


class KilledError(BaseException):
    """kill -9."""


class KillPoints:
    """Kills at these of the points that are reached, counted from the start."""

    def __init__(self, moments):
        self.left = set(moments)
        self.count = 0

    def pass_point(self):
        self.count += 1
        if self.count in self.left:
            raise KilledError


class Server:
    """Answers a row for each day of a month; kills before it is asked, or after it has answered."""

    def __init__(self, kills):
        self.kills = kills
        self.asked = Counter()

    def due(self, *_):
        return 0.0

    def call(self, _, body, **__):
        self.kills.pass_point()
        month = datetime.fromtimestamp(body["collectTime"] / 1e3, UTC)
        self.asked[month.month] += 1
        first = month.replace(day=1, hour=0).timestamp()
        rows = [
            {
                "stationCode": code,
                "collectTime": int((first + n * DAY) * 1e3),
                "dataItemMap": {"inverter_power": month.month + n / 100},
            }
            for code in body["stationCodes"].split(",")
            for n in range(31)
            if datetime.fromtimestamp(first + n * DAY, UTC).month == month.month
        ]
        self.kills.pass_point()
        return rows


class Target:
    """Keeps samples for good when it is flushed; kills before and after."""

    name = "target"

    def __init__(self, kills, received):
        self.kills = kills
        self.received = received
        self.taken = []

    def write(self, series):
        self.taken += series

    def flush(self):
        self.kills.pass_point()
        for each in self.taken:
            key = (each.metric.name, *sorted(each.labels.items()))
            for time, value in each.samples:
                assert self.received.setdefault((key, time), value) == value
        self.taken = []
        self.kills.pass_point()


def run(archive, kills, server, received):
    """One run until its end, or until it is killed."""
    clock, fleet = Clock(), Fleet()
    fleet.plants.update({code: Plant(code, code) for code in PLANTS})
    selection = HistorySelection([DAYS], PLANTS, (), START, END)
    job = Job(server, archive, fleet, clock, selection, lambda _: (Quota(1, 60.0),), lambda _: None)
    replay = Replay(
        "home",
        Translator({}, name_states=True),
        fleet.plants,
        {},
        unknown=UnknownValues(0, None),
        labels={},
    )
    target = Target(kills, received)
    job.plan()
    while job.due() < float("inf"):
        clock.pass_by(max(0.0, job.due() - clock.now()))
        job.step()
        job.send(replay, target)
    job.send(replay, target)


def runs_until_the_end(moments):
    """Runs until one is not killed: what was asked, what the target has, how many were killed."""
    with TemporaryDirectory() as directory:
        kills, received, kill_count = KillPoints(moments), {}, 0
        server = Server(kills)
        while True:
            try:
                with archive_in_file(Path(directory) / "archive") as archive:
                    run(archive, kills, server, received)
            except KilledError:
                kill_count += 1
                continue
            return server.asked, received, kill_count


ASKED, KEPT, _ = runs_until_the_end(())


@examples(30)
@given(st.sets(st.integers(1, 30), max_size=6))
def test_kills_cost_an_answer_each_at_most_and_no_sample(moments):
    asked, received, kill_count = runs_until_the_end(moments)
    assert received == KEPT
    assert asked.keys() == ASKED.keys()
    assert sum(asked.values()) - sum(ASKED.values()) <= kill_count


def test_without_a_kill_each_month_is_asked_for_once():
    assert dict.fromkeys(range(1, 6), 1) == ASKED
    assert len(KEPT) > 2 * 140 * 8
