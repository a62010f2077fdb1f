"""The clock that the suite is run at is the one asked for, and only that one is."""

import json
import os
import shutil
import subprocess
import sys
import time
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from clocks.host import Host
from clocks.run import CLOCKS, build, environment

from exporter.clock import SystemClock

pytestmark = [
    pytest.mark.skipif(shutil.which("cc") is None, reason="a C compiler (cc) is not installed"),
    pytest.mark.skipif("WALL_CLOCK_SHIFT" in os.environ, reason="the clock is shifted already"),
]

LOOK = """
import json, time
time.sleep(0.001)  # nor does a wait take notice
print(json.dumps([time.time(), time.localtime().tm_gmtoff, time.monotonic()]))
"""


@pytest.fixture(scope="module", autouse=True)
def _library():
    build()


@pytest.mark.parametrize("name", CLOCKS)
def test_a_process_starts_at_that_moment_of_that_zone_and_the_steady_clock_goes_on(name):
    zone, moment = CLOCKS[name]
    start = datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(zone))

    before = time.monotonic()
    read_clocks = subprocess.run(  # noqa: S603  # the program above
        [sys.executable, "-c", LOOK],
        env=environment(zone, moment),
        capture_output=True,
        text=True,
        check=True,
    )
    after = time.monotonic()

    wall, offset, steady = json.loads(read_clocks.stdout)
    assert -1.0 < wall - start.timestamp() < after - before + 1.0  # the shift is whole seconds
    assert offset == datetime.fromtimestamp(wall, start.tzinfo).utcoffset().total_seconds()
    assert before < steady < after


LOOK_AGAIN = """
import sys
from exporter.clock import SystemClock

clock = SystemClock()
for line in sys.stdin:
    print(clock.boot, clock.now(), clock.time(), flush=True)
"""


def test_a_host_has_a_boot_and_an_uptime_of_its_own_and_a_wall_clock_that_leaps(tmp_path):
    here, host = SystemClock(), Host(tmp_path / "host", uptime=5_000, ahead=-400)
    with subprocess.Popen(  # noqa: S603  # the program above
        [sys.executable, "-c", LOOK_AGAIN],
        env=os.environ | host.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:

        def read_clocks():
            before = here.now(), here.time()
            process.stdin.write("\n")
            process.stdin.flush()
            boot, now, wall = process.stdout.readline().split()
            return boot, round(float(now) - before[0]), round(float(wall) - before[1])

        read_clocks()  # while it starts, which takes its time
        boot, *first = read_clocks()
        host.leap(3_600)
        _, *second = read_clocks()
        process.stdin.close()

    assert boot != here.boot
    assert (first, second) == ([5_000, -400], [5_000, 3_200])
