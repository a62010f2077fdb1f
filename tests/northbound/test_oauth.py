"""The session of an OAuth client: what it asks for, keeps, sends, and never tells."""

from contextlib import contextmanager
from urllib.parse import parse_qs

import pytest
import requests
import responses
from northbound.client_calls import HOST, PATH, failure, summary

from exporter.northbound.errors import Reaction
from exporter.northbound.oauth import OAuthClient, TokenEndpoint
from exporter.northbound.transport import Transport

TOKEN_URL = "https://oauth2.test/oauth2/v1/token"
SECRETS = ("client-key", "r-1", "r-2", "a-1")
REFUSED = Reaction.REFUSE_CREDENTIALS


class TokenFile:
    """A refresh token in memory, and all that was done with it."""

    def __init__(self):
        self.token = "r-1"
        self.is_unsaved = False
        self.busy = False
        self.done = []
        self.full_after = 10**9  # writes

    @contextmanager
    def locked(self):
        if self.busy:
            raise BlockingIOError
        self.done.append("locked")
        yield
        self.done.append("free")

    def read(self):
        return self.token

    def write(self, token):
        self.done.append(token)
        if len([each for each in self.done if each.startswith("r-")]) > self.full_after:
            self.is_unsaved = token != self.token
            raise OSError(28, "No space left on device")
        self.token = token


def tokens(**fields):
    return {
        "access_token": "a-1",
        "refresh_token": "r-2",
        "expires_in": 3600,
        "token_type": "Bearer",
        "scope": "pvms.openapi.basic",
        **fields,
    }


@pytest.fixture
def token_file():
    return TokenFile()


def client_with(token_file, secret="client-key"):  # noqa: S107  # because tests invent theirs
    transport = Transport(5)
    endpoint = TokenEndpoint(TOKEN_URL, "app", secret, transport)
    return OAuthClient(f"{HOST}/", endpoint, token_file, transport)


@pytest.fixture
def client(token_file):
    return client_with(token_file)


def logged_in(server, client):
    server.post(TOKEN_URL, json=tokens())
    client.login()
    return client


# The login


def test_a_login_buys_a_token_with_the_refresh_token(server, client):
    server.post(TOKEN_URL, json=tokens())
    assert client.login() == 3600.0
    assert client.token == "a-1"
    request = server.calls[0].request
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert "Authorization" not in request.headers
    assert parse_qs(request.body) == {
        "grant_type": ["refresh_token"],
        "refresh_token": ["r-1"],
        "client_id": ["app"],
        "client_secret": ["client-key"],
    }


def test_the_next_refresh_token_is_kept_before_the_access_token_is_used(server, client, token_file):
    logged_in(server, client)
    assert token_file.done == ["locked", "r-1", "r-2", "free"]


@pytest.mark.parametrize("answered", [{"refresh_token": None}, {"refresh_token": "r-1"}])
def test_without_another_refresh_token_the_old_one_stays(server, client, token_file, answered):
    server.post(TOKEN_URL, json=tokens(**answered))
    client.login()
    assert token_file.done == ["locked", "r-1", "free"]


@pytest.mark.parametrize(
    ("expires_in", "seconds"),
    [
        (1800, 1800.0),
        ("1800", 1800.0),
        *((each, 3600.0) for each in (None, "", "N/A", 0, -5, True, [])),
    ],
)
def test_a_session_lasts_as_long_as_is_told_or_an_hour(server, client, expires_in, seconds):
    server.post(TOKEN_URL, json=tokens(expires_in=expires_in))
    assert client.login() == seconds


def test_without_a_refresh_token_nothing_is_asked(server, client, token_file):
    token_file.token = None
    error = failure(client.login)
    assert summary(error) == ("no_refresh_token", REFUSED, False)
    assert "fusionsolar-exporter authorize" in error.meaning
    assert len(server.calls) == 0


