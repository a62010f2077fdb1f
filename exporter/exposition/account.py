"""One account's side of the page: takes what its poller tells, counts it and shows it."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from exporter.catalogue.model import Metric
from exporter.exposition import memory, plain
from exporter.exposition.alarms import ALARMS_TOTAL, totals
from exporter.exposition.blocks import Blocks, Samples, Source
from exporter.exposition.capacity import Capacities
from exporter.exposition.counts import Counts
from exporter.exposition.fleet import Fleet
from exporter.exposition.heldback import held_back
from exporter.exposition.offline import Offline
from exporter.exposition.page import Block, Page
from exporter.exposition.plain import Found, Shown
from exporter.exposition.state import plants_of
from exporter.exposition.sun import render_sun
from exporter.exposition.telemetry import Telemetry
from exporter.exposition.things import (
    LAST_READINGS,
    LASTING,
    UPGRADE_INFO,
    Place,
    places_of,
    render_things,
)
from exporter.exposition.translate import Sample, Translator
from exporter.exposition.values import Values
from exporter.northbound.codes import device_type_slug
from exporter.northbound.interfaces import INTERFACES, Interface, Subject
from exporter.northbound.records import (
    Device,
    Parsed,
    Plant,
    PlantAlarms,
    Reading,
    Upgrade,
    Windows,
)
from exporter.status.model import AccountCounts, AccountStatus, PollingStatus

Lasting = Mapping[Metric, Mapping[str, Samples]]


class AccountSink(Counts):
    """Makes an account's page of what its poller tells. Used by that poller's thread alone.

    `now` is the page's clock, `wall` gives seconds since the epoch; `places` are configured
    latitudes and longitudes by plant code. `severities` are those of the alarms that are asked for,
    none where none are; of a plant's active ones, `max_active_per_plant` have series.
    """

    def __init__(  # noqa: PLR0913  # a sink is handed what it joins
        self,
        account: str,
        *,
        page: Page,
        telemetry: Telemetry,
        translator: Translator,
        places: Mapping[str, Place],
        now: Callable[[], float],
        wall: Callable[[], float],
        currency: str = "",
        severities: Collection[str] = (),
        max_active_per_plant: int = 0,
    ) -> None:
        super().__init__(account, telemetry, wall)
        self._page = page
        self._guard = translator.guard
        self._places = places
        self._now = now
        self._currency = currency
        self._severities = severities
        self._fleet = Fleet(account)
        self._offline = Offline()
        self._capacities = Capacities(self._fleet, translator.guard)
        self._began = wall() - now()
        self._values = Values(
            self._fleet,
            translator,
            self._capacities,
            self,
            self._time,
            severities,
            max_active_per_plant,
        )
        self._blocks = Blocks(account, page, self._fleet.identity)
        self._memory = memory.Memory()
        self._misread: set[str] = set()
        self._show_things()

    def plan(self, interface: str, *, pace: float, walk: float, max_age: float) -> None:
        """The pace in force, and the age at which this interface's values are too old."""
        self.planned(interface, pace, walk)
        self._page.keep((self._account, interface), max_age)

    def fleet(self, plants: Mapping[str, Plant], devices: Mapping[str, Device]) -> None:
        """The plants and devices as now known: what is gone goes, what moved is relabelled."""
        change = self._fleet.change(plants, devices)
        if change is None:
            return
        for subject, gone in change.gone.items():
            self._blocks.refresh(subject, gone=gone, moved=change.moved[subject])
            self._memory.forget(subject, gone)
            self._offline.forget(gone)
            for name, device_type in gone.items():
                self._guard.forget((device_type, name))
                self._capacities.forget((device_type, name))
        unseen = dict.fromkeys(change.new_plants, totals(self._severities, (), ()))
        self._blocks.put({LASTING[ALARMS_TOTAL]: unseen}, read_at=self._now())
        self._show_things()
        self.fleet_size(len(plants), (device.type_id for device in devices.values()))

    def status(self, polling: PollingStatus, told: AccountCounts) -> AccountStatus:
        """The account with its plants as they are shown now; any thread may ask."""
        now = self._now()
        return AccountStatus(
            self._account,
            polling,
            told,
            plants_of(self._fleet, lambda source, name: self._blocks.shown(source, name, now)),
            Counter(device_type_slug(each.type_id) for each in self._fleet.devices.values()),
            tuple(f"{kind}: {key}" for kind, key in list(self.unknown_keys)),
            held_back(self._guard.pending(), self._fleet.plants, self._fleet.devices),
        )

    def accept(self, read: memory.Read) -> None:
        """Accepts those values held back that an operator has named."""
        for key, data in read(memory.ACCEPTED).items():
            order = plain.recalled(plain.read_accepted, data)
            if order is not None and order[1] in self._fleet.known(order[0]):
                subject, name, metric = order
                if self._guard.accept((self._fleet.device_type(subject, name), name), metric):
                    self._log.info(
                        "counter value accepted by an operator", name=name, metric=metric
                    )
            self._memory.note(memory.ACCEPTED, key, None)

    def close(self) -> None:
        """Takes the account off the page, once its poller has ended."""
        self._blocks.clear()
        self._page.update({(self._account, "things"): None})
        self._page.move((self._account, "sun"), None)
        for interface in INTERFACES:
            self._page.keep((self._account, interface), None)

    def _time(self) -> float:
        """Seconds since the epoch, by the clock that never jumps once the account is there."""
        return self._began + self._now()

    def _show_things(self) -> None:
        fleet, account = self._fleet, self._account
        places = places_of(fleet.plants, fleet.devices, self._places)
        things = render_things(account, self._currency, fleet.plants, fleet.devices, places)
        self._page.update({(account, "things"): Block(things)})
        self._page.move((account, "sun"), lambda: render_sun(account, places, self._wall()))

    # --- answers -------------------------------------------------------------------------------

    def readings(
        self,
        interface: Interface,
        asked: Collection[str],
        readings: Parsed[Reading],
        measured: Mapping[str, float] | None = None,
    ) -> None:
        """An answer: whatever it leaves out of what was asked has no values now.

        `measured` tells, where the answer does, when the values of each were measured, in seconds
        since the epoch.
        """
        shown = {
            name: self._current(interface, reading)
            for name, reading in _by_name(asked, readings.records).items()
        }
        samples = self._values.samples(interface, shown)
        metric, wall = LAST_READINGS[interface.subject], self._wall()
        by_time: dict[float, list[str]] = {}
        for name in samples:
            by_time.setdefault((measured or {}).get(name, wall), []).append(name)
        for at, names in by_time.items():
            told = {name: samples[name] for name in names}
            last = {name: (Sample(metric, (), at),) for name in names if samples[name]}
            self._show(interface, shown, told, {metric: last}, at=at)

    def _current(self, interface: Interface, reading: Reading) -> Reading:
        device = self._fleet.devices.get(reading.subject)
        if device is None or interface.subject is not Subject.DEVICES:
            return reading
        return self._offline.current(interface.name, device.type_id, reading, self._time())

    def statistics(self, interface: Interface, windows: Mapping[str, Windows]) -> None:
        """An answer: the running and the last complete period of each that was asked about."""
        self._show(interface, windows, self._values.samples(interface, windows))

    def alarms(self, interface: Interface, plants: Mapping[str, PlantAlarms]) -> None:
        """An answer: what is active in each plant that was asked about, and what is new there."""
        shown = {code: alarms.active for code, alarms in plants.items()}
        counted = {
            code: totals(self._severities, self._blocks.get(LASTING[ALARMS_TOTAL], code), each.new)
            for code, each in plants.items()
        }
        samples = self._values.samples(interface, shown)
        self._show(interface, shown, samples, {ALARMS_TOTAL: counted})

    def upgrades(
        self, interface: Interface, asked: Collection[str], upgrades: Parsed[Upgrade]
    ) -> None:
        """An answer: whatever it leaves out of what was asked has no upgrade to tell of."""
        shown = _by_name(asked, (upgrade.reading for upgrade in upgrades.records))
        info = {
            upgrade.reading.subject: (
                Sample(UPGRADE_INFO, (upgrade.source_version, upgrade.target_version), 1.0),
            )
            for upgrade in upgrades.records
        }
        samples = self._values.samples(interface, shown)
        self._show(interface, shown, samples, {UPGRADE_INFO: info})

    def _show(
        self,
        interface: Interface,
        shown: Mapping[str, Shown],
        samples: Mapping[str, Samples],
        lasting: Lasting = MappingProxyType({}),
        *,
        at: float | None = None,
    ) -> None:
        """Shows and remembers an answer's samples, and what lasts of it beyond its age.

        They are of `at`, in seconds since the epoch, or of now.
        """
        told: dict[Source, Mapping[str, Samples]] = {_source(interface): samples}
        for metric, each in lasting.items():
            source = LASTING[metric]
            told[source] = {name: found for name, found in each.items() if name in samples}
            for name, found in told[source].items():
                if found != self._blocks.get(source, name):
                    self._memory.note(memory.lasting(source), name, plain.plain_samples(found))
        wall = self._wall()
        at = wall if at is None else at
        for name in samples:
            self._memory.note(memory.shown(interface), name, plain.plain(shown[name], at))
        self._blocks.put(told, read_at=self._now() - max(0.0, wall - at))

    # --- memory --------------------------------------------------------------------------------

    def changes(self) -> dict[tuple[str, str], Any]:
        """What changed of what should survive a restart, since the last call.

        Plain data by kind and name; None for what is gone.
        """
        for (device_type, name), held in self._guard.changes().items():
            subject = Subject.PLANTS if device_type is None else Subject.DEVICES
            self._memory.note(memory.held(subject), name, plain.plain_held(held))
        for interface, told in self.kept_changes().items():
            self._memory.note(memory.CALLS, interface, told)
        return self._memory.changes()

    def recall(self, read: memory.Read, wall: float | None = None) -> None:
        """Shows what was shown before a restart, with its true age.

        `read` gives all plain data of a kind by name; `wall` is what the clock by which they were
        written would show now. Called once, after the fleet was told and before anything else is.
        Of what is unknown or malformed nothing is shown.
        """
        wall = self._wall() if wall is None else wall
        self._began = wall - self._now()
        for subject in (Subject.PLANTS, Subject.DEVICES):
            for name, data in self._recalled(memory.held(subject), subject, read):
                if (held := self._read(memory.held(subject), plain.read_held, data)) is not None:
                    self._guard.recall((self._fleet.device_type(subject, name), name), held)
        for interface in memory.REMEMBERED:
            self._recall_answers(interface, read, wall)
        for metric, source in LASTING.items():
            self._recall_lasting(metric, source, read)
        self.recall_kept(read(memory.CALLS))

    def _recall_answers(self, interface: Interface, read: memory.Read, wall: float) -> None:
        answers: dict[float, dict[str, Shown]] = {}  # by time: one block for each, as before
        for name, data in self._recalled(memory.shown(interface), interface.subject, read):
            found = self._read(
                memory.shown(interface), plain.read_shown, interface.content, name, data
            )
            if found is not None:
                answers.setdefault(found[0], {})[name] = found[1]
        now = self._now()
        for at, shown in answers.items():
            samples = self._values.samples(interface, shown, again=True)
            self._blocks.put({_source(interface): samples}, read_at=now - max(0.0, wall - at))

    def _recall_lasting(self, metric: Metric, source: Source, read: memory.Read) -> None:
        found: dict[str, Samples] = {}
        for name, data in self._recalled(memory.lasting(source), source.subject, read):
            samples = self._read(memory.lasting(source), plain.read_samples, metric, data)
            if samples:
                counter = metric is ALARMS_TOTAL
                found[name] = totals(self._severities, samples, ()) if counter else samples
        self._blocks.put({source: found}, read_at=self._now())

    def _read(self, kind: str, reader: Callable[..., Found], *given: Any) -> Found | None:
        """What a reader makes of plain data; of what it does not understand it is told once."""
        found = plain.recalled(reader, *given)
        if found is None and kind not in self._misread:
            self._misread.add(kind)
            self._log.warning("state was not understood, going on without", part=kind)
        return found

    def _recalled(
        self, kind: str, subject: Subject, read: memory.Read
    ) -> Iterator[tuple[str, Any]]:
        return self._memory.recall(kind, read, self._fleet.known(subject))


def _by_name(asked: Collection[str], readings: Iterable[Reading]) -> dict[str, Reading]:
    """What was told of each that was asked about: an empty reading of those left out."""
    told = {reading.subject: reading for reading in readings}
    return {name: told.get(name, Reading(name, {})) for name in asked}


def _source(interface: Interface) -> Source:
    return Source(interface.name, interface.subject)
