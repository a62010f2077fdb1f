"""From a new account to a configuration that works: what is permitted, seen, planned, to do."""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path

from exporter import NAME
from exporter.commands.capture import Capture
from exporter.commands.findings import findings_of, limits_of
from exporter.commands.options import (
    accounts_of,
    add_account,
    add_config,
    add_format,
    fail,
    load_settings,
    show,
)
from exporter.commands.plan import plan_of
from exporter.commands.report import (
    Checked,
    TrialLines,
    heading,
    next_step,
    plain,
    render,
    seen_devices,
    seen_plants,
)
from exporter.commands.trials import Trials
from exporter.commands.visit import FAILED, State, errand_to, guide, say, state_of, told
from exporter.config import AccountSettings, Settings
from exporter.polling.clock import SystemClock
from exporter.polling.errand import Errand
from exporter.polling.ports import Clock
from exporter.wiring import client_of, wishes_of


def define(parser: argparse.ArgumentParser) -> None:
    """Its flags."""
    add_config(parser)
    add_account(parser)
    parser.add_argument(
        "--capture",
        type=Path,
        metavar="DIR",
        help="write the raw answers there, with names, ids and places replaced, for bug reports",
    )
    add_format(parser)


@told
def run(flags: argparse.Namespace, clock: Clock | None = None) -> int:
    """Try the accounts of a configuration, and say what works, what does not, and what to do."""
    settings = load_settings(flags.config_file)
    accounts = accounts_of(settings, flags.account)
    capture = _capture(flags.capture) if flags.capture else None
    clock = clock or SystemClock()
    # A document is told at its end; for people, line by line, as calls may take minutes.
    tell = say if flags.format == "json" else partial(print, flush=True)
    checked = []
    with state_of(settings, accounts) as state:
        for account in accounts:
            say(f"{account.name}: login and lists first, then it is known how long the rest takes")
            client = client_of(account)
            client.tap = capture.take if capture else None
            with errand_to(account, settings, state, clock, client) as errand:
                each = _check(errand, account, settings, clock, tell)
            checked.append(each)
            if flags.format != "json":
                print(render(each), flush=True)
    step = next_step(checked, _start(state, flags.config_file))
    show(flags.format, plain(checked, step), lambda: f"NEXT\n{step}\n")
    return 0 if all(each.well for each in checked) else FAILED


def _check(
    errand: Errand,
    account: AccountSettings,
    settings: Settings,
    clock: Clock,
    tell: Callable[[str], None],
) -> Checked:
    wishes = list(wishes_of(settings, account))
    interfaces = [wish.interface for wish in wishes]
    lines = TrialLines(interfaces)
    tell(heading(account.name, account.base_url))
    tell(lines.header)
    guided = guide(errand, wishes, settings, account, clock)
    trials = Trials(errand, guided.tour, tell=lambda trial: tell(lines.line(trial)), announce=say)
    trials.run(interfaces)
    inventory, limits = errand.inventory, limits_of(settings, account, trials.made)
    return Checked(
        account.name,
        account.base_url,
        seen_plants(inventory),
        seen_devices(inventory),
        trials.made,
        limits,
        plan_of(settings, account, inventory, limits.known),
        findings_of(settings, guided, trials.readings),
    )


def _start(state: State, path: Path) -> str:
    command = f"start it: {NAME} --config.file {path}"
    if state.daemon:
        return "the exporter runs already"
    if state.directory is None:
        return (
            "wait half an hour, since without a state directory the exporter cannot know of the "
            f"calls made here, then {command}"
        )
    return command


def _capture(directory: Path) -> Capture:
    try:
        return Capture(directory)
    except ValueError as error:
        fail(f"--capture {directory}: {error}")
