"""A world for pollers: a fake clock, and a server that counts arrivals in strictly sliding windows.

It knows the limits as literal numbers, not from the product's table, and refuses with 407 whatever
would be one call too many. Everything random comes from one seed.
"""

import random
from bisect import bisect_right, insort
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from math import ceil, inf
from operator import itemgetter

from account.answers import Answers
from account.server_alarms import LANGUAGES

from exporter.account.account_polling import AccountConfig
from exporter.account.database import Database
from exporter.account.fleet import Fleet
from exporter.account.handlers import AlarmFilter
from exporter.account.interface_schedule import PollConfig
from exporter.account.login import HostGate
from exporter.account.poller import Poller
from exporter.northbound.errors import CallError, Failure, Reaction
from exporter.northbound.interfaces import EDITIONS, INTERFACES
from exporter.northbound.records import Reading

HOUR = 3_600
DAY = 86_400.0
PARKED = Reaction.SUSPEND
TIMEOUT = 30.0
EPOCH = 1_700_000_000.0  # what the wall clock shows more than the steady one


class SimulationEnd(BaseException):
    """The simulated time is over."""


class FakeClock:
    """Time that passes only when somebody waits; the wall clock may be stepped."""

    def __init__(self, lasts, begin=None):
        self.at = 1_000.0 if begin is None else begin
        self.end = self.at + lasts
        self.step = EPOCH
        self.boot = None

    def now(self):
        return self.at

    def time(self):
        return self.at + self.step

    def wait(self, seconds):
        assert seconds >= 0
        self.advance(seconds)
        return False

    def advance(self, seconds):
        self.at += seconds
        if self.at >= self.end:
            raise SimulationEnd


def _only(by_type, *kinds):
    return {kind: by_type[kind] for kind in kinds if kind in by_type}


def _by_type(by_type, base, window):
    """So many calls more for each hundred of each type: over the sum, and type by type."""
    return [
        (max(1, base + sum(by_type.values())), window, None),
        *((max(1, base + n), window, kind) for kind, n in by_type.items()),
    ]


def limits_of(path, edition, plants, devices):
    """(calls, window, device type or None) as the reference and its later editions print them."""
    hundreds = max(1, ceil(plants / 100))
    by_type = {kind: ceil(count / 100) for kind, count in devices.items()}
    plants_daily = [(hundreds + 24, DAY, None), (1, 60, None)]
    v6 = {
        "login": [(5, 600, None)],
        "getStationList": [(24, DAY, None), (1, 60, None)],
        "stations": [(24, DAY, None), (1, 60, None)],
        "getDevList": plants_daily,
        "getStationRealKpi": [(hundreds, 300, None), (1, 60, None)],
        "getDevRealKpi": _by_type(by_type, 0, 300),
        "getKpiStationHour": plants_daily,
        "getKpiStationDay": plants_daily,
        "getKpiStationMonth": plants_daily,
        "getKpiStationYear": plants_daily,
        "getDevFiveMinutes": [*_by_type(by_type, 24, DAY), (1, 60, None)],
        "getDevKpiDay": [*_by_type(_only(by_type, 1, 14, 38, 39), 24, DAY), (1, 60, None)],
        "getDevUpgradeInfo": [(1, 60, None)],
        "getAlarmList": [(hundreds, 1_800, None)],
        "active-power-control-mode": plants_daily,
        "battery-mode": plants_daily,
        "getDevHistoryKpi": [
            *_by_type({kind: ceil(count / 10) for kind, count in devices.items()}, 24, DAY),
            (1, 60, None),
        ],
        "history": [(1, 600 / max(1, sum(devices.values())), None)],
    }[path]
    v25 = {
        "getStationList": [(10 * hundreds + 24, DAY, None)],
        "stations": [(10 * hundreds + 24, DAY, None)],
        "getAlarmList": [(max(hundreds, sum(by_type.values())), 1_800, None)],
    }.get(path, v6)
    classic = v6 if path == "history" else [(1, 60, None)]
    return {"classic": classic, "v6": v6, "v25": v25, "safe": classic + v6 + v25}[edition]


