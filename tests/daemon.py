"""The daemon as a process, and a management system for it to talk to."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

import yaml

from exporter.northbound.interfaces import INTERFACES
from exporter.simulator.http.server import Server
from exporter.simulator.http.system import System
from exporter.simulator.world.fleet import build

MINUTE = 0.25  # seconds that a minute of the limits lasts
TIMEOUT = 90.0  # seconds after which something will not come any more
PASSWORD = "pa55word=with;signs"  # of nobody


def system(seed=0, plants=6, **options):
    """A management system with the limits of the 2020 reference, sped up."""
    options = {"limits": "classic", "minute": MINUTE, "users": {"api": PASSWORD}, **options}
    return System(build(seed, plants=plants), clock=time.time, **options)


def account(url, name="home", **more):
    """The configuration of one account, with allowances as fast as the system's."""
    allowance = {"allowance": {"calls": 1, "per": f"{MINUTE}s"}}
    return {
        "name": name,
        "base_url": url,
        "username": "api",
        "password": PASSWORD,
        "timeout": "2s",
        "interfaces": dict.fromkeys(INTERFACES, allowance)
        | {name: allowance | {"every": "2s"} for name in ("getStationList", "getDevList")},
        **more,
    }


def _environment(*, traced):
    """What a process inherits; untraced, no coverage of it is measured, which would slow it."""
    return {key: value for key, value in os.environ.items() if traced or "COVERAGE" not in key}


class Daemon:
    """A running exporter; `log` is what it has written so far.

    It may have so many `files` open, or as many as the tests. It runs on a `host`, or on this one.
    """

    def __init__(  # what a process is started with
        self, directory, accounts, *flags, traced=True, files=None, host=None, **settings
    ):
        self.path = directory / "config.yaml"
        self.configure(accounts, **settings)
        self.log_path = directory / "log"
        with self.log_path.open("w") as log:
            self.process = subprocess.Popen(  # noqa: S603  # our own program
                [
                    *(("sh", "-c", 'ulimit -n "$0"; exec "$@"', str(files)) if files else ()),
                    sys.executable,
                    *("-m", "exporter", "--config.file", self.path),
                    *("--web.listen-address", "127.0.0.1:0", *flags),
                ],
                stderr=log,
                stdout=log,
                env={
                    **_environment(traced=traced),
                    **(host.environment if host else {}),
                    "NO_PROXY": "*",
                },
            )
        address = self.wait(lambda: re.search(r"addresses=(\S+)", self.log))[1]
        self.url = f"http://{address}"

    def configure(self, accounts, **settings):
        """Writes the configuration; what runs already knows nothing of it yet.

        Nothing is kept unless a `state` is given.
        """
        kept = {"state": {"directory": None}} | settings
        self.path.write_text(yaml.safe_dump({"accounts": accounts, **kept}))

    @property
    def log(self):
        return self.log_path.read_text()

    def wait(self, condition):
        """Waits until a condition holds, and returns what it said."""
        end = time.monotonic() + TIMEOUT
        while time.monotonic() < end:
            value = condition()
            if value:
                return value
            assert self.process.poll() is None, self.log
            time.sleep(0.05)
        raise AssertionError(f"it did not come to pass: {self.log}")

    def get(self, path="/metrics", method="GET"):
        """Status and text of a page."""
        request = urllib.request.Request(self.url + path, method=method)  # noqa: S310  # loopback
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310  # as above
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def page(self):
        """The page; while accounts are being restored, there is none yet."""

        def started_page():
            status, text = self.get()
            return status == 200 and text

        return self.wait(started_page)

    def value(self, series):
        """The value of one series, written as on the page; None where it is not there."""
        found = re.search(rf"^{re.escape(series)} (\S+)$", self.page(), re.MULTILINE)
        return float(found[1]) if found else None

    def ready(self):
        self.wait(lambda: self.get("/-/ready")[0] == 200)
        return self

    def stop(self, number=signal.SIGTERM):
        """Ends the process as an orchestrator would; returns its exit status."""
        self.process.send_signal(number)
        return self.process.wait(timeout=TIMEOUT)


@contextmanager
def exporter(directory, accounts, *flags, **more):
    """A daemon that is gone afterwards."""
    daemon = Daemon(directory, accounts, *flags, **more)
    try:
        yield daemon
    finally:
        if daemon.process.poll() is None:
            daemon.stop()


@contextmanager
def serving(system, **options):
    """A management system that answers on a socket."""
    with Server(system, **options) as server:
        yield server


def refusals(system):
    """How many calls were refused for their frequency, by interface."""
    return {key: len(calls.refusals) for key, calls in system.calls.accounts().items()}


def devices_on(page):
    """The devices of which a page tells the state."""
    pattern = r'^fusionsolar_\w+_run_state_code\{.*device_id="([^"]+)"'
    return set(re.findall(pattern, page, re.MULTILINE))
