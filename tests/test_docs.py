"""What the documents say is what the program does."""

import re
from importlib.metadata import version
from pathlib import Path

import pytest

from exporter import NAME, cli

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted(
    str(path.relative_to(ROOT))
    for folder in (".", "docs", "grafana", "benchmarks", "deploy/helm/fusionsolar-exporter")
    for path in (ROOT / folder).glob("*.md")
)
PATH = re.compile(
    r"`((?:exporter|tests|docs|benchmarks|prometheus|grafana|compose|deploy|\.ci)/[\w./-]*)`"
)
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")
TARGET = re.compile(r"(?:`|\$ )make ([a-z-]+)")
RUN = re.compile(r"docker run(?:\\\n|.)*")  # with the lines that continue it


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


def test_the_alerts_are_counted_right():
    rules = (ROOT / "prometheus" / "rules").glob("*.yml")
    alerts = sum(len(re.findall(r"- alert:", path.read_text("utf-8"))) for path in rules)
    told = re.findall(r"(\d+) alerts", read("README.md") + read("CHANGELOG.md"))
    assert told == [str(alerts)] * 3


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_document_points_to_files_that_exist(document):
    text = read(document)
    named = {ROOT / name for name in PATH.findall(text)}
    named |= {(ROOT / document).parent / name for name in LINK.findall(text)}
    assert [str(path) for path in sorted(named) if not path.exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_document_names_targets_that_the_makefile_has(document):
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    assert set(TARGET.findall(read(document))) - targets == set()


def test_the_messages_that_operators_are_told_of_are_the_programs():
    quoted = re.findall(r"(?<![*\w])\*([^*\n]+)\*(?!\*)", read("docs/operations.md"))
    parts = {part.strip() for words in quoted for part in re.split(r"…|\(", words)}
    messages = {part for part in parts if len(part) > 14}
    code = "".join(path.read_text("utf-8") for path in (ROOT / "exporter").rglob("*.py"))
    unbroken = re.sub(r'"\s+f?"', "", code)  # a text goes on in the next line
    assert len(messages) > 5
    assert {message for message in messages if message not in unbroken} == set()


def test_documents_run_the_image_that_the_makefile_builds():
    (image,) = re.findall(r"^IMAGE \?= (\S+)$", read("Makefile"), re.MULTILINE)
    commands = [command for document in DOCUMENTS for command in RUN.findall(read(document))]
    words = [word for command in commands for word in command.split()]
    ours = {word for word in words if word.partition(":")[0] == NAME}
    assert len(commands) >= 2
    assert ours == {image.replace("$(VERSION)", version(NAME))}


def test_the_container_of_the_readme_has_its_password_and_comes_back_after_a_reboot():
    (command,) = re.findall(r"\$ (docker run (?:.*\\\n)*.*)", read("README.md"))
    words = command.replace("\\\n", " ").split()

    assert {"-d", "--read-only"} <= set(words)
    assert words[words.index("--restart") + 1] == "unless-stopped"
    assert words[words.index("-e") + 1] == "FUSIONSOLAR_PASSWORD"


def test_the_readme_knows_more_than_one_region_and_the_way_to_an_account():
    text = read("README.md")
    hosts = {"eu5", "la5", "sg5", "au5", "jp5", "intl"}

    assert {host for host in hosts if re.search(rf"`{host}[.`]", text)} == hosts
    assert "(docs/northbound-account.md)" in text
    assert {
        host for host in hosts if f"`https://{host}." in read("docs/northbound-account.md")
    } == (hosts)


def test_the_changelog_has_a_section_for_what_comes_next_or_for_this_version():
    headings = re.findall(r"^## \[?([\w.]+)", read("CHANGELOG.md"), re.MULTILINE)
    assert {"Unreleased", version(NAME)} & set(headings)
