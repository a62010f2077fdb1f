"""From a new account to a configuration that works: what is permitted, seen, planned, to do."""

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from exporter import NAME
from exporter.account.interface_schedule import PollConfig
from exporter.clock import Clock, SystemClock
from exporter.commands.account_access import (
    FAILED,
    Access,
    StateAccess,
    access_to,
    reports_failures,
    say,
    state_of,
)
from exporter.commands.check.capture import Capture
from exporter.commands.check.findings import findings_of, limits_of
from exporter.commands.check.plan import plan_of
from exporter.commands.check.report import (
    AccountReport,
    TrialLines,
    as_data,
    device_summaries,
    heading,
    next_step,
    plant_summaries,
    render,
)
from exporter.commands.check.trials import Trials
from exporter.commands.options import (
    accounts_of,
    add_account,
    add_config,
    add_format,
    fail,
    load_settings,
    show,
)
from exporter.config import AccountSettings, Settings
from exporter.wiring import client_of, poll_configs


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


@reports_failures
def run(flags: argparse.Namespace, clock: Clock | None = None) -> int:
    """Try the accounts of a configuration, and say what works, what does not, and what to do."""
    settings = load_settings(flags.config_file)
    accounts = accounts_of(settings, flags.account)
    capture = _capture(flags.capture) if flags.capture else None
    clock = clock or SystemClock()
    # A document is told at its end; for people, line by line, as calls may take minutes.
    report = say if flags.format == "json" else partial(print, flush=True)
    checked = []
    with state_of(settings, accounts) as state:
        for account in accounts:
            say(f"{account.name}: login and lists first, then it is known how long the rest takes")
            client = client_of(account)
            client.on_response = capture.record if capture else None
            polled = list(poll_configs(settings, account))
            with access_to(account, settings, state, clock, polled=polled, client=client) as access:
                each = _check(access, account, settings, polled, report)
            checked.append(each)
            if flags.format != "json":
                print(render(each), flush=True)
    step = next_step(checked, _start(state, flags.config_file))
    show(flags.format, as_data(checked, step), lambda: f"NEXT\n{step}\n")
    return 0 if all(each.passed for each in checked) else FAILED


def _check(
    access: Access,
    account: AccountSettings,
    settings: Settings,
    polled: Sequence[PollConfig],
    report: Callable[[str], None],
) -> AccountReport:
    interfaces = [each.interface for each in polled]
    lines = TrialLines(interfaces)
    report(heading(account.name, account.base_url))
    report(lines.header)
    trials = Trials(access.probe, report=lambda trial: report(lines.line(trial)), announce=say)
    trials.run(interfaces)
    fleet, limits = (
        access.probe.fleet,
        limits_of(settings, account, trials.made, access.probe.fleet),
    )
    return AccountReport(
        account.name,
        account.base_url,
        plant_summaries(fleet),
        device_summaries(fleet),
        trials.made,
        limits,
        plan_of(settings, account, fleet, limits.known),
        findings_of(settings, access, trials.readings),
    )


def _start(state: StateAccess, path: Path) -> str:
    command = f"start it: {NAME} --config.file {path}"
    if state.daemon:
        return "the exporter runs already"
    if not state.is_kept:
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
