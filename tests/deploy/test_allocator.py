"""How the C library is told to give memory back: alike in all that starts the exporter."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SETTING = re.compile(r"\b(MALLOC_\w+)=(\d+)")
STARTS = ("Dockerfile", "deploy/systemd/fusionsolar-exporter.service", "docs/scaling.md")


@pytest.mark.parametrize("name", STARTS)
def test_whatever_starts_the_exporter_has_the_settings_that_are_measured(name, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(ROOT / "benchmarks"), *sys.path])
    from process import ALLOCATOR  # noqa: PLC0415  # a script's, on no path but its own

    assert dict(SETTING.findall((ROOT / name).read_text("utf-8"))) == ALLOCATOR
