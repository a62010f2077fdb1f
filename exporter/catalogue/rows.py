"""The whole catalogue, and the way into it."""

from collections.abc import Mapping
from types import MappingProxyType

from exporter.catalogue import (
    batteries,
    combiners,
    inverters,
    meters,
    plants,
    transformers,
    upgrades,
    weather,
)
from exporter.catalogue.model import Row

ROWS: tuple[Row, ...] = (
    *plants.ROWS,
    *inverters.ROWS,
    *meters.ROWS,
    *batteries.ROWS,
    *combiners.ROWS,
    *weather.ROWS,
    *transformers.ROWS,
    *upgrades.ROWS,
)
# The names of the metrics that show a state by its name.
STATESETS = tuple(
    dict.fromkeys(row.metric.name for row in ROWS if row.metric and row.states is not None)
)


def lookup(interface: str, device_type: int | None) -> Mapping[str, Row]:
    """The rows of an interface and device type (None: plant) by key; empty where there are none."""
    return _BY_SOURCE.get((interface, device_type), _NOTHING)


def _by_source() -> Mapping[tuple[str, int | None], Mapping[str, Row]]:
    sources: dict[tuple[str, int | None], dict[str, Row]] = {}
    for row in ROWS:
        sources.setdefault((row.interface, row.device_type), {})[row.key] = row
    return {source: MappingProxyType(rows) for source, rows in sources.items()}


_NOTHING: Mapping[str, Row] = MappingProxyType({})
_BY_SOURCE = _by_source()
