"""Whatever servers say: a failed call at worst, and a page that every strict reader takes."""

import re
from collections import Counter
from functools import partial
from math import isfinite

import pytest
import responses
from account.world import FakeClock, UnsavedDatabase
from clocked import ClockedWorld
from examples import examples
from faults.strategies import (
    DEVICES,
    FLEET,
    answers,
    as_json,
    bodies,
    envelopes,
    envelopes_around,
    fail_codes,
    headers,
    statuses,
)
from hypothesis import given
from hypothesis import strategies as st
from prometheus.promtool import check_metrics, needs_promtool
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from exporter.account.account_polling import AccountConfig
from exporter.account.fleet import Fleet
from exporter.account.handlers import AlarmFilter
from exporter.account.interface_schedule import PollConfig
from exporter.account.login import HostGate
from exporter.account.poller import MAX_SLEEP, Poller
from exporter.exposition.alarms import SEVERITIES
from exporter.exposition.page import Format
from exporter.northbound.client import Client
from exporter.northbound.errors import CallError
from exporter.northbound.interfaces import INTERFACES, LOGIN, MINUTE, Content, Limit

pytestmark = pytest.mark.slow

HOST = "https://fusionsolar.test"
PASSWORD, TOKEN = "top-secret", "t0ken"
# Of which an account walks one; here one of the first two, about which answers are drawn.
SAME_VALUES = ("getDevRealKpi", "getDevFiveMinutes", "getDevHistoryKpi", "device/history")
WALKED = [row for row in INTERFACES.values() if row.content is not Content.NOTHING]
REASON = re.compile(r"[0-9]{1,5}|http_[0-9]{3}|[a-z_]+")
STEPS = 40  # of one account: calls, or waits of a minute
SAMPLE = 6  # pages for promtool
LOGGED_IN = 200, {"xsrf-token": TOKEN}, b'{"success": true}'
READINGS = as_json(
    {
        "success": True,
        "data": [{"devId": device, "dataItemMap": {"active_power": 1.5}} for device in DEVICES],
    }
)


@examples(250)
@given(
    st.sampled_from([LOGIN, *WALKED]),
    st.tuples(statuses, headers, bodies(envelopes)),
)
def test_any_answer_is_data_or_a_failed_call(interface, answer):
    client = Client(HOST, "api-user", PASSWORD, timeout=20.0)
    client.token = TOKEN
    status, head, content = answer
    with responses.RequestsMock() as server:
        server.post(HOST + interface.path, body=content, status=status, headers=head)
        error = None
        try:
            if interface is LOGIN:
                client.login()
            else:
                client.call(interface.path, {})
        except CallError as raised:
            error = raised
    if error is not None:
        assert REASON.fullmatch(error.reason)
        assert PASSWORD not in str(error)
        assert TOKEN not in str(error)
        assert error.__context__ is None


class Server(Client):
    """A real client, to each of whose calls `say` has the answer: of a path and its parameters.

    The first lists are sound.
    """

    def __init__(self, respond):
        super().__init__(HOST, "api-user", PASSWORD, timeout=600.0)
        self.calls = 0
        self._respond = respond
        self._fleet = dict(FLEET)

    def login(self):
        """Logs in, whatever is answered."""
        return self._answered_by_script(LOGIN.path, {}, super().login)

    def call(self, path, body):
        """Makes a call, whatever is answered."""
        return self._answered_by_script(path, body, partial(super().call, path, body))

    def _answered_by_script(self, path, body, send):
        self.calls += 1
        if path in self._fleet:
            sound = as_json({"success": True, "data": self._fleet.pop(path)})
            status, head, content = 200, {}, sound
        else:
            status, head, content = self._respond(path, body)
        with responses.RequestsMock() as server:
            server.post(HOST + path, body=content, status=status, headers=head)
            return send()


class Account:
    """An account: a poller, its page, and what the server says."""

    def __init__(self, respond, source):
        self.clock = FakeClock(365 * 86_400.0)
        self.server = Server(respond)
        self.world = ClockedWorld(self.clock, severities=SEVERITIES, max_active_per_plant=3)
        polled = [
            PollConfig(row, (Limit(1, MINUTE),), 0.0)
            for row in [LOGIN, *WALKED]
            if row.name == source or row.name not in SAME_VALUES
        ]
        self.poller = Poller(
            AccountConfig("home", polled, 20.0, AlarmFilter(), Fleet),
            client=self.server,
            view=self.world.view,
            clock=self.clock,
            gate=HostGate(),
            database=UnsavedDatabase(),
        )
        self.poller.restore()

    def poll(self, steps):
        """Takes so many steps, and looks at the page after each call."""
        for _ in range(steps):
            before = self.server.calls
            # Not `run`, which would survive a bug.
            self.clock.wait(min(self.poller.step(), MAX_SLEEP))
            if self.server.calls > before:
                assert_distinct(self.world.text())


def assert_distinct(page):
    """Sees to it that no series is there twice."""
    series = [line.rpartition(" ")[0] for line in page.split("\n")[:-1] if not line.startswith("#")]
    assert max(Counter(series).values(), default=1) == 1


def answered(draw, path, body):
    """Seven answers of ten are proper ones with odd contents; the others are anything."""
    if path == LOGIN.path:
        return LOGGED_IN
    whole = envelopes_around(answers(path, body))
    match draw(st.integers(0, 9)):
        case 0:
            return draw(st.tuples(statuses, headers, bodies(whole)))
        case 1:
            return 200, {}, draw(bodies(envelopes))
        case 2:
            return 200, {}, as_json({"success": False, "failCode": draw(fail_codes)})
        case _:
            return 200, {}, draw(whole.map(as_json))


def answered_properly(path, _body):
    """Each device sends one value."""
    return LOGGED_IN if path == LOGIN.path else (200, {}, READINGS)


def openmetrics(world):
    """The page's samples, read as strictly as the library can."""
    page = world.page.exposition(Format.OPENMETRICS).decode()
    return [each for family in text_string_to_metric_families(page) for each in family.samples]


@pytest.fixture(scope="module")
def pages():
    """For promtool: a page of proper answers, and the longest of those that came about."""
    home = Account(answered_properly, SAME_VALUES[0])
    home.poll(STEPS)
    return [home.world.text()]


@examples(25)
@given(st.data(), st.sampled_from(SAME_VALUES[:2]))
def test_whatever_is_answered_the_page_is_sound(pages, data, source):
    home = Account(partial(answered, data.draw), source)
    home.poll(STEPS)
    shown = home.world.series()
    assert all(map(isfinite, shown.values()))
    assert len(openmetrics(home.world)) == len(shown)
    pages[1:] = sorted([*pages[1:], home.world.text()], key=len)[-SAMPLE:]


@needs_promtool
def test_promtool_takes_such_pages_too(pages):
    assert "fusionsolar_inverter_" in pages[0]
    for page in pages:
        assert check_metrics(page) == (0, "")
