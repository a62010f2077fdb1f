"""Whatever happens to alarms, clocks and processes, an oracle and the tracker agree."""

import pytest
from account.alarm_tracker import DAY, HOUR, MINUTE, NOW, StoredTracker
from account.restarts import Stored, alarms
from account.server_alarms import ServerAlarm, key_of
from hypothesis import given
from hypothesis import strategies as st

from exporter.account.alarm_windows import newest_window

pytestmark = pytest.mark.slow

SPAN = 100  # days

troubles = st.lists(
    st.builds(
        lambda plant, serial, raised, late, lasts, lingers: ServerAlarm(
            plant=plant,
            serial=serial,
            alarm_id=1,
            cause_id=1,
            raised=float(int(NOW + raised * DAY)),
            visible=NOW + (raised + late) * DAY,
            cleared=NOW + (raised + late + lasts) * DAY,
            lingers=lingers * DAY,
        ),
        plant=st.sampled_from("PQ"),
        serial=st.sampled_from("ab"),
        raised=st.floats(-400, SPAN),
        late=st.floats(0, 0.5),
        lasts=st.floats(0, 400) | st.floats(0, 1),
        lingers=st.sampled_from([0.0, 0.1, 500.0]),
    ),
    max_size=15,
    unique_by=lambda trouble: trouble.key,
)
gaps = st.lists(st.floats(0.01, 0.5) | st.floats(0.5, 50), min_size=1, max_size=40)


class Watch:
    """Asks a tracker as the poller does, of a server that has all these alarms."""

    def __init__(self, troubles, skew=0.0):
        self.tracker = StoredTracker()
        self.troubles = troubles
        self.skew = skew
        self.stored = Stored()
        self.active = {}
        self.counted = []

    def ask(self, at, *, sweeps=1):
        """One look by a clock that is off, and some of the older windows that are due."""
        now = at + self.skew
        window = self.tracker.newest_window(now)
        self.record_answer(self.tracker.apply_recent("PQ", window, self.listed(window, at), now))
        for _ in range(sweeps):
            if window := self.tracker.older_window("PQ"):
                self.record_answer(
                    self.tracker.apply_older("PQ", window, self.listed(window, at), now)
                )
                self.tracker.drop_window("PQ", window)
        self.stored.save(self.tracker.rows)

    def listed(self, window, at):
        return [
            trouble.record(at)
            for trouble in self.troubles
            if window.begin <= trouble.raised <= window.end and trouble.listed(at)
        ]

    def record_answer(self, listed):
        self.active |= {plant: set(map(key_of, each.active)) for plant, each in listed.items()}
        self.counted += [key_of(alarm) for each in listed.values() for alarm in each.new]

    def restart(self, *, forgetful):
        self.stored = Stored() if forgetful else self.stored
        self.tracker = StoredTracker(self.stored.load(alarms()))


@given(
    troubles=troubles,
    gaps=gaps,
    skew=st.floats(-HOUR + MINUTE, HOUR - MINUTE),
    restarts=st.sets(st.integers(0, 40)),
)
def test_each_alarm_that_a_look_tells_of_counts_once_but_those_of_the_first(
    troubles, gaps, skew, restarts
):
    watch, at, seen = Watch(troubles, skew), NOW, None
    expected = set()
    for turn, gap in enumerate(gaps):
        at += gap * DAY
        listed = {key_of(each) for each in watch.listed(newest_window(at + skew), at)}
        expected |= set() if seen is None else listed - seen
        seen = (seen or set()) | listed
        watch.ask(at)
        if turn in restarts:
            watch.restart(forgetful=False)

    assert sorted(watch.counted) == sorted(expected)


@given(troubles=troubles, gaps=gaps, restarts=st.dictionaries(st.integers(0, 40), st.booleans()))
def test_after_a_sweep_the_server_and_we_agree_on_what_is_active(troubles, gaps, restarts):
    watch, at = Watch(troubles), NOW
    for turn, gap in enumerate(gaps):
        at += gap * DAY
        watch.ask(at)
        if turn in restarts:
            watch.restart(forgetful=restarts[turn])

    for _ in range(8):  # the rest of a sweep, and a week
        at += DAY
        watch.ask(at, sweeps=20)

    for plant in "PQ":
        assert watch.active[plant] == {
            trouble.key
            for trouble in troubles
            if trouble.plant == plant
            and trouble.active(at)
            and trouble.raised >= at - 365 * DAY + HOUR
        }


@given(
    troubles=troubles,
    gaps=gaps,
    wrong=st.sampled_from([-20, -3, -0.02, 0.02, 3, 20, 60]),
    lapses=st.sets(st.integers(0, 40)),
    restarts=st.sets(st.integers(0, 40)),
)
def test_however_wrong_the_clock_is_for_a_while_no_alarm_counts_twice(
    troubles, gaps, wrong, lapses, restarts
):
    watch, at = Watch(troubles), NOW
    for turn, gap in enumerate(gaps):
        at += gap * DAY
        watch.skew = wrong * DAY if turn in lapses else 0.0
        watch.ask(at)
        if turn in restarts:
            watch.restart(forgetful=False)

    assert len(watch.counted) == len(set(watch.counted))
