"""What the state of accounts, interfaces and plants means to a person, worst first. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum

from exporter.northbound.errors import RATE_LIMITED
from exporter.status import Account, Calls, Failure, Lane, Plant, Polling
from exporter.wording import count, listed, some


class Level(IntEnum):
    """How much it matters."""

    GOOD = 0
    NOTE = 1  # worth knowing
    WAIT = 2  # not known yet
    WARN = 3  # somebody should look
    BAD = 4  # somebody must


@dataclass(frozen=True, slots=True)
class Mark:
    """A state in a word or two, and why it is so."""

    level: Level
    word: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that needs attention."""

    level: Level
    text: str


_HEALTH: Mapping[str, Mark] = {
    "healthy": Mark(Level.GOOD, "Healthy"),
    "disconnected": Mark(Level.WARN, "Disconnected"),
    "faulty": Mark(Level.BAD, "Faulty"),
}
_UNKNOWN = Mark(Level.NOTE, "Unknown")
_SEVERITIES: Mapping[str, Level] = {"critical": Level.BAD, "major": Level.WARN}
TROUBLE = Level.WARN  # from here on it is a finding


def mark_account(account: Account) -> Mark:
    """How an account fares."""
    polling = account.polling
    if polling.refusal:
        return Mark(Level.BAD, "Credentials refused", _why([polling.refusal]))
    if polling.login_failure:
        return Mark(Level.BAD, "Cannot log in", _why([polling.login_failure]))
    failures = [failure for lane in polling.lanes for failure in lane.failures]
    if polling.logged_in and not account.told.up and failures:
        return Mark(Level.BAD, "No proper answer", _why(failures))
    if polling.waiting:
        return Mark(Level.WAIT, "Starting", "; ".join(polling.waiting))
    if not account.told.up:
        return Mark(Level.WAIT, "Not heard of yet")
    return Mark(Level.WARN, "No plants", polling.lack) if polling.lack else Mark(Level.GOOD, "Up")


def mark_login(polling: Polling) -> Mark:
    """How the login fares."""
    if failure := polling.refusal or polling.login_failure:
        return Mark(Level.BAD, "Failed", _why([failure]))
    return Mark(Level.GOOD, "Logged in") if polling.logged_in else Mark(Level.WAIT, "Not logged in")


def mark_lane(lane: Lane, calls: Calls) -> Mark:
    """How an interface fares."""
    if calls.permitted is False:
        return Mark(Level.WARN, "Not permitted", _why(lane.failures))
    if lane.failures:
        refused = all(failure.reason in RATE_LIMITED for failure in lane.failures)
        return Mark(Level.WARN, "Refused" if refused else "Failing", _why(lane.failures))
    if not lane.batches:
        return Mark(Level.NOTE, "Nothing to ask")
    if lane.answered < lane.batches:
        missing = lane.batches - lane.answered
        reason = f"{missing:,} of {lane.batches:,} batches not answered in full yet"
        return Mark(Level.WAIT, "Asking", reason)
    if lane.silent:
        return Mark(Level.NOTE, "Answers", f"but not about {lane.silent:,} of those asked about")
    return Mark(Level.GOOD, "Answers")


def mark_plant(plant: Plant, *, waiting: bool) -> Mark:
    """How a plant is; `waiting` while its account has not been asked about everything."""
    if plant.health is not None:
        return _HEALTH.get(plant.health, _UNKNOWN)
    if waiting:
        return Mark(Level.WAIT, "Not known yet")
    if plant.last_reading is None:
        return Mark(Level.NOTE, "No values")
    return _UNKNOWN if plant.answered else Mark(Level.WARN, "Silent")


def rank_severity(severity: str) -> Level:
    """How much an active alarm matters."""
    return _SEVERITIES.get(severity, Level.NOTE)


def rank_plant(plant: Plant, mark: Mark) -> Level:
    """How much a plant needs to be looked at, for all that is known of it."""
    partial = Level.NOTE if plant.answered < plant.inverters else Level.GOOD
    return max(mark.level, partial, *map(rank_severity, plant.alarms or ()))


def findings(
    accounts: Iterable[tuple[Account, Mark]],
    lanes: Iterable[tuple[Account, Lane, Mark]],
    plants: Iterable[tuple[str, Plant, Mark]],
) -> list[Finding]:
    """What needs attention, worst first; plants come with what tells them apart."""
    accounts, plants = list(accounts), list(plants)
    found = [
        *(
            Finding(mark.level, f"Account {account.name}: {mark.word.lower()}. {mark.reason}")
            for account, mark in accounts
        ),
        *(
            Finding(
                mark.level,
                f"{lane.interface} of account {account.name}: {mark.word.lower()}. {mark.reason}",
            )
            for account, lane, mark in lanes
        ),
        *(_not_kept(account) for account, _ in accounts if account.told.state_kept is False),
        *_of_plants((label, mark) for label, _, mark in plants),
        *_of_alarms((label, plant.alarms or {}) for label, plant, _ in plants),
    ]
    return sorted((each for each in found if each.level >= TROUBLE), key=lambda each: -each.level)


def _not_kept(account: Account) -> Finding:
    return Finding(
        Level.WARN,
        f"State of account {account.name}: cannot be written, so a restart costs a login and calls "
        "too early. The log says why.",
    )


def _of_plants(plants: Iterable[tuple[str, Mark]]) -> Iterator[Finding]:
    labels: dict[Mark, list[str]] = {}
    for label, mark in plants:
        labels.setdefault(mark, []).append(label)
    for mark, those in labels.items():
        yield Finding(
            mark.level, f"{count(len(those), 'plant')} {mark.word.lower()}: {some(those)}"
        )


def _of_alarms(plants: Iterable[tuple[str, Mapping[str, int]]]) -> Iterator[Finding]:
    plants = list(plants)
    for severity, level in _SEVERITIES.items():
        having = [(label, of[severity]) for label, of in plants if of.get(severity)]
        if having:
            alarms = count(sum(number for _, number in having), f"{severity} alarm")
            yield Finding(level, f"{alarms}: {some([label for label, _ in having])}")


def headline(found: Iterable[Finding], marks: Iterable[Mark], alarms: Mapping[str, int]) -> Mark:
    """All of it in a few words; `alarms` are the active ones by severity."""
    found, levels = list(found), [mark.level for mark in marks]
    if found:
        return Mark(found[0].level, _in_need(len(found), alarms))
    if not levels:
        return Mark(Level.WAIT, "No account yet")
    if max(levels) >= Level.WAIT:
        return Mark(Level.WAIT, "Starting up")
    return Mark(Level.GOOD, "All is well")


def _in_need(findings: int, alarms: Mapping[str, int]) -> str:
    """Names the alarms; of each severity that matters there is one finding."""
    grave = {each: alarms[each] for each in _SEVERITIES if alarms.get(each)}
    parts = [count(number, f"{severity} alarm") for severity, number in grave.items()]
    if others := findings - len(grave):
        parts.append(count(others, "more thing" if grave else "thing"))
    needs = "needs" if sum(grave.values()) + others == 1 else "need"
    return f"{listed(parts)} {needs} attention"


def _why(failures: Iterable[Failure]) -> str:
    """The reasons, each once, as the metrics count them, with what they mean."""
    return "; ".join(dict.fromkeys(f"{each.reason}: {each.meaning}" for each in failures))
