"""A server that takes samples, and answers as it is told."""

from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import cramjam

from exporter.history.targets.remote_write import _write_request


class Receiver:
    """What a server was sent, and what it answers: status, headers, text, one after the other."""

    def __init__(self):
        self.requests = []
        self.answers = []

    def take(self, handler):
        length = int(handler.headers["Content-Length"])
        body = handler.rfile.read(length)
        if len(body) < length:
            return  # whoever sends it was ended in the midst of it
        self.requests.append((dict(handler.headers), body))
        status, headers, text = self.answers.pop(0) if self.answers else (204, {}, "")
        handler.send_response_only(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(text.encode())))
        handler.end_headers()
        handler.wfile.write(text.encode())


@contextmanager
def served():
    made = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            made.take(self)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever)
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_address[1]}/api/v1/write"
    try:
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def decoded(body):
    request = _write_request()()
    request.ParseFromString(bytes(cramjam.snappy.decompress_raw(body)))
    return [
        (
            {each.name: each.value for each in series.labels},
            [(each.timestamp, each.value) for each in series.samples],
        )
        for series in request.timeseries
    ]
