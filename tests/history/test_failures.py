"""What becomes of calls about the past that fail."""

from datetime import UTC, datetime
from math import inf

import pytest
from commands.world import Clock

from exporter.account.fleet import Fleet
from exporter.account.probe import NoSessionError
from exporter.account.quotas import Quota
from exporter.history.archive_file import archive_in_file
from exporter.history.fetcher import MAX_TRIES
from exporter.history.job import HistorySelection, Job, UnknownStartError
from exporter.northbound.errors import named_error, reason_error
from exporter.northbound.interfaces import DAY, HOUR, INTERFACES, MINUTE
from exporter.northbound.records import Device, Plant

DAYS, HISTORY = INTERFACES["getKpiStationDay"], INTERFACES["getDevHistoryKpi"]
ALARMS = INTERFACES["getAlarmList"]
BY_DN = INTERFACES["device/history"]


def at(*day):
    return datetime(*day, tzinfo=UTC).timestamp()


class Server:
    """Answers as it is told to; by default with nothing."""

    def __init__(self):
        self.calls = []
        self.answer = lambda _: []

    def due(self, *_):
        return -inf

    def call(self, interface, body, *, device_type=None):
        self.calls.append((interface.name, device_type, body))
        found = self.answer(body)
        if isinstance(found, Exception):
            raise found
        return found


class World:
    """A job on a server, with an archive."""

    def __init__(self, archive):
        self.server, self.clock, self.messages = Server(), Clock(), []
        self.fleet, self.archive = Fleet(), archive
        self.fleet.plants.update({code: Plant(code, code) for code in "ABCD"})
        self.fleet.devices.update(
            {str(n): Device(str(n), "A", 1, dn=f"NE={n}" if n != 2 else "") for n in range(4)}
        )

    def job(self, interface, start, end):
        selection = HistorySelection(
            [interface], list(self.fleet.plants), list(self.fleet.devices), start, end
        )
        job = Job(
            self.server,
            self.archive,
            self.fleet,
            self.clock,
            selection,
            lambda _: (Quota(1, MINUTE),),
            self.messages.append,
        )
        job.plan()
        return job

    def run(self, job):
        """Works to the end; returns the calls' bodies."""
        before = len(self.server.calls)
        while job.due() < inf:
            self.clock.pass_by(max(0.0, job.due() - self.clock.now()))
            job.step()
        return [body for _, _, body in self.server.calls[before:]]

    def refused(self, interface):
        """Why which units have no answer."""
        covered = self.archive.covered(interface.name)
        return {unit.subject: each.refused for unit, each in covered.items() if each.refused}


@pytest.fixture
def home(tmp_path):
    with archive_in_file(tmp_path / "archive") as archive:
        yield World(archive)


def plants_of(bodies):
    return [body["stationCodes"] for body in bodies]


def test_a_plant_that_is_not_the_accounts_any_more_costs_only_itself(home):
    def answer(body):
        return reason_error("20046") if "C" in body["stationCodes"] else []

    home.server.answer = answer
    job = home.job(DAYS, at(2025, 5, 1), at(2025, 6, 1))
    assert plants_of(home.run(job)) == ["A,B,C,D", "A,B", "C,D", "C", "D"]
    assert home.refused(DAYS) == {"C": "20046"}
    assert home.run(home.job(DAYS, at(2025, 5, 1), at(2025, 6, 1))) == []


def test_a_time_that_the_server_does_not_keep_is_not_asked_for_again(home):
    def answer(body):
        return reason_error("20026") if body["collectTime"] < at(2025, 4, 1) * 1e3 else []

    home.server.answer = answer
    assert len(home.run(home.job(DAYS, at(2025, 2, 1), at(2025, 6, 1)))) == 4
    assert home.run(home.job(DAYS, at(2025, 2, 1), at(2025, 6, 1))) == []


@pytest.mark.parametrize("code", ["30032", "20027"])
def test_a_span_that_is_too_long_is_asked_for_day_by_day(home, code):
    def answer(body):
        return reason_error(code) if body["endTime"] - body["startTime"] > DAY * 1e3 else []

    home.server.answer = answer
    bodies = home.run(home.job(HISTORY, at(2025, 5, 1), at(2025, 5, 4)))
    spans = [(body["startTime"] / 1e3, (body["endTime"] + 1) / 1e3) for body in bodies]
    assert spans == [
        (at(2025, 5, 1), at(2025, 5, 4)),
        (at(2025, 5, 3), at(2025, 5, 4)),
        (at(2025, 5, 2), at(2025, 5, 3)),
        (at(2025, 5, 1), at(2025, 5, 2)),
    ]


def test_alarms_are_asked_for_in_a_language_that_the_server_knows(home):
    def answer(body):
        return reason_error("20025") if body["language"] != "en_UK" else []

    home.server.answer = answer
    bodies = home.run(home.job(ALARMS, at(2025, 6, 1), at(2025, 6, 18)))
    assert [body["language"] for body in bodies] == ["en_US", "en_UK", "en_UK", "en_UK"]
    assert {round((body["endTime"] - body["beginTime"]) / 1e3 / DAY) for body in bodies} == {7}
    home.server.answer = lambda _: reason_error("20025")
    job = home.job(ALARMS, at(2025, 5, 20), at(2025, 5, 22))
    assert len(home.run(job)) == MAX_TRIES + 1
    assert job.progress.failed == 1


