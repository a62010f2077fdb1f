"""The configuration file (config.example.yaml): YAML in, checked and immutable settings out."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from exporter.config.mistakes import ConfigError, in_plain_words
from exporter.config.places import default_state_directory
from exporter.config.reading import read
from exporter.config.settings import Account, Allowance, InterfaceSettings, Settings, State

PATIENCE = 5.0  # seconds for a pipe in the place of the file, so that others can be read after it

__all__ = [
    "PATIENCE",
    "Account",
    "Allowance",
    "ConfigError",
    "InterfaceSettings",
    "Settings",
    "load",
]


def load(path: Path, environ: Mapping[str, str], patience: float = PATIENCE) -> Settings:
    """Read and check a configuration file, or a pipe that is written to within `patience` seconds.

    Paths inside the file are relative to its directory; `environ` fills its `${NAME}` values, and
    offers a state directory where the file says nothing of one.

    Raises:
        ConfigError: One line with every mistake found, none of them quoting a secret.
    """
    tree = read(path, environ, patience)
    try:
        settings = Settings.model_validate(tree, context=path.parent)
    except ValidationError as error:
        mistakes = in_plain_words(error, Settings)
    else:
        directory = default_state_directory(environ)
        if directory is None or "directory" in settings.state.model_fields_set:
            return settings
        state = State(directory=str(directory))  # type: ignore[arg-type]  # as in YAML
        return settings.model_copy(update={"state": state})
    # Raised outside the handler, so that no exception chain carries the rejected values.
    raise ConfigError(f"{path}: {'; '.join(mistakes)}")