@dataclass
class Server(Answers):
    """One account's management system."""

    clock: FakeClock
    edition: str
    plants: dict[str, dict]
    devices: dict[int, dict]  # id → {"devTypeId", "stationCode", …}
    seed: int = 0
    latency: float = 0.2
    faults: tuple[str, ...] = ()
    fault_share: float = 0.0
    session_seconds: float = 1_800.0
    lifetime: float = inf  # that a login tells of its session
    extends: bool = True  # whether a call lengthens the session
    poisoned: set[int] = field(default_factory=set)
    troubles: list = field(default_factory=list)  # alarms
    upgraded: set[int] = field(default_factory=set)
    languages: set[str] = field(default_factory=lambda: LANGUAGES)
    lost: float = 0.0  # share of the rows of statistics and alarms that answers lack
    lag: float = 0.0  # after which a period has a row
    alarm_cut: float = 31 * DAY  # seconds to which a longer window is cut silently

    def __post_init__(self):
        self.random = random.Random(self.seed)  # noqa: S311  # dice, not keys
        self.token = None
        self.password = "secret"
        self.calls = []  # [arrival, path, body, outcome], as far as they arrived
        self.tried = []  # (path, body), arrived or not
        self.refused = []
        self.arrivals = defaultdict(lambda: defaultdict(list))  # by path and type; None: any
        self.session_end = -1.0
        self.valid = None
        self.script = lambda _name, _body: None  # returns the CallError to answer with, if any

    def time(self):
        """Seconds since the epoch, as the server's clock says, whatever ours does."""
        return self.clock.now() + EPOCH

    # --- the poller's Client ---------------------------------------------------------------

    @property
    def fingerprint(self):
        return f"sealed {self.password}"

    def has_credentials(self, fingerprint):
        return fingerprint == self.fingerprint

    def drop_token(self):
        self.token = None

    def login(self):
        self._transmit("login", {})
        self.token = self.valid = f"t{len(self.calls)}"
        self.session_end = self.clock.now() + self.session_seconds
        return self.lifetime

    def call(self, path, body):
        name = path.rsplit("/", 1)[1]
        self._transmit(name, body)
        if self.token != self.valid or self.clock.now() > self.session_end:
            self._fail(CallError(Failure("305", Reaction.LOG_IN, "log in again", enveloped=True)))
        if self.extends:
            self.session_end = self.clock.now() + self.session_seconds
        data = getattr(self, "answer_" + name.replace("-", "_"))(body)
        self.calls[-1][3] = "ok"
        return data

    def _transmit(self, name, body):
        self.tried.append((name, body))
        travel = self.random.uniform(0, self.latency)
        there = self.random.uniform(0, travel)
        fault = self.random.random() < self.fault_share and self.random.choice(self.faults)
        if fault == "connection":
            self.clock.advance(travel)
            raise CallError(Failure("connection", Reaction.NEXT_TURN, "refused"))
        if fault == "timeout":
            # It may arrive at any time, even after we have given up.
            self.count_arrival(name, body, self.clock.now() + self.random.uniform(0, TIMEOUT))
            self.clock.advance(TIMEOUT)
            raise CallError(Failure("timeout", Reaction.NEXT_TURN, "no answer"))
        self.count_arrival(name, body, self.clock.now() + there)
        self.clock.advance(travel)
        if self.refused and self.refused[-1] is self.calls[-1]:
            self._fail(CallError(Failure("407", Reaction.BACK_OFF, "too often", enveloped=True)))
        scripted = self.script(name, body)
        if scripted is not None:
            self._fail(scripted)
        if fault == "http_502":
            self._fail(CallError(Failure("http_502", Reaction.NEXT_TURN, "bad gateway")))
        if fault == "http_429":
            self._fail(CallError(Failure("http_429", Reaction.PAUSE, "too many")))
        if fault == "305" and name != "login":
            self.valid = None
        if fault == "20004":
            self._fail(CallError(Failure("20004", Reaction.NEXT_TURN, "abnormal", enveloped=True)))

    def _fail(self, error):
        self.calls[-1][3] = error.reason
        raise error

    def count_arrival(self, name, body, arrival):
        call = [arrival, name, body, None]
        self.calls.append(call)
        kind = int(body["devTypeId"]) if "devTypeId" in body else None
        counts = Counter(map(itemgetter("devTypeId"), self.devices.values()))
        del counts[62]
        logs = self.arrivals["getStationList" if name == "stations" else name]
        for allowed, window, of_kind in limits_of(name, self.edition, len(self.plants), counts):
            times = logs[of_kind]
            if of_kind in (None, kind) and (
                len(times) - bisect_right(times, arrival - window) >= allowed
            ):
                self.refused.append(call)
                break
        for times in (logs[each] for each in {None, kind}):
            insort(times, arrival)

    # --- looking back ------------------------------------------------------------------------

    def paths(self, name):
        return [call for call in self.calls if call[1] == name]

    def times(self, name):
        """When calls arrived, in whole seconds since the start."""
        return [int(call[0] - 1_000) for call in self.paths(name)]

    def asked(self, name, key="devIds"):
        """What was asked for, call by call."""
        return [call[2][key].split(",") for call in self.paths(name)]


