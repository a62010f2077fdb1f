import json

import pytest
import requests
from northbound.client_calls import HOST, LOGIN, PATH, TOKEN, call_failing_with, failure, summary

from exporter.northbound.client import Client
from exporter.northbound.errors import FAIL_CODES, Reaction

# Login


@pytest.mark.parametrize("header", ["xsrf-token", "XSRF-TOKEN", "Xsrf-Token"])
def test_login_takes_the_token_from_the_header_in_any_case(server, client, body, header):
    server.post(LOGIN, body=body("login/success"), headers={header: TOKEN})
    client.login()
    assert client.token == TOKEN


@pytest.mark.parametrize(
    "cookie",
    [
        f"XSRF-TOKEN={TOKEN}",
        f"xsrf-token={TOKEN}; Path=/; Secure; HttpOnly",
        f'XSRF-TOKEN="{TOKEN}"; Expires=Wed, 21 Oct 2015 07:28:00 GMT',
        f" XSRF-TOKEN = {TOKEN} ;Domain=inner.example;SameSite=None",
    ],
)
def test_login_takes_the_token_from_the_cookie_with_its_equal_signs(server, client, body, cookie):
    headers = [("Set-Cookie", "JSESSIONID=other; Path=/"), ("Set-Cookie", cookie)]
    server.post(LOGIN, body=body("login/success"), headers=headers)
    client.login()
    assert client.token == TOKEN


def test_login_posts_name_and_password_without_the_old_token(server, signed_in, body):
    server.post(LOGIN, body=body("login/success"), headers={"xsrf-token": "new"})
    signed_in.login()
    request = server.calls[0].request
    assert json.loads(request.body) == {"userName": "api-user", "systemCode": "top-secret"}
    assert request.headers["Content-Type"] == "application/json"
    assert "XSRF-TOKEN" not in request.headers
    assert "Cookie" not in request.headers
    assert signed_in.token == "new"


def test_a_login_without_a_token_is_no_login(server, client, body):
    server.post(LOGIN, body=body("login/success"))
    assert summary(failure(client.login)) == ("no_token", Reaction.NEXT_TURN, True)
    assert client.token is None


def test_a_deleted_cookie_is_no_token(server, client, body):
    headers = {"Set-Cookie": 'XSRF-TOKEN=""; Max-Age=0'}
    server.post(LOGIN, body=body("login/success"), headers=headers)
    assert failure(client.login).reason == "no_token"


def test_a_failed_login_leaves_no_token(server, signed_in, body):
    server.post(LOGIN, body=body("login/wrong_password"), headers={"xsrf-token": "anonymous"})
    assert summary(failure(signed_in.login)) == ("20400", Reaction.REFUSE_CREDENTIALS, True)
    assert signed_in.token is None


def test_an_empty_answer_to_a_login_refuses_the_credentials(server, client):
    server.post(LOGIN, body=b"")
    assert summary(failure(client.login)) == ("empty", Reaction.REFUSE_CREDENTIALS, False)


def test_http_401_to_a_login_refuses_the_credentials(server, client):
    server.post(LOGIN, status=401)
    assert summary(failure(client.login)) == ("http_401", Reaction.REFUSE_CREDENTIALS, False)


def test_a_busy_server_refuses_no_credentials(server, client):
    server.post(LOGIN, status=503)
    assert summary(failure(client.login)) == ("http_503", Reaction.NEXT_TURN, False)


# Calls


def test_a_call_returns_the_data_of_the_envelope(server, signed_in, body, data):
    server.post(HOST + PATH, body=body("getStationList/classic"))
    assert signed_in.call(PATH, {}) == data("getStationList/classic")


def test_a_call_sends_the_token_as_header_and_as_cookie(server, signed_in, body):
    server.post(HOST + PATH, body=body("getStationList/empty"))
    signed_in.call(PATH, {"stationCodes": "A,B"})
    request = server.calls[0].request
    assert request.headers["XSRF-TOKEN"] == TOKEN
    assert request.headers["Cookie"] == f"XSRF-TOKEN={TOKEN}"
    assert json.loads(request.body) == {"stationCodes": "A,B"}


def test_a_new_token_in_a_later_answer_is_taken(server, signed_in, body):
    server.post(HOST + PATH, body=body("getStationList/empty"), headers={"xsrf-token": "renewed"})
    signed_in.call(PATH, {})
    assert signed_in.token == "renewed"


def test_a_refusal_may_bring_a_new_token_too(server, signed_in, body):
    answer = body("getDevRealKpi/too_frequent")
    call_failing_with(server, signed_in, body=answer, headers={"xsrf-token": "renewed"})
    assert signed_in.token == "renewed"


@pytest.mark.parametrize("name", ["xsrf-token", "Set-Cookie"])
def test_of_several_tokens_the_last_one_counts(server, client, body, name):
    values = ["first", "second"]
    headers = [(name, f"XSRF-TOKEN={each}" if name == "Set-Cookie" else each) for each in values]
    server.post(LOGIN, body=body("login/success"), headers=headers)
    client.login()
    assert client.token == "second"


