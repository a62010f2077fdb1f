"""Where what survives a restart is kept: as the file says, else as the environment offers."""

from pathlib import Path

import pytest

ACCOUNT = "accounts: [{username: u, password: p}]\n"
EVERYTHING = {
    "FUSIONSOLAR_STATE_DIRECTORY": "/ours",
    "STATE_DIRECTORY": "/var/lib/private/solar:/var/lib/more",
    "XDG_STATE_HOME": "/xdg",
    "HOME": "/users/solar",
}


@pytest.mark.parametrize(
    ("lacking", "expected"),
    [
        ([], "/ours"),
        (["FUSIONSOLAR_STATE_DIRECTORY"], "/var/lib/private/solar"),
        (["FUSIONSOLAR_STATE_DIRECTORY", "STATE_DIRECTORY"], "/xdg/fusionsolar-exporter"),
        (
            ["FUSIONSOLAR_STATE_DIRECTORY", "STATE_DIRECTORY", "XDG_STATE_HOME"],
            "/users/solar/.local/state/fusionsolar-exporter",
        ),
    ],
)
@pytest.mark.parametrize("gone", [lambda _: None, lambda _: ""], ids=["unset", "empty"])
@pytest.mark.parametrize("state", ["", "state: {}\n"])
def test_without_the_key_it_is_the_first_that_the_environment_offers(
    loaded, lacking, expected, gone, state
):
    environ = EVERYTHING | {name: gone(name) for name in lacking}
    environ = {name: value for name, value in environ.items() if value is not None}

    settings = loaded(ACCOUNT + state, environ)

    assert settings.state.directory == Path(expected)
    assert settings.state.declined is False


@pytest.mark.parametrize("home", ["", "relative", "~"])
def test_a_place_that_is_not_absolute_is_none(loaded, home):
    environ = {"STATE_DIRECTORY": "solar", "XDG_STATE_HOME": "state", "HOME": home}

    settings = loaded(ACCOUNT, environ)

    assert settings.state.directory is None
    assert settings.state.declined is False


def test_what_the_file_says_comes_first(loaded, tmp_path):
    settings = loaded(f"{ACCOUNT}state: {{directory: memory}}", EVERYTHING)

    assert settings.state.directory == tmp_path / "memory"


def test_null_keeps_nothing_whatever_the_environment_offers(loaded):
    settings = loaded(f"{ACCOUNT}state: {{directory: null}}", EVERYTHING)

    assert settings.state.directory is None
    assert settings.state.declined is True


def test_the_same_place_is_the_same_setting_however_it_was_found(loaded):
    environ = {"FUSIONSOLAR_STATE_DIRECTORY": "/ours"}

    assert loaded(ACCOUNT, environ) == loaded(f"{ACCOUNT}state: {{directory: /ours}}")
