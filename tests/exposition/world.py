"""A page with one account on it, clocks that only tests move, and a way to read what it says."""

import json
from collections import Counter
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

import structlog
from prometheus_client.parser import text_string_to_metric_families

from exporter.account.changes import Answered, Changes, Plan, RequestMade
from exporter.account.database import Database
from exporter.account.fleet import Fleet
from exporter.account.model import AccountState, InterfaceResult, LatestAnswer
from exporter.account.store import Store
from exporter.exposition.account import AccountView
from exporter.exposition.page import Format, Page
from exporter.exposition.telemetry import Telemetry
from exporter.exposition.translate import Translator
from exporter.northbound.interfaces import INTERFACES
from exporter.northbound.records import Device, Plant, Reading, TimedReading, Values, Windows

FIXTURES = Path(__file__).parents[1] / "fixtures"
PLANTS = INTERFACES["getStationRealKpi"]
DEVICES = INTERFACES["getDevRealKpi"]
DAYS = INTERFACES["getKpiStationDay"]
DEVICE_DAYS = INTERFACES["getDevKpiDay"]
ALARMS = INTERFACES["getAlarmList"]
UPGRADES = INTERFACES["getDevUpgradeInfo"]
EPOCH = 1_750_798_800.0  # 2025-06-24 21:00 UTC
ACCOUNT_INFO = "fusionsolar_account_info{account=home,currency=}"


def payload(name):
    """A fixture's whole envelope."""
    return json.loads((FIXTURES / f"{name}.json").read_text())


