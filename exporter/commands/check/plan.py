"""What the daemon is going to do with the allowances, and what would make values fresher."""

from collections.abc import Iterator
from dataclasses import dataclass

from exporter.account.fleet import Fleet
from exporter.account.interface_schedule import InterfaceSchedule
from exporter.config import AccountSettings, Settings
from exporter.northbound.interfaces import LOGIN
from exporter.status.text import duration
from exporter.wiring import poll_config, poll_configs, schedule_of

_CONDITIONS = {
    "classic": "if older than July 2022",
    "v6": "if created after June 2022",
    "v25": "if its server is of 25.x or 26.x",
}

_WORTHWHILE = 0.8  # of a time; what is saved beyond that is not worth a setting


@dataclass(frozen=True, slots=True)
class InterfacePlan:
    """One interface: calls a round, seconds from call to call and from round to round.

    Values are as old as a round at most; `fresher` tells what would shorten it.
    """

    interface: str
    calls: int
    pace: float
    freshness: float
    fresher: tuple[str, ...]


def plan_of(
    settings: Settings, account: AccountSettings, fleet: Fleet, edition: str | None
) -> list[InterfacePlan]:
    """The plan for each enabled interface; `edition` is the one known to hold, if any is."""
    schedules = [
        schedule_of(config, fleet, config.interface.device_types)
        for config in poll_configs(settings, account)
        if config.interface is not LOGIN
    ]
    return [
        InterfacePlan(
            schedule.interface.name,
            len(schedule.rotation.batches),
            schedule.pace,
            schedule.duration,
            tuple(_fresher_settings(settings, account, fleet, schedule, edition)),
        )
        for schedule in schedules
        if schedule.rotation.batches
    ]


def _fresher_settings(
    settings: Settings,
    account: AccountSettings,
    fleet: Fleet,
    schedule: InterfaceSchedule,
    known: str | None,
) -> Iterator[str]:
    interface = schedule.interface
    config = poll_config(settings, account, interface)
    possible = schedule.rotation.duration(schedule.pace, 0.0)
    if possible < _WORTHWHILE * schedule.every:
        yield f"every: {_format_duration(possible)}"
        return
    if settings.interface(account, interface.name).allowance:
        yield "a larger allowance, if the account has one"
        return
    durations: set[float] = set()  # whichever edition brings no more is not worth a word
    for edition, condition in _CONDITIONS.items():
        other = poll_config(settings, account.model_copy(update={"limits": edition}), interface)
        fresh = schedule_of(other, fleet, interface.device_types).duration
        if known in (None, edition) and fresh < schedule.duration and fresh not in durations:
            durations.add(fresh)
            yield f"limits: {edition} ({duration(fresh)}), {condition}"
    kinds = fleet.by_type(interface.device_types).keys() - {None}
    if len(kinds) > 1:
        types = (interface.device_types - {kind} for kind in kinds)
        shortest = min(schedule_of(config, fleet, others).duration for others in types)
        if shortest < schedule.duration:
            yield f"one of device_types less ({duration(shortest)})"


def _format_duration(seconds: float) -> str:
    """A duration as the configuration has it."""
    return duration(seconds).replace(" min", "m").replace(" ", "")
