"""Fills Prometheus with the past, under the account's own allowances."""

import argparse
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from exporter.archives import archive_of
from exporter.clock import Clock, SystemClock
from exporter.commands.account_access import (
    FAILED,
    StateAccess,
    access_to,
    reports_failures,
    say,
    state_of,
)
from exporter.commands.options import (
    account_of,
    add_account,
    add_config,
    fail,
    load_settings,
    words,
)
from exporter.commands.tables import table
from exporter.config import AccountSettings, Settings
from exporter.config.errors import suggestion
from exporter.config.types import HISTORY_SOURCES, added_label_name, endpoint_url, moment
from exporter.history.archive import Archive, ArchiveError
from exporter.history.fetcher import HistorySource
from exporter.history.job import HistorySelection, Job, JobProgress, UnknownStartError
from exporter.history.replay import Replay
from exporter.history.series import Target, TargetError
from exporter.history.targets.http import Endpoint
from exporter.history.targets.openmetrics import OpenMetricsFiles
from exporter.history.targets.remote_write import RemoteWrite
from exporter.history.targets.victoriametrics import VictoriaMetrics
from exporter.history_wiring import (
    AUTOMATIC,
    HistoryContext,
    HistoryOptions,
    job_of,
    make_calls,
    remote_write_of,
    replay_of,
)
from exporter.northbound.interfaces import DEVICE_LIST, PLANT_LIST
from exporter.status.text import count, duration
from exporter.wiring import poll_config

Value = TypeVar("Value")


def define(parser: argparse.ArgumentParser) -> None:
    """Its flags."""
    add_config(parser)
    add_account(parser)
    for flag, text in (
        ("from", "how far back: a date; left out, as far as the yearly statistics go"),
        ("to", "until when; left out, until the daemon began to show values, or now"),
    ):
        parser.add_argument(
            f"--{flag}", dest=f"{flag}_", type=_checked_by(moment), metavar="DATE", help=text
        )
    parser.add_argument(
        "--sources",
        type=_sources,
        metavar="NAMES",
        help=f"interfaces, with commas: {', '.join(HISTORY_SOURCES)}, or {AUTOMATIC} for what "
        "the account has of these; left out, the statistics that the daemon polls",
    )
    for flag in ("plants", "devices"):
        parser.add_argument(
            f"--{flag}", type=words, default=["*"], metavar="NAMES", help="wildcards, with commas"
        )
    parser.add_argument(
        "--share",
        type=_parse_share,
        metavar="PART",
        help="use this part of each allowance, from 0 to 1; left out, what a running daemon leaves",
    )
    parser.add_argument(
        "--label",
        dest="labels",
        action="append",
        type=_label,
        metavar="NAME=VALUE",
        help="a label of scraped series, such as job=fusionsolar; may be given more than once",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="say what it takes; ask for no past and write none"
    )
    _add_targets(parser)


def _add_targets(parser: argparse.ArgumentParser) -> None:
    """The flags that say where the past goes."""
    targets = parser.add_mutually_exclusive_group()
    targets.add_argument("--openmetrics", type=Path, metavar="DIR", help="write files for promtool")
    targets.add_argument(
        "--remote-write",
        type=_checked_by(endpoint_url),
        metavar="URL",
        help="send to a remote write endpoint",
    )
    targets.add_argument(
        "--victoriametrics",
        type=_checked_by(endpoint_url),
        metavar="URL",
        help="send to VictoriaMetrics' /api/v1/import",
    )


