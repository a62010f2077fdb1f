"""Asks the application without a socket."""

import asyncio
from dataclasses import dataclass
from typing import Any

import httpx

GZIP = {"accept-encoding": "gzip"}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Any
    body: bytes

    @property
    def text(self):
        return self.body.decode()


class Client:
    """Asks the application without a socket; bodies are left as they were sent."""

    def __init__(self, app):
        self.app = app

    def get(self, path, headers=()):
        return self.request("GET", path, headers)

    def request(self, method, path, headers=()):
        return asyncio.run(self.ask(method, path, headers))

    async def ask(self, method, path, headers=()):
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        request = httpx.Request(method, f"http://exporter{path}", headers=headers)
        answer = await transport.handle_async_request(request)
        body = b"".join([piece async for piece in answer.stream])
        return Answer(answer.status_code, answer.headers, body)

    def messages(self, path, **more):
        """What the application hands to the server, message by message."""
        sent = []

        async def send(message):
            sent.append(message)

        async def receive():
            return {"type": "http.request"}

        scope = {"type": "http", "method": "GET", "headers": [], "query_string": b""}
        scope |= {"path": path, **more}
        asyncio.run(self.app(scope, receive, send))
        return sent