@pytest.mark.parametrize("status", [400, 401, 403, 200])
@pytest.mark.parametrize("named", ["invalid_grant", "invalid_client", "unauthorized_client"])
def test_a_refusal_refuses_the_credentials_and_is_told_by_its_name(server, client, status, named):
    server.post(TOKEN_URL, status=status, json={"error": named, "error_description": "r-1"})
    assert summary(failure(client.login)) == (named, REFUSED, True)
    assert client.token is None


@pytest.mark.parametrize("status", [400, 401])
@pytest.mark.parametrize("body", ["", "no", "[]", '{"error": ["r-1"]}', '{"error": "r-1"}'])
def test_a_refusal_without_a_known_name_refuses_the_credentials_too(server, client, status, body):
    server.post(TOKEN_URL, status=status, body=body)
    assert summary(failure(client.login)) == ("token_refused", REFUSED, True)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"status": 503}, ("http_503", Reaction.NEXT_TURN)),
        ({"status": 404}, ("http_404", Reaction.NEXT_TURN)),
        ({"status": 429}, ("http_429", Reaction.BACK_OFF)),
        ({"status": 403}, ("http_403", Reaction.BACK_OFF)),
        ({"body": "<html>"}, ("malformed", Reaction.NEXT_TURN)),
        ({"body": ""}, ("malformed", Reaction.NEXT_TURN)),
        ({"json": {"access_token": ""}}, ("no_token", Reaction.NEXT_TURN)),
        ({"json": {"access_token": "a b"}}, ("no_token", Reaction.NEXT_TURN)),
        ({"json": {"access_token": "a\r\nX: y"}}, ("no_token", Reaction.NEXT_TURN)),
        ({"json": {"access_token": ["a-1"]}}, ("no_token", Reaction.NEXT_TURN)),
        ({"body": requests.exceptions.ConnectTimeout()}, ("timeout", Reaction.NEXT_TURN)),
        ({"body": requests.exceptions.ConnectionError()}, ("connection", Reaction.NEXT_TURN)),
    ],
)
def test_what_is_no_refusal_says_nothing_about_the_credentials(
    server, client, token_file, answer, expected
):
    server.post(TOKEN_URL, **answer)
    error = failure(client.login)
    assert (error.reason, error.reaction) == expected
    assert (client.token, token_file.token) == (None, "r-1")


def test_a_busy_server_may_say_when_to_ask_again(server, client):
    server.post(TOKEN_URL, status=429, headers={"Retry-After": "90"})
    assert failure(client.login).retry_after == 90.0


def test_the_secret_follows_no_redirect(server, client):
    server.post(TOKEN_URL, status=307, headers={"Location": "https://elsewhere.test/"})
    error = failure(client.login)
    assert error.reason == "redirect"
    assert error.meaning.endswith("check token_url")
    assert len(server.calls) == 1


# Keeping


def test_what_cannot_be_kept_is_not_asked_for(server, client, token_file):
    token_file.full_after = 0
    error = failure(client.login)
    assert summary(error) == ("refresh_token_file", Reaction.NEXT_TURN, False)
    assert error.detail == "No space left on device"
    assert len(server.calls) == 0


def test_a_token_that_cannot_be_kept_is_not_used(server, client, token_file):
    token_file.full_after = 1
    server.post(TOKEN_URL, json=tokens())
    error = failure(client.login)
    assert summary(error) == ("refresh_token_unsaved", Reaction.NEXT_TURN, False)
    assert error.detail == "No space left on device"
    assert client.token is None


@pytest.mark.parametrize("access", [None, "", "a b", ["a-1"]])
def test_a_refresh_token_is_kept_that_came_with_no_usable_access_token(
    server, client, token_file, access
):
    server.post(TOKEN_URL, json=tokens(access_token=access))
    assert summary(failure(client.login)) == ("no_token", Reaction.NEXT_TURN, False)
    assert (client.token, token_file.token) == (None, "r-2")


