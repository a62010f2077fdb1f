"""Runs the year: `python -m year --climate bavaria --days 0:365 --kind home --seed 1 --list`."""

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path

from year.climates import CLIMATES
from year.evaluate import evaluate
from year.plants import PLANT_KINDS
from year.polling import POLLING
from year.report import render_tables, with_tables
from year.seasons import SEASONS
from year.simulation import Scenario, window

DOCUMENT = Path(__file__).parents[2] / "docs" / "alerts-year.md"


def parse_arguments():
    parser = argparse.ArgumentParser(prog="python -m year", description=__doc__)
    parser.add_argument("--climate", nargs="*", choices=CLIMATES, default=list(CLIMATES))
    parser.add_argument(
        "--kind", nargs="*", choices=PLANT_KINDS, default=list(PLANT_KINDS), help="of plants"
    )
    parser.add_argument("--seed", nargs="*", type=int, default=[1])
    parser.add_argument(
        "--days", default="0:365", help="from:to, counted from the first of January"
    )
    parser.add_argument("--short", action="store_true", help="some days only, as in stack-test")
    parser.add_argument("--turn", type=int, default=0, help="rotates the kinds of fault")
    parser.add_argument("--without-expected", action="store_true", help="no expected power")
    parser.add_argument(
        "--polling", choices=POLLING, default="exact", help="how devices are polled"
    )
    parser.add_argument("--list", action="store_true", help="each episode and each fault, too")
    parser.add_argument("--write", action="store_true", help=f"the tables to {DOCUMENT.name}")
    return parser.parse_args()


def main():
    options = parse_arguments()
    scenarios = list(SEASONS.values() if options.short else chosen_scenarios(options))
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        assessments = [
            (scenario.climate, assessment)
            for scenario, assessment in zip(scenarios, pool.map(evaluate, scenarios), strict=True)
        ]
    tables = list(render_tables(assessments))
    details = [line for each in assessments for line in listing(*each)] if options.list else []
    sys.stdout.write("\n".join([*details, *tables]) + "\n")
    if options.write:
        lines = [description(options), "", *tables]
        DOCUMENT.write_text(with_tables(DOCUMENT.read_text("utf-8"), lines), "utf-8")


def chosen_scenarios(options):
    """The scenarios of the chosen seeds and climates."""
    for seed, climate in product(options.seed, options.climate):
        yield Scenario(
            climate,
            window(*map(int, options.days.split(":"))),
            seed,
            tuple(options.kind),
            fault_rotation=options.turn,
            with_expected_power=not options.without_expected,
            polling=options.polling,
        )


def description(options):
    """The sentence above the tables that says which scenarios they are of."""
    if options.short:
        return "Some days of each climate, as in stack-test; whole years have more kinds of fault:"
    return f"Days {options.days} with seed {', '.join(map(str, options.seed))}:"


def listing(climate, assessment):
    """A line for each episode and each fault."""
    yield from (f"{climate}: fired without a cause", *map(str, assessment.false_alerts))
    yield from (f"\n{climate}: beside a fault", *map(str, assessment.side_alerts))
    yield from (f"\n{climate}: faults", *map(str, assessment.detections), "")


if __name__ == "__main__":
    main()
