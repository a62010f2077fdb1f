"""One exporter with an account for every row of the table, before, in and after the trouble."""

import re
import signal
import socket
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import trustme
from daemon import PASSWORD, exporter
from faults.servers import AccountServer
from faults.table import DEVICES, LISTS, LOGIN, PLANTS, TABLE, WALKED

from exporter.northbound.interfaces import INTERFACES

PAUSE = 0.25  # seconds between two looks at the page
# Seconds after which something will not come any more: a device that failed its batch is asked
# again after up to 64 turns of two windows, and a busy machine is slow.
TIMEOUT = 240.0
ASLEEP = 3.0  # seconds of a suspension

_SAMPLE = re.compile(r'^(fusionsolar_\w+)\{account="([^"]*)",?([^}]*)\} (\S+)$', re.MULTILINE)


class Snapshot:
    """What the page says at one moment, account by account."""

    def __init__(self, page):
        self.page = page
        self.accounts = defaultdict(dict)
        for name, account, labels, value in _SAMPLE.findall(page):
            self.accounts[account][name, labels] = float(value)

    def value(self, row, name, labels=""):
        return self.accounts[row.name].get((name, labels), 0.0)

    def sum(self, row, name):
        return sum(v for (each, _), v in self.accounts[row.name].items() if each == name)

    def failures(self, row):
        """Failed calls by interface and reason, where there are any."""
        found = re.compile('interface="(.*)",reason="(.*)"')
        return {
            found.fullmatch(labels).groups(): value
            for (name, labels), value in self.accounts[row.name].items()
            if name == "fusionsolar_api_request_failures_total" and value
        }

    def last_success(self, row, interface):
        name = "fusionsolar_interface_last_success_timestamp_seconds"
        return self.value(row, name, f'interface="{interface}"')

    def devices(self, row):
        """The devices whose values are shown."""
        return {
            labels
            for name, labels in self.accounts[row.name]
            if name == "fusionsolar_inverter_run_state_code"
        }


@dataclass
class Observations:
    """What was seen: looks before, in and after the trouble, after a suspension and a reload.

    Times are in seconds since the epoch, memory is in kB; refusals and logins are those that the
    management systems counted, by account.
    """

    before: Snapshot
    not_ready: str
    trouble: list[Snapshot] = field(default_factory=list)
    ended: float = 0.0
    after: Snapshot | None = None
    woke: float = 0.0
    woken: Snapshot | None = None
    reload: float = 0.0
    reloaded: Snapshot | None = None
    log: str = ""
    threads: int = 0
    memory: dict[str, int] = field(default_factory=dict)
    refusals: dict[str, int] = field(default_factory=dict)
    logins: dict[str, int] = field(default_factory=dict)
    redirects_followed: bool = True
    status: int = -1

    @property
    def during(self):
        """The last look before the trouble ended."""
        return self.trouble[-1]


