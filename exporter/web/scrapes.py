"""Pages on their way out: joined and compressed once for all who ask within a second."""

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import NamedTuple

from isal import igzip

from exporter.exposition.page import Format

KEPT = 1.0  # seconds; several Prometheus servers scrape at the same moment
FAST = 1  # the compression level: 7 ms for 100 000 series


class _Made(NamedTuple):
    version: int
    begun: float
    page: asyncio.Task[bytes]


class Scrapes:
    """Makes a page in a worker thread, so that a large one does not hold up small answers."""

    def __init__(
        self,
        exposition: Callable[[Format], bytes],
        version: Callable[[], int],
        now: Callable[[], float] = monotonic,
    ) -> None:
        self._exposition = exposition
        self._version = version
        self._now = now
        self._made: dict[tuple[Format, bool], _Made] = {}

    async def get(self, form: Format, *, gzip: bool) -> bytes:
        """The page in a format, compressed or not; never older than its last new value."""
        key = (form, gzip)
        made = self._made.get(key)
        if made is None or not self._is_usable(made):
            task = asyncio.create_task(asyncio.to_thread(self._make, form, gzip))
            made = self._made[key] = _Made(self._version(), self._now(), task)
        # One impatient client must not cancel the page of the others.
        return await asyncio.shield(made.page)

    def _is_usable(self, made: _Made) -> bool:
        if made.version != self._version():
            return False
        if not made.page.done():
            return True
        failed = made.page.cancelled() or made.page.exception() is not None
        return not failed and self._now() - made.begun <= KEPT

    def _make(self, form: Format, gzip: bool) -> bytes:  # noqa: FBT001  # for to_thread
        page = self._exposition(form)
        return compress(page) if gzip else page


def compress(page: bytes) -> bytes:
    """The page as gzip, in little time."""
    return igzip.compress(page, FAST)
