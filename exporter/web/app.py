"""The routes: /, /metrics, /docs/, /-/healthy, /-/ready, /-/reload; 404 elsewhere."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from exporter.exposition.page import Format, IncompleteError
from exporter.status import Status
from exporter.web.documents import Documents
from exporter.web.negotiation import accepts_gzip, wanted_format
from exporter.web.query import asked_for
from exporter.web.single_flight import Key, QueueFullError, SingleFlight
from exporter.web.status import StatusPage
from exporter.web.threads import in_daemon_thread

Endpoint = Callable[[Request], Awaitable[Response]]

PIECE = 64 * 1024  # bytes handed to the transport at a time, so that slow readers cost no memory


class PagedResponse(Response):
    """A body of known length, sent piece by piece."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  # ASGI
        """Sends the body as fast as the client reads it."""
        await send(
            {
                "type": "http.response.start",
                "status": self.status_code,
                "headers": self.raw_headers,
            }
        )
        for start in range(0, len(self.body), PIECE):
            await send(
                {
                    "type": "http.response.body",
                    "body": bytes(self.body[start : start + PIECE]),
                    "more_body": True,
                }
            )
        await send({"type": "http.response.body", "body": b""})


def build(  # noqa: PLR0913  # an application is handed all that it shows
    exposition: Callable[[Format], bytes],
    page_version: Callable[[], int],
    waiting: Callable[[], Iterable[str]],
    status: Callable[[], Status],
    reload: Callable[[], str | None] | None = None,
    *,
    lacks: Callable[[], Iterable[str]] = tuple,
    on_error: Callable[[], None] = lambda: None,
) -> Starlette:
    """The web application.

    `exposition` makes the page, whose `page_version` grows with new values; `waiting` says what
    readiness still waits for (nothing: ready); `status` tells how the accounts fare, to any thread.
    `reload` applies the configuration as it stands on disk, in a thread, and says in one line why
    it could not; without it, nobody may ask for that. `lacks` says who has nothing to export, which
    is no reason not to be ready. `on_error` is told of each bug; the log has its traceback.
    """

    async def failed(_: Request, __: Exception) -> Response:
        on_error()
        return PlainTextResponse("Internal error; the log says more.\n", status_code=500)

    app = Starlette(
        routes=[
            Route("/", _landing(status)),
            Route("/metrics", _metrics(exposition, page_version)),
            *_documents(),
            Route("/-/healthy", _healthy),
            Route("/-/ready", _ready(waiting, lacks)),
            Route("/-/reload", _reload(reload), methods=["POST", "PUT"]),
        ],
        exception_handlers={Exception: failed},
    )
    app.router.redirect_slashes = False
    return app


def _landing(status: Callable[[], Status]) -> Endpoint:
    html = StatusPage(status)
    pages = _html(html.render)

    async def landing(request: Request) -> Response:
        try:
            query = asked_for(request.scope["query_string"])
        except ValueError as error:
            return PlainTextResponse(f"{error}\n", status_code=400)
        return await _answer(
            request, pages=pages, key=query, media_type="text/html", headers=html.headers
        )

    return landing


def _documents() -> Iterable[Route]:
    documents = Documents()
    pages = _html(documents.render)
    answer = partial(_answer, pages=pages, media_type="text/html", headers=documents.headers)
    yield Route("/docs", _to_documents)
    for name in documents.names:
        yield Route(f"/docs/{name}", partial(answer, key=name))


async def _to_documents(_: Request) -> Response:
    # Relative, for those who come through a proxy that puts a path before ours.
    return RedirectResponse("docs/", status_code=308)


def _html(render: Callable[[Key], str]) -> SingleFlight[Key]:
    return SingleFlight(lambda key: render(key).encode())


def _metrics(exposition: Callable[[Format], bytes], version: Callable[[], int]) -> Endpoint:
    pages = SingleFlight(exposition, version)

    async def metrics(request: Request) -> Response:
        form = wanted_format(request.headers.get("accept", ""))
        try:
            return await _answer(
                request, pages=pages, key=form, media_type=form.value, headers={"Vary": "Accept"}
            )
        except IncompleteError as error:
            return PlainTextResponse(f"No page yet, {error}.\n", status_code=503)

    return metrics


async def _answer(
    request: Request,
    *,
    pages: SingleFlight[Key],
    key: Key,
    media_type: str,
    headers: Mapping[str, str],
) -> Response:
    """The page of this key, compressed for those who ask."""
    gzip = accepts_gzip(request.headers.get("accept-encoding", ""))
    try:
        body = await pages.get(key, gzip=gzip)
    except QueueFullError:
        return PlainTextResponse(
            "Too many pages are being made.\n", status_code=503, headers={"Retry-After": "1"}
        )
    answer = PagedResponse(body, headers=headers, media_type=media_type)
    answer.headers.add_vary_header("Accept-Encoding")
    if gzip:
        answer.headers["Content-Encoding"] = "gzip"
    return answer


async def _healthy(_: Request) -> Response:
    return PlainTextResponse("Healthy.\n")


def _ready(waiting: Callable[[], Iterable[str]], lacks: Callable[[], Iterable[str]]) -> Endpoint:
    async def ready(_: Request) -> Response:
        reasons = list(waiting())
        said = ["Not ready." if reasons else "Ready.", *reasons, *lacks()]
        body = "".join(f"{line}\n" for line in said)
        return PlainTextResponse(body, status_code=503 if reasons else 200)

    return ready


def _reload(reload: Callable[[], str | None] | None) -> Endpoint:
    under_way = asyncio.Lock()

    async def reloaded(_: Request) -> Response:
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

    return reloaded
