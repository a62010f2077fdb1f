"""A server of which a test says every byte, over loopback."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest

from exporter.northbound.client import Client
from exporter.northbound.errors import CallError

SHORT = 0.2
LONG = 20.0  # never reached by a client that works
ENVELOPE = b'{"success": true, "data": "here"}'
PATH = "/thirdData/getDevList"

Handler = Callable[[socket.socket], None]


class Server:
    """Accepts one connection after another and lets `handle` answer each."""

    def __init__(self, handle: Handler, context: ssl.SSLContext | None = None):
        self.requests: list[bytes] = []
        self.asked = threading.Event()
        self.stopped = threading.Event()
        self.finished = False
        self._handle = handle
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
            self._handle(connection)

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


@contextmanager
def serving() -> Iterator[Callable[..., Server]]:
    """Starts servers whose `handle` is also given the server, and stops them all."""
    with ExitStack() as stack:

        def start(handle: Callable[[Server, socket.socket], None], context=None) -> Server:
            server = Server(lambda connection: handle(server, connection), context)
            stack.callback(server.stop)
            return server

        yield start


def head(*lines: str, status: str = "200 OK") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode()


def answering(*lines: str, body: bytes = ENVELOPE, status: str = "200 OK"):
    def handle(server: Server, connection: socket.socket):
        server.read(connection)
        length = f"Content-Length: {len(body)}"
        connection.sendall(head(length, *lines, status=status) + body)

    return handle


def client_of(server: Server, timeout: float = LONG, scheme: str = "http", **settings) -> Client:
    return Client(
        f"{scheme}://127.0.0.1:{server.port}", "api-user", "pw", timeout=timeout, **settings
    )


def reason(client: Client) -> str:
    with pytest.raises(CallError) as caught:
        client.call(PATH, {})
    return caught.value.reason


def read_until_closed(connection: socket.socket):
    """Waits for the client to hang up."""
    while connection.recv(65536):
        pass


def send_slowly(server: Server, connection: socket.socket, answer: bytes):
    """Sends a byte well within any time-out that starts anew, for several deadlines."""
    for byte in answer:
        connection.sendall(bytes([byte]))
        server.stopped.wait(SHORT / 4)
    server.finished = True
