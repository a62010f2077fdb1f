"""Tables for people: columns of text, as wide as their widest cell."""

from collections.abc import Iterable, Sequence
from unicodedata import combining, east_asian_width


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lines with aligned columns, each ending in a line break."""
    lines = [tuple(headings), *map(tuple, rows)]
    widths = [max(map(_width, column)) for column in zip(*lines, strict=True)]
    return "".join(
        "  ".join(
            cell + " " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True)
        ).rstrip()
        + "\n"
        for line in lines
    )


def _width(text: str) -> int:
    """The columns that a terminal needs."""
    return sum(
        0 if combining(char) or char in "\ufe0f\u200d" else 1 + (east_asian_width(char) in "FW")
        for char in text
    )
