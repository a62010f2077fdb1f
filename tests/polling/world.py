"""A world for pollers: a fake clock, and a server that counts arrivals in strictly sliding windows.

It knows the limits as literal numbers, not from the product's table, and refuses with 407 whatever
would be one call too many. Everything random comes from one seed.
"""

import random
from bisect import bisect_right
from collections import Counter, defaultdict
from contextlib import nullcontext
from dataclasses import dataclass, field
from math import ceil

from exporter.northbound.errors import CallError, Reaction
from exporter.northbound.interfaces import EDITIONS, INTERFACES
from exporter.polling.inquiries import AlarmTerms
from exporter.polling.inventory import Inventory
from exporter.polling.lane import Wish
from exporter.polling.poller import Poller
from exporter.polling.session import HostGate

HOUR = 3_600
DAY = 86_400.0
PARKED = Reaction.PARK
TIMEOUT = 30.0


class EndOfDays(BaseException):
    """The simulated time is over."""


class FakeClock:
    """Time that passes only when somebody waits; the wall clock may be stepped."""

    def __init__(self, end):
        self.at = 1_000.0
        self.end = self.at + end
        self.step = 1_700_000_000.0

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
            raise EndOfDays


def limits_of(path, edition, plants, devices):
    """(calls, window, device type or None) as the reference and its V6 edition print them."""
    plant_batches = max(1, ceil(plants / 100))
    by_type = {kind: ceil(count / 100) for kind, count in devices.items()}
    v6 = {
        "login": [(5, 600, None)],
        "getStationList": [(24, DAY, None), (1, 60, None)],
        "stations": [(24, DAY, None), (1, 60, None)],
        "getDevList": [(plant_batches + 24, DAY, None), (1, 60, None)],
        "getStationRealKpi": [(plant_batches, 300, None), (1, 60, None)],
        "getDevRealKpi": [
            (max(1, sum(by_type.values())), 300, None),
            *((max(1, n), 300, kind) for kind, n in by_type.items()),
        ],
    }[path]
    classic = [(1, 60, None)]
    return {"classic": classic, "v6": v6, "safe": classic + v6}[edition]


@dataclass
class Server:
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
    extends: bool = True  # whether a call lengthens the session
    poisoned: set[int] = field(default_factory=set)

    def __post_init__(self):
        self.random = random.Random(self.seed)  # noqa: S311  # dice, not keys
        self.token = None
        self.calls = []  # [arrival, path, body, outcome], as far as they arrived
        self.tried = []  # (path, body), arrived or not
        self.refused = []
        self.arrivals = defaultdict(list)
        self.session_end = -1.0
        self.valid = None
        self.script = lambda _name, _body: None  # returns the CallError to answer with, if any

    # --- the poller's Client ---------------------------------------------------------------

    def forget(self):
        self.token = None

    def login(self):
        self._arrive("login", {})
        self.token = self.valid = f"t{len(self.calls)}"
        self.session_end = self.clock.now() + self.session_seconds

    def call(self, path, body):
        name = path.rsplit("/", 1)[1]
        self._arrive(name, body)
        if self.token != self.valid or self.clock.now() > self.session_end:
            self._fail(CallError("305", Reaction.LOG_IN, "log in again", enveloped=True))
        if self.extends:
            self.session_end = self.clock.now() + self.session_seconds
        data = getattr(self, "answer_" + name)(body)
        self.calls[-1][3] = "ok"
        return data

    def _arrive(self, name, body):
        self.tried.append((name, body))
        travel = self.random.uniform(0, self.latency)
        there = self.random.uniform(0, travel)
        fault = self.random.random() < self.fault_share and self.random.choice(self.faults)
        if fault == "connection":
            self.clock.advance(travel)
            raise CallError("connection", Reaction.NEXT_TURN, "refused")
        if fault == "timeout":
            # It may arrive at any time, even after we have given up.
            self._count(name, body, self.clock.now() + self.random.uniform(0, TIMEOUT))
            self.clock.advance(TIMEOUT)
            raise CallError("timeout", Reaction.NEXT_TURN, "no answer")
        self._count(name, body, self.clock.now() + there)
        self.clock.advance(travel)
        if self.refused and self.refused[-1] is self.calls[-1]:
            self._fail(CallError("407", Reaction.BACK_OFF, "too often", enveloped=True))
        scripted = self.script(name, body)
        if scripted is not None:
            self._fail(scripted)
        if fault == "http_502":
            self._fail(CallError("http_502", Reaction.NEXT_TURN, "bad gateway"))
        if fault == "http_429":
            self._fail(CallError("http_429", Reaction.PAUSE, "too many"))
        if fault == "305" and name != "login":
            self.valid = None
        if fault == "20004":
            self._fail(CallError("20004", Reaction.NEXT_TURN, "abnormal", enveloped=True))

    def _fail(self, error):
        self.calls[-1][3] = error.reason
        raise error

    def _count(self, name, body, arrival):
        call = [arrival, name, body, None]
        self.calls.append(call)
        kind = int(body["devTypeId"]) if "devTypeId" in body else None
        counts = Counter(d["devTypeId"] for d in self.devices.values() if d["devTypeId"] != 62)
        log = self.arrivals["getStationList" if name == "stations" else name]
        for allowed, window, of_kind in limits_of(name, self.edition, len(self.plants), counts):
            if of_kind not in (None, kind):
                continue
            times = [t for t, k in log[-400:] if of_kind in (None, k)]
            if len(times) - bisect_right(times, arrival - window) >= allowed:
                self.refused.append(call)
                break
        log.append((arrival, kind))
        log.sort()

    # --- answers -----------------------------------------------------------------------------

    def answer_getStationList(self, _):  # noqa: N802
        return [{"stationCode": code, "stationName": code, **p} for code, p in self.plants.items()]

    def answer_getDevList(self, body):  # noqa: N802
        codes = self._asked(body["stationCodes"], self.plants, "20007")
        return [
            {"id": i, "devName": f"d{i}", **device}
            for i, device in self.devices.items()
            if device["stationCode"] in codes
        ]

    def answer_getStationRealKpi(self, body):  # noqa: N802
        codes = self._asked(body["stationCodes"], self.plants, "20007")
        return [{"stationCode": code, "dataItemMap": {"day_power": 1.0}} for code in codes]

    def answer_getDevRealKpi(self, body):  # noqa: N802
        ids = self._asked(body["devIds"], {str(i) for i in self.devices}, "20008")
        kinds = {str(self.devices[int(i)]["devTypeId"]) for i in ids}
        if kinds != {body["devTypeId"]} or self.poisoned & {int(i) for i in ids}:
            self._fail(CallError("20006", Reaction.REREAD_FLEET, "mixed", enveloped=True))
        return [{"devId": int(i), "dataItemMap": {"run_state": 1}} for i in ids]

    def answer_stations(self, body):
        size, page = body["pageSize"], body["pageNo"]
        codes = list(self.plants)
        return {
            "list": [
                {"plantCode": code, "plantName": code}
                for code in codes[(page - 1) * size : page * size]
            ],
            "pageNo": page,
            "pageCount": ceil(len(codes) / size),
        }

    def _asked(self, text, known, code):
        names = text.split(",")
        assert 1 <= len(names) <= 100
        assert len(set(names)) == len(names), "asked twice"
        if not set(names) <= set(known):
            self._fail(CallError(code, Reaction.REREAD_FLEET, "unknown", enveloped=True))
        return names

    # --- looking back ------------------------------------------------------------------------

    def paths(self, name):
        return [call for call in self.calls if call[1] == name]

    def times(self, name):
        """When calls arrived, in whole seconds since the start."""
        return [int(call[0] - 1_000) for call in self.paths(name)]

    def asked(self, name, key="devIds"):
        """What was asked for, call by call."""
        return [call[2][key].split(",") for call in self.paths(name)]


