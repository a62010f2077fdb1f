"""Pages on their way out: made and compressed once for all who ask within a second."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import NamedTuple

from isal import igzip

KEPT = 1.0  # seconds; several Prometheus servers scrape at the same moment
FAST = 1  # the compression level: 7 ms for 100 000 series


class _Made(NamedTuple):
    version: int
    begun: float
    page: asyncio.Task[bytes]


class SingleFlight:
    """Makes a page in a thread of its own: no small answer waits for it, and it for no other work.

    `version`, where there is one, grows with what a page of before does not say yet.
    """

    def __init__(
        self,
        make: Callable[[], bytes],
        version: Callable[[], int] = lambda: 0,
        now: Callable[[], float] = monotonic,
    ) -> None:
        self._make = make
        self._version = version
        self._now = now
        self._worker = ThreadPoolExecutor(1)
        self._made: dict[bool, _Made] = {}

    async def get(self, *, gzip: bool) -> bytes:
        """The page, compressed or not, of this version and at most a second old."""
        made = self._made.get(gzip)
        if made is None or not self._is_usable(made):
            task = asyncio.create_task(self._begin(self._compressed if gzip else self._make))
            made = self._made[gzip] = _Made(self._version(), self._now(), task)
        # One impatient client must not cancel the page of the others.
        return await asyncio.shield(made.page)

    def _is_usable(self, made: _Made) -> bool:
        if made.version != self._version():
            return False
        if not made.page.done():
            return True
        failed = made.page.cancelled() or made.page.exception() is not None
        return not failed and self._now() - made.begun <= KEPT

    async def _begin(self, make: Callable[[], bytes]) -> bytes:
        return await asyncio.get_running_loop().run_in_executor(self._worker, make)

    def _compressed(self) -> bytes:
        return igzip.compress(self._make(), FAST)
