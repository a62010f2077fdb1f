"""Tables for people: columns of text, as wide as their widest cell."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from unicodedata import combining, east_asian_width

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
_POWERS = ((1e6, "MW"), (1e3, "kW"), (1.0, "W"))


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


def duration(seconds: float) -> str:
    """A time in its largest unit, to one decimal: `90 s`, `5 min`, `1.5 h`."""
    size, unit = next((u for u in _UNITS if seconds >= 2 * u[0] or seconds == u[0]), _UNITS[-1])
    return f"{round(seconds / size, 1):g} {unit}"


def power(watts: float) -> str:
    """A power in a unit that people say it in."""
    size, unit = next((u for u in _POWERS if abs(watts) >= u[0]), _POWERS[-1])
    return f"{round(watts / size, 3):g} {unit}"


def moment(seconds: float) -> str:
    """A time since the epoch, to the minute."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
