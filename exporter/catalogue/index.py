"""The whole catalogue, and the way into it."""

from collections.abc import Mapping
from types import MappingProxyType

from exporter.catalogue import (
    batteries,
    combiners,
    configuration,
    inverters,
    meters,
    plants,
    power_m,
    transformers,
    upgrades,
    weather,
)
from exporter.catalogue.model import Row

# In the order of the documentation.
SUBJECTS = (
    plants.SUBJECT,
    configuration.EXPORT_LIMITS,
    configuration.BATTERY_MODES,
    inverters.SUBJECT,
    meters.SUBJECT,
    batteries.SUBJECT,
    combiners.SUBJECT,
    weather.SUBJECT,
    transformers.SUBJECT,
    *power_m.SUBJECTS,
    upgrades.SUBJECT,
)
ROWS: tuple[Row, ...] = tuple(row for subject in SUBJECTS for row in subject.rows())
# The names of the metrics that show a state by its name.
STATESETS = tuple(dict.fromkeys(row.metric.name for row in ROWS if row.state_names))

# The metric of the code beside each, but for those that are sent in words.
CODES: Mapping[str, str] = {
    row.metric.name: row.code.metric.name for row in ROWS if row.code is not None
}


_BY_SOURCE: dict[tuple[str, int | None], dict[str, Row]] = {}
for _row in ROWS:
    _BY_SOURCE.setdefault((_row.interface, _row.device_type), {})[_row.key] = _row


def lookup(interface: str, device_type: int | None) -> Mapping[str, Row]:
    """The rows of an interface and device type (None: plant) by key; empty where there are none."""
    return MappingProxyType(_BY_SOURCE.get((interface, device_type), {}))
