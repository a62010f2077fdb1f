"""The promise: never one call too many in any window, and hardly one less, whatever happens."""

from collections import Counter

import pytest
from account.world import EVERYTHING, WALKED, FakeClock, Server, View, fleet, limits_of, poller, run
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.slow

HOUR = 3_600.0
FAULTS = ("connection", "timeout", "http_502", "http_429", "305", "20004")
REALTIME = ("getStationRealKpi", "getDevRealKpi")

fleets = st.builds(
    fleet,
    st.integers(1, 220),  # batches are of 100: the whole of one, or of two, and the rest
    st.dictionaries(
        st.sampled_from([1, 14, 38, 15, 10, 17, 47, 39, 41, 8, 62]),
        st.integers(1, 220),
        max_size=4,
    ),
)


def allowed(server, name, seconds):
    counts = Counter(d["devTypeId"] for d in server.devices.values() if d["devTypeId"] != 62)
    limits = limits_of(name, server.edition, len(server.plants), counts)
    return min(seconds / window * calls for calls, window, kind in limits if kind is None)


@examples(10)
@given(
    edition=st.sampled_from(["classic", "v6", "v25", "safe"]),
    fleet=fleets,
    seed=st.integers(0, 2**32),
    latency=st.sampled_from([0.0, 0.2, 3.0, 25.0]),
    fault_share=st.sampled_from([0.0, 0.05, 0.5]),
    walked=st.sampled_from([WALKED, EVERYTHING]),
)
def test_no_call_is_ever_refused_for_its_frequency(  # noqa: PLR0913, PLR0917  # because all of it is drawn
    edition, fleet, seed, latency, fault_share, walked
):
    server = Server(
        FakeClock(5 * HOUR),
        edition,
        *fleet,
        seed=seed,
        latency=latency,
        faults=FAULTS,
        fault_share=fault_share,
    )

    run(poller(server, walked=walked))

    assert server.refused == []


@pytest.mark.parametrize("edition", ["classic", "v6", "v25", "safe"])
def test_no_call_is_refused_in_a_day_of_faults(edition):
    server = Server(
        FakeClock(25 * HOUR),
        edition,
        *fleet(110, {1: 110, 39: 40}),
        faults=FAULTS,
        fault_share=0.1,
    )

    run(poller(server))

    assert server.refused == []
    assert len(server.paths("getDevRealKpi")) > 750


@pytest.mark.parametrize("edition", ["classic", "v6", "v25", "safe"])
def test_ten_minutes_use_at_least_95_percent_of_the_allowance(edition):
    # 110 plants, several batches per type, latency up to 0.2 s: measured once the fleet is known.
    # Statistics, alarms and upgrades go on beside them.
    server = Server(FakeClock(3 * HOUR), edition, *fleet(110, {1: 210, 39: 110, 47: 30}), seed=7)

    run(poller(server, walked=EVERYTHING))

    for name in REALTIME:
        start = server.clock.end - 140 * 60
        arrivals = [call[0] for call in server.paths(name) if call[0] >= start]
        for minute in range(0, 120, 10):
            window = [t for t in arrivals if 0 <= t - start - minute * 60 < 600]
            assert len(window) >= int(0.95 * allowed(server, name, 600))
        assert len(arrivals) >= 0.95 * allowed(server, name, 140 * 60)
    assert server.refused == []


@pytest.mark.parametrize("edition", ["classic", "v6", "v25", "safe"])
@pytest.mark.parametrize("seconds", [1_700, 1_800])
def test_sessions_that_expire_cost_hardly_a_call(edition, seconds):
    types = dict.fromkeys((1, 14, 38, 15, 10, 17, 47, 39, 8, 41), 2)
    server = Server(
        FakeClock(8 * HOUR),
        edition,
        *fleet(2, types),
        session_seconds=seconds,
        extends=False,
        latency=0.0,
    )

    run(poller(server))

    for name in REALTIME:
        assert len(server.paths(name)) >= 0.95 * allowed(server, name, 8 * HOUR)
    assert server.refused == []