def observe(directory):
    """Runs the exporter through all phases and returns what was seen."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(directory / "ca.pem")
    elsewhere = socket.create_server(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{elsewhere.getsockname()[1]}/thirdData/login"
    hosts = defaultdict(list)
    for row in TABLE:
        hosts[row.host or row.name].append(row)
    servers = [AccountServer(rows, authority, address) for rows in hosts.values()]
    try:
        accounts = [_account(s, r, directory) for s in servers for r in s.rows]
        with exporter(directory, accounts, traced=False) as it:
            seen = _run(it, servers)
            seen.status = it.stop()
            seen.log = it.log
    finally:
        with ThreadPoolExecutor(len(servers)) as pool:
            list(pool.map(AccountServer.stop, servers))
    for server in servers:
        for row in server.rows:
            calls = [server.system.calls.of(row.name, name) for name in WALKED]
            seen.refusals[row.name] = sum(len(each.refusals) for each in calls)
            seen.logins[row.name] = len(calls[0].arrivals)
    elsewhere.setblocking(False)
    try:
        elsewhere.accept()[0].close()
    except BlockingIOError:
        seen.redirects_followed = False
    elsewhere.close()
    return seen


def _account(server, row, directory):
    walked = {
        name: {"allowance": {"calls": 1, "per": f"{row.login if name == LOGIN else row.minute}s"}}
        for name in WALKED
    }
    for name in LISTS:
        walked[name]["every"] = "1h"
    return {
        "name": row.name,
        "base_url": server.url,
        "username": row.name,
        "password": PASSWORD,
        "timeout": row.timeout,
        "device_types": ["string_inverter"],
        "tls": {"ca_file": str(directory / "ca.pem")},
        "interfaces": walked
        | {
            name: {"enabled": False}
            for name, row in INTERFACES.items()
            if row.polled and name not in WALKED
        },
    } | row.account


def _run(it, servers):
    rows = [row for server in servers for row in server.rows]

    def snapshot():
        time.sleep(PAUSE)
        return Snapshot(it.page())

    def look_at_the_trouble():
        for server in servers:
            server.continue_fault()
        return snapshot()

    start = _poll_until(
        snapshot, lambda snapshots: all(r.from_start or snapshots[-1].devices(r) for r in rows)
    )
    seen = Observations(before=start[-1], not_ready=it.get("/-/ready")[1])
    seen.memory["before"] = _status(it.process, "VmRSS")

    began = time.time()
    for server in servers:
        server.begin_fault()
    seen.trouble = _poll_until(
        look_at_the_trouble,
        lambda snapshots: all(_has_taken_effect(row, snapshots, began) for row in rows),
    )

    seen.ended = time.time()
    for server in servers:
        server.end_fault()
    seen.after = _poll_until_recovered(snapshot, rows, seen.ended)
    seen.memory |= {"after": _status(it.process, "VmRSS"), "most": _status(it.process, "VmHWM")}

    it.process.send_signal(signal.SIGSTOP)
    seen.woke = time.time() + ASLEEP
    while time.time() < seen.woke:
        time.sleep(PAUSE)
    it.process.send_signal(signal.SIGCONT)
    seen.woken = _poll_until_recovered(snapshot, rows, seen.woke)

    seen.reload = time.time()
    it.process.send_signal(signal.SIGHUP)
    needing_reload = [row for row in rows if row.needs_reload]
    seen.reloaded = _poll_until(
        snapshot,
        lambda snapshots: all(is_well(row, snapshots[-1], seen.reload) for row in needing_reload),
    )[-1]
    seen.threads = _status(it.process, "Threads")
    return seen


def _poll_until(snapshot: Callable, condition: Callable):
    """Looks until a condition holds, or will not any more; whoever asks then sees what lacks."""
    end = time.monotonic() + TIMEOUT
    snapshots = [snapshot()]
    while not condition(snapshots) and time.monotonic() < end:
        snapshots.append(snapshot())
    return snapshots


def _poll_until_recovered(snapshot, rows, since):
    return _poll_until(
        snapshot, lambda snapshots: all(recovered(row, snapshots[-1], since) for row in rows)
    )[-1]


def _has_taken_effect(row, snapshots, began):
    """Whether the fault has been felt, and long enough to tell what becomes of the values."""
    now = snapshots[-1]
    counted = row.reason is None or (row.at, row.reason) in now.failures(row)
    lost = not row.lost or now.sum(row, "fusionsolar_api_sessions_lost_total")
    gone = row.values in ("stay", "never", None) or not now.devices(row)
    down = row.up or not now.value(row, "fusionsolar_up")
    alone = row.inverters == 1 or any(len(snapshot.devices(row)) == 99 for snapshot in snapshots)
    old = time.time() - began > 6 * row.minute
    return counted and lost and gone and down and alone and old


def recovered(row, now, since):
    """Whether all is well again since that time, or can not be."""
    return not row.recovers or is_well(row, now, since)


def is_well(row, now, since):
    """Whether all is well again since that time."""
    answered = all(now.last_success(row, name) > since for name in (PLANTS, DEVICES))
    up = now.value(row, "fusionsolar_up") == 1
    return answered and up and len(now.devices(row)) == row.inverters


def _status(process, name):
    """A number of /proc/<pid>/status, in kB where it is memory."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(rf"^{name}:\s+(\d+)", status, re.MULTILINE)[1])
