"""The names of all labels that series have."""

from itertools import chain

from exporter.catalogue.index import ROWS
from exporter.exposition.blocks import IDENTITIES
from exporter.exposition.families import INVENTORY, OWN
from exporter.exposition.samples import label_names

_METRICS = {*INVENTORY, *OWN, *(row.metric for row in ROWS)}
_OF_PROMETHEUS = ("job", "instance", "le")

LABEL_NAMES = frozenset(
    chain(("account",), _OF_PROMETHEUS, *IDENTITIES.values(), *map(label_names, _METRICS))
)
