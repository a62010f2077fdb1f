"""A failure that an answer's envelope tells is a reason and a reaction."""

import pytest
from northbound.client_calls import LOGIN, call_failing_with, failure, summary

from exporter.northbound.errors import FAIL_CODES, Reaction

CREDENTIALS = {20001, 20002, 20003, 20400, 20403, 30029}
OF_ANYBODY = {407, 20004, 20200, 20618, 30008}  # why a login may fail, whoever asks


@pytest.mark.parametrize("code", sorted(FAIL_CODES.keys() - CREDENTIALS))
def test_every_fail_code_is_told_with_its_reaction(server, signed_in, code):
    error = call_failing_with(server, signed_in, json={"success": False, "failCode": code})
    assert summary(error) == (str(code), FAIL_CODES[code].reaction, True)
    assert error.meaning == FAIL_CODES[code].meaning


@pytest.mark.parametrize("code", sorted(CREDENTIALS))
def test_a_credentials_code_refuses_the_interface_that_answers_with_it(server, signed_in, code):
    error = call_failing_with(server, signed_in, json={"success": False, "failCode": code})
    assert summary(error) == (str(code), Reaction.SUSPEND, True)
    assert error.meaning == f"the interface is refused, as if {FAIL_CODES[code].meaning}"


@pytest.mark.parametrize("code", sorted(FAIL_CODES.keys() - OF_ANYBODY))
def test_a_login_that_is_refused_refuses_the_credentials(server, client, code):
    server.post(LOGIN, json={"success": False, "failCode": code, "message": "wrong password"})
    error = failure(client.login)
    assert summary(error) == (str(code), Reaction.REFUSE_CREDENTIALS, True)
    assert "session" not in error.meaning or code == 20400
    assert error.message == ""


@pytest.mark.parametrize(
    "answer",
    [
        {"success": False, "failCode": 0, "message": "user.login.user_or_value_invalid"},
        {"success": False, "failCode": None, "data": "USER_MUST_RELOGIN"},
        {"success": False, "failCode": 12345},
        {"success": False, "failCode": 1234567},
        {"success": False, "failCode": 0, "message": None},
        {"success": False},
    ],
)
def test_so_does_one_that_is_refused_in_words_or_by_an_unknown_code(server, client, answer):
    server.post(LOGIN, json=answer)
    assert failure(client.login).reaction is Reaction.REFUSE_CREDENTIALS


def test_a_login_refused_by_an_unknown_code_with_http_400_is_refused_too(server, client):
    server.post(LOGIN, status=400, json={"success": False, "failCode": 20406})
    assert summary(failure(client.login)) == ("20406", Reaction.REFUSE_CREDENTIALS, True)


@pytest.mark.parametrize("answer", [{"status": 401}, {"json": {"success": False, "failCode": 305}}])
def test_a_refused_login_tells_how_long_the_server_wants_to_be_left_alone(server, client, answer):
    server.post(LOGIN, headers={"Retry-After": "7200"}, **answer)
    assert failure(client.login).retry_after == 7_200.0


@pytest.mark.parametrize("code", sorted(OF_ANYBODY))
def test_a_login_that_fails_for_everybody_refuses_no_credentials(server, client, code):
    server.post(LOGIN, json={"success": False, "failCode": code})
    assert summary(failure(client.login)) == (str(code), FAIL_CODES[code].reaction, True)


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
    assert (error.message, error.reason) == ("", str(fail_code or "refused"))


@pytest.mark.parametrize("status", [200, 400])
def test_a_code_comes_with_its_message(server, signed_in, status):
    answer = {"success": False, "failCode": 20020, "message": "two\nlines\x1b[2J " + "x" * 300}
    error = call_failing_with(server, signed_in, status=status, json=answer)
    assert error.reason == "20020"
    assert error.message.startswith("two lines�[2J xxx")
    assert len(error.message) == 200


@pytest.mark.parametrize("success", [1, "true", None, []])
def test_only_true_is_success(server, signed_in, success):
    answer = {"success": success, "data": [], "failCode": 0}
    assert call_failing_with(server, signed_in, json=answer).reason == "malformed"


@pytest.mark.parametrize("code", [0, 10**12])
def test_a_code_that_is_none_is_no_reason_of_its_own(server, signed_in, code):
    answer = {"success": False, "data": [], "failCode": code}
    assert call_failing_with(server, signed_in, json=answer).reason == "refused"
