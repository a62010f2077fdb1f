"""What is known of a plant or device, by whatever kind of answer, becomes samples."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import assert_never

from exporter.exposition.alarms import active
from exporter.exposition.blocks import Samples
from exporter.exposition.capacity import Capacities
from exporter.exposition.counts import Counts
from exporter.exposition.fleet import Fleet
from exporter.exposition.plain import Shown
from exporter.exposition.translate import Sample, Translator, windowed
from exporter.northbound.codes import device_type_slug
from exporter.northbound.interfaces import Interface
from exporter.northbound.records import Reading, Windows


@dataclass(frozen=True, slots=True)
class Values:
    """Translates for one account, and counts what could not be used.

    `time` gives seconds since the epoch. `severities` are those of the alarms that are shown, and
    `max_active` is for how many of them a plant has series.
    """

    fleet: Fleet
    translator: Translator
    capacities: Capacities
    counts: Counts
    time: Callable[[], float]
    severities: Collection[str]
    max_active: int

    def samples(
        self, interface: Interface, shown: Mapping[str, Shown], *, again: bool = False
    ) -> dict[str, Samples]:
        """The samples of all that are in the fleet; of what is told `again` nothing is counted."""
        known = self.fleet.known(interface.subject)
        return {
            name: tuple(self._samples(interface, each, again=again))
            for name, each in shown.items()
            if name in known
        }

    def _samples(self, interface: Interface, shown: Shown, *, again: bool) -> Iterable[Sample]:
        translate = partial(self._translate, interface, again=again)
        match shown:
            case Reading():
                return translate(shown)
            case Windows():
                return windowed(shown, translate)
            case tuple():
                return active(shown, self.severities, self.max_active)
            case missed:
                assert_never(missed)

    def _translate(
        self, interface: Interface, reading: Reading, *, again: bool
    ) -> Iterable[Sample]:
        device_type = self.fleet.device_type(interface.subject, reading.subject)
        owner = (device_type, reading.subject)
        capacity = self.translator.capacity(interface.name, device_type, reading)
        self.capacities.report(owner, capacity)
        output = self.capacities.of(owner)
        result = self.translator.translate(
            interface.name, device_type, reading, self.time(), output, again=again
        )
        if not again:
            kind = "plant" if device_type is None else device_type_slug(device_type)
            self.counts.translated(interface.name, kind, reading.subject, result)
        return result.samples
