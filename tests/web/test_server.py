"""The server over real sockets: no client, however slow or numerous, keeps another waiting."""

import http.client
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack
from math import inf
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from web.process import (
    HEALTHY,
    LARGE,
    LONG,
    REQUEST,
    SHORT,
    SMALL,
    Serving,
    answers_of,
    port_of,
    read_to_the_end,
)

from exporter.web.server import ConnectionLimit, bind

pytestmark = pytest.mark.slow


@pytest.fixture
def serve():
    with ExitStack() as stack:
        yield lambda size=SMALL, **constants: Serving(stack, size, **constants)


@pytest.fixture
def process(module_process):
    """A server that has served the tests before, too."""
    with ExitStack() as module_process.stack:
        yield module_process


# Served


def test_many_clients_are_served_at_once(process):
    connections = [process.connect() for _ in range(100)]
    for connection in connections:
        connection.sendall(REQUEST)
    assert [answers_of(connection, 1) for connection in connections] == [[(200, SMALL)]] * 100


def test_one_connection_serves_many_requests_head_included(process):
    connection = http.client.HTTPConnection("127.0.0.1", process.port, timeout=LONG)
    ports = set()
    for method, length in [("GET", SMALL), ("HEAD", 0), ("GET", SMALL)] * 3:
        connection.request(method, "/metrics")
        ports.add(port_of(connection.sock))
        answer = connection.getresponse()
        assert answer.headers["Content-Length"] == str(SMALL)
        assert (answer.status, len(answer.read())) == (200, length)
    connection.close()
    assert len(ports) == 1


def test_requests_may_be_sent_before_the_answers_are_read(process):
    connection = process.connect(REQUEST * 5)
    assert answers_of(connection, 5) == [(200, SMALL)] * 5


def test_who_has_said_all_is_answered_and_hung_up_on(process):
    for _ in range(20):
        connection = process.connect(REQUEST * 2)
        connection.shutdown(socket.SHUT_WR)
        assert answers_of(connection, 2) == [(200, SMALL)] * 2
        process.wait_until_lost(connection)


def test_a_large_page_arrives_whole(serve):
    serving = serve(LARGE)
    assert serving.scrape() == LARGE


def test_what_is_no_http_is_refused_and_hung_up_on(process):
    connection = process.connect(b"\x16\x03\x01 hello\r\n\r\n")
    assert read_to_the_end(connection).startswith(b"HTTP/1.1 400 ")
    assert process.scrape() == SMALL


# Deadlines


@pytest.mark.parametrize("payload", [b"", b"GET /metrics HT", REQUEST[:-2]])
def test_a_client_that_does_not_finish_its_request_is_hung_up_on(serve, payload):
    serving = serve(EXCHANGE_TIMEOUT=SHORT)
    connection = serving.connect(payload)
    assert read_to_the_end(connection) == b""
    assert serving.scrape() == SMALL


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_a_client_that_does_not_read_its_answer_is_hung_up_on(serve, size):
    serving = serve(size, EXCHANGE_TIMEOUT=SHORT)
    connection = serving.connect(REQUEST)
    serving.wait_until_lost(connection)
    assert len(read_to_the_end(connection)) < size
    if size == SMALL:
        assert serving.scrape() == size


def test_a_client_that_asks_on_without_reading_is_hung_up_on(serve):
    serving = serve(EXCHANGE_TIMEOUT=SHORT)
    connection = serving.connect(REQUEST * 5)
    serving.wait_until_lost(connection)
    assert len(read_to_the_end(connection)) < 5 * SMALL


@pytest.mark.parametrize("before", [b"", HEALTHY], ids=["alone", "sent with another"])
def test_an_answer_that_does_not_come_ends_with_its_exchange(serve, before):
    connection = serve(0, EXCHANGE_TIMEOUT=SHORT).connect(before + REQUEST)
    assert read_to_the_end(connection).count(b"HTTP/1.1 200 OK") == before.count(b"GET")


