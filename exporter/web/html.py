"""HTML pages from templates: layout, style, and the headers that say what a browser may do."""

from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from exporter import NAME

if TYPE_CHECKING:
    from jinja2 import Template

_TEMPLATES = Path(__file__).parent / "templates"


class HtmlTemplate:
    """A template that makes HTML pages; `headers` go with them.

    `script` is a file beside the template; `filters` and `variables` are what the template may use;
    `form_action` is where its forms may lead. A page is complete in itself: its style and script
    stand in it, the Content-Security-Policy names them by their hashes, and allows no others.

    The template is read when it is first used, which saves memory where no page is requested.
    One thread at a time may render.
    """

    def __init__(
        self,
        template: str,
        *,
        script: str | None = None,
        filters: Iterable[Callable[..., str]] = (),
        variables: Mapping[str, object] | None = None,
        form_action: str = "'none'",
    ) -> None:
        style = read_template("page.css")
        code = read_template(script) if script else None
        self._name = template
        self._filters = {each.__name__: each for each in filters}
        self._variables = {
            "name": NAME,
            "version": version(NAME),
            "style": style,
            "script": code,
            **(variables or {}),
        }
        self.headers: Mapping[str, str] = {
            "Cache-Control": "no-store",
            "Content-Security-Policy": "; ".join(
                (
                    "default-src 'none'",
                    f"style-src {_hash(style)}",
                    *((f"script-src {_hash(code)}", "connect-src 'self'") if code else ()),
                    "img-src data:",
                    "base-uri 'none'",
                    f"form-action {form_action}",
                    "frame-ancestors 'none'",
                )
            ),
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }

    @cached_property
    def _template(self) -> "Template":
        from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415  # as above

        environment = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters |= self._filters
        environment.globals |= self._variables
        return environment.get_template(self._name)

    def render(self, **variables: object) -> str:
        """The page as HTML."""
        return self._template.render(variables)


def read_template(name: str) -> str:
    """A file of the templates' directory."""
    return (_TEMPLATES / name).read_text("utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
