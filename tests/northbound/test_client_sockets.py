"""The client against servers that misbehave as real ones do, over loopback."""

import gzip
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from exporter.northbound.client import Client
from exporter.northbound.errors import CallError

SHORT = 0.2
LONG = 20.0  # never reached by a client that works
ENVELOPE = b'{"success": true, "data": "here"}'
PATH = "/thirdData/getDevList"

Talk = Callable[[socket.socket], None]


class Server:
    """Accepts one connection after another and lets `talk` answer each."""

    def __init__(self, talk: Talk, context: ssl.SSLContext | None = None):
        self.requests: list[bytes] = []
        self.asked = threading.Event()
        self.stopped = threading.Event()
        self.finished = False
        self._talk = talk
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self):
        while not self.stopped.is_set():
            with suppress(OSError):
                connection, _ = self._listener.accept()
                with connection:
                    connection.settimeout(LONG)
                    self._answer(connection)

    def _answer(self, connection: socket.socket):
        if self._context is not None:
            connection = self._context.wrap_socket(connection, server_side=True)
        with connection:
            self._talk(connection)

    def read(self, connection: socket.socket) -> bytes:
        """Reads one request, head and body."""
        request = b""
        while b"\r\n\r\n" not in request:
            request += connection.recv(65536) or b"\r\n\r\n"
        head, _, body = request.partition(b"\r\n\r\n")
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                while len(body) < int(line.split(b":")[1]):
                    body += connection.recv(65536)
        self.requests.append(head + b"\r\n\r\n" + body)
        self.asked.set()
        return request

    def stop(self):
        self.stopped.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    with ExitStack() as stack:

        def start(talk: Callable[[Server, socket.socket], None], context=None) -> Server:
            server = Server(lambda connection: talk(server, connection), context)
            stack.callback(server.stop)
            return server

        yield start


def head(*lines: str, status: str = "200 OK") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode()


def answering(*lines: str, body: bytes = ENVELOPE, status: str = "200 OK"):
    def talk(server: Server, connection: socket.socket):
        server.read(connection)
        length = f"Content-Length: {len(body)}"
        connection.sendall(head(length, *lines, status=status) + body)

    return talk


def client_of(server: Server, timeout: float = LONG, scheme: str = "http", **settings) -> Client:
    return Client(
        f"{scheme}://127.0.0.1:{server.port}", "api-user", "pw", timeout=timeout, **settings
    )


def reason(client: Client) -> str:
    with pytest.raises(CallError) as caught:
        client.call(PATH, {})
    return caught.value.reason


def until_gone(connection: socket.socket):
    """Waits for the client to hang up."""
    while connection.recv(65536):
        pass


def dripping(server: Server, connection: socket.socket, answer: bytes):
    """Sends a byte well within any time-out that starts anew, for several deadlines."""
    for byte in answer:
        connection.sendall(bytes([byte]))
        server.stopped.wait(SHORT / 4)
    server.finished = True


# The deadline


def test_a_server_that_never_answers_is_a_timeout(serve):
    server = serve(lambda _, connection: until_gone(connection))
    assert reason(client_of(server, SHORT)) == "timeout"


def test_a_server_that_hangs_after_the_headers_is_a_timeout(serve):
    def talk(server, connection):
        server.read(connection)
        connection.sendall(head("Content-Length: 100"))
        until_gone(connection)

    assert reason(client_of(serve(talk), SHORT)) == "timeout"


@pytest.mark.parametrize("start", [b"", head(f"Content-Length: {len(ENVELOPE)}"), head()])
def test_a_drip_of_headers_or_body_ends_at_the_deadline(serve, start):
    def talk(server, connection):
        server.read(connection)
        connection.sendall(start)
        dripping(server, connection, ENVELOPE if start else head() + ENVELOPE)

    server = serve(talk)
    assert reason(client_of(server, SHORT)) == "timeout"
    assert not server.finished


def test_a_drip_within_the_tls_handshake_ends_at_the_deadline(serve):
    def talk(server, connection):
        dripping(server, connection, b"\x16\x03\x03\x3f\xff" + bytes(100))

    assert reason(client_of(serve(talk), SHORT, scheme="https")) == "timeout"


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
    def talk(server, connection):
        server.read(connection)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    assert reason(client_of(serve(talk))) == "connection"


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
    def talk(server, connection):
        server.read(connection)
        connection.sendall(answer)

    assert reason(client_of(serve(talk))) == "connection"


