"""Replicas on one PostgreSQL: what random faults cost, or what many accounts ask of the database.

`replicas.py` runs three replicas with 60 accounts for twenty minutes against the simulator's strict
limits, whose minute lasts ten seconds, while replicas are killed, stopped, told to end and cut off,
and the database restarts and crashes. Each replica is on a host of its own, as far as it can tell:
their clocks differ by minutes, and leap. `replicas.py --load` runs four with 500 accounts, a minute
of a minute, without faults. Needs Debian's postgresql and a C compiler; prints what happened.
"""

import argparse
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

sys.path[:0] = [str(Path(__file__).parents[1] / "tests")]

from clocks.host import Host  # type: ignore[import-not-found]  # noqa: E402  # found by the path
from clusters.running import (  # type: ignore[import-not-found]  # noqa: E402  # as above
    Watch,
    cluster,
)
from postgres import postgres  # type: ignore[import-not-found]  # noqa: E402  # found by the path

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST_FAULT = 30.0  # seconds, twice as long as a lease
HOSTS = ((0, 0), (86_400, 420), (3_000, -660))  # how long they are up, and how far ahead, in s
LONGEST_LEAP = 3600  # seconds
_STATISTICS = """
SELECT xact_commit, tup_inserted + tup_updated + tup_deleted, pg_current_wal_lsn() - '0/0'::pg_lsn
FROM pg_stat_database WHERE datname = current_database()
"""


def main() -> None:
    """Runs what the flags say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--load", action="store_true", help="measure the load on the database")
    parser.add_argument("--minutes", type=float, help="(default: 20; of the load: 5)")
    parser.add_argument("--accounts", type=int, help="(default: 60; of the load: 500)")
    parser.add_argument("--seed", type=int, default=1)
    flags = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, postgres() as server:
        if flags.load:
            _load(Path(name), server, flags.accounts or 500, flags.minutes or 5.0)
        else:
            _faults(Path(name), server, flags.accounts or 60, flags.minutes or 20.0, flags.seed)


# --- faults --------------------------------------------------------------------------------------


class Faults:
    """What happens to a cluster; each returns when it is over, but for the replicas' recovery."""

    def __init__(self, cluster: Any, dice: random.Random) -> None:
        self._cluster = cluster
        self._dice = dice
        self.count: Counter[str] = Counter()
        self._kinds: dict[str, Callable[[], None]] = {
            "kill -9": self._kill,
            "SIGSTOP": self._stop,
            "SIGTERM": self._end,
            "network cut": self._disconnect,
            "killed while another is stopped": self._kill_beside_a_stopped_one,
            "database restart": lambda: self._restart(signal.SIGINT),
            "database crash": lambda: self._restart(signal.SIGQUIT),
            "clock leap": self._step_clock,
        }

    def next(self) -> None:
        """One more of a random kind."""
        kind = self._dice.choice([*self._kinds])
        self.count[kind] += 1
        print(f"{time.strftime('%T')} {kind}", file=sys.stderr, flush=True)
        self._kinds[kind]()

    def _number(self) -> int:
        return self._dice.randrange(len(self._cluster.daemons))

    def _wait(self, longest: float = LONGEST_FAULT) -> None:
        time.sleep(self._dice.uniform(0, longest))

    def _kill(self) -> None:
        number = self._number()
        self._cluster.daemons[number].stop(signal.SIGKILL)
        self._wait()
        self._cluster.restart(number)

    def _stop(self) -> None:
        self._cluster.stop_for(self._number(), self._dice.uniform(0, LONGEST_FAULT))

    def _end(self) -> None:
        number = self._number()
        self._cluster.daemons[number].stop()
        self._wait()
        self._cluster.restart(number)

    def _disconnect(self) -> None:
        proxy = self._cluster.proxies[self._number()]
        proxy.cut()
        self._wait()
        proxy.restore()

    def _kill_beside_a_stopped_one(self) -> None:
        stopped, killed = self._dice.sample(range(len(self._cluster.daemons)), 2)
        process = self._cluster.daemons[stopped].process
        process.send_signal(signal.SIGSTOP)
        self._cluster.daemons[killed].stop(signal.SIGKILL)
        self._cluster.restart(killed)
        self._wait()
        process.send_signal(signal.SIGCONT)

    def _step_clock(self) -> None:
        seconds = self._dice.randrange(-LONGEST_LEAP, LONGEST_LEAP)
        self._cluster.hosts[self._number()].leap(seconds)

    def _restart(self, number: signal.Signals) -> None:
        self._cluster.server.stop(number)
        self._wait(10.0)
        self._cluster.server.start()


