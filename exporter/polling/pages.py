"""Reading the plant list, which comes whole from old servers and page by page from new ones."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any

from exporter.northbound.errors import CallError
from exporter.northbound.interfaces import (
    DAY,
    PAGED_PLANT_LIST_PATH,
    PLANT_LIST,
    PLANT_PAGE_SIZE,
)
from exporter.northbound.records import Parsed, Plant

# Not permitted, or not there any more on newer servers.
NO_CLASSIC_LIST = frozenset({"401", "http_404"})


@dataclass(slots=True)
class PlantPages:
    """Which page of the plant list comes next, and from where.

    Newer accounts are refused the classic list and use the paged one; some servers answer the
    classic one with pages. Either is remembered for a day, then the classic list is tried again; so
    is that there is no paged list.
    """

    page: int = 1
    codes: set[str] = field(default_factory=set)
    _failures: int = 0  # in a row
    _paged_path: str | None = None
    _paged_until: float = -inf
    _no_pages_until: float = -inf

    def request(self, now: float) -> tuple[str, Mapping[str, Any]]:
        """Path and parameters of the next call."""
        if self.page == 1 and now >= self._paged_until:
            self._paged_path = None
        if self._paged_path is None:
            return PLANT_LIST.path, {}
        return self._paged_path, {"pageNo": self.page, "pageSize": PLANT_PAGE_SIZE}

    def take(self, parsed: Parsed[Plant], now: float) -> frozenset[str] | None:
        """Takes a page in; after the last one, the codes of all plants listed."""
        self._failures = 0
        known = len(self.codes)
        self.codes.update(plant.code for plant in parsed.records)
        if self._paged_path is None and parsed.pages > 1:
            # Whatever size the server's own pages have: ask anew in pages of ours, from the first.
            self._use_pages(PLANT_LIST.path, now)
            self._restart()
            return None
        # Whatever the count says: a page that tells nothing new was behind the last.
        if self.page < parsed.pages and len(self.codes) > known:
            self.page += 1
            return None
        codes = frozenset(self.codes)
        self._restart()
        return codes

    def falls_back(self, error: CallError, now: float) -> bool:
        """Whether a failure only means that this account has to use the paged list."""
        known = self._paged_path is None and now >= self._no_pages_until
        if known and error.reason in NO_CLASSIC_LIST:
            self._use_pages(PAGED_PLANT_LIST_PATH, now)
            return True
        return False

    def fail(self, error: CallError, now: float) -> None:
        """Takes a refusal in: a page that is refused twice may be one that is no more."""
        if self._paged_path == PAGED_PLANT_LIST_PATH and error.reason in NO_CLASSIC_LIST:
            # There is no paged list for us either: the classic one is what has to be granted.
            self._paged_until, self._no_pages_until = -inf, now + DAY
            self._restart()
            return
        self._failures += error.enveloped
        if self._failures > 1:
            self._restart()

    def _restart(self) -> None:
        self.page, self.codes, self._failures = 1, set(), 0

    def _use_pages(self, path: str, now: float) -> None:
        self._paged_path = path
        self._paged_until = now + DAY
