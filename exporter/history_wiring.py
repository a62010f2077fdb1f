"""From the settings to the past of an account: for the command, and for the daemon's own thread.

In the daemon it is fetched as a command would beside it, by a guest of the account's state: so the
thread that polls knows nothing of it, and never waits for a target.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from math import inf

import structlog

from exporter.account.changes import Changes
from exporter.account.fleet import Fleet, FleetFilter
from exporter.account.handlers import AlarmFilter, filters_of
from exporter.account.model import AccountState
from exporter.account.probe import NoSessionError, NotNowError, Probe
from exporter.account.quotas import Quota
from exporter.account.store import RowStore
from exporter.archives import HistoryAccess
from exporter.clock import Clock, SystemClock
from exporter.config import AccountSettings, Settings
from exporter.config.types import HISTORY_SOURCES
from exporter.exposition.alarms import SEVERITIES
from exporter.exposition.translate import UnknownValues
from exporter.history.archive import Archive, ArchiveBusyError, ArchiveError
from exporter.history.budget import quotas_left
from exporter.history.job import HistorySelection, Job, UnknownStartError
from exporter.history.replay import Replay
from exporter.history.series import Target, TargetError
from exporter.history.targets.http import Endpoint
from exporter.history.targets.remote_write import RemoteWrite
from exporter.northbound.interfaces import (
    DAY,
    DEVICE_LIST,
    HOUR,
    INTERFACES,
    LOGIN,
    MINUTE,
    PLANT_LIST,
    Content,
    Interface,
)
from exporter.wiring import (
    account_config,
    client_of,
    max_unknown_keys,
    poll_config,
    poll_configs,
    schedule_of,
    translator_of,
)

AUTOMATIC = "five-minutes"  # whichever interface of 5-minute data an account has
_FIVE_MINUTES = tuple(row.name for row in INTERFACES.values() if row.content is Content.ROWS)
_START_CHECK = 5.0  # seconds between two checks whether the poller has begun
_MAX_SLEEP = MINUTE  # between two checks of what other processes have done


@dataclass(frozen=True, slots=True)
class HistoryOptions:
    """What of the past is wanted; what is None or empty is as the configuration or default says."""

    sources: Sequence[str] = ()
    plants: Sequence[str] = ("*",)
    devices: Sequence[str] = ("*",)
    start: float | None = None
    end: float | None = None
    share: float | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HistoryContext:
    """Whose past it is, and what it is fetched with."""

    settings: Settings
    account: AccountSettings
    probe: Probe
    archive: Archive
    clock: Clock
    has_daemon: bool

    def labels(self, options: HistoryOptions) -> Mapping[str, str]:
        """The labels that are added to the past."""
        return {**self.account.labels, **self.settings.history.labels, **options.labels}


def job_of(context: HistoryContext, options: HistoryOptions, report: Callable[[str], None]) -> Job:
    """The job of fetching what is wanted."""
    probe, history = context.probe, context.settings.history
    plants, devices = FleetFilter(tuple(options.plants)), FleetFilter(tuple(options.devices))
    chosen = [p.code for p in probe.fleet.plants.values() if plants.admits(p.code, p.name)]
    began = probe.state.first_shown.get("", inf) if options.end is None else options.end
    wanted = HistorySelection(
        _interfaces(options.sources or history.sources, context),
        chosen,
        [
            each.id
            for each in probe.fleet.devices.values()
            if each.plant_code in chosen and devices.admits(each.id, each.name, each.serial_number)
        ],
        history.start if options.start is None else options.start,
        min(context.clock.time(), began),
        _alarms(context.settings),
    )
    share = options.share or history.share or (None if context.has_daemon else 1.0)
    used = _used_by_daemon(context) if context.has_daemon else {}

    def quotas_of(interface: Interface) -> tuple[Quota, ...]:
        return quotas_left(probe.quotas(interface), used.get(interface.name, 0.0), share)

    return Job(probe, context.archive, probe.fleet, context.clock, wanted, quotas_of, report)


def _alarms(settings: Settings) -> Mapping[str, str]:
    """How alarms are asked for."""
    wanted = settings.alarms
    return {"language": wanted.language, **filters_of(AlarmFilter("", wanted.levels, wanted.types))}


def _used_by_daemon(context: HistoryContext) -> Mapping[str, float]:
    """Calls a second, by interface."""
    schedules = [
        schedule_of(config, context.probe.fleet, config.interface.device_types)
        for config in poll_configs(context.settings, context.account)
        if config.interface is not LOGIN
    ]
    return {
        each.interface.name: len(each.rotation.batches) / each.duration
        for each in schedules
        if each.rotation.batches and each.duration
    }


def _interfaces(named: Sequence[str], context: HistoryContext) -> list[Interface]:
    """The interfaces that are wanted, each once."""
    names = list(named) or [
        name
        for name in HISTORY_SOURCES
        if INTERFACES[name].content is Content.STATISTICS
        and context.settings.interface(context.account, name).enabled
    ]
    if AUTOMATIC in names:
        names[names.index(AUTOMATIC)] = _five_minutes(context)
    return [INTERFACES[name] for name in dict.fromkeys(names)]


def _five_minutes(context: HistoryContext) -> str:
    """The interface of 5-minute data that the account has, as far as is known."""
    settings, account = context.settings, context.account
    results = context.probe.state.results
    known = [each for each in _FIVE_MINUTES if each in results and results[each].permitted]
    enabled = [each for each in _FIVE_MINUTES if settings.interface(account, each).enabled]
    likely = _FIVE_MINUTES if account.limits == "classic" else _FIVE_MINUTES[1:]
    return (known or enabled or likely)[0]


def make_calls(
    job: Job, clock: Clock, report: Callable[[str], None], until: float = inf
) -> Iterator[None]:
    """Makes all calls that are due, and yields before each wait, if any was made since.

    Ends when none is left, or at a time of the clock, or when that is stopped.
    """
    made, due = False, job.due()
    while due < inf and clock.now() < until:
        now = clock.now()
        if due <= now:
            _step(job, clock, report)
            made = True
        else:
            if made:
                yield
                made = False
            if clock.wait(min(due - now, _MAX_SLEEP)):
                return
        due = job.due()


def _step(job: Job, clock: Clock, report: Callable[[str], None]) -> None:
    try:
        job.step()
    except NotNowError:
        pass  # another process was faster
    except NoSessionError as error:
        report(str(error))
        clock.wait(MINUTE)


def remote_write_of(settings: Settings, clock: Clock) -> RemoteWrite | None:
    """The configured target of history; None where there is none."""
    chosen = settings.history.remote_write
    if chosen is None:
        return None
    token, tls = chosen.token_in_the_clear(), chosen.tls
    endpoint = Endpoint(
        chosen.url,
        {**chosen.headers, **({"Authorization": f"Bearer {token}"} if token else {})},
        (chosen.username, chosen.password_in_the_clear()) if chosen.username else None,
        chosen.timeout,
        str(tls.ca_file) if tls.ca_file else None,
        tls.verify,
    )
    return RemoteWrite(endpoint, clock)


def replay_of(
    settings: Settings, account: AccountSettings, fleet: Fleet, labels: Mapping[str, str]
) -> Replay:
    """What makes samples of an account's past, with these labels added."""
    return Replay(
        account.name,
        translator_of(settings),
        fleet.plants,
        fleet.devices,
        unknown=UnknownValues(max_unknown_keys(settings), structlog.get_logger()),
        labels=labels,
        severities=settings.alarms.levels or SEVERITIES,
    )


