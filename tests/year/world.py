"""A climate's window of days: all that its exporters show, and which faults happened where."""

from dataclasses import dataclass, replace

from year import events, plants
from year.accounts import Account, exporter
from year.asking import ASKING
from year.climates import CLIMATES
from year.expected import Expected
from year.faults import KINDS, FaultSite, seeded
from year.readings import Page
from year.sky import STEPS, Sky

REST = 16  # days after a fault until its plant is itself again
WARM_UP = 45  # days before a window that teach the rules what is usual
SUSPECT = "suspect"  # the account with faults of its own, and its exporter's instance

# How many plants of a kind have faults, or inverters of a field, each another series of them.
FAULTY = {
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
    """Days from `first` to before `last`, of which those before `judged` are not judged."""

    first: int
    judged: int
    last: int


def window(first, last):
    return Window(first - WARM_UP, first, last)


@dataclass(frozen=True)
class Scene:
    """What a world is made of.

    `kinds` are the kinds of plant, `turn` rotates the kinds of fault, `expecting` is whether the
    exporter learns what to expect, `inverters` is how many a field has, `asking` is how devices are
    asked.
    """

    climate: str
    span: Window
    seed: int = 1
    kinds: tuple[str, ...] = tuple(plants.KINDS)
    turn: int = 0
    expecting: bool = True
    inverters: int = 20
    asking: str = "exact"


class World:
    """All that happens in a scene."""

    def __init__(self, scene):
        self.scene, self.span = scene, scene.span
        self.climate = CLIMATES[scene.climate]
        self.sky, self.asking = Sky(self.climate, scene.seed), ASKING[scene.asking]
        self.calm = [self.plant(kind, f"calm-{kind}") for kind in scene.kinds]
        self.faults, self.faulty = [], []
        for kind in scene.kinds:
            self.seed_faults(kind, scene.turn)
        days = range(self.span.judged, self.span.last)
        kinds = [kind for kind in KINDS if kind.account]
        self.seed_in_turn(FaultSite(SUSPECT), kinds, days, rest=0, rounds=2)
        self.notes = {}  # by plant and day

    def plant(self, kind, code):
        size = {"inverters": self.scene.inverters} if kind == "field" else {}
        return plants.KINDS[kind](self.climate, code, **size)

    def seed_faults(self, kind, turn):
        """Plants of a kind with their faults, one after the other."""
        count = FAULTY.get(kind, 0)
        suitable = [each for each in KINDS if kind in each.plants]
        days = range(self.span.judged, self.span.last)
        for number in range(count):
            chosen = suitable[number::count]
            chosen = chosen[turn % len(chosen) :] + chosen[: turn % len(chosen)]
            code = f"ill-{kind}" if kind == "field" else f"ill-{kind}-{number + 1}"
            plant = self.plant(kind, code)
            plant = replace(plant, account="ill", curtailed=0.0)
            concerned = plant
            if kind == "field":
                concerned = replace(plant, inverters=plant.inverters[number::count])
            site = FaultSite("ill", concerned)
            if self.seed_in_turn(site, chosen, days) and plant not in self.faulty:
                self.faulty.append(plant)

    def seed_in_turn(self, site, kinds, days, rest=REST, rounds=9):
        """Seeds faults of the kinds one after the other, over and over; gives whether any."""
        day, found = days.start, []
        for kind in kinds * rounds:
            fault = seeded(self.sky, kind, site, range(day, days.stop))
            if fault:
                found.append(fault)
                day = fault.end // STEPS + 1 + rest
        self.faults += found
        return bool(found)

    def days(self):
        """The rows of each day."""
        names = sorted({plant.account for plant in self.calm + self.faulty} | {SUSPECT})
        walk = self.asking.seconds
        accounts = {
            name: Account(name, self.sky, [f for f in self.faults if f.account == name], walk)
            for name in names
        }
        pages = [self.page(plant) for plant in self.calm + self.faulty]
        for day in range(self.span.first, self.span.last):
            yield day, self.rows(day, accounts, pages)

    def page(self, plant):
        faults = [fault for fault in self.faults if fault.plant == plant.code]
        expected = Expected(plant, self.climate.latitude) if self.scene.expecting else None
        return Page(plant, self.sky, faults, expected, self.asking)

    def rows(self, day, accounts, pages):
        restarted = self.steps(day, events.restarts(self.sky, day))
        yield from exporter("main", restarted)
        suspect = accounts[SUSPECT]
        down = self.steps(day, suspect.during(day, "exporter"))
        yield from exporter(SUSPECT, down)
        for name, account in accounts.items():
            gone = down if name == SUSPECT else restarted
            yield from hide(account.rows(day), gone)
        for page in pages:
            yield from hide(page.day(day, accounts[page.plant.account].silent(day)), restarted)
            self.notes[page.plant.code, day] = tuple(dict.fromkeys(page.running.notes))

    @staticmethod
    def steps(day, spans):
        steps = range(day * STEPS, (day + 1) * STEPS)
        return [any(start <= step < end for start, end in spans) for step in steps]


def hide(rows, gone):
    """The rows without the steps at which nobody could scrape them."""
    if not any(gone):
        yield from rows
        return
    for name, labels, values in rows:
        yield (
            name,
            labels,
            [None if away else value for value, away in zip(values, gone, strict=True)],
        )
