"""The configuration file (config.example.yaml), read and checked into immutable settings."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from exporter import NAME
from exporter.config.errors import ConfigError, format_errors
from exporter.config.schema import (
    AccountSettings,
    Allowance,
    ClientTls,
    InterfaceSettings,
    OAuthSettings,
    Settings,
    StateSettings,
)
from exporter.config.yaml_file import read_config

PIPE_TIMEOUT = 5.0  # seconds for a pipe in the place of the file

__all__ = [
    "PIPE_TIMEOUT",
    "AccountSettings",
    "Allowance",
    "ClientTls",
    "ConfigError",
    "InterfaceSettings",
    "OAuthSettings",
    "Settings",
    "load",
]


def load(path: Path, environ: Mapping[str, str], pipe_timeout: float = PIPE_TIMEOUT) -> Settings:
    """Reads and checks a configuration file, or a pipe that is written within `pipe_timeout`.

    Paths inside the file are relative to its directory; `environ` fills its `${NAME}` values, and
    gives the state directory where the file has no such key.

    Raises:
        ConfigError: One line with every error found, none of them quoting a secret.
    """
    tree = read_config(path, environ, pipe_timeout)
    try:
        settings = Settings.model_validate(tree, context=path.parent)
    except ValidationError as error:
        errors = format_errors(error, Settings)
    else:
        directory = _default_state_directory(environ)
        if directory is None or settings.state.model_fields_set:
            return settings
        state = StateSettings(directory=str(directory))  # type: ignore[arg-type]  # as in YAML
        return settings.model_copy(update={"state": state})
    # Raised outside the handler, so that no exception chain carries the rejected values.
    raise ConfigError(f"{path}: {'; '.join(errors)}")


def _default_state_directory(environ: Mapping[str, str]) -> Path | None:
    """The first directory in the environment: the exporter's own, systemd's, the user's.

    None where there is none. Relative paths are ignored, as the XDG base directory specification
    asks.
    """
    # Names the directory for one program alone, as the container image does.
    if named := environ.get("FUSIONSOLAR_STATE_DIRECTORY"):
        return Path(named)
    # systemd names all of a service's state directories, with colons between them.
    service = environ.get("STATE_DIRECTORY", "").partition(":")[0]
    candidates = (
        Path(service),
        Path(environ.get("XDG_STATE_HOME", ""), NAME),
        Path(environ.get("HOME", ""), ".local", "state", NAME),
    )
    return next((path for path in candidates if path.is_absolute()), None)
