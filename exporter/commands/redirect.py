"""Where an authorisation sends the owner's browser to, and the code that comes with it.

RFC 6749, 4.1.2; where the address is one of this machine, RFC 8252, 7.3.
"""

import hmac
import re
import selectors
import socketserver
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler
from typing import IO, Any, Self
from urllib.parse import parse_qs, urlsplit

from exporter import NAME

_LOOPBACK = frozenset({"localhost", "127.0.0.1"})
_CODE = re.compile(r"[\x21-\x7e]{1,4096}")
# Why there may be no code (RFC 6749, 4.1.2.1). No other words are repeated: anybody may send any.
_REFUSALS: Mapping[str, str] = {
    "access_denied": "the owner did not agree",
    "invalid_request": "the server does not understand the request",
    "invalid_scope": "the server does not give this scope; check auth.scope",
    "server_error": "the server has an internal fault; try again later",
    "temporarily_unavailable": "the server is busy; try again later",
    "unauthorized_client": "this client may not ask for an authorisation",
    "unsupported_response_type": "the server gives no codes; check auth.authorize_url",
}


class AuthorizationError(Exception):
    """There will be no code; the text says why."""


class NotOursError(Exception):
    """What came does not belong to the authorisation that is waited for; the text says why."""


def code_in(query: str, state: str) -> str:
    """The code that an address brings in its query.

    Raises:
        AuthorizationError: It brings a refusal.
        NotOursError: It brings neither, or another `state` than was sent.
    """
    given = {name: values[0] for name, values in parse_qs(query).items() if len(values) == 1}
    if not hmac.compare_digest(given.get("state", "").encode(), state.encode()):
        raise NotOursError("its state is not the one of this authorisation")
    if "error" in given:
        raise AuthorizationError(
            _REFUSALS.get(given["error"], "the server refused without saying why")
        )
    if not _CODE.fullmatch(given.get("code", "")):
        raise NotOursError("there is no code in it")
    return given["code"]


def code_pasted(text: str, state: str) -> str:
    """The code in what a person pasted: the whole address, its query, or the code alone.

    Raises:
        AuthorizationError, NotOursError: As `code_in`.
    """
    text = text.strip()
    if re.search(r"://|\b(?:code|error)=", text):
        return code_in(urlsplit(text).query or text.lstrip("?"), state)
    if not _CODE.fullmatch(text):
        raise NotOursError("there is no code in it")
    return text


class Redirect:
    """Waits for the code: at the redirect's address, if it is of this machine, and for a paste.

    Args:
        uri: The address that the browser is sent to.
        state: What it brings beside the code.
        pasted: Where a person may paste it.
        report: Takes a line about why nothing listens at the address, or what came is no answer.

    Attributes:
        is_awaited: Whether somebody is at the address, so that nothing has to be pasted.
    """

    def __init__(
        self, uri: str, state: str, pasted: IO[str], report: Callable[[str], None]
    ) -> None:
        self._state = state
        self._pasted = pasted
        self._report = report
        self._code: str | None = None
        self._refusal: AuthorizationError | None = None
        self._listener = self._listen(uri)
        self.is_awaited = self._listener is not None

    def _listen(self, uri: str) -> "_Listener | None":
        parts = urlsplit(uri)
        if parts.scheme != "http" or parts.hostname not in _LOOPBACK:
            return None
        try:
            return _Listener(parts.port or 80, parts.path or "/", self._accept)
        except OSError as error:
            self._report(f"nobody can wait at {uri}: {error.strerror}")
            return None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        if self._listener is not None:
            self._listener.server_close()

    def wait(self) -> str:
        """Returns the code once it comes.

        Raises:
            AuthorizationError: There will be none.
        """
        with selectors.SelectSelector() as selector:  # which takes files as well
            if self._listener is not None:
                selector.register(self._listener, selectors.EVENT_READ, self._listener.answer)
            selector.register(self._pasted, selectors.EVENT_READ, self._read)
            while self._code is None:
                for key, _ in selector.select():
                    if not key.data():
                        selector.unregister(key.fileobj)
                if self._refusal is not None:
                    raise self._refusal
                if self._code is None and not selector.get_map():
                    raise AuthorizationError("no code was given")
        return self._code

    def _read(self) -> bool:
        """Takes a line of what is pasted; returns whether there may be another."""
        line = self._pasted.readline()
        if line.strip():
            self._accept(code_pasted, line)
        return bool(line)

    def _accept(self, code_of: Callable[[str, str], str], text: str) -> bool:
        """Takes what came; returns whether it ends the waiting."""
        try:
            self._code = code_of(text, self._state)
        except AuthorizationError as refusal:
            self._refusal = refusal
        except NotOursError as error:
            self._report(f"that is not it: {error}")
            return False
        return True


class _Listener(socketserver.TCPServer):
    """Answers a browser on this machine; the first code or refusal that comes is the last."""

    allow_reuse_address = True
    timeout = 0.0  # it is only asked to answer once somebody is there

    def __init__(
        self, port: int, path: str, accept: Callable[[Callable[[str, str], str], str], bool]
    ) -> None:
        super().__init__(("127.0.0.1", port), _RedirectHandler)
        self.path = path
        self.accept = accept

    def answer(self) -> bool:
        """Answers the waiting client; returns that there may be others."""
        self.handle_request()
        return True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Lets a browser hang up."""


class _RedirectHandler(BaseHTTPRequestHandler):
    timeout = 5  # seconds for a request: nobody else is answered meanwhile
    server: _Listener
    server_version = NAME
    sys_version = ""

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if path != self.server.path:
            self.send_error(404)
        elif self.server.accept(code_in, query):
            self._respond(200, "You can close this page: the command goes on in its terminal.")
        else:
            self._respond(400, "This does not belong to the authorisation that is waited for.")

    def _respond(self, status: int, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: Any) -> None:
        """Says nothing: the address holds the code."""
