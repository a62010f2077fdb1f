"""Lifetime counters that hold a value back: which ones, and accepting it."""

import argparse
from collections.abc import Sequence
from dataclasses import asdict

from exporter.account.model import AcceptedValue
from exporter.account.probe import Probe
from exporter.clock import Clock, SystemClock
from exporter.commands.account_access import FAILED, access_to, reports_failures, say, state_of
from exporter.commands.options import (
    accounts_of,
    add_account,
    add_config,
    add_format,
    fail,
    load_settings,
    show,
)
from exporter.commands.tables import table
from exporter.exposition.status import held_back
from exporter.northbound.interfaces import Subject
from exporter.status.model import HeldCounter
from exporter.status.text import utc_time as exact

_SUBJECTS = {"plant": Subject.PLANTS, "device": Subject.DEVICES}


def define(parser: argparse.ArgumentParser) -> None:
    """Its actions and their flags."""
    parser.add_argument(
        "action",
        nargs="?",
        choices=["list", "accept"],
        default="list",
        help="list what is held back, or accept it (default: %(default)s)",
    )
    add_config(parser)
    add_account(parser)
    for flag, what in (("plant", "code"), ("device", "id")):
        parser.add_argument(f"--{flag}", metavar=what.upper(), help=f"of the {flag} of this {what}")
    parser.add_argument("--metric", metavar="NAME", help="of this metric (default: of each)")
    add_format(parser)


@reports_failures
def run(flags: argparse.Namespace, clock: Clock | None = None) -> int:
    """List the values that lifetime counters hold back, or accept them."""
    if flags.action == "accept" and not (flags.plant or flags.device):
        fail("counters accept: --plant or --device is needed")
    settings = load_settings(flags.config_file)
    if not settings.state.has_place:
        fail("counters: without a state directory nothing is kept that could be looked at")
    accounts = accounts_of(settings, flags.account)
    found: list[HeldCounter] = []
    with state_of(settings, accounts) as state:
        for account in accounts:
            with access_to(account, settings, state, clock or SystemClock()) as access:
                held = [e for e in _held_counters(access.probe) if _is_selected(e, flags)]
                if flags.action == "accept":
                    _accept(access.probe, held)
            found += held
    show(flags.format, [asdict(each) for each in found], lambda: _text(found, flags.action))
    return FAILED if flags.action == "accept" and not found else 0


def _held_counters(probe: Probe) -> Sequence[HeldCounter]:
    pending = {
        # Which type a device has matters to the daemon alone.
        ((None if subject is Subject.PLANTS else 0, name), series): held
        for subject, counters in probe.state.counters.items()
        for name, states in counters.items()
        for series, held in states.items()
    }
    return held_back(pending, probe.fleet.plants, probe.fleet.devices)


def _is_selected(each: HeldCounter, flags: argparse.Namespace) -> bool:
    wanted = [
        (subject.value, getattr(flags, flag))
        for flag, subject in _SUBJECTS.items()
        if getattr(flags, flag)
    ]
    return flags.metric in (None, each.metric) and (
        not wanted or (each.subject, each.code) in wanted
    )


def _accept(probe: Probe, chosen: Sequence[HeldCounter]) -> None:
    """Leaves it for the daemon, which accepts them with its next call."""
    for each in chosen:
        accepted = AcceptedValue(Subject(each.subject), each.code, each.metric)
        probe.state.accepted[f"{each.subject} {each.code} {each.metric}"] = accepted
    probe.save()


def _text(found: Sequence[HeldCounter], action: str) -> str:
    if not found:
        say("nothing is held back")
        return ""
    headings = ("Code or id", "Name", "Metric", "Labels", "Shown", "Held back", "First seen")
    rows = (
        (
            each.code,
            each.name,
            each.metric,
            ", ".join(each.labels),
            f"{each.shown:,.2f} {each.unit}",
            f"{each.reported:,.2f} {each.unit}",
            exact(each.since),
        )
        for each in found
    )
    if action == "accept":
        say("accepted; the exporter shows it with its next answer")
    return table(headings, rows)
