"""The unit for systemd: it is right, keeps the exporter in bounds, and its documents match it."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from exporter import cli
from exporter.commands.options import USAGE_ERROR

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "deploy" / "systemd" / "fusionsolar-exporter.service"
TEXT = UNIT.read_text("utf-8")
INSTALL = (ROOT / "docs" / "install.md").read_text("utf-8")
HOME = "/opt/fusionsolar-exporter"

ANALYZE = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed")


def analyze(*arguments):
    done = subprocess.run(  # noqa: S603  # systemd's own tool
        [ANALYZE, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def settings(name):
    return re.findall(rf"^{name}=(.*)$", TEXT, re.MULTILINE)


@needs_systemd
def test_systemd_finds_the_unit_right(tmp_path):
    program = tmp_path / "bin" / "fusionsolar-exporter"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    here = tmp_path / UNIT.name
    here.write_text(TEXT.replace(HOME, str(tmp_path)))
    assert analyze("verify", "--man=no", here) == (0, "")


@needs_systemd
def test_it_is_exposed_no_more_than_the_document_says():
    (level,) = re.findall(r"rates it below ([\d.]+) of 10", INSTALL)
    tenths = round(float(level) * 10)
    status, output = analyze("security", "--offline=true", f"--threshold={tenths}", UNIT)
    assert status == 0, output


def test_the_program_and_the_configuration_are_where_the_document_puts_them():
    (start,) = settings("ExecStart")
    program, config = start.split()
    assert program == f"{HOME}/bin/fusionsolar-exporter"
    assert f"# python3 -m venv {HOME}\n" in INSTALL
    assert config == "--config.file=/etc/fusionsolar-exporter/config.yaml"


def test_the_document_writes_the_unit_to_where_systemd_looks(tmp_path):
    (line,) = re.findall(rf"# {HOME}/bin/fusionsolar-exporter (files .* systemd)\n", INSTALL)
    command, flag, directory, kind = line.split()
    assert directory == str(Path(TEXT.split()[1]).parent)
    assert cli.main([command, flag, str(tmp_path), kind]) == 0
    assert [path.name for path in tmp_path.iterdir()] == [UNIT.name]


def test_the_password_has_the_place_that_the_document_configures():
    (credential,) = settings("LoadCredential")
    name, _, file = credential.partition(":")
    assert f"password_file: ${{CREDENTIALS_DIRECTORY}}/{name}\n" in INSTALL
    assert f"LoadCredential={credential} " in INSTALL
    assert file == "/etc/fusionsolar-exporter/password"


def test_a_mistake_in_the_configuration_is_no_reason_to_start_again():
    assert settings("RestartPreventExitStatus") == [str(USAGE_ERROR)]