def test_a_compressed_answer_is_read(serve):
    server = serve(answering("Content-Encoding: gzip", body=gzip.compress(ENVELOPE)))
    assert client_of(server).call(PATH, {}) == "here"


@pytest.mark.parametrize("compressed", [True, False])
def test_an_endless_answer_is_too_large(serve, compressed):
    def talk(server, connection):
        server.read(connection)
        squeeze = zlib.compressobj(wbits=31) if compressed else None
        connection.sendall(head("Content-Encoding: gzip") if compressed else head())
        while not server.stopped.is_set():
            block = bytes(1 << 20)
            connection.sendall(squeeze.compress(block) if squeeze else block)

    assert reason(client_of(serve(talk))) == "too_large"


def test_two_calls_use_two_connections_though_the_server_would_keep_one(serve):
    def talk(server, connection):
        answering()(server, connection)
        until_gone(connection)

    server = serve(talk)
    client = client_of(server)
    assert [client.call(PATH, {}), client.call(PATH, {})] == ["here", "here"]
    assert len(server.requests) == 2


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
    def talk(server, connection):
        server.read(connection)
        connection.sendall(head("Location: /elsewhere", status="302 Found"))
        until_gone(connection)

    assert reason(client_of(serve(talk))) == "redirect"


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
    def talk(server, connection):
        server.read(connection)
        dripping(server, connection, b"HTTP/1.1 200 Connection established\r\n" + bytes(100))

    proxy = serve(talk)
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
    assert reason(Client("https://plant.test", "api-user", "pw", timeout=SHORT)) == "timeout"
    assert not proxy.finished


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Path:
    """A certificate for 127.0.0.1 that is its own authority, with its key."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl command to make a certificate")
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(  # noqa: S603  # because the command line is this test's own
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-keyout", folder / "key.pem", "-out", folder / "cert.pem"),
            *("-subj", "/CN=plant", "-addext", "subjectAltName=IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
    )
    return folder / "cert.pem"


@pytest.fixture
def context(certificate) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    return context


def test_a_ca_file_is_trusted_whatever_the_environment_says(
    serve, context, certificate, monkeypatch
):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
    server = serve(answering(), context)
    client = client_of(server, scheme="https", ca_file=str(certificate))
    assert client.call(PATH, {}) == "here"


def test_the_environments_bundle_is_trusted(serve, context, certificate, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    assert client_of(serve(answering(), context), scheme="https").call(PATH, {}) == "here"


def test_an_unknown_authority_is_refused(serve, context):
    server = serve(answering(), context)
    assert reason(client_of(server, scheme="https")) == "tls"
    assert server.requests == []


def test_a_certificate_for_another_host_is_refused(serve, context, certificate):
    server = serve(answering(), context)
    address = f"https://localhost:{server.port}"
    client = Client(address, "api-user", "pw", timeout=LONG, ca_file=str(certificate))
    assert reason(client) == "tls"


def test_an_owner_may_do_without_verification(serve, context):
    server = serve(answering(), context)
    assert client_of(server, scheme="https", verify=False).call(PATH, {}) == "here"


def test_a_drip_over_tls_ends_at_the_deadline(serve, context):
    def talk(server, connection):
        server.read(connection)
        dripping(server, connection, head() + ENVELOPE)

    server = serve(talk, context)
    assert reason(client_of(server, SHORT * 2, scheme="https", verify=False)) == "timeout"
    assert not server.finished


def test_tls_goes_through_a_proxy_and_the_proxy_sees_no_token(
    serve, context, certificate, monkeypatch
):
    server = serve(answering(), context)

    def tunnel(proxy, connection):
        proxy.read(connection)
        with socket.create_connection(("127.0.0.1", server.port)) as onward:
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=pump, args=(onward, connection))
            back.start()
            pump(connection, onward)
            back.join()

    proxy = serve(tunnel)
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
    client = client_of(server, scheme="https", ca_file=str(certificate))
    client.token = "secret"
    assert client.call(PATH, {}) == "here"
    assert proxy.requests[0].startswith(f"CONNECT 127.0.0.1:{server.port} ".encode())
    assert b"secret" not in proxy.requests[0]
    assert b"XSRF-TOKEN: secret" in server.requests[0]


def pump(source: socket.socket, sink: socket.socket):
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


def test_plain_http_where_tls_is_asked_for_is_a_tls_failure(serve):
    def talk(_, connection):
        connection.recv(65536)
        connection.sendall(head() + ENVELOPE)

    assert reason(client_of(serve(talk), scheme="https")) == "tls"
