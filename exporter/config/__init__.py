"""The configuration file (config.example.yaml): YAML in, checked and immutable settings out."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from exporter.config.mistakes import ConfigError, in_plain_words
from exporter.config.reading import read
from exporter.config.settings import Account, Allowance, InterfaceSettings, Settings, State

# Where an environment keeps what survives a restart, as the container image does.
STATE_VARIABLE = "FUSIONSOLAR_STATE_DIRECTORY"

__all__ = ["Account", "Allowance", "ConfigError", "InterfaceSettings", "Settings", "load"]


def load(path: Path, environ: Mapping[str, str]) -> Settings:
    """Read and check a configuration file.

    Paths inside the file are relative to its directory; `environ` fills its `${NAME}` values, and
    names the state directory where the file names none.

    Raises:
        ConfigError: One line with every mistake found, none of them quoting a secret.
    """
    tree = read(path, environ)
    try:
        settings = Settings.model_validate(tree, context=path.parent)
    except ValidationError as error:
        mistakes = in_plain_words(error, Settings)
    else:
        if settings.state.directory is None and environ.get(STATE_VARIABLE):
            state = State(directory=environ[STATE_VARIABLE])  # type: ignore[arg-type]  # as in YAML
            return settings.model_copy(update={"state": state})
        return settings
    # Raised outside the handler, so that no exception chain carries the rejected values.
    raise ConfigError(f"{path}: {'; '.join(mistakes)}")
