from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from config.web_directory import WebDirectory

from exporter.config import Settings, load

Loader = Callable[..., Settings]


@pytest.fixture
def loaded(tmp_path: Path) -> Loader:
    """Loads a text as if it were the configuration file."""

    def load_text(text: str, environ: Mapping[str, str] | None = None) -> Settings:
        path = tmp_path / "config.yaml"
        path.write_text(text, "utf-8")
        return load(path, environ or {})

    return load_text


@pytest.fixture
def web_directory(tmp_path: Path) -> WebDirectory:
    return WebDirectory(tmp_path)
