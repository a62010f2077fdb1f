"""A state file that is foreign, damaged, deleted, out of reach: said once, gone on without."""

import os
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polling.kept import MORE, SOME, events, kept, kept_by, left_by_a_kill, written
from structlog.testing import capture_logs

from exporter.polling import memory as module
from exporter.polling.memory import Memory


def a_text(path):
    path.write_text("nothing of ours\n" * 500)


def another_program(path):
    with closing(sqlite3.connect(path)) as file:
        file.execute("CREATE TABLE things (whatever)")


def another_version(path, *statements):
    written(path, SOME).close()
    with closing(sqlite3.connect(path)) as file:
        for statement in statements:
            file.execute(statement)
        file.execute("PRAGMA user_version = 2")
        file.commit()


def half_of_it(path):
    written(path, SOME, MORE).close()
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def another_value(path):
    written(path, SOME).close()
    path.write_bytes(path.read_bytes().replace(b"[1.5,null]", b"[9.5,null]"))


SPOILERS = [a_text, another_program, half_of_it, another_value]


@pytest.mark.parametrize("spoil", SPOILERS)
def test_a_foreign_or_damaged_file_is_put_aside_and_said_once(path, spoil):
    path.parent.mkdir()
    spoil(path)
    content = path.read_bytes()

    with capture_logs() as logs:
        memory = Memory(path)
        assert memory.read("lane") == {}
        memory.write(SOME)
        memory.close()

    assert events(logs) == ["state was damaged, starting anew"]
    assert logs[0]["file"] == str(path)
    assert path.with_suffix(".damaged").read_bytes() == content
    assert kept(path)["session"] == {"": {"token": "t"}}


@pytest.mark.parametrize(
    ("changes", "understood"),
    [
        ([], {"a": [1.5, None], "b": {"x": "ü\n"}}),
        (["ALTER TABLE things ADD COLUMN more"], {"a": [1.5, None], "b": {"x": "ü\n"}}),
        (["CREATE TABLE more (x)", "UPDATE things SET crc = 7 WHERE name = 'a'"],
         {"b": {"x": "ü\n"}}),
        (["ALTER TABLE things RENAME TO rows"], {}),
    ],
)  # fmt: skip
def test_a_file_of_another_version_is_taken_over_as_far_as_it_is_understood_and_kept_whole(
    path, changes, understood
):
    another_version(path, *changes)
    content = path.read_bytes()

    with capture_logs() as logs:
        memory = Memory(path)
        memory.read("lane")
        left = left_by_a_kill(path, path.parent.parent / "left")
        memory.close()

    assert events(logs) == ["state of another version, taking over what is understood"]
    assert logs[0]["kept_as"] == path.with_suffix(".version-2").name
    assert path.with_suffix(".version-2").read_bytes() == content
    assert kept(left)["lane"] == understood  # at once, whenever the process is killed


def test_a_row_that_is_no_json_costs_itself_alone_and_is_said_once(path):
    memory = written(path, SOME)
    body = "not JSON: t0ken"
    memory._file.execute(module._PUT, ("lane", "a", body, module._sum("lane", "a", body)))

    with capture_logs() as logs:
        assert memory.read("lane") == memory.read("lane") == {"b": {"x": "ü\n"}}
    memory.close()

    assert [(entry["event"], entry["part"], entry["reason"]) for entry in logs] == [
        ("state was not understood, going on without", "lane", "JSONDecodeError")
    ]


@pytest.mark.parametrize("spoil", [*SPOILERS, another_version])
def test_without_the_lock_a_file_that_is_not_understood_is_let_be(path, spoil):
    path.parent.mkdir()
    spoil(path)
    content = path.read_bytes()

    with capture_logs() as logs, closing(Memory(path, locked=False)) as memory:
        assert memory.read("lane") == {}
        memory.write(SOME)

    assert events(logs) == ["state cannot be kept, going on without"]
    assert path.read_bytes() == content
    assert not path.with_suffix(".damaged").exists()


