"""Three replicas on a real PostgreSQL, a strict management system, and what may happen to them."""

import re
import signal
import socket
import threading
import time
import urllib.error
import urllib.request
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from secrets import token_hex

from daemon import PASSWORD, Daemon

from exporter.northbound.interfaces import INTERFACES
from exporter.simulator.http.server import Server
from exporter.simulator.http.system import System
from exporter.simulator.world.fleet import build

POLLED = ("getStationRealKpi", "getDevRealKpi")
LISTS = ("getStationList", "getDevList")
TIMEOUT = 3.0  # seconds that a call may take
_HELD = re.compile(r'^fusionsolar_exporter_account_held\{account="([^"]+)"\} 1', re.MULTILINE)
_SHOWN = re.compile(r'^fusionsolar_inverter_run_state_code\{account="([^"]+)"', re.MULTILINE)


class Proxy:
    """A way to a server that can be cut: nothing arrives, and nobody is told."""

    def __init__(self, port):
        self._port = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._open = threading.Event()
        self._open.set()
        self._sockets = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                threading.Thread(target=self._join, args=(near,), daemon=True).start()

    def _join(self, near):
        self._open.wait()
        try:
            far = socket.create_connection(("127.0.0.1", self._port))
        except OSError:
            near.close()
            return
        self._sockets += [near, far]
        back = threading.Thread(target=self._pump, args=(far, near), daemon=True)
        back.start()
        self._pump(near, far)
        back.join()
        near.close()
        far.close()

    def _pump(self, source, target):
        with suppress(OSError):
            while data := source.recv(65536):
                self._open.wait()
                target.sendall(data)
        for each in (source, target):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def cut(self):
        self._open.clear()

    def restore(self):
        """Lets new connections through; those that were cut are gone."""
        sockets, self._sockets = self._sockets, []
        for each in sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self._open.set()

    def close(self):
        self._listening.close()
        self.restore()


