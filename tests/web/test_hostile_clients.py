"""What strangers say to the server: each gets an answer or none, and others get their page."""

import gzip
import resource
from contextlib import ExitStack, suppress

import pytest
from web.process import (
    LARGE,
    REQUEST,
    SHORT,
    SMALL,
    Serving,
    answers_of,
    memory_of,
    read_to_the_end,
)

pytestmark = pytest.mark.slow

MEGABYTE = b"x" * 1_000_000
CROWD = 1_000
# As h11 reads requests of 16 kB in however many pieces they come, longer ones only in a single one.
LONG = 15_000


@pytest.fixture
def process(module_process):
    """A server that earlier tests used, too; it still serves afterwards, and logs nothing."""
    with ExitStack() as module_process.stack:
        yield module_process
        assert module_process.scrape() == SMALL
        words = {event.split()[0] for event in module_process.events}
        assert words <= {"port", "accept", "connection_lost"}


@pytest.fixture
def serve():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 2 * CROWD)), hard))
    with ExitStack() as stack:
        yield lambda size: Serving(stack, size)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def get(path, *headers, method=b"GET"):
    return b"\r\n".join([b"%b %b HTTP/1.1" % (method, path), b"Host: exporter", *headers, b"", b""])


def last(path, *headers, method=b"GET"):
    return get(path, *headers, b"Connection: close", method=method)


def statuses(serving, payload):
    """The statuses of the answers on one connection, until it ends."""
    connection = serving.connect()
    with suppress(ConnectionResetError, BrokenPipeError):
        connection.sendall(payload)
    text = read_to_the_end(connection)
    return [int(line.split()[1]) for line in text.split(b"\r\n") if line.startswith(b"HTTP/1.")]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (b"/metrics?a=b&a=%00", 200),
        (b"/%6detrics", 200),
        (b"/metrics%2f", 404),
        (b"/metrics%00", 404),
        (b"/%ff%fe", 404),
        (b"/%", 404),
        (b"/../../etc/passwd", 404),
        (b"/%2e%2e/metrics", 404),
        (b"//metrics", 404),
        (b"*", 404),
        (b"/" + b"a" * LONG, 404),
        (b"/" + b"%41" * (LONG // 3), 404),
        (b"/metrics?" + b"a" * LONG, 200),
        (b"/<script>alert(1)</script>", 404),
    ],
)  # fmt: skip
def test_odd_paths_are_answered(process, path, status):
    assert statuses(process, last(path)) == [status]


@pytest.mark.parametrize(
    "payload",
    [
        b"GET /metrics\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\n\r\n",
        b"GET /metrics HTTP/11\r\nHost: exporter\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"\x00" * 1_000 + b"\r\n\r\n",
        get(b"/metrics", b"a: b\x00c"),
        get(b"/metrics", b"a b: c"),
        get(b"/metrics", b"Content-Length: -1"),
        get(b"/metrics", b"Content-Length: 1", b"Content-Length: 2"),
        get(b"/m\xc3\xa9trics"),
        get(b"/metrics", b"a: " + b"b" * 10_000_000),
        get(b"/metrics", *[b"a: b"] * 1_000_000),
        get(b"/" + b"a" * 10_000_000),
    ],
)  # fmt: skip
def test_what_is_no_request_is_refused(process, payload):
    before = memory_of(process.process)
    assert statuses(process, payload) in ([400], [])  # none: hung up on while it was speaking
    assert memory_of(process.process) - before < 10_000


def test_other_versions_are_spoken_to_as_far_as_they_are_understood(process):
    assert statuses(process, b"GET /nowhere HTTP/0.9\r\n\r\n") == [404]
    assert statuses(process, b"GET /nowhere HTTP/1.0\r\n\r\n") == [404]
    preface = b"PRI * HTTP/2.0\r\nConnection: close\r\n\r\nSM\r\n\r\n"
    assert statuses(process, preface) == [404]


@pytest.mark.parametrize("method", [b"POST", b"DELETE", b"OPTIONS", b"BREW", b"get", b"A" * 5_000])
def test_odd_methods_are_not_allowed(process, method):
    connection = process.connect(last(b"/metrics", method=method))
    answer = read_to_the_end(connection).lower()
    assert answer.startswith(b"http/1.1 405 ")
    assert b"\r\nallow: get, head\r\n" in answer or b"\r\nallow: head, get\r\n" in answer


def test_connect_and_upgrades_lead_nowhere(process):
    assert statuses(process, last(b"example.org:443", method=b"CONNECT")) == [404]
    upgrade = last(b"/metrics", b"Connection: Upgrade", b"Upgrade: websocket")
    assert statuses(process, upgrade) == [200]


def test_a_body_that_came_along_is_ignored(process):
    request = get(b"/metrics", b"Content-Length: 4") + b"body"
    assert answers_of(process.connect(request * 3), 3) == [(200, SMALL)] * 3


@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
def test_a_body_that_is_none_costs_its_request_and_is_not_in_the_log(serve, method):
    serving = serve(SMALL)
    request = last(b"/metrics", b"Transfer-Encoding: chunked", method=method)
    for _ in range(20):
        read_to_the_end(serving.connect(request + b"zz\r\n"))

    assert serving.scrape() == SMALL
    serving.end_counts()


def send_repeatedly(connection, payload):
    """Sends it a thousand times, as far as the server reads."""
    for _ in range(1_000):
        connection.sendall(payload)


@pytest.mark.parametrize(
    "head",
    [
        get(b"/nowhere", b"Content-Length: 1000000000"),
        get(b"/metrics", b"Content-Length: 1000000000", method=b"POST"),
        get(b"/nowhere", b"Content-Length: 1000000000", b"Expect: 100-continue"),
        get(b"/nowhere", b"Transfer-Encoding: chunked") + b"%x\r\n" % 1_000_000_000,
    ],
)  # fmt: skip
def test_a_body_without_end_is_not_read(process, head):
    before = memory_of(process.process)
    with pytest.raises(OSError, match=r"(?i)reset|pipe"):
        send_repeatedly(process.connect(head), MEGABYTE)
    assert memory_of(process.process) - before < 10_000


def test_requests_without_end_are_read_as_their_answers_are(process):
    before = memory_of(process.process)
    connection = process.connect()
    connection.settimeout(SHORT)
    with pytest.raises(TimeoutError):
        send_repeatedly(connection, REQUEST * 10_000)
    assert memory_of(process.process) - before < 10_000


def test_a_thousand_scrapes_at_once_share_one_page(serve):
    serving = serve(LARGE)
    assert serving.scrape() == LARGE
    before = memory_of(serving.process)
    crowd = [serving.connect() for _ in range(CROWD - 1)]
    for each in crowd:
        each.sendall(last(b"/metrics", b"Accept-Encoding: gzip"))
    pages = {read_to_the_end(each).partition(b"\r\n\r\n")[2] for each in crowd}
    assert {len(gzip.decompress(page)) for page in pages} == {LARGE}
    assert memory_of(serving.process) - before < 100_000
    assert serving.end_counts()["made"] < CROWD / 20


def test_those_who_do_not_read_cost_little_memory(serve):
    serving = serve(LARGE)
    assert serving.scrape() == LARGE
    before = memory_of(serving.process)
    for _ in range(CROWD // 5):
        serving.connect(REQUEST)
    assert serving.scrape() == LARGE
    assert (memory_of(serving.process) - before) / (CROWD // 5) < 300
