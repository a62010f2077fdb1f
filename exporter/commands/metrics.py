"""The catalogue, printed."""

import argparse
import json
from collections.abc import Mapping, Sequence
from itertools import chain

from exporter.catalogue.listing import describe_metric, describe_rows, render_markdown
from exporter.catalogue.model import Metric
from exporter.exposition.families import INVENTORY, OWN

# What comes from no key of the catalogue.
KEYLESS: Mapping[str, Sequence[Metric]] = {
    "Plants, devices and alarms": INVENTORY,
    "The exporter": OWN,
}


def define(parser: argparse.ArgumentParser) -> None:
    """Its flags."""
    parser.add_argument(
        "--format", choices=["markdown", "json"], default="markdown", help="(default: %(default)s)"
    )


def run(flags: argparse.Namespace) -> int:
    """Print every metric, and the key it comes from."""
    rows = describe_rows()
    if flags.format == "json":
        keyless = map(describe_metric, chain.from_iterable(KEYLESS.values()))
        text = json.dumps([*rows, *keyless], indent=1, ensure_ascii=False) + "\n"
    else:
        text = render_markdown(rows, KEYLESS)
    print(text, end="")
    return 0
