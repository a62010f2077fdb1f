"""The files that come with the exporter: listed, or written where they are used."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from exporter.commands.options import fail
from exporter.package_data import KINDS

_ALL = "all"


def define(parser: argparse.ArgumentParser) -> None:
    """Its flags."""
    parser.add_argument(
        "kinds",
        nargs="*",
        type=_kind,
        default=[_ALL],
        metavar="KIND",
        help=f"{', '.join(KINDS)} or {_ALL} (default: {_ALL})",
    )
    parser.add_argument(
        "--output", type=Path, metavar="DIR", help="write them below this directory"
    )
    parser.add_argument("--force", action="store_true", help="overwrite what is there and differs")


def run(flags: argparse.Namespace) -> int:
    """List the rules, dashboards and documents that come with the exporter, or write them."""
    chosen = [kind for kind in KINDS if {kind, _ALL} & set(flags.kinds)]
    if flags.output is None:
        for kind in chosen:
            print(f"{kind}: {KINDS[kind].about}")
            for name, _ in KINDS[kind].files():
                print(f"  {name}")
        return 0
    files = {
        flags.output / name: path.read_bytes()
        for kind in chosen
        for name, path in KINDS[kind].files()
    }
    try:
        there = [path for path in files if path.exists()]
        same = [path for path in there if path.read_bytes() == files[path]]
        if not flags.force:
            _refuse([path for path in there if path not in same])
        for path, content in files.items():
            if path not in same:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            print(f"{'unchanged' if path in same else 'written  '} {path}")
    except OSError as error:
        fail(f"--output: {error.filename}: {error.strerror}")
    return 0


def _kind(word: str) -> str:
    if word not in (*KINDS, _ALL):
        raise argparse.ArgumentTypeError(f"{word} is none of {', '.join(KINDS)} and {_ALL}")
    return word


def _refuse(different: Sequence[Path]) -> None:
    """Ends the process, before anything is written, if files of another content are there."""
    if different:
        names = ", ".join(map(str, different))
        fail(
            f"nothing was written, as these are there and differ: {names}; --force overwrites them"
        )
