import asyncio
import gzip
import threading

import pytest

from exporter.exposition.page import Format
from exporter.web.scrapes import Scrapes

LONG = 20.0  # seconds; never reached by what works


class Exposition:
    """Numbers its pages; holds each until it is let go."""

    def __init__(self):
        self.made = []
        self.begun = threading.Event()
        self.open = threading.Event()
        self.open.set()
        self.fails = False
        self.version = 0

    def __call__(self, form):
        self.made.append(form)
        page = f"{form.name} {len(self.made)}".encode()
        self.begun.set()
        assert self.open.wait(LONG)
        if self.fails:
            raise RuntimeError("no page")
        return page


class Clock:
    at = 100.0

    def __call__(self):
        return self.at


@pytest.fixture
def exposition():
    return Exposition()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def scrapes(exposition, clock):
    return Scrapes(exposition, lambda: exposition.version, clock)


def test_all_who_ask_at_once_get_the_one_page(scrapes, exposition):
    async def ask():
        exposition.open.clear()
        asking = [asyncio.create_task(scrapes.get(Format.TEXT, gzip=False)) for _ in range(50)]
        await asyncio.to_thread(exposition.begun.wait, LONG)
        exposition.open.set()
        return await asyncio.gather(*asking)

    assert asyncio.run(ask()) == [b"TEXT 1"] * 50
    assert exposition.made == [Format.TEXT]


def test_a_slow_page_is_shared_however_long_it_takes(scrapes, exposition, clock):
    async def ask():
        exposition.open.clear()
        first = asyncio.create_task(scrapes.get(Format.TEXT, gzip=False))
        await asyncio.to_thread(exposition.begun.wait, LONG)
        clock.at += 60.0
        second = asyncio.create_task(scrapes.get(Format.TEXT, gzip=False))
        await asyncio.sleep(0)
        exposition.open.set()
        return [await first, await second]

    assert asyncio.run(ask()) == [b"TEXT 1"] * 2


def test_a_page_is_kept_for_a_second(scrapes, clock):
    async def ask():
        pages = [await scrapes.get(Format.TEXT, gzip=False)]
        for seconds in (0.5, 0.5, 0.1):
            clock.at += seconds
            pages.append(await scrapes.get(Format.TEXT, gzip=False))
        return pages

    assert asyncio.run(ask()) == [b"TEXT 1", b"TEXT 1", b"TEXT 1", b"TEXT 2"]


def test_formats_and_codings_are_kept_apart(scrapes):
    async def ask():
        for _ in range(2):
            assert await scrapes.get(Format.TEXT, gzip=False) == b"TEXT 1"
            assert await scrapes.get(Format.OPENMETRICS, gzip=False) == b"OPENMETRICS 2"
            assert gzip.decompress(await scrapes.get(Format.TEXT, gzip=True)) == b"TEXT 3"

    asyncio.run(ask())


def test_a_failure_reaches_all_who_wait_and_is_not_kept(scrapes, exposition):
    async def ask():
        exposition.fails = True
        asking = [scrapes.get(Format.TEXT, gzip=False) for _ in range(3)]
        failed = await asyncio.gather(*asking, return_exceptions=True)
        exposition.fails = False
        return failed, await scrapes.get(Format.TEXT, gzip=False)

    failed, page = asyncio.run(ask())
    assert [str(error) for error in failed] == ["no page"] * 3
    assert page == b"TEXT 2"


def test_one_who_leaves_does_not_take_the_page_from_the_others(scrapes, exposition):
    async def ask():
        exposition.open.clear()
        leaving, staying = (
            asyncio.create_task(scrapes.get(Format.TEXT, gzip=False)) for _ in range(2)
        )
        await asyncio.to_thread(exposition.begun.wait, LONG)
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        exposition.open.set()
        return await staying

    assert asyncio.run(ask()) == b"TEXT 1"


def test_the_loop_goes_on_while_a_page_is_made(scrapes, exposition):
    async def ask():
        exposition.open.clear()
        asking = asyncio.create_task(scrapes.get(Format.TEXT, gzip=False))
        await asyncio.to_thread(exposition.begun.wait, LONG)
        exposition.open.set()  # by the loop itself: it was not held up
        return await asking

    assert asyncio.run(ask()) == b"TEXT 1"


def test_a_page_with_new_values_is_made_anew(scrapes, exposition):
    async def ask():
        before = await scrapes.get(Format.TEXT, gzip=False)
        exposition.version += 1
        return before, await scrapes.get(Format.TEXT, gzip=False)

    assert asyncio.run(ask()) == (b"TEXT 1", b"TEXT 2")
