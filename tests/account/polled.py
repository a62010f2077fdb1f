"""Accounts that poll what is asked beside real-time values, and what they asked."""

from account.server_alarms import ServerAlarm
from account.world import DAY, EPOCH, WALKED, poller, run

START = EPOCH + 1_000  # what the server's clock says at the start


def walk(server, *names, view=None, **settings):
    """Polls with these interfaces beside those of every account."""
    walker = poller(server, view, walked=(*WALKED, *names), **settings)
    run(walker)
    return walker


def bodies(server, name):
    return [call[2] for call in server.paths(name)]


def spans(server):
    """The windows that alarms were asked about, in days before the start."""
    return [
        ((START - body["beginTime"] / 1e3) / DAY, (START - body["endTime"] / 1e3) / DAY)
        for body in bodies(server, "getAlarmList")
    ]


def server_alarm(raised, **options):
    return ServerAlarm("P0", "S1", 65534, 1, raised, raised, **options)
