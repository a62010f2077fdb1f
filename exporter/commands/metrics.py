"""The catalogue, printed."""

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from exporter.catalogue.listing import describe_rows, render_markdown
from exporter.catalogue.model import Metric
from exporter.exposition.own import OWN
from exporter.exposition.things import THINGS

# What comes from no key of the catalogue.
KEYLESS: Mapping[str, Sequence[Metric]] = {
    "Plants, devices and alarms": THINGS,
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
        keyless = chain.from_iterable(KEYLESS.values())
        text = json.dumps([*rows, *map(_describe, keyless)], indent=1, ensure_ascii=False) + "\n"
    else:
        text = render_markdown(
            rows,
            {
                title: [_describe(metric) | {"labels": _labels(metric)} for metric in metrics]
                for title, metrics in KEYLESS.items()
            },
        )
    try:
        print(text, end="", flush=True)
    except BrokenPipeError:  # whoever reads it has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _labels(metric: Metric) -> list[str]:
    return [label for label in metric.labels if label != "account"]


def _describe(metric: Metric) -> dict[str, Any]:
    return {
        "interface": None,
        "device_type": None,
        "key": None,
        "metric": metric.name,
        "type": metric.kind.value,
        "factor": 1.0,
        "labels": {},
        "unit": metric.unit,
        "source_unit": "",
        "help": metric.help,
    }
