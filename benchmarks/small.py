"""A small machine: one processor with a quarter of its time."""

import tempfile
import time
from pathlib import Path

from fleet import Figures, measure, simulator, until, users, watch
from machine import small
from process import Process

SHARE = 0.25
HOME = 8  # devices: inverter, battery, meter, dongle, optimizers
MINUTE = 60.0  # a real one
SETTLED = 30.0  # seconds after the first page, when all interfaces have been asked
WATCHED = 120.0


def home() -> tuple[float, int]:
    """Share of the processor and MB of a home, with all interfaces as they are by default."""
    with (
        small(SHARE) as prefix,
        tempfile.TemporaryDirectory() as name,
        simulator(HOME, minute=MINUTE) as url,
    ):
        (user,) = users(1)
        account = {"name": user, "base_url": url, "username": user, "password": "demo"}
        state = {"directory": str(Path(name) / "state")}
        process = Process(
            Path(name), {"accounts": [{**account, "limits": "classic"}], "state": state},
            prefix=prefix,
        )  # fmt: skip
        with process:
            until(process.ready)
            time.sleep(SETTLED)
            return watch(process, WATCHED), process.resources()["MB resident"]


def fleet(devices: int) -> Figures:
    """The figures of a fleet there."""
    with small(SHARE) as prefix:
        return measure(devices, prefix=prefix)
