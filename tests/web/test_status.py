"""The status page as HTML.

`UPDATE_GOLDEN=1 pytest tests/web/test_status.py` writes the expected page anew; read it.
"""

import gzip
import os
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from web import states
from web.rules import Rules
from web.states import HOME, NOW, REALTIME, REFUSAL, ROOF, status, with_lane, with_plants
from web.test_app import Client

from exporter.status import Calls, Failure, HeldBack, Plant
from exporter.web.app import build
from exporter.web.guard import Guard
from exporter.web.query import Query
from exporter.web.status import HELD_BACK, StatusPage, view
from exporter.web.verdict import Level

GOLDEN = Path(__file__).parent / "status.html"
LINKS = ("metrics", "docs/metrics.md", "docs/", "-/ready", "-/healthy")
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

    def of(self, tag):
        return [text for inside, text in self.texts if inside == tag and text]

    @property
    def all(self):
        return " ".join(text for _, text in self.texts if text)


def render(*accounts, **query):
    return StatusPage(lambda: status(*accounts)).render(Query(**query))


def read(*accounts, **query):
    return Text(render(*accounts, **query))


def client(*accounts):
    return Client(build(lambda _: b"", lambda: 0, list, lambda: status(*accounts)))


# The whole page


def test_the_page_of_one_account_is_as_expected():
    page = render(with_plants(ROOF, states.FIELD))
    page = re.sub(r"<style>.*?</style>", "<style></style>", page, flags=re.DOTALL)
    page = re.sub(r"<script>.*?</script>", "<script></script>", page, flags=re.DOTALL)
    page = re.sub(r'(class="name">\S+ <span>)[^<]*', r"\1version", page)
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(page, "utf-8")
    assert page == GOLDEN.read_text("utf-8")


def test_it_can_be_read_without_style_or_script():
    page = read(with_plants(ROOF, states.FIELD))
    assert page.of("h1") == ["1 critical alarm and 1 more thing need attention"]
    assert page.of("h2") == ["Now", "Accounts", "Plants", "Interfaces"]
    assert page.of("li")[:2] == [
        '1 plant faulty: Bodega "El Sol"',
        '1 critical alarm: Bodega "El Sol"',
    ]
    assert page.of("noscript") == ["Reload this page for newer values."]
    assert "Haus Müller" in page.of("bdi")


def test_tables_have_headers_with_a_scope():
    page = read(HOME, states.REFUSED, states.STARTING)
    scopes = [value for tag, name, value in page.attributes if (tag, name) == ("th", "scope")]
    assert len(scopes) == page.tags.count("th")
    assert set(scopes) == {"col", "row"}
    assert ("html", "lang", "en") in page.attributes


def test_ids_are_unique_and_what_is_referred_to_is_there():
    page = read(HOME, states.REFUSED, states.STARTING)
    ids = [value for _, name, value in page.attributes if name == "id"]
    assert sorted(set(ids)) == sorted(ids)
    named = {value for _, name, value in page.attributes if name == "aria-labelledby"}
    assert named <= set(ids)


def test_it_leads_to_the_other_pages_and_loads_nothing_from_elsewhere():
    page = read(with_plants(ROOF))
    links = {
        value
        for _, name, value in page.attributes
        if name in {"href", "src", "action"} and not value.startswith("data:image/svg+xml,")
    }
    assert links == {"#main", *LINKS}
    assert [name for _, name, _ in page.attributes if name.startswith(("on", "style"))] == []


# What it says


@pytest.mark.parametrize(
    ("accounts", "headline", "level"),
    [
        ((), "No account yet", Level.WAIT),
        ((HOME,), "All is well", Level.GOOD),
        ((HOME, states.STARTING), "Starting up", Level.WAIT),
        ((HOME, states.REFUSED), "1 thing needs attention", Level.BAD),
        ((states.STARTING, states.REFUSED), "1 thing needs attention", Level.BAD),
    ],
)  # fmt: skip
def test_the_headline_tells_the_worst(accounts, headline, level):
    shown = view(status(*accounts)).headline
    assert (shown.word, shown.level) == (headline, level)


