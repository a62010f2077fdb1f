"""The status page: all accounts, interfaces and plants, worst first."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from time import monotonic

from exporter.status import text
from exporter.status.assess import (
    ATTENTION,
    Assessment,
    Issue,
    Level,
    assess_account,
    assess_interface,
    assess_login,
    find_issues,
    headline,
    severity_level,
)
from exporter.status.model import (
    AccountStatus,
    CallCounts,
    HeldCounter,
    InterfaceStatus,
    PlantStatus,
    Status,
)
from exporter.web import page_cache
from exporter.web.html import HtmlTemplate
from exporter.web.plants import MAX_VALUE, PlantQuery, PlantRow, list_plants, plant_rows

HELD_COUNTERS = 50  # rows
_FILTERS = (
    *(text.allowance, text.count, text.duration, text.energy, text.iso_time, text.power),
    *(text.relative, text.utc_time),
)


@dataclass(frozen=True, slots=True)
class InterfaceRow:
    """An interface of an account."""

    interface: InterfaceStatus
    calls: CallCounts
    health: Assessment


@dataclass(frozen=True, slots=True)
class AccountSection:
    """An account with its interfaces; `number` is its position in the configuration, from 1 on."""

    number: int
    account: AccountStatus
    health: Assessment
    login: InterfaceRow
    interfaces: Sequence[InterfaceRow]

    @property
    def rows(self) -> Sequence[InterfaceRow]:
        """The login, and the interfaces that are polled."""
        return self.login, *self.interfaces

    @property
    def last_success(self) -> float | None:
        """When any interface last answered properly."""
        times = (row.calls.last_success for row in self.rows)
        return max((time for time in times if time is not None), default=None)

    @property
    def issues(self) -> int:
        """How many of its interfaces need attention."""
        return sum(row.health.level >= ATTENTION for row in self.interfaces)

    @property
    def level(self) -> Level:
        """The worst level of the account and its interfaces."""
        return max([self.health.level, *(row.health.level for row in self.interfaces)])


@dataclass(frozen=True, slots=True)
class PlantTotals:
    """Sums over all plants, each beside the number that it is the sum of."""

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
class StatusView:
    """All that the page shows but for its listing of plants; accounts and plants worst first."""

    time: float
    headline: Assessment
    issues: Sequence[Issue]
    totals: PlantTotals
    accounts: Sequence[AccountSection]
    plants: Sequence[PlantRow]
    held_back: Sequence[HeldCounter]
    more_held_back: int
    unknown_keys: Sequence[str]
    exports_unknown_keys: bool


class StatusPage:
    """Renders the page; `headers` go with it. One thread at a time may render."""

    def __init__(self, status: Callable[[], Status], now: Callable[[], float] = monotonic) -> None:
        self._template = HtmlTemplate(
            "status.html",
            script="status.js",
            filters=_FILTERS,
            variables={
                "severity_level": severity_level,
                "PlantQuery": PlantQuery,
                "max_value": MAX_VALUE,
            },
            form_action="'self'",
        )
        self.headers = self._template.headers
        self._status = status
        self._now = now
        self._last: tuple[float, StatusView] | None = None

    def render(self, query: PlantQuery) -> str:
        """The page as HTML."""
        view = self._view()
        return self._template.render(view=view, listing=list_plants(view.plants, query))

    def _view(self) -> StatusView:
        """One view for all pages within a second: it costs more than a page does."""
        now = self._now()
        if self._last is None or now - self._last[0] > page_cache.MAX_AGE:
            self._last = now, build_view(self._status())
        return self._last[1]


def build_view(status: Status) -> StatusView:
    """What the page shows of the accounts."""
    accounts = [_account_view(*each) for each in enumerate(status.accounts, 1)]
    plants = plant_rows(status.accounts)
    totals = _totals([row.plant for row in plants])
    issues = find_issues(
        ((part.account, part.health) for part in accounts),
        ((part.account, row.interface, row.health) for part in accounts for row in part.interfaces),
        ((row.label, row.plant, row.health) for row in plants),
    )
    held_back = [each for account in status.accounts for each in account.held_back]
    return StatusView(
        status.time,
        headline(issues, [part.health for part in accounts], totals.alarms),
        issues,
        totals,
        sorted(accounts, key=lambda part: -part.level),
        plants,
        held_back[:HELD_COUNTERS],
        len(held_back[HELD_COUNTERS:]),
        sorted({key for account in status.accounts for key in account.unknown_keys}),
        any(account.exports_unknown_keys for account in status.accounts),
    )


def _account_view(number: int, account: AccountStatus) -> AccountSection:
    def calls(interface: InterfaceStatus) -> CallCounts:
        return account.counts.calls.get(interface.name, CallCounts())

    login = account.polling.login
    return AccountSection(
        number,
        account,
        assess_account(account),
        InterfaceRow(login, calls(login), assess_login(account.polling)),
        [
            InterfaceRow(each, calls(each), assess_interface(each, calls(each)))
            for each in account.polling.interfaces
        ],
    )


def _totals(plants: Sequence[PlantStatus]) -> PlantTotals:
    powers = [plant.power for plant in plants if plant.power is not None]
    energies = [plant.energy for plant in plants if plant.energy is not None]
    alarms = Counter[str]()
    for plant in plants:
        alarms.update(plant.alarms or {})
    return PlantTotals(
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
