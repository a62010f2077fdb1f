"""Calls of a command, and what is stored of them."""

from math import inf

from account.world import View

from exporter.account.database import Database
from exporter.account.interface_schedule import InterfaceState
from exporter.account.probe import Probe
from exporter.account.quotas import Call, CallLog
from exporter.config import load
from exporter.northbound.errors import CallError
from exporter.northbound.interfaces import INTERFACES
from exporter.wiring import account_config, client_of, poll_config

STATION = INTERFACES["getStationRealKpi"]
QUERY = INTERFACES["snIsRegister"]
QUESTION = {"SN": "BV1", "userName": "owner@example.com", "key": "k"}


def probe(home, database=None, *, guest=False, client=None):
    settings = load(home.config, {})
    account = settings.accounts[0]
    return Probe(
        account_config(settings, account, ()),
        {name: poll_config(settings, account, each) for name, each in INTERFACES.items()},
        client=client or client_of(account),
        database=database or Database(),
        clock=home.clock,
        view=View(),
        guest=guest,
        report=lambda _: None,
    )


def stored_calls(*calls, **waits):
    """What a daemon stores of an interface: start and length of each call."""
    log = CallLog([Call(start, start, lasted) for start, lasted in calls])
    return InterfaceState(log, **waits)


class Client:
    """Answers from a script; `seen` is what is stored of calls while each is under way."""

    def __init__(self, home, database, *script):
        self.token = "t"
        self.seen = []
        self._home = home
        self._database = database
        self._script = iter(script)

    def login(self):
        self.token = "new"
        return inf

    def drop_token(self):
        self.token = None

    def call(self, path, body):  # noqa: ARG002  # the port's form
        with self._home.stored(self._database) as state:
            self.seen.append(calls_of(state))
        step = next(self._script)
        if isinstance(step, CallError):
            raise step
        return step


def calls_of(state):
    """Start and length of each call that was made of the query, by a guest or not."""
    foreign = [(call.start, call.lasted) for call in state.foreign_calls.values()]
    logs = [each.log for name, each in state.interfaces.items() if name == QUERY.name]
    return foreign + [(call.start, call.lasted) for log in logs for call in log.calls]
