"""The project's documents as pages: those of the version that runs, under the names they have."""

from collections.abc import Mapping
from pathlib import Path

from markdown_it import MarkdownIt
from mdit_py_plugins.anchors import anchors_plugin

from exporter.web.look import Look

_DIRECTORY = Path(__file__).parent / "docs"


_INDEX = ""  # what a directory is asked for by
_TITLE = "Documentation"


class Documents:
    """Renders documents and their index; `names` are what they are asked for by, below /docs/.

    `headers` go with each page.
    """

    def __init__(self) -> None:
        self._markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
        self._markdown.use(anchors_plugin, max_level=3)  # ids as the code hosts make them
        self._titles = _titles()
        self._look = Look("document.html", known={"titles": self._titles})
        self.names = (_INDEX, *self._titles)
        self.headers = self._look.headers

    def render(self, name: str) -> str:
        """The page of the document with this name."""
        text = self._index() if name == _INDEX else (_DIRECTORY / name).read_text("utf-8")
        title = self._titles.get(name, _TITLE)
        return self._look.render(current=name, title=title, body=self._markdown.render(text))

    def _index(self) -> str:
        return f"# {_TITLE}\n\n" + "".join(
            f"- [{title}]({name})\n" for name, title in self._titles.items()
        )


def _titles() -> Mapping[str, str]:
    return {
        path.name: path.read_text("utf-8").splitlines()[0].removeprefix("# ")
        for path in sorted(_DIRECTORY.glob("*.md"))
    }