def test_forget_drops_the_token(signed_in):
    signed_in.drop_token()
    assert signed_in.token is None


def test_every_call_is_one_request(server, signed_in, body):
    call_failing_with(server, signed_in, body=body("getDevRealKpi/too_frequent"))
    assert len(server.calls) == 1


@pytest.mark.parametrize(
    ("base_url", "address"),
    [
        ("http://plant.test:27200", "http://plant.test:27200/thirdData/getStationList"),
        ("https://plant.test/north/", "https://plant.test/north/thirdData/getStationList"),
    ],
)
def test_base_url_may_have_a_port_and_a_prefix(server, body, base_url, address):
    server.post(address, body=body("getStationList/empty"))
    assert Client(base_url, "api-user", "top-secret", timeout=5).call(PATH, {}) == []


def test_success_outweighs_a_fail_code(server, signed_in):
    server.post(HOST + PATH, json={"success": True, "data": [1], "failCode": 407})
    assert signed_in.call(PATH, {}) == [1]


@pytest.mark.parametrize(
    ("code", "data"), [(305, None), ("407", []), (0, "ACCESS_FREQUENCY_IS_TOO_HIGH"), (407, "x")]
)
def test_success_without_data_outweighs_no_fail_code(server, signed_in, code, data):
    answer = {"success": True, "data": data, "failCode": code}
    error = call_failing_with(server, signed_in, json=answer)
    told = int(code) or 407
    assert summary(error) == (str(told), FAIL_CODES[told].reaction, True)


@pytest.mark.parametrize("content_type", ["text/html", "application/octet-stream", "nonsense"])
def test_json_is_known_by_its_content(server, signed_in, body, content_type):
    server.post(HOST + PATH, body=body("getStationList/empty"), content_type=content_type)
    assert signed_in.call(PATH, {}) == []


def test_success_without_data_is_an_empty_answer(server, signed_in):
    server.post(HOST + PATH, json={"success": True})
    assert signed_in.call(PATH, {}) is None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_every_encoding_of_json_is_read(server, signed_in, encoding):
    answer = '{"success": true, "data": "Dächer"}'.encode(encoding)
    server.post(HOST + PATH, body=answer)
    assert signed_in.call(PATH, {}) == "Dächer"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("-9223372036854775808", -(2**63)),
        ("9007199254740993", 2**53 + 1),
        ("9" * 5000, float("inf")),
        ("-" + "9" * 5000, float("-inf")),
        ("1e400", float("inf")),
        ('"\\ud83d"', "\ud83d"),
        ('1, "data": 2', 2),
    ],
)  # fmt: skip
def test_odd_values_do_not_fail_the_answer(server, signed_in, written, read):
    server.post(HOST + PATH, body=f'{{"success": true, "data": {written}}}')
    assert signed_in.call(PATH, {}) == read


# Secrets


def chain(error: BaseException | None):
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize(
    "answer",
    [
        {"body": requests.exceptions.ConnectionError("top-secret")},
        {"body": b"{not json: top-secret"},
        {"body": b'{"success": false, "failCode": 20400, "message": "top-secret"}'},
        {"body": b"top-secret", "status": 500},
        {"status": 302, "headers": {"Location": "https://other.test/?top-secret"}},
    ],
)
def test_no_failure_carries_a_secret_or_another_exception(server, client, answer):
    server.post(LOGIN, **answer)
    server.post(HOST + PATH, **answer)
    refused_login, failed_call = failure(client.login), failure(client.call, PATH, {})
    assert list(chain(refused_login)) == [refused_login]
    assert "top-secret" not in f"{refused_login}{refused_login!r}{vars(refused_login)}"
    assert list(chain(failed_call)) == [failed_call]
    assert "top-secret" not in f"{failed_call}{failed_call!r}{failed_call.failure!r}"


def test_the_text_of_a_client_holds_no_secret():
    client = Client("https://door:key@fusionsolar.test/north", "api-user", "top-secret", timeout=5)
    client.token = TOKEN
    assert repr(client) == "Client(https://fusionsolar.test/north, api-user)"
    assert str(client) == repr(client)


# The environment


def settings_of(server) -> dict:
    return server.calls[0].request.req_kwargs


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({}, "/etc/environment.pem"),
        ({"ca_file": "/etc/own.pem"}, "/etc/own.pem"),
        ({"verify": False}, False),
        ({"verify": False, "ca_file": "/etc/own.pem"}, False),
    ],
)
def test_the_environments_bundle_serves_only_where_nothing_is_set(
    server, body, monkeypatch, given, sent
):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/etc/environment.pem")
    server.post(HOST + PATH, body=body("getStationList/empty"))
    Client(HOST, "api-user", "top-secret", timeout=5, **given).call(PATH, {})
    assert settings_of(server)["verify"] == sent


def test_netrc_is_never_read(server, client, body, tmp_path):
    (tmp_path / "netrc").write_text("machine fusionsolar.test login a password b\n")
    server.post(HOST + PATH, body=body("getStationList/empty"))
    client.call(PATH, {})
    assert "Authorization" not in server.calls[0].request.headers
