import asyncio
import gzip
import threading
from itertools import pairwise

import pytest
from web.asgi_client import GZIP, Client

from exporter.exposition.page import Format, IncompleteError
from exporter.status.model import Status
from exporter.web.app import PIECE, build

PAGES = {
    Format.TEXT: b"# TYPE power gauge\npower 1.0\n" * 10_000,
    Format.OPENMETRICS: b"# TYPE power gauge\npower 1.0\n# EOF\n",
}
OPENMETRICS = {"accept": "application/openmetrics-text;version=1.0.0"}
LONG = 20.0  # seconds; never reached by what works


def status():
    return Status(0.0, ())


class Daemon:
    """What the web application is handed."""

    def __init__(self):
        self.pages = dict(PAGES)
        self.waiting = []

    def exposition(self, form, _):
        return [self.pages[form]]


@pytest.fixture
def daemon():
    return Daemon()


@pytest.fixture
def client(daemon):
    return Client(build(daemon.exposition, lambda: 0, lambda: daemon.waiting, status))


# /metrics


@pytest.mark.parametrize(
    ("accept", "form", "content_type"),
    [
        ({}, Format.TEXT, "text/plain; version=0.0.4; charset=utf-8"),
        (OPENMETRICS, Format.OPENMETRICS,
         "application/openmetrics-text; version=1.0.0; charset=utf-8"),
    ],
)  # fmt: skip
def test_metrics_come_in_the_format_asked_for(client, accept, form, content_type):
    answer = client.get("/metrics", headers=accept)
    assert answer.status == 200
    assert answer.headers["content-type"] == content_type
    assert answer.body == PAGES[form]
    assert int(answer.headers["content-length"]) == len(PAGES[form])
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize(("accept", "form"), [({}, Format.TEXT), (OPENMETRICS, Format.OPENMETRICS)])
def test_metrics_are_compressed_for_those_who_ask(client, accept, form):
    answer = client.get("/metrics", headers=accept | GZIP)
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) == len(answer.body)
    assert gzip.decompress(answer.body) == PAGES[form]


def test_who_asks_for_one_format_or_coding_is_not_given_anothers(client):
    for _ in range(2):
        assert client.get("/metrics").body == PAGES[Format.TEXT]
        assert client.get("/metrics", headers=OPENMETRICS).body == PAGES[Format.OPENMETRICS]
        packed = client.get("/metrics", headers=OPENMETRICS | GZIP).body
        assert gzip.decompress(packed) == PAGES[Format.OPENMETRICS]


def test_caches_are_told_what_the_answer_depends_on(client):
    for headers in ({}, OPENMETRICS, GZIP):
        answer = client.get("/metrics", headers=headers)
        assert answer.headers["vary"] == "Accept, Accept-Encoding"


@pytest.mark.parametrize("headers", [{}, OPENMETRICS, GZIP])
@pytest.mark.parametrize("path", ["/metrics", "/", "/-/healthy", "/-/ready"])
def test_head_has_the_headers_of_get_and_no_body(client, path, headers):
    got = client.get(path, headers=headers)
    head = client.request("HEAD", path, headers)
    assert (head.status, head.headers) == (got.status, got.headers)
    assert int(head.headers["content-length"]) > 0
    assert head.body == b""


def test_an_empty_page_is_an_answer(client, daemon):
    daemon.pages[Format.TEXT] = b""
    answer = client.get("/metrics")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["content-length"] == "0"


@pytest.mark.parametrize("size", [1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE])
def test_a_page_of_any_size_arrives_whole(client, daemon, size):
    daemon.pages[Format.TEXT] = bytes(n % 251 for n in range(size))
    assert client.get("/metrics").body == daemon.pages[Format.TEXT]


def test_a_large_page_is_handed_on_in_pieces(client):
    start, *bodies = client.messages("/metrics")
    assert (b"content-length", b"%d" % len(PAGES[Format.TEXT])) in start["headers"]
    assert b"".join(message["body"] for message in bodies) == PAGES[Format.TEXT]
    assert max(len(message["body"]) for message in bodies) == PIECE == 65_536
    assert [message.get("more_body", False) for message in bodies].index(False) == len(bodies) - 1


@pytest.mark.parametrize("headers", [{}, GZIP])
def test_parts_of_any_size_are_sent_in_pieces_of_one(headers):
    page = bytes(n % 251 for n in range(3 * PIECE + 7))
    cuts = [0, 0, 1, 2, PIECE - 1, PIECE, 3 * PIECE, 3 * PIECE, len(page)]
    parts = [page[start:end] for start, end in pairwise(cuts)]
    client = Client(build(lambda *_: parts, lambda: 0, list, status))
    answer = client.get("/metrics", headers)
    assert int(answer.headers["content-length"]) == len(answer.body)
    assert (gzip.decompress(answer.body) if headers else answer.body) == page
    _, *bodies = client.messages("/metrics")
    assert [len(each["body"]) for each in bodies] == [PIECE, PIECE, PIECE, 7, 0]


def test_a_page_that_cannot_be_made_is_an_error_and_the_next_one_is_not(client, daemon):
    page = daemon.pages.pop(Format.TEXT)
    assert client.get("/metrics").status == 500
    daemon.pages[Format.TEXT] = page
    assert client.get("/metrics").body == page


