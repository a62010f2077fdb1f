"""What the state of 5 000 devices costs: bytes on disk, milliseconds a call, seconds at a start."""

import argparse
import tempfile
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from time import perf_counter

from exporter.catalogue.rows import lookup
from exporter.polling.memory import Memory

BATCH = 100
ROUNDS = 5


def main() -> None:
    """Writes the values of a fleet as answers bring them, and reads them all again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=5_000)
    flags = parser.parse_args()
    values = dict.fromkeys(lookup("getDevRealKpi", 1), 12_345.678)
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "account.sqlite"
        memory = Memory(path)
        started, ended = [], []
        for n in range(ROUNDS * flags.devices // BATCH):
            started.append(_seconds(memory, {("lane", "getDevRealKpi"): [n] * 100}))
            first = n * BATCH % flags.devices
            shown = {"at": 1_700_000_000.5 + n, "shown": values}
            answer = {("shown", str(first + each)): shown for each in range(BATCH)}
            ended.append(_seconds(memory, answer))
        print(f"{len(values)} values a device, {flags.devices} devices")
        print(f"a call's start: {1_000 * median(started):.1f} ms")
        print(f"an answer about {BATCH} devices: {1_000 * median(ended):.1f} ms")
        sizes = {file.suffix: file.stat().st_size for file in path.parent.iterdir()}
        print(f"on disk: {sum(sizes.values()) / 1e6:.1f} MB")
        start = perf_counter()
        known = Memory(path).read("shown")
        print(f"opened, checked and read: {perf_counter() - start:.2f} s ({len(known)} devices)")


def _seconds(memory: Memory, changes: Mapping[tuple[str, str], object]) -> float:
    start = perf_counter()
    with memory.claim():
        memory.write(changes)
    return perf_counter() - start


if __name__ == "__main__":
    main()
