"""A session that another program takes away again and again is opened anew once it stops."""

import pytest
from account.world import HOUR, account, at, later, poller, run

pytestmark = pytest.mark.slow


def steal_sessions(server, begin, end):
    """Somebody else logs in before each call for devices, between these hours."""

    def script(name, _body):
        if name == "getDevRealKpi" and begin * HOUR < server.clock.now() - 1_000 < end * HOUR:
            server.valid = None

    server.script = script


@pytest.mark.parametrize("end", [0.26, 0.3, 0.35, 0.4])
def test_soon_after_the_last_theft_the_account_is_well_without_anybodys_help(end):
    server = account(hours=3)
    steal_sessions(server, 0.25, end)

    run(poller(server))

    assert {call[3] for call in later(server, end + 0.2)} == {"ok"}
    assert len(server.paths("login")) < 10


def test_a_reload_ends_the_wait_for_the_next_trial():
    server = account(hours=1)
    steal_sessions(server, 0.25, 0.35)
    polling = poller(server)
    at(server, 0.5, polling.resume)

    run(polling)

    assert {call[3] for call in later(server, 0.55)} == {"ok"}
