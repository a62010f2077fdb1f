"""The status page in a real browser: headless Chromium, with time that only it believes in."""

import re
import shutil
import subprocess
import threading
from contextlib import contextmanager
from dataclasses import replace
from types import MappingProxyType

import pytest
import uvicorn
from status.samples import FIELD, HOME, ROOF, status, with_plants
from web.status_html import HOSTILE, Text

from exporter.web import html, server
from exporter.web.access import AccessControl, AccessRules
from exporter.web.app import build

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]
BARRED = {"Content-Security-Policy": "default-src 'none'"}  # neither style nor script
WELL = with_plants(ROOF)
ILL = with_plants(replace(ROOF, health="faulty"))


@pytest.fixture(autouse=True)
def _nothing_is_kept(monkeypatch):
    """Minutes of the browser's own time pass within the second that a page is kept."""
    monkeypatch.setattr("exporter.web.page_cache.MAX_AGE", -1.0)


@contextmanager
def serving(status, headers=MappingProxyType({})):
    """The address of a page that tells this status, with the headers that somebody configured."""
    app = AccessControl(
        build(lambda *_: [b""], lambda: 0, list, status), lambda: AccessRules(headers=headers)
    )
    with server.bind("127.0.0.1:0") as listening:
        running = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, ws="none"))
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        finally:
            running.should_exit = True
            thread.join()


def load(url, profile, seconds=1):
    """The document after so many seconds of the browser's own time, and what it complained of."""
    ran = subprocess.run(  # noqa: S603  # because the browser is the one found above
        [
            CHROMIUM,
            *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
            *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
            *("--enable-logging=stderr", f"--user-data-dir={profile}"),
            *(f"--virtual-time-budget={seconds * 1_000}", "--dump-dom", url),
        ],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    return ran.stdout, re.findall(r"Content Security Policy|Uncaught", ran.stderr)


def headline(dom):
    return Text(dom).texts_of("h1")


def sequence(*accounts):
    """A status that is another each time, and at the end stays as it is; None cannot be told."""
    left = list(accounts)

    def next_status():
        account = left.pop(0) if len(left) > 1 else left[0]
        if account is None:
            raise ConnectionError
        return status(account)

    return next_status


@pytest.mark.parametrize("headers", [{}, BARRED], ids=["with script", "without script"])
def test_hostile_names_are_text(tmp_path, headers):
    plants = [replace(FIELD, code=name, name=name) for name in HOSTILE]
    account = replace(HOME, name=HOSTILE[0], plants=tuple(plants), unknown_keys=HOSTILE)
    with serving(lambda: status(account), headers) as url:
        dom, _ = load(url, tmp_path)
    page = Text(dom)
    assert page.texts_of("title") == [
        "fusionsolar-exporter: 7 critical alarms and 1 more thing need attention"
    ]
    assert page.tags.count("script") == 1
    assert "img" not in page.tags
    names = {" ".join(name.split()) for name in HOSTILE}
    assert names <= set(page.texts_of("bdi"))
    assert set(page.texts_of("code")) >= names


def test_its_own_policy_lets_its_style_and_its_script_through(tmp_path):
    with serving(lambda: status(WELL)) as url:
        dom, complaints = load(url, tmp_path)
    assert complaints == []
    assert '<span class="scripted">' in dom


def test_without_style_and_script_all_of_it_is_there(tmp_path):
    with serving(lambda: status(WELL), BARRED) as url:
        dom, complaints = load(url, tmp_path, seconds=20)
    assert set(complaints) == {"Content Security Policy"}
    assert '<span class="scripted" hidden="">' in dom
    assert headline(dom) == ["All is well"]
    assert "Haus Müller" in Text(dom).texts_of("bdi")


def test_it_renews_itself_and_leaves_its_frame_as_it_is(tmp_path):
    with serving(sequence(WELL, ILL)) as url:
        dom, complaints = load(url, tmp_path, seconds=20)
    page = Text(dom)
    assert complaints == []
    assert page.texts_of("h1") == ["1 thing needs attention"]
    assert page.texts_of("title") == ["fusionsolar-exporter: 1 thing needs attention"]
    assert page.tags.count("main") == page.tags.count("header") == 1
    assert "1 thing needs attention" in page.texts_of("p"), "the news for those who listen"


def test_it_says_when_the_exporter_does_not_answer(tmp_path):
    with serving(sequence(WELL, None)) as url:
        dom, _ = load(url, tmp_path, seconds=20)
    assert headline(dom) == ["All is well"]
    assert '<p id="stale" role="alert">' in dom


def test_it_goes_on_when_the_exporter_is_back(tmp_path):
    with serving(sequence(WELL, None, ILL)) as url:
        dom, _ = load(url, tmp_path, seconds=35)
    assert headline(dom) == ["1 thing needs attention"]
    assert '<p id="stale" role="alert" hidden="">' in dom


TYPE = """
document.getElementById("search").value = "Haus";
document.getElementById("search").focus();
setTimeout(() => {
  document.body.title = `${document.activeElement.id}: ${document.activeElement.value}`;
}, 17_000);
"""


def test_what_somebody_is_typing_stays_while_it_renews_itself(tmp_path, monkeypatch):
    original = html.read_template
    monkeypatch.setattr(
        html, "read_template", lambda name: original(name) + (TYPE if name == "status.js" else "")
    )
    many = [replace(ROOF, code=str(n)) for n in range(50)]
    accounts = (with_plants(*many), with_plants(*many, replace(ROOF, code="x", health="faulty")))
    with serving(sequence(*accounts)) as url:
        dom, complaints = load(url, tmp_path, seconds=20)
    assert complaints == []
    assert headline(dom) == ["1 thing needs attention"]
    assert '<body title="search: Haus">' in dom
