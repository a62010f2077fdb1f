"""Replicas that die, stop, lose the network or the database: no call too many, no login more."""

import shutil
import signal
import time

import pytest
from clocks.host import Host
from clusters.running import Watch, cluster

pytestmark = pytest.mark.slow


@pytest.mark.usefixtures("servers")
def test_whatever_happens_to_replicas_and_database_no_call_is_refused(tmp_path, postgres_server):
    with cluster(tmp_path, postgres_server) as them:
        them.wait(lambda: them.is_shared() and set(them.visible_pages().values()) == {1})
        first, second, third = them.daemons
        since = time.time()
        with Watch(them) as watch:
            # At once: one is killed, another stopped for longer than its lease lasts, a third has
            # no way to the database, which crashes too.
            second.process.send_signal(signal.SIGSTOP)
            them.proxies[2].cut()
            first.stop(signal.SIGKILL)
            them.restart(0)
            postgres_server.stop(signal.SIGQUIT)
            postgres_server.start()
            them.wait(lambda: them.held_accounts()[0] == them.names)

            second.process.send_signal(signal.SIGCONT)
            them.proxies[2].restore()
            them.wait(lambda: them.is_shared() and set(them.visible_pages().values()) == {1})

            # Told to end, a replica hands over at once.
            begun = time.monotonic()
            assert second.stop() == 0
            them.wait(lambda: not them.missing(without=1))
            handed_over = time.monotonic() - begun
            assert third.process.poll() is None
        until = time.time()

    assert them.refused() == set()
    assert them.logins() == dict.fromkeys(them.names, 1)
    assert them.bug_lines() == []
    assert {name for name, gap in them.longest_silence(since, until).items() if gap > 60} == set()
    assert {name for name, gap in watch.longest.items() if gap > 60} == set()
    assert handed_over < 10


@pytest.mark.skipif(shutil.which("cc") is None, reason="a C compiler (cc) is not installed")
@pytest.mark.usefixtures("servers")
def test_hosts_whose_clocks_differ_and_leap_hand_over_without_a_call_too_many(
    tmp_path, postgres_server
):
    hosts = [
        Host(tmp_path / "slow", uptime=86_400, ahead=-660),
        Host(tmp_path / "fast", uptime=3_000, ahead=420),
    ]
    with cluster(tmp_path, postgres_server, replicas=2, accounts=4, hosts=hosts) as them:
        them.wait(lambda: them.is_shared() and set(them.visible_pages().values()) == {1})
        since = time.time()
        for number, end in ((0, signal.SIGKILL), (1, signal.SIGTERM)):
            other = 1 - number
            hosts[other].leap(3_000)
            them.daemons[number].stop(end)
            them.wait(lambda other=other: them.held_accounts()[other] == them.names)
            hosts[other].leap(-6_000)
            them.restart(number)
            them.wait(lambda: them.is_shared() and set(them.visible_pages().values()) == {1})
        until = time.time()

    assert them.refused() == set()
    assert them.logins() == dict.fromkeys(them.names, 1)
    assert them.bug_lines() == []
    assert {name for name, gap in them.longest_silence(since, until).items() if gap > 60} == set()
