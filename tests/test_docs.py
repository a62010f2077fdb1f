"""What the documents say is what the program does."""

import re
from importlib.metadata import version
from pathlib import Path

import pytest

from exporter import cli

ROOT = Path(__file__).parents[1]
DOCUMENTS = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"]

PATH = re.compile(r"`((?:exporter|tests|docs|benchmarks|\.ci)/[\w./-]*)`")
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


def read(document):
    return (ROOT / document).read_text("utf-8")


def test_the_metric_reference_is_what_the_command_prints(capsys):
    cli.main(["metrics"])
    assert read("docs/metrics.md") == capsys.readouterr().out


@pytest.mark.parametrize("command", ["", *cli.COMMANDS])
def test_the_readme_names_every_command_and_its_flags(command, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "1000")  # a flag is not to be broken over two lines
    with pytest.raises(SystemExit):
        cli.main([*command.split(), "--help"])
    flags = set(re.findall(r"--[\w.-]+", capsys.readouterr().out)) - {"--help"}
    text = read("README.md")
    wanted = flags | {f"fusionsolar-exporter {command}".strip()}
    missing = [words for words in wanted if not re.search(rf"{re.escape(words)}(?![\w.-])", text)]
    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_document_points_to_files_that_exist(document):
    named = {*PATH.findall(read(document)), *LINK.findall(read(document))}
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_the_changelog_has_a_section_for_what_comes_next_or_for_this_version():
    headings = re.findall(r"^## \[?([\w.]+)", read("CHANGELOG.md"), re.MULTILINE)
    assert {"Unreleased", version("fusionsolar-exporter")} & set(headings)
