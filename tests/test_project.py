"""The project as a package: its names agree, what it asks for is used, and it travels."""

import re
import subprocess
import tomllib
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path
from shutil import which

import pytest

from exporter import cli

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))

# What it needs, and what it uses where it is there: the image has all of it.
EXTRAS = PROJECT["project"]["optional-dependencies"]
DEPENDENCIES = [*PROJECT["project"]["dependencies"], *chain(*EXTRAS.values())]

# What a file that travels does not name: where packages come from, where a machine keeps things.
FOREIGN = re.compile(
    r"(?:pypi|docker|npmjs|pythonhosted|ghcr|quay)\.(?:org|io|com)|(?<![\w.*-])/(?:work|root|home)\b"
)
IMPORTED = re.compile(r"^ *(?:from|import) (\w+)", re.MULTILINE)  # the first of a dotted name


def normal(requirement):
    """The name of a distribution, spelt as everybody compares it."""
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", requirement)[0]).lower()


def pins(file):
    return dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / file).read_text("utf-8"), re.MULTILINE))


def imported(folder):
    """The distributions that the code of a folder imports from, by their first names."""
    sources = packages_distributions()
    texts = (path.read_text("utf-8") for path in (ROOT / folder).rglob("*.py"))
    modules = set(chain.from_iterable(map(IMPORTED.findall, texts)))
    found = {normal(name) for module in modules for name in sources.get(module, ())}
    return found - {PROJECT["project"]["name"]}


def tracked():
    """The project's files: what git has, or would have after the next `git add`."""
    if which("git") is None:
        pytest.skip("needs git, to tell the project's files from what was made here")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607  # because git is where PATH says
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip(f"needs the project's repository: {listed.stderr.splitlines()[0]}")
    return [ROOT / name for name in listed.stdout.split("\0") if (ROOT / name).is_file()]


def test_the_version_is_the_projects(capsys):
    with pytest.raises(SystemExit):
        cli.main(["--version"])
    name, number = PROJECT["project"]["name"], PROJECT["project"]["version"]
    assert capsys.readouterr().out == f"{name} {number}\n"


def test_every_dependency_is_used_and_what_is_used_is_a_dependency():
    wishes = {normal(wish) for wish in DEPENDENCIES}
    assert set(imported("exporter")) == wishes


@pytest.mark.parametrize("folder", ["tests", "benchmarks", "compose", "grafana"])
def test_what_developers_use_is_asked_for_too(folder):
    groups = PROJECT["dependency-groups"]
    asked = DEPENDENCIES + groups["dev"] + groups["release"]
    wishes = {normal(wish) for wish in asked if isinstance(wish, str)}
    assert set(imported(folder)) - wishes == set()


def test_the_pythons_that_it_is_tested_with_begin_with_the_oldest_that_it_allows():
    pythons = re.compile(r"Programming Language :: Python :: (3\.\d+)")
    kinds = [kind for each in PROJECT["project"]["classifiers"] for kind in pythons.findall(each)]
    assert kinds == sorted(kinds, key=lambda kind: int(kind.partition(".")[2]))
    assert PROJECT["project"]["requires-python"] == f">={kinds[0]}"


def test_nothing_but_the_fast_target_leaves_out_slow_tests():
    selecting = re.compile(r"(?<=[\s\"'])-[mk][\s=]*[\"'].*")
    found = {
        file: selecting.findall((ROOT / file).read_text("utf-8"))
        for file in (".ci/run", ".ci/pythons", "Makefile")
    }
    assert found.pop("Makefile") == [
        '-m "not slow" -n $(CPUS) --dist loadfile --hypothesis-profile=quick'
    ]
    assert found == {".ci/run": [], ".ci/pythons": []}
    assert not {"-m", "-k"} & set(PROJECT["tool"]["pytest"]["ini_options"]["addopts"])


def test_the_package_is_built_with_what_is_pinned_for_it():
    assert PROJECT["dependency-groups"]["build"] == PROJECT["build-system"]["requires"]


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-build.txt"])
def test_the_developers_environment_holds_the_users(file):
    assert pins(file)
    assert pins(file).items() - pins("requirements-dev.txt").items() == set()


def test_the_release_tools_leave_the_developers_environment_as_it_is():
    both = pins("requirements-release.txt").keys() & pins("requirements-dev.txt").keys()
    assert [pins("requirements-release.txt")[name] for name in both] == [
        pins("requirements-dev.txt")[name] for name in both
    ]


@pytest.mark.parametrize(
    ("file", "wishes"),
    [
        ("requirements.txt", DEPENDENCIES),
        ("requirements-build.txt", PROJECT["dependency-groups"]["build"]),
        ("requirements-release.txt", PROJECT["dependency-groups"]["release"]),
        (
            "requirements-dev.txt",
            [wish for wish in PROJECT["dependency-groups"]["dev"] if isinstance(wish, str)],
        ),
    ],
)
def test_everything_asked_for_is_pinned(file, wishes):
    assert {normal(wish) for wish in wishes} - pins(file).keys() == set()


def test_no_file_names_a_registry_or_a_place_on_a_machine():
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path in tracked()
        if path != Path(__file__)
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1)
        if FOREIGN.search(line)
    ]
    assert found == []