@pytest.mark.parametrize(
    ("plants", "headline", "level"),
    [
        ([{"minor": 3}], "All is well", Level.GOOD),
        ([{"major": 1}], "1 major alarm needs attention", Level.WARN),
        ([{"major": 1}, {"major": 2}], "3 major alarms need attention", Level.WARN),
        ([{"critical": 1, "warning": 9}, {"major": 2}],
         "1 critical alarm and 2 major alarms need attention", Level.BAD),
    ],
)  # fmt: skip
def test_the_headline_names_the_alarms_that_matter(plants, headline, level):
    roofs = [replace(ROOF, code=str(n), alarms=alarms) for n, alarms in enumerate(plants)]
    shown = view(status(with_plants(*roofs))).headline
    assert (shown.word, shown.level) == (headline, level)


def test_the_headline_counts_whatever_else_there_is():
    plants = (states.FIELD, replace(states.FIELD, code="NE=3", alarms={"major": 2}))
    account = replace(with_lane(replace(REALTIME, failures=(REFUSAL,))), plants=plants)
    shown = view(status(account, states.REFUSED)).headline
    assert shown.word == ("1 critical alarm, 2 major alarms and 3 more things need attention")


def test_accounts_in_trouble_come_first_and_keep_their_places_names():
    failing = with_lane(replace(REALTIME, failures=(REFUSAL,)))
    accounts = [
        replace(account, name=name)
        for name, account in (
            ("well", HOME), ("new", states.STARTING), ("failing", failing), ("fine", HOME),
            ("refused", states.REFUSED),
        )
    ]  # fmt: skip
    page = read(*accounts)
    names = page.of("bdi")
    expected = ["refused", "failing", "new", "well", "fine"]
    assert names[: len(expected)] == names[-len(expected) :] == expected
    places = [value for tag, key, value in page.attributes if (tag, key) == ("details", "id")]
    assert places == ["account-5", "account-3", "account-2", "account-1", "account-4"]
    assert "1 interface with trouble" in page.of("a")


def test_a_state_that_cannot_be_written_needs_attention_and_one_that_is_declined_does_not():
    told = [
        view(status(replace(HOME, told=replace(HOME.told, state_kept=kept)))).findings
        for kept in (True, None, False)
    ]

    assert told[:2] == [[], []]
    (found,) = told[2]
    assert found.level is Level.WARN
    assert found.text == (
        "State of account home: cannot be written, so a restart costs a login and calls too early. "
        "The log says why."
    )


def test_a_page_without_accounts_says_so():
    page = read()
    assert page.of("h1") == ["No account yet"]
    assert page.of("p")[-3:] == [
        "No account is at work yet.", "No plant is known yet.", "None is walked yet.",
    ]  # fmt: skip
    assert page.of("table") == []


def test_refused_credentials_are_named_with_the_next_try():
    page = read(states.REFUSED)
    assert page.of("li")[-1] == (
        "Account south: credentials refused. 20400: user name or password is wrong"
    )
    assert "next login" in page.of("small")
    assert "in 15 min" in page.of("time")


def test_an_account_without_plants_needs_attention_and_says_what_to_do():
    page = read(states.PLANTLESS)
    assert page.of("li")[-1] == (
        "Account empty: no plants. the plant list is empty: assign plants to the account"
    )


def test_a_start_says_what_it_waits_for():
    page = read(states.STARTING)
    assert page.of("h1") == ["Starting up"]
    assert "getDevList: 1 of 1 batches not answered yet" in page.of("small")
    assert "Not known yet" in page.of("span")


@pytest.mark.parametrize(
    ("account", "word", "level"),
    [
        (HOME, "Up", Level.GOOD),
        (states.STARTING, "Starting", Level.WAIT),
        (states.REFUSED, "Credentials refused", Level.BAD),
        (replace(HOME, polling=replace(HOME.polling, logged_in=False,
                                       login_failure=Failure("timeout", "too late"))),
         "Cannot log in", Level.BAD),
        (replace(with_lane(replace(REALTIME, failures=(Failure("timeout", "too late"),))),
                 told=replace(HOME.told, up=False)), "No proper answer", Level.BAD),
        (replace(HOME, told=replace(HOME.told, up=False)), "Not heard of yet", Level.WAIT),
        (states.PLANTLESS, "No plants", Level.WARN),
    ],
)  # fmt: skip
def test_an_account_has_a_state(account, word, level):
    (part,) = view(status(account)).accounts
    assert (part.mark.word, part.mark.level) == (word, level)


