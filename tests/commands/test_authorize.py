"""`authorize`, from the address that a person opens to the file of the refresh token."""

import os
import socket
import stat
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager
from urllib.error import HTTPError
from urllib.parse import urlencode

import pytest
import yaml

from exporter import cli
from exporter.commands import authorize
from exporter.commands.redirect import (
    AuthorizationError,
    NotOursError,
    Redirect,
    code_in,
    code_pasted,
)
from exporter.simulator.http.server import Server
from exporter.simulator.http.system import System
from exporter.simulator.world.fleet import build

pytestmark = pytest.mark.slow

STATE = "a1b2c3d4"
SECRET = "client key=with&signs"
ELSEWHERE = "https://app.test/callback"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


class Person:
    """An owner of plants, a browser, and a terminal; `redirect_uri` is the application's."""

    def __init__(self, directory, url, monkeypatch):
        self.directory = directory
        self.url = f"{url}/rest/dp/uidm/oauth2/v1"
        self.base_url = url
        self.redirect_uri = f"http://localhost:{free_port()}/callback"
        self.token = directory / "refresh-token"
        self.auth = {}
        read, write = os.pipe()
        self.keyboard = os.fdopen(write, "w")
        monkeypatch.setattr(sys, "stdin", os.fdopen(read))
        monkeypatch.setattr(authorize, "token_hex", lambda count: STATE[: 2 * count])

    def close(self):
        self.keyboard.close()
        sys.stdin.close()

    def configure(self, *accounts):
        auth = {
            "type": "oauth",
            "client_id": "app",
            "client_secret": SECRET,
            "refresh_token_file": "refresh-token",
            "token_url": f"{self.url}/token",
            "authorize_url": f"{self.url}/authorize",
            "redirect_uri": self.redirect_uri,
            **self.auth,
        }
        own = {"name": "home", "base_url": self.base_url, "auth": auth}
        config = self.directory / "config.yaml"
        config.write_text(yaml.safe_dump({"accounts": [own, *accounts]}))
        return config

    def run(self, *flags):
        return cli.main(["authorize", "--config.file", str(self.configure()), *flags])

    @property
    def address(self):
        """What the command is to print."""
        asked = {
            "response_type": "code",
            "client_id": "app",
            "redirect_uri": self.redirect_uri,
            "scope": self.auth.get("scope", "pvms.openapi.basic"),
            "state": STATE,
        }
        return f"{self.url}/authorize?{urlencode(asked)}"

    def redirected(self):
        """The address that the browser ends at, where nobody is."""

        class Stay(urllib.request.HTTPRedirectHandler):
            def redirect_request(self, *_arguments):
                return None

        with pytest.raises(HTTPError) as stayed:
            urllib.request.build_opener(Stay).open(self.address)
        with stayed.value as answer:
            return answer.headers["Location"]

    def enter_lines(self, *lines):
        for line in lines:
            self.keyboard.write(f"{line}\n")
        self.keyboard.close()

    @contextmanager
    def browser(self, *addresses):
        """Opens these addresses once somebody waits for the redirect; what each page says."""
        pages = []

        thread = threading.Thread(target=lambda: pages.extend(map(visit, addresses)), daemon=True)
        thread.start()
        yield pages
        thread.join()


def visit(address):
    """Status and text of a page, as soon as somebody answers."""
    for _ in range(1_000):
        try:
            with urllib.request.urlopen(address, timeout=30) as answer:  # noqa: S310  # loopback
                return answer.status, answer.read().decode()
        except HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            time.sleep(0.02)
    raise AssertionError("nobody answers")


@pytest.fixture
def management():
    system = System(build(0, plants=1), clock=time.time, clients={"app": SECRET})
    with Server(system) as server:
        yield server


@pytest.fixture
def person(tmp_path, management, monkeypatch):
    made = Person(tmp_path, management.url, monkeypatch)
    yield made
    made.close()


def read_output(capsys):
    captured = capsys.readouterr()
    return captured.out, captured.err


