"""Pages on their way out: each made and compressed once for all who ask for it within a second."""

import asyncio
from collections.abc import Callable, Hashable
from functools import partial
from threading import Lock
from time import monotonic
from typing import Generic, NamedTuple, TypeVar

from exporter.web.compression import compressed
from exporter.web.threads import in_daemon_thread

KEPT = 1.0  # seconds; several Prometheus servers scrape at the same moment
PAGES = 16  # kept or being made at a time, each compressed or not

Key = TypeVar("Key", bound=Hashable)


class QueueFullError(Exception):
    """Too many different pages are being made."""


class _Made(NamedTuple):
    version: int
    begun: float
    page: asyncio.Task[bytes]


class SingleFlight(Generic[Key]):
    """Makes pages beside the event loop, one at a time: neither small answers nor the exit wait.

    `make` makes the page of a key; `version`, where there is one, grows with what pages of before
    do not say yet. However many keys are asked for, few pages are kept, and few may wait.
    """

    def __init__(
        self,
        make: Callable[[Key], bytes],
        version: Callable[[], int] = lambda: 0,
        now: Callable[[], float] = monotonic,
    ) -> None:
        self._make = make
        self._version = version
        self._now = now
        self._turn = Lock()
        self._made: dict[tuple[Key, bool], _Made] = {}  # the oldest first

    async def get(self, key: Key, *, gzip: bool) -> bytes:
        """The page of this key, compressed or not, of this version and at most a second old.

        Raises:
            QueueFullError: At once, when it has to be made and too many others are being made.
        """
        made = self._made.get((key, gzip))
        if made is None or not self._is_usable(made):
            made = self._begin(key, gzip=gzip)
        # One impatient client must not cancel the page of the others.
        return await asyncio.shield(made.page)

    def _is_usable(self, made: _Made) -> bool:
        if made.version != self._version():
            return False
        if not made.page.done():
            return True
        failed = made.page.cancelled() or made.page.exception() is not None
        return not failed and self._now() - made.begun <= KEPT

    def _begin(self, key: Key, *, gzip: bool) -> _Made:
        self._made.pop((key, gzip), None)
        if len(self._made) >= PAGES:
            self._forget_one()
        task = asyncio.create_task(self._work(self._compressed if gzip else self._make, key))
        made = self._made[key, gzip] = _Made(self._version(), self._now(), task)
        return made

    def _forget_one(self) -> None:
        """Forgets the oldest page that is done."""
        for which, made in self._made.items():
            if made.page.done():
                del self._made[which]
                return
        raise QueueFullError

    async def _work(self, make: Callable[[Key], bytes], key: Key) -> bytes:
        return await in_daemon_thread(partial(self._in_turn, make, key))

    def _in_turn(self, make: Callable[[Key], bytes], key: Key) -> bytes:
        with self._turn:
            return make(key)

    def _compressed(self, key: Key) -> bytes:
        return compressed(self._make(key))
