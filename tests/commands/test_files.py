"""The command that lists and writes what comes with the exporter."""

from pathlib import Path

import pytest

from exporter import cli
from exporter.package_data import KINDS

ROOT = Path(__file__).parents[2]
RULES = sorted(path.name for path in (ROOT / "prometheus" / "rules").glob("*.yml"))


def files_of(directory):
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }


def failure(capsys, *arguments):
    """The only line of a command that ends with status 2."""
    with pytest.raises(SystemExit) as ended:
        cli.main(["files", *arguments])
    output = capsys.readouterr()
    assert (ended.value.code, output.out) == (2, "")
    return output.err.removeprefix("fusionsolar-exporter: ").removesuffix("\n")


def test_every_kind_has_files_of_its_own():
    files = [path for kind in KINDS.values() for _, path in kind.files()]
    assert [kind for kind in KINDS if not list(KINDS[kind].files())] == []
    assert len(files) == len(set(files))
    assert [path for path in files if ROOT not in path.parents] == []


def test_it_lists_what_there_is_to_write(capsys):
    assert cli.main(["files", "config", "rules"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "config: the configuration, with every key and its default",
        "  config.example.yaml",
        "rules: Prometheus' recording rules and alerts",
        *(f"  rules/{name}" for name in RULES),
    ]


@pytest.mark.parametrize("arguments", [[], ["all"], ["rules", "all"]])
def test_without_a_kind_it_lists_all(arguments, capsys):
    assert cli.main(["files", *arguments]) == 0
    listed = [line for line in capsys.readouterr().out.splitlines() if line.startswith("  ")]
    assert listed == [f"  {name}" for kind in KINDS.values() for name, _ in kind.files()]


def test_it_writes_the_files_of_a_kind_and_says_where(tmp_path, capsys):
    output = tmp_path / "new" / "place"
    assert cli.main(["files", "--output", str(output), "rules"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"written   {output}/rules/{name}" for name in RULES
    ]
    assert files_of(output) == {
        f"rules/{name}": (ROOT / "prometheus" / "rules" / name).read_bytes() for name in RULES
    }


def test_what_it_writes_at_once_stands_side_by_side(tmp_path):
    assert cli.main(["files", "--output", str(tmp_path)]) == 0
    assert files_of(tmp_path) == {
        name: path.read_bytes() for kind in KINDS.values() for name, path in kind.files()
    }


def test_written_again_it_leaves_them_as_they_are(tmp_path, capsys):
    cli.main(["files", "--output", str(tmp_path), "rules"])
    first = tmp_path / "rules" / RULES[0]
    first.unlink()
    kept = tmp_path / "rules" / RULES[1]
    before = kept.stat().st_mtime_ns
    capsys.readouterr()

    assert cli.main(["files", "--output", str(tmp_path), "rules"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"written   {first}",
        *(f"unchanged {tmp_path}/rules/{name}" for name in RULES[1:]),
    ]
    assert kept.stat().st_mtime_ns == before


def test_it_overwrites_nothing_that_differs_and_then_writes_nothing(tmp_path, capsys):
    mine = tmp_path / "rules" / RULES[-1]
    mine.parent.mkdir()
    mine.write_text("groups: []\n")
    assert failure(capsys, "--output", str(tmp_path), "rules") == (
        f"nothing was written, as these are there and differ: {mine}; --force overwrites them"
    )
    assert files_of(tmp_path) == {f"rules/{RULES[-1]}": b"groups: []\n"}

    assert cli.main(["files", "--output", str(tmp_path), "--force", "rules"]) == 0
    assert mine.read_bytes() == (ROOT / "prometheus" / "rules" / RULES[-1]).read_bytes()


def test_an_unknown_kind_is_answered_with_those_there_are(capsys):
    assert failure(capsys, "rulez") == (
        f"argument KIND: rulez is none of {', '.join(KINDS)} and all"
    )


def test_a_place_that_is_no_directory_is_a_mistake_in_one_line(tmp_path, capsys):
    (tmp_path / "rules").write_text("")
    assert failure(capsys, "--output", str(tmp_path), "rules") == (
        f"--output: {tmp_path}/rules: File exists"
    )
