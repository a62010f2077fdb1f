import os
import traceback
from pathlib import Path

import pytest
from pydantic import ValidationError

from exporter.config import AccountSettings, ConfigError, Settings

SECRET = "corr3ct-h0rse"

GIVEN = {
    "password": f"password: {SECRET}",
    "password_file": "password_file: password.txt",
    "variable": "password: ${API_PASSWORD}",
}


@pytest.fixture(params=GIVEN)
def settings(request, loaded, tmp_path: Path) -> Settings:
    (tmp_path / "password.txt").write_text(f"{SECRET}\n")
    return loaded(
        f"accounts: \n  - username: api-user\n    {GIVEN[request.param]}", {"API_PASSWORD": SECRET}
    )


def test_the_password_is_there_for_those_who_ask(settings: Settings) -> None:
    assert settings.accounts[0].secret() == SECRET


@pytest.mark.parametrize(
    "printed",
    [
        repr,
        str,
        format,
        lambda settings: f"{settings.accounts[0]!r} {settings.accounts}",
        lambda settings: str(settings.model_dump()),
        lambda settings: settings.model_dump_json(),
        lambda settings: str(vars(settings.accounts[0])),
        lambda settings: str(list(settings.accounts[0])),
    ],
)
def test_the_password_does_not_print(settings: Settings, printed) -> None:
    assert SECRET not in printed(settings)


@pytest.mark.parametrize(
    ("contents", "password"),
    [
        ("secret", "secret"),
        ("secret\n", "secret"),
        ("secret\r\n", "secret"),
        ("secret\n\n", "secret\n"),
        (" secret ", " secret "),
        ("gemüse\n", "gemüse"),
        ("\ufeffsecret\n", "secret"),
    ],
)
def test_one_newline_is_dropped_at_the_end_of_a_password_file(
    loaded, tmp_path: Path, contents: str, password: str
) -> None:
    (tmp_path / "password.txt").write_bytes(contents.encode())
    account = loaded("accounts: [{username: u, password_file: password.txt}]").accounts[0]
    assert account.secret() == password


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (b"", "is an empty file"),
        (b"\n", "is an empty file"),
        (b"\xff" + SECRET.encode(), "cannot be read: it is not UTF-8 text"),
    ],
)
def test_a_password_file_without_a_password_is_refused(
    loaded, tmp_path: Path, contents: bytes, message: str
) -> None:
    (tmp_path / "password.txt").write_bytes(contents)
    with pytest.raises(ConfigError) as refusal:
        loaded("accounts: [{username: u, password_file: password.txt}]")
    assert str(refusal.value).endswith(f": accounts[0].password_file: {message}")


@pytest.mark.parametrize("key", ["password_file: a", "password: p, tls: {ca_file: a}"])
def test_what_may_never_end_is_refused_unread(loaded, tmp_path: Path, key: str) -> None:
    os.mkfifo(tmp_path / "a")
    with pytest.raises(ConfigError, match=r"_file: is not a file$"):
        loaded(f"accounts: [{{username: u, {key}}}]")


@pytest.mark.parametrize(
    "text",
    [
        f"accounts: [{{username: u, password: [{SECRET}]}}]",
        f"accounts: [{{username: u, password: {{{SECRET}: 1}}}}]",
        f"accounts: [{{username: u, password: {SECRET}, timeout: 30}}]",
        f"accounts: [{{username: u, passwort: {SECRET}}}]",
        f"accounts: [{{username: u, password: {SECRET}, password_file: config.yaml}}]",
        f"accounts: [{{username: [1], password: {SECRET}}}, {{username: u, password: {SECRET}}}]",
        f"accounts: [{{username: u, password: {SECRET}}}, {{username: u, password: {SECRET}}}]",
        f"accounts: [{{username: u, password: {SECRET}, base_url: 'https://u:{SECRET}@host'}}]",
        f"accounts: [{{username: u, password: !{SECRET} x}}]",
        f"accounts: [{{username: u, password: *{SECRET} }}]",
        f"accounts: [{{username: u, password: {SECRET}: x}}]",
        f"accounts:\n  - username: u\n    password: {SECRET}: x",
        f"accounts:\n  - username: u\n    password: '{SECRET}",
        f"accounts:\n  - username: u\n    password: %{SECRET}\n\t",
        f"accounts: {SECRET}",
        f"{SECRET}",
        f"accounts: [{{username: '${{UNSET}}', password: {SECRET}}}]",
    ],
)
def test_no_refusal_tells_the_password(loaded, text: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        loaded(text)
    trace = "".join(traceback.format_exception(refusal.value))
    link = refusal.value
    while link:
        trace += f"{link!r} {link.args} {vars(link)}"
        if isinstance(link, ValidationError):
            trace += str(link.errors())
        link = link.__cause__ or link.__context__
    assert SECRET not in trace


def test_the_model_itself_does_not_quote_what_it_refuses() -> None:
    with pytest.raises(ValidationError) as refusal:
        AccountSettings.model_validate({"username": 1, "password": [SECRET], "passwort": SECRET})
    assert SECRET not in f"{refusal.value} {refusal.value!r}"


URL = f"postgresql://exporter:{SECRET}@db.example/state"


@pytest.mark.parametrize(
    "given", [f"database: {URL}", "database: '${DATABASE_URL}'", "database_file: url.txt"]
)
def test_the_url_of_a_database_is_a_secret(loaded, tmp_path: Path, given: str) -> None:
    (tmp_path / "url.txt").write_text(f"{URL}\n")
    account = "accounts: [{username: api-user, password: other}]"
    environ = {"DATABASE_URL": URL, "STATE_DIRECTORY": "/var/lib/x"}
    settings = loaded(f"{account}\nstate: {{{given}}}", environ)

    assert settings.state.url() == URL
    assert (settings.state.directory, settings.state.has_place) == (None, True)
    assert settings.state.declined is False
    for printed in (repr, str, lambda settings: settings.model_dump_json()):
        assert SECRET not in printed(settings)


def test_what_is_no_url_of_a_database_is_not_quoted(loaded) -> None:
    account = "accounts: [{username: api-user, password: other}]"
    with pytest.raises(ConfigError) as refused:
        loaded(f"{account}\nstate: {{database: 'host/{SECRET}'}}")

    assert SECRET not in "".join(traceback.format_exception(refused.value))
