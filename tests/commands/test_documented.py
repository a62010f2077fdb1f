"""The examples of the documents are what the commands print."""

from pathlib import Path

import pytest
from commands.world import expected

DOCUMENT = Path(__file__).parents[2] / "docs/commands.md"


@pytest.mark.parametrize(
    "name", ["check", "upgrade_start", "upgrade_status", "registered", "counters"]
)
def test_an_example_is_what_the_command_prints(name):
    shown = expected(name)
    if name == "check":
        shown = shown.format(url="https://eu5.fusionsolar.huawei.com", config="config.yaml")

    assert f"\n{shown}```\n" in DOCUMENT.read_text("utf-8")
