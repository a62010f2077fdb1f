"""The OAuth server of the simulated management system, and the calls of its clients."""

import json
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from exporter.simulator.http.oauth import AUTHORIZE_PATH, TOKEN_PATH
from exporter.simulator.http.system import System
from exporter.simulator.world.fleet import build

BACK = "http://localhost:10054/callback"
ASKED = {
    "response_type": "code",
    "client_id": "app",
    "redirect_uri": BACK,
    "scope": "pvms.openapi.basic",
    "state": "a1b2c3d4",
}


class Application:
    def __init__(self, **options):
        self.now = 1_750_000_000.0
        options = {"clients": {"app": "key"}, **options}
        self.system = System(build(0, plants=1), clock=lambda: self.now, **options)

    def authorize(self, **changes):
        query = urlencode({**ASKED, **changes})
        answer = self.system.handle("GET", f"{AUTHORIZE_PATH}?{query}", {})
        headers = dict(answer.headers)
        return answer.status, parse_qs(urlsplit(headers.get("Location", "")).query)

    def code(self):
        return self.authorize()[1]["code"][0]

    def ask(self, grant, **form):
        form = {"grant_type": grant, "client_id": "app", "client_secret": "key", **form}
        answer = self.system.handle("POST", TOKEN_PATH, {}, urlencode(form).encode())
        return answer.status, json.loads(answer.body)

    def exchange(self, code, **form):
        return self.ask("authorization_code", code=code, **{"redirect_uri": BACK, **form})

    def refresh(self, token, **form):
        return self.ask("refresh_token", refresh_token=token, **form)

    def call(self, headers):
        return self.system.handle("POST", "/thirdData/getStationList", headers)

    def plants(self, access):
        answer = self.call({"Authorization": f"Bearer {access}"})
        return answer.status, len(json.loads(answer.body).get("data", ()))


REFUSED = (400, {"error": "invalid_grant"})


@pytest.fixture
def application():
    return Application()


def test_an_owner_is_sent_back_with_a_code_and_the_state(application):
    status, back = application.authorize()
    assert status == 302
    assert back == {"code": back["code"], "state": ["a1b2c3d4"]}


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({"client_id": "other"}, (400, {})),
        ({"redirect_uri": ""}, (400, {})),
        ({"state": "a1b2c3d4e"}, (400, {})),
        ({"scope": "all"}, (302, {"error": ["invalid_scope"], "state": ["a1b2c3d4"]})),
        ({"response_type": "token"}, (302, {"error": ["invalid_scope"], "state": ["a1b2c3d4"]})),
    ],
)
def test_an_authorisation_asked_for_wrongly_brings_no_code(application, changes, answer):
    assert application.authorize(**changes) == answer


def test_a_code_buys_an_hour_of_calls_and_a_refresh_token(application):
    status, tokens = application.exchange(application.code())
    assert (status, tokens["expires_in"], tokens["token_type"]) == (200, 3600, "Bearer")
    assert set(tokens) == {
        *("access_token", "refresh_token", "expires_in", "token_type", "scope"),
    }
    assert application.plants(tokens["access_token"]) == (200, 1)
    application.now += 3600
    assert application.plants(tokens["access_token"]) == (401, 0)


def test_a_code_is_good_once_for_five_minutes_and_for_one_address(application):
    code = application.code()
    assert application.exchange(code)[0] == 200
    assert application.exchange(code) == REFUSED
    assert application.exchange(application.code(), redirect_uri="http://other") == REFUSED
    late = application.code()
    application.now += 300
    assert application.exchange(late) == REFUSED


def test_a_refresh_token_is_good_once_and_brings_the_next(application):
    first = application.exchange(application.code())[1]["refresh_token"]
    status, tokens = application.refresh(first)
    assert status == 200
    assert application.plants(tokens["access_token"]) == (200, 1)
    assert application.refresh(first) == REFUSED
    assert application.system.oauth.reused == 1
    assert application.refresh(tokens["refresh_token"])[0] == 200


def test_one_that_does_not_rotate_comes_once_and_stays_good():
    application = Application(rotates=False)
    token = application.exchange(application.code())[1]["refresh_token"]
    status, tokens = application.refresh(token)
    assert (status, "refresh_token" in tokens) == (200, False)
    assert application.refresh(token)[0] == 200


def test_what_an_owner_withdraws_is_over(application):
    tokens = application.exchange(application.code())[1]
    application.system.oauth.withdraw()
    assert application.plants(tokens["access_token"]) == (401, 0)
    assert application.refresh(tokens["refresh_token"]) == REFUSED


@pytest.mark.parametrize("wrong", [{"client_secret": "x"}, {"client_id": "x"}])
def test_a_client_has_to_prove_who_it_is(application, wrong):
    token = application.exchange(application.code())[1]["refresh_token"]
    assert application.refresh(token, **wrong) == (401, {"error": "invalid_client"})


def test_there_are_two_grants(application):
    assert application.ask("password") == (400, {"error": "unsupported_grant_type"})


@pytest.mark.parametrize("extra", [{"XSRF-TOKEN": "x"}, {"Cookie": "XSRF-TOKEN=x"}])
def test_a_bearer_token_with_an_xsrf_token_beside_it_is_no_session(application, extra):
    access = application.exchange(application.code())[1]["access_token"]
    answer = application.call({"Authorization": f"Bearer {access}", **extra})
    assert json.loads(answer.body)["failCode"] == 305


def test_the_calls_of_a_client_have_limits_of_their_own(application):
    access = application.exchange(application.code())[1]["access_token"]
    for _ in range(30):
        answer = application.call({"Authorization": f"Bearer {access}"})
    assert json.loads(answer.body)["failCode"] == 407
    assert {account for account, _ in application.system.calls.accounts()} == {"app"}


def test_faults_can_be_injected_into_the_token_endpoint(application):
    token = application.exchange(application.code())[1]["refresh_token"]
    application.system.faults.add("http_status", interface="token", value=503, count=1)
    form = urlencode({"grant_type": "refresh_token"}).encode()
    assert application.system.handle("POST", TOKEN_PATH, {}, form).status == 503
    assert application.refresh(token)[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "status"), [("POST", AUTHORIZE_PATH, 404), ("GET", TOKEN_PATH, 405)]
)
def test_the_endpoints_take_one_method_each(application, method, path, status):
    assert application.system.handle(method, path, {}).status == status
