"""Every failure of a call is a reason and a reaction, inside of an envelope or outside."""

import gzip

import pytest
import requests
import urllib3
from northbound.calling import HOST, PATH, call_failing_with, failure, summary

from exporter.northbound.client import Client
from exporter.northbound.errors import FAIL_CODES, Reaction

# Inside an envelope


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


# Outside of one


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
