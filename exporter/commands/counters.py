"""Lifetime counters that hold a value back: which ones, and accepting it."""

import argparse
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict

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
from exporter.commands.visit import FAILED, State, errand_to, say, state_of
from exporter.config import AccountSettings
from exporter.exposition import memory, plain
from exporter.exposition.heldback import held_back
from exporter.northbound.interfaces import Subject
from exporter.polling.clock import SystemClock
from exporter.polling.inventory import Inventory
from exporter.polling.memory import Memory
from exporter.polling.ports import Clock
from exporter.polling.state_directory import file_of
from exporter.status.model import HeldCounter
from exporter.status.text import utc_time as exact
from exporter.wiring import owner_of

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


def run(flags: argparse.Namespace, clock: Clock | None = None) -> int:
    """List the values that lifetime counters hold back, or accept them."""
    if flags.action == "accept" and not (flags.plant or flags.device):
        fail("counters accept: --plant or --device is needed")
    settings = load_settings(flags.config_file)
    if settings.state.directory is None:
        fail("counters: without a state directory nothing is kept that could be looked at")
    accounts = accounts_of(settings, flags.account)
    found: list[HeldCounter] = []
    with state_of(settings, accounts) as state:
        for account in accounts:
            with (
                errand_to(account, settings, state, clock or SystemClock()) as errand,
                _memory_of(account, state) as kept,
            ):
                held = [e for e in _held_back(errand.inventory, kept) if _is_meant(e, flags)]
                if flags.action == "accept":
                    _accept(kept, held)
            found += held
    show(flags.format, [asdict(each) for each in found], lambda: _text(found, flags.action))
    return FAILED if flags.action == "accept" and not found else 0


def _memory_of(account: AccountSettings, state: State) -> closing[Memory]:
    """What is kept of an account, whether a daemon works with it or not."""
    owner = owner_of(account)
    path = file_of(state.directory, *owner) if state.directory else None
    return closing(Memory(path, locked=owner not in state.daemons))


def _held_back(inventory: Inventory, kept: Memory) -> Sequence[HeldCounter]:
    pending = {
        # Which type a device has matters to the daemon alone.
        ((None if subject is Subject.PLANTS else 0, name), series): held
        for subject in _SUBJECTS.values()
        for name, data in kept.read(memory.held(subject)).items()
        for series, held in (plain.recalled(plain.read_held, data) or {}).items()
    }
    return held_back(pending, inventory.plants, inventory.devices)


def _is_meant(each: HeldCounter, flags: argparse.Namespace) -> bool:
    wanted = [
        (subject.value, getattr(flags, flag))
        for flag, subject in _SUBJECTS.items()
        if getattr(flags, flag)
    ]
    return flags.metric in (None, each.metric) and (
        not wanted or (each.subject, each.code) in wanted
    )


def _accept(kept: Memory, chosen: Sequence[HeldCounter]) -> None:
    """Leaves it for the daemon, which accepts them before its next call."""
    orders = (plain.plain_accepted(Subject(e.subject), e.code, e.metric) for e in chosen)
    kept.write({(memory.ACCEPTED, name): order for name, order in orders})


def _text(found: Sequence[HeldCounter], action: str) -> str:
    if not found:
        say("nothing is held back")
        return ""
    headings = ("Of", "Name", "Metric", "Labels", "Shown", "Held back", "First seen")
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
