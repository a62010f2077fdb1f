"""The rate limits of an account: a sliding log of every call, admitted or refused."""

from array import array
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import assert_never

from exporter.northbound.interfaces import EDITIONS, INTERFACES, MINUTE, Growth, Interface, Limit


@dataclass(frozen=True, slots=True)
class Size:
    """How large an account's fleet is: what allowances grow with."""

    plants: int = 0
    devices: Mapping[int, int] = field(default_factory=dict)  # by device type

    def served(self, types: Collection[int]) -> "Size":
        """The same with the devices only that an interface serves."""
        return Size(self.plants, {t: n for t, n in self.devices.items() if t in types})


def calls_allowed(limit: Limit, size: Size, device_type: int | None = None) -> int:
    """The calls a limit allows in its window: over all device types, or in one type's own share."""

    def begun(count: int) -> int:
        """The whole portions, and the one that is not full."""
        return -(-count // limit.per)

    of_plants, of_devices = begun(size.plants), sum(map(begun, size.devices.values()))
    match limit.growth:
        case Growth.PLANTS:
            portions = of_plants
        case Growth.DEVICES if device_type is not None:
            portions = begun(size.devices.get(device_type, 0))
        case Growth.DEVICES:
            portions = of_devices
        case Growth.LARGER:
            portions = max(of_plants, of_devices)
        case Growth.NONE:
            portions = 0
        case missed:
            assert_never(missed)
    return max(1, limit.base + portions * limit.each)


@dataclass(slots=True)
class Calls:
    """The times of one interface's calls, oldest first, in s: all, the refused, the counted."""

    arrivals: "array[float]" = field(default_factory=lambda: array("d"))
    refusals: "array[float]" = field(default_factory=lambda: array("d"))
    counted: "array[float]" = field(default_factory=lambda: array("d"))


Key = tuple[str, str, int | None]


class CallLog:
    """Every call of every account, admitted or refused by an account's limits.

    A call is refused if it arrives less than a window after the n-th counted call before it, over
    the interface or, where the allowance grows with devices, over its device type. `minute` is how
    many seconds a minute of the limits lasts; refused calls count as well by default.
    """

    def __init__(self, limits: str, *, minute: float = MINUTE, refusals_count: bool = True) -> None:
        self._limits = EDITIONS[limits]
        self._scale = minute / MINUTE
        self._refusals_count = refusals_count
        self._calls: dict[Key, Calls] = {}

    def admit(
        self,
        account: str,
        interface: Interface,
        now: float,
        size: Size,
        device_type: int | None = None,
    ) -> bool:
        """Logs a call that arrives now; whether it may go on."""
        keys = [None] if device_type is None else [None, device_type]
        logs = [self.of(account, interface.name, key) for key in keys]
        admitted = not any(
            self._too_soon(log.counted, interface, now, size, key)
            for log, key in zip(logs, keys, strict=True)
        )
        for log in logs:
            log.arrivals.append(now)
            if not admitted:
                log.refusals.append(now)
            if admitted or self._refusals_count:
                log.counted.append(now)
        return admitted

    def _too_soon(
        self,
        counted: "array[float]",
        interface: Interface,
        now: float,
        size: Size,
        device_type: int | None,
    ) -> bool:
        return any(
            len(counted) >= n and now - counted[-n] < window
            for n, window in self._rules(interface, size, device_type)
        )

    def _rules(
        self, interface: Interface, size: Size, device_type: int | None
    ) -> Iterator[tuple[int, float]]:
        """Calls and window of each limit; a type has only those that grow with devices."""
        size = size.served(interface.device_types)
        for limit in self._limits(interface):
            if device_type is None or limit.growth is Growth.DEVICES:
                calls, window = calls_allowed(limit, size, device_type), limit.window * self._scale
                spaced = limit.even and device_type is None
                yield (1, window / calls) if spaced else (calls, window)

    def of(self, account: str, interface: str, device_type: int | None = None) -> Calls:
        """The log of an account's interface, or of one device type of it."""
        return self._calls.setdefault((account, interface, device_type), Calls())

    def accounts(self) -> Mapping[tuple[str, str], Calls]:
        """The logs by account and interface, over all device types."""
        logs = sorted(self._calls.items(), key=lambda item: item[0][:2])
        return {key[:2]: calls for key, calls in logs if key[2] is None}

    def allowed_calls(self, interface: str, seconds: float, size: Size) -> int:
        """The most calls that so many seconds, begun with a fresh log, have room for."""
        rules = list(self._rules(INTERFACES[interface], size, None))
        calls: list[float] = []
        while True:
            earliest = (calls[-n] + window for n, window in rules if len(calls) >= n)
            start = max(earliest, default=0.0)
            if start >= seconds:
                return len(calls)
            calls.append(start)
