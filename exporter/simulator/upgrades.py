"""Upgrades of devices: what was ordered, how far it is, which software a device has since."""

import re
from dataclasses import dataclass
from zlib import crc32

from exporter.simulator.fleet import SimDevice

NOT_STARTED, SUCCESS, FAILURE, CANCELED, UPGRADING, TIMED_OUT = range(6)
ACCEPTED, NO_PACKAGE, NO_FILE = 0, 20020, 20021
_START = 0.1  # of an upgrade's time, until it begins
_STUCK = 0.6  # of the way, where those that fail stay


@dataclass(frozen=True, slots=True)
class SimUpgrade:
    """One upgrade, from its order on; `outcome` is how it ends."""

    ordered: float
    source: str
    target: str
    seconds: float
    outcome: int

    def _elapsed(self, now: float) -> float:
        return (now - self.ordered) / self.seconds

    def process(self, now: float) -> float:
        """How far it is, in percent."""
        way = (self._elapsed(now) - _START) / (1 - _START)
        end = 1.0 if self.outcome == SUCCESS else _STUCK
        return round(100 * max(0.0, min(end, way)), 1)

    def result(self, now: float) -> int:
        """The `upgradeResult` of the reference (2.15), 0 to 5."""
        elapsed = self._elapsed(now)
        if elapsed < _START:
            return NOT_STARTED
        return UPGRADING if elapsed < 1 else self.outcome


@dataclass(frozen=True, slots=True)
class Fate:
    """What an order comes to: why it is refused, if it is, and how it would end."""

    refusal: int = ACCEPTED
    outcome: int = SUCCESS

    @classmethod
    def of(cls, device_id: int) -> "Fate":
        """A device's own, always the same: most succeed."""
        refusals, outcomes = {0: NO_PACKAGE, 1: NO_FILE}, {0: FAILURE, 1: TIMED_OUT}
        package, ending = (crc32(f"{what}/{device_id}".encode()) % 8 for what in ("package", "end"))
        return cls(refusals.get(package, ACCEPTED), outcomes.get(ending, SUCCESS))


class UpgradeBook:
    """The last upgrade of each device that ever had one; they take so many seconds each."""

    def __init__(self, *, seconds: float) -> None:
        self._seconds = seconds
        self._records: dict[int, SimUpgrade] = {}
        self._fates: dict[int, Fate] = {}

    def decide(self, device_id: int, *, refusal: int = ACCEPTED, outcome: int = SUCCESS) -> None:
        """Settles what the device's next order comes to: 20020 or 20021; or 1, 2, 3 or 5."""
        self._fates = {**self._fates, device_id: Fate(refusal, outcome)}

    def order(self, device: SimDevice, now: float) -> int:
        """Orders an upgrade; 0, or the failCode of its refusal (reference 2.14).

        While one runs, the order is taken for the same one. After a success there is no newer
        package, and for what has no software version there never is one.
        """
        record, fate = self.record(device.id), self._fates.get(device.id) or Fate.of(device.id)
        result = None if record is None else record.result(now)
        if result in (NOT_STARTED, UPGRADING):
            return ACCEPTED
        version = device.software_version
        if version is None or result == SUCCESS:
            return NO_PACKAGE
        if not fate.refusal:
            upgrade = SimUpgrade(now, version, _next(version), self._seconds, fate.outcome)
            self._records = {**self._records, device.id: upgrade}
        return fate.refusal

    def record(self, device_id: int) -> SimUpgrade | None:
        """The device's last upgrade."""
        return self._records.get(device_id)

    def version(self, device: SimDevice, now: float) -> str | None:
        """The software that runs on a device."""
        record = self.record(device.id)
        succeeded = record is not None and record.result(now) == SUCCESS
        return record.target if record is not None and succeeded else device.software_version


def _next(version: str) -> str:
    """The version after this one: its last number goes up by one, and keeps its width."""
    head, number = re.fullmatch(r"(.*?)(\d*)", version).groups()  # type: ignore[union-attr]  # because every text matches
    return f"{head}{int(number or 0) + 1:0{len(number)}}"
