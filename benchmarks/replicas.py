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

    def __init__(self, them: Any, dice: random.Random) -> None:
        self._them = them
        self._dice = dice
        self.count: Counter[str] = Counter()
        self._kinds: dict[str, Callable[[], None]] = {
            "kill -9": self._kill,
            "SIGSTOP": self._stop,
            "SIGTERM": self._end,
            "network cut": self._cut,
            "killed while another is stopped": self._kill_beside_a_stopped_one,
            "database restart": lambda: self._restart(signal.SIGINT),
            "database crash": lambda: self._restart(signal.SIGQUIT),
            "clock leap": self._leap,
        }

    def next(self) -> None:
        """One more of a random kind."""
        kind = self._dice.choice([*self._kinds])
        self.count[kind] += 1
        print(f"{time.strftime('%T')} {kind}", file=sys.stderr, flush=True)
        self._kinds[kind]()

    def _number(self) -> int:
        return self._dice.randrange(len(self._them.daemons))

    def _pass(self, longest: float = LONGEST_FAULT) -> None:
        time.sleep(self._dice.uniform(0, longest))

    def _kill(self) -> None:
        number = self._number()
        self._them.daemons[number].stop(signal.SIGKILL)
        self._pass()
        self._them.restart(number)

    def _stop(self) -> None:
        self._them.stop_for(self._number(), self._dice.uniform(0, LONGEST_FAULT))

    def _end(self) -> None:
        number = self._number()
        self._them.daemons[number].stop()
        self._pass()
        self._them.restart(number)

    def _cut(self) -> None:
        proxy = self._them.proxies[self._number()]
        proxy.cut()
        self._pass()
        proxy.restore()

    def _kill_beside_a_stopped_one(self) -> None:
        stopped, killed = self._dice.sample(range(len(self._them.daemons)), 2)
        process = self._them.daemons[stopped].process
        process.send_signal(signal.SIGSTOP)
        self._them.daemons[killed].stop(signal.SIGKILL)
        self._them.restart(killed)
        self._pass()
        process.send_signal(signal.SIGCONT)

    def _leap(self) -> None:
        seconds = self._dice.randrange(-LONGEST_LEAP, LONGEST_LEAP)
        self._them.hosts[self._number()].leap(seconds)

    def _restart(self, number: signal.Signals) -> None:
        self._them.server.stop(number)
        self._pass(10.0)
        self._them.server.start()


def _faults(directory: Path, server: Any, accounts: int, minutes: float, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311  # because chance is to be repeatable
    hosts = [
        Host(directory / f"host{number}", uptime=uptime, ahead=ahead)
        for number, (uptime, ahead) in enumerate(HOSTS)
    ]
    with cluster(directory, server, accounts=accounts, window=10.0, hosts=hosts) as them:
        them.wait(lambda: them.is_shared() and set(them.shown().values()) == {1}, 600.0)
        faults, since = Faults(them, dice), time.time()
        with Watch(them) as watch:
            while time.time() < since + minutes * 60:
                time.sleep(dice.uniform(0, 20))
                faults.next()
            them.wait(lambda: them.is_shared() and set(them.shown().values()) == {1})
        until = time.time()
        calls = sum(len(them.arrivals(name)) for name in them.names)
        print(f"faults: {dict(faults.count)}")
        print(f"calls: {calls}, refused: {them.count_refused()}")
        print(f"logins: {sum(them.logins().values())} of {accounts} accounts")
        print(
            f"longest time without a call: {max(them.longest_silence(since, until).values()):.0f} s"
        )
        print(f"longest time on no page: {max(watch.longest.values()):.0f} s")
        print(f"bugs in the log: {len(them.troubles())}")


# --- load ----------------------------------------------------------------------------------------


def _load(directory: Path, server: Any, accounts: int, minutes: float) -> None:
    with cluster(directory, server, replicas=4, accounts=accounts, window=60.0) as them:
        begun = time.time()
        them.wait(lambda: them.is_shared() and set(them.shown().values()) == {1}, 3600.0)
        print(f"all shown after {time.time() - begun:.0f} s")
        print(f"held: {sorted(map(len, them.held()))}")
        before, busy = _statistics(them), [_busy(each.process.pid) for each in them.daemons]
        calls = sum(len(them.arrivals(name)) for name in them.names)
        time.sleep(minutes * 60)
        calls = sum(len(them.arrivals(name)) for name in them.names) - calls
        seconds = minutes * 60
        rates = [
            (now - then) / seconds for now, then in zip(_statistics(them), before, strict=True)
        ]
        print(f"calls: {calls / seconds:.1f} a second, refused: {them.count_refused()}")
        print(f"logins: {sum(them.logins().values())}")
        print(f"transactions: {rates[0]:.0f}, rows written: {rates[1]:.0f} a second")
        print(f"write-ahead log: {rates[2] / 1e3:.0f} kB a second")
        used = [_busy(each.process.pid) for each in them.daemons]
        shares = [(now - then) / seconds for now, then in zip(used, busy, strict=True)]
        print(f"processors used by a replica: {max(shares):.2f}")


def _statistics(them: Any) -> tuple[float, ...]:
    with psycopg.connect(them.server.url(them.database)) as connection:
        row = connection.execute(_STATISTICS).fetchone()
    return tuple(map(float, row or ()))


def _busy(process: int) -> float:
    """Seconds of a processor that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


if __name__ == "__main__":
    main()
