"""Runs the suite while the host's wall clock stands at moments that are apt to break it.

    python tests/clocks/run.py [NAME ...] [-- PYTEST-ARGUMENT ...]

Needs a C compiler. Prometheus' programs keep the time by themselves: what runs them stays out.
"""

import os
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

ROOT = Path(__file__).parents[2]
LIBRARY = ROOT / "build/wall_clock.so"

# Where the host stands and when: the last three are a minute or less before the clock leaps.
CLOCKS = {
    "midwinter": ("Europe/Berlin", "2026-12-21T02:00"),
    "midsummer": ("America/St_Johns", "2027-06-21T12:00"),
    "leap-day": ("Pacific/Auckland", "2028-02-29T12:00"),
    "new-year": ("Asia/Kolkata", "2026-12-31T23:59"),
    "spring-forward": ("Europe/Berlin", "2027-03-28T01:59"),
    "fall-back": ("Europe/Berlin", "2027-10-31T02:59"),
}
REAL_TIME = ("tests/stack",)  # where Prometheus' programs are


def build() -> None:
    """Compiles what shifts the clock."""
    LIBRARY.parent.mkdir(exist_ok=True)
    source = Path(__file__).with_name("wall_clock.c")
    command = ["cc", "-shared", "-fPIC", "-O2", "-o", LIBRARY, source]
    subprocess.run(command, check=True)  # noqa: S603  # the compiler that the machine calls so


def environment(zone: str, moment: str) -> dict[str, str]:
    """What makes a process start at a local time of a zone."""
    start = datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(zone)).timestamp()
    return {
        **os.environ,
        "TZ": zone,
        "LD_PRELOAD": str(LIBRARY),
        "WALL_CLOCK_SHIFT": str(round(start - time.time())),
    }


def run(name: str, arguments: list[str]) -> bool:
    """Runs the suite at one of the clocks; tells whether it passed."""
    zone, moment = CLOCKS[name]
    print(f"\n{name}: {moment} in {zone}", flush=True)  # noqa: T201  # a script's answer
    suite = subprocess.run(  # noqa: S603  # our own suite
        [sys.executable, "-m", "pytest", *(f"--ignore={path}" for path in REAL_TIME), *arguments],
        cwd=ROOT,
        env=environment(zone, moment),
        check=False,
    )
    return suite.returncode == 0


def main(words: list[str]) -> str | None:
    """Runs those named, or all; says which failed."""
    names = words[: words.index("--")] if "--" in words else words
    arguments = words[len(names) + 1 :]
    build()
    failed = [name for name in names or CLOCKS if not run(name, arguments)]
    return f"Failed at: {', '.join(failed)}" if failed else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
