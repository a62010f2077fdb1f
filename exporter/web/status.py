"""The page for people: all accounts, interfaces and plants at a glance, those in trouble first."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from time import monotonic

from exporter import wording
from exporter.status import Account, Calls, HeldBack, Lane, Status
from exporter.web import single_flight
from exporter.web.look import Look
from exporter.web.plants import PlantRow, listing, plant_rows
from exporter.web.query import LONGEST, Query
from exporter.web.verdict import (
    TROUBLE,
    Finding,
    Level,
    Mark,
    findings,
    headline,
    mark_account,
    mark_lane,
    mark_login,
    rank_severity,
)

HELD_BACK = 50  # rows


@dataclass(frozen=True, slots=True)
class LaneRow:
    """An interface of an account."""

    lane: Lane
    calls: Calls
    mark: Mark


@dataclass(frozen=True, slots=True)
class AccountPart:
    """An account with its interfaces; its `number` is its place in the configuration."""

    number: int
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
        return sum(row.mark.level >= TROUBLE for row in self.lanes)

    @property
    def level(self) -> Level:
        """How much it needs to be looked at."""
        return max([self.mark.level, *(row.mark.level for row in self.lanes)])


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
    """What the page shows, whichever of the plants it lists; accounts and plants worst first."""

    time: float
    headline: Mark
    findings: Sequence[Finding]
    totals: Totals
    accounts: Sequence[AccountPart]
    plants: Sequence[PlantRow]
    held_back: Sequence[HeldBack]
    more_held_back: int
    unknown_keys: Sequence[str]


class StatusPage:
    """Renders the page; `headers` go with it. Its script only renews it.

    `status` tells how the accounts fare. One thread at a time may render.
    """

    def __init__(self, status: Callable[[], Status], now: Callable[[], float] = monotonic) -> None:
        self._look = Look(
            "status.html",
            script="status.js",
            filters=_FILTERS,
            known={
                "rank_severity": rank_severity,
                "relative": wording.relative,
                "Query": Query,
                "longest": LONGEST,
            },
            form_action="'self'",
        )
        self.headers = self._look.headers
        self._status = status
        self._now = now
        self._seen: tuple[float, View] | None = None

    def render(self, query: Query) -> str:
        """The page as HTML."""
        current = self._current()
        return self._look.render(view=current, listing=listing(current.plants, query))

    def _current(self) -> View:
        """The view of all pages that are made within a second: it costs more than a page does."""
        now = self._now()
        if self._seen is None or now - self._seen[0] > single_flight.KEPT:
            self._seen = now, view(self._status())
        return self._seen[1]


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
    accounts = [_account(*each) for each in enumerate(status.accounts, 1)]
    plants = plant_rows(status.accounts)
    totals = _totals(plants)
    found = findings(
        ((part.account, part.mark) for part in accounts),
        ((part.account, row.lane, row.mark) for part in accounts for row in part.lanes),
        ((row.label, row.plant, row.mark) for row in plants),
    )
    held_back = [each for account in status.accounts for each in account.held_back]
    return View(
        status.time,
        headline(found, [part.mark for part in accounts], totals.alarms),
        found,
        totals,
        sorted(accounts, key=lambda part: -part.level),
        plants,
        held_back[:HELD_BACK],
        len(held_back[HELD_BACK:]),
        sorted({key for account in status.accounts for key in account.unknown_keys}),
    )


def _account(number: int, account: Account) -> AccountPart:
    login, lanes = account.polling.login, account.polling.lanes
    calls = {lane: account.told.calls.get(lane.interface, Calls()) for lane in (login, *lanes)}
    return AccountPart(
        number,
        account,
        mark_account(account),
        LaneRow(login, calls[login], mark_login(account.polling)),
        [LaneRow(lane, calls[lane], mark_lane(lane, calls[lane])) for lane in lanes],
    )


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
