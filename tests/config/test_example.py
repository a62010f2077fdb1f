import re
from pathlib import Path

from pydantic import BaseModel

from exporter.config import Settings, load
from exporter.config.schema import Override, StateSettings
from exporter.northbound.interfaces import INTERFACES

EXAMPLE = Path(__file__).parents[2] / "config.example.yaml"


def example() -> Settings:
    return load(EXAMPLE, {"FUSIONSOLAR_PASSWORD": "secret"})


def keys_left_out(section: BaseModel) -> list[str]:
    """The keys of a section, and of those within it, that the file does not write out."""
    missing = [
        f"{type(section).__name__}.{key}"
        for key in type(section).model_fields.keys() - section.model_fields_set
    ]
    for value in dict(section).values():
        parts = value if isinstance(value, tuple) else [value]
        for part in parts:
            if isinstance(part, BaseModel):
                missing += keys_left_out(part)
    return missing


def test_the_example_writes_out_every_key_but_the_place_of_the_state() -> None:
    left_out = {"Settings.state", *(f"StateSettings.{key}" for key in StateSettings.model_fields)}
    assert set(keys_left_out(example())) == left_out
    text = EXAMPLE.read_text("utf-8")
    assert "\n#state:\n#  directory: /" in text
    assert "\n#  database: postgresql://" in text
    assert "\n#  database_file: " in text


def test_the_example_shows_the_defaults(tmp_path: Path) -> None:
    bare = tmp_path / "config.yaml"
    bare.write_text("accounts: [{username: api-user, password: secret}]")
    defaults = load(bare, {})
    settings = example()
    assert settings.model_copy(update={"interfaces": {}}) == defaults.model_copy(
        update={"interfaces": {}}
    )
    assert settings.accounts[0].secret() == "secret"


def test_the_example_shows_every_key_of_a_sign_in_by_oauth_and_its_default(tmp_path: Path) -> None:
    text = EXAMPLE.read_text("utf-8")
    block = re.search(r"(?m)^    #   auth:\n(?:    #     .*\n)+", text)
    assert block is not None
    settings = tmp_path / "config.yaml"
    uncommented = block[0].replace("    #   ", "    ")
    settings.write_text(f"accounts:\n  - name: home\n{uncommented}")
    bare = tmp_path / "bare.yaml"
    least = "type: oauth, client_id: my-client, client_secret: secret"
    bare.write_text(
        f"accounts: [{{name: home, auth: {{{least}, refresh_token_file: refresh-token}}}}]"
    )

    auth = load(settings, {"FUSIONSOLAR_CLIENT_SECRET": "secret"}).accounts[0].auth

    assert auth is not None
    assert keys_left_out(auth) == []
    assert auth == load(bare, {}).accounts[0].auth
    assert auth.secret() == "secret"


def test_the_example_lists_every_interface_as_the_table_has_it() -> None:
    assert dict(example().interfaces) == {
        row.name: Override(enabled=row.enabled, every=f"{row.every}s", allowance=None)
        if row.polled
        else Override(allowance=None)
        for row in INTERFACES.values()
    }


def test_the_example_writes_out_every_key_of_every_interface_that_has_an_effect() -> None:
    interfaces = example().interfaces
    idle = {name for name, each in interfaces.items() if each.model_fields_set == {"allowance"}}
    walked = [each for name, each in interfaces.items() if name not in idle]
    assert idle == {"login", "devUpgrade", "snIsRegister"}
    assert [key for each in walked for key in keys_left_out(each)] == []
