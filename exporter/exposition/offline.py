"""What an offline device is still confirmed: the server goes on source its last values. Pure.

They would count as production for as long as the device is away. So of a device that is offline,
and of which nothing changes, what is measured now is absent, as if the answer had left it out. Its
states, energies and times stand; so do zeros, which an inverter at night has by right. Absent, and
not marked: sums then lack the device, and the share of a plant's inverters that answer says so.
"""

from collections.abc import Collection
from dataclasses import replace
from math import inf

from exporter.catalogue.model import Row
from exporter.catalogue.ranges import range_of
from exporter.catalogue.rows import lookup
from exporter.exposition.guard import SLACK
from exporter.northbound.codes import OFFLINE
from exporter.northbound.records import Reading


class Offline:
    """Remembers the last answer of each offline device of an account, and when it changed."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[int, float]] = {}

    def current(self, interface: str, device_type: int, reading: Reading, at: float) -> Reading:
        """The reading of `at`, in seconds, without what its device cannot know any more.

        Some servers call a device offline that reports: an answer that differs from the
        one before counts as current, for as long as uploads may take.
        """
        values = reading.values
        if not any(values.get(key) == code for key, code in OFFLINE.items()):
            self._last.pop(reading.subject, None)
            return reading
        digest = hash(frozenset(item for item in values.items() if item[0] not in OFFLINE))
        before, changed_at = self._last.get(reading.subject, (digest, -inf))
        if digest != before:
            changed_at = at
        self._last[reading.subject] = (digest, changed_at)
        if at - changed_at < SLACK:
            return reading
        rows = lookup(interface, device_type)
        gone = {key for key, value in values.items() if value and _is_instantaneous(rows.get(key))}
        return replace(reading, values={key: values[key] for key in values if key not in gone})

    def forget(self, names: Collection[str]) -> None:
        """Drops what is remembered of devices that are gone."""
        for name in names:
            self._last.pop(name, None)


def _is_instantaneous(row: Row | None) -> bool:
    found = range_of(row.metric) if row and row.metric and row.states is None else None
    return found is not None and found.instantaneous
