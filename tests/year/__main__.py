"""Runs the year: `python -m year --climate bavaria --days 0:365 --kind home --seed 1 --list`."""

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import product
from pathlib import Path

from year.asking import ASKING
from year.climates import CLIMATES
from year.evaluate import evaluate
from year.plants import KINDS
from year.report import whole, written
from year.seasons import SEASONS
from year.world import Scene, window

DOCUMENT = Path(__file__).parents[2] / "docs" / "alerts-year.md"


def arguments():
    parser = argparse.ArgumentParser(prog="python -m year", description=__doc__)
    parser.add_argument("--climate", nargs="*", choices=CLIMATES, default=list(CLIMATES))
    parser.add_argument("--kind", nargs="*", choices=KINDS, default=list(KINDS), help="of plants")
    parser.add_argument("--seed", nargs="*", type=int, default=[1])
    parser.add_argument(
        "--days", default="0:365", help="from:to, counted from the first of January"
    )
    parser.add_argument("--short", action="store_true", help="some days only, as in stack-test")
    parser.add_argument("--turn", type=int, default=0, help="rotates the kinds of fault")
    parser.add_argument("--without-expected", action="store_true", help="power that nobody learns")
    parser.add_argument("--asking", choices=ASKING, default="exact", help="how devices are asked")
    parser.add_argument("--list", action="store_true", help="each episode and each fault, too")
    parser.add_argument("--write", action="store_true", help=f"the tables to {DOCUMENT.name}")
    return parser.parse_args()


def main():
    chosen = arguments()
    scenes = list(SEASONS.values()) if chosen.short else list(chosen_scenes(chosen))
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        verdicts = [
            (scene.climate, verdict)
            for scene, verdict in zip(scenes, pool.map(evaluate, scenes), strict=True)
        ]
    lines = [line for each in verdicts for line in listed(*each)] if chosen.list else []
    tables = list(whole(verdicts))
    sys.stdout.write("\n".join([*lines, *tables]) + "\n")
    if chosen.write:
        lines = [said(chosen), "", *tables]
        DOCUMENT.write_text(written(DOCUMENT.read_text("utf-8"), lines), "utf-8")


def chosen_scenes(chosen):
    span = window(*map(int, chosen.days.split(":")))
    for seed, climate in product(chosen.seed, chosen.climate):
        kinds, expecting = tuple(chosen.kind), not chosen.without_expected
        scene = Scene(climate, span, seed, kinds, chosen.turn, expecting)
        yield replace(scene, asking=chosen.asking)


def said(chosen):
    if chosen.short:
        return "Some days of each climate, as in stack-test; whole years have more kinds of fault:"
    return f"Days {chosen.days} with seed {', '.join(map(str, chosen.seed))}:"


def listed(climate, verdict):
    yield from (f"{climate}: fired without a cause", *map(str, verdict.false))
    yield from (f"\n{climate}: beside a fault", *map(str, verdict.beside))
    yield from (f"\n{climate}: faults", *map(str, verdict.told), "")


if __name__ == "__main__":
    main()
