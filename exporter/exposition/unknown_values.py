"""Numbers under keys that the catalogue lacks, shown as they were sent to whoever wants them."""

from collections.abc import Collection
from typing import Any

from exporter.catalogue.model import series_of
from exporter.exposition.families import UNKNOWN_VALUES
from exporter.exposition.samples import Samples
from exporter.northbound.interfaces import Interface
from exporter.northbound.records import Reading

# Different ones of an account: a server that makes them up must not flood Prometheus. No device of
# the reference has more keys than that.
MAX_KEYS = 100
# What has ten digits may be an id or a telephone number; devices send the largest or smallest
# whole number of 32 bits where they have no value.
_TOO_LONG = 10**9


class UnknownValues:
    """Makes the samples of unknown keys, of the first `most_keys` that an account sends.

    Only of values as of now: a statistic's period and window are in no key, and without them its
    values would be mixed up.
    """

    def __init__(self, most_keys: int, log: Any) -> None:
        self.exports = most_keys > 0
        self._most_keys = most_keys
        self._keys: set[str] = set()
        self._is_full = False
        self._log = log

    def samples(self, interface: Interface, reading: Reading, unknown: Collection[str]) -> Samples:
        """Those of a reading, of whose keys these are `unknown`."""
        if not self.exports or not interface.realtime:
            return {}
        values = {key: reading.values[key] for key in unknown if key in reading.values}
        metric = UNKNOWN_VALUES[interface.subject]
        return {
            series_of(metric, key): value
            for key, value in values.items()
            if abs(value) < _TOO_LONG and self._has_room_for(key)
        }

    def _has_room_for(self, key: str) -> bool:
        if key in self._keys:
            return True
        if len(self._keys) < self._most_keys:
            self._keys.add(key)
            return True
        if not self._is_full:
            self._is_full = True
            self._log.warning("more unknown keys than are exported", most=self._most_keys)
        return False
