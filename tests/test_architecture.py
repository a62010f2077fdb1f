"""The page about the architecture: its picture is that of the code, and what it names exists."""

import ast
import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GRAPH = runpy.run_path(str(ROOT / "docs" / "import_graph.py"))
TEXT = (ROOT / "docs" / "architecture.md").read_text("utf-8")

FILE = re.compile(r"`(exporter/[\w/]+\.py)`")
# `function()`, `Class.method()`, `Class.field`, `Class` and `CONSTANT`; others are data.
NAME = re.compile(r"`((?:_?[a-z][\w.]*|_?[A-Z][\w.]*)(?=\(\)`)|_?[A-Z][\w.]*(?=`))")
NAME_IN_FILE = re.compile(NAME.pattern + r"(?:\(\))?` in\s" + FILE.pattern)


def defined(path):
    """What a module defines: names, and those of its classes as `Class.name`."""
    for node in ast.parse(path.read_text("utf-8")).body:
        for name in named(node):
            yield name
            if isinstance(node, ast.ClassDef):
                yield from (f"{name}.{each}" for inner in node.body for each in named(inner))


def named(node):
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.AnnAssign(target=ast.Name(id=name)):
            yield name
        case ast.Assign(targets=targets):
            yield from (each.id for each in targets if isinstance(each, ast.Name))


DEFINED = {
    str(path.relative_to(ROOT)): set(defined(path)) for path in (ROOT / "exporter").rglob("*.py")
}
METHODS = {name.partition(".")[2] or name for names in DEFINED.values() for name in names}
ROWS = [line for line in TEXT.splitlines() if line.startswith("| ") and FILE.search(line)]


def test_the_picture_is_that_of_the_imports():
    block = GRAPH["mermaid"](GRAPH["without_detours"](GRAPH["imports"]()))
    assert GRAPH["BLOCK"].findall(TEXT) == [block]


def test_an_import_is_left_out_if_and_only_if_a_longer_way_leads_there():
    graph = {"a": {"b", "c", "d"}, "b": {"c"}, "c": set(), "d": set()}
    assert GRAPH["without_detours"](graph) == {"a": {"b", "d"}, "b": {"c"}, "c": set(), "d": set()}


def test_the_page_names_what_exists():
    everything = METHODS.union(*DEFINED.values())
    names = set(NAME.findall(TEXT))
    assert len(names) > 20
    assert names - everything == set()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_a_step_names_what_its_files_define(row):
    here = set().union(*(DEFINED[file] for file in FILE.findall(row)))
    names = set(NAME.findall(row))
    assert names - here == set()


def test_what_is_said_to_be_in_a_file_is_there():
    found = NAME_IN_FILE.findall(TEXT)
    assert len(found) > 5
    assert [(name, file) for name, file in found if name not in DEFINED[file]] == []
