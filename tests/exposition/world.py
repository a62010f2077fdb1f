"""A page with one account on it, clocks that only tests move, and a way to read what it says."""

import json
from collections import Counter
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from exporter.exposition.account import AccountSink
from exporter.exposition.page import Format, Page
from exporter.exposition.telemetry import Telemetry
from exporter.exposition.translate import Translator
from exporter.northbound.interfaces import INTERFACES
from exporter.northbound.records import (
    Device,
    Parsed,
    Plant,
    PlantAlarms,
    Reading,
    TimedReading,
    Upgrade,
    Windows,
)

FIXTURES = Path(__file__).parents[1] / "fixtures"
PLANTS = INTERFACES["getStationRealKpi"]
DEVICES = INTERFACES["getDevRealKpi"]
DAYS = INTERFACES["getKpiStationDay"]
DEVICE_DAYS = INTERFACES["getDevKpiDay"]
ALARMS = INTERFACES["getAlarmList"]
UPGRADES = INTERFACES["getDevUpgradeInfo"]
EPOCH = 1_750_798_800.0  # 2025-06-24 21:00 UTC
ACCOUNT_INFO = "fusionsolar_account_info{account=home,currency=}"


class Memory(dict):
    """What survives a restart, by kind and name, as JSON keeps it."""

    def write(self, changes):
        for (kind, name), data in json.loads(json.dumps(list(changes.items()), allow_nan=False)):
            if data is None:
                self.get(kind, {}).pop(name, None)
            else:
                self.setdefault(kind, {})[name] = data

    def read(self, kind):
        return self.get(kind, {})


def payload(name):
    """A fixture's whole envelope."""
    return json.loads((FIXTURES / f"{name}.json").read_text())


class World:
    """One account; `at` is the page's clock, `epoch` the wall's.

    `itself` puts the exporter's own metrics on the page, too; `settings` are the sink's.
    """

    def __init__(  # noqa: PLR0913  # so that each test says only what it is about
        self,
        account="home",
        *,
        page=None,
        places=None,
        itself=False,
        at=1_000.0,
        epoch=EPOCH,
        **settings,
    ):
        self.at = at
        self.epoch = epoch
        self.telemetry = Telemetry()
        registry = self.telemetry.registry if itself else CollectorRegistry()
        self.page = page or Page(registry, lambda: self.at)
        self.sink = AccountSink(
            account,
            page=self.page,
            telemetry=self.telemetry,
            translator=Translator({}),
            places=places or {},
            now=lambda: self.at,
            wall=lambda: self.epoch,
            **{"max_active_per_plant": 100, **settings},
        )
        for interface in (PLANTS, DEVICES, DAYS, DEVICE_DAYS, ALARMS, UPGRADES):
            self.sink.plan(interface.name, pace=60.0, walk=60.0, max_age=300.0)

    def fleet(self, *members):
        """Tells the fleet: plants and devices as records."""
        self.sink.fleet(
            {each.code: each for each in members if isinstance(each, Plant)},
            {each.id: each for each in members if isinstance(each, Device)},
        )

    def answer(self, interface, asked, values, rejected=None):
        """Hands on an answer: values by subject and key, of what was asked for."""
        readings = [
            Reading(subject, kpis, (rejected or {}).get(subject, {}))
            for subject, kpis in values.items()
        ]
        self.sink.readings(interface, asked, Parsed(tuple(readings), Counter(), 1))

    def tell_alarms(self, plants):
        """Hands on an answer: of each plant its active alarms, and the new ones."""
        told = {
            code: PlantAlarms(tuple(active), tuple(new)) for code, (active, new) in plants.items()
        }
        self.sink.alarms(ALARMS, told)

    def tell_statistics(self, interface, rows):
        """Hands on an answer: of each subject the current and the previous (start, values)."""
        self.sink.statistics(
            interface,
            {
                name: Windows(
                    *(row and TimedReading(row[0], Reading(name, row[1])) for row in pair)
                )
                for name, pair in rows.items()
            },
        )

    def tell_upgrades(self, asked, upgrades):
        """Hands on an answer: of each device values, source and target version."""
        records = [Upgrade(Reading(name, each[0]), *each[1:]) for name, each in upgrades.items()]
        self.sink.upgrades(UPGRADES, asked, Parsed(tuple(records)))

    def text(self):
        return self.page.exposition(Format.TEXT).decode()

    def series(self, prefix=""):
        """All series on the page, after making sure that none is there twice."""
        return {
            series: value for series, value in series_of(self.text()) if series.startswith(prefix)
        }

    def own(self, name, **labels):
        """One of the exporter's own metrics."""
        return self.telemetry.registry.get_sample_value(name, {"account": "home", **labels})


def series_of(text):
    """Series and value, in the order of a text page, which must hold no series twice."""
    samples = [
        (f"{s.name}{{{','.join(f'{k}={v}' for k, v in sorted(s.labels.items()))}}}", s.value)
        for family in text_string_to_metric_families(text)
        for s in family.samples
    ]
    twice = [series for series, count in Counter(s for s, _ in samples).items() if count > 1]
    assert twice == []
    lines = text.split("\n")[:-1]
    families = [line.split()[2] for line in lines if line.startswith("# TYPE ")]
    assert sorted(set(families)) == sorted(families)
    assert len(samples) == sum(not line.startswith("#") for line in lines)
    return samples
