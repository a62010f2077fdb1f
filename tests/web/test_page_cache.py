import asyncio
import gzip
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from web.asgi_client import GZIP, Client

from exporter.catalogue.model import Kind, Metric
from exporter.exposition.page import Format, Page
from exporter.status.model import Status
from exporter.web import page_cache
from exporter.web.app import build
from exporter.web.page_cache import MAX_PAGES, PageCache, QueueFullError
from exporter.web.status_page import StatusPage

METRICS = b"power 1.0\n"
LONG = 20.0  # seconds; never reached by what works
ELEVATION = Metric("sun_degrees", Kind.GAUGE, "The sun.", labels=())


class Renderer:
    """Numbers its pages; each waits until `open` is set."""

    def __init__(self):
        self.made = 0
        self.begun = threading.Event()
        self.open = threading.Event()
        self.open.set()
        self.fails = False
        self.version = 0

    def __call__(self, _=None):
        self.made += 1
        page = f"page {self.made}".encode()
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
def renderer():
    return Renderer()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def cache(renderer, clock):
    return PageCache(renderer, lambda: renderer.version, clock)


def test_all_who_ask_at_once_get_the_one_page(cache, renderer):
    async def ask():
        renderer.open.clear()
        asking = [asyncio.create_task(cache.get(None, gzip=False)) for _ in range(50)]
        await asyncio.to_thread(renderer.begun.wait, LONG)
        renderer.open.set()
        return await asyncio.gather(*asking)

    assert asyncio.run(ask()) == [b"page 1"] * 50
    assert renderer.made == 1


def test_a_slow_page_is_shared_however_long_it_takes(cache, renderer, clock):
    async def ask():
        renderer.open.clear()
        first = asyncio.create_task(cache.get(None, gzip=False))
        await asyncio.to_thread(renderer.begun.wait, LONG)
        clock.at += 60.0
        second = asyncio.create_task(cache.get(None, gzip=False))
        await asyncio.sleep(0)
        renderer.open.set()
        return [await first, await second]

    assert asyncio.run(ask()) == [b"page 1"] * 2


def test_a_page_is_kept_for_a_second(cache, clock):
    async def ask():
        pages = [await cache.get(None, gzip=False)]
        for seconds in (0.5, 0.5, 0.1):
            clock.at += seconds
            pages.append(await cache.get(None, gzip=False))
        return pages

    assert asyncio.run(ask()) == [b"page 1", b"page 1", b"page 1", b"page 2"]


def test_plain_and_compressed_are_kept_apart(renderer, clock):
    cache = PageCache(lambda _: [b"a ", renderer()], now=clock)

    async def ask():
        for _ in range(2):
            assert await cache.get(None, gzip=False) == [b"a ", b"page 1"]
            packed = await cache.get(None, gzip=True)
            assert gzip.decompress(b"".join(packed)) == b"a page 2"

    asyncio.run(ask())


def test_a_failure_reaches_all_who_wait_and_is_not_kept(cache, renderer):
    async def ask():
        renderer.fails = True
        asking = [cache.get(None, gzip=False) for _ in range(3)]
        failed = await asyncio.gather(*asking, return_exceptions=True)
        renderer.fails = False
        return failed, await cache.get(None, gzip=False)

    failed, page = asyncio.run(ask())
    assert [str(error) for error in failed] == ["no page"] * 3
    assert page == b"page 2"


def test_one_who_leaves_does_not_take_the_page_from_the_others(cache, renderer):
    async def ask():
        renderer.open.clear()
        leaving, staying = (asyncio.create_task(cache.get(None, gzip=False)) for _ in range(2))
        await asyncio.to_thread(renderer.begun.wait, LONG)
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        renderer.open.set()
        return await staying

    assert asyncio.run(ask()) == b"page 1"


def test_the_loop_goes_on_while_a_page_is_made(cache, renderer):
    async def ask():
        renderer.open.clear()
        asking = asyncio.create_task(cache.get(None, gzip=False))
        await asyncio.to_thread(renderer.begun.wait, LONG)
        renderer.open.set()  # by the loop itself: it was not held up
        return await asking

    assert asyncio.run(ask()) == b"page 1"


def test_a_page_with_new_values_is_made_anew(cache, renderer):
    async def ask():
        before = await cache.get(None, gzip=False)
        renderer.version += 1
        return before, await cache.get(None, gzip=False)

    assert asyncio.run(ask()) == (b"page 1", b"page 2")


def test_scrapes_of_one_second_share_a_page_also_when_a_minute_ends_between_them(clock):
    clock.at = 0.0
    page = Page({}, clock)
    page.move("sun", lambda: {ELEVATION: b"sun %.1f\n" % clock.at})  # made anew each minute
    made = []

    def exposition(form):
        made.append(clock.at)
        return page.exposition(form).splitlines()[-1]

    cache = PageCache(exposition, lambda: page.version, clock)

    async def ask():
        pages = []
        for clock.at in (0.0, 0.4, 59.8, 60.0, 60.7, 61.0, 61.5):
            pages.append(await cache.get(Format.TEXT, gzip=False))
        return pages

    assert asyncio.run(ask()) == [b"sun 0.0"] * 5 + [b"sun 61.0"] * 2
    assert made == [0.0, 59.8, 61.0]