class _NullView:
    """A view that shows nothing."""

    def restored(self, state: AccountState, offset: float) -> None:
        """Shows nothing."""

    def show(self, changes: Changes) -> None:
        """Shows nothing."""


class HistoryThread:
    """Fetches the past of one account beside its poller, until it is stopped. Never raises.

    Once a day it begins anew with the fleet as it is then; what is done costs nothing. `on_error`
    is told of a bug.
    """

    def __init__(
        self,
        settings: Settings,
        account: AccountSettings,
        access: HistoryAccess,
        on_error: Callable[[], None],
        clock: SystemClock | None = None,
    ) -> None:
        self._settings = settings
        self._account = account
        self._access = access
        self._on_error = on_error
        self._clock = clock or SystemClock()
        self._log = structlog.get_logger().bind(account=account.name, part="history")
        self._reported_at = -inf
        self._told: set[str] = set()  # of what does not come
        name = f"history {account.name}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Starts it."""
        self._thread.start()

    def stop(self) -> None:
        """Lets the call under way be the last."""
        self._clock.stop()

    def join(self, seconds: float) -> None:
        """Waits until it has ended, or as long."""
        self._thread.join(seconds)

    def _run(self) -> None:
        while not self._clock.wait(self.day()):
            pass

    def day(self) -> float:
        """Works for a day at most; returns after how many seconds there is more to do."""
        try:
            return self._day()
        except ArchiveBusyError as error:  # as while its last holder ends
            self._report(str(error))
            return _START_CHECK
        except (ArchiveError, TargetError) as error:
            self._log.warning("history cannot be stored or sent", reason=str(error))
        except UnknownStartError:
            self._log.warning("it is not known how far back history goes: set history.from")
            return DAY
        except Exception:  # noqa: BLE001  # the poller's account goes on
            self._log.exception("bug in history, continuing in an hour")
            self._on_error()
        return HOUR

    def _day(self) -> float:
        settings, account, clock = self._settings, self._account, self._clock
        target = remote_write_of(settings, clock)
        if target is None:
            return DAY
        with (
            self._access.archive() as archive,
            closing(self._access.rows()) as rows,
        ):
            probe = self._probe(rows)
            context = HistoryContext(settings, account, probe, archive, clock, has_daemon=True)
            if not probe.state.first_shown or not probe.fleet.plants:
                return _START_CHECK
            end = clock.now() + DAY
            job = job_of(context, HistoryOptions(), self._report)
            replay = replay_of(settings, account, job.fleet, context.labels(HistoryOptions()))
            self._run_job(job, replay, target, end)
        return max(MINUTE, end - clock.now())

    def _run_job(self, job: Job, replay: Replay, target: Target, end: float) -> None:
        clock = self._clock
        if job.plan_years():
            for _ in make_calls(job, clock, self._report, end):
                pass
        job.plan()
        for _ in make_calls(job, clock, self._report, end):
            job.send(replay, target)
            self._report_progress(job)
        if not clock.wait(0):
            job.send(replay, target)
            self._report_shortfalls(job)

    def _probe(self, rows: RowStore) -> Probe:
        settings, account = self._settings, self._account
        client = client_of(account)
        client.permit(lambda: rows.may_call)
        lists = [poll_config(settings, account, each) for each in (PLANT_LIST, DEVICE_LIST)]
        return Probe(
            account_config(settings, account, lists),
            {name: poll_config(settings, account, each) for name, each in INTERFACES.items()},
            client=client,
            database=rows,
            clock=self._clock,
            view=_NullView(),
            guest=True,
            report=self._report,
        )

    def _report(self, words: str) -> None:
        self._log.debug(words)

    def _report_progress(self, job: Job) -> None:
        """Logs how far it is, once an hour."""
        now, progress = self._clock.now(), job.progress
        if now - self._reported_at >= HOUR:
            self._reported_at = now
            self._log.info(
                "fetching history",
                calls_left=progress.left,
                days_left=round(progress.seconds / DAY, 1),
            )
            self._report_shortfalls(job)

    def _report_shortfalls(self, job: Job) -> None:
        """Logs what does not come, each reason once."""
        for reason in job.shortfalls:
            if reason not in self._told:
                self._told.add(reason)
                self._log.warning("some history does not come", reason=reason)
