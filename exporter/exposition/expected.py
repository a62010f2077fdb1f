"""The expected power of an account's inverters, their strings, and its plants."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache
from weakref import WeakKeyDictionary

from exporter.account.fleet import FleetChange
from exporter.account.learned_power import DEVICE, LearnedPower
from exporter.account.model import AccountState, LatestAnswer, LatestValue, Section
from exporter.catalogue.index import lookup
from exporter.catalogue.model import Series, series_of
from exporter.exposition.blocks import Source
from exporter.exposition.families import (
    EXPECTED_LEARNED,
    INVERTER_EXPECTED,
    PLANT_EXPECTED,
    STRING_EXPECTED,
)
from exporter.exposition.plausibility import INVERTERS
from exporter.exposition.samples import Layout, Samples, vector_of
from exporter.northbound.enums import LIMITED_STATES, OFFLINE
from exporter.northbound.interfaces import DAY, Interface, Subject
from exporter.northbound.records import Reading
from exporter.sky import Place, Sun, sun_over

PART = "expected power"  # of what a source of values as of now has

_ROWS = lookup("getDevRealKpi", 1)


def _series(key: str) -> Series:
    return series_of(_ROWS[key].metric, *_ROWS[key].labels)


_DC, _AC = _series("mppt_power"), _series("active_power")
# The label of each string, and the series of its voltage and of its current.
_STRINGS = tuple(
    (_ROWS[key].labels[0], _series(key), _series(key.replace("_u", "_i")))
    for key in _ROWS
    if re.fullmatch(r"pv\d+_u", key)
)


def powers(samples: Samples) -> dict[str, float]:
    """The watts of an inverter, as DC where it is sent, and of its strings that give any."""
    whole = samples.get(_DC, samples.get(_AC))
    watts = {} if whole is None else {DEVICE: max(0.0, whole)}
    vector = vector_of(samples)
    numbers = vector.numbers
    for string, voltage, current in _strings_in(vector.layout):
        if (amperes := numbers[current]) > 0 and (volts := numbers[voltage]) > 0:
            watts[string] = volts * amperes
    return watts


_FOUND: "WeakKeyDictionary[Layout, list[tuple[str, int, int]]]" = WeakKeyDictionary()


def _strings_in(layout: Layout) -> list[tuple[str, int, int]]:
    """Those of the strings that are in a layout, with the columns of voltage and current."""
    found = _FOUND.get(layout)
    if found is None:
        found = _FOUND[layout] = [
            (string, volts, amperes)
            for string, voltage, current in _STRINGS
            if (volts := layout.column(voltage)) is not None
            and (amperes := layout.column(current)) is not None
        ]
    return found


_INVERTER, _LEARNED = series_of(INVERTER_EXPECTED), series_of(EXPECTED_LEARNED)


@cache
def _expected_series(name: str) -> Series:
    return _INVERTER if name == DEVICE else series_of(STRING_EXPECTED, name)


class ExpectedPower:
    """Learns from the answers about an account's inverters, and says what is expected of them."""

    def __init__(self) -> None:
        self._learned: Section[LearnedPower] = AccountState().learned_power
        self._last: dict[str, int] = {}  # a digest of each inverter's last answer
        self._fleet = FleetChange({}, {}, {})
        self._places: Mapping[str, Place] = {}
        self._inverters: dict[str, list[str]] = {}  # by plant

    def restore(self, learned: Section[LearnedPower]) -> None:
        """Goes on with what a previous run has learned, and keeps it there."""
        self._learned = learned

    def follow(self, fleet: FleetChange, places: Mapping[str, Place]) -> None:
        """Takes over the fleet as now known, and where its plants are."""
        self._fleet, self._places, self._inverters = fleet, places, {}
        for device in fleet.devices.values():
            if device.type_id in INVERTERS:
                self._inverters.setdefault(device.plant_code, []).append(device.id)
        for name in fleet.gone.get(Subject.DEVICES, ()):
            self._last.pop(name, None)

    def learn(
        self,
        answers: Mapping[str, LatestAnswer[LatestValue]],
        shown: Mapping[str, Samples],
        at: float,
    ) -> None:
        """Learns from answers about values `at` a time, in seconds since the epoch.

        `shown` is what was made of them. An answer that repeats the one before is old, and what a
        device that cannot be reached is said to give is older.
        """
        suns = self._suns(at)
        for name in self._inverters_of(shown):
            reading, sun = answers[name].value, suns(self._fleet.devices[name].plant_code)
            if sun is None or not isinstance(reading, Reading):
                continue
            values = reading.values
            digest = hash(values.numbers.tobytes())
            if digest == self._last.get(name) or values.get("run_state") == OFFLINE["run_state"]:
                continue
            self._last[name] = digest
            if watts := powers(shown[name]):
                limited = values.get("inverter_state") in LIMITED_STATES
                learned = self._learned.get_or_add(name, LearnedPower)
                if learned.learn(sun, watts, limited=limited):
                    self._learned.changed.add(name)

    def samples(
        self, interface: Interface, names: Collection[str], at: float
    ) -> Mapping[Source, Mapping[str, Samples]]:
        """What is expected `at` this time of these inverters and their plants, by where it goes.

        They age like the answers of the interface that they stand beside.
        """
        devices, suns = self._fleet.devices, self._suns(at)
        lit = {
            name: sun
            for name in self._inverters_of(names)
            if (sun := suns(devices[name].plant_code)) is not None
        }
        inverters = {name: self._of_device(name, sun) for name, sun in lit.items()}
        by_plant = {devices[name].plant_code: sun for name, sun in lit.items()}
        plants = {code: self._of_plant(code, sun, inverters) for code, sun in by_plant.items()}
        expected = {Subject.DEVICES: inverters, Subject.PLANTS: plants}
        return {
            Source(interface.name, subject, part=PART): samples
            for subject, samples in expected.items()
            if samples
        }

    def _of_device(self, name: str, sun: Sun) -> Samples:
        learned = self._learned.get(name)
        if learned is None:
            return {}
        samples = {_LEARNED: learned.days * DAY}
        for string, watts in learned.expected(sun).items():
            samples[_expected_series(string)] = round(watts, 1)
        return samples

    def _of_plant(self, code: str, sun: Sun, inverters: Mapping[str, Samples]) -> Samples:
        """What is expected of a plant, of some of whose inverters it is here already."""
        known = [
            inverters[name].get(_INVERTER, 0.0)
            if name in inverters
            else self._of_inverter(name, sun)
            for name in self._inverters[code]
        ]
        return {series_of(PLANT_EXPECTED): round(sum(known), 1)} if all(known) else {}

    def _of_inverter(self, name: str, sun: Sun) -> float:
        learned = self._learned.get(name)
        return 0.0 if learned is None else learned.expected_of_device(sun)

    def _inverters_of(self, names: Iterable[str]) -> Iterable[str]:
        devices = self._fleet.devices
        return (name for name in names if devices[name].type_id in INVERTERS)

    def _suns(self, at: float) -> Callable[[str], Sun | None]:
        """The sun over a plant then, by its code; None where its place is not known."""

        @cache
        def sun(code: str) -> Sun | None:
            place = self._places.get(code)
            return None if place is None else sun_over(place, at)

        return sun
