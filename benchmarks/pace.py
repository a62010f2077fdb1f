"""How much of its allowance the exporter uses, and whether a call is ever refused.

Runs the daemon on the simulator over real sockets: 130 plants, several batches a device type, up
to 0.2 s of latency, strictly sliding windows. Compares the pace of the calls that arrive in ten
minutes, once every device has been read, with the pace that is allowed. `--minute 6` makes all
minutes, and the latency, ten times shorter.
"""

import argparse
import os
import signal
import threading
import time
import urllib.error
import urllib.request

from exporter import daemon
from exporter.config import Settings
from exporter.northbound.interfaces import EDITIONS
from exporter.simulator.http.server import Server
from exporter.simulator.http.system import System
from exporter.simulator.world.fleet import build
from exporter.web import server

MINUTES = 10
LONGEST_START = 60  # minutes until every device has been read
REALTIME = ("getStationRealKpi", "getDevRealKpi")


def main() -> None:
    """Runs the daemon and prints the count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--limits", choices=list(EDITIONS), default="v6")
    parser.add_argument("--minute", type=float, default=60.0, metavar="SECONDS")
    flags = parser.parse_args()
    system = System(
        build(1, plants=130, devices=2_500),
        clock=time.time,
        limits=flags.limits,
        minute=flags.minute,
    )
    with Server(system, latency=(0.0, 0.2 * flags.minute / 60)) as simulator:
        account = {"base_url": simulator.url, "username": "demo", "password": "demo"}
        settings = Settings.model_validate({"accounts": [{**account, "limits": flags.limits}]})
        listening = server.bind("127.0.0.1:0")
        measure = threading.Thread(
            target=_measure, args=(daemon.address(listening), system, flags), daemon=True
        )
        measure.start()
        daemon.run(settings, [listening], minute=flags.minute)


def _measure(address: str, system: System, flags: argparse.Namespace) -> None:
    started = time.time()
    while not _ready(address) and time.time() < started + LONGEST_START * flags.minute:
        time.sleep(flags.minute / 60)
    start, seconds = time.time(), MINUTES * flags.minute
    time.sleep(seconds)
    print(f"limits {flags.limits}, a minute of {flags.minute:g} s")
    for name in REALTIME:
        allowed = system.allowed_calls(name, seconds) / seconds
        arrivals = [
            at for at in system.calls.of("demo", name).arrivals if start <= at < start + seconds
        ]
        used = (len(arrivals) - 1) / (arrivals[-1] - arrivals[0])
        print(f"{name}: {len(arrivals)} calls, {used / allowed:.1%} of the allowed pace")
    print(f"refused: {sum(len(c.refusals) for c in system.calls.accounts().values())}", flush=True)
    os.kill(os.getpid(), signal.SIGTERM)


def _ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{address}/-/ready", timeout=10):  # loopback
            return True
    except urllib.error.URLError:
        return False


if __name__ == "__main__":
    main()
