"""TLS for each connection, with the certificate that is in force when it begins."""

import asyncio
from asyncio.sslproto import SSLProtocol
from collections.abc import Iterator
from ipaddress import ip_address
from ssl import SSLContext
from typing import Protocol

HANDSHAKE_TIMEOUT = 10  # seconds


class InnerProtocol(Protocol):
    """An asyncio protocol that also learns of its connection before the handshake."""

    def accept(self, transport: asyncio.Transport) -> None:
        """The connection is there, its handshake not yet done."""

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, whether its handshake was done or not."""


class TlsProtocol(SSLProtocol):
    """TLS for one connection, whose inner protocol hears of everything.

    asyncio's TLS is for a whole listening socket: with one context for good, with 256 kB for each
    connection, and without a word of those that never finish their handshake.
    """

    max_size = 16 * 1024  # bytes read at a time: a TLS record

    def __init__(
        self, inner: InnerProtocol, context: SSLContext, loop: asyncio.AbstractEventLoop
    ) -> None:
        super().__init__(
            loop,
            inner,  # type: ignore[arg-type]  # because it is an asyncio.Protocol by its methods
            context,
            waiter=None,  # type: ignore[arg-type]  # because nobody waits, as in asyncio's own use
            server_side=True,
            ssl_handshake_timeout=HANDSHAKE_TIMEOUT,
        )
        self._inner = inner

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn declares it
        """Begins the handshake."""
        self._inner.accept(transport)
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Ends the connection, also one whose handshake was never done."""
        is_secured = self._get_extra_info("ssl_object") is not None
        super().connection_lost(exc)
        if not is_secured:
            self._inner.connection_lost(None)


def certificate_names(transport: asyncio.Transport) -> Iterator[str]:
    """The alternative names in the verified certificate of a client, spelt as in Go."""
    certificate = transport.get_extra_info("peercert") or {}
    for kind, name in certificate.get("subjectAltName", ()):
        yield str(ip_address(name)) if kind == "IP Address" else name
