import gzip
import json

import pytest
import requests
import responses
import urllib3

from exporter.northbound.client import Client
from exporter.northbound.errors import FAIL_CODES, CallError, Reaction

HOST = "https://fusionsolar.test"
LOGIN = f"{HOST}/thirdData/login"
PATH = "/thirdData/getStationList"
TOKEN = "x-a1b2c3=="


@pytest.fixture
def server():
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def signed_in(client):
    client.token = TOKEN
    return client


def failure(do, *args) -> CallError:
    with pytest.raises(CallError) as caught:
        do(*args)
    return caught.value


def call_failing_with(server, client, **answer) -> CallError:
    server.post(HOST + PATH, **answer)
    return failure(client.call, PATH, {})


def summary(error: CallError) -> tuple:
    return error.reason, error.reaction, error.enveloped


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


def test_a_failed_answer_brings_no_token(server, signed_in, body):
    answer = body("getDevRealKpi/too_frequent")
    call_failing_with(server, signed_in, body=answer, headers={"xsrf-token": "renewed"})
    assert signed_in.token == TOKEN


def test_forget_drops_the_token(signed_in):
    signed_in.forget()
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


# Failures inside an envelope


@pytest.mark.parametrize("code", sorted(FAIL_CODES))
def test_every_fail_code_is_told_with_its_reaction(server, signed_in, code):
    error = call_failing_with(server, signed_in, json={"success": False, "failCode": code})
    assert summary(error) == (str(code), FAIL_CODES[code].reaction, True)
    assert error.meaning == FAIL_CODES[code].meaning


@pytest.mark.parametrize("code", [305, 305.0, "305", " 305 ", "305.0"])
def test_a_fail_code_may_be_an_integer_a_float_or_a_text(server, signed_in, code):
    error = call_failing_with(server, signed_in, json={"success": False, "failCode": code})
    assert error.reason == "305"


@pytest.mark.parametrize("fail_code", [0, None, "", "0", False, True, [], 0.5])
def test_the_code_may_stand_in_data(server, signed_in, fail_code):
    answer = {"success": False, "failCode": fail_code, "data": 20007}
    error = call_failing_with(server, signed_in, json=answer)
    assert summary(error) == ("20007", Reaction.REREAD_FLEET, True)


def test_the_references_own_failure_is_understood(server, signed_in, body):
    error = call_failing_with(server, signed_in, body=body("getStationList/code_in_data"))
    assert error.reason == "20007"


@pytest.mark.parametrize("place", ["data", "message"])
def test_too_frequent_is_understood_without_a_code(server, signed_in, place):
    answer = {"success": False, "failCode": 0, place: "ACCESS_FREQUENCY_IS_TOO_HIGH"}
    error = call_failing_with(server, signed_in, json=answer)
    assert summary(error) == ("407", Reaction.BACK_OFF, True)


def test_a_failure_may_have_nothing_but_a_message(server, signed_in, body):
    error = call_failing_with(server, signed_in, body=body("snIsRegister/unknown_user"))
    assert summary(error) == ("refused", Reaction.NEXT_TURN, True)
    assert error.message == "user does not exist"
    assert error.message not in f"{error}{error!r}{error.meaning}"


@pytest.mark.parametrize("message", [None, "", " ", True, [], {"text": "no"}])
@pytest.mark.parametrize("fail_code", [0, None, 20007])
def test_a_message_that_is_no_text_tells_nothing(server, signed_in, message, fail_code):
    answer = {"success": False, "failCode": fail_code, "message": message}
    error = call_failing_with(server, signed_in, json=answer)
    assert (error.message, error.reason) == ("", str(fail_code or "malformed"))


@pytest.mark.parametrize("status", [200, 400])
def test_a_code_comes_with_its_message(server, signed_in, status):
    answer = {"success": False, "failCode": 20020, "message": "two\nlines\x1b[2J " + "x" * 300}
    error = call_failing_with(server, signed_in, status=status, json=answer)
    assert error.reason == "20020"
    assert error.message.startswith("two lines�[2J xxx")
    assert len(error.message) == 200


@pytest.mark.parametrize("success", [1, "true", None, False, []])
def test_only_true_is_success(server, signed_in, success):
    answer = {"success": success, "data": [], "failCode": 0}
    assert call_failing_with(server, signed_in, json=answer).reason == "malformed"


def test_a_code_out_of_range_is_no_reason_of_its_own(server, signed_in):
    answer = {"success": False, "failCode": 10**12}
    assert call_failing_with(server, signed_in, json=answer).reason == "malformed"


# Failures outside of one


