"""The health of accounts, interfaces and plants, and what needs attention. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum

from exporter.northbound.errors import RATE_LIMITED
from exporter.status.model import (
    AccountStatus,
    CallCounts,
    FailureStatus,
    InterfaceStatus,
    PlantStatus,
    PollingStatus,
)
from exporter.status.text import count, enumeration, shortlist


class Level(IntEnum):
    """How urgent an assessment is."""

    GOOD = 0
    NOTE = 1  # worth knowing
    WAIT = 2  # not known yet
    WARN = 3  # somebody should look
    BAD = 4  # somebody must act


ATTENTION = Level.WARN  # from this level on, an assessment is an issue


@dataclass(frozen=True, slots=True)
class Assessment:
    """A state in a word or two, and its reason."""

    level: Level
    word: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Issue:
    """Something that needs attention, in a sentence."""

    level: Level
    text: str


_PLANT_HEALTH: Mapping[str, Assessment] = {
    "healthy": Assessment(Level.GOOD, "Healthy"),
    "disconnected": Assessment(Level.WARN, "Disconnected"),
    "faulty": Assessment(Level.BAD, "Faulty"),
}
_UNKNOWN = Assessment(Level.NOTE, "Unknown")
_SEVERITIES: Mapping[str, Level] = {"critical": Level.BAD, "major": Level.WARN}


def assess_account(account: AccountStatus) -> Assessment:
    """The health of an account as a whole."""
    polling, up = account.polling, account.counts.up
    if polling.refusal:
        return Assessment(Level.BAD, "Credentials refused", _reasons([polling.refusal]))
    if polling.login_failure:
        return Assessment(Level.BAD, "Cannot log in", _reasons([polling.login_failure]))
    failures = [failure for each in polling.interfaces for failure in each.failures]
    if polling.logged_in and not up and failures:
        return Assessment(Level.BAD, "No proper answer", _reasons(failures))
    if polling.waiting:
        return Assessment(Level.WAIT, "Starting", "; ".join(polling.waiting))
    if not up:
        return Assessment(Level.WAIT, "Not heard of yet")
    reason = polling.no_data_reason
    return Assessment(Level.WARN, "No plants", reason) if reason else Assessment(Level.GOOD, "Up")


def assess_login(polling: PollingStatus) -> Assessment:
    """The health of an account's login."""
    if failure := polling.refusal or polling.login_failure:
        return Assessment(Level.BAD, "Failed", _reasons([failure]))
    if polling.logged_in:
        return Assessment(Level.GOOD, "Logged in")
    return Assessment(Level.WAIT, "Not logged in")


def assess_interface(interface: InterfaceStatus, calls: CallCounts) -> Assessment:
    """The health of an interface of an account."""
    failures, missing = interface.failures, interface.batches - interface.answered
    if calls.permitted is False:
        return Assessment(Level.WARN, "Not permitted", _reasons(failures))
    if failures:
        refused = all(failure.reason in RATE_LIMITED for failure in failures)
        return Assessment(Level.WARN, "Refused" if refused else "Failing", _reasons(failures))
    if not interface.batches:
        return Assessment(Level.NOTE, "Nothing to ask")
    if missing > 0:
        reason = f"{missing:,} of {interface.batches:,} batches not answered in full yet"
        return Assessment(Level.WAIT, "Asking", reason)
    if interface.unanswered:
        reason = f"but not about {interface.unanswered:,} of those asked about"
        return Assessment(Level.NOTE, "Answers", reason)
    return Assessment(Level.GOOD, "Answers")


def assess_plant(plant: PlantStatus, *, waiting: bool) -> Assessment:
    """The health of a plant; `waiting` while its account lacks first answers."""
    if plant.health is not None:
        return _PLANT_HEALTH.get(plant.health, _UNKNOWN)
    if waiting:
        return Assessment(Level.WAIT, "Not known yet")
    if plant.last_reading is None:
        return Assessment(Level.NOTE, "No values")
    return _UNKNOWN if plant.answered else Assessment(Level.WARN, "Silent")