def test_a_browser_on_this_machine_is_all_that_is_needed(person, management, capsys):
    with person.browser(person.address) as pages:
        assert person.run() == 0

    out, err = read_output(capsys)
    token = person.token.read_text().strip()
    assert pages == [(200, "You can close this page: the command goes on in its terminal.")]
    assert token in management.system.oauth.tokens
    assert stat.S_IMODE(person.token.stat().st_mode) == 0o600
    assert out == (
        "Open this address, sign in as the owner of the plants, and agree:\n\n"
        f"{person.address}\n\n"
        "Then this goes on by itself, if the browser runs on this machine. Otherwise paste the "
        "address that it ends at, though no page is shown there, or the code in it:\n"
        f"The refresh token of home is in {person.token}.\n"
        "A running exporter takes it up within a minute; to try it: "
        f"fusionsolar-exporter check --config.file {person.directory}/config.yaml\n"
    )
    assert err == ""


def test_where_the_redirect_leads_elsewhere_its_address_is_pasted(person, management, capsys):
    person.redirect_uri = ELSEWHERE
    person.enter_lines(person.redirected())

    assert person.run() == 0

    out, err = read_output(capsys)
    assert "Then paste the address that the browser ends at, or the code in it:\n" in out
    assert person.token.read_text().strip() in management.system.oauth.tokens
    assert err == ""


def test_the_code_alone_may_be_pasted_while_the_redirect_is_waited_for(person):
    person.enter_lines(code_in(person.redirected().partition("?")[2], STATE))
    assert person.run() == 0
    assert person.token.exists()


def test_what_is_pasted_by_mistake_is_told_and_another_try_is_taken(person, capsys):
    person.redirect_uri = ELSEWHERE
    person.enter_lines("", "no code", f"{ELSEWHERE}?code=c&state=other", person.redirected())

    assert person.run() == 0

    assert read_output(capsys)[1] == (
        "that is not it: there is no code in it\n"
        "that is not it: its state is not the one of this authorisation\n"
    )


def test_a_code_of_somebody_elses_authorisation_is_not_taken(person, capsys):
    wrong = f"{person.redirect_uri}?code=c&state=other"
    favicon = person.redirect_uri.replace("/callback", "/favicon.ico")
    with person.browser(wrong, favicon, person.address) as pages:
        assert person.run() == 0

    assert [status for status, _ in pages] == [400, 404, 200]
    assert (
        read_output(capsys)[1] == "that is not it: its state is not the one of this authorisation\n"
    )


def test_an_owner_who_does_not_agree_ends_it(person, capsys):
    denied = f"{person.redirect_uri}?error=access_denied&state={STATE}&error_description=x"
    with person.browser(denied):
        assert person.run() == 1

    assert read_output(capsys)[1] == "fusionsolar-exporter: the owner did not agree\n"
    assert not person.token.exists()


def test_words_of_whoever_refuses_are_not_repeated(person, capsys):
    with person.browser(f"{person.redirect_uri}?error=<b>x</b>&state={STATE}"):
        assert person.run() == 1

    assert read_output(capsys)[1] == "fusionsolar-exporter: the server refused without saying why\n"


def test_an_end_of_the_input_ends_it_where_nobody_else_can_bring_a_code(person, capsys):
    person.redirect_uri = ELSEWHERE
    person.enter_lines()
    assert person.run() == 1
    assert read_output(capsys)[1] == "fusionsolar-exporter: no code was given\n"


def test_a_code_that_was_used_is_told_in_one_line(person, capsys):
    person.redirect_uri = ELSEWHERE
    person.enter_lines("c-0")
    assert person.run() == 1
    assert read_output(capsys)[1] == (
        "fusionsolar-exporter: the code is not valid: it is used up, too old, or for another "
        "auth.redirect_uri; run this again\n"
    )


def test_a_wrong_client_secret_is_told_in_one_line(person, capsys):
    person.redirect_uri = ELSEWHERE
    person.auth = {"client_secret": "wrong"}
    person.enter_lines(person.redirected())
    assert person.run() == 1
    assert read_output(capsys)[1] == (
        "fusionsolar-exporter: client id or client secret is wrong [invalid_client]\n"
    )


