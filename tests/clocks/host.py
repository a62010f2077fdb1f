"""A machine of its own for a process, as far as that can tell: boot, uptime, and wall clock."""

import struct
from uuid import uuid4

from clocks.run import LIBRARY, build


class Host:
    """What differs between two machines; its wall clock may leap while processes run.

    `uptime` is for how many seconds longer than this machine it has been up, `ahead` by how many
    its wall clock is ahead.
    """

    def __init__(self, directory, *, uptime=0, ahead=0):
        build()
        directory.mkdir(exist_ok=True)
        self._clock = directory / "wall_clock"
        self._boot = directory / "boot_id"
        self._boot.write_text(f"{uuid4()}\n")
        self._uptime = uptime
        self._ahead = 0
        self.leap(ahead)

    def leap(self, seconds):
        """Sets its wall clock forward, or back."""
        self._ahead += seconds
        with self._clock.open("r+b" if self._clock.exists() else "wb") as file:
            file.write(struct.pack("@l", self._ahead))

    @property
    def environment(self):
        """What a process that runs there inherits besides."""
        return {
            "LD_PRELOAD": str(LIBRARY),
            "WALL_CLOCK_FILE": str(self._clock),
            "UPTIME_SHIFT": str(self._uptime),
            "BOOT_ID_FILE": str(self._boot),
        }
