"""The routes: /, /metrics, /docs/, /-/targets, /-/healthy, /-/ready, /-/reload; 404 elsewhere."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from exporter.exposition.page import Format, IncompleteError
from exporter.status.model import Status
from exporter.web.documents import Documents
from exporter.web.negotiation import accepts_gzip, wanted_format
from exporter.web.page_cache import MAX_PAGES, Key, PageCache, QueueFullError
from exporter.web.plants import PlantQuery, parse_query
from exporter.web.status_page import StatusPage
from exporter.web.targets import AccountLabels, list_targets, parse_accounts
from exporter.web.threads import in_daemon_thread

Endpoint = Callable[[Request], Awaitable[Response]]
Exposition = Callable[[Format, Collection[str] | None], Sequence[bytes]]

PIECE = 64 * 1024  # bytes handed to the transport at a time, so that slow readers cost no memory


class PiecewiseResponse(Response):
    """A body of known length, sent piece by piece, as fast as the client reads it."""

    def __init__(self, parts: Sequence[bytes], media_type: str, headers: Mapping[str, str]) -> None:
        length = str(sum(map(len, parts)))
        super().__init__(headers={**headers, "Content-Length": length}, media_type=media_type)
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  # ASGI
        """Sends the response."""
        start = {
            "type": "http.response.start",
            "status": self.status_code,
            "headers": self.raw_headers,
        }
        await send(start)
        for piece in _pieces(self._parts):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def _pieces(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of equal size, but for the last."""
    gathered = bytearray()
    for part in parts:
        for at in range(0, len(part), PIECE):  # or each client would have a copy of a large part
            gathered += part[at : at + PIECE]
            if len(gathered) >= PIECE:
                yield bytes(gathered[:PIECE])
                del gathered[:PIECE]
    if gathered:
        yield bytes(gathered)


def build(  # noqa: PLR0913  # an application is handed all that it shows
    exposition: Exposition,
    page_version: Callable[[], int],
    waiting: Callable[[], Iterable[str]],
    status: Callable[[], Status],
    reload: Callable[[], str | None] | None = None,
    *,
    accounts: Callable[[], AccountLabels] = dict,
    without_data: Callable[[], Iterable[str]] = tuple,
    on_error: Callable[[], None] = lambda: None,
) -> Starlette:
    """The web application.

    Args:
        exposition: Makes the page of metrics, whole or of some accounts.
        page_version: Grows when that page has new values.
        waiting: Says what readiness still waits for; nothing means ready.
        status: The state of all accounts; called from any thread.
        reload: Applies the configuration file, in a thread, and returns in one line why it could
            not; None where reloading over HTTP is off.
        accounts: The names of the accounts, and the labels that their targets are to have.
        without_data: Says which accounts have nothing to export; they are ready all the same.
        on_error: Called for each bug; the log has its traceback.
    """

    async def failed(_: Request, __: Exception) -> Response:
        on_error()
        return PlainTextResponse("Internal error; the log says more.\n", status_code=500)

    app = Starlette(
        routes=[
            Route("/", _status_page(status)),
            Route("/metrics", _metrics(exposition, page_version, accounts)),
            Route("/-/targets", _targets(accounts)),
            *_documents(),
            Route("/-/healthy", _healthy),
            Route("/-/ready", _ready(waiting, without_data)),
            Route("/-/reload", _reload(reload), methods=["POST", "PUT"]),
        ],
        exception_handlers={Exception: failed},
    )
    app.router.redirect_slashes = False
    return app


def _status_page(status: Callable[[], Status]) -> Endpoint:
    page = StatusPage(status)
    pages = PageCache[PlantQuery](lambda query: [page.render(query).encode()])

    async def respond(request: Request) -> Response:
        try:
            query = parse_query(request.scope["query_string"])
        except ValueError as error:
            return PlainTextResponse(f"{error}\n", status_code=400)
        return await _page_response(
            request, pages=pages, key=query, media_type="text/html", headers=page.headers
        )

    return respond


def _documents() -> Iterable[Route]:
    documents = Documents()
    pages = PageCache[str](lambda name: [documents.render(name).encode()])
    respond = partial(
        _page_response, pages=pages, media_type="text/html", headers=documents.headers
    )
    yield Route("/docs", _to_documents)
    for name in documents.names:
        yield Route(f"/docs/{name}", partial(respond, key=name))


async def _to_documents(_: Request) -> Response:
    # Relative, for those who come through a proxy that puts a path before ours.
    return RedirectResponse("docs/", status_code=308)


def _metrics(
    exposition: Exposition, version: Callable[[], int], accounts: Callable[[], AccountLabels]
) -> Endpoint:
    pages = PageCache[tuple[Format, frozenset[str] | None]](
        lambda key: exposition(*key),
        version,
        # All accounts may be scraped at the same moment, one by one.
        max_pages=lambda: MAX_PAGES + len(accounts()),
    )

    async def respond(request: Request) -> Response:
        form = wanted_format(request.headers.get("accept", ""))
        try:
            key = form, parse_accounts(request.query_params, accounts())
        except ValueError as error:
            return PlainTextResponse(f"{error}\n", status_code=400)
        try:
            return await _page_response(
                request, pages=pages, key=key, media_type=form.value, headers={"Vary": "Accept"}
            )
        except IncompleteError as error:
            return PlainTextResponse(f"No page yet, {error}.\n", status_code=503)

    return respond


def _targets(accounts: Callable[[], AccountLabels]) -> Endpoint:
    async def respond(request: Request) -> Response:
        return JSONResponse(list_targets(request.url, accounts()))

    return respond


async def _page_response(
    request: Request,
    *,
    pages: PageCache[Key],
    key: Key,
    media_type: str,
    headers: Mapping[str, str],
) -> Response:
    """The page of this key, compressed for those who ask."""
    gzip = accepts_gzip(request.headers.get("accept-encoding", ""))
    try:
        parts = await pages.get(key, gzip=gzip)
    except QueueFullError:
        return PlainTextResponse(
            "Too many pages are being made.\n", status_code=503, headers={"Retry-After": "1"}
        )
    response = PiecewiseResponse(parts, media_type, headers)
    response.headers.add_vary_header("Accept-Encoding")
    if gzip:
        response.headers["Content-Encoding"] = "gzip"
    return response


async def _healthy(_: Request) -> Response:
    return PlainTextResponse("Healthy.\n")


def _ready(
    waiting: Callable[[], Iterable[str]], without_data: Callable[[], Iterable[str]]
) -> Endpoint:
    async def respond(_: Request) -> Response:
        reasons = list(waiting())
        lines = ["Not ready." if reasons else "Ready.", *reasons, *without_data()]
        body = "".join(f"{line}\n" for line in lines)
        return PlainTextResponse(body, status_code=503 if reasons else 200)

    return respond


def _reload(reload: Callable[[], str | None] | None) -> Endpoint:
    under_way = asyncio.Lock()

    async def respond(_: Request) -> Response:
        if reload is None:
            return PlainTextResponse(
                "Reloading over HTTP is off; --web.enable-lifecycle turns it on.\n", status_code=403
            )
        if under_way.locked():
            return PlainTextResponse("A reload is under way; ask again.\n", status_code=503)
        async with under_way:
            reason = await in_daemon_thread(reload)
        if reason is not None:
            return PlainTextResponse(f"Not reloaded: {reason}\n", status_code=500)
        return PlainTextResponse("Reloaded.\n")

    return respond
