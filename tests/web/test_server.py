"""The server over real sockets: no client, however slow or numerous, keeps another waiting."""

import http.client
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

LONG = 20.0  # seconds; what has not happened by then will not
SHORT = 0.4  # seconds; a deadline that a test waits for
SCRIPT = Path(__file__).with_name("serving.py")
REQUEST = b"GET /metrics HTTP/1.1\r\nHost: exporter\r\n\r\n"
HEALTHY = REQUEST.replace(b"metrics", b"-/healthy")
LARGE = 1_000_000  # more than all buffers on the way
SMALL = 60_000  # less than the server buffers, more than the kernel does


class Serving:
    """The process; `events` are the lines it has said so far."""

    def __init__(self, stack, size, **constants):
        self.process = stack.enter_context(
            subprocess.Popen(  # noqa: S603  # because the script is our own
                [sys.executable, SCRIPT, json.dumps(constants), str(size)],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
        )
        stack.callback(self._end)
        self.size = size
        self.events = []
        self._stack = stack
        self._text = b""
        self._selector = stack.enter_context(selectors.DefaultSelector())
        self._selector.register(self.process.stdout, selectors.EVENT_READ)
        self.port = int(self.wait(lambda: self.events)[0].split()[1])

    def _end(self):
        """Ends the process, gently where it still can end, so that its coverage is kept."""
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(LONG if self.size else 0.0)
        self.process.kill()

    def wait(self, condition):
        """Reads what the process says until a condition holds; returns what that said."""
        end = time.monotonic() + LONG
        while not condition():
            ready = self._selector.select(max(0.0, end - time.monotonic()))
            assert ready, f"it did not come to pass: {self.events}"
            piece = os.read(self.process.stdout.fileno(), 65_536)
            assert piece, f"it ended: {self.events}"
            *lines, self._text = (self._text + piece).split(b"\n")
            self.events += [line.decode() for line in lines]
        return condition()

    def count(self, event):
        return sum(each.startswith(event) for each in self.events)

    def made(self, connection):
        return self.wait(lambda: f"connection_made {port_of(connection)}" in self.events)

    def lost(self, connection):
        return self.wait(lambda: f"connection_lost {port_of(connection)}" in self.events)

    def connect(self, said=b""):
        """A connection that the server has noticed, and on which this was said."""
        connection = socket.socket()
        self._stack.enter_context(connection)
        connection.settimeout(LONG)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        connection.connect(("127.0.0.1", self.port))
        self.made(connection)
        connection.sendall(said)
        return connection

    def scrape(self):
        """Asks for the page on a connection of its own; returns its length."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LONG)
        try:
            connection.request("GET", "/metrics")
            return len(connection.getresponse().read())
        finally:
            connection.close()


def port_of(connection):
    return connection.getsockname()[1]


def read_to_the_end(connection):
    """Everything until the server closes or resets the connection."""
    read = b""
    try:
        while piece := connection.recv(1 << 20):
            read += piece
    except ConnectionResetError:
        pass
    return read


def answers_of(connection, count):
    """Status and length of so many answers, read from one connection."""
    with connection.makefile("rb") as stream:
        return [answer_in(stream) for _ in range(count)]


def answer_in(stream):
    status = int(stream.readline().split()[1])
    headers = dict(line.split(b": ") for line in iter(stream.readline, b"\r\n"))
    return status, len(stream.read(int(headers[b"content-length"])))


@pytest.fixture
def serve():
    with ExitStack() as stack:
        yield lambda size=SMALL, **constants: Serving(stack, size, **constants)


# Served


def test_many_clients_are_served_at_once(serve):
    serving = serve()
    connections = [serving.connect() for _ in range(100)]
    for connection in connections:
        connection.sendall(REQUEST)
    assert [answers_of(connection, 1) for connection in connections] == [[(200, SMALL)]] * 100


def test_one_connection_serves_many_requests_head_included(serve):
    serving = serve()
    connection = http.client.HTTPConnection("127.0.0.1", serving.port, timeout=LONG)
    ports = set()
    for method, length in [("GET", SMALL), ("HEAD", 0), ("GET", SMALL)] * 3:
        connection.request(method, "/metrics")
        ports.add(port_of(connection.sock))
        answer = connection.getresponse()
        assert answer.headers["Content-Length"] == str(SMALL)
        assert (answer.status, len(answer.read())) == (200, length)
    connection.close()
    assert len(ports) == 1


def test_requests_may_be_sent_before_the_answers_are_read(serve):
    connection = serve().connect(REQUEST * 5)
    assert answers_of(connection, 5) == [(200, SMALL)] * 5


def test_a_large_page_arrives_whole(serve):
    serving = serve(LARGE)
    assert serving.scrape() == LARGE


def test_what_is_no_http_is_refused_and_hung_up_on(serve):
    serving = serve()
    connection = serving.connect(b"\x16\x03\x01 hello\r\n\r\n")
    assert read_to_the_end(connection).startswith(b"HTTP/1.1 400 ")
    assert serving.scrape() == SMALL


# Deadlines


@pytest.mark.parametrize("said", [b"", b"GET /metrics HT", REQUEST[:-2]])
def test_a_client_that_does_not_finish_its_request_is_hung_up_on(serve, said):
    serving = serve(EXCHANGE=SHORT)
    connection = serving.connect(said)
    assert read_to_the_end(connection) == b""
    assert serving.scrape() == SMALL


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_a_client_that_does_not_read_its_answer_is_hung_up_on(serve, size):
    serving = serve(size, EXCHANGE=SHORT)
    connection = serving.connect(REQUEST)
    serving.lost(connection)
    assert len(read_to_the_end(connection)) < size
    if size == SMALL:
        assert serving.scrape() == size


def test_a_client_that_asks_on_without_reading_is_hung_up_on(serve):
    serving = serve(EXCHANGE=SHORT)
    connection = serving.connect(REQUEST * 5)
    serving.lost(connection)
    assert len(read_to_the_end(connection)) < 5 * SMALL


@pytest.mark.parametrize("before", [b"", HEALTHY], ids=["alone", "sent with another"])
def test_an_answer_that_does_not_come_ends_with_its_exchange(serve, before):
    connection = serve(0, EXCHANGE=SHORT).connect(before + REQUEST)
    assert read_to_the_end(connection).count(b"HTTP/1.1 200 OK") == before.count(b"GET")


def test_a_second_request_has_its_own_deadline(serve):
    serving = serve(EXCHANGE=SHORT)
    connection = serving.connect(REQUEST)
    assert answers_of(connection, 1) == [(200, SMALL)]
    connection.sendall(REQUEST[:-2])
    assert read_to_the_end(connection) == b""


def test_an_idle_connection_outlives_the_deadline_of_its_last_request(serve):
    serving = serve(EXCHANGE=SHORT)
    connection = serving.connect(REQUEST)
    assert answers_of(connection, 1) == [(200, SMALL)]
    serving.lost(serving.connect())  # later made: by now the other's deadline has passed
    connection.sendall(REQUEST)
    assert answers_of(connection, 1) == [(200, SMALL)]


def test_slow_clients_do_not_keep_others_from_the_page(serve):
    serving = serve(LARGE)
    slow = [serving.connect(said) for said in [b"", REQUEST[:9], REQUEST] for _ in range(10)]
    assert serving.scrape() == LARGE
    assert not [each for each in slow if f"connection_lost {port_of(each)}" in serving.events]


# Too many connections


def test_the_oldest_idle_connection_makes_room(serve):
    serving = serve(CONNECTIONS=5)
    connections = [serving.connect() for _ in range(5)]
    newcomer = serving.connect(REQUEST)
    assert answers_of(newcomer, 1) == [(200, SMALL)]
    assert read_to_the_end(connections[0]) == b""
    for connection in connections[1:]:
        connection.sendall(REQUEST)
        assert answers_of(connection, 1) == [(200, SMALL)]


def test_a_crowd_that_comes_at_once_does_not_exceed_the_limit(serve):
    serving = serve(CONNECTIONS=5)
    serving.process.send_signal(signal.SIGSTOP)
    with ExitStack() as stack:
        crowd = [
            stack.enter_context(socket.create_connection(("127.0.0.1", serving.port), LONG))
            for _ in range(40)
        ]
        serving.process.send_signal(signal.SIGCONT)
        serving.wait(lambda: serving.count("connection_lost") == 35)
        assert serving.count("connection_made") == 40
        lost = {int(event.split()[1]) for event in serving.events if "lost" in event}
        left = [connection for connection in crowd if port_of(connection) not in lost]
        for connection in left:
            connection.sendall(REQUEST)
        assert [answers_of(connection, 1) for connection in left] == [[(200, SMALL)]] * 5


def test_a_connection_that_is_being_answered_is_not_given_up_for_another(serve):
    serving = serve(LARGE, CONNECTIONS=2)
    busy = serving.connect(REQUEST)
    assert busy.recv(15, socket.MSG_PEEK) == b"HTTP/1.1 200 OK"
    idle = serving.connect()
    for _ in range(3):
        newcomer = serving.connect()
        serving.lost(idle)
        idle = newcomer
    assert answers_of(busy, 1) == [(200, LARGE)]


def test_where_all_are_being_answered_the_newcomer_has_to_go(serve):
    serving = serve(LARGE, CONNECTIONS=2)
    busy = [serving.connect(REQUEST) for _ in range(2)]
    assert [each.recv(15, socket.MSG_PEEK) for each in busy] == [b"HTTP/1.1 200 OK"] * 2
    assert read_to_the_end(serving.connect()) == b""
    assert [answers_of(each, 1) for each in busy] == [[(200, LARGE)]] * 2


# The end


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("said", [[], [b""], [REQUEST]], ids=["alone", "idle", "half read"])
def test_a_signal_ends_it_whatever_its_clients_do_and_what_follows_is_run(serve, number, said):
    serving = serve(LARGE)
    for each in said:
        serving.connect(each)
    serving.scrape()
    serving.process.send_signal(number)
    serving.wait(lambda: serving.count("stopped"))
    assert serving.process.wait(LONG) == 0
    assert [line for line in serving.events if "Traceback" in line] == []


def test_the_limit_of_open_files_is_raised_for_all_those_connections(serve):
    serving = serve()
    serving.scrape()
    serving.process.send_signal(signal.SIGTERM)
    serving.wait(lambda: serving.count("stopped"))
    assert "stopped 4096" in serving.events
