"""A management system on a socket, a clock that only waits move, and commands run against both."""

import json
from contextlib import closing, contextmanager
from pathlib import Path

import structlog
import yaml
from account.world import View

from exporter import cli
from exporter.account.database import Database
from exporter.account.login import HostGate
from exporter.account.model import AccountState
from exporter.account.poller import Poller
from exporter.account.state_directory import StateDirectory, file_of, key_of
from exporter.account.store import Store
from exporter.commands.options import Parser
from exporter.config import load
from exporter.exposition.telemetry import Telemetry
from exporter.northbound.interfaces import INTERFACES
from exporter.simulator.http.server import Server
from exporter.simulator.http.system import System
from exporter.simulator.world.fleet import build
from exporter.wiring import account_config, account_key, client_of, poll_configs, view_of

# Settings with which an account is asked for its lists alone.
LISTS_ALONE = {
    name: {"enabled": False}
    for name, row in INTERFACES.items()
    if row.polled and name not in ("login", "getStationList", "getDevList")
}
PASSWORD = "pa55word=with;signs"
NOON = 1_750_852_800.0  # 2025-06-25 12:00 UTC


def expected(name):
    """What a command prints, as it stands in a file."""
    return (Path(__file__).parent / "expected" / f"{name}.txt").read_text("utf-8")


class Clock:
    """Time that passes only when somebody waits; meanwhile a daemon may go on."""

    def __init__(self):
        self.at = 1_000.0
        self.boot = "this start of the machine"
        self.step = 0.0  # by which the wall clock was set
        self.waits = []
        self.daemon = None

    def now(self):
        return self.at

    def time(self):
        return NOON + self.at - 1_000.0 + self.step

    def wait(self, seconds):
        assert seconds >= 0
        self.waits.append(round(seconds))
        self.pass_by(seconds)
        return False

    def pass_by(self, seconds):
        """Lets time pass, and the daemon do what it does in it."""
        end = self.at + seconds
        while self.daemon is not None and self.at < end:
            delay = self.daemon.step()
            self.at = min(end, self.at + max(0.0, delay))
        self.at = end


class World:
    """One management system, one configuration, one state directory."""

    def __init__(self, directory, system, server, clock):
        self.directory = directory
        self.system = system
        self.clock = clock
        self.url = server.url
        self.state = directory / "state"
        self.config = directory / "config.yaml"
        self.configure()

    def configure(self, *, accounts=None, account=None, state=True, **settings):
        """Writes the configuration: one account, or several, and any other settings."""
        home = {
            "name": "home",
            "base_url": self.url,
            "username": "api",
            "password": PASSWORD,
            **(account or {}),
        }
        tree = {"accounts": accounts or [home], **settings}
        tree["state"] = {"directory": str(self.state) if state else None}
        self.config.write_text(yaml.safe_dump(tree))

    def run(self, command, *arguments):
        """Runs a command as the command line would, but by the fake clock; its exit status."""
        define, run = cli.command(command)
        parser = Parser(prog=f"fusionsolar-exporter {command}", allow_abbrev=False)
        define(parser)
        words = list(map(str, arguments))
        place = 1 if command == "upgrade" else 0
        words[place:place] = ["--config.file", str(self.config)]
        return run(parser.parse_args(words), clock=self.clock)

    @property
    def database(self):
        """What is stored of the account, opened anew."""
        return Database(file_of(self.state, key_of(self.url, "api")))

    @contextmanager
    def stored(self, database=None):
        """What is stored of the account; what is changed of it is stored, too."""
        state, opened = AccountState(), database or self.database
        store = Store(state, opened, self.clock, structlog.get_logger())
        store.load()
        yield state
        store.save()
        if database is None:
            opened.close()

    @contextmanager
    def daemon(self, page=None):
        """A daemon on the account, which holds its state and goes on as time passes.

        What it shows goes to a page, if one is given.
        """
        settings = load(self.config, {})
        account = settings.accounts[0]
        polled, view = tuple(poll_configs(settings, account)), View()
        if page is not None:
            telemetry = Telemetry()
            view = view_of(
                settings, account, polled, page=page, telemetry=telemetry, clock=self.clock
            )
        with closing(StateDirectory(self.state)) as kept, closing(self.database) as database:
            kept.occupy({account_key(account): account.name})
            self.clock.daemon = Poller(
                account_config(settings, account, polled),
                client=client_of(account),
                view=view,
                clock=self.clock,
                gate=HostGate(),
                database=database,
            )
            self.clock.daemon.restore()
            try:
                yield self.clock.daemon
            finally:
                self.clock.daemon = None

    def calls(self, interface, user="api"):
        """How many calls of an interface arrived."""
        return len(self.system.calls.of(user, interface).arrivals)

    def all_calls(self):
        """How many calls of each interface arrived."""
        accounts = self.system.calls.accounts().items()
        return {interface: len(calls.arrivals) for (_, interface), calls in accounts}

    def refused(self):
        """How many calls were refused for their frequency."""
        return sum(len(calls.refusals) for calls in self.system.calls.accounts().values())

    def device(self, type_id, nth=0):
        """A device of a type."""
        return [d for d in self.system.fleet.devices.values() if d.type_id == type_id][nth]


@contextmanager
def world(directory, *, plants=1, devices=None, **options):
    """A world that is gone afterwards."""
    clock = Clock()
    options = {"users": {"api": PASSWORD}, "limits": "safe", "alarm_history": False, **options}
    system = System(build(0, plants=plants, devices=devices), clock=clock.time, **options)
    with Server(system) as server:
        yield World(directory, system, server, clock)


def run_check(home, capsys, *flags):
    """Runs `check`: exit status, what was found of the first account, what to do next."""
    status = home.run("check", "--format", "json", *flags)
    found = json.loads(capsys.readouterr().out)
    return status, found["accounts"][0], found["next"]


def trial(account, interface):
    """What came of the first trial of an interface."""
    return next(each for each in account["interfaces"] if each["interface"] == interface)