def test_a_place_that_cannot_be_written_is_told_before_anybody_is_bothered(person, capsys):
    person.auth = {"refresh_token_file": "missing/token"}
    assert person.run() == 1
    file = person.directory / "missing" / "token"
    reason = "cannot be written: No such file or directory"
    assert read_output(capsys) == ("", f"fusionsolar-exporter: {file}: {reason}\n")


def test_a_port_that_is_taken_leaves_the_pasting(person, capsys):
    port = int(person.redirect_uri.split(":")[2].split("/")[0])
    person.enter_lines(person.redirected())
    with socket.create_server(("127.0.0.1", port)):
        assert person.run() == 0

    out, err = read_output(capsys)
    assert "Then paste the address" in out
    assert err == f"nobody can wait at {person.redirect_uri}: Address already in use\n"


def test_an_authorisation_anew_replaces_the_token_of_before(person, management):
    person.redirect_uri = ELSEWHERE
    person.token.write_text("r-0\n")
    person.enter_lines(person.redirected())
    assert person.run() == 0
    assert person.token.read_text().strip() in management.system.oauth.tokens


def test_neither_secret_nor_token_nor_code_is_shown(person, management, capsys):
    with person.browser(person.address):
        person.run()
    text = "".join(read_output(capsys))
    secrets = [SECRET, *management.system.oauth.tokens]
    assert len(secrets) > 2
    assert [secret for secret in secrets if secret in text] == []
    assert "code=" not in text


@pytest.mark.parametrize(
    ("others", "flags", "message"),
    [
        (
            [{"name": "b", "username": "u", "password": "p"}],
            ["--account", "b"],
            "no account signs in by OAuth; its `auth` says how, see config.example.yaml",
        ),
        ([], ["--account", "c"], "--account c: there is no such account, only home"),
    ],
)
def test_the_account_has_to_sign_in_by_oauth(person, capsys, others, flags, message):
    config = person.configure(*others)
    with pytest.raises(SystemExit) as exit_:
        cli.main(["authorize", "--config.file", str(config), *flags])
    assert exit_.value.code == 2
    assert read_output(capsys) == ("", f"fusionsolar-exporter: {message}\n")


def test_of_several_accounts_that_do_one_has_to_be_named(person, capsys):
    other = {
        "name": "b",
        "auth": {
            "type": "oauth",
            "client_id": "b",
            "client_secret": "s",
            "refresh_token_file": "other-token",
        },
    }
    config = person.configure(other, {"name": "c", "username": "u", "password": "p"})
    with pytest.raises(SystemExit):
        cli.main(["authorize", "--config.file", str(config)])
    assert read_output(capsys)[1] == "fusionsolar-exporter: --account is needed, one of home, b\n"


@pytest.mark.parametrize(
    "text",
    [
        f"http://localhost:10054/callback?code=c-1&state={STATE}",
        f"?code=c-1&state={STATE}",
        f"code=c-1&state={STATE}&locale=en",
        "  c-1\n",
    ],
)
def test_a_code_is_found_however_it_is_pasted(text):
    assert code_pasted(text, STATE) == "c-1"


@pytest.mark.parametrize(
    "query",
    [
        *("", "code=c-1", "code=c-1&state=%C3%BC", f"state={STATE}", f"code=&state={STATE}"),
        *(f"code=a%20b&state={STATE}", f"code=a&code=b&state={STATE}"),
    ],
)
def test_what_is_no_code_of_ours_is_not_taken(query):
    with pytest.raises(NotOursError):
        code_in(query, STATE)


def test_a_browser_that_says_nothing_keeps_nobody_waiting_for_ever(person, monkeypatch):
    monkeypatch.setattr("exporter.commands.redirect._RedirectHandler.timeout", 0.05)
    port = int(person.redirect_uri.split(":")[2].split("/")[0])
    with (
        Redirect(person.redirect_uri, STATE, sys.stdin, print) as redirect,
        socket.create_connection(("127.0.0.1", port)),
    ):
        person.enter_lines("c-1")
        assert redirect.wait() == "c-1"


def test_a_refusal_is_one_whatever_else_comes_with_it():
    with pytest.raises(AuthorizationError, match="did not agree"):
        code_in(f"error=access_denied&code=c-1&state={STATE}", STATE)
