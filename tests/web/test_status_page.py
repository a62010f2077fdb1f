"""The status page as HTML.

`UPDATE_GOLDEN=1 pytest tests/web/test_status_page.py` writes the expected page anew; read it.
"""

import gzip
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from status import samples
from status.samples import (
    HOME,
    NOW,
    REALTIME,
    REFUSAL,
    ROOF,
    status,
    with_counts,
    with_interface,
    with_plants,
)
from web.asgi_client import Client
from web.status_html import HOSTILE, Text, client, read, render

from exporter.status.model import CallCounts, FailureStatus, HeldCounter, PlantStatus
from exporter.web.access import AccessControl, AccessRules
from exporter.web.plants import PlantQuery
from exporter.web.status_page import HELD_COUNTERS, StatusPage, build_view

GOLDEN = Path(__file__).parent / "status.html"
LINKS = ("metrics", "docs/metrics.md", "docs/", "-/ready", "-/healthy")


# The whole page


def test_the_page_of_one_account_is_as_expected():
    page = render(with_plants(ROOF, samples.FIELD))
    page = re.sub(r"<style>.*?</style>", "<style></style>", page, flags=re.DOTALL)
    page = re.sub(r"<script>.*?</script>", "<script></script>", page, flags=re.DOTALL)
    page = re.sub(r'(class="name">\S+ <span>)[^<]*', r"\1version", page)
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(page, "utf-8")
    assert page == GOLDEN.read_text("utf-8")


def test_it_can_be_read_without_style_or_script():
    page = read(with_plants(ROOF, samples.FIELD))
    assert page.texts_of("h1") == ["1 critical alarm and 1 more thing need attention"]
    assert page.texts_of("h2") == ["Now", "Accounts", "Plants", "Interfaces"]
    assert page.texts_of("li")[:2] == [
        '1 plant faulty: Bodega "El Sol"',
        '1 critical alarm: Bodega "El Sol"',
    ]
    assert page.texts_of("noscript") == ["Reload this page for newer values."]
    assert "Haus Müller" in page.texts_of("bdi")


def test_tables_have_headers_with_a_scope():
    page = read(HOME, samples.REFUSED, samples.STARTING)
    scopes = [value for tag, name, value in page.attributes if (tag, name) == ("th", "scope")]
    assert len(scopes) == page.tags.count("th")
    assert set(scopes) == {"col", "row"}
    assert ("html", "lang", "en") in page.attributes


def test_ids_are_unique_and_what_is_referred_to_is_there():
    page = read(HOME, samples.REFUSED, samples.STARTING)
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


def test_accounts_in_trouble_come_first_and_keep_their_places_names():
    failing = with_interface(replace(REALTIME, failures=(REFUSAL,)))
    accounts = [
        replace(account, name=name)
        for name, account in (
            ("well", HOME), ("new", samples.STARTING), ("failing", failing), ("fine", HOME),
            ("refused", samples.REFUSED),
        )
    ]  # fmt: skip
    page = read(*accounts)
    names = page.texts_of("bdi")
    expected = ["refused", "failing", "new", "well", "fine"]
    assert names[: len(expected)] == names[-len(expected) :] == expected
    places = [value for tag, key, value in page.attributes if (tag, key) == ("details", "id")]
    assert places == ["account-5", "account-3", "account-2", "account-1", "account-4"]
    assert "1 interface with trouble" in page.texts_of("a")


def test_a_page_without_accounts_says_so():
    page = read()
    assert page.texts_of("h1") == ["No account yet"]
    assert page.texts_of("p")[-3:] == [
        "No account is at work yet.", "No plant is known yet.", "None is polled yet.",
    ]  # fmt: skip
    assert page.texts_of("table") == []


def test_refused_credentials_are_named_with_the_next_try():
    page = read(samples.REFUSED)
    assert page.texts_of("li")[-1] == (
        "Account south: credentials refused. 20400: user name or password is wrong"
    )
    assert "next login" in page.texts_of("small")
    assert "in 15 min" in page.texts_of("time")


def test_an_account_without_plants_needs_attention_and_says_what_to_do():
    page = read(samples.PLANTLESS)
    assert page.texts_of("li")[-1] == (
        "Account empty: no plants. the plant list is empty: assign plants to the account"
    )


def test_a_start_says_what_it_waits_for():
    page = read(samples.STARTING)
    assert page.texts_of("h1") == ["Starting up"]
    assert "getDevList: 1 of 1 batches not answered yet" in page.texts_of("small")
    assert "Not known yet" in page.texts_of("span")


def test_an_interface_tells_its_allowance_its_calls_and_their_times():
    html = render(with_interface(REALTIME, requests=1_234, failures=7, refused=2, permitted=False))
    (row,) = re.findall(r"<tr>\s*<th scope=\"row\"><code>getDevRealKpi.*?</tr>", html, re.DOTALL)
    page = Text(row)
    assert page.texts_of("span") == [
        "Not permitted",
        "10 per 5 min,",
        "1 per minute",
        "none yet",
        "no",
    ]
    assert page.texts_of("small") == ["round 4 min", "7 failed"]
    assert page.texts_of("td") == ["1 min", "1,234", "2"]
    assert page.texts_of("time") == ["in 12 s"]