@pytest.mark.parametrize(
    "answer",
    [
        b"<html>Sign in</html>",
        b"[]",
        b"true",
        b"null",
        b'"text"',
        b"{}",
        b'{"success": fal',
        b'{"success": false}',
        b'{"success": true, "data": \xff}',
        b"[" * 100_000,
        b'{"success": true, "data": "\x00"}',
    ],
    ids=lambda answer: repr(answer[:24]),
)
def test_what_is_no_envelope_is_malformed(server, signed_in, answer):
    error = call_failing_with(server, signed_in, body=answer)
    assert summary(error) == ("malformed", Reaction.NEXT_TURN, False)


@pytest.mark.parametrize("answer", [b"", b" \r\n"])
def test_an_empty_answer_to_a_call_waits_for_its_next_turn(server, signed_in, answer):
    error = call_failing_with(server, signed_in, body=answer)
    assert summary(error) == ("empty", Reaction.NEXT_TURN, False)


@pytest.mark.parametrize(
    ("status", "reaction"),
    [
        (201, Reaction.NEXT_TURN),
        (204, Reaction.NEXT_TURN),
        (400, Reaction.NEXT_TURN),
        (401, Reaction.LOG_IN),
        (403, Reaction.PAUSE),
        (404, Reaction.NEXT_TURN),
        (429, Reaction.PAUSE),
        (500, Reaction.NEXT_TURN),
        (502, Reaction.NEXT_TURN),
        (503, Reaction.NEXT_TURN),
        (504, Reaction.NEXT_TURN),
    ],
)
def test_every_other_status_is_a_failure(server, signed_in, status, reaction):
    error = call_failing_with(server, signed_in, status=status)
    assert summary(error) == (f"http_{status}", reaction, False)


@pytest.mark.parametrize("status", [400, 404, 500, 503])
def test_an_envelope_with_a_known_code_says_more_than_the_status(server, signed_in, status):
    answer = {"success": False, "failCode": 305}
    error = call_failing_with(server, signed_in, status=status, json=answer)
    assert summary(error) == ("305", Reaction.LOG_IN, True)


@pytest.mark.parametrize(
    "answer",
    [
        {"success": False, "failCode": 12345},
        {"success": True, "failCode": 305},
        {"failCode": 305},
        {"success": False},
        [],
    ],
)
def test_any_other_body_says_less_than_the_status(server, signed_in, answer):
    assert call_failing_with(server, signed_in, status=500, json=answer).reason == "http_500"


@pytest.mark.parametrize("status", [401, 403, 429])
def test_these_statuses_stand_whatever_the_body_says(server, signed_in, status):
    answer = {"success": False, "failCode": 20009}
    error = call_failing_with(server, signed_in, status=status, json=answer)
    assert error.reason == f"http_{status}"


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
def test_a_redirect_is_refused(server, signed_in, status):
    headers = {"Location": f"{HOST}/elsewhere"}
    error = call_failing_with(server, signed_in, status=status, headers=headers)
    assert summary(error) == ("redirect", Reaction.NEXT_TURN, False)
    assert len(server.calls) == 1


@pytest.mark.parametrize(
    ("raised", "reason"),
    [
        (requests.exceptions.ConnectTimeout(), "timeout"),
        (requests.exceptions.ReadTimeout(), "timeout"),
        (requests.exceptions.SSLError(), "tls"),
        (requests.exceptions.ConnectionError(), "connection"),
        (requests.exceptions.ProxyError(), "connection"),
        (requests.exceptions.ChunkedEncodingError(), "connection"),
        (requests.exceptions.InvalidHeader(), "connection"),
        (urllib3.exceptions.LocationParseError("x"), "connection"),
        (UnicodeError(), "connection"),
        (OSError(), "connection"),
        (RuntimeError(), "connection"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value,
)
def test_whatever_the_library_raises_is_a_call_error(server, signed_in, raised, reason):
    error = call_failing_with(server, signed_in, body=raised)
    assert summary(error) == (reason, Reaction.NEXT_TURN, False)


def test_a_broken_compression_is_malformed(server, signed_in, body):
    broken = b"\x1f\x8b" + gzip.compress(body("getStationList/classic"))[3:]
    headers = {"Content-Encoding": "gzip"}
    error = call_failing_with(server, signed_in, body=broken, headers=headers)
    assert error.reason == "malformed"


@pytest.mark.parametrize(
    "base_url", ["", "no-scheme", "ftp://x", "https://", "http://a:b:c", "http://\udc80"]
)
def test_an_address_that_is_none_is_a_call_error(base_url):
    client = Client(base_url, "api-user", "top-secret", timeout=5)
    assert failure(client.login).reason == "connection"


@pytest.mark.parametrize("token", ["line\nbreak", "sign ☀", "\udc80"])
def test_a_token_that_cannot_be_sent_is_a_call_error_without_it(client, token):
    client.token = token
    error = failure(client.call, PATH, {})
    assert error.reason == "connection"
    assert token not in str(error)


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
    error = failure(client.login)
    assert list(chain(error)) == [error]
    assert "top-secret" not in f"{error}{error!r}{vars(error)}"


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
