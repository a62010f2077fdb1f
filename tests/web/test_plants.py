"""The list of plants on the status page: all can be reached, whoever is in trouble first."""

import re
from dataclasses import replace
from html import unescape
from urllib.parse import quote

import pytest
from status import samples
from status.samples import HOME, ROOF, status, with_plants
from web.status_html import HOSTILE, Text, client, read

from exporter.web.plants import MAX_VALUE, ROWS, PlantQuery, parse_query
from exporter.web.status_page import build_view

FAULTY = replace(ROOF, health="faulty")
CODE = re.compile(r"<small><bdi>(NE=\w+)</bdi>")


def rows(page):
    """The codes of the plants on a page, in their order."""
    return CODE.findall(page)


def links(page):
    """Where the page leads to others of the list, by the words that say so."""
    nav = page.partition('<nav aria-label="Pages of plants">')[2].partition("</nav>")[0]
    found = re.findall(r'<a href="([^"]*)"[^>]*>(\w+)</a>', nav)
    return {word: unescape(link) for link, word in found}


def ask(asked, link):
    answer = asked.get("/" + link.partition("#")[0])
    assert answer.status == 200
    return answer.text


@pytest.fixture
def fleet():
    """Two accounts with more plants than fit on a page, every fifth of them in trouble."""
    north, south = (
        replace(
            with_plants(
                *(
                    replace(
                        FAULTY if n % 5 == 0 else ROOF, code=f"NE={name}{n:03}", name=f"Roof {n}"
                    )
                    for n in range(150)
                )
            ),
            name=name,
        )
        for name in ("north", "south")
    )
    return north, south


def test_every_plant_is_on_a_page_that_the_one_before_leads_to(fleet):
    asked = client(*fleet)
    pages = [ask(asked, "")]
    while (following := links(pages[-1]).get("Next")) and len(pages) < 10:
        pages.append(ask(asked, following))
    codes_by_page = [rows(page) for page in pages]
    assert [len(codes) for codes in codes_by_page] == [ROWS] * 3
    codes = [code for each in codes_by_page for code in each]
    assert sorted(codes) == sorted(
        f"NE={name}{n:03}" for name in ("north", "south") for n in range(150)
    )
    assert {int(code[-3:]) % 5 for code in codes[:60]} == {0}
    assert 0 not in {int(code[-3:]) % 5 for code in codes[60:]}


@pytest.mark.parametrize(
    ("query", "total", "trouble", "first"),
    [
        ("?search=roof+3", 22, 4, "NE=north030"),
        ("?search=ROOF++149+", 2, 0, "NE=north149"),
        ("?search=ne%3dSOUTH14", 10, 2, "NE=south140"),
        ("?account=south", 150, 30, "NE=south000"),
        ("?search=roof+3&account=south", 11, 2, "NE=south030"),
    ],
)
def test_a_plant_is_found_by_name_or_code_and_by_account(fleet, query, total, trouble, first):
    page = ask(client(*fleet), query)
    in_trouble = f", {trouble} in trouble" if trouble else ""
    assert f"{total} plants of 300{in_trouble}" in Text(page).texts_of("p")
    codes = rows(page)
    assert (len(codes), codes[0]) == (min(total, ROWS), first)


def test_the_pages_of_a_search_are_pages_of_that_search(fleet):
    asked = client(*fleet)
    first, last = "?search=Roof&account=south#plants", "?search=Roof&account=south&page=2#plants"
    assert links(ask(asked, first)) == {"Next": last, "Last": last}
    page = ask(asked, last)
    assert links(page) == {"First": first, "Previous": first}
    assert len(rows(page)) == 50
    assert "Page 2 of 2" in Text(page).texts_of("li")


@pytest.mark.parametrize(
    ("number", "shown"), [("0", 1), ("1", 1), ("3", 3), ("4", 3), ("999999", 3), ("000002", 2)]
)
def test_a_page_that_is_not_there_is_the_nearest_that_is(fleet, number, shown):
    page = Text(ask(client(*fleet), f"?page={number}"))
    assert f"Page {shown} of 3" in page.texts_of("li")


def test_an_account_leads_to_its_plants_where_there_are_several(fleet):
    name = 'a "b" & c?#%=+'
    north, south = fleet
    asked = client(north, replace(south, name=name))
    _, link = re.findall(r'<a href="([^"]*)">150</a>', ask(asked, ""))
    page = ask(asked, unescape(link))
    assert "150 plants of 300, 30 in trouble" in Text(page).texts_of("p")
    assert set(rows(page)) <= {f"NE=south{n:03}" for n in range(150)}


def test_what_was_asked_for_stands_in_the_form(fleet):
    page = Text(ask(client(*fleet), "?search=roof+3&account=south"))
    fields = {(tag, key): value for tag, key, value in page.attributes}
    assert fields["input", "value"] == "roof 3"
    assert page.texts_of("option") == ["all", "north", "south"]
    names = [value for tag, key, value in page.attributes if tag == "option"]
    assert names == ["", "north", "south", None]  # the last is chosen