def test_a_page_that_is_not_complete_yet_is_refused_with_the_reason():
    def exposition(*_):
        raise IncompleteError("restoring: 1 of 2 accounts done, not yet home")

    refusing = Client(build(exposition, lambda: 0, list, status))
    for headers in ({}, OPENMETRICS, GZIP):
        answer = refusing.get("/metrics", headers=headers)
        assert answer.status == 503
        assert answer.text == "No page yet, restoring: 1 of 2 accounts done, not yet home.\n"


# Other paths


@pytest.mark.parametrize(
    "path", ["/metric", "/metrics/", "/metrics/x", "/-/", "/-/reloads", "/favicon.ico", "//metrics"]
)
def test_other_paths_are_not_found(client, path):
    assert client.get(path).status == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", ["/metrics", "/", "/-/healthy", "/-/ready"])
def test_other_methods_are_not_allowed(client, method, path):
    answer = client.request(method, path)
    assert answer.status == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}


def test_it_is_healthy_whatever_it_waits_for(client, daemon):
    daemon.waiting = ["home: not logged in"]
    daemon.pages.clear()
    answer = client.get("/-/healthy")
    assert (answer.status, answer.text) == (200, "Healthy.\n")


def test_it_is_ready_when_it_waits_for_nothing(client, daemon):
    daemon.waiting = ["home: not logged in", "office: getDevRealKpi: 1 of 3 batches"]
    answer = client.get("/-/ready")
    assert answer.status == 503
    assert answer.text == (
        "Not ready.\nhome: not logged in\noffice: getDevRealKpi: 1 of 3 batches\n"
    )
    daemon.waiting = []
    answer = client.get("/-/ready")
    assert (answer.status, answer.text) == (200, "Ready.\n")


def test_an_account_without_plants_is_ready_and_named(daemon):
    reasons = ["home: the plant list is empty"]
    app = build(
        daemon.exposition, lambda: 0, lambda: daemon.waiting, status, without_data=lambda: reasons
    )
    answer = Client(app).get("/-/ready")
    assert (answer.status, answer.text) == (200, "Ready.\nhome: the plant list is empty\n")


# /-/reload


def reloading(reload):
    return Client(build(lambda form, _: [PAGES[form]], lambda: 0, list, status, reload))


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_without_leave_nobody_reloads(client, method):
    answer = client.request(method, "/-/reload")
    assert answer.status == 403
    assert answer.text == "Reloading over HTTP is off; --web.enable-lifecycle turns it on.\n"


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize(
    ("reason", "status", "text"),
    [
        (None, 200, "Reloaded.\n"),
        ("config.yaml: accounts: is missing", 500,
         "Not reloaded: config.yaml: accounts: is missing\n"),
    ],
)  # fmt: skip
def test_a_reload_says_how_it_went(method, reason, status, text):
    answer = reloading(lambda: reason).request(method, "/-/reload")
    assert (answer.status, answer.text) == (status, text)


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
def test_a_look_does_not_reload(method):
    done = []
    answer = reloading(lambda: done.append(1)).request(method, "/-/reload")
    assert answer.status == 405
    assert set(answer.headers["allow"].split(", ")) == {"POST", "PUT"}
    assert done == []


def test_one_reload_at_a_time_and_pages_meanwhile():
    begun, end = threading.Event(), threading.Event()
    done = []

    def reload():
        begun.set()
        assert end.wait(LONG)
        done.append(1)

    client = reloading(reload)

    async def ask():
        first = asyncio.create_task(client.ask("POST", "/-/reload"))
        await asyncio.to_thread(begun.wait, LONG)
        second = await client.ask("POST", "/-/reload")
        page = await client.ask("GET", "/metrics")
        end.set()
        third = await first
        return second.status, page.status, third.status

    assert asyncio.run(ask()) == (503, 200, 200)
    assert done == [1]
    assert client.request("POST", "/-/reload").status == 200
    assert done == [1, 1]


def test_a_reload_that_breaks_is_an_error_told_once_and_the_next_one_is_not(monkeypatch, caplog):
    broken = RuntimeError("broken")
    outcomes, raised, unhandled = [broken, None], [], []
    monkeypatch.setattr(threading, "excepthook", unhandled.append)

    def reload():
        outcome = outcomes.pop(0)
        if outcome is not None:
            raise outcome

    app = reloading(reload).app

    async def server(*exchange):
        try:
            await app(*exchange)
        except RuntimeError as error:
            raised.append(error)  # uvicorn logs it

    async def ask():
        asked = Client(server).ask("POST", "/-/reload")
        return await asyncio.wait_for(asked, LONG)

    assert [asyncio.run(ask()).status for _ in range(2)] == [500, 200]
    assert raised == [broken]
    assert (unhandled, caplog.records) == ([], [])


@pytest.mark.parametrize("path", ["/metrics", "/"])
def test_a_bug_behind_a_page_is_an_error_that_is_counted(path):
    errors = []

    def broken(*_):
        raise RuntimeError("a bug")

    app = build(broken, lambda: 0, list, broken, on_error=lambda: errors.append(path))
    client = Client(app)
    answer = client.get(path)
    assert (answer.status, answer.text) == (500, "Internal error; the log says more.\n")
    assert errors == [path]
    assert client.get("/-/healthy").status == 200