def test_a_second_request_has_its_own_deadline(serve):
    serving = serve(EXCHANGE_TIMEOUT=SHORT)
    connection = serving.connect(REQUEST)
    assert answers_of(connection, 1) == [(200, SMALL)]
    connection.sendall(REQUEST[:-2])
    assert read_to_the_end(connection) == b""


def test_an_idle_connection_outlives_the_deadline_of_its_last_request(serve):
    serving = serve(EXCHANGE_TIMEOUT=SHORT)
    connection = serving.connect(REQUEST)
    assert answers_of(connection, 1) == [(200, SMALL)]
    serving.wait_until_lost(serving.connect())  # later made: by now the other's deadline has passed
    connection.sendall(REQUEST)
    assert answers_of(connection, 1) == [(200, SMALL)]


def test_slow_clients_do_not_keep_others_from_the_page(serve):
    serving = serve(LARGE)
    slow = [serving.connect(payload) for payload in [b"", REQUEST[:9], REQUEST] for _ in range(10)]
    assert serving.scrape() == LARGE
    assert not [each for each in slow if f"connection_lost {port_of(each)}" in serving.events]


# Too many connections


def test_the_oldest_idle_connection_makes_room(serve):
    serving = serve(MAX_CONNECTIONS=5)
    connections = [serving.connect() for _ in range(5)]
    newcomer = serving.connect(REQUEST)
    assert answers_of(newcomer, 1) == [(200, SMALL)]
    assert read_to_the_end(connections[0]) == b""
    for connection in connections[1:]:
        connection.sendall(REQUEST)
        assert answers_of(connection, 1) == [(200, SMALL)]


def test_a_crowd_that_comes_at_once_does_not_exceed_the_limit(serve):
    serving = serve(MAX_CONNECTIONS=5)
    serving.process.send_signal(signal.SIGSTOP)
    with ExitStack() as stack:
        crowd = [
            stack.enter_context(socket.create_connection(("127.0.0.1", serving.port), LONG))
            for _ in range(40)
        ]
        serving.process.send_signal(signal.SIGCONT)
        serving.wait(lambda: serving.count("connection_lost") == 35)
        assert serving.count("accept") == 40
        lost = {int(event.split()[1]) for event in serving.events if "lost" in event}
        left = [connection for connection in crowd if port_of(connection) not in lost]
        for connection in left:
            connection.sendall(REQUEST)
        assert [answers_of(connection, 1) for connection in left] == [[(200, SMALL)]] * 5


def test_a_connection_that_is_being_answered_is_not_given_up_for_another(serve):
    serving = serve(LARGE, MAX_CONNECTIONS=2)
    busy = serving.connect(REQUEST)
    assert busy.recv(15, socket.MSG_PEEK) == b"HTTP/1.1 200 OK"
    idle = serving.connect()
    for _ in range(3):
        newcomer = serving.connect()
        serving.wait_until_lost(idle)
        idle = newcomer
    assert answers_of(busy, 1) == [(200, LARGE)]


def test_where_all_are_being_answered_the_newcomer_has_to_go(serve):
    serving = serve(LARGE, MAX_CONNECTIONS=2)
    busy = [serving.connect(REQUEST) for _ in range(2)]
    assert [each.recv(15, socket.MSG_PEEK) for each in busy] == [b"HTTP/1.1 200 OK"] * 2
    assert read_to_the_end(serving.connect()) == b""
    assert [answers_of(each, 1) for each in busy] == [[(200, LARGE)]] * 2


# Too few files


@pytest.mark.parametrize(
    ("limit", "needed", "connections", "sockets"),
    [
        (256, 10, 150, 214),
        (1_024, 80, 848, 912),
        (4_096, 400, 1_000, 3_664),
        (inf, 10, 1_000, inf),
        (64, 10, 11, 22),
        (32, 10, 8, 16),
    ],
)
def test_connections_leave_others_the_files_they_need(limit, needed, connections, sockets):
    limits = ConnectionLimit(limit, lambda: needed)
    assert (limits.connections, limits.sockets) == (connections, sockets)


