"""The routes: /, /metrics, /docs/…, /-/healthy, /-/ready, /-/reload; 404 elsewhere."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import Future
from functools import partial

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from exporter.exposition.page import Format
from exporter.status import Status
from exporter.web.documents import Documents
from exporter.web.negotiation import accepts_gzip, wanted_format
from exporter.web.single_flight import SingleFlight
from exporter.web.status import StatusPage

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


async def _in_daemon_thread(work: Callable[[], str | None]) -> str | None:
    """Awaits what may hang; unlike asyncio's own threads, this one does not hold up the exit.

    Raises whatever the work raises.
    """
    done: Future[str | None] = Future()
    done.set_running_or_notify_cancel()  # one who leaves does not end the work

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:  # noqa: BLE001  # because the one who waits must hear of it
            done.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return await asyncio.wrap_future(done)


def build(
    exposition: Callable[[Format], bytes],
    page_version: Callable[[], int],
    waiting: Callable[[], Iterable[str]],
    status: Callable[[], Status],
    reload: Callable[[], str | None] | None = None,
) -> Starlette:
    """The web application.

    `exposition` makes the page, whose `page_version` grows with new values; `waiting` says what
    readiness still waits for (nothing: ready); `status` tells how the accounts fare, to any thread.
    `reload` applies the configuration as it stands on disk, in a thread, and says in one line why
    it could not; without it, nobody may ask for that.
    """
    app = Starlette(
        routes=[
            Route("/", _landing(status)),
            Route("/metrics", _metrics(exposition, page_version)),
            *_documents(),
            Route("/-/healthy", _healthy),
            Route("/-/ready", _ready(waiting)),
            Route("/-/reload", _reload(reload), methods=["POST", "PUT"]),
        ]
    )
    app.router.redirect_slashes = False
    return app


def _landing(status: Callable[[], Status]) -> Endpoint:
    html = StatusPage()
    return _html(lambda: html.render(status()), html.headers)


def _documents() -> Iterable[Route]:
    documents = Documents()
    for name in documents.titles:
        yield Route(f"/docs/{name}", _html(partial(documents.render, name), documents.headers))


def _html(render: Callable[[], str], headers: Mapping[str, str]) -> Endpoint:
    page = SingleFlight(lambda: render().encode())
    headers = {**headers, "Vary": "Accept-Encoding"}

    async def html(request: Request) -> Response:
        return await _answer(request, page, "text/html", headers)

    return html


def _metrics(exposition: Callable[[Format], bytes], version: Callable[[], int]) -> Endpoint:
    headers = {"Vary": "Accept, Accept-Encoding"}
    pages = {form: SingleFlight(partial(exposition, form), version) for form in Format}

    async def metrics(request: Request) -> Response:
        form = wanted_format(request.headers.get("accept", ""))
        return await _answer(request, pages[form], form.value, headers)

    return metrics


async def _answer(
    request: Request, page: SingleFlight, media_type: str, headers: Mapping[str, str]
) -> Response:
    """The page, compressed for those who ask."""
    gzip = accepts_gzip(request.headers.get("accept-encoding", ""))
    coding = {"Content-Encoding": "gzip"} if gzip else {}
    body = await page.get(gzip=gzip)
    return PagedResponse(body, headers={**headers, **coding}, media_type=media_type)


async def _healthy(_: Request) -> Response:
    return PlainTextResponse("Healthy.\n")


def _ready(waiting: Callable[[], Iterable[str]]) -> Endpoint:
    async def ready(_: Request) -> Response:
        reasons = list(waiting())
        if reasons:
            return PlainTextResponse(
                "Not ready.\n" + "".join(f"{reason}\n" for reason in reasons), status_code=503
            )
        return PlainTextResponse("Ready.\n")

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
            reason = await _in_daemon_thread(reload)
        if reason is not None:
            return PlainTextResponse(f"Not reloaded: {reason}\n", status_code=500)
        return PlainTextResponse("Reloaded.\n")

    return reloaded