def severity_level(severity: str) -> Level:
    """The level of an active alarm."""
    return _SEVERITIES.get(severity, Level.NOTE)


def plant_level(plant: PlantStatus, health: Assessment) -> Level:
    """The level of a plant, its alarms and inverters that do not answer included."""
    partial = Level.NOTE if plant.answered < plant.inverters else Level.GOOD
    return max(health.level, partial, *map(severity_level, plant.alarms or ()))


def find_issues(
    accounts: Iterable[tuple[AccountStatus, Assessment]],
    interfaces: Iterable[tuple[AccountStatus, InterfaceStatus, Assessment]],
    plants: Iterable[tuple[str, PlantStatus, Assessment]],
) -> list[Issue]:
    """What needs attention, worst first; plants come with their labels."""
    accounts, plants = list(accounts), list(plants)
    found = [
        *(_issue(f"Account {account.name}", health) for account, health in accounts),
        *(
            _issue(f"{interface.name} of account {account.name}", health)
            for account, interface, health in interfaces
        ),
        *(
            Issue(
                Level.WARN,
                f"State of account {account.name}: cannot be written, so a restart costs a login "
                "and calls too early. The log says why.",
            )
            for account, _ in accounts
            if account.counts.state_kept is False
        ),
        *_health_issues((label, health) for label, _, health in plants),
        *_alarm_issues([(label, plant.alarms or {}) for label, plant, _ in plants]),
    ]
    return sorted((each for each in found if each.level >= ATTENTION), key=lambda each: -each.level)


def _issue(subject: str, health: Assessment) -> Issue:
    return Issue(health.level, f"{subject}: {health.word.lower()}. {health.reason}")


def _health_issues(plants: Iterable[tuple[str, Assessment]]) -> Iterator[Issue]:
    labels: dict[Assessment, list[str]] = defaultdict(list)
    for label, health in plants:
        labels[health].append(label)
    for health, those in labels.items():
        text = f"{count(len(those), 'plant')} {health.word.lower()}: {shortlist(those)}"
        yield Issue(health.level, text)


def _alarm_issues(plants: list[tuple[str, Mapping[str, int]]]) -> Iterator[Issue]:
    for severity, level in _SEVERITIES.items():
        found = [(label, alarms[severity]) for label, alarms in plants if alarms.get(severity)]
        if found:
            alarms = count(sum(number for _, number in found), f"{severity} alarm")
            yield Issue(level, f"{alarms}: {shortlist([label for label, _ in found])}")


def headline(
    issues: list[Issue], accounts: Iterable[Assessment], alarms: Mapping[str, int]
) -> Assessment:
    """The overall state in a few words; `alarms` are the active ones by severity."""
    levels = [health.level for health in accounts]
    if issues:
        return Assessment(issues[0].level, _format_issues(len(issues), alarms))
    if not levels:
        return Assessment(Level.WAIT, "No account yet")
    if max(levels) >= Level.WAIT:
        return Assessment(Level.WAIT, "Starting up")
    return Assessment(Level.GOOD, "All is well")


def _format_issues(issues: int, alarms: Mapping[str, int]) -> str:
    """Names the alarms; each severity that matters is one issue."""
    grave = {each: alarms[each] for each in _SEVERITIES if alarms.get(each)}
    parts = [count(number, f"{severity} alarm") for severity, number in grave.items()]
    if others := issues - len(grave):
        parts.append(count(others, "more thing" if grave else "thing"))
    needs = "needs" if sum(grave.values()) + others == 1 else "need"
    return f"{enumeration(parts)} {needs} attention"


def _reasons(failures: Iterable[FailureStatus]) -> str:
    """Each reason once, with its meaning."""
    return "; ".join(dict.fromkeys(f"{each.reason}: {each.meaning}" for each in failures))