@pytest.mark.parametrize("name", ["Casa  Müller", "CASA\tMÜLLER", "Die casa\n müller"])
def test_a_plant_is_found_by_its_name_as_the_page_shows_it(fleet, name):
    north, south = fleet
    there = replace(north, plants=(*north.plants, replace(ROOF, code="NE=there", name=name)))
    assert rows(ask(client(there, south), f"?search={quote('asa müller')}")) == ["NE=there"]


@pytest.mark.parametrize("query", ["?search=nowhere", "?account=nobody", "?account=North"])
def test_a_search_that_finds_nothing_says_so(fleet, query):
    page = ask(client(*fleet), query)
    assert rows(page) == []
    assert "0 plants of 300" in Text(page).texts_of("p")
    assert "No plant matches." in Text(page).texts_of("p")
    assert '<a href="?#plants">Show all plants</a>' in page
    assert "60 plants faulty" in page  # what needs attention is told as always


def test_a_few_plants_need_no_search_and_no_pages():
    page = read(with_plants(ROOF, samples.FIELD), HOME)
    assert "form" not in page.tags
    assert page.tags.count("nav") == 1
    assert "form" in read(with_plants(ROOF, samples.FIELD), search="bodega").tags


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("key", ["search", "account"])
def test_whatever_is_asked_for_is_text(fleet, key, name):
    page = Text(ask(client(*fleet), f"?{key}={quote(name[:MAX_VALUE])}"))
    assert page.texts_of("h1") == ["1 thing needs attention"]
    assert page.tags.count("script") == 1
    assert "img" not in page.tags
    assert [each for each in page.attributes if each[1].startswith("on")] == []


# What needs attention


def test_issues_name_a_few_plants_and_count_the_others():
    plants = [replace(ROOF, code=str(n), name=f"P{n}", health="faulty") for n in range(5)]
    (found,) = build_view(status(with_plants(*plants))).issues
    assert found.text == "5 plants faulty: P0, P1, P2 and 2 more"


def test_issues_tell_plants_of_one_name_apart():
    north, south = (
        replace(
            HOME,
            name=name,
            plants=tuple(replace(ROOF, code=code, name=of, health="faulty") for code, of in plants),
        )
        for name, plants in (
            ("north", [("NE=1", "Roof"), ("NE=2", "Roof"), ("NE=4", "Barn")]),
            ("south", [("NE=1", "Roof")]),
        )
    )
    (found,) = build_view(status(north)).issues
    assert found.text == "3 plants faulty: Barn, Roof (NE=1), Roof (NE=2)"
    (found,) = build_view(status(north, south)).issues
    assert found.text == (
        "4 plants faulty: Barn, Roof (NE=1 of account north), Roof (NE=1 of account south) "
        "and 1 more"
    )


# The address


@pytest.mark.parametrize(
    ("text", "query"),
    [
        (b"", PlantQuery()),
        (b"search=Haus+M%C3%BCller&account=a%26b&page=12", PlantQuery("Haus Müller", "a&b", 12)),
        (b"search=a&search=b&page=", PlantQuery("b")),
        (b"search=+&account=&page=000001&from=elsewhere", PlantQuery()),
        (b"search=%FF%00", PlantQuery("\N{REPLACEMENT CHARACTER}\0")),
        (b"Search=a&=&&", PlantQuery()),
        (b"search=" + b"x" * MAX_VALUE, PlantQuery("x" * MAX_VALUE)),
    ],
)
def test_an_address_says_what_to_list(text, query):
    assert parse_query(text) == query


@pytest.mark.parametrize(
    "query",
    [
        PlantQuery(),
        PlantQuery("Haus Müller", "a&b=?#", 12),
        PlantQuery(account="+ %"),
        PlantQuery(page=999_999),
    ],
)
def test_an_address_says_again_what_it_was_made_of(query):
    text = PlantQuery(query.search, query.account).at(query.page)
    assert parse_query(text.removeprefix("?").removesuffix("#plants").encode()) == query


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("search=" + "x" * (MAX_VALUE + 1), "search is longer than 200 characters.\n"),
        ("account=" + "x" * (MAX_VALUE + 1), "account is longer than 200 characters.\n"),
        ("page=1234567", "page is no number of up to six digits.\n"),
        ("page=-1", "page is no number of up to six digits.\n"),
        ("page=%D9%A3", "page is no number of up to six digits.\n"),
        ("x=" + "y" * 5_000, "The query is longer than 5,000 bytes.\n"),
    ],
)
def test_an_address_that_asks_too_much_is_refused(query, reason):
    answer = client(HOME).get(f"/?{query}")
    assert (answer.status, answer.text) == (400, reason)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
