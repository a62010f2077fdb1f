"""A scenario's days: all series that its exporters expose, and the faults seeded in them."""

from dataclasses import dataclass, replace

from year import events
from year.account_series import AccountSeries, exporter_rows
from year.climates import CLIMATES
from year.expected import ExpectedPowerSeries
from year.faults import FAULT_KINDS, FaultSite, seed_fault
from year.plant_series import PlantSeries
from year.plants import PLANT_KINDS
from year.polling import POLLING
from year.timeline import STEPS_PER_DAY, in_any, steps_of
from year.weather import Weather

RECOVERY_DAYS = 16  # days after a fault until the next one of its plant
WARM_UP_DAYS = 45  # days before those assessed, in which the rules learn what is usual
HEALTHY_PREFIX, FAULTY_PREFIX = "calm", "ill"  # of the codes of plants
FAULTY_PLANTS_ACCOUNT = "ill"
FAULTY_ACCOUNT = "suspect"  # has faults of its own; its exporter's instance is named alike

# How many plants of a kind have faults, or inverters of a field, each another series of them.
FAULTY_PLANTS = {
    "home": 3,
    "cottage": 2,
    "eastwest": 2,
    "wall": 1,
    "farm": 2,
    "field": 4,
    "park": 1,
}


@dataclass(frozen=True)
class Window:
    """Days from `first` to before `last`, assessed from `assessed` on."""

    first: int
    assessed: int
    last: int

    def assessed_days(self):
        return range(self.assessed, self.last)


def window(first, last):
    """Days to assess, with those in which the rules learn before them."""
    return Window(first - WARM_UP_DAYS, first, last)


@dataclass(frozen=True)
class Scenario:
    """What a simulation is made of."""

    climate: str
    window: Window
    seed: int = 1
    plant_kinds: tuple[str, ...] = tuple(PLANT_KINDS)
    fault_rotation: int = 0  # kinds of fault by which the order of a plant's faults is rotated
    with_expected_power: bool = True  # whether the exporter learns it
    field_inverters: int = 20
    polling: str = "exact"


class Simulation:
    """All that happens in a scenario."""

    def __init__(self, scenario):
        self.scenario, self.window = scenario, scenario.window
        self.climate, self.polling = CLIMATES[scenario.climate], POLLING[scenario.polling]
        self.weather = Weather(self.climate, scenario.seed)
        self.healthy_plants = [
            self.plant(kind, f"{HEALTHY_PREFIX}-{kind}") for kind in scenario.plant_kinds
        ]
        self.faults, self.faulty_plants = [], []
        for kind in scenario.plant_kinds:
            self.seed_plant_faults(kind)
        account_faults = [kind for kind in FAULT_KINDS if kind.account_effect]
        self.seed_in_turn(FaultSite(FAULTY_ACCOUNT), account_faults, recovery=0, rounds=2)
        self.circumstances = {}  # by plant and day

    def plant(self, kind, code):
        """A plant of a kind."""
        size = {"inverters": self.scenario.field_inverters} if kind == "field" else {}
        return PLANT_KINDS[kind](self.climate, code, **size)

    def seed_plant_faults(self, kind):
        """Adds the faulty plants of a kind and their faults, one after the other.

        Of a field there is one, of which each fault series has inverters of its own.
        """
        count = FAULTY_PLANTS.get(kind, 0)
        suitable = [each for each in FAULT_KINDS if kind in each.plants]
        for number in range(count):
            fault_kinds = suitable[number::count]
            rotation = self.scenario.fault_rotation % len(fault_kinds)
            fault_kinds = fault_kinds[rotation:] + fault_kinds[:rotation]
            code = f"{FAULTY_PREFIX}-{kind}"
            if kind != "field":
                code = f"{code}-{number + 1}"
            plant = replace(
                self.plant(kind, code), account=FAULTY_PLANTS_ACCOUNT, curtailed_share=0.0
            )
            part = plant
            if kind == "field":
                part = replace(plant, inverters=plant.inverters[number::count])
            site = FaultSite(FAULTY_PLANTS_ACCOUNT, part)
            if self.seed_in_turn(site, fault_kinds) and plant not in self.faulty_plants:
                self.faulty_plants.append(plant)

    def seed_in_turn(self, site, fault_kinds, recovery=RECOVERY_DAYS, rounds=9):
        """Seeds faults of the kinds one after the other, in rounds; gives whether any."""
        days = self.window.assessed_days()
        day, faults = days.start, []
        for kind in fault_kinds * rounds:
            fault = seed_fault(self.weather, kind, site, range(day, days.stop))
            if fault:
                faults.append(fault)
                day = fault.end // STEPS_PER_DAY + 1 + recovery
        self.faults += faults
        return bool(faults)

    def days(self):
        """Each day with its rows, which must be read before the next one."""
        plants = self.healthy_plants + self.faulty_plants
        accounts = {
            name: self.account_series(name)
            for name in sorted({plant.account for plant in plants} | {FAULTY_ACCOUNT})
        }
        plant_series = [self.plant_series(plant) for plant in plants]
        for day in range(self.window.first, self.window.last):
            yield day, self.rows(day, accounts, plant_series)

    def account_series(self, name):
        faults = [fault for fault in self.faults if fault.account == name]
        return AccountSeries(name, self.weather, faults, self.polling.walk_seconds)

    def plant_series(self, plant):
        faults = [fault for fault in self.faults if fault.plant == plant.code]
        expected = None
        if self.scenario.with_expected_power:
            expected = ExpectedPowerSeries(plant, self.climate.latitude)
        return PlantSeries(plant, self.weather, faults, expected, self.polling)

    def rows(self, day, accounts, plant_series):
        """The rows of a day, without what is not scraped as an exporter is down."""
        restarting = by_step(day, events.exporter_restarts(self.weather, day))
        yield from exporter_rows("main", restarting)
        down = by_step(day, accounts[FAULTY_ACCOUNT].fault_spans(day, "exporter"))
        yield from exporter_rows(FAULTY_ACCOUNT, down)
        for name, account in accounts.items():
            yield from scraped(account.rows(day), down if name == FAULTY_ACCOUNT else restarting)
        for series in plant_series:
            outages = accounts[series.plant.account].outages(day)
            yield from scraped(series.rows(day, outages), restarting)
            circumstances = tuple(dict.fromkeys(series.model.circumstances))
            self.circumstances[series.plant.code, day] = circumstances


def by_step(day, spans):
    """Whether each step of a day lies in one of the spans."""
    return [in_any(step, spans) for step in steps_of(day)]


def scraped(rows, down):
    """The rows without the steps at which their exporter is down."""
    if not any(down):
        yield from rows
        return
    for name, labels, values in rows:
        yield (
            name,
            labels,
            [None if each else value for value, each in zip(values, down, strict=True)],
        )
