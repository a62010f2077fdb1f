"""What an answer about 100 string inverters takes with the expected power of their strings."""

import time
from collections.abc import Callable, Mapping
from statistics import median

from exporter.account.changes import Answered, Changes
from exporter.account.model import AccountState, LatestAnswer
from exporter.catalogue.index import lookup
from exporter.exposition.account import AccountView
from exporter.exposition.page import Page
from exporter.exposition.telemetry import Telemetry
from exporter.exposition.translate import Translator
from exporter.northbound.interfaces import INTERFACES
from exporter.northbound.records import Device, Plant, Reading, Values

BATCH = 100  # devices an answer is about
REALTIME = INTERFACES["getDevRealKpi"]
PLANT = "NE=33000000"
STRINGS = 20  # with modules, of 36
FORENOON = 20_630.0 * 86_400 + 9 * 3_600  # in June
ROUNDS = 21


class Inverters:
    """100 string inverters of one plant, and answers with all their keys, at a clock of its own."""

    def __init__(self, places: Mapping[str, tuple[float, float]]) -> None:
        self._time = FORENOON
        self._state = AccountState()
        self._state.fleet.plants[PLANT] = Plant(PLANT, "Plant")
        self._devices = {str(n): Device(str(n), PLANT, 1) for n in range(BATCH)}
        self._state.fleet.devices |= self._devices
        keys = lookup(REALTIME.name, 1).values()
        self._values = {row.key: 512.0 if row.states else 0.9 for row in keys}
        for times in ("open_time", "close_time"):
            self._values[times] = FORENOON * 1e3
        self._view = AccountView(
            "home",
            page=Page({}, self._now),
            telemetry=Telemetry(),
            translator=Translator({}),
            places=places,
            now=self._now,
            wall=self._now,
        )
        self._view.restored(self._state, 0.0)

    def _now(self) -> float:
        return self._time

    def answer(self) -> None:
        """The next answer, five minutes later, on its way from the model to the page."""
        self._time += 300.0
        values = {**self._values, "mppt_power": 1 + self._time % 7_919 / 1e4}
        for string in range(STRINGS + 1, 37):
            values |= {f"pv{string}_u": 0.0, f"pv{string}_i": 0.0}
        answers = self._state.answers[REALTIME.name]
        for name in self._devices:
            answers[name] = LatestAnswer(self._time, self._time, Reading(name, Values(values)))
        self._view.show(Changes(answers=[Answered(REALTIME, self._devices.keys())]))

    def spend_days(self, days: int) -> None:
        """So many days with two hours of answers each, and then none."""
        for _ in range(days):
            for _ in range(24):
                self.answer()
            self._time += 22 * 3_600.0


def measure() -> tuple[float, float]:
    """Median milliseconds of an answer, from the model to the page: without and with it."""
    nowhere, placed = Inverters({}), Inverters({PLANT: (48.1, 11.6)})
    placed.spend_days(9)
    return _median(nowhere.answer), _median(placed.answer)


def _median(work: Callable[[], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        times.append((time.process_time() - start) * 1e3)
    return median(times)