@pytest.mark.parametrize(
    ("lane", "calls", "word", "level"),
    [
        (REALTIME, {"permitted": True}, "Answers", Level.GOOD),
        (replace(REALTIME, silent=3), {"permitted": True}, "Answers", Level.NOTE),
        (replace(REALTIME, answered=3), {"permitted": True}, "Asking", Level.WAIT),
        (replace(REALTIME, batches=0, answered=0), {}, "Nothing to ask", Level.NOTE),
        (replace(REALTIME, failures=(Failure("407", "too often"),)), {}, "Refused", Level.WARN),
        (replace(REALTIME, failures=(Failure("407", "too often"), Failure("timeout", "late"))),
         {}, "Failing", Level.WARN),
        (replace(REALTIME, failures=(Failure("http_429", "load"),)), {}, "Refused", Level.WARN),
        (replace(REALTIME, failures=(Failure("http_403", "load"), Failure("407", "too often"))),
         {}, "Refused", Level.WARN),
        (replace(REALTIME, failures=(Failure("20618", "used up"),)), {}, "Failing", Level.WARN),
        (replace(REALTIME, failures=(Failure("401", "not yours"),)), {"permitted": False},
         "Not permitted", Level.WARN),
    ],
)  # fmt: skip
def test_an_interface_has_a_state(lane, calls, word, level):
    ((row,),) = (part.lanes for part in view(status(with_lane(lane, **calls))).accounts)
    assert (row.mark.word, row.mark.level) == (word, level)


def test_an_interface_tells_its_allowance_its_calls_and_their_times():
    html = render(with_lane(REALTIME, requests=1_234, failures=7, refused=2, permitted=False))
    (row,) = re.findall(r"<tr>\s*<th scope=\"row\"><code>getDevRealKpi.*?</tr>", html, re.DOTALL)
    page = Text(row)
    assert page.of("span") == ["Not permitted", "10 per 5 min,", "1 per minute", "none yet", "no"]
    assert page.of("small") == ["walk 4 min", "7 failed"]
    assert page.of("td") == ["1 min", "1,234", "2"]
    assert page.of("time") == ["in 12 s"]


@pytest.mark.parametrize(
    ("plant", "word", "level"),
    [
        (ROOF, "Healthy", Level.GOOD),
        (replace(ROOF, health="disconnected"), "Disconnected", Level.WARN),
        (replace(ROOF, health="faulty"), "Faulty", Level.BAD),
        (replace(ROOF, health="unknown"), "Unknown", Level.NOTE),
        (replace(ROOF, health=None), "Unknown", Level.NOTE),
        (replace(ROOF, health=None, power=None, answered=0), "Silent", Level.WARN),
        (Plant("NE=1", "Haus Müller"), "No values", Level.NOTE),
        (replace(ROOF, alarms={"minor": 1}), "Healthy", Level.NOTE),
        (replace(ROOF, alarms={"minor": 1, "major": 1}), "Healthy", Level.WARN),
        (replace(ROOF, alarms={"critical": 1}), "Healthy", Level.BAD),
        (replace(ROOF, inverters=2), "Healthy", Level.NOTE),
    ],
)  # fmt: skip
def test_a_plant_has_a_state_and_a_rank(plant, word, level):
    (row,) = view(status(with_plants(plant))).plants
    assert (row.mark.word, row.level) == (word, level)


def test_a_partial_sum_says_of_how_many():
    page = read(with_plants(ROOF, states.FIELD))
    assert "from 4 of 5 inverters" in page.of("dd")
    assert "3 of 4 inverters answered" in page.of("span")
    assert "28.7 kW" in page.of("dd")


def test_what_is_not_known_is_no_zero():
    page = read(with_plants(Plant("NE=1", "Haus Müller", inverters=2)))
    assert page.of("dd") == [
        "from 0 of 2 inverters", "from 0 of 1 plant", "1", "0 healthy", "from 0 of 1 plant",
    ]  # fmt: skip
    assert "not known" in page.of("span")
    assert " 0 W" not in page.all