def _faults(directory: Path, server: Any, accounts: int, minutes: float, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311  # because chance is to be repeatable
    hosts = [
        Host(directory / f"host{number}", uptime=uptime, ahead=ahead)
        for number, (uptime, ahead) in enumerate(HOSTS)
    ]
    with cluster(directory, server, accounts=accounts, window=10.0, hosts=hosts) as replicas:
        replicas.wait(
            lambda: replicas.is_shared() and set(replicas.visible_pages().values()) == {1}, 600.0
        )
        faults, since = Faults(replicas, dice), time.time()
        with Watch(replicas) as watch:
            while time.time() < since + minutes * 60:
                time.sleep(dice.uniform(0, 20))
                faults.next()
            replicas.wait(
                lambda: replicas.is_shared() and set(replicas.visible_pages().values()) == {1}
            )
        until = time.time()
        calls = sum(len(replicas.arrivals(name)) for name in replicas.names)
        print(f"faults: {dict(faults.count)}")
        print(f"calls: {calls}, refused: {replicas.count_refused()}")
        print(f"logins: {sum(replicas.logins().values())} of {accounts} accounts")
        silence = max(replicas.longest_silence(since, until).values())
        print(f"longest time without a call: {silence:.0f} s")
        print(f"longest time on no page: {max(watch.longest.values()):.0f} s")
        print(f"bugs in the log: {len(replicas.bug_lines())}")


# --- load ----------------------------------------------------------------------------------------


def _load(directory: Path, server: Any, accounts: int, minutes: float) -> None:
    with cluster(directory, server, replicas=4, accounts=accounts, window=60.0) as replicas:
        begun = time.time()
        replicas.wait(
            lambda: replicas.is_shared() and set(replicas.visible_pages().values()) == {1}, 3600.0
        )
        print(f"all shown after {time.time() - begun:.0f} s")
        print(f"held: {sorted(map(len, replicas.held_accounts()))}")
        before, busy = (
            _statistics(replicas),
            [_processor_seconds(each.process.pid) for each in replicas.daemons],
        )
        calls = sum(len(replicas.arrivals(name)) for name in replicas.names)
        time.sleep(minutes * 60)
        calls = sum(len(replicas.arrivals(name)) for name in replicas.names) - calls
        seconds = minutes * 60
        rates = [
            (now - then) / seconds for now, then in zip(_statistics(replicas), before, strict=True)
        ]
        print(f"calls: {calls / seconds:.1f} a second, refused: {replicas.count_refused()}")
        print(f"logins: {sum(replicas.logins().values())}")
        print(f"transactions: {rates[0]:.0f}, rows written: {rates[1]:.0f} a second")
        print(f"write-ahead log: {rates[2] / 1e3:.0f} kB a second")
        used = [_processor_seconds(each.process.pid) for each in replicas.daemons]
        shares = [(now - then) / seconds for now, then in zip(used, busy, strict=True)]
        print(f"processors used by a replica: {max(shares):.2f}")


def _statistics(replicas: Any) -> tuple[float, ...]:
    with psycopg.connect(replicas.server.url(replicas.database)) as connection:
        row = connection.execute(_STATISTICS).fetchone()
    return tuple(map(float, row or ()))


def _processor_seconds(process: int) -> float:
    """Seconds of a processor that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


if __name__ == "__main__":
    main()
