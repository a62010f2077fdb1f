"""/metrics of single accounts, and /-/targets."""

import asyncio
import gzip
import json
from types import MappingProxyType
from urllib.parse import urlencode

import pytest
from web.asgi_client import GZIP, Client

from exporter.exposition.page import NO_ACCOUNT, Format
from exporter.status.model import Status
from exporter.web.app import build
from exporter.web.page_cache import MAX_PAGES

KOELN = 'Köln & "Co" #1'
ACCOUNTS = {"home": {}, KOELN: {"customer": "4711", "region": "west"}}
OPENMETRICS = {"accept": "application/openmetrics-text;version=1.0.0"}


class Daemon:
    """Shows by a page what it was asked for."""

    def __init__(self):
        self.accounts = ACCOUNTS
        self.asked = []

    def exposition(self, form, accounts):
        self.asked.append(accounts)
        return [form.name.encode(), f" of {sorted(accounts or ['all'])}\n".encode()]


@pytest.fixture
def daemon():
    return Daemon()


@pytest.fixture
def client(daemon):
    none = Status(0.0, ())
    return Client(
        build(daemon.exposition, lambda: 0, list, lambda: none, accounts=lambda: daemon.accounts)
    )


def metrics(client, *query, headers=()):
    return client.get(f"/metrics?{urlencode(query)}", headers)


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ([], ["all"]),
        ([("verbose", "1"), ("Account", "x")], ["all"]),
        ([("account", "home")], ["home"]),
        ([("account", KOELN)], [KOELN]),
        ([("account", "home"), ("account", KOELN)], sorted(["home", KOELN])),
        ([("account", "home"), ("account", "home")], ["home"]),
        ([("exporter", "true")], [NO_ACCOUNT]),
        ([("account", "home"), ("exporter", "true")], [NO_ACCOUNT, "home"]),
    ],
)
def test_a_query_chooses_accounts_and_what_is_of_none(client, query, asked):
    answer = metrics(client, *query)
    assert (answer.status, answer.text) == (200, f"TEXT of {asked}\n")


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ([("account", "hoem")], "There is no account 'hoem'; /-/targets lists all."),
        ([("account", "")], "There is no account ''; /-/targets lists all."),
        ([("account", "home"), ("account", "Home")],
         "There is no account 'Home'; /-/targets lists all."),
        ([("account", "\n" + "x" * 500)],
         rf"There is no account '\n{'x' * 199}'; /-/targets lists all."),
        ([("exporter", "")], "exporter can only be true."),
        ([("exporter", "true"), ("exporter", "false")], "exporter can only be true."),
    ],
)  # fmt: skip
def test_a_query_for_what_is_not_there_is_refused_and_says_why(client, daemon, query, reason):
    answer = metrics(client, *query)
    assert (answer.status, answer.text) == (400, f"{reason}\n")
    assert daemon.asked == []


def test_a_page_of_some_accounts_is_served_like_the_whole_one(client):
    query = ("account", "home")
    packed = metrics(client, query, headers=GZIP | OPENMETRICS)
    assert gzip.decompress(packed.body) == b"OPENMETRICS of ['home']\n"
    assert packed.headers["content-type"] == Format.OPENMETRICS.value
    assert packed.headers["vary"] == "Accept, Accept-Encoding"
    head = client.request("HEAD", "/metrics?account=home")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == str(len("TEXT of ['home']\n"))


def test_every_account_can_be_asked_for_at_the_same_moment(client, daemon):
    daemon.accounts = {f"account {n}": {} for n in range(3 * MAX_PAGES)}

    async def ask():
        urls = [f"/metrics?{urlencode({'account': name})}" for name in daemon.accounts]
        return await asyncio.gather(*(client.ask("GET", url) for url in urls))

    answers = asyncio.run(ask())
    assert [each.text for each in answers] == [f"TEXT of {[name]}\n" for name in daemon.accounts]


# /-/targets


def targets(client, headers=(), url="/-/targets"):
    answer = client.get(url, headers)
    assert answer.status == 200
    # Prometheus takes no other.
    assert answer.headers["content-type"] == "application/json"
    return json.loads(answer.body)


def test_prometheus_finds_a_target_for_each_account_and_one_for_the_exporter(client):
    assert targets(client) == [
        {"targets": ["exporter"], "labels": {"__param_account": "home"}},
        {
            "targets": ["exporter"],
            "labels": {"customer": "4711", "region": "west", "__param_account": KOELN},
        },
        {"targets": ["exporter"], "labels": {"__param_exporter": "true"}},
    ]


def test_the_targets_together_are_the_whole_page(client, daemon):
    for target in targets(client):
        query = [
            (name.removeprefix("__param_"), value)
            for name, value in target["labels"].items()
            if name.startswith("__param_")
        ]
        assert metrics(client, *query).status == 200
    assert sorted(name for asked in daemon.asked for name in asked) == sorted([*ACCOUNTS, ""])
    assert max(map(len, daemon.asked)) == 1


def test_accounts_that_come_and_go_are_found_at_the_next_look(client, daemon):
    daemon.accounts = {"new": MappingProxyType({"customer": "1"})}
    assert [each["labels"] for each in targets(client)] == [
        {"customer": "1", "__param_account": "new"},
        {"__param_exporter": "true"},
    ]
    assert metrics(client, ("account", "home")).status == 400
    assert metrics(client, ("account", "new")).status == 200


@pytest.mark.parametrize(
    "host", ["solar.example", "solar.example:10052", "192.0.2.7:80", "[2001:db8::1]:10052"]
)
def test_targets_are_where_they_were_asked_for(client, host):
    assert {tuple(each["targets"]) for each in targets(client, {"host": host})} == {(host,)}


def test_without_a_host_header_targets_are_where_the_server_listens(client):
    sent = client.messages("/-/targets", server=("192.0.2.7", 10052))
    body = b"".join(each.get("body", b"") for each in sent)
    assert {tuple(each["targets"]) for each in json.loads(body)} == {("192.0.2.7:10052",)}


def test_targets_asked_for_over_tls_are_scraped_over_tls(client):
    headers = [(b"host", b"solar.example")]
    sent = client.messages("/-/targets", scheme="https", headers=headers)
    body = b"".join(each.get("body", b"") for each in sent)
    assert {each["labels"]["__scheme__"] for each in json.loads(body)} == {"https"}


def test_head_and_other_methods(client):
    got, head = client.get("/-/targets"), client.request("HEAD", "/-/targets")
    assert (head.status, head.headers, head.body) == (200, got.headers, b"")
    assert client.request("POST", "/-/targets").status == 405