@examples(8)
@given(
    edition=st.sampled_from(["classic", "v6", "v25", "safe"]),
    fleet=fleets,
    seed=st.integers(0, 2**32),
    fault_share=st.sampled_from([0.0, 0.2]),
)
def test_every_batch_is_served_once_a_round_whatever_fails(edition, fleet, seed, fault_share):
    server = Server(
        FakeClock(5.5 * HOUR),
        edition,
        *fleet,
        seed=seed,
        faults=("connection", "http_502", "20004"),
        fault_share=fault_share,
    )

    run(poller(server))

    last_list = max(at for at, (name, _) in enumerate(server.tried) if name == "getDevList")
    for name in REALTIME:
        asked = [
            body.get("devIds", body.get("stationCodes"))
            for at, (path, body) in enumerate(server.tried)
            if path == name and at > last_list
        ]
        batches = len(set(asked))
        for at in range(len(asked) - batches):
            assert len(set(asked[at : at + batches])) == batches


@examples(3)
@given(fleet=fleets, seed=st.integers(0, 2**32), latency=st.sampled_from([0.2, 20.0]))
def test_no_interface_starves(fleet, seed, latency):
    server = Server(FakeClock(19 * HOUR), "v6", *fleet, seed=seed, latency=latency)
    view = View()

    run(poller(server, view))

    assert len(server.paths("getStationList")) >= 3
    asked_lists = Counter(call[2]["stationCodes"] for call in server.paths("getDevList"))
    assert min(asked_lists.values()) >= 2
    for code in server.plants:
        assert len(view.read["getStationRealKpi", code]) >= 100
    for device_id, device in server.devices.items():
        if device["devTypeId"] != 62:
            assert len(view.read["getDevRealKpi", str(device_id)]) >= 40


@examples(10)
@given(steps=st.lists(st.floats(-1e8, 1e8), min_size=1, max_size=5), seed=st.integers(0, 99))
def test_a_clock_that_is_set_changes_no_pace(steps, seed):
    server = Server(FakeClock(2 * HOUR), "safe", *fleet(3, {1: 5, 39: 2}), seed=seed)
    original = server.answer_getDevRealKpi

    def step_the_clock(body):
        server.clock.step += steps[len(server.calls) % len(steps)]
        return original(body)

    server.answer_getDevRealKpi = step_the_clock

    run(poller(server))

    assert server.refused == []
    assert len(server.paths("getDevRealKpi")) >= 0.95 * allowed(server, "getDevRealKpi", 2 * HOUR)


@examples(10)
@given(
    seed=st.integers(0, 2**32),
    faults=st.sampled_from([("305",), ("305", "connection"), ("timeout",), ("connection",)]),
    fault_share=st.sampled_from([0.5, 1.0]),
)
def test_there_is_no_login_loop(seed, faults, fault_share):
    server = Server(
        FakeClock(24 * HOUR),
        "v6",
        *fleet(3, {1: 5}),
        seed=seed,
        faults=faults,
        fault_share=fault_share,
    )

    run(poller(server))

    # The wait doubles up to half an hour; some logins stand where sessions held ten minutes.
    assert len(server.paths("login")) <= 24 * 6
    assert server.refused == []


def test_the_first_walk_over_a_large_fleet_takes_a_call_a_minute_not_a_day():
    server = Server(FakeClock(HOUR / 2), "v6", *fleet(1_000, {1: 1_000}))

    run(poller(server))

    lists = [call[0] - 1_000 for call in server.paths("getDevList")]
    assert len(lists) == 10
    assert lists[-1] < 12 * 60


def test_polling_starts_with_the_devices_known_so_far():
    server = Server(FakeClock(HOUR / 2), "v6", *fleet(1_000, {1: 1_000}))

    run(poller(server))

    first_reading = server.paths("getDevRealKpi")[0][0]
    assert first_reading < server.paths("getDevList")[1][0]
