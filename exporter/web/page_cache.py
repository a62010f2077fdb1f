"""Caches pages: each is made and compressed once for all who ask for it within a second."""

import asyncio
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from threading import Lock
from time import monotonic
from typing import Generic, NamedTuple, TypeVar
from zlib import DEFLATED, MAX_WBITS

from exporter.web.threads import in_daemon_thread

try:
    from isal.isal_zlib import compressobj
except ImportError:  # it is made for 64-bit processors only; zlib takes some ten times as long
    from zlib import compressobj  # type: ignore[assignment]  # because its type has another name

MAX_AGE = 1.0  # seconds; several Prometheus servers scrape at the same moment
MAX_PAGES = 16  # cached or being made at a time, each compressed or not, unless told otherwise
GZIP = 16 + MAX_WBITS  # the format, in the words of zlib
_COMPRESSION_LEVEL = 1  # 7 ms for 100 000 series

Key = TypeVar("Key", bound=Hashable)
Page = Sequence[bytes]  # the parts of a body


class QueueFullError(Exception):
    """Too many different pages are being made."""


class _Entry(NamedTuple):
    version: int
    begun: float
    page: asyncio.Task[Page]


class PageCache(Generic[Key]):
    """Makes pages beside the event loop, one at a time: neither small answers nor the exit wait.

    `make` makes the page of a key. `version`, where there is one, grows when pages made before are
    outdated. However many keys are asked for, at most `max_pages` are cached or wait, and no page
    is cached longer than it is of use: a large one takes much memory.
    """

    def __init__(
        self,
        make: Callable[[Key], Page],
        version: Callable[[], int] = lambda: 0,
        now: Callable[[], float] = monotonic,
        max_pages: Callable[[], int] = lambda: MAX_PAGES,
    ) -> None:
        self._make = make
        self._version = version
        self._now = now
        self._max_pages = max_pages
        self._making = Lock()
        self._entries: dict[tuple[Key, bool], _Entry] = {}  # the oldest first

    async def get(self, key: Key, *, gzip: bool) -> Page:
        """The page of this key, compressed or not, of this version and at most a second old.

        Raises:
            QueueFullError: At once, when it has to be made and too many others are being made.
        """
        entry = self._entries.get((key, gzip))
        if entry is None or not self._is_usable(entry):
            entry = self._begin(key, gzip=gzip)
        # One impatient client must not cancel the page of the others.
        return await asyncio.shield(entry.page)

    def _is_usable(self, entry: _Entry) -> bool:
        if entry.version != self._version():
            return False
        if not entry.page.done():
            return True
        failed = entry.page.cancelled() or entry.page.exception() is not None
        return not failed and self._now() - entry.begun <= MAX_AGE

    def _begin(self, key: Key, *, gzip: bool) -> _Entry:
        self._entries.pop((key, gzip), None)
        if len(self._entries) >= self._max_pages():
            self._evict_one()
        task = asyncio.create_task(in_daemon_thread(partial(self._page, key, gzip=gzip)))
        entry = self._entries[key, gzip] = _Entry(self._version(), self._now(), task)
        loop = asyncio.get_running_loop()
        task.add_done_callback(lambda _: loop.call_later(MAX_AGE, self._drop, (key, gzip), entry))
        return entry

    def _drop(self, which: tuple[Key, bool], entry: _Entry) -> None:
        if self._entries.get(which) is entry:
            del self._entries[which]

    def _evict_one(self) -> None:
        """Evicts the oldest page that is done."""
        done = next((which for which, entry in self._entries.items() if entry.page.done()), None)
        if done is None:
            raise QueueFullError
        del self._entries[done]

    def _page(self, key: Key, *, gzip: bool) -> Page:
        with self._making:
            page = self._make(key)
            return compressed(page) if gzip else page


def compressed(page: Page) -> Page:
    """The page as one gzip member, in the pieces in which it is made: most parts make none."""
    packer = compressobj(_COMPRESSION_LEVEL, DEFLATED, GZIP)
    return [*filter(None, map(packer.compress, page)), packer.flush()]