def test_a_partial_sum_says_of_how_many():
    page = read(with_plants(ROOF, samples.FIELD))
    assert "from 4 of 5 inverters" in page.texts_of("dd")
    assert "3 of 4 inverters answered" in page.texts_of("span")
    assert "28.7 kW" in page.texts_of("dd")


def test_what_is_not_known_is_no_zero():
    page = read(with_plants(PlantStatus("NE=1", "Haus Müller", inverters=2)))
    assert page.texts_of("dd") == [
        "from 0 of 2 inverters", "from 0 of 1 plant", "1", "0 healthy", "from 0 of 1 plant",
    ]  # fmt: skip
    assert "not known" in page.texts_of("span")
    assert " 0 W" not in page.all


def held_back(n):
    return HeldCounter(
        "devices", str(n), "Inverter", "fusionsolar_inverter_mppt_energy_joules_total", ("2",),
        "kWh", 5_000.0, 700_000.0, NOW - 300.0,
    )  # fmt: skip


def test_values_held_back_stand_beside_what_is_shown():
    page = read(replace(HOME, held_back=(held_back(7),)))
    assert page.texts_of("h2")[-1] == "Values held back"
    row = "7 fusionsolar_inverter_mppt_energy_joules_total 2 5,000.00 kWh 700,000.00 kWh 5 min ago"
    assert row in page.all
    assert "not listed" not in page.all


def test_of_many_values_held_back_the_rest_is_counted():
    page = read(replace(HOME, held_back=tuple(map(held_back, range(HELD_COUNTERS + 2)))))
    assert page.all.count("5,000.00 kWh") == HELD_COUNTERS == 50
    assert "2 values more are not listed; fusionsolar-exporter counters lists" in page.all


def test_unknown_keys_are_named_once():
    account = replace(HOME, unknown_keys=("plant: b", "plant: a"))
    page = read(account, replace(account, name="office"))
    assert page.texts_of("code")[-2:] == ["plant: a", "plant: b"]


def test_where_the_numbers_of_unknown_keys_are_is_said():
    account = replace(HOME, unknown_keys=("plant: a",))
    assert "and they reach no metric; unknown_keys: export in the conf" in read(account).all
    exporting = read(replace(account, exports_unknown_keys=True))
    assert exporting.texts_of("code")[-3:-1] == [
        "fusionsolar_plant_unknown_value", "fusionsolar_device_unknown_value",
    ]  # fmt: skip
    assert "they reach no metric" not in exporting.all


def test_times_are_exact_for_programs_and_relative_for_people():
    html = render(with_plants(replace(ROOF, last_reading=NOW - 3 * 60)))
    assert "3 min ago" in Text(html).texts_of("time")
    assert '<time datetime="2025-06-24T20:57:00Z" title="2025-06-24 20:57:00 UTC">3' in html


# Strangers' text


@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_comes_from_outside_is_text(name):
    plant = replace(ROOF, name=name, code=name, health="faulty", alarms={"critical": 1, name: 1})
    interface = replace(REALTIME, failures=(FailureStatus(name, name),))
    account = replace(
        with_interface(interface), name=name, plants=(plant,), devices={name: 1},
        unknown_keys=(name,),
        held_back=(replace(held_back(7), name=name, code=name, labels=(name,)),),
    )  # fmt: skip
    page = read(account, HOME)
    text = " ".join(name.split())
    assert text in page.texts_of("bdi")
    assert text in page.texts_of("code")
    assert page.texts_of("h1") == ["1 critical alarm and 2 more things need attention"]
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


def test_the_accounts_are_looked_at_once_a_second_whatever_is_parse_query():
    looks, clock = [], [0.0]
    page = StatusPage(lambda: looks.append(clock[0]) or status(HOME), lambda: clock[0])
    for at, query in (
        (0.0, PlantQuery()),
        (0.9, PlantQuery("roof")),
        (1.1, PlantQuery("roof")),
        (1.2, PlantQuery()),
    ):
        clock[0] = at
        page.render(query)
    assert looks == [0.0, 1.1]


def test_a_configured_policy_stands_in_the_place_of_its_own():
    rules = AccessRules(headers={"Content-Security-Policy": "default-src 'self'"})
    guarded = Client(AccessControl(client(HOME).app, lambda: rules))
    answer = guarded.get("/")
    assert answer.headers.get_list("content-security-policy") == ["default-src 'self'"]


def test_calls_of_an_interface_nobody_counted_are_none():
    (part,) = build_view(status(with_counts(calls={}))).accounts
    assert [row.calls for row in part.rows] == [CallCounts()] * 3
