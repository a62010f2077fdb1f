"""A process that serves one page and tells, line by line, which connections come and go.

`python serving.py '{"EXCHANGE": 0.5}' 60000` serves a page of 60 000 bytes with that constant of
`exporter.web.server` replaced. A page of 0 bytes never comes.
"""

import json
import resource
import socket
import sys
import threading

from exporter.web import server
from exporter.web.app import build


def say(*words):
    print(*words, flush=True)  # noqa: T201  # because the test reads it


def tell(event):
    """Makes the server say when this happened to a connection, by the client's port."""
    original = getattr(server.BoundedProtocol, event)

    def method(self, *arguments):
        original(self, *arguments)
        say(event, self.client[1])

    setattr(server.BoundedProtocol, event, method)


def main(constants, size):
    for name, value in json.loads(constants).items():
        assert hasattr(server, name)
        setattr(server, name, value)
    for event in ("connection_made", "connection_lost"):
        tell(event)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    page = b"x" * int(size)

    def exposition(_):
        return page or threading.Event().wait()

    with server.bind("127.0.0.1:0") as listening:
        # Small, so that little of a page vanishes into the kernel when nobody reads it.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8_192)
        say("port", listening.getsockname()[1])
        server.serve(build(exposition, lambda: 0, list, list), [listening])
    say("stopped", resource.getrlimit(resource.RLIMIT_NOFILE)[0])


if __name__ == "__main__":
    main(*sys.argv[1:])
