import json
from collections import defaultdict
from datetime import UTC, datetime

import pytest

from exporter.northbound.interfaces import INTERFACES
from exporter.simulator.http.system import System
from exporter.simulator.world.fleet import build

NOON = datetime(2026, 6, 23, 11, 0, tzinfo=UTC).timestamp()


class Clock:
    def __init__(self, now=NOON):
        self.now = now

    def __call__(self):
        return self.now


class Client:
    """One user of a system; every call comes a day after the one before, so that none is early."""

    def __init__(self, fleet=None, *, pause=86_400.0, now=NOON, **options):
        self.clock = Clock(now)
        self.pause = pause
        options = {"session_seconds": 1e9, "limits": "classic", **options}
        self.system = System(fleet or build(), clock=self.clock, **options)
        self.headers = {}

    def send(self, interface, parameters=None, headers=None):
        body = json.dumps(parameters or {}).encode()
        headers = self.headers if headers is None else headers
        row = INTERFACES.get(interface)
        path = row.path if row else f"/thirdData/{interface}"
        answer = self.system.handle("POST", path, headers, body)
        self.clock.now += self.pause
        return answer

    def ask(self, interface, **parameters):
        return json.loads(self.send(interface, parameters).body)

    def code(self, interface, **parameters):
        return self.ask(interface, **parameters)["failCode"]

    def login(self, user="demo", password="demo"):  # noqa: S107  # because tests invent theirs
        answer = self.send("login", {"userName": user, "systemCode": password})
        token = dict(answer.headers).get("xsrf-token")
        if token is not None:
            self.headers = {"XSRF-TOKEN": token}
        return json.loads(answer.body) if answer.body else None

    def ids(self, type_id):
        devices = self.system.fleet.devices.values()
        return [str(device.id) for device in devices if device.type_id == type_id]

    def readings(self, type_id, ids=None):
        asked = ",".join(ids or self.ids(type_id))
        data = self.ask("getDevRealKpi", devIds=asked, devTypeId=str(type_id))["data"]
        return {str(item["devId"]): item["dataItemMap"] for item in data}

    def plants(self):
        return ",".join(self.system.fleet.plants)


@pytest.fixture
def client():
    made = Client()
    made.login()
    return made


@pytest.fixture
def client_of():
    def make(*args, **options):
        made = Client(*args, **options)
        made.login()
        return made

    return make


@pytest.fixture
def by_type():
    def sort(devices):
        types = defaultdict(list)
        for device in devices:
            types[device.type_id].append(device)
        return types

    return sort


@pytest.fixture
def new_client():
    return Client