def _checked_by(check: Callable[[str], Value]) -> Callable[[str], Value]:
    """The configuration's check of a value, as that of a flag."""

    def of_flag(text: str) -> Value:
        try:
            return check(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return of_flag


def _sources(text: str) -> list[str]:
    names, known = words(text), (*HISTORY_SOURCES, AUTOMATIC)
    for name in names:
        if name not in known:
            raise argparse.ArgumentTypeError(
                f"{name} is no interface with a past{suggestion(name, known)}"
            )
    return names


def _parse_share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = 0.0
    if not 0 < share <= 1:
        raise argparse.ArgumentTypeError(f"{text} is no part, more than 0 and at most 1")
    return share


def _label(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text} is no NAME=VALUE")
    try:
        return added_label_name(name), value
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{name} {error}") from None


@reports_failures
def run(flags: argparse.Namespace, clock: Clock | None = None) -> int:
    """Fetch what is missing of an account's past, and write it to where Prometheus has it."""
    settings = load_settings(flags.config_file)
    account = account_of(settings, flags.account)
    clock = clock or SystemClock()
    target = None if flags.dry_run else _target(flags, settings, clock)
    try:
        with state_of(settings, [account]) as state, _archive(settings, account, state) as archive:
            if state.daemon and settings.history.enabled:
                fail("the running exporter fetches history by itself: history.enabled")
            clock = state.shared.clock() if state.shared else clock
            lists = [poll_config(settings, account, each) for each in (PLANT_LIST, DEVICE_LIST)]
            with access_to(account, settings, state, clock, polled=lists) as access:
                access.probe.update_fleet()
                context = HistoryContext(
                    settings, account, access.probe, archive, clock, has_daemon=state.daemon
                )
                options = _options(flags)
                job = job_of(context, options, say)
                _refuse_nothing(flags, job.wanted)
                if target is None:
                    return _report_plan(job)
                replay = replay_of(settings, account, job.fleet, context.labels(options))
                return _run_job(job, replay, target, clock)
    except (ArchiveError, TargetError) as error:
        say(f"history: {error}")
        return FAILED


def _archive(
    settings: Settings, account: AccountSettings, state: StateAccess
) -> AbstractContextManager[Archive]:
    opened = archive_of(settings, account, state.shared)
    if opened is None:
        fail("history needs a directory: set state.directory or history.directory")
    return opened()


def _options(flags: argparse.Namespace) -> HistoryOptions:
    return HistoryOptions(
        flags.sources or (),
        flags.plants,
        flags.devices,
        flags.from_,
        flags.to_,
        flags.share,
        dict(flags.labels or ()),
    )


def _refuse_nothing(flags: argparse.Namespace, wanted: HistorySelection) -> None:
    """Ends the process where there can be nothing of what is wanted."""
    for flag, chosen in (("plants", wanted.plants), ("devices", wanted.devices)):
        names = getattr(flags, flag)
        if names != ["*"] and not chosen:
            fail(f"--{flag} {','.join(names)}: there is none")
    if contradiction := wanted.contradiction("history.from" if flags.from_ is None else "--from"):
        fail(contradiction)


def _target(flags: argparse.Namespace, settings: Settings, clock: Clock) -> Target:
    if flags.openmetrics:
        try:
            return OpenMetricsFiles(flags.openmetrics)
        except TargetError as error:
            fail(f"--openmetrics {error}")
    if flags.remote_write:
        return RemoteWrite(Endpoint(flags.remote_write), clock)
    if flags.victoriametrics:
        return VictoriaMetrics(Endpoint(flags.victoriametrics), clock)
    configured = remote_write_of(settings, clock)
    if configured is None:
        fail(
            "no target: --openmetrics DIR, --remote-write URL, --victoriametrics URL, or --dry-run"
        )
    return configured


# --- work ---------------------------------------------------------------------------------------


def _run_job(job: Job, replay: Replay, target: Target, clock: Clock) -> int:
    """Fetches and sends all that is missing. What was fetched is sent, whatever ends the fetching.

    Files are written at the end, since a family stands in one piece in each.
    """
    sent = 0
    try:
        if job.plan_years():
            for _ in make_calls(job, clock, say):
                pass
        job.plan()
        say(_table(job.sources))
        for _ in make_calls(job, clock, say):
            if not isinstance(target, OpenMetricsFiles):
                sent += job.send(replay, target)
            _report_progress(job.progress, clock)
    except UnknownStartError:
        fail("it is not known how far back history goes: --from is needed")
    except KeyboardInterrupt:
        with suppress(UnknownStartError):  # of which nothing has been fetched
            job.send(replay, target)
        raise
    sent += job.send(replay, target)
    return _report_end(job, sent, target.name)


def _report_progress(progress: JobProgress, clock: Clock) -> None:
    end = datetime.fromtimestamp(clock.time() + progress.seconds, UTC)
    say(
        f"{count(progress.done, 'call')} done, {progress.left:,} left: "
        f"about {duration(progress.seconds)}, "
        f"until {end:%Y-%m-%d %H:%M} UTC"
    )


def _report_end(job: Job, sent: int, target: str) -> int:
    say(f"{count(job.progress.done, 'call')} made, {sent} samples written to {target}")
    for reason in job.shortfalls:
        say(reason)
    given_up = any(each.given_up for each in job.sources)
    return FAILED if given_up or job.progress.failed else 0


def _report_plan(job: Job) -> int:
    """What it takes, without any call about the past."""
    try:
        job.plan()
    except UnknownStartError:
        fail("how far back it goes takes a call to find out: say so with --from")
    print(_table(job.sources), end="")
    progress = job.progress
    print(f"{count(progress.left, 'call')}, about {duration(progress.seconds)}")
    return 0


def _table(sources: Iterable[HistorySource]) -> str:
    return table(
        ("Interface", "Calls", "Allowed", "Takes about"),
        (
            (
                each.interface.name,
                str(len(each.left)),
                _allowed(each),
                duration(each.seconds) if each.quotas else "never",
            )
            for each in sources
        ),
    )


def _allowed(source: HistorySource) -> str:
    """The longest of its quotas in words."""
    quotas = [quota for quota in source.quotas if quota.device_type is None]
    if not quotas:
        return "none"
    longest = max(quotas, key=lambda quota: quota.window)
    return f"{longest.calls} in {duration(longest.window)}"
