"""The documents as pages: all of them, and every link to them or from them leads somewhere."""

import re
from functools import cache
from pathlib import Path
from posixpath import join, normpath

import pytest
from prometheus.promtool import ALL_RULES
from web.status_html import Text, client

ROOT = Path(__file__).parents[2]
NAMES = sorted(path.name for path in (ROOT / "docs").glob("*.md"))


@cache  # as each is looked at for every link to it
def get(path):
    return client().get(path)


def read(name):
    return Text(get(f"/docs/{name}").text)


@pytest.mark.parametrize("name", NAMES)
def test_a_document_is_a_page(name):
    source = (ROOT / "docs" / name).read_text("utf-8")
    answer = get(f"/docs/{name}")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    page = Text(answer.text)
    (title,) = re.findall(
        r"^# (.+)$", re.sub(r"```.*?```", "", source, flags=re.DOTALL), re.MULTILINE
    )
    assert page.texts_of("h1") == [title]
    assert page.texts_of("title") == [f"fusionsolar-exporter: {title}"]
    assert [name for tag, key, name in page.attributes if key == "aria-current"] == ["page"]
    assert page.tags.count("pre") == len(re.findall(r"^ *```", source, re.MULTILINE)) // 2
    assert "table" in page.tags or "|" not in source


@pytest.mark.parametrize("name", NAMES)
def test_its_links_lead_somewhere(name):
    for _, _, link in (each for each in read(name).attributes if each[1] == "href"):
        if link.startswith(("#", "data:")):
            continue
        path, _, place = normpath(join("/docs", link)).partition("#")
        answer = get(path)
        assert answer.status == 200, link
        if place:
            assert f'id="{place}"' in answer.text, link


def test_every_alert_leads_to_its_runbook():
    links = [rule["annotations"]["runbook_url"] for rule in ALL_RULES if "alert" in rule]
    pages = {link.partition("#")[0] for link in links}
    assert pages == {"docs/alerts.md"}
    places = {value for _, key, value in read("alerts.md").attributes if key == "id"}
    assert {link.partition("#")[2] for link in links} <= places


def test_nothing_can_run_on_it():
    answer = get("/docs/alerts.md")
    assert answer.headers["cache-control"] == "no-store"
    assert re.sub(
        r"sha256-[A-Za-z0-9+/]{43}=", "hash", answer.headers["content-security-policy"]
    ) == (
        "default-src 'none'; style-src 'hash'; img-src data:; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    )
    assert "script" not in Text(answer.text).tags


def test_their_index_leads_to_each_by_its_title():
    answer = get("/docs/")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    page = Text(answer.text)
    assert page.texts_of("h1") == ["Documentation"]
    assert page.texts_of("title") == ["fusionsolar-exporter: Documentation"]
    titles = [(ROOT / "docs" / name).read_text("utf-8").splitlines()[0][2:] for name in NAMES]
    assert page.texts_of("a") == ["Skip to the content", "Status", *titles, *titles]
    links = [value for tag, key, value in page.attributes if (tag, key) == ("a", "href")]
    assert links == ["#main", "..", *NAMES, *NAMES]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_who_forgets_the_slash_is_led_to_the_index(method):
    for _ in range(2):
        answer = client().request(method, "/docs")
        assert (answer.status, answer.headers["location"]) == (308, "docs/")


@pytest.mark.parametrize(
    "path",
    ["/docs/unknown.md", "/docs//", "/docs/images/fleet.png", "/docs/%2e%2e/app.py"],
)
def test_there_is_nothing_else(path):
    assert get(path).status == 404
