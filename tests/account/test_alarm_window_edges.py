"""Alarms within a second of a window's edge, which a server may count as outside of it."""

import pytest
import structlog
from account.polled import START, bodies, walk
from account.server_alarms import DAY, ServerAlarm
from account.world import FakeClock, View, account

from exporter.account.alarm_windows import Window
from exporter.account.alarms import PlantAlarmState
from exporter.account.batches import Batch
from exporter.account.handlers import AlarmFilter
from exporter.account.handlers.alarms import AlarmsHandler
from exporter.account.interface_schedule import PlannedCall
from exporter.account.model import AccountState
from exporter.northbound.interfaces import INTERFACES

ALARMS = "getAlarmList"
LONGEST = 31 * DAY - 60


class ActiveAlarms(View):
    """Notes how many alarms are active after each answer."""

    def __init__(self):
        super().__init__()
        self.active = []

    def answered(self, interface, name, answer):
        if interface == ALARMS and name == "P0":
            self.active.append(len(answer.value))


def server_of(*raised):
    """An account whose server leaves out what was raised in a window's first or last second."""
    server = account(hours=2)
    answer = server.answer_getAlarmList
    server.troubles = [ServerAlarm("P0", f"S{n}", 65534, 1, at, at) for n, at in enumerate(raised)]
    server.answer_getAlarmList = lambda body: [
        item
        for item in answer(body)
        if body["beginTime"] + 1_000 <= item["raiseTime"] <= body["endTime"] - 1_000
    ]
    return server


def windows(server):
    """The longest windows that were asked about, in seconds since the epoch."""
    asked = ((body["beginTime"] / 1e3, body["endTime"] / 1e3) for body in bodies(server, ALARMS))
    return [(begin, end) for begin, end in asked if begin + LONGEST == end]


@pytest.mark.slow
@pytest.mark.parametrize("after", [0.2, 0.5, 0.8])
def test_an_alarm_at_the_begin_of_a_window_that_lacks_it_stays_active(after):
    before = server_of()
    walk(before, ALARMS)
    begin, _ = windows(before)[2]
    server, view = server_of(begin + after), ActiveAlarms()

    walk(server, ALARMS, view=view)

    assert begin in [begin for begin, _ in windows(server)]
    assert set(view.active) == {1}


@pytest.mark.slow
@pytest.mark.parametrize("earlier", [0.2, 0.5, 0.8])
def test_an_alarm_at_the_end_of_an_older_window_that_lacks_it_stays_active(earlier):
    weeks_ago = START - 20 * DAY  # that it is told of shows that windows are not cut to a week
    before = server_of(weeks_ago)
    walk(before, ALARMS)
    newer, older = [end for _, end in windows(before) if end < START][:2]
    # The first one shows that they are not cut at their end either.
    server, view = server_of(weeks_ago, newer - 2, older - earlier), ActiveAlarms()

    walk(server, ALARMS, view=view)

    assert older in [end for _, end in windows(server)]
    assert view.active == sorted(view.active)
    assert view.active[-1] == 3


@pytest.mark.parametrize(
    ("ends", "asked"),
    [
        ([400, 366, 340], (365, 340)),  # days ago; the farthest that may be asked about is begun
        ([366], (31, 0)),  # instead of it, the newest window
    ],
)
def test_a_window_that_the_server_has_forgotten_meanwhile_is_not_asked_about(ends, asked):
    clock, state, now = FakeClock(DAY), AccountState(), FakeClock(DAY).time()
    windows = tuple(Window(now - (end + 31) * DAY, now - end * DAY) for end in ends)
    state.alarms["P0"] = PlantAlarmState(older=windows)
    interface, batch = INTERFACES[ALARMS], Batch(None, ("P0",))
    handler = AlarmsHandler(interface, state, clock, AlarmFilter(), structlog.get_logger())

    _, body = handler.request(PlannedCall(interface, batch, batch.groups[0], 0.0, extra=True))

    days = [(now - body[name] / 1_000) / DAY for name in ("beginTime", "endTime")]
    assert tuple(map(round, days)) == asked
