"""Prints which part of `exporter/` imports which as a Mermaid flowchart.

A part is a package, or a module beside the packages. An import that another way leads to as well is
left out, so that the picture stays readable. `--write` replaces the one in architecture.md.
"""

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from graphlib import TopologicalSorter
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "exporter"
DOCUMENT = Path(__file__).with_name("architecture.md")
BLOCK = re.compile(r"```mermaid\n.*?```\n", re.DOTALL)
Graph = Mapping[str, set[str]]  # each part, and what it imports


def main() -> None:
    """Prints the picture, or writes it."""
    block = mermaid(without_detours(imports()))
    if sys.argv[1:] == ["--write"]:
        DOCUMENT.write_text(BLOCK.sub(block, DOCUMENT.read_text("utf-8")), "utf-8")
    else:
        print(block, end="")


def imports() -> Graph:
    """Which part imports which; the package's own name and version are no part."""
    graph: dict[str, set[str]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        part = _part(path.relative_to(PACKAGE).with_suffix("").parts)
        if part:
            found = {_part(name.split(".")[1:]) for name in _imported(path)}
            graph.setdefault(part, set()).update(found - {part, ""})
    return graph


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith("exporter."):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _part(names: Iterable[str]) -> str:
    """The label of what stands first below `exporter/`: a package, a module, or neither."""
    first = next(iter(names), "__init__")
    if (PACKAGE / first).is_dir():
        return f"{first}/"
    return f"{first}.py" if first != "__init__" and (PACKAGE / f"{first}.py").is_file() else ""


def without_detours(graph: Graph) -> Graph:
    """The graph without each import that a longer way leads to; it must have no circle."""
    reached: dict[str, set[str]] = {}
    for part in TopologicalSorter(graph).static_order():
        reached[part] = graph[part].union(*(reached[each] for each in graph[part]))
    return {
        part: found.difference(*(reached[each] for each in found)) for part, found in graph.items()
    }


def mermaid(graph: Graph) -> str:
    """The graph as a block of Markdown; the labels name packages and modules."""
    name = {part: f"n{number}" for number, part in enumerate(graph)}
    lines = [f'    {name[part]}["{part}"]' for part in graph]
    lines += [
        f"    {name[part]} --> {name[each]}" for part in graph for each in sorted(graph[part])
    ]
    return "\n".join(["```mermaid", "flowchart TD", *lines, "```", ""])


if __name__ == "__main__":
    main()