def test_too_many_devices_are_asked_about_in_halves(home):
    def answer(body):
        return reason_error("30031") if body["devIds"].count(",") > 1 else []

    home.server.answer = answer
    bodies = home.run(home.job(HISTORY, at(2025, 5, 1), at(2025, 5, 2)))
    assert [body["devIds"] for body in bodies] == ["0,1,2,3", "0,1", "2,3"]


def test_an_interface_that_is_not_granted_is_given_up_for_now(home):
    home.server.answer = lambda _: reason_error("401")
    job = home.job(DAYS, at(2025, 2, 1), at(2025, 6, 1))
    assert len(home.run(job)) == 1
    (source,) = job.sources
    assert "may not use the interface" in source.given_up
    home.server.answer = lambda _: []
    assert len(home.run(home.job(DAYS, at(2025, 2, 1), at(2025, 6, 1)))) == 4


def test_a_call_too_often_is_made_again_later_and_later(home):
    refusals = iter([reason_error("407"), reason_error("407"), []])
    home.server.answer = lambda _: next(refusals)
    began = home.clock.now()
    assert len(home.run(home.job(DAYS, at(2025, 5, 1), at(2025, 6, 1)))) == 3
    assert round((home.clock.now() - began) / MINUTE) == 3


def test_a_server_that_does_not_answer_is_asked_again_and_other_pieces_first(home):
    silent = (at(2025, 5, 15) * 1e3, named_error("timeout"))

    def answer(body):
        return silent[1] if body["collectTime"] == silent[0] else []

    home.server.answer = answer
    job = home.job(DAYS, at(2025, 3, 1), at(2025, 6, 1))
    times = [body["collectTime"] == silent[0] for body in home.run(job)]
    assert times == [True, False, False, *[True] * (MAX_TRIES - 1)]
    assert (job.progress.done, job.progress.left, job.progress.failed) == (2, 0, 1)
    home.server.answer = lambda _: []
    assert len(home.run(home.job(DAYS, at(2025, 3, 1), at(2025, 6, 1)))) == 1


def test_an_answer_that_is_cut_short_is_none(home):
    answers = iter([named_error("malformed"), []])
    home.server.answer = lambda _: next(answers)
    assert len(home.run(home.job(DAYS, at(2025, 5, 1), at(2025, 6, 1)))) == 2


def test_a_day_without_calls_left_is_waited_for(home):
    answers = iter([reason_error("20618"), []])
    home.server.answer = lambda _: next(answers)
    began = home.clock.now()
    home.run(home.job(DAYS, at(2025, 5, 1), at(2025, 6, 1)))
    assert home.clock.now() - began == HOUR


def test_nobody_may_call_and_nothing_is_lost(home):
    home.server.answer = lambda _: NoSessionError()
    job = home.job(DAYS, at(2025, 5, 1), at(2025, 6, 1))
    with pytest.raises(NoSessionError):
        job.step()
    assert job.progress.left == 1


def test_rows_without_values_give_nothing_and_are_not_asked_for_again(home):
    start = int(at(2025, 5, 1) * 1e3)
    home.server.answer = lambda _: [
        {"stationCode": "A", "collectTime": start, "dataItemMap": None},
        {"stationCode": "B", "collectTime": start, "dataItemMap": {"inverter_power": None}},
        {"stationCode": "C", "collectTime": start, "dataItemMap": {"inverter_power": 1.5}},
        {"stationCode": "X", "collectTime": start, "dataItemMap": {"inverter_power": 2.5}},
    ]
    home.run(home.job(DAYS, at(2025, 5, 1), at(2025, 6, 1)))
    pending = list(home.archive.pending("target", 0.0, at(2025, 6, 1)))
    assert [each.unit.subject for each in pending] == ["C"]
    assert home.run(home.job(DAYS, at(2025, 5, 1), at(2025, 6, 1))) == []


def test_a_device_is_asked_for_by_its_dn_and_one_without_is_left_out(home):
    def answer(body):
        row = {"collectTime": body["startTime"], "dataItems": {"active_power": 1.0}}
        return [{"devDn": body["devDn"], **row}]

    home.server.answer = answer
    bodies = home.run(home.job(BY_DN, at(2025, 5, 1), at(2025, 5, 2)))
    assert {body["devDn"] for body in bodies} == {"NE=0", "NE=1", "NE=3"}
    assert bodies[0]["devTypeId"] == 1
    pending = home.archive.pending("target", 0.0, at(2025, 6, 1))
    assert {each.unit.subject for each in pending} == {"0", "1", "3"}


def test_days_of_several_are_kept_each_by_itself(home):
    times = [int(at(2025, 5, day, 12) * 1e3) for day in (1, 3)]
    home.server.answer = lambda _: [
        {"devId": "0", "collectTime": time, "dataItemMap": {"active_power": 1.0}} for time in times
    ]
    home.run(home.job(HISTORY, at(2025, 5, 1), at(2025, 5, 4)))
    pending = home.archive.pending("target", 0.0, at(2025, 6, 1))
    assert [each.unit.begin for each in pending] == [at(2025, 5, 1), at(2025, 5, 3)]


def test_how_far_back_it_goes_is_needed(home):
    selection = HistorySelection([DAYS], ["A"], [], None, at(2025, 6, 1))
    job = Job(
        home.server, home.archive, home.fleet, home.clock, selection,
        lambda _: (Quota(1, MINUTE),), home.messages.append,
    )  # fmt: skip
    assert job.plan_years()
    home.run(job)
    with pytest.raises(UnknownStartError):
        job.plan()