class Cluster:
    """So many replicas, each with its own way to the database, and so many accounts.

    `window` is for how many seconds an interface may be called once. Of `hosts` each replica has
    its own; without any all are on this one.
    """

    def __init__(self, directory, server, stack, *, replicas, accounts, window, hosts):  # noqa: PLR0913
        self.server = server
        self.hosts = hosts
        self.database = Path(server.create(token_hex(8))).name
        self.management = System(
            build(1, plants=1),
            clock=time.time,
            limits="classic",
            minute=window,
            users={f"a{n}": PASSWORD for n in range(accounts)},
            session_seconds=1e6,
        )
        self._directory = directory
        self._stack = stack
        self._host = stack.enter_context(Server(self.management, latency=(0.0, 0.05)))
        self.accounts = [self._account(f"a{n}", window) for n in range(accounts)]
        self.names = {each["name"] for each in self.accounts}
        self.proxies = [stack.enter_context(_closing(Proxy(server.port))) for _ in range(replicas)]
        with ThreadPoolExecutor() as together:
            self.daemons = list(together.map(self._start, range(replicas)))

    def _account(self, name, window):
        allowance = {"allowance": {"calls": 1, "per": f"{window}s"}}
        return {
            "name": name,
            "base_url": self._host.url,
            "username": name,
            "password": PASSWORD,
            "timeout": f"{TIMEOUT}s",
            "interfaces": {
                each: {"enabled": False} for each in INTERFACES if INTERFACES[each].polled
            }
            | dict.fromkeys(POLLED, allowance | {"enabled": True})
            | dict.fromkeys(LISTS, allowance | {"enabled": True, "every": "1h"})
            | {"login": allowance},
        }

    def _start(self, number):
        directory = self._directory / f"replica{number}"
        directory.mkdir(exist_ok=True)
        state = {"database": self.server.url(self.database, self.proxies[number].port)}
        host = self.hosts[number] if self.hosts else None
        daemon = Daemon(directory, self.accounts, traced=False, state=state, host=host)
        self._stack.callback(_end, daemon)
        return daemon

    def restart(self, number):
        self.daemons[number] = self._start(number)

    def stop_for(self, number, seconds):
        """Stops a process and lets it go on."""
        process = self.daemons[number].process
        process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        process.send_signal(signal.SIGCONT)

    # --- what is seen ----------------------------------------------------------------------------

    def page(self, number):
        """The page of a replica; empty where there is none at once."""
        with suppress(OSError, urllib.error.URLError):
            url = f"{self.daemons[number].url}/metrics"
            with urllib.request.urlopen(url, timeout=1) as answer:  # noqa: S310  # loopback
                return answer.read().decode()
        return ""

    def held_accounts(self):
        """The accounts that each replica says it holds."""
        return [set(_HELD.findall(self.page(n))) for n in range(len(self.daemons))]

    def missing(self, *, without=None):
        """The accounts that no replica holds, but for those of one."""
        held_accounts = [each for n, each in enumerate(self.held_accounts()) if n != without]
        return self.names - set.union(*held_accounts)

    def is_shared(self):
        """Whether each account is held by one replica, and each replica has its share."""
        held = self.held_accounts()
        sizes = sorted(map(len, held))
        return (
            set.union(*held) == self.names
            and sum(sizes) == len(self.names)
            and (sizes[-1] - sizes[0] <= 1)
        )

    def visible_pages(self):
        """How many of the pages show an account's values."""
        pages = [set(_SHOWN.findall(self.page(n))) for n in range(len(self.daemons))]
        return {name: sum(name in page for page in pages) for name in self.names}

    def wait(self, condition, seconds=90.0):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if condition():
                return
            time.sleep(0.2)
        logs = "\n".join(daemon.log[-3000:] for daemon in self.daemons)
        raise AssertionError(f"it did not come to pass: {self.held_accounts()}\n{logs}")

    def arrivals(self, name):
        """When the management system was called for an account, logins included."""
        logs = self.management.calls.accounts()
        return sorted(
            arrival
            for (account, _), calls in logs.items()
            for arrival in calls.arrivals
            if account == name
        )

    def refused(self):
        return {key for key, calls in self.management.calls.accounts().items() if calls.refusals}

    def count_refused(self):
        return sum(len(calls.refusals) for calls in self.management.calls.accounts().values())

    def logins(self):
        return {n: len(self.management.calls.of(n, "login").arrivals) for n in self.names}

    def longest_silence(self, since, until):
        """By account, the longest time without a call, in seconds."""
        silent = {}
        for name in self.names:
            calls = [each for each in self.arrivals(name) if since <= each <= until]
            silent[name] = max(b - a for a, b in pairwise([since, *calls, until]))
        return silent

    def bug_lines(self):
        """Lines of all logs that tell of a bug."""
        logs = "".join(path.read_text() for path in self._directory.glob("*/log"))
        return [line for line in logs.splitlines() if "level=error" in line or "bug" in line]


class Watch:
    """Looks at all pages again and again: for how long did no page show an account's values?"""

    def __init__(self, cluster):
        self._cluster = cluster
        self._ended = threading.Event()
        self._seen = dict.fromkeys(cluster.names, time.monotonic())
        self.longest = defaultdict(float)
        self._thread = threading.Thread(target=self._record_visible, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()

    def _record_visible(self):
        while not self._ended.wait(0.5):
            shown, now = self._cluster.visible_pages(), time.monotonic()
            for name, count in shown.items():
                if count:
                    self._seen[name] = now
                self.longest[name] = max(self.longest[name], now - self._seen[name])


@contextmanager
def _closing(proxy):
    try:
        yield proxy
    finally:
        proxy.close()


def _end(daemon):
    if daemon.process.poll() is None:
        daemon.process.send_signal(signal.SIGCONT)
        daemon.process.kill()
        daemon.process.wait()


@contextmanager
def cluster(directory, server, *, replicas=3, accounts=6, window=2.0, hosts=()):  # noqa: PLR0913
    """A cluster that is gone afterwards."""
    with ExitStack() as stack:
        yield Cluster(
            directory,
            server,
            stack,
            replicas=replicas,
            accounts=accounts,
            window=window,
            hosts=hosts,
        )
