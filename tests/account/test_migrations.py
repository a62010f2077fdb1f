"""A state file that an earlier version has left is migrated, and nothing of it is lost."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from account.state_files import all_values, values
from account.world import EVERYTHING, FakeClock, Server, fleet, poller
from structlog.testing import capture_logs

from exporter.account.database import Database
from exporter.account.migrations import MIGRATIONS, VERSION
from exporter.exposition.account import AccountView
from exporter.exposition.page import Format, Page
from exporter.exposition.telemetry import Telemetry
from exporter.exposition.translate import Translator

# Left by the last code of version 1, and the page that it showed 30 s later after a restart.
LEFT = Path(__file__).parents[1] / "fixtures" / "state"
BOOT = "00000000-0000-4000-8000-000000000001"
NOW = 4_182.871408615923


def run_daemon_on(path, *, boot=BOOT, now=NOW):
    """The server, its page, the database, and a daemon that goes on with the file."""
    devices = {1: 3, 39: 1, 47: 1}
    server = Server(FakeClock(1e9), "safe", *fleet(2, devices), upgraded={100_000})
    server.valid, server.session_end = "t1", 1e9
    server.clock.at, server.clock.boot = now, boot
    page = Page({}, server.clock.now)
    view = AccountView(
        "a",
        page=page,
        telemetry=Telemetry(),
        translator=Translator({}),
        places={},
        now=server.clock.now,
        wall=server.clock.time,
        severities=("critical", "major", "minor", "warning"),
        max_active_per_plant=10,
    )
    database = Database(path)
    daemon = poller(server, view, database=database, walked=EVERYTHING)
    return server, page, database, daemon


@pytest.fixture
def state_file(tmp_path):
    """A copy of the file."""
    return Path(shutil.copy(LEFT / "v1.sqlite", tmp_path / "account.sqlite"))


def test_every_version_before_this_one_has_a_migration():
    assert list(MIGRATIONS) == list(range(1, VERSION))


@pytest.mark.parametrize("boot", [BOOT, "another start of the machine", None])
def test_the_page_is_byte_for_byte_what_the_last_code_of_that_version_showed(state_file, boot):
    with capture_logs() as logs:
        _, page, database, daemon = run_daemon_on(state_file, boot=boot)
        database.close()

    assert page.exposition(Format.TEXT) == (LEFT / "v1.page.txt").read_bytes()
    assert daemon.ready
    assert [entry for entry in logs if entry["log_level"] != "info"] == []


def test_session_calls_waits_and_sizes_go_on(state_file):
    server, _, database, daemon = run_daemon_on(state_file)
    schedules = {each.name: each for each in daemon.report.interfaces}
    database.close()

    assert server.token == "t1"  # of the fixture
    assert schedules["getDevRealKpi"].next_call - server.time() == pytest.approx(9.95, abs=0.01)
    assert schedules["getDevKpiDay"].batches == 4  # a batch of three was too large
    assert schedules["getKpiStationYear"].answered == 1
    with closing(Database(state_file)) as after:
        rows = values(after, "interface")
        assert rows["getDevUpgradeInfo"]["log"]["calls"][0]["device_type"] == 1
        assert values(after, "batches")["getDevKpiDay"][0]["size_rest"] == 86_400.0
        assert values(after, "plant_list")[""]["worked"] == {
            "path": "/thirdData/stations",
            "size": 100,
        }
        assert len(values(after, "foreign_call")) == 2


def test_a_counter_goes_on_to_hold_back_what_it_held_back(state_file):
    *_, database, _ = run_daemon_on(state_file)
    ((series, state),) = values(database, "counters/devices")["100002"]
    database.close()

    assert series == ["fusionsolar_inverter_energy_joules_total", []]
    assert (state["value"], state["run"]["value"]) == (1001.2634295737744, 90_000.0)


def test_a_process_that_does_not_own_the_file_leaves_it_as_it_is(state_file):
    before = state_file.read_bytes()

    with capture_logs() as logs, closing(Database(state_file, locked=False)) as database:
        assert all_values(database) == {}

    assert state_file.read_bytes() == before
    assert [entry["event"] for entry in logs] == ["state cannot be kept, continuing without it"]


@pytest.mark.parametrize(
    "kind", ["session", "lane", "ring", "fleet", "shown/getDevRealKpi", "book"]
)
@pytest.mark.parametrize("junk", ["not JSON", "7", "null", "[]", '{"calls": 3}', '{"plants": 7}'])
def test_a_row_that_nobody_understands_costs_itself(state_file, kind, junk):
    with closing(sqlite3.connect(state_file)) as file:
        file.execute("UPDATE things SET body = ? WHERE kind = ?", (junk, kind))
        file.commit()

    server, page, database, daemon = run_daemon_on(state_file)
    for _ in range(20):
        server.clock.at += min(max(daemon.step(), 0.01), 60.0)
    database.close()

    assert {call[3] for call in server.calls} <= {"ok", None, "20025"}  # a language
    assert len(server.calls) > 5
    assert server.refused == []
    assert page.exposition(Format.TEXT)