def test_while_another_process_signs_in_nothing_is_asked(server, client, token_file):
    token_file.busy = True
    assert summary(failure(client.login)) == ("refresh_token_busy", Reaction.NEXT_TURN, False)
    assert len(server.calls) == 0


# Calls


def test_a_call_carries_the_bearer_token_alone(server, client):
    logged_in(server, client)
    headers = {"xsrf-token": "x-1", "Set-Cookie": "XSRF-TOKEN=x-1"}
    for _ in range(2):
        server.post(HOST + PATH, json={"success": True, "data": []}, headers=headers)
        assert client.call(PATH, {"pageNo": 1}) == []
    sent = server.calls[-1].request.headers
    assert sent["Authorization"] == "Bearer a-1"
    assert {"XSRF-TOKEN", "Cookie"} & set(sent) == set()
    assert client.token == "a-1"


def test_http_401_tells_that_the_token_is_not_good_any_more(server, client):
    logged_in(server, client)
    server.post(HOST + PATH, status=401, json={"error": "invalid_token"})
    assert summary(failure(client.call, PATH, {})) == ("http_401", Reaction.LOG_IN, False)


def test_a_token_endpoints_answer_is_captured_by_nobody(server, client):
    heard = []
    client.on_response = lambda path, body: heard.append((path, body))
    logged_in(server, client)
    server.post(HOST + PATH, body=b'{"success": true, "data": []}')
    client.call(PATH, {})
    assert heard == [(PATH, b'{"success": true, "data": []}')]


# What the credentials are


def test_other_credentials_are_recognised_by_the_refresh_token_or_the_secret(
    server, client, token_file
):
    server.post(TOKEN_URL, status=400, json={"error": "invalid_grant"})
    failure(client.login)
    refused = client.fingerprint
    assert client.has_credentials(refused)
    assert not client_with(token_file, "another").has_credentials(refused)
    token_file.token = "r-9"
    assert not client.has_credentials(refused)
    assert client.fingerprint == refused  # of what was refused, not of what stands there by now


def test_after_a_restart_the_credentials_are_those_in_the_file(client, token_file):
    assert client_with(token_file).has_credentials(client.fingerprint)


def test_a_file_that_cannot_be_read_holds_no_other_credentials(
    server, client, token_file, monkeypatch
):
    server.post(TOKEN_URL, status=400, json={"error": "invalid_grant"})
    failure(client.login)

    def fail():
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(token_file, "read", fail)
    assert client.has_credentials(client.fingerprint)


# Secrets


def text_of(error):
    """All that an exception could tell, with those that it came from."""
    text = ""
    while error is not None:
        text += f"{error!r} {error} {vars(error)} {getattr(error, 'failure', '')!r}"
        error = error.__context__ or error.__cause__
    return text


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 400, "json": {"error": "invalid_grant", "error_description": "r-1 client-key"}},
        {"status": 503, "body": "r-1 client-key"},
        {"body": "a-1 r-2"},
        {"status": 302, "headers": {"Location": "https://r-1:client-key@elsewhere.test/a-1"}},
        {"body": requests.exceptions.ConnectionError("r-1 client-key")},
    ],
)
def test_no_failure_tells_a_secret(server, client, answer):
    server.post(TOKEN_URL, **answer)
    text = text_of(failure(client.login)) + repr(client)
    assert [secret for secret in SECRETS if secret in text] == []


def test_tokens_do_not_print():
    transport = Transport(5)
    endpoint = TokenEndpoint(TOKEN_URL, "app", "client-key", transport)
    with responses.RequestsMock() as server:
        server.post(TOKEN_URL, json=tokens())
        text = repr(endpoint.exchange("c-1", "http://localhost/")) + repr(endpoint)
        form = parse_qs(server.calls[0].request.body)
    assert [secret for secret in SECRETS if secret in text] == []
    assert form == {
        "grant_type": ["authorization_code"],
        "code": ["c-1"],
        "redirect_uri": ["http://localhost/"],
        "client_id": ["app"],
        "client_secret": ["client-key"],
    }
