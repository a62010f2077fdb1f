"""Names as texts of PostgreSQL, which lack one character."""

import re

_ESCAPED = re.compile(r"\\[\\0]")


def to_text(name: str) -> str:
    """A name without the one character that no text of PostgreSQL has."""
    return name.replace("\\", "\\\\").replace("\0", "\\0")


def from_text(stored: str) -> str:
    """The name that was stored so."""
    return _ESCAPED.sub(lambda found: "\0" if found[0] == "\\0" else "\\", stored)