def test_each_key_has_a_page_of_its_own(renderer, clock):
    cache = PageCache(lambda key: renderer() + b" of " + key, now=clock)

    async def ask():
        return [await cache.get(key, gzip=False) for key in (b"a", b"b", b"a", b"b")]

    assert asyncio.run(ask()) == [b"page 1 of a", b"page 2 of b"] * 2


def test_of_many_pages_the_oldest_are_forgotten(cache):
    async def ask():
        for key in range(MAX_PAGES + 1):
            await cache.get(key, gzip=False)
        return [await cache.get(key, gzip=False) for key in (MAX_PAGES, 1, 0)]

    assert asyncio.run(ask()) == [
        b"page %d" % number for number in (MAX_PAGES + 1, 2, MAX_PAGES + 2)
    ]


def test_a_page_that_is_of_no_use_any_more_is_forgotten(clock, monkeypatch):
    monkeypatch.setattr(page_cache, "MAX_AGE", 0.0)
    page = b"page"
    cache = PageCache(lambda _: page, now=clock)

    async def ask():
        before = sys.getrefcount(page)
        for key in range(3):
            await cache.get(key, gzip=False)
        kept = sys.getrefcount(page) - before
        await asyncio.sleep(0)  # the loop looks what is due
        await asyncio.sleep(0)
        return kept > 0, sys.getrefcount(page) - before

    assert asyncio.run(ask()) == (True, 0)


def test_a_flood_of_different_pages_is_turned_away_and_those_of_others_are_not(cache, renderer):
    async def ask():
        renderer.open.clear()
        flood = [asyncio.create_task(cache.get(key, gzip=False)) for key in range(1_000)]
        await asyncio.to_thread(renderer.begun.wait, LONG)
        await asyncio.sleep(0)
        refused = [each for each in flood if each.done()]
        sharing = asyncio.create_task(cache.get(0, gzip=False))
        renderer.open.set()
        results = await asyncio.gather(*flood, sharing, return_exceptions=True)
        return (
            {type(each.exception()) for each in refused},
            results,
            await cache.get(-1, gzip=False),
        )

    kinds, results, later = asyncio.run(ask())
    assert kinds == {QueueFullError}
    # Who waits for a lock is let in in any order.
    *made, shared = [page for page in results if isinstance(page, bytes)]
    assert set(made) == {b"page %d" % (number + 1) for number in range(MAX_PAGES)}
    assert (len(made), shared) == (MAX_PAGES, made[0])
    assert later == b"page %d" % (MAX_PAGES + 1)


# The pages of the application


class HeldStatus:
    """A status for which all wait until `end` is set."""

    def __init__(self):
        self.calls = 0
        self.begun = threading.Event()
        self.end = threading.Event()

    def __call__(self):
        self.calls += 1
        self.begun.set()
        assert self.end.wait(LONG)
        return Status(0.0, ())


@pytest.fixture
def held_status():
    return HeldStatus()


@pytest.fixture
def site(held_status, monkeypatch):
    """A site on which a look at the accounts does not age, however slow the machine is."""
    monkeypatch.setattr("exporter.web.app.StatusPage", partial(StatusPage, now=lambda: 0.0))
    return Client(build(lambda *_: [METRICS], lambda: 0, list, held_status))


def test_a_crowd_that_asks_for_the_status_page_costs_one_look_at_the_accounts(site, held_status):
    async def ask():
        crowd = [
            asyncio.create_task(site.ask("GET", "/", headers))
            for headers in ({}, GZIP)
            for _ in range(50)
        ]
        await asyncio.to_thread(held_status.begun.wait, LONG)
        held_status.end.set()
        return await asyncio.gather(*crowd)

    answers = asyncio.run(ask())
    assert {answer.status for answer in answers} == {200}
    plain, packed = ({answer.body for answer in half} for half in (answers[:50], answers[50:]))
    assert {gzip.decompress(body) for body in packed} == plain
    assert len(plain) == len(packed) == 1
    assert held_status.calls == 1


def test_a_flood_of_queries_costs_one_look_at_the_accounts_and_no_scrape(site, held_status):
    async def ask():
        flood = [asyncio.create_task(site.ask("GET", f"/?search={n}")) for n in range(1_000)]
        await asyncio.to_thread(held_status.begun.wait, LONG)
        scrape = await site.ask("GET", "/metrics")
        held_status.end.set()
        return scrape, await asyncio.gather(*flood)

    scrape, answers = asyncio.run(ask())
    assert (scrape.status, scrape.body) == (200, METRICS)
    assert [answer.status for answer in answers] == [200] * MAX_PAGES + [503] * (1_000 - MAX_PAGES)
    assert {answer.headers["retry-after"] for answer in answers[MAX_PAGES:]} == {"1"}
    assert held_status.calls == 1


def test_a_scrape_queues_behind_neither_status_pages_nor_other_work(site, held_status):
    async def ask():
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
        others = [
            asyncio.create_task(asyncio.to_thread(held_status.end.wait, LONG)),  # as bcrypt might
            *(asyncio.create_task(site.ask("GET", "/", headers)) for headers in ({}, GZIP)),
        ]
        scrape = await asyncio.create_task(site.ask("GET", "/metrics"))
        done = [other for other in others if other.done()]
        held_status.end.set()
        await asyncio.gather(*others)
        return scrape, done

    scrape, done = asyncio.run(ask())
    assert scrape.body == METRICS
    assert done == []
