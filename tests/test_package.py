"""The package: the source distribution is whole, its wheel carries what is used with the code."""

import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
from prometheus.promtool import AMTOOL, PROMTOOL, needs_amtool, needs_promtool, run
from test_project import tracked

from exporter import cli
from exporter.package_data import KINDS

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
STEM = f"{PROJECT['name'].replace('-', '_')}-{PROJECT['version']}"


def python(*arguments, **settings):
    done = subprocess.run(  # noqa: S603  # our own tools
        [sys.executable, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        **settings,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    """The unpacked source distribution."""
    directory = tmp_path_factory.mktemp("sdist")
    python("-m", "hatchling", "build", "-t", "sdist", "-d", directory, cwd=ROOT)
    with tarfile.open(directory / f"{STEM}.tar.gz") as archive:
        archive.extractall(directory, filter="data")
    return directory / STEM


@pytest.fixture(scope="module")
def wheel(sdist, tmp_path_factory):
    directory = tmp_path_factory.mktemp("wheel")
    python("-m", "hatchling", "build", "-t", "wheel", "-d", directory, cwd=sdist)
    return directory / f"{STEM}-py3-none-any.whl"


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The wheel installed, without what it depends on, which the tests' Python has."""
    target = tmp_path_factory.mktemp("installed")
    flags = ("--quiet", "--no-deps", "--no-index", "--no-compile", "--target", target)
    python("-m", "uv", "pip", "install", *flags, wheel)
    return target


def command(installed, *arguments):
    """What the installed exporter prints; it stands elsewhere, as a user does."""
    environment = os.environ | {"PYTHONPATH": str(installed)}
    return python("-m", "exporter", *arguments, cwd=installed.parent, env=environment)


@pytest.fixture(scope="module")
def written_files(installed, tmp_path_factory):
    """What it writes of the files that it carries."""
    output = tmp_path_factory.mktemp("written")
    command(installed, "files", "--output", output)
    return output


def test_the_source_distribution_holds_all_that_the_project_has(sdist):
    wanted = {str(path.relative_to(ROOT)) for path in tracked()}
    found = {str(path.relative_to(sdist)) for path in sdist.rglob("*") if path.is_file()}
    assert wanted - found == set()
    links = (ROOT / "deploy" / "helm").glob("*/files/*/*")
    assert found - wanted == {"PKG-INFO", *(str(path.relative_to(ROOT)) for path in links)}


def test_built_again_elsewhere_it_is_the_same_to_the_byte(sdist, tmp_path):
    built = []
    for name, mode, time in (("first", 0o644, 1_600_000_000), ("again", 0o600, 1_700_000_000)):
        copy = shutil.copytree(sdist, tmp_path / name)
        for path in copy.rglob("*"):
            os.utime(path, (time, time))
            if path.is_file():
                path.chmod(mode)
        environment = os.environ | {"SOURCE_DATE_EPOCH": "1650000000", "PYTHONHASHSEED": str(mode)}
        python("-m", "hatchling", "build", "-d", copy / "dist", cwd=copy, env=environment)
        built.append({path.name: path.read_bytes() for path in (copy / "dist").iterdir()})
    assert len(built[0]) == 2
    assert built[0] == built[1]


def test_the_wheel_holds_the_package_and_what_is_used_with_it(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if not name.startswith(f"{STEM}.dist-info/")]
    carried = {
        f"exporter/data/{path.relative_to(ROOT)}"
        for kind in KINDS.values()
        for _, path in kind.files()
    }
    package = {
        str(path.relative_to(ROOT)) for path in tracked() if path.is_relative_to(ROOT / "exporter")
    }
    assert sorted(names) == sorted(carried | package)


def test_its_metadata_are_the_projects(wheel):
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read(f"{STEM}.dist-info/METADATA").decode()
        licence = archive.read(f"{STEM}.dist-info/licenses/LICENSE")
    head, _, readme = text.partition("\n\n")
    told = Parser().parsestr(head)
    assert licence == (ROOT / "LICENSE").read_bytes()
    assert told["Name"] == PROJECT["name"]
    assert told["License-Expression"] == PROJECT["license"]
    assert told["Requires-Python"] == PROJECT["requires-python"]
    assert told.get_all("Classifier") == sorted(PROJECT["classifiers"])
    assert told["Description-Content-Type"] == "text/markdown"
    assert readme == (ROOT / "README.md").read_text("utf-8")


def test_installed_it_writes_the_same_files_as_from_a_clone(written_files, tmp_path):
    cli.main(["files", "--output", str(tmp_path)])
    both = [
        {path.relative_to(place): path.read_bytes() for path in place.rglob("*") if path.is_file()}
        for place in (written_files, tmp_path)
    ]
    assert both[0] == both[1]


def test_installed_it_has_its_documents_as_pages(installed):
    code = "from exporter.web.documents import Documents; print(*Documents().names)"
    told = python("-c", code, cwd=installed.parent, env=os.environ | {"PYTHONPATH": str(installed)})
    assert told.split() == sorted(path.name for path in (ROOT / "docs").glob("*.md"))


@needs_promtool
def test_promtool_finds_right_what_it_writes(written_files):
    rules = sorted(map(str, (written_files / "rules").glob("*.yml")))
    assert len(rules) == len(list(KINDS["rules"].files()))
    assert run(PROMTOOL, "check", "rules", *rules)[0] == 0
    assert run(PROMTOOL, "check", "config", str(written_files / "prometheus.yml"))[0] == 0


@needs_amtool
def test_amtool_finds_right_what_it_writes(written_files):
    assert run(AMTOOL, "check-config", str(written_files / "alertmanager.yml"))[0] == 0
