"""The public contract as lines of text. As a program it writes that of this version to `before/`.

`docs/release.md` says when: what was released last is what the next version is held to.
"""

import io
import json
import re
import shutil
from contextlib import redirect_stdout, suppress
from pathlib import Path

from exporter import cli

HERE = Path(__file__).parent
BEFORE = HERE / "before"
EXAMPLE = HERE.parents[1] / "config.example.yaml"


def printed(*arguments):
    """What a command prints until it ends."""
    with redirect_stdout(io.StringIO()) as told, suppress(SystemExit):
        cli.main(arguments)
    return told.getvalue()


def metrics():
    """Each metric with its type, and the constant labels that it may have."""
    found = {}
    for row in json.loads(printed("metrics", "--format", "json")):
        if row["metric"]:
            found.setdefault((row["metric"], row["type"]), set()).update(row["labels"])
        if row.get("code_metric"):
            found.setdefault((row["code_metric"], "gauge"), set()).update(row["labels"])
    return sorted(" ".join((*key, *sorted(labels))) for key, labels in found.items())


def flags():
    """Each flag behind its command."""
    return sorted(
        f"{command} {flag}".strip()
        for command in ("", *cli.COMMANDS)
        for flag in set(re.findall(r"--[a-z][\w.-]*", printed(*command.split(), "--help")))
    )


def main():
    BEFORE.mkdir(exist_ok=True)
    (BEFORE / "metrics.txt").write_text("\n".join(metrics()) + "\n")
    (BEFORE / "flags.txt").write_text("\n".join(flags()) + "\n")
    shutil.copy(EXAMPLE, BEFORE)


if __name__ == "__main__":
    main()
