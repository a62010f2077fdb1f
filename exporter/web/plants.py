"""The plants on the status page: those in trouble first, each told from all others."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from exporter.status import Account, Plant
from exporter.web.query import Query
from exporter.web.verdict import TROUBLE, Level, Mark, mark_plant, rank_plant

ROWS = 100  # of a page
_FEW = 20  # among these one finds a plant by looking


@dataclass(frozen=True, slots=True)
class PlantRow:
    """A plant of an account; its `label` tells it from others of its name."""

    account: str
    plant: Plant
    label: str
    mark: Mark
    level: Level

    @property
    def name(self) -> str:
        """What people call it."""
        return _name(self.plant)


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of the plants that a query asks for, of whose `total` so many are in `trouble`."""

    query: Query
    rows: Sequence[PlantRow]
    total: int
    trouble: int
    page: int
    pages: int
    has_search: bool


def plant_rows(accounts: Iterable[Account]) -> list[PlantRow]:
    """All plants, in the order in which they should be looked at."""
    plants = [(account, plant) for account in accounts for plant in account.plants]
    names = Counter(_name(plant) for _, plant in plants)
    codes = Counter((_name(plant), plant.code) for _, plant in plants)

    def label(account: Account, plant: Plant) -> str:
        name = _name(plant)
        if codes[name, plant.code] > 1:
            return f"{name} ({plant.code} of account {account.name})"
        return f"{name} ({plant.code})" if names[name] > 1 else name

    rows = []
    for account, plant in plants:
        mark = mark_plant(plant, waiting=bool(account.polling.waiting))
        level = rank_plant(plant, mark)
        rows.append(PlantRow(account.name, plant, label(account, plant), mark, level))
    return sorted(rows, key=lambda row: (-row.level, row.name.casefold(), row.plant.code))


def listing(rows: Sequence[PlantRow], query: Query) -> Listing:
    """Those that are asked for; behind the last page there is the last."""
    wanted = _as_shown(query.search)
    found = [
        row
        for row in rows
        if query.account in ("", row.account)
        and any(wanted in _as_shown(text) for text in (row.plant.name, row.plant.code))
    ]
    pages = max(1, -(-len(found) // ROWS))
    page = min(max(1, query.page), pages)
    return Listing(
        query,
        found[(page - 1) * ROWS : page * ROWS],
        len(found),
        sum(row.level >= TROUBLE for row in found),
        page,
        pages,
        has_search=len(rows) > _FEW or len(found) < len(rows),
    )


def _as_shown(text: str) -> str:
    """As a browser shows it, which makes one space of several, whatever the case."""
    return " ".join(text.casefold().split())


def _name(plant: Plant) -> str:
    return plant.name or plant.code
