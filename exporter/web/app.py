"""The routes: /, /metrics, /-/healthy, /-/ready, /-/reload; 404 elsewhere."""

import asyncio
from collections.abc import Callable, Iterable
from html import escape
from importlib.metadata import version

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from exporter.exposition.page import Format
from exporter.web.negotiation import accepts_gzip, wanted_format
from exporter.web.scrapes import Scrapes

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


def build(
    exposition: Callable[[Format], bytes],
    page_version: Callable[[], int],
    waiting: Callable[[], Iterable[str]],
    unknown_keys: Callable[[], Iterable[str]],
    reload: Callable[[], str | None] | None = None,
) -> Starlette:
    """The web application.

    `exposition` makes the page, whose `page_version` grows with new values; `waiting` says what
    readiness still waits for (nothing: ready); `unknown_keys` names what the management system
    sends and the exporter does not know. `reload` applies the configuration as it stands on disk,
    in a thread, and says in one line why it could not; without it, nobody may ask for that.
    """
    scrapes = Scrapes(exposition, page_version)
    reloading = asyncio.Lock()

    async def metrics(request: Request) -> Response:
        form = wanted_format(request.headers.get("accept", ""))
        gzip = accepts_gzip(request.headers.get("accept-encoding", ""))
        headers = {"Vary": "Accept, Accept-Encoding"} | (
            {"Content-Encoding": "gzip"} if gzip else {}
        )
        page = await scrapes.get(form, gzip=gzip)
        return PagedResponse(page, headers=headers, media_type=form.value)

    async def healthy(_: Request) -> Response:
        return PlainTextResponse("Healthy.\n")

    async def ready(_: Request) -> Response:
        reasons = list(waiting())
        if reasons:
            return PlainTextResponse(
                "Not ready.\n" + "".join(f"{reason}\n" for reason in reasons), status_code=503
            )
        return PlainTextResponse("Ready.\n")

    async def reloaded(_: Request) -> Response:
        if reload is None:
            return PlainTextResponse(
                "Reloading over HTTP is off; --web.enable-lifecycle turns it on.\n", status_code=403
            )
        if reloading.locked():
            return PlainTextResponse("A reload is under way; ask again.\n", status_code=503)
        async with reloading:
            reason = await asyncio.to_thread(reload)
        if reason is not None:
            return PlainTextResponse(f"Not reloaded: {reason}\n", status_code=500)
        return PlainTextResponse("Reloaded.\n")

    async def landing(_: Request) -> Response:
        return HTMLResponse(_landing_page(unknown_keys()))

    app = Starlette(
        routes=[
            Route("/", landing),
            Route("/metrics", metrics),
            Route("/-/healthy", healthy),
            Route("/-/ready", ready),
            Route("/-/reload", reloaded, methods=["POST", "PUT"]),
        ]
    )
    app.router.redirect_slashes = False
    return app


def _landing_page(unknown_keys: Iterable[str]) -> str:
    keys = "".join(f"<li><code>{escape(key)}</code></li>" for key in unknown_keys)
    unknown = f"<h2>Keys this version does not know</h2><ul>{keys}</ul>" if keys else ""
    return (
        "<!doctype html><html lang=en><meta charset=utf-8>"
        "<meta name=viewport content='width=device-width'>"
        "<title>fusionsolar-exporter</title>"
        "<style>:root{color-scheme:light dark}"
        "body{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem}"
        "</style>"
        f"<h1>fusionsolar-exporter {escape(version('fusionsolar-exporter'))}</h1>"
        "<p>Prometheus metrics of solar plants behind Huawei's SmartPVMS / FusionSolar "
        "northbound interface.</p>"
        "<ul><li><a href=/metrics>Metrics</a></li>"
        "<li><a href=/-/healthy>Health</a></li>"
        "<li><a href=/-/ready>Readiness</a></li></ul>"
        f"{unknown}</html>"
    )