def test_for_whom_there_is_no_room_is_hung_up_on_at_once_and_that_is_said_once():
    with ExitStack() as stack, capture_logs() as logs:
        listening = stack.enter_context(bind("127.0.0.1:0"))
        listening.limit = ConnectionLimit(0, lambda: 0)
        clients, taken = [], []
        for _ in range(16):
            clients.append(stack.enter_context(socket.create_connection(listening.getsockname())))
            taken.append(stack.enter_context(listening.accept()[0]))
        for _ in range(2):
            late = stack.enter_context(socket.create_connection(listening.getsockname()))
            with pytest.raises(ConnectionAbortedError):
                listening.accept()
            assert late.recv(1) == b""
        taken.pop().close()
        stack.enter_context(socket.create_connection(listening.getsockname()))
        taken.append(stack.enter_context(listening.accept()[0]))

    assert [entry["event"] for entry in logs] == [
        "too many connections, closing the oldest; logged once"
    ]


def test_many_clients_take_no_more_files_than_they_may(serve):
    serving = serve(OPEN_FILES=256, OWN_FILES=100)
    serving.scrape()
    serving.wait(lambda: serving.count("connection_lost") == 1)
    own = open_files(serving)
    for _ in range(200):
        serving.connect()
    assert serving.scrape() == SMALL
    serving.wait(lambda: serving.count("connection_lost") == 1 + (201 - 92) + 1)
    assert open_files(serving) <= own + 92
    assert sum("too many connections" in event for event in serving.events) == 1


def open_files(serving):
    return len(list(Path(f"/proc/{serving.process.pid}/fd").iterdir()))


def test_where_no_file_is_left_it_is_said_once_and_the_next_client_is_served(serve):
    serving = serve(OPEN_FILES=256, OWN_FILES=-10_000, ACCEPT_RETRY_DELAY=0.01)
    clients = [
        serving.stack.enter_context(socket.create_connection(("127.0.0.1", serving.port), LONG))
        for _ in range(280)
    ]
    serving.wait(lambda: any("no client can connect" in event for event in serving.events))
    for client in clients[:50]:
        client.close()
        serving.wait(lambda: serving.count("connection_lost") == clients.index(client) + 1)  # noqa: B023  # waited for at once
    assert serving.scrape() == SMALL
    assert sum("no client can connect" in event for event in serving.events) == 1
    assert [event for event in serving.events if "accept()" in event] == []


# The end


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("payload", [[], [b""], [REQUEST]], ids=["alone", "idle", "half read"])
def test_a_signal_ends_it_whatever_its_clients_do_and_what_follows_is_run(serve, number, payload):
    serving = serve(LARGE)
    for each in payload:
        serving.connect(each)
    serving.scrape()
    serving.process.send_signal(number)
    serving.wait(lambda: serving.count("stopped"))
    assert serving.process.wait(LONG) == 0
    assert [line for line in serving.events if "Traceback" in line] == []


def test_a_page_that_does_not_come_does_not_hold_up_the_end(serve):
    serving = serve(0)
    serving.connect(REQUEST)
    assert serving.end_counts()["made"] == 1


ENDED_TOO_SOON = """
import asyncio, os, signal
from exporter.web import server

async def app(scope, receive, send): ...

run = asyncio.run
asyncio.run = lambda main: (os.kill(os.getpid(), signal.{number}), run(main))
server.serve(app, [server.bind("127.0.0.1:0")])
"""


@pytest.mark.parametrize("number", ["SIGTERM", "SIGINT"])
def test_a_signal_while_it_starts_ends_it_too(number):
    script = ENDED_TOO_SOON.format(number=number)
    ended = subprocess.run(  # noqa: S603  # because the script is our own
        [sys.executable, "-c", script], capture_output=True, timeout=LONG, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_the_limit_of_open_files_is_raised_for_all_those_connections(serve):
    serving = serve()
    serving.scrape()
    serving.process.send_signal(signal.SIGTERM)
    serving.wait(lambda: serving.count("stopped"))
    assert "stopped 4096" in serving.events
