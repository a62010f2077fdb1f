"""Upgrades of devices: their orders, progress and results, and the versions they lead to."""

import re
from dataclasses import dataclass
from zlib import crc32

from exporter.simulator.world.fleet import SimDevice

NOT_STARTED, SUCCESS, FAILURE, CANCELED, UPGRADING, TIMED_OUT = range(6)
ACCEPTED, NO_PACKAGE, NO_FILE = 0, 20020, 20021
_START = 0.1  # of an upgrade's time, until it begins
_FAILED_PROGRESS = 0.6  # where those that fail stop


@dataclass(frozen=True, slots=True)
class SimUpgrade:
    """One upgrade, from its order on; `final_result` is how it ends."""

    ordered: float
    source: str
    target: str
    seconds: float
    final_result: int

    def _elapsed(self, now: float) -> float:
        return (now - self.ordered) / self.seconds

    def process(self, now: float) -> float:
        """How far it is, in percent."""
        progress = (self._elapsed(now) - _START) / (1 - _START)
        end = 1.0 if self.final_result == SUCCESS else _FAILED_PROGRESS
        return round(100 * max(0.0, min(end, progress)), 1)

    def result(self, now: float) -> int:
        """The `upgradeResult` of the reference (2.15), 0 to 5."""
        elapsed = self._elapsed(now)
        if elapsed < _START:
            return NOT_STARTED
        return UPGRADING if elapsed < 1 else self.final_result


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of an order: the failCode of its refusal (2.14), the result of its upgrade."""

    refusal: int = ACCEPTED
    result: int = SUCCESS

    @classmethod
    def of(cls, device_id: int) -> "Outcome":
        """The default of a device, always the same: most succeed."""
        refusals, results = {0: NO_PACKAGE, 1: NO_FILE}, {0: FAILURE, 1: TIMED_OUT}
        package, ending = (crc32(f"{what}/{device_id}".encode()) % 8 for what in ("package", "end"))
        return cls(refusals.get(package, ACCEPTED), results.get(ending, SUCCESS))


class UpgradeHistory:
    """The last upgrade of each device that ever had one; they take so many seconds each."""

    def __init__(self, *, seconds: float) -> None:
        self._seconds = seconds
        self._records: dict[int, SimUpgrade] = {}
        self._outcomes: dict[int, Outcome] = {}

    def set_outcome(self, device_id: int, **outcome: int) -> None:
        """Sets what becomes of the device's orders: the fields of Outcome."""
        self._outcomes = {**self._outcomes, device_id: Outcome(**outcome)}

    def order(self, device: SimDevice, now: float) -> int:
        """Orders an upgrade; 0, or the failCode of its refusal (reference 2.14).

        While one runs, the order is taken for the same one. After a success there is no newer
        package, and for what has no software version there never is one.
        """
        record = self.record(device.id)
        outcome = self._outcomes.get(device.id) or Outcome.of(device.id)
        current = None if record is None else record.result(now)
        if current in (NOT_STARTED, UPGRADING):
            return ACCEPTED
        version = device.software_version
        if version is None or current == SUCCESS:
            return NO_PACKAGE
        if not outcome.refusal:
            upgrade = SimUpgrade(now, version, _next(version), self._seconds, outcome.result)
            self._records = {**self._records, device.id: upgrade}
        return outcome.refusal

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