def test_two_that_make_a_file_at_once_both_find_it_healthy(path):
    together = threading.Barrier(2)

    def open_them():
        for n in range(20):
            together.wait()
            written(path.with_name(f"{n}.sqlite"), SOME).close()

    other = threading.Thread(target=open_them)
    other.start()
    open_them()
    other.join()

    assert list(path.parent.glob("*.damaged")) == []


def test_a_file_that_a_power_loss_has_emptied_is_begun_anew_and_said_once(path):
    path.parent.mkdir()
    path.touch()

    with capture_logs() as logs:
        written(path, SOME, MORE).close()
        written(path, SOME).close()

    assert [(entry["event"], entry["file"], entry["reason"]) for entry in logs] == [
        ("state was damaged, starting anew", str(path), "the file was empty")
    ]
    assert not path.with_suffix(".damaged").exists()
    assert kept(path)["session"] == {"": {"token": "t"}}


def test_a_file_that_another_process_is_about_to_fill_is_not_taken_for_an_emptied_one(path):
    path.parent.mkdir()
    path.touch()

    with capture_logs() as logs, closing(Memory(path, locked=False)) as memory:
        assert memory.read("lane") == {}

    assert logs == []


def test_a_new_file_is_no_damage(path):
    with capture_logs() as logs:
        written(path, SOME).close()

    assert logs == []


STEPS = [{("lane", name): [n, name * 300], ("session", ""): n} for n, name in enumerate("abcdef")]


@pytest.fixture(scope="module")
def leftovers(tmp_path_factory):
    """What a killed process left, with and without a write-ahead log, and all it may have meant."""
    path = tmp_path_factory.mktemp("leftovers") / "state" / "account.sqlite"
    memory = Memory(path)
    states = [kept_by(memory)]
    for step in STEPS:
        memory.write(step)
        states.append(kept_by(memory))
    with_log = left_by_a_kill(path, path.parent.parent / "with log")
    memory.close()
    return (with_log.parent, path.parent), states


@settings(max_examples=150)
@given(data=st.data())
def test_whatever_happens_to_its_bytes_it_is_read_as_it_once_was_or_not_at_all(
    leftovers, tmp_path_factory, data
):
    directories, states = leftovers
    directory = tmp_path_factory.mktemp("spoilt") / "state"
    shutil.copytree(data.draw(st.sampled_from(directories)), directory)
    path = directory / "account.sqlite"
    for file in sorted(directory.iterdir()):
        content = bytearray(file.read_bytes())
        dice = random.Random(data.draw(st.integers(0, 2**32)))  # noqa: S311  # dice, not keys
        for _ in range(dice.choice([0, 1, 1, 3, 50]) if content else 0):
            content[dice.randrange(len(content))] = dice.randrange(256)
        cut = dice.choice([len(content), len(content), dice.randrange(len(content) + 1)])
        file.write_bytes(content[:cut])

    found = kept(path)
    written(path, {("lane", "new"): "n"}).close()

    assert found in states
    assert kept(path)["lane"] == {**found["lane"], "new": "n"}
    shutil.rmtree(directory)


def test_a_file_that_is_spoilt_while_in_use_is_replaced(path):
    memory = written(path, SOME)
    with capture_logs() as logs:
        for file in path.parent.iterdir():
            if not file.name.endswith("-shm"):
                file.write_bytes(b"spoilt" * 2_000)
        shm = path.with_name(f"{path.name}-shm")
        shm.write_bytes(bytes(shm.stat().st_size))
        memory.write({("lane", "a"): "one"})
        memory.write({("lane", "b"): "two"})
    memory.close()

    assert kept(path)["lane"] == {"a": "one", "b": "two"}
    assert events(logs) == [
        "state cannot be kept, going on without",
        "state was damaged, starting anew",
        "state is kept again",
    ]


def delete_directory(path):
    shutil.rmtree(path.parent)


def delete_files(path):
    for file in path.parent.iterdir():
        file.unlink()


def replace_by_anothers(path):
    """As where a command looks at the state just then."""
    delete_files(path)
    other = Memory(path, locked=False)
    other.write({("call", "1"): "of a command"})
    other.close()


