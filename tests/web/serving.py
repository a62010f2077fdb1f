"""A process that serves one page and tells, line by line, which connections come and go.

`python serving.py '{"EXCHANGE_TIMEOUT": 0.5}' 60000 web.yaml` serves a page of 60 000 bytes with
that constant replaced in whichever module it stands, as the web configuration says, if there is
one. A page of 0 bytes never comes. At the end it says the greatest memory it had, in kB, and how
often it made the page.
"""

import asyncio
import json
import resource
import socket
import sys
import threading
from pathlib import Path

from exporter.web import server, tls
from exporter.web.app import build


def print_event(*words):
    print(*words, flush=True)  # noqa: T201  # because the test reads it


def report(event):
    """Makes the server say when this happened to a connection, by the client's port."""
    original = getattr(server.BoundedProtocol, event)

    def method(self, *arguments):
        original(self, *arguments)
        print_event(event, self.connection.get_extra_info("peername")[1])

    setattr(server.BoundedProtocol, event, method)


def main(constants, size, web_config=None):
    modules = [server, tls, asyncio.constants]
    rules = None
    if web_config:
        from exporter.config import web  # noqa: PLC0415  # because most do without, and sooner

        modules.append(web)
        rules = web.WebConfig(Path(web_config)).current
    for name, value in json.loads(constants).items():
        (home,) = (module for module in modules if hasattr(module, name))
        setattr(home, name, value)
    for event in ("accept", "connection_lost"):
        report(event)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    page = b"x" * int(size)
    made = 0

    def exposition(*_):
        nonlocal made
        made += 1
        return [page] if page else threading.Event().wait()

    with server.bind("127.0.0.1:0") as listening:
        # Small, so that little of a page vanishes into the kernel when nobody reads it.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8_192)
        print_event("port", listening.getsockname()[1])
        server.serve(build(exposition, lambda: 0, list, list), [listening], rules)
    print_event("peak", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    print_event("made", made)
    print_event("stopped", resource.getrlimit(resource.RLIMIT_NOFILE)[0])


if __name__ == "__main__":
    main(*sys.argv[1:])
