"""The client against servers that misbehave as real ones do, over loopback."""

import gzip
import socket
import struct
import zlib
from contextlib import ExitStack
from queue import Queue

import pytest
from northbound.raw_server import (
    ENVELOPE,
    LONG,
    PATH,
    SHORT,
    answering,
    client_of,
    head,
    read_until_closed,
    reason,
    send_slowly,
)

from exporter.northbound.client import Client
from exporter.northbound.errors import NotSentError
from exporter.northbound.transport import Deadline, DeadlineConnection

pytestmark = pytest.mark.slow

# The deadline


def test_a_server_that_never_answers_is_a_timeout(serve):
    server = serve(lambda _, connection: read_until_closed(connection))
    assert reason(client_of(server, SHORT)) == "timeout"


def test_what_is_no_longer_to_be_sent_does_not_reach_the_server(serve):
    received = Queue()
    looks = []

    def handle(_, connection):
        received.put(connection.recv(65536))

    def may_send():
        looks.append(received.empty())
        return False

    server = serve(handle)
    client = client_of(server, LONG)
    client.permit(may_send)
    with pytest.raises(NotSentError):
        client.call(PATH, {})

    assert received.get(timeout=LONG) == b""  # it was connected, and closed
    assert looks == [True]


def test_what_may_be_sent_is_asked_before_head_and_body(serve):
    looks = []
    client = client_of(serve(answering()), LONG)
    client.permit(lambda: not looks.append(1))

    assert client.call(PATH, {}) == "here"
    assert len(looks) == 2


def test_nothing_is_sent_again_by_the_system_once_it_was_given_up():
    with socket.create_server(("127.0.0.1", 0)) as listening, Deadline(2.0) as deadline:
        connection = DeadlineConnection(*listening.getsockname(), deadline=deadline)
        connection.connect()
        wait = connection.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
        connection.close()

    assert 1_000 < wait <= 2_000


def test_a_deadline_beyond_what_the_system_can_count_is_one_all_the_same(serve):
    client = client_of(serve(answering()), timeout=60 * 86_400.0)
    assert client.call(PATH, {}) == "here"


def test_a_server_that_hangs_after_the_headers_is_a_timeout(serve):
    def handle(server, connection):
        server.read(connection)
        connection.sendall(head("Content-Length: 100"))
        read_until_closed(connection)

    assert reason(client_of(serve(handle), SHORT)) == "timeout"


@pytest.mark.parametrize("start", [b"", head(f"Content-Length: {len(ENVELOPE)}"), head()])
def test_a_drip_of_headers_or_body_ends_at_the_deadline(serve, start):
    def handle(server, connection):
        server.read(connection)
        connection.sendall(start)
        send_slowly(server, connection, ENVELOPE if start else head() + ENVELOPE)

    server = serve(handle)
    assert reason(client_of(server, SHORT)) == "timeout"
    assert not server.finished


def test_a_drip_within_the_tls_handshake_ends_at_the_deadline(serve):
    def handle(server, connection):
        send_slowly(server, connection, b"\x16\x03\x03\x3f\xff" + bytes(100))

    assert reason(client_of(serve(handle), SHORT, scheme="https")) == "timeout"


def test_an_address_that_swallows_packets_leaves_time_for_the_next(serve, monkeypatch):
    server = serve(answering())
    address = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", server.port))
    swallowing = socket.create_server(("127.0.0.1", 0), backlog=0)
    with swallowing, ExitStack() as queue:
        for _ in range(4):  # a full queue of connections drops whoever comes next
            waiting = queue.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(swallowing.getsockname())
        swallowed = (*address[:4], swallowing.getsockname())
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [swallowed, address])
        client = Client("http://plant.test", "api-user", "pw", timeout=1.0)
        assert client.call(PATH, {}) == "here"


# Broken answers


def test_nobody_listening_is_a_failed_connection(serve):
    server = serve(answering())
    server.stop()
    assert reason(client_of(server)) == "connection"


def test_a_reset_is_a_failed_connection(serve):
    def handle(server, connection):
        server.read(connection)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    assert reason(client_of(serve(handle))) == "connection"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 20",
        head("Content-Length: 100") + ENVELOPE,
        head("Transfer-Encoding: chunked") + b"5\r\n{",
        head("Transfer-Encoding: chunked") + b"nonsense\r\n",
        head(*(f"X-{n}: 1" for n in range(1000))),
    ],
    ids=["nothing", "no_http", "half_line", "half_body", "half_chunk", "no_chunk", "many_headers"],
)
def test_a_broken_answer_is_a_failed_connection(serve, answer):
    def handle(server, connection):
        server.read(connection)
        connection.sendall(answer)

    assert reason(client_of(serve(handle))) == "connection"


def test_a_compressed_answer_is_read(serve):
    server = serve(answering("Content-Encoding: gzip", body=gzip.compress(ENVELOPE)))
    assert client_of(server).call(PATH, {}) == "here"


@pytest.mark.parametrize("compressed", [True, False])
def test_an_endless_answer_is_too_large(serve, compressed):
    def handle(server, connection):
        server.read(connection)
        squeeze = zlib.compressobj(wbits=31) if compressed else None
        connection.sendall(head("Content-Encoding: gzip") if compressed else head())
        while not server.stopped.is_set():
            block = bytes(1 << 20)
            connection.sendall(squeeze.compress(block) if squeeze else block)

    assert reason(client_of(serve(handle))) == "too_large"


def test_two_calls_use_two_connections_though_the_server_would_keep_one(serve):
    def handle(server, connection):
        answering()(server, connection)
        read_until_closed(connection)

    server = serve(handle)
    client = client_of(server)
    assert [client.call(PATH, {}), client.call(PATH, {})] == ["here", "here"]
    assert len(server.requests) == 2
    assert [b"\r\nConnection: close\r\n" in request for request in server.requests] == [True] * 2


# Redirects


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Again", "308 Moved"])
def test_a_redirect_to_another_host_is_never_followed(serve, status):
    other = serve(answering())
    location = f"Location: http://localhost:{other.port}/thirdData/login"
    client = client_of(serve(answering(location, status=status)))
    client.token = "secret"
    assert reason(client) == "redirect"
    assert other.requests == []


def test_the_body_of_a_redirect_is_not_read(serve):
    def handle(server, connection):
        server.read(connection)
        connection.sendall(head("Location: /elsewhere", status="302 Found"))
        read_until_closed(connection)

    assert reason(client_of(serve(handle))) == "redirect"


# Proxies


def test_a_proxy_of_the_environment_is_used(serve, monkeypatch):
    proxy = serve(answering())
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
    client = Client("http://plant.test", "api-user", "pw", timeout=LONG)
    assert client.call(PATH, {}) == "here"
    assert proxy.requests[0].startswith(b"POST http://plant.test/thirdData/getDevList HTTP/1.1")


def test_no_proxy_of_the_environment_is_honoured(serve, monkeypatch):
    proxy, server = serve(answering()), serve(answering())
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert client_of(server).call(PATH, {}) == "here"
    assert proxy.requests == []


def test_a_proxy_that_hangs_is_a_timeout(serve, monkeypatch):
    def handle(server, connection):
        server.read(connection)
        send_slowly(server, connection, b"HTTP/1.1 200 Connection established\r\n" + bytes(100))

    proxy = serve(handle)
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
    assert reason(Client("https://plant.test", "api-user", "pw", timeout=SHORT)) == "timeout"
    assert not proxy.finished
