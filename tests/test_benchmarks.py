"""The command that measures; what it measures takes a quarter of an hour."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_each_part_has_its_place_in_the_readme():
    asked = subprocess.run(  # our own program
        [sys.executable, "benchmarks", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    parts = re.search(r"of ((?:\w+, )+\w+)", " ".join(asked.stdout.split()))[1].split(", ")
    readme = (ROOT / "benchmarks" / "README.md").read_text("utf-8")
    places = re.findall(r"<!-- (\w+) -->\n(?s:.*?)<!-- end of \1 -->", readme)
    assert sorted(places) == sorted(["machine", *parts])
