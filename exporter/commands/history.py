"""Fills Prometheus with the past, under the account's own allowances."""

import argparse
import fcntl
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf
from pathlib import Path

from exporter.account.fleet import FleetFilter
from exporter.account.probe import NoSessionError, NotNowError
from exporter.account.quotas import Quota
from exporter.account.state_directory import locked_file
from exporter.clock import Clock, SystemClock
from exporter.commands.account_access import (
    FAILED,
    Access,
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
from exporter.commands.plan import plan_of
from exporter.commands.tables import table
from exporter.config import AccountSettings, Settings
from exporter.config.types import HISTORY_SOURCES
from exporter.history.archive import Archive, ArchiveError
from exporter.history.budget import Budget
from exporter.history.fetching import Source
from exporter.history.job import FIVE_MINUTES, Job, Progress, UnknownStartError, Wanted
from exporter.history.replay import Replay
from exporter.history.series import Target, TargetError
from exporter.history.targets.http import Endpoint, Sender
from exporter.history.targets.openmetrics import OpenMetricsFiles
from exporter.history.targets.remote_write import RemoteWrite
from exporter.history.targets.victoriametrics import VictoriaMetrics
from exporter.northbound.interfaces import DEVICE_LIST, INTERFACES, MINUTE, PLANT_LIST, Interface
from exporter.status.text import duration
from exporter.wiring import archive_file_of, poll_config, remote_write_of, replay_of

_AUTOMATIC = "five-minutes"
_LONGEST_NAP = MINUTE  # between two looks at what the daemon has done meanwhile


def define(parser: argparse.ArgumentParser) -> None:
    """Its flags."""
    add_config(parser)
    add_account(parser)
    for flag, text in (
        ("from", "how far back: a date; left out, as far as the yearly statistics go"),
        ("to", "until when; left out, until the daemon began to show values, or now"),
    ):
        parser.add_argument(f"--{flag}", dest=f"{flag}_", type=_moment, metavar="DATE", help=text)
    parser.add_argument(
        "--sources",
        type=_sources,
        metavar="NAMES",
        help=f"interfaces, with commas: {', '.join(HISTORY_SOURCES)}, or {_AUTOMATIC} for what "
        "the account has of these; left out, the statistics that the daemon polls",
    )
    for flag in ("plants", "devices"):
        parser.add_argument(
            f"--{flag}", type=words, default=["*"], metavar="NAMES", help="wildcards, with commas"
        )
    parser.add_argument(
        "--share",
        type=_share,
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
    targets = parser.add_mutually_exclusive_group()
    targets.add_argument("--openmetrics", type=Path, metavar="DIR", help="write files for promtool")
    targets.add_argument("--remote-write", metavar="URL", help="send to a remote write endpoint")
    targets.add_argument(
        "--victoriametrics", metavar="URL", help="send to VictoriaMetrics' /api/v1/import"
    )


def _moment(text: str) -> float:
    try:
        there = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no date, such as 2021-05-31") from None
    return (there if there.tzinfo else there.replace(tzinfo=UTC)).timestamp()


def _sources(text: str) -> list[str]:
    names = words(text)
    for name in names:
        if name not in (*HISTORY_SOURCES, _AUTOMATIC):
            raise argparse.ArgumentTypeError(f"{name} is no interface with a past")
    return names


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = 0.0
    if not 0 < share <= 1:
        raise argparse.ArgumentTypeError(f"{text} is no part, more than 0 and at most 1")
    return share


def _label(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (equals and name.isidentifier() and name.isascii()) or name.startswith("__"):
        raise argparse.ArgumentTypeError(f"{text} is no NAME=VALUE")
    return name, value


@reports_failures
def run(flags: argparse.Namespace, clock: Clock | None = None) -> int:
    """Fetch what is missing of an account's past, and write it to where Prometheus has it."""
    settings = load_settings(flags.config_file)
    account = account_of(settings, flags.account)
    clock = clock or SystemClock()
    target = None if flags.dry_run else _target(flags, settings, clock)
    path = archive_file_of(settings, account)
    if path is None:
        fail("history needs a directory: set state.directory or history.directory")
    try:
        with state_of(settings, [account]) as state, _archive(path) as archive:
            lists = [poll_config(settings, account, each) for each in (PLANT_LIST, DEVICE_LIST)]
            with access_to(account, settings, state, clock, polled=lists) as access:
                access.probe.read_fleet()
                around = _Surroundings(settings, account, access, state.daemon, archive, clock)
                job = _job(flags, around)
                if target is None:
                    return _tell_plan(job)
                labels = {**account.labels, **settings.history.labels, **dict(flags.labels or ())}
                replay = replay_of(settings, account, job.fleet, labels)
                return _work(job, replay, target, clock)
    except (ArchiveError, TargetError) as error:
        say(f"history: {error}")
        return FAILED


@contextmanager
def _archive(path: Path) -> Iterator[Archive]:
    """The archive, for this process alone."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        lock = locked_file(path.with_suffix(".history-lock"), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ArchiveError("another process fetches the past of this account") from None
    with lock, closing(Archive(path)) as archive:
        yield archive


def _target(flags: argparse.Namespace, settings: Settings, clock: Clock) -> Target:
    if flags.openmetrics:
        return OpenMetricsFiles(flags.openmetrics)
    if flags.remote_write:
        return RemoteWrite(flags.remote_write, Sender(Endpoint(flags.remote_write), clock))
    if flags.victoriametrics:
        return VictoriaMetrics(
            flags.victoriametrics, Sender(Endpoint(flags.victoriametrics), clock)
        )
    configured = remote_write_of(settings, clock)
    if configured is None:
        fail("where to? --openmetrics DIR, --remote-write URL, --victoriametrics URL, or --dry-run")
    return configured


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """What a job is made of, beside the flags."""

    settings: Settings
    account: AccountSettings
    access: Access
    has_daemon: bool
    archive: Archive
    clock: Clock


def _job(flags: argparse.Namespace, around: _Surroundings) -> Job:
    probe, history = around.access.probe, around.settings.history
    plants, devices = FleetFilter(tuple(flags.plants)), FleetFilter(tuple(flags.devices))
    chosen = [p.code for p in probe.fleet.plants.values() if plants.admits(p.code, p.name)]
    began = probe.state.first_shown.get("", inf) if flags.to_ is None else flags.to_
    wanted = Wanted(
        _interfaces(flags.sources or history.sources, around),
        chosen,
        [
            each.id
            for each in probe.fleet.devices.values()
            if each.plant_code in chosen and devices.admits(each.id, each.name, each.serial_number)
        ],
        history.start if flags.from_ is None else flags.from_,
        min(around.clock.time(), began),
    )
    share = flags.share or history.share or (None if around.has_daemon else 1.0)
    used = _used_by_daemon(around) if around.has_daemon else {}

    def quotas_of(interface: Interface) -> tuple[Quota, ...]:
        return Budget(share).quotas(probe.quotas(interface), used.get(interface.name, 0.0))

    return Job(probe, around.archive, probe.fleet, around.clock, wanted, quotas_of, say)


def _used_by_daemon(around: _Surroundings) -> Mapping[str, float]:
    """Calls a second, by interface."""
    plan = plan_of(around.settings, around.account, around.access.probe.fleet, None)
    return {each.interface: each.calls / each.freshness for each in plan if each.freshness}


def _interfaces(named: Sequence[str], around: _Surroundings) -> list[Interface]:
    """The interfaces that are wanted, each once."""
    names = list(named) or [
        name
        for name in HISTORY_SOURCES
        if name not in FIVE_MINUTES and around.settings.interface(around.account, name).enabled
    ]
    if _AUTOMATIC in names:
        names[names.index(_AUTOMATIC)] = _five_minutes(around)
    return [INTERFACES[name] for name in dict.fromkeys(names)]


def _five_minutes(around: _Surroundings) -> str:
    """The interface of 5-minute data that the account has, as far as is known."""
    settings, account = around.settings, around.account
    results = around.access.probe.state.results
    known = [each for each in FIVE_MINUTES if each in results and results[each].permitted]
    enabled = [each for each in FIVE_MINUTES if settings.interface(account, each).enabled]
    return (
        known or enabled or (FIVE_MINUTES if account.limits == "classic" else FIVE_MINUTES[1:])
    )[0]


# --- work ---------------------------------------------------------------------------------------


def _work(job: Job, replay: Replay, target: Target, clock: Clock) -> int:
    """Fetches and sends all that is missing. What was fetched is sent, whatever ends the fetching.

    Files are written at the end, since a family stands in one piece in each.
    """
    sent = 0
    try:
        if job.plan_years():
            for _ in _waits(job, clock):
                pass
        job.plan()
        say(_table(job.sources))
        for _ in _waits(job, clock):
            if not isinstance(target, OpenMetricsFiles):
                sent += job.send(replay, target)
    except UnknownStartError:
        fail("nobody says how far back it goes: --from is needed")
    except KeyboardInterrupt:
        job.send(replay, target)
        raise
    sent += job.send(replay, target)
    return _tell_end(job, sent, target.name)


def _waits(job: Job, clock: Clock) -> Iterator[None]:
    """Makes call after call, and yields before it waits for one."""
    due = job.due()
    while due < inf:
        if due > clock.now():
            yield
            clock.wait(min(max(0.0, due - clock.now()), _LONGEST_NAP))
        else:
            _step(job, clock)
        due = job.due()


def _step(job: Job, clock: Clock) -> None:
    before = job.progress
    try:
        job.step()
    except NotNowError:
        return  # somebody else was faster
    except NoSessionError as error:
        say(str(error))
        clock.wait(MINUTE)
        return
    progress = job.progress
    if progress.done > before.done and progress.left:
        _tell_progress(progress, clock)


def _tell_progress(progress: Progress, clock: Clock) -> None:
    end = datetime.fromtimestamp(clock.time() + progress.seconds, UTC)
    say(
        f"{progress.done} calls done, {progress.left} left: about {duration(progress.seconds)}, "
        f"until {end:%Y-%m-%d %H:%M} UTC"
    )


def _tell_end(job: Job, sent: int, target: str) -> int:
    progress, given_up = job.progress, [each for each in job.sources if each.given_up]
    say(f"{progress.done} calls made, {sent} samples written to {target}")
    for each in given_up:
        say(f"{each.interface.name}: given up: {each.given_up}")
    for each in job.sources:
        if each.left and not each.quotas:
            say(
                f"{each.interface.name}: the daemon needs its whole allowance; --share takes a part"
            )
    if progress.failed:
        say(f"{progress.failed} calls failed; run it again for only those")
    return FAILED if given_up or progress.failed else 0


def _tell_plan(job: Job) -> int:
    """What it takes, without any call about the past."""
    try:
        job.plan()
    except UnknownStartError:
        fail("how far back it goes takes a call to find out: say so with --from")
    print(_table(job.sources), end="")
    progress = job.progress
    print(f"{progress.left} calls, about {duration(progress.seconds)}")
    return 0


def _table(sources: Iterable[Source]) -> str:
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


def _allowed(source: Source) -> str:
    """The longest of its quotas in words."""
    quotas = [quota for quota in source.quotas if quota.device_type is None]
    if not quotas:
        return "none"
    longest = max(quotas, key=lambda quota: quota.window)
    return f"{longest.calls} in {duration(longest.window)}"
