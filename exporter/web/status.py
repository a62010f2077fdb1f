"""The page for people: all accounts, interfaces and plants at a glance, those in trouble first."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum

from exporter import wording
from exporter.status import Account, Calls, Lane, Plant, Status
from exporter.web.look import Look
from exporter.web.verdict import (
    Finding,
    Level,
    Mark,
    findings,
    headline,
    mark_account,
    mark_lane,
    mark_login,
    mark_plant,
    rank_plant,
    rank_severity,
)

PLANTS = 200  # rows: whoever has more looks at dashboards


@dataclass(frozen=True, slots=True)
class PlantRow:
    """A plant of an account."""

    account: str
    plant: Plant
    mark: Mark
    level: Level


@dataclass(frozen=True, slots=True)
class LaneRow:
    """An interface of an account."""

    lane: Lane
    calls: Calls
    mark: Mark


@dataclass(frozen=True, slots=True)
class AccountPart:
    """An account with its interfaces."""

    account: Account
    mark: Mark
    login: LaneRow
    lanes: Sequence[LaneRow]

    @property
    def rows(self) -> Sequence[LaneRow]:
        """The login, and the interfaces that are walked."""
        return self.login, *self.lanes

    @property
    def last_success(self) -> float | None:
        """When anything of the account last answered properly."""
        times = (row.calls.last_success for row in self.rows)
        return max((time for time in times if time is not None), default=None)

    @property
    def trouble(self) -> int:
        """How many of its interfaces need attention."""
        return sum(row.mark.level >= Level.WARN for row in self.lanes)


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over all plants, each beside what it is the sum of."""

    plants: int
    healthy: int
    power: float | None
    capacity: float
    inverters: int
    answered: int
    energy: float | None
    with_energy: int
    alarms: Mapping[str, int]
    with_alarms: int  # plants of which it is known how many are active


@dataclass(frozen=True, slots=True)
class View:
    """All that the template shows."""

    time: float
    headline: Mark
    findings: Sequence[Finding]
    totals: Totals
    accounts: Sequence[AccountPart]
    plants: Sequence[PlantRow]
    more_plants: int
    more_trouble: int
    unknown_keys: Sequence[str]


class StatusPage:
    """Renders the page; `headers` go with it. Its script only renews it."""

    def __init__(self) -> None:
        self._look = Look(
            "status.html",
            script="status.js",
            filters=_FILTERS,
            known={"rank_severity": rank_severity, "relative": wording.relative},
        )
        self.headers = self._look.headers

    def render(self, status: Status) -> str:
        """The page as HTML."""
        return self._look.render(view=view(status))


_FILTERS: Mapping[str, Callable[..., str]] = {
    "power": wording.power,
    "energy": wording.energy,
    "span": wording.span,
    "instant": wording.instant,
    "clock": wording.clock,
    "allowance": wording.allowance,
    "count": wording.count,
}


def view(status: Status) -> View:
    """What the page shows of the accounts."""
    accounts = [_account(account) for account in status.accounts]
    plants = sorted(
        (row for account in status.accounts for row in _plants(account)),
        key=lambda row: (-row.level, row.plant.name.casefold(), row.plant.code),
    )
    found = findings(
        ((part.account, part.mark) for part in accounts),
        ((part.account, row.lane, row.mark) for part in accounts for row in part.lanes),
        ((row.plant, row.mark) for row in plants),
    )
    rest = plants[PLANTS:]
    return View(
        status.time,
        headline(found, [part.mark for part in accounts]),
        found,
        _totals(plants),
        accounts,
        plants[:PLANTS],
        len(rest),
        sum(row.level >= Level.WARN for row in rest),
        sorted({key for account in status.accounts for key in account.unknown_keys}),
    )


def _account(account: Account) -> AccountPart:
    login, lanes = account.polling.login, account.polling.lanes
    calls = {lane: account.told.calls.get(lane.interface, Calls()) for lane in (login, *lanes)}
    return AccountPart(
        account,
        mark_account(account),
        LaneRow(login, calls[login], mark_login(account.polling)),
        [LaneRow(lane, calls[lane], mark_lane(lane, calls[lane])) for lane in lanes],
    )


def _plants(account: Account) -> Iterable[PlantRow]:
    for plant in account.plants:
        mark = mark_plant(plant, waiting=bool(account.polling.waiting))
        yield PlantRow(account.name, plant, mark, rank_plant(plant, mark))


def _totals(rows: Iterable[PlantRow]) -> Totals:
    plants = [row.plant for row in rows]
    powers = [plant.power for plant in plants if plant.power is not None]
    energies = [plant.energy for plant in plants if plant.energy is not None]
    alarms = Counter[str]()
    for plant in plants:
        alarms.update(plant.alarms or {})
    return Totals(
        plants=len(plants),
        healthy=sum(plant.health == "healthy" for plant in plants),
        power=fsum(powers) if powers else None,
        capacity=fsum(plant.capacity or 0.0 for plant in plants),
        inverters=sum(plant.inverters for plant in plants),
        answered=sum(plant.answered for plant in plants),
        energy=fsum(energies) if energies else None,
        with_energy=len(energies),
        alarms=alarms,
        with_alarms=sum(plant.alarms is not None for plant in plants),
    )
