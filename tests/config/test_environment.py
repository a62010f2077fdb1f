import pytest

from exporter.config import ConfigError


def test_a_variable_replaces_a_whole_value(loaded) -> None:
    account = loaded(
        "accounts: [{username: '${API_USER}', password: \"${API_PASSWORD}\", timeout: '${T}'}]",
        {"API_USER": "api-user", "API_PASSWORD": "s: {e} #cret", "T": "1m"},
    ).accounts[0]
    assert (account.username, account.secret(), account.timeout) == ("api-user", "s: {e} #cret", 60)


def test_a_file_of_systemds_credentials_may_follow_their_directory(loaded, tmp_path) -> None:
    (tmp_path / "password").write_text("s3cret\n")
    account = loaded(
        "accounts: [{username: u, password_file: '${CREDENTIALS_DIRECTORY}/password'}]",
        {"CREDENTIALS_DIRECTORY": str(tmp_path)},
    ).accounts[0]
    assert account.secret() == "s3cret"


def test_without_credentials_their_directory_is_a_variable_that_is_missing(loaded) -> None:
    with pytest.raises(ConfigError) as refusal:
        loaded("accounts: [{username: u, password_file: '${CREDENTIALS_DIRECTORY}/password'}]", {})
    assert str(refusal.value).endswith(
        "accounts[0].password_file: the environment variable CREDENTIALS_DIRECTORY is not set"
    )


@pytest.mark.parametrize(
    "text", ["${X}/a", "a${X}", "${X}a", "${X}${X}", "$X", "$${X}", "{X}", "${}", "${X"]
)
def test_a_part_of_a_value_is_left_alone(loaded, text: str) -> None:
    account = loaded(f"accounts: [{{username: '{text}', password: p}}]", {"X": "x"}).accounts[0]
    assert account.username == text


def test_what_a_variable_holds_is_text_and_not_replaced_again(loaded) -> None:
    account = loaded(
        "accounts: [{username: '${A}', password: '${B}'}]", {"A": "4711", "B": "${A}"}
    ).accounts[0]
    assert (account.username, account.secret()) == ("4711", "${A}")


def test_variables_stand_for_values_in_lists_too(loaded) -> None:
    settings = loaded(
        "accounts: [{username: u, password: p, plants: {include: ['${PLANT}', b]}}]",
        {"PLANT": "NE=1"},
    )
    assert settings.accounts[0].plants.include == ("NE=1", "b")


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("timeout", "the variable's value has no unit; write 30s or 1h30m"),
        ("limits", "the variable's value is no set of limits; it can be safe, classic, v6, v25"),
        ("tls", "must be a mapping, such as {key: value}"),
        (
            "base_url",
            "must be an http:// or https:// URL without user, password, ? or #",
        ),
    ],
)
def test_a_value_from_a_variable_is_never_shown(loaded, key: str, message: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        loaded(f"accounts: [{{username: u, password: p, {key}: '${{X}}'}}]", {"X": "81549300"})
    assert str(refusal.value).endswith(f"config.yaml: accounts[0].{key}: {message}")


def test_an_empty_variable_is_an_empty_value(loaded) -> None:
    with pytest.raises(ConfigError, match=r"accounts\[0\]\.password: must not be empty$"):
        loaded("accounts: [{username: u, password: '${X}'}]", {"X": ""})
