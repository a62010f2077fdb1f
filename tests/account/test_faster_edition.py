"""The hint at the faster edition is logged once, and again only when it has become another one."""

from functools import partial

import pytest
from account.world import HOUR, account, at, poller, run
from structlog.testing import capture_logs

TYPES = (1, 14, 38, 15, 10, 17, 47)


def hints(server):
    """The interfaces that hints named, while the device list is read every hour."""
    with capture_logs() as logs:
        run(poller(server, every={"getDevList": HOUR, "getStationList": HOUR}))
    return [entry["interfaces"] for entry in logs if "limits: v6" in entry["event"]]


@pytest.mark.slow
def test_a_fleet_that_grows_brings_no_second_hint():
    server = account(devices=dict.fromkeys(TYPES, 2), edition="safe", hours=9)
    for hours in (2, 4, 6):
        device = {1_000 + hours: {"devTypeId": 1, "stationCode": "P0"}}
        at(server, hours, partial(server.devices.update, device))

    assert hints(server) == ["getDevRealKpi"]


@pytest.mark.slow
def test_the_hint_comes_again_after_it_did_not_hold():
    server = account(devices=dict.fromkeys(TYPES, 2), edition="safe", hours=9)
    whole = dict(server.devices)
    others = [number for number, device in whole.items() if device["devTypeId"] != 1]
    at(server, 2, lambda: [server.devices.pop(number) for number in others])
    at(server, 5, lambda: server.devices.update(whole))

    assert hints(server) == ["getDevRealKpi", "getDevRealKpi"]
