"""The command as a process: a `kill -9` at any call costs its answer at most, and no login."""

import re
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
import yaml
from daemon import TIMEOUT, account, refusals, serving, system
from history.shown import in_files

pytestmark = pytest.mark.slow

MONTHS = 10
TODAY = datetime.now(UTC).date()


class Command:
    """`history` for one account, of the days of some months, in a directory of its own."""

    def __init__(self, directory, management, url, user):
        directory.mkdir()
        self.directory, self.user, self._management = directory, user, management
        accounts = [account(url, username=user, password="x")]
        state = {"directory": str(directory / "state")}
        (directory / "config.yaml").write_text(
            yaml.safe_dump({"accounts": accounts, "state": state})
        )

    def start(self):
        first = (TODAY - timedelta(days=30 * MONTHS)).replace(day=1)
        flags = ("--from", first.isoformat(), "--to", TODAY.isoformat(), "--openmetrics", "om")
        return subprocess.Popen(  # noqa: S603  # our own program
            [sys.executable, "-m", "exporter", "history", *flags, "--sources", "getKpiStationDay"],
            cwd=self.directory,
            stderr=subprocess.PIPE,
            text=True,
        )

    def calls(self, interface="getKpiStationDay"):
        return len(self._management.calls.of(self.user, interface).arrivals)

    def kill_at(self, call):
        """Runs until this call of the account has arrived, and no further."""
        process, end = self.start(), time.monotonic() + TIMEOUT
        while self.calls() < call:
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < end
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        process.communicate()

    def run(self):
        """Runs to the end; returns the last thing said."""
        _, output = self.start().communicate(timeout=TIMEOUT)
        return output.splitlines()[-1]

    def written(self):
        return in_files(self.directory / "om")


def test_kills_cost_an_answer_each_at_most_no_login_and_no_sample(tmp_path):
    management = system(plants=1, users={"undisturbed": "x", "killed": "x"})
    with serving(management) as server:
        undisturbed, killed = (
            Command(tmp_path / user, management, server.url, user)
            for user in ("undisturbed", "killed")
        )
        output = undisturbed.run()
        whole = undisturbed.calls()
        kills = (1, 2, 5, 6, 9)
        for call in kills:
            killed.kill_at(call)
        killed.run()

    assert re.match(rf"{whole} calls made, [1-9]\d* samples written", output), output
    assert whole >= MONTHS
    assert killed.calls() <= whole + len(kills)
    assert killed.calls("login") == 1
    assert killed.written() == undisturbed.written() != {}
    assert set(refusals(management).values()) == {0}
