"""A daemon's inside, without its web server, whose configuration changes."""

import threading
import time

import daemon
from daemon import TIMEOUT
from prometheus_client.parser import text_string_to_metric_families

from exporter.accounts import Accounts
from exporter.clock import SystemClock
from exporter.config import Settings
from exporter.daemon import Reload
from exporter.exposition.page import Format, Page
from exporter.exposition.telemetry import Telemetry
from exporter.northbound.interfaces import INTERFACES, MINUTE


def account(url, every="1h", **more):
    """The configuration of an account that asks for all once: no value ages on a busy machine.

    Nor does a call end early there, which would be tried again as late.
    """
    made = daemon.account(url, **{"timeout": "20s", **more})
    made["interfaces"] = {
        name: {**each, "every": every} if INTERFACES[name].polled else each
        for name, each in made["interfaces"].items()
    }
    return made


class Running:
    """A daemon's inside, without its web server; `settings` is what stands on disk."""

    def __init__(self, state, *accounts, **more):
        self.state = state
        self.settings = self.read(accounts, more)
        self.telemetry = Telemetry()
        self.page = Page(self.telemetry.registries, SystemClock().now)
        self.accounts = Accounts(self.page, self.telemetry, MINUTE, state)
        self.reload = Reload(
            self.settings, self.read_settings, self.accounts, self.telemetry, self.page
        )
        self.reload.start()

    def read(self, accounts, more):
        state = {"directory": self.state and str(self.state)}
        return Settings.model_validate({"accounts": accounts, "state": state} | more)

    def read_settings(self):
        if isinstance(self.settings, Exception):
            raise self.settings
        return self.settings

    def change(self, *accounts, **more):
        """Writes another configuration, and reloads."""
        self.settings = self.read(accounts, more)
        return self.reload()

    def series(self):
        return series_in(b"".join(self.accounts.parts(Format.TEXT)))

    def value(self, name, **labels):
        return self.series().get((name, *sorted(labels.items())))

    def names(self, name="home"):
        """The names of all metrics of an account."""
        return {key[0] for key in self.series() if ("account", name) in key}

    def threads(self):
        return {t.name: t for t in threading.enumerate() if t.name.startswith("poller ")}

    def stop(self):
        self.accounts.stop()
        for thread in self.threads().values():
            thread.join(TIMEOUT)
        self.accounts.release(())


def series_in(page):
    """The series of a page, each name with its labels, and their values."""
    families = text_string_to_metric_families(page.decode())
    samples = [s for f in families for s in f.samples]
    return {(s.name, *sorted(s.labels.items())): s.value for s in samples}


def wait(condition):
    end = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.01)


def wait_until_restored(running):
    wait(lambda: not running.accounts.restoring())
    return running


def ready(running):
    wait(lambda: not running.accounts.waiting())
    wait(lambda: "fusionsolar_inverter_state_code" in running.names())
    return running


def logins(management, user="api"):
    return len(management.calls.of(user, "login").arrivals)
