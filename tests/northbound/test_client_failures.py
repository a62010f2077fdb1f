"""A failure that no envelope tells is a reason and a reaction, too."""

import gzip

import pytest
import requests
import urllib3
from northbound.client_calls import HOST, PATH, call_failing_with, failure, summary

from exporter.account.login import is_about_session
from exporter.northbound.client import Client
from exporter.northbound.errors import Reaction

GATEWAY = {
    "descArgs": None,
    "detailArgs": ["pageSize"],
    "exceptionId": "framwork.remote.Paramerror",
    "exceptionType": "ROA_EXFRAME_EXCEPTION",
    "reasonArgs": ["pageSize"],
}


def test_parameters_that_a_gateway_refuses_are_no_outage(server, signed_in):
    error = call_failing_with(server, signed_in, status=400, json=GATEWAY)
    assert summary(error) == ("bad_parameters", Reaction.NEXT_TURN, True)
    assert error.message == "framwork.remote.Paramerror"
    assert not is_about_session(error)


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (400, {"exceptionType": None}, "http_400"),
        (400, {"exceptionType": "PROXY"}, "http_400"),
        (500, {}, "http_500"),
        (403, {}, "http_403"),
        (400, {"success": False, "failCode": 305}, "305"),
        (400, {"exceptionId": {"x": 1}}, "bad_parameters"),
    ],
)
def test_other_answers_of_a_gateway_stay_what_they_are(server, signed_in, status, body, reason):
    error = call_failing_with(server, signed_in, status=status, json={**GATEWAY, **body})
    assert error.reason == reason


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


SESSION_WORDS = "USER_MUST_RELOGIN"


@pytest.mark.parametrize(
    "answer",
    [
        {"success": False, "failCode": 0, "message": SESSION_WORDS},
        {"success": False, "failCode": None, "data": SESSION_WORDS},
        {"success": False, "failCode": 401, "message": f"reason: {SESSION_WORDS}"},
        {"success": True, "failCode": 0, "data": SESSION_WORDS},
        {"success": True, "data": None, "message": SESSION_WORDS.lower()},
        {"data": {"reason": SESSION_WORDS, "immediately": True}},
        SESSION_WORDS,
    ],
)
@pytest.mark.parametrize("status", [200, 400, 401, 403, 429, 500])
def test_the_words_for_a_lost_session_count_like_its_code(server, signed_in, status, answer):
    error = call_failing_with(server, signed_in, status=status, json=answer)
    assert summary(error) == ("305", Reaction.LOG_IN, True)


def test_words_in_the_values_of_a_success_are_values(server, signed_in):
    server.post(HOST + PATH, json={"success": True, "data": [{"devName": SESSION_WORDS}]})
    assert signed_in.call(PATH, {}) == [{"devName": SESSION_WORDS}]


@pytest.mark.parametrize("code", [305, 306, 307])
@pytest.mark.parametrize("status", [403, 429])
def test_a_sessions_code_says_more_than_a_refusal_for_load(server, signed_in, status, code):
    answer = {"success": False, "failCode": code}
    error = call_failing_with(server, signed_in, status=status, json=answer)
    assert summary(error) == (str(code), Reaction.LOG_IN, True)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0.0),
        ({"Retry-After": "180"}, 180.0),
        ({"Retry-After": " 0 "}, 0.0),
        ({"Retry-After": "-5"}, 0.0),
        ({"Retry-After": "soon"}, 0.0),
        ({"Retry-After": "³"}, 0.0),
        (
            {
                "Date": "Wed, 21 Oct 2015 07:28:00 GMT",
                "Retry-After": "Wed, 21 Oct 2015 08:28:00 GMT",
            },
            3_600.0,
        ),
        (
            {
                "Date": "Wed, 21 Oct 2015 07:28:00 GMT",
                "Retry-After": "Wed, 21 Oct 2015 06:28:00 GMT",
            },
            0.0,
        ),
        ({"Retry-After": "Wed, 21 Oct 2015 08:28:00 GMT"}, 0.0),
    ],
)
@pytest.mark.parametrize("status", [429, 403, 503, 200])
def test_a_failure_tells_how_long_the_server_wants_to_be_left_alone(
    server, signed_in, status, headers, seconds
):
    answer = {"success": False, "failCode": 407}
    error = call_failing_with(server, signed_in, status=status, json=answer, headers=headers)
    assert error.retry_after == seconds


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
def test_a_redirect_is_refused(server, signed_in, status):
    headers = {"Location": f"{HOST}/elsewhere"}
    error = call_failing_with(server, signed_in, status=status, headers=headers)
    assert summary(error) == ("redirect", Reaction.NEXT_TURN, False)
    assert len(server.calls) == 1


@pytest.mark.parametrize(
    ("location", "detail"),
    [
        ("https://uni001eu5.fusionsolar.huawei.com/unisso/login.action?ticket=ST-1#/LOGIN",
         "to https://uni001eu5.fusionsolar.huawei.com"),
        ("http://user:pa55word@elsewhere.example:8080/", "to http://elsewhere.example:8080"),
        ("//Elsewhere.example/a", "to https://elsewhere.example"),
        ("https://[2001:db8::1]:443/", "to https://[2001:db8::1]"),
        ("/elsewhere?ticket=ST-1", "to another path of the same host"),
        ("", ""),
        ("ftp://elsewhere.example/", ""),
        ("https://a b.example/", ""),
        (f"https://{'a' * 300}.example/", ""),
        ("https://elsewhere.example:pa55word/", ""),
        ("https://[", ""),
    ],
)  # fmt: skip
def test_a_redirect_names_the_host_and_nothing_else_of_where_it_points(
    server, signed_in, location, detail
):
    error = call_failing_with(server, signed_in, status=302, headers={"Location": location})
    assert error.detail == detail


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
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value,
)
def test_whatever_the_library_raises_is_a_call_error(server, signed_in, raised, reason):
    error = call_failing_with(server, signed_in, body=raised)
    assert summary(error) == (reason, Reaction.NEXT_TURN, False)


def test_a_bug_of_ours_is_no_failure_of_the_server(server, signed_in):
    server.post(HOST + PATH, body=RuntimeError("a bug"))
    with pytest.raises(RuntimeError, match="a bug"):
        signed_in.call(PATH, {})


@pytest.mark.parametrize("value", [b"[]", b"{}", b"[[]]", b"0"])
def test_an_answer_of_millions_of_values_is_too_large(server, signed_in, value):
    body = b'{"success": true, "data": [' + b",".join([value] * 4_000_000) + b"]}"
    assert call_failing_with(server, signed_in, body=body).reason == "too_large"


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
