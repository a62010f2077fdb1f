"""The machine that is measured, and how much of it a process gets."""

import os
import platform
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

PERIOD = 100_000  # µs, of which a process in a group gets its share
_GROUPS = Path("/sys/fs/cgroup")
# The files of both versions of control groups: where a group is made, its limit, what is written.
_VERSIONS = (
    (_GROUPS, "cpu.max", "{quota} {period}"),
    (_GROUPS / "cpu", "cpu.cfs_quota_us", "{quota}"),
)


def describe() -> str:
    """Processors, memory, versions, and how much else there is to do."""
    models = re.findall(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} processors ({models[0] if models else platform.machine()}), "
        f"{memory:.0f} GB, Python {platform.python_version()}, "
        f"Linux {platform.release().partition('-')[0]}, load {os.getloadavg()[0]:.0f}"
    )


@contextmanager
def small(share: float) -> Iterator[Sequence[str]]:
    """A part of one processor, as what a command has to begin with to get no more than that.

    Raises OSError where no control group can be made.
    """
    group = _group(share)
    try:
        yield (
            *(shutil.which("taskset") or "taskset", "-c", "0", "sh", "-c"),
            f'echo $$ > {group}/cgroup.procs && exec "$@"',
            "sh",
        )
    finally:
        group.rmdir()


def _group(share: float) -> Path:
    for root, name, form in _VERSIONS:
        group = root / f"fusionsolar-bench-{os.getpid()}"
        if (root / "cgroup.procs").exists():
            group.mkdir()
            if (group / name).exists():
                (group / name).write_text(form.format(quota=int(share * PERIOD), period=PERIOD))
                return group
            group.rmdir()
    raise OSError("no control group with the controller cpu")
