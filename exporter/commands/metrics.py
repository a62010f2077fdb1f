"""The catalogue, printed."""

import argparse
import json
import os
import sys
from typing import Any

from exporter.catalogue.listing import describe_rows, render_markdown
from exporter.catalogue.model import Metric
from exporter.exposition.telemetry import Telemetry
from exporter.exposition.things import THINGS


def define(parser: argparse.ArgumentParser) -> None:
    """Its flags."""
    parser.add_argument(
        "--format", choices=["markdown", "json"], default="markdown", help="(default: %(default)s)"
    )


def run(flags: argparse.Namespace) -> int:
    """Print every metric, and the key it comes from."""
    rows = describe_rows()
    own = (*THINGS, *Telemetry().described)
    if flags.format == "json":
        text = json.dumps([*rows, *map(_describe_own, own)], indent=1, ensure_ascii=False) + "\n"
    else:
        shown = [_describe_own(metric) | {"labels": _own_labels(metric)} for metric in own]
        text = render_markdown(rows, shown)
    try:
        print(text, end="", flush=True)
    except BrokenPipeError:  # whoever reads it has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _own_labels(metric: Metric) -> list[str]:
    return [label for label in metric.labels if label != "account"]


def _describe_own(metric: Metric) -> dict[str, Any]:
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
