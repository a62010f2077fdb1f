"""The daemon fetches the past by itself, with what is left of its calls."""

from contextlib import contextmanager

import pytest
from commands.world import NOON, world
from history.receiver import decoded, served
from structlog.testing import capture_logs

from exporter.account.state_directory import file_of, key_of
from exporter.archives import access_by_file
from exporter.config import ConfigError, load
from exporter.history.archive_file import archive_in_file
from exporter.history_wiring import HistoryThread
from exporter.northbound.interfaces import DAY, HOUR, MINUTE

pytestmark = pytest.mark.slow

YIELD = "fusionsolar_plant_period_inverter_energy_joules"


@pytest.fixture
def home(tmp_path):
    with world(tmp_path, limits="v6") as made:
        yield made


@pytest.fixture
def receiver():
    with served() as made:
        yield made


def configure(home, url, **history):
    home.configure(
        account={"limits": "v6"},
        interfaces={"getDevRealKpi": {"enabled": False}, "getStationRealKpi": {"every": "1h"}},
        history={
            "enabled": True,
            "labels": {"job": "fusionsolar"},
            "remote_write": {"url": url},
            **history,
        },
    )


@contextmanager
def history_thread(home, bugs=None):
    settings = load(home.config, {})
    [account] = settings.accounts
    access = access_by_file(settings, account, file_of(home.state, key_of(home.url, "api")))
    yield HistoryThread(settings, account, access, lambda: bugs.append(1), clock=home.clock)


def sent_samples(receiver):
    """The samples that were sent of a statistic of days, by time."""
    return {
        time: value
        for _, body in receiver.requests
        for labels, samples in decoded(body)
        if labels["__name__"] == YIELD and labels["period"] == "day"
        for time, value in samples
    }


def test_a_month_comes_with_each_day_and_no_call_twice(home, receiver):
    configure(home, receiver.url, **{"from": "2025-05-01"})
    with home.daemon(), history_thread(home) as worker:
        assert worker.day() == 5  # the poller knows nothing yet
        home.clock.pass_by(HOUR)
        spans = []
        for _ in range(5):
            home.clock.pass_by(worker.day())
            times = sent_samples(receiver)
            spans.append(round((max(times) - min(times)) / 1e3 / DAY) if times else 0)
        before = len(receiver.requests), home.clock.time()
        rest = worker.day()
    # A month is written when the one before it is known, whose last day it shows on its first.
    assert spans == [0, 0, 54, 54, 54]
    assert home.refused() == 0
    assert (len(receiver.requests), home.clock.time()) == before
    assert rest == DAY
    assert max(sent_samples(receiver)) / 1e3 <= NOON + MINUTE


def test_a_target_that_refuses_is_asked_again_in_an_hour(home, receiver):
    configure(home, receiver.url, **{"from": "2025-06-01"})
    receiver.answers = [(400, {}, "out of bounds")]
    with home.daemon(), history_thread(home) as worker, capture_logs() as logs:
        home.clock.pass_by(HOUR)
        assert worker.day() == HOUR
        calls = home.calls("getKpiStationDay")
        home.clock.pass_by(2 * DAY)
        assert worker.day() <= DAY
        assert sent_samples(receiver)
    reasons = [each["reason"] for each in logs if each["event"].startswith("history cannot")]
    assert len(reasons) == 1
    assert "storage.tsdb.out_of_order_time_window" in reasons[0]
    assert home.calls("getKpiStationDay") >= calls


def test_what_does_not_come_is_told_once(home, receiver):
    configure(
        home,
        receiver.url,
        **{"from": "2025-06-01", "sources": ["getKpiStationMonth", "getAlarmList"]},
    )
    home.system.faults.add("fail_code", interface="getKpiStationMonth", value=401)
    with home.daemon(), history_thread(home) as worker, capture_logs() as logs:
        home.clock.pass_by(HOUR)
        for _ in range(2):
            home.clock.pass_by(worker.day())
    reasons = [each["reason"] for each in logs if each["event"] == "some history does not come"]
    refusal = "this account may not use the interface; grant it in the management system [401]"
    assert sorted(reasons) == [
        "getAlarmList: the daemon needs its whole allowance; set a share",
        f"getKpiStationMonth: given up: {refusal}",
    ]


def test_a_start_that_is_too_late_is_said(home, receiver):
    configure(home, receiver.url, **{"from": "2026-01-01"})
    with home.daemon(), history_thread(home) as worker, capture_logs() as logs:
        home.clock.pass_by(HOUR)
        for _ in range(2):
            home.clock.pass_by(worker.day())
    reasons = [each["reason"] for each in logs if each["event"] == "some history does not come"]
    assert reasons == ["the past ends at 2025-06-25 12:00 UTC, and history.from is no earlier"]


def test_while_its_archive_is_in_use_it_looks_again_soon_and_says_nothing(home, receiver):
    configure(home, receiver.url, **{"from": "2025-06-01"})
    path = file_of(home.state, key_of(home.url, "api")).with_suffix(".history")
    with home.daemon(), history_thread(home) as worker:
        home.clock.pass_by(HOUR)
        with archive_in_file(path), capture_logs() as logs:
            assert worker.day() == 5
        assert {each["log_level"] for each in logs} == {"debug"}
        assert worker.day() <= DAY
    assert sent_samples(receiver)


def test_a_bug_is_counted_and_logged_and_tried_again(home, receiver, monkeypatch):
    configure(home, receiver.url, **{"from": "2025-06-01"})
    bugs = []
    monkeypatch.setattr("exporter.history_wiring.job_of", lambda *_: 1 / 0)
    with home.daemon(), history_thread(home, bugs) as worker, capture_logs() as logs:
        home.clock.pass_by(HOUR)
        assert worker.day() == HOUR
    assert bugs == [1]
    assert [each["log_level"] for each in logs if "bug" in each["event"]] == ["error"]


def test_without_a_target_it_cannot_be_enabled(home):
    home.configure(history={"enabled": True})
    with pytest.raises(ConfigError) as mistake:
        load(home.config, {})
    reasons = "history: is enabled, and needs remote_write to say where to"
    assert str(mistake.value) == f"{home.config}: {reasons}"


def test_the_command_leaves_it_to_the_daemon(home, receiver, capsys):
    configure(home, receiver.url)
    with home.daemon(), pytest.raises(SystemExit):
        home.run("history", "--openmetrics", home.directory / "om")
    assert "the running exporter fetches history by itself" in capsys.readouterr().err