@pytest.mark.parametrize("remove", [delete_directory, delete_files, replace_by_anothers])
def test_what_is_deleted_while_in_use_is_written_anew_and_said_once(path, remove):
    memory = written(path, SOME)
    with capture_logs() as logs:
        remove(path)
        with memory.claim():
            memory.write({("lane", "a"): "new"})
        assert memory.read("session") == {"": {"token": "t"}}
        memory.write({("lane", "b"): None})
    memory.close()

    assert kept(path)["session"] == {"": {"token": "t"}}
    assert kept(path)["lane"] == {"a": "new"}
    with closing(Memory(path)) as found:
        others = {"1": "of a command"} if remove is replace_by_anothers else {}
        assert found.read("call") == others
    assert events(logs) == ["state was deleted while in use, writing it anew"]


def test_what_is_deleted_and_cannot_be_read_any_more_is_begun_anew(path):
    memory = written(path, SOME)
    memory.close()
    memory._file = sqlite3.connect(":memory:", isolation_level=None)  # without our table
    delete_files(path)
    with capture_logs() as logs:
        memory.write({("lane", "a"): "one"})
        memory.write({("lane", "b"): "two"})
    memory.close()

    assert kept(path)["lane"] == {"a": "one", "b": "two"}
    assert events(logs) == [
        "state was deleted while in use, writing it anew",
        "state cannot be kept, going on without",
        "state is kept again",
    ]


def test_where_nothing_can_be_written_it_goes_on_and_writes_once_it_can(path):
    path.parent.write_text("a file where the directory should be")

    with capture_logs() as logs:
        memory = written(path, SOME, MORE)
        assert memory.read("session") == {"": {"token": "t"}}
        with memory.claim():
            memory.write({("lane", "d"): 4})
        assert events(logs) == ["state cannot be kept, going on without"]
        assert (logs[0]["file"], logs[0]["reason"]) == (str(path), "File exists")
        path.parent.unlink()
        memory.write({("lane", "e"): 5})
    memory.close()

    assert events(logs)[1:] == ["state is kept again"]
    assert kept(path)["lane"] == {"a": [1.5, None], "c": list(range(2_000)), "d": 4, "e": 5}


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a directory to somebody else")
def test_a_directory_of_somebody_else_is_said_and_gone_on_without(path):
    path.parent.mkdir(mode=0o755)

    done = child(
        """
        import os
        os.setuid(65534)
        memory = Memory(path)
        memory.write({("lane", "a"): 1})
        print(memory.read("lane"))
        """,
        path.parent / "account.sqlite",
    )

    assert done == [
        f"state cannot be kept, going on without: {path}: Permission denied",
        "{'a': 1}",
    ]


def test_on_a_full_disk_it_goes_on_and_writes_once_there_is_room(path):
    done = child(
        """
        from resource import RLIMIT_FSIZE, RLIM_INFINITY, setrlimit
        memory = Memory(path)
        memory.write({("lane", "a"): "before"})
        setrlimit(RLIMIT_FSIZE, (40_000, RLIM_INFINITY))
        for n in range(3):
            with memory.claim():
                memory.write({("lane", "a"): "x" * 99_000, ("lane", "b"): n})
        print(memory.read("lane")["b"], Memory(path).read("lane"))
        setrlimit(RLIMIT_FSIZE, (RLIM_INFINITY, RLIM_INFINITY))
        memory.write({("lane", "c"): "after"})
        print({name: len(str(body)) for name, body in Memory(path).read("lane").items()})
        """,
        path,
    )

    assert done[0].startswith(f"state cannot be kept, going on without: {path}: ")
    assert done[1] == "2 {'a': 'before'}"
    assert "kept again" in done[2]
    assert done[3:] == ["{'a': 99000, 'b': 1, 'c': 5}"]


def child(program, path):
    """The lines that a process of its own prints, its log among them."""
    head = (
        "import structlog\nfrom pathlib import Path\n"
        "from exporter.polling.memory import Memory\n"
        "told = lambda _, __, entry: ': '.join([entry.pop('event'), *entry.values()])\n"
        "structlog.configure(processors=[told])\n"
        f"path = Path({str(path)!r})\n"
    )
    return subprocess.run(  # noqa: S603  # our own program
        [sys.executable, "-c", head + dedent(program)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
