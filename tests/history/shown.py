"""What a page or a file of history says, as series with their values."""

import re

from exporter.exposition.page import Format

SAMPLE = re.compile(r"^(fusionsolar_\w+)(\{.*\}) (\S+)(?: (\S+))?$", re.MULTILINE)


def on_page(page):
    """The series of a page with their values."""
    text = page.exposition(Format.TEXT).decode()
    return {name + labels: float(value) for name, labels, value, _ in SAMPLE.findall(text)}


def in_files(directory):
    """The series of a directory of files, each with its values by time."""
    found = {}
    for path in sorted(directory.glob("*.om")):
        for name, labels, value, time in SAMPLE.findall(path.read_text("utf-8")):
            found.setdefault(name + labels, {})[float(time)] = float(value)
    return found
