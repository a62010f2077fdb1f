"""A state file that a process has left, and what another finds in it."""

import shutil
from contextlib import closing

from exporter.polling.memory import Memory

SOME = {("lane", "a"): [1.5, None], ("lane", "b"): {"x": "ü\n"}, ("session", ""): {"token": "t"}}
MORE = {("lane", "b"): None, ("lane", "c"): list(range(2_000))}


def written(path, *changes):
    """A file that a process has left, after these changes."""
    memory = Memory(path)
    for each in changes:
        memory.write(each)
    return memory


def left_by_a_kill(path, directory):
    """The files as they are now, which is what a process leaves that is killed now."""
    shutil.copytree(path.parent, directory)
    return directory / path.name


def kept(path):
    """What a new process would find."""
    with closing(Memory(path)) as memory:
        return kept_by(memory)


def kept_by(memory):
    return {kind: memory.read(kind) for kind in ("lane", "session")}


def events(logs):
    return [entry["event"] for entry in logs]
