"""Tables for people: columns of text, as wide as their widest cell."""

from collections.abc import Iterable, Sequence
from unicodedata import combining, east_asian_width


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lines with aligned columns, each ending in a line break."""
    lines = [tuple(headings), *map(tuple, rows)]
    widths = [max(map(_width, column)) for column in zip(*lines, strict=True)]
    return "".join(row(line, widths) + "\n" for line in lines)


def row(cells: Iterable[str], widths: Iterable[int]) -> str:
    """One line of a table whose columns are so wide; what is longer stands out."""
    return "  ".join(
        cell + " " * (width - _width(cell)) for cell, width in zip(cells, widths, strict=True)
    ).rstrip()


def _width(text: str) -> int:
    """The columns that a terminal needs."""
    return sum(
        0 if combining(char) or char in "\ufe0f\u200d" else 1 + (east_asian_width(char) in "FW")
        for char in text
    )
