"""The exporter's server as a process, and clients for it that may behave badly."""

import http.client
import json
import os
import selectors
import socket
import ssl
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

LONG = 20.0  # seconds; what has not happened by then will not
SHORT = 0.4  # seconds; a deadline that a test waits for
SCRIPT = Path(__file__).with_name("serving.py")
REQUEST = b"GET /metrics HTTP/1.1\r\nHost: exporter\r\n\r\n"
HEALTHY = REQUEST.replace(b"metrics", b"-/healthy")
LARGE = 1_000_000  # more than all buffers on the way
SMALL = 60_000  # less than the server buffers, more than the kernel does


class Serving:
    """The process; `events` are the lines it has said so far."""

    def __init__(self, stack, size, *web_config, **constants):
        self.process = stack.enter_context(
            subprocess.Popen(  # noqa: S603  # because the script is our own
                [sys.executable, SCRIPT, json.dumps(constants), str(size), *web_config],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
        )
        stack.callback(self._end)
        self.size = size
        self.events = []
        self.stack = stack
        self._text = b""
        self._selector = stack.enter_context(selectors.DefaultSelector())
        self._selector.register(self.process.stdout, selectors.EVENT_READ)
        self.port = int(self.wait(lambda: self.events)[0].split()[1])

    def _end(self):
        """Ends the process, gently where it still can end, so that its coverage is kept."""
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(LONG)
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

    def wait_until_accepted(self, connection):
        return self.wait(lambda: f"accept {port_of(connection)}" in self.events)

    def wait_until_lost(self, connection):
        return self.wait(lambda: f"connection_lost {port_of(connection)}" in self.events)

    def connect(self, payload=b""):
        """A connection that the server has accepted, and on which `payload` was sent."""
        connection = socket.socket()
        self.stack.enter_context(connection)
        connection.settimeout(LONG)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        connection.connect(("127.0.0.1", self.port))
        self.wait_until_accepted(connection)
        connection.sendall(payload)
        return connection

    def scrape(self):
        """Asks for the page on a connection of its own; returns its length."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LONG)
        try:
            connection.request("GET", "/metrics")
            return len(connection.getresponse().read())
        finally:
            connection.close()

    def end_counts(self):
        """Ends it, which must end well; the counts that it prints at its end, by name."""
        self.process.terminate()
        self.wait(lambda: self.count("stopped"))
        assert self.process.wait(LONG) == 0
        assert [line for line in self.events if "Traceback" in line] == []
        return {word: int(number) for word, number in (line.split() for line in self.events[-3:])}


def memory_of(process):
    """Resident memory, in kB."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))


def port_of(connection):
    return connection.getsockname()[1]


def read_to_the_end(connection):
    """Everything until the server closes or resets the connection."""
    read = b""
    try:
        while piece := connection.recv(1 << 20):
            read += piece
    except (ConnectionResetError, ssl.SSLError):
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
