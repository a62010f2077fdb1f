"""TLS on a connection, with the certificate that holds when the client comes."""

import asyncio
from asyncio.sslproto import SSLProtocol
from collections.abc import Iterator
from ipaddress import ip_address
from ssl import SSLContext
from typing import Protocol

HANDSHAKE = 10  # seconds


class Guarded(Protocol):
    """A protocol that knows of its connection before the handshake, too."""

    def accept(self, transport: asyncio.Transport) -> None:
        """The connection is there, not yet to be spoken on."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        """The handshake is done."""

    def data_received(self, data: bytes) -> None:
        """Something was said."""

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""


class SecureProtocol(SSLProtocol):
    """Encrypts a connection, and hides nothing of it from the protocol inside.

    asyncio would do so for a whole listening socket: with one context for good, with 256 kB for
    each connection, and without a word of those that never finish their handshake.
    """

    max_size = 16 * 1024  # bytes read at a time: a TLS record

    def __init__(
        self, inner: Guarded, context: SSLContext, loop: asyncio.AbstractEventLoop
    ) -> None:
        super().__init__(
            loop,
            inner,  # type: ignore[arg-type]  # because it is an asyncio.Protocol by its methods
            context,
            waiter=None,  # type: ignore[arg-type]  # because nobody waits, as in asyncio's own use
            server_side=True,
            ssl_handshake_timeout=HANDSHAKE,
        )
        self._inner = inner

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn declares it
        """Begins the handshake."""
        self._inner.accept(transport)
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Lets a connection go, also one whose handshake was never done."""
        is_secured = self._get_extra_info("ssl_object") is not None
        super().connection_lost(exc)
        if not is_secured:
            self._inner.connection_lost(None)


def names_of(transport: asyncio.Transport) -> Iterator[str]:
    """The alternative names in the verified certificate of a client, as Go writes them."""
    certificate = transport.get_extra_info("peercert") or {}
    for kind, name in certificate.get("subjectAltName", ()):
        yield str(ip_address(name)) if kind == "IP Address" else name
