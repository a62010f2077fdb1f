"""The project's documents as pages below /docs/, under the names of their files."""

from functools import cached_property
from typing import TYPE_CHECKING

from exporter.package_data import KINDS
from exporter.web.html import HtmlTemplate

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

_INDEX = ""  # the name of the directory's own page
_TITLE = "Documentation"


class Documents:
    """Renders documents and their index by `names`; `headers` go with each page.

    One thread at a time may render.
    """

    def __init__(self) -> None:
        self._paths = {path.name: path for _, path in KINDS["docs"].files()}
        self._titles = {
            name: path.read_text("utf-8").splitlines()[0].removeprefix("# ")
            for name, path in self._paths.items()
        }
        self._template = HtmlTemplate("document.html", variables={"titles": self._titles})
        self.names = (_INDEX, *self._titles)
        self.headers = self._template.headers

    @cached_property
    def _markdown(self) -> "MarkdownIt":
        from markdown_it import MarkdownIt  # noqa: PLC0415  # takes memory that few need
        from mdit_py_plugins.anchors import anchors_plugin  # noqa: PLC0415  # likewise

        markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
        return markdown.use(anchors_plugin, max_level=3)  # ids as the code hosts make them

    def render(self, name: str) -> str:
        """The page of the document with this name."""
        text = self._index() if name == _INDEX else self._paths[name].read_text("utf-8")
        title = self._titles.get(name, _TITLE)
        return self._template.render(current=name, title=title, body=self._markdown.render(text))

    def _index(self) -> str:
        links = (f"- [{title}]({name})\n" for name, title in self._titles.items())
        return f"# {_TITLE}\n\n{''.join(links)}"