class World:
    """One account, and its clock: `at` is the page's, `epoch` the wall's.

    It goes on with what its `database` holds, about a `fleet` of these plants and devices. `itself`
    puts the exporter's own metrics on the page, too; `settings` are the view's.
    """

    boot = None

    def __init__(  # noqa: PLR0913  # so that each test says only what it is about
        self,
        account="home",
        *,
        page=None,
        places=None,
        translator=None,
        itself=False,
        at=1_000.0,
        epoch=EPOCH,
        database=None,
        fleet=None,
        **settings,
    ):
        self.at = at
        self.epoch = epoch
        self._settings = settings
        self.telemetry = Telemetry()
        self.page = page or Page(self.telemetry.registries if itself else {}, self.now)
        self.view = AccountView(
            account,
            page=self.page,
            telemetry=self.telemetry,
            translator=translator or Translator({}),
            places=places or {},
            now=self.now,
            wall=self.time,
            **{"max_active_per_plant": 100, **settings},
        )
        self.state = AccountState()
        log = structlog.get_logger().bind(account=account)
        self.database = database or Database()
        self._store = Store(self.state, self.database, self, log)
        self._store.load()
        self._fleet = Fleet(self.state.fleet)
        if fleet is not None:
            self._set_fleet(fleet)
        change = self._fleet.change()
        self.state.drop_unknown()
        self.view.restored(self.state, self._store.previous_offset)
        self.show(fleet=change)
        for interface in (PLANTS, DEVICES, DAYS, DEVICE_DAYS, ALARMS, UPGRADES):
            self.plan(interface)

    def now(self):
        return self.at

    def time(self):
        return self.epoch

    def elapse(self, seconds):
        """Lets time pass on both clocks."""
        self.at += seconds
        self.epoch += seconds

    def save(self):
        """Leaves what is known to the next run."""
        self._store.save()

    def restart(self, *, after=0.0, **differs):
        """The next run, so many seconds later, by another steady clock."""
        self.save()
        settings = {"database": self.database, **self._settings, **differs}
        return World(at=50.0, epoch=self.epoch + after, **settings)

    def unsaved(self):
        """Kind and name of each row that is to be saved."""
        return {(each.kind, name) for each in self.state.sections for name in each.changed}

    def show(self, **changes):
        """One step of the poller."""
        self.view.show(Changes(**changes))

    def plan(self, interface, *, pace=60.0, duration=60.0, max_age=300.0):
        self.show(plans={interface.name: Plan(pace, duration, max_age)})

    def request(self, interface, *, error=None, seconds=0.1, permitted=None):
        """A call of an interface, by name; `permitted` is what its answer says of that."""
        result = self.state.results.change(interface, InterfaceResult)
        if error is None:
            result.last_success = self.epoch
        if permitted is not None:
            result.permitted = permitted
        self.show(requests=[RequestMade(interface, seconds, error)])

    def fleet(self, *members):
        """The plants and devices as they are from now on."""
        self.state.drop_unknown()  # of which no poller would have asked
        self._set_fleet(members)
        change = self._fleet.change()
        if change is not None:
            for subject, gone in change.gone.items():
                self.state.drop(subject, gone)
        self.show(fleet=change)

    def _set_fleet(self, members):
        plants = {each.code: each for each in members if isinstance(each, Plant)}
        devices = {each.id: each for each in members if isinstance(each, Device)}
        for known, found in ((self._fleet.plants, plants), (self._fleet.devices, devices)):
            known.clear()
            known.update(found)
        self.state.fleets.changed.add("")

    def answer(self, interface, asked, values, rejected=None, *, measured=None):
        """Values by subject and key, of what was asked for; `measured` says when some were true."""
        readings = (
            Reading(name, Values(values.get(name, {})), (rejected or {}).get(name, {}))
            for name in asked
        )
        self.read(interface, readings, measured)

    def read(self, interface, readings, measured=None):
        """An answer, as the parser has left it."""
        self._show(interface, {each.subject: each for each in readings}, measured or {})

    def show_alarms(self, plants):
        """Of each plant its active alarms, and the new ones."""
        for code, (_, new) in plants.items():
            counted = Counter(self.state.alarm_totals.get(code, {}))
            counted.update(alarm.severity for alarm in new)
            if new:
                self.state.alarm_totals[code] = dict(counted)
        self._show(ALARMS, {code: tuple(active) for code, (active, _) in plants.items()})

    def show_statistics(self, interface, rows):
        """Of each subject the current and the previous (start, values)."""
        windows = {
            name: Windows(
                *(row and TimedReading(row[0], Reading(name, Values(row[1]))) for row in pair)
            )
            for name, pair in rows.items()
        }
        self._show(interface, windows)

    def show_upgrades(self, asked, upgrades):
        """Of each device values, source and target version."""
        found = {name: upgrades.get(name, ({},)) for name in asked}
        for name, (_, *versions) in found.items():
            if versions:
                self.state.upgrades[name] = tuple(versions)
        self._show(UPGRADES, {name: Reading(name, Values(found[name][0])) for name in found})

    def _show(self, interface, values, measured=MappingProxyType({})):
        for name, value in values.items():
            at = measured.get(name, self.epoch)
            read_at = self.at - max(0.0, self.epoch - at)
            self.state.answers[interface.name][name] = LatestAnswer(at, read_at, value)
        self.show(answers=[Answered(interface, values.keys())])

    def text(self):
        return self.page.exposition(Format.TEXT).decode()

    def series(self, prefix=""):
        """All series on the page, after making sure that none is there twice."""
        lines = lines_of(self.text())
        parts = (line.rpartition(" ") for line in lines)
        samples = {_series(series): float(value) for series, _, value in parts}
        assert len(samples) == len(lines)
        return {series: value for series, value in samples.items() if series.startswith(prefix)}

    def self_metric(self, name, **labels):
        """One of the exporter's own metrics."""
        return self.telemetry.value("home", name, **labels)


@lru_cache(maxsize=10_000)  # as a page is looked at again and again
def _series(written):
    """A series as it goes by here, of its text on a page."""
    [(series, _)] = series_of(f"{written} 0\n")
    return series


def series_of(text):
    """Series and value, in the order of a text page, which must hold no series twice."""
    samples = [
        (f"{s.name}{{{','.join(f'{k}={v}' for k, v in sorted(s.labels.items()))}}}", s.value)
        for family in text_string_to_metric_families(text)
        for s in family.samples
    ]
    twice = [series for series, count in Counter(s for s, _ in samples).items() if count > 1]
    assert twice == []
    assert len(samples) == len(lines_of(text))
    return samples


def lines_of(text):
    """The samples of a text page as they are written; it must hold no family twice."""
    lines = text.split("\n")[:-1]
    families = [line for line in lines if line.startswith("# TYPE ")]
    assert len({line.split()[2] for line in families}) == len(families)
    return [line for line in lines if not line.startswith("#")]