class View:
    """Remembers what a poller shows: how often, the last of it, and each reading."""

    def __init__(self):
        self.shown = Counter()
        self.last = {}
        self.read = defaultdict(list)
        self.fleets = []
        self.state = None

    def restored(self, state, offset):  # noqa: ARG002  # the port's form
        self.state = state

    def show(self, changes):
        for request in changes.requests:
            self.last["request", request.interface] = request
        if changes.up is not None:
            self.up(up=changes.up)
        self.shown["session_lost"] += changes.sessions_lost
        self.shown["bug"] += changes.bugs
        for name, plan in changes.plans.items():
            self.last["plan", name] = plan
        if changes.fleet is not None:
            self.fleets.append(changes.fleet)
            self.last["fleet"] = (set(changes.fleet.plants), set(changes.fleet.devices))
        for answered in changes.answers:
            self.shown[answered.interface.content.value] += 1
            answers = self.state.answers[answered.interface.name]
            for name in answered.names:
                self.answered(answered.interface.name, name, answers[name])
        for name, count in changes.unanswered.items():
            self.last["unanswered", name] = count
            self.last["permitted", name] = self.permitted(name)

    def permitted(self, interface):
        result = self.state.results.get(interface)
        return result and result.permitted

    def up(self, *, up):
        self.last["up"] = up

    def answers(self, interface):
        """The newest answer about each plant or device."""
        return {name: each.value for name, each in self.state.answers[interface].items()}

    def answered(self, interface, name, answer):
        if isinstance(answer.value, Reading) and answer.value.values:
            self.read[interface, name].append(answer.value)


class UnsavedDatabase(Database):
    """A database that keeps nothing, as fast as may be."""

    def read(self, kind):  # noqa: ARG002  # the port's form
        return {}

    def write(self, rows):
        pass


WALKED = ("login", "getStationList", "getDevList", "getStationRealKpi", "getDevRealKpi")
# Seconds from round to round, where days pass that are not about realtime values: no session ends.
SELDOM = {"getStationRealKpi": 1_200.0, "getDevRealKpi": 1_200.0}
EVERYTHING = (
    *WALKED,
    "getAlarmList",
    "getKpiStationHour",
    "getKpiStationDay",
    "getKpiStationMonth",
    "getKpiStationYear",
    "getDevKpiDay",
    "getDevUpgradeInfo",
)


def fleet(plants, devices_by_type):
    """Plants and devices, the devices dealt out evenly."""
    codes = [f"P{n}" for n in range(plants)]
    devices = {}
    for kind, count in devices_by_type.items():
        for n in range(count):
            devices[kind * 100_000 + n] = {"devTypeId": kind, "stationCode": codes[n % plants]}
    return {code: {} for code in codes}, devices


def poller(  # noqa: PLR0913  # what a poller is handed, and a test may choose
    server,
    view=None,
    *,
    gate=None,
    account="a",
    overrides=None,
    walked=WALKED,
    database=None,
    alarms=None,
    every=None,
):
    """A poller that has restored, on a server, with the limits of the server's edition."""
    overrides, every = overrides or {}, every or {}
    polled = [
        PollConfig(
            INTERFACES[name],
            overrides.get(name, EDITIONS[server.edition](INTERFACES[name])),
            every.get(name, INTERFACES[name].every),
            INTERFACES[name].max_devices_per_call.get(server.edition, inf),
        )
        for name in walked
    ]
    made = Poller(
        AccountConfig(account, polled, TIMEOUT, alarms or AlarmFilter(), Fleet),
        client=server,
        view=view or View(),
        clock=server.clock,
        gate=gate or HostGate(),
        database=database or UnsavedDatabase(),
    )
    made.restore()
    return made


def run(poller):
    """Polls until the end of the clock's days."""
    try:
        poller.run()
    except SimulationEnd:
        return


def account(hours=2.0, plants=1, devices=None, edition="classic", **options):
    devices = {1: 2} if devices is None else devices
    return Server(FakeClock(hours * HOUR), edition, *fleet(plants, devices), **options)


def refused(reason, reaction, *, enveloped=True):
    return CallError(Failure(reason, reaction, "in words", enveloped=enveloped))


def at(server, hours, action):
    """Does something to the server when the clock has come so far."""
    original, when = server.clock.advance, server.clock.now() + hours * HOUR
    done = []

    def advance(seconds):
        original(seconds)
        if not done and server.clock.now() >= when:
            done.append(True)
            action()

    server.clock.advance = advance


def later(server, hours):
    """The calls after so many hours."""
    return [call for call in server.calls if call[0] >= 1_000 + hours * HOUR]
