"""What an offline device is still believed: the server goes on telling its last values. Pure.

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
    """Remembers of one account's offline devices what they told, and since when it is news."""

    def __init__(self) -> None:
        self._told: dict[str, tuple[int, float]] = {}

    def current(self, interface: str, device_type: int, reading: Reading, at: float) -> Reading:
        """The reading of `at`, in seconds, without what its device cannot know any more.

        Some servers call a device offline that reports: what differs from the answer before is
        news, until a device that reports would have told something else.
        """
        values = reading.values
        if not any(values.get(key) == code for key, code in OFFLINE.items()):
            self._told.pop(reading.subject, None)
            return reading
        told = hash(frozenset((key, value) for key, value in values.items() if key not in OFFLINE))
        before, news_at = self._told.get(reading.subject, (told, -inf))
        if told != before:
            news_at = at
        self._told[reading.subject] = (told, news_at)
        if at - news_at < SLACK:
            return reading
        rows = lookup(interface, device_type)
        gone = {key for key, value in values.items() if value and _is_momentary(rows.get(key))}
        return replace(reading, values={key: values[key] for key in values if key not in gone})

    def forget(self, names: Collection[str]) -> None:
        """Drops what was told of devices that are gone."""
        for name in names:
            self._told.pop(name, None)


def _is_momentary(row: Row | None) -> bool:
    found = range_of(row.metric) if row and row.metric and row.states is None else None
    return found is not None and found.momentary
