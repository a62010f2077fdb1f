"""Pages on their way out: joined and compressed once for all who ask within a second."""

import asyncio
from collections.abc import Callable
from time import monotonic

from isal import igzip

from exporter.exposition.page import Format

KEPT = 1.0  # seconds; several Prometheus servers scrape at the same moment
FAST = 1  # the compression level: 7 ms for 100 000 series


class Scrapes:
    """Makes a page in a worker thread, so that a large one does not hold up small answers."""

    def __init__(
        self, exposition: Callable[[Format], bytes], now: Callable[[], float] = monotonic
    ) -> None:
        self._exposition = exposition
        self._now = now
        self._made: dict[tuple[Format, bool], tuple[float, asyncio.Task[bytes]]] = {}

    async def get(self, form: Format, *, gzip: bool) -> bytes:
        """The page in a format, compressed or not."""
        key = (form, gzip)
        made = self._made.get(key)
        if made is None or not self._is_usable(*made):
            made = (self._now(), asyncio.create_task(asyncio.to_thread(self._make, form, gzip)))
            self._made[key] = made
        # One impatient client must not cancel the page of the others.
        return await asyncio.shield(made[1])

    def _is_usable(self, begun: float, making: asyncio.Task[bytes]) -> bool:
        if not making.done():
            return True
        failed = making.cancelled() or making.exception() is not None
        return not failed and self._now() - begun <= KEPT

    def _make(self, form: Format, gzip: bool) -> bytes:  # noqa: FBT001  # for to_thread
        page = self._exposition(form)
        return igzip.compress(page, FAST) if gzip else page