def held_back(n):
    return HeldBack(
        "devices", str(n), "Inverter", "fusionsolar_inverter_mppt_energy_joules_total", ("2",),
        "kWh", 5_000.0, 700_000.0, NOW - 300.0,
    )  # fmt: skip


def test_values_held_back_stand_beside_what_is_shown():
    page = read(replace(HOME, held_back=(held_back(7),)))
    assert page.of("h2")[-1] == "Values held back"
    row = "7 fusionsolar_inverter_mppt_energy_joules_total 2 5,000.00 kWh 700,000.00 kWh 5 min ago"
    assert row in page.all
    assert "not listed" not in page.all


def test_of_many_values_held_back_the_rest_is_counted():
    page = read(replace(HOME, held_back=tuple(map(held_back, range(HELD_BACK + 2)))))
    assert page.all.count("5,000.00 kWh") == HELD_BACK == 50
    assert "2 values more are not listed; fusionsolar-exporter counters lists" in page.all


def test_unknown_keys_are_named_once():
    account = replace(HOME, unknown_keys=("plant: b", "plant: a"))
    page = read(account, replace(account, name="office"))
    assert page.of("code")[-2:] == ["plant: a", "plant: b"]


def test_times_are_exact_for_programs_and_relative_for_people():
    html = render(with_plants(replace(ROOF, last_reading=NOW - 3 * 60)))
    assert "3 min ago" in Text(html).of("time")
    assert '<time datetime="2025-06-24T20:57:00Z" title="2025-06-24 20:57:00 UTC">3' in html


# Strangers' text


@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_comes_from_outside_is_text(name):
    plant = replace(ROOF, name=name, code=name, health="faulty", alarms={"critical": 1, name: 1})
    lane = replace(REALTIME, failures=(Failure(name, name),))
    account = replace(
        with_lane(lane), name=name, plants=(plant,), devices={name: 1}, unknown_keys=(name,),
        held_back=(replace(held_back(7), name=name, code=name, labels=(name,)),),
    )  # fmt: skip
    page = read(account, HOME)
    text = " ".join(name.split())
    assert text in page.of("bdi")
    assert text in page.of("code")
    assert page.of("h1") == ["1 critical alarm and 2 more things need attention"]
    assert page.tags.count("script") == 1
    assert "img" not in page.tags
    assert [each for each in page.attributes if each[1].startswith("on")] == []


# HTTP


def test_it_is_html_that_nobody_keeps_and_nothing_can_be_added_to():
    answer = client(HOME).get("/")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    policy = answer.headers["content-security-policy"]
    assert re.sub(r"sha256-[A-Za-z0-9+/]{43}=", "hash", policy) == (
        "default-src 'none'; style-src 'hash'; script-src 'hash'; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


def test_it_is_compressed_for_those_who_ask():
    plain = client(HOME).get("/")
    packed = client(HOME).get("/", headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert int(packed.headers["content-length"]) == len(packed.body) < len(plain.body) / 2
    assert plain.headers["vary"] == packed.headers["vary"] == "Accept-Encoding"


def test_its_links_lead_somewhere():
    asked = client(HOME)
    for link in LINKS:
        assert asked.get(f"/{link}").status == 200


def test_the_accounts_are_looked_at_once_a_second_whatever_is_asked_for():
    looks, clock = [], [0.0]
    page = StatusPage(lambda: looks.append(clock[0]) or status(HOME), lambda: clock[0])
    for at, query in ((0.0, Query()), (0.9, Query("roof")), (1.1, Query("roof")), (1.2, Query())):
        clock[0] = at
        page.render(query)
    assert looks == [0.0, 1.1]


def test_a_configured_policy_stands_in_the_place_of_its_own():
    rules = Rules(headers={"Content-Security-Policy": "default-src 'self'"})
    guarded = Client(Guard(client(HOME).app, lambda: rules))
    answer = guarded.get("/")
    assert answer.headers.get_list("content-security-policy") == ["default-src 'self'"]


def test_calls_of_an_interface_nobody_counted_are_none():
    (part,) = view(status(replace(HOME, told=replace(HOME.told, calls={})))).accounts
    assert [row.calls for row in part.rows] == [Calls()] * 3
