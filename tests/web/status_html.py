"""The status page as its readers get it."""

from html.parser import HTMLParser
from itertools import count

from status.samples import status
from web.asgi_client import Client

from exporter.web.app import build
from exporter.web.plants import PlantQuery
from exporter.web.status_page import StatusPage

HOSTILE = (
    "<script>document.title='taken'</script>",
    "<img src=x onerror=\"document.title='taken'\">",
    "</title></style></main></bdi><h1>gone",
    "\"' onmouseover=alert(1) x='\" {{ 7*7 }} {% raw %} &lt;b&gt; &amp;",
    "javascript:alert(1)",
    "\N{RIGHT-TO-LEFT OVERRIDE}txt.exe",
    "x" * 512,
)


class Text(HTMLParser):
    """What a reader without style or script gets: elements, and text by the element around it."""

    VOID = frozenset({"meta", "link", "input"})

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.texts, self._open = [], [], [], []
        self.feed(html)
        assert self._open == [], "an element is not closed"

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if self._open and self._open[-1] not in {"style", "script"}:
            self.texts.append((self._open[-1], " ".join(data.split())))

    def texts_of(self, tag):
        return [text for inside, text in self.texts if inside == tag and text]

    @property
    def all(self):
        return " ".join(text for _, text in self.texts if text)


# One page, as its template is costly to compile; to it, minutes pass from one look to the next.
_shown = []
_PAGE = StatusPage(lambda: status(*_shown), count(step=60).__next__)


def render(*accounts, **query):
    _shown[:] = accounts
    return _PAGE.render(PlantQuery(**query))


def read(*accounts, **query):
    return Text(render(*accounts, **query))


def client(*accounts):
    return Client(build(lambda *_: [b""], lambda: 0, list, lambda: status(*accounts)))
