import asyncio
import base64

import bcrypt
import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from exporter.web import access, passwords
from exporter.web.access import AccessControl, AccessRules, TokenBucket
from exporter.web.passwords import BusyError

HASHED = bcrypt.hashpw(b"open: sesame", bcrypt.gensalt(4))
CHALLENGE = 'Basic realm="fusionsolar-exporter", charset="UTF-8"'
PATHS = ["/", "/metrics", "/-/healthy", "/-/ready", "/-/reload", "/nowhere"]


async def page(_):
    return PlainTextResponse("page")


async def broken(_):
    raise RuntimeError("broken")


class Site:
    """An application whose access rules may change."""

    def __init__(self):
        self.rules = AccessRules()
        app = Starlette(routes=[Route("/", page), Route("/broken", broken)])
        self.control = AccessControl(app, lambda: self.rules)

    def ask(self, *requests):
        """The answers to requests, each a path and headers, one after the other."""

        async def send_all():
            transport = httpx.ASGITransport(self.control, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
                return [await client.get(path, headers=headers) for path, headers in requests]

        return asyncio.run(send_all())

    def get(self, path="/", **headers):
        return self.ask((path, headers))[0]


@pytest.fixture
def site():
    return Site()


def basic(credentials):
    return "Basic " + base64.b64encode(credentials.encode()).decode()


def test_without_users_everybody_may_ask(site):
    assert site.get().text == "page"
    assert site.get(authorization=basic("a:b")).text == "page"


@pytest.mark.parametrize("path", PATHS)
def test_with_users_no_path_is_open_to_others(site, path):
    site.rules = AccessRules(users={"alice": HASHED})
    answer = site.get(path)
    assert (answer.status_code, answer.text) == (401, "Unauthorized.\n")
    assert answer.headers["www-authenticate"] == CHALLENGE
    assert site.get(path, authorization=basic("alice:open: sesame")).status_code in (200, 404)


@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC "])
def test_a_user_gets_the_page(site, scheme):
    site.rules = AccessRules(users={"alice": HASHED, "jürgen": HASHED})
    for user in site.rules.users:
        header = basic(f"{user}:open: sesame").replace("Basic", scheme)
        assert site.get(authorization=header).text == "page"


@pytest.mark.parametrize(
    "header",
    [
        "", "Basic", "Basic ", "Basic =", "Basic !!!!", "Basic YWxpY2U", "Bearer abc",
        basic(""), basic(":"), basic("alice"), basic("alice:"), basic("alice:guess"),
        basic("alice:open"), basic("bob:open: sesame"), basic("alice:open: sesame") + "x",
        basic("alice:open: sesame").replace("Basic", "Digest"),
        "Basic /////w==", "Basic " + "A" * 60_000, b"Basic \xff\xfe",
    ],
)  # fmt: skip
def test_anything_else_gets_none(site, header):
    site.rules = AccessRules(users={"alice": HASHED})
    assert site.get(authorization=header).status_code == 401


def test_users_who_come_and_go_do_so_at_once(site):
    site.rules = AccessRules(users={"alice": HASHED})
    alice = {"authorization": basic("alice:open: sesame")}
    assert site.get(**alice).status_code == 200
    site.rules = AccessRules(users={"bob": HASHED})
    assert site.get(**alice).status_code == 401
    site.rules = AccessRules()
    assert site.get().status_code == 200


def test_too_many_guesses_are_turned_away(site, monkeypatch):
    async def match(*_):
        raise BusyError

    monkeypatch.setattr(passwords.Passwords, "match", match)
    site.rules = AccessRules(users={"alice": HASHED})
    answer = site.get(authorization=basic("alice:guess"))
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert site.get().status_code == 401


@pytest.mark.parametrize(("path", "status"), [("/", 200), ("/nowhere", 404), ("/broken", 500)])
def test_every_answer_has_the_headers(site, path, status):
    site.rules = AccessRules(
        headers={"X-Frame-Options": "deny", "Content-Security-Policy": "default-src x"}
    )
    answer = site.get(path)
    assert answer.status_code == status
    assert answer.headers["x-frame-options"] == "deny"
    assert answer.headers["content-security-policy"] == "default-src x"
    site.rules = AccessRules(headers={})
    assert "x-frame-options" not in site.get(path).headers


def test_refusals_have_the_headers_too(site):
    site.rules = AccessRules(headers={"X-Frame-Options": "deny"}, users={"alice": HASHED})
    assert site.get().headers["x-frame-options"] == "deny"
    site.rules = AccessRules(headers={"X-Frame-Options": "deny"}, interval=60.0, burst=1)
    answers = site.ask(("/", {}), ("/", {}))
    assert [answer.status_code for answer in answers] == [200, 429]
    assert answers[1].headers["x-frame-options"] == "deny"


def test_the_rate_is_limited_before_passwords_are(site):
    site.rules = AccessRules(users={"alice": HASHED}, interval=60.0, burst=2)
    assert [answer.status_code for answer in site.ask(*[("/", {})] * 4)] == [401, 401, 429, 429]


def test_a_changed_rate_begins_anew_and_an_unchanged_one_does_not(site):
    limited = AccessRules(interval=60.0, burst=1)
    site.rules = limited
    assert site.get().status_code == 200
    assert site.get().status_code == 429
    site.rules = AccessRules(interval=60.0, burst=1, headers={"X-Frame-Options": "deny"})
    assert site.get().status_code == 429
    site.rules = AccessRules(interval=60.0, burst=2)
    assert site.get().status_code == 200
    site.rules = AccessRules()
    assert [answer.status_code for answer in site.ask(*[("/", {})] * 9)] == [200] * 9


def test_a_bucket_fills_by_one_each_interval_up_to_its_burst():
    bucket = TokenBucket(interval=2.0, burst=3, tokens=3, filled=100.0)
    assert [bucket.take(100.0) for _ in range(4)] == [True, True, True, False]
    assert [bucket.take(at) for at in (101.0, 102.0, 102.5, 103.9, 104.0)] == [
        False,
        True,
        False,
        False,
        True,
    ]
    assert [bucket.take(1_000.0) for _ in range(4)] == [True, True, True, False]


def test_the_challenge_is_one_that_clients_understand():
    assert access.CHALLENGE == {"WWW-Authenticate": CHALLENGE}
