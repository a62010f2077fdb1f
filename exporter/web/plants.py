"""The plants on the status page: which ones its query asks for, worst first. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode

from exporter.status.assess import ATTENTION, Assessment, Level, assess_plant, plant_level
from exporter.status.model import AccountStatus, PlantStatus

ROWS = 100  # of a page
MAX_VALUE = 200  # characters of a value in a query
_MAX_QUERY = 5_000  # bytes: two such values as browsers write them, and a page
_MAX_WITHOUT_SEARCH = 20  # plants
_PAGE_NUMBER = re.compile(r"[0-9]{1,6}")


@dataclass(frozen=True, slots=True)
class PlantQuery:
    """The plants of `account` whose name or code contains `search`, and a page of them from 1 on.

    An empty text matches all.
    """

    search: str = ""
    account: str = ""
    page: int = 1

    def at(self, page: int) -> str:
        """The relative URL of another page of the same list."""
        values = {"search": self.search, "account": self.account, "page": page}
        given = {key: value for key, value in values.items() if value not in ("", 1)}
        return f"?{urlencode(given)}#plants"


def parse_query(text: bytes) -> PlantQuery:
    """The query of a URL; unknown parameters are ignored.

    Raises:
        ValueError: Says in a sentence what is wrong with it.
    """
    if len(text) > _MAX_QUERY:
        raise ValueError(f"The query is longer than {_MAX_QUERY:,} bytes.")
    values = {key: each[-1] for key, each in parse_qs(text.decode("latin-1")).items()}
    for key in ("search", "account", "page"):
        if len(values.get(key, "")) > MAX_VALUE:
            raise ValueError(f"{key} is longer than {MAX_VALUE} characters.")
    page = values.get("page", "1")
    if not _PAGE_NUMBER.fullmatch(page):
        raise ValueError("page is no number of up to six digits.")
    return PlantQuery(values.get("search", "").strip(), values.get("account", ""), int(page))


@dataclass(frozen=True, slots=True)
class PlantRow:
    """A plant of an account; its `label` is unique among all plants."""

    account: str
    plant: PlantStatus
    label: str
    health: Assessment
    level: Level

    @property
    def name(self) -> str:
        """The plant's name, or its code where it has none."""
        return _name(self.plant)


@dataclass(frozen=True, slots=True)
class PlantListing:
    """A page of the plants that a query matches: `total` ones, `issues` of which need attention."""

    query: PlantQuery
    rows: Sequence[PlantRow]
    total: int
    issues: int
    page: int
    pages: int
    has_search: bool


def plant_rows(accounts: Iterable[AccountStatus]) -> list[PlantRow]:
    """All plants, worst first."""
    plants = [(account, plant) for account in accounts for plant in account.plants]
    names = Counter(_name(plant) for _, plant in plants)
    codes = Counter((_name(plant), plant.code) for _, plant in plants)

    def row(account: AccountStatus, plant: PlantStatus) -> PlantRow:
        label = name = _name(plant)
        if codes[name, plant.code] > 1:
            label = f"{name} ({plant.code} of account {account.name})"
        elif names[name] > 1:
            label = f"{name} ({plant.code})"
        health = assess_plant(plant, waiting=bool(account.polling.waiting))
        return PlantRow(account.name, plant, label, health, plant_level(plant, health))

    rows = [row(account, plant) for account, plant in plants]
    return sorted(rows, key=lambda row: (-row.level, row.name.casefold(), row.plant.code))


def list_plants(rows: Sequence[PlantRow], query: PlantQuery) -> PlantListing:
    """The page that is asked for, or the last one where there are fewer."""
    wanted = _normalized(query.search)
    found = [
        row
        for row in rows
        if query.account in ("", row.account)
        and any(wanted in _normalized(text) for text in (row.plant.name, row.plant.code))
    ]
    pages = max(1, -(-len(found) // ROWS))
    page = min(max(1, query.page), pages)
    return PlantListing(
        query,
        found[(page - 1) * ROWS : page * ROWS],
        len(found),
        sum(row.level >= ATTENTION for row in found),
        page,
        pages,
        has_search=len(rows) > _MAX_WITHOUT_SEARCH or len(found) < len(rows),
    )


def _normalized(text: str) -> str:
    """Without case, and with single spaces, as a browser shows it."""
    return " ".join(text.casefold().split())


def _name(plant: PlantStatus) -> str:
    return plant.name or plant.code
