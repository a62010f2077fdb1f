"""The configuration file: YAML in, checked and immutable settings out (design: every key)."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from exporter.config.mistakes import ConfigError, in_plain_words
from exporter.config.reading import read
from exporter.config.settings import Account, Allowance, InterfaceSettings, Settings

__all__ = ["Account", "Allowance", "ConfigError", "InterfaceSettings", "Settings", "load"]


def load(path: Path, environ: Mapping[str, str]) -> Settings:
    """Read and check a configuration file.

    Paths inside the file are relative to its directory; `environ` fills its `${NAME}` values.

    Raises:
        ConfigError: One line with every mistake found, none of them quoting a secret.
    """
    tree = read(path, environ)
    try:
        return Settings.model_validate(tree, context=path.parent)
    except ValidationError as error:
        mistakes = in_plain_words(error, Settings)
    # Raised outside the handler, so that no exception chain carries the rejected values.
    raise ConfigError(f"{path}: {'; '.join(mistakes)}")
