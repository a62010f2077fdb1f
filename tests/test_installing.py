"""Setting up: what is installed is what is pinned, whatever the index has gained since.

The index is a folder. It holds, of everything pinned, the pinned version and a far newer one, as
wheels with the real metadata, and without contents but for pip and what builds the project.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

pytestmark = pytest.mark.slow

ensurepip = pytest.importorskip("ensurepip", reason="needs Python's venv, as make does")

ROOT = Path(__file__).parents[1]
FILES = ("requirements.txt", "requirements-build.txt", "requirements-dev.txt")
OTHERS = (
    *("Makefile", "pyproject.toml", "README.md", "LICENSE"),
    *("config.example.yaml", "exporter"),
)
NEWER = "99.0"

# The pip that makes the environment: the one that this Python brings, and, if it can run here, the
# oldest that a supported Python ever brought.
OLDEST = ROOT / "build/pip/pip-22.3-py3-none-any.whl"
PIPS = [ensurepip.version()] + ["22.3"] * (sys.version_info < (3, 12))

needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def pins(file):
    """What a requirements file pins, as uv writes it: one version each, of some for a platform."""
    lines = re.findall(r"^\S+==[^\\\n]+", (ROOT / file).read_text("utf-8"), re.MULTILINE)
    return [Requirement(line) for line in lines]


def version_of(pin):
    (pinned,) = pin.specifier
    return pinned.version


AT_WORK = {"pip", *(pin.name for pin in pins("requirements-build.txt"))}


def wheel(folder, name, version):
    """Puts a wheel into an index; returns its SHA-256."""
    spelt = f"{name.replace('-', '_')}-{version}"
    about = f"{spelt}.dist-info"
    files = {f"{about}/WHEEL": "Wheel-Version: 1.0\nTag: py3-none-any\nRoot-Is-Purelib: true\n"}
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    try:
        real = distribution(name)
    except PackageNotFoundError:  # for another platform
        pass
    else:
        metadata = re.sub(r"(?m)^Version: .*", f"Version: {version}", real.read_text("METADATA"))
        if name in AT_WORK and version != NEWER:
            files[f"{about}/entry_points.txt"] = real.read_text("entry_points.txt") or ""
            files |= {
                str(file): file.locate().read_bytes()
                for file in real.files
                if not re.match(r"\.\.|.*\.dist-info/|.*\.pyc$", str(file))
            }
    files[f"{about}/METADATA"] = metadata
    files[f"{about}/RECORD"] = "".join(f'"{path}",,\n' for path in files)

    path = folder / name / f"{spelt}-py3-none-any.whl"
    path.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for inside, content in files.items():
            archive.writestr(inside, content)
    with (path.parent / "index.html").open("a", encoding="utf-8") as page:
        page.write(f'<a href="{path.name}">{path.name}</a>\n')
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def hashes(tmp_path_factory):
    """An index, and the hashes of the pinned wheels in it."""
    index = tmp_path_factory.mktemp("index")
    pinned = {pin.name: version_of(pin) for file in FILES for pin in pins(file)}
    for name in pinned:
        wheel(index, name, NEWER)
    return index, {name: wheel(index, name, version) for name, version in pinned.items()}


@pytest.fixture
def project(hashes, tmp_path):
    """The project, with hashes of this index, as a clone that nobody has set up."""
    _, known = hashes
    for name in OTHERS:
        (tmp_path / name).symlink_to(ROOT / name)
    for file in FILES:
        lines = [f"{pin} --hash=sha256:{known[pin.name]}\n" for pin in pins(file)]
        (tmp_path / file).write_text("".join(lines))
    return tmp_path


def python_with(pip, directory):
    """A Python whose environments begin with a version of pip."""
    if pip == ensurepip.version():
        return sys.executable
    if not OLDEST.exists():
        pytest.skip(f"needs pip {pip}, which `make oldest-pip` gets")
    script = directory / "python"
    script.write_text(f"""#!/bin/sh -e
"{sys.executable}" "$@"
case "$*" in "-m venv"*) .venv/bin/pip install --quiet --no-index --no-deps "{OLDEST}" ;; esac
""")
    script.chmod(0o755)
    return script


def installed_versions(project):
    run = subprocess.run(  # noqa: S603  # our own environment
        [project / ".venv/bin/pip", "list", "--format=json", "--disable-pip-version-check"],
        capture_output=True,
        text=True,
        check=True,
    )
    found = {
        re.sub(r"[-_.]+", "-", each["name"]).lower(): each["version"]
        for each in json.loads(run.stdout)
    }
    del found["fusionsolar-exporter"]
    found.pop("setuptools", None)  # comes with the environments of Pythons before 3.12
    return found


def pinned_versions(*files):
    return {
        pin.name: version_of(pin)
        for file in files
        for pin in pins(file)
        if pin.marker is None or pin.marker.evaluate()
    }


@needs_make
@pytest.mark.parametrize("pip", PIPS)
def test_what_is_pinned_is_installed_though_the_index_holds_newer_releases(pip, hashes, project):
    index, _ = hashes
    # The suite may be run by make, with arguments of its own.
    foreign = ("PIP_", "MAKE", "MFLAGS", "VENV")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(foreign)}
    environment |= {"PIP_INDEX_URL": index.as_uri(), "PIP_CONFIG_FILE": os.devnull}
    environment |= dict.fromkeys(("PIP_NO_CACHE_DIR", "PIP_NO_COMPILE"), "1")

    def make(target):
        run = subprocess.run(  # noqa: S603  # our own Makefile
            ["make", target, f"PYTHON={python_with(pip, project)}"],  # noqa: S607  # because make is where PATH says
            cwd=project,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stdout

    make(".venv/installed")
    assert installed_versions(project) == {"pip": pip} | pinned_versions(
        "requirements.txt", "requirements-build.txt"
    )
    make(".venv/installed-dev")
    assert installed_versions(project) == pinned_versions("requirements-dev.txt")


def test_the_image_is_made_without_a_search_too():
    commands = re.split(r"&&|\nRUN ", (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", ""))
    installing = [command.split() for command in commands if " -r requirements" in command]
    flags = {"--no-deps", "--require-hashes"}
    assert [flags - set(words) for words in installing] == [set(), set()]
    assert [words for words in map(str.split, commands) if words[-1:] == ["check"]] != []
