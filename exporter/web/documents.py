"""The project's documents as pages: those of the version that runs, under the names they have."""

from collections.abc import Mapping
from pathlib import Path

from markdown_it import MarkdownIt
from mdit_py_plugins.anchors import anchors_plugin

from exporter.web.look import Look

_DIRECTORY = Path(__file__).parent / "docs"


class Documents:
    """Renders documents; `titles` are theirs, by file name, and `headers` go with each page."""

    def __init__(self) -> None:
        self._markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
        self._markdown.use(anchors_plugin, max_level=3)  # ids as the code hosts make them
        self.titles = _titles()
        self._look = Look("document.html", known={"titles": self.titles})
        self.headers = self._look.headers

    def render(self, name: str) -> str:
        """The page of the document with this file name."""
        text = (_DIRECTORY / name).read_text("utf-8")
        return self._look.render(current=name, body=self._markdown.render(text))


def _titles() -> Mapping[str, str]:
    return {
        path.name: path.read_text("utf-8").splitlines()[0].removeprefix("# ")
        for path in sorted(_DIRECTORY.glob("*.md"))
    }