class Sink:
    """Remembers what a poller tells."""

    def __init__(self):
        self.told = Counter()
        self.last = {}
        self.read = defaultdict(list)

    def readings(self, interface, asked, readings, measured=None):  # noqa: ARG002  # the port's form
        self.told["readings"] += 1
        for reading in readings.records:
            self.read[interface.name, reading.subject].append(reading)

    def fleet(self, plants, devices):
        self.last["fleet"] = (set(plants), set(devices))

    def plan(self, interface, **plan):
        self.last["plan", interface] = plan

    def changes(self):
        return {}

    def __getattr__(self, name):
        def tell(*args, **kwargs):
            self.told[name] += 1
            self.last[name, *args[:1]] = (*args[1:], *kwargs.values())

        return tell


class Forgetful:
    """A memory that keeps nothing, as fast as may be."""

    def claim(self):
        return nullcontext()

    def read(self, kind):  # noqa: ARG002  # the port's form
        return {}

    def write(self, changes):
        pass


WALKED = ("login", "getStationList", "getDevList", "getStationRealKpi", "getDevRealKpi")


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
    sink=None,
    *,
    gate=None,
    account="a",
    overrides=None,
    walked=WALKED,
    memory=None,
    alarms=AlarmTerms(),  # frozen
):
    """A poller on a server, with the reference's limits of the server's edition."""
    overrides = overrides or {}
    wishes = [
        Wish(
            INTERFACES[name],
            overrides.get(name, EDITIONS[server.edition](INTERFACES[name])),
            INTERFACES[name].every,
        )
        for name in walked
    ]
    return Poller(
        account,
        wishes,
        edition=server.edition,
        timeout=TIMEOUT,
        alarms=alarms,
        client=server,
        inventory=Inventory(),
        sink=sink or Sink(),
        clock=server.clock,
        gate=gate or HostGate(),
        memory=memory or Forgetful(),
    )


def run(poller):
    """Polls until the end of the clock's days."""
    try:
        poller.run()
    except EndOfDays:
        return


def account(hours=2.0, plants=1, devices=None, edition="classic", **traits):
    devices = {1: 2} if devices is None else devices
    return Server(FakeClock(hours * HOUR), edition, *fleet(plants, devices), **traits)


def refused(reason, reaction, *, enveloped=True):
    return CallError(reason, reaction, "in words", enveloped=enveloped)


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
