"""One account's part of the page: what it knows becomes samples, and its changes are counted."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import assert_never

import structlog

from exporter.account.changes import Answered, Changes
from exporter.account.fleet import FleetChange
from exporter.account.model import AccountState, LatestAnswer, LatestValue
from exporter.catalogue.model import Metric, series_of
from exporter.exposition.alarms import active, totals
from exporter.exposition.blocks import (
    LAST_READINGS,
    NON_EXPIRING,
    Blocks,
    Source,
    source_of,
)
from exporter.exposition.expected import ExpectedPower
from exporter.exposition.families import ALARMS_TOTAL, UPGRADE_INFO
from exporter.exposition.inventory import (
    places_of,
    render_inventory,
    render_sun,
)
from exporter.exposition.page import Block, Page
from exporter.exposition.plausibility import Capacities, Offline
from exporter.exposition.samples import Samples, vector_of
from exporter.exposition.status import held_back, plants_of
from exporter.exposition.telemetry import AccountTelemetry, Telemetry
from exporter.exposition.translate import Translator, UnknownValues, windowed
from exporter.northbound.device_types import device_type_slug
from exporter.northbound.interfaces import INTERFACES, Content, Interface, Subject
from exporter.northbound.records import Reading, Windows
from exporter.sky import Place
from exporter.status.model import AccountStatus, PollingStatus


def _by_time(times: Mapping[str, float]) -> Mapping[float, Sequence[str]]:
    """The names that have each of these times."""
    names: dict[float, list[str]] = {}
    for name, at in times.items():
        names.setdefault(at, []).append(name)
    return names


def _is_of_devices_now(interface: Interface) -> bool:
    """Whether its answers are what devices measure now."""
    return interface.subject is Subject.DEVICES and interface.realtime


NO_FLEET = FleetChange({}, {}, {})


class AccountView:
    """Makes an account's part of the page of what it knows. Used by its poller's thread alone.

    `now` is the page's clock, `wall` gives seconds since the epoch; `places` are configured
    latitudes and longitudes by plant code. `severities` are those of the alarms that are asked for,
    none where none are; of a plant's active ones, `max_active_per_plant` have series. Of keys that
    the catalogue lacks, `max_unknown_keys` have series.
    """

    def __init__(  # noqa: PLR0913  # a view is handed what it joins
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
        max_unknown_keys: int = 0,
    ) -> None:
        self._account = account
        self._page = page
        self._translator = translator
        self._places = places
        self._now = now
        self._wall = wall
        self._currency = currency
        self._severities = severities
        self._max_active = max_active_per_plant
        self._log = structlog.get_logger().bind(account=account)
        self._telemetry = AccountTelemetry(account, telemetry, self._log)
        self._unknown = UnknownValues(max_unknown_keys, self._log)
        self._guard = translator.guard
        self._capacities = Capacities(translator.guard)
        self._offline = Offline()
        self._expected = ExpectedPower()
        self._fleet = NO_FLEET
        self._blocks = Blocks(account, page, self._identity)
        self._state = AccountState()
        self._began = wall() - now()
        self._show_inventory()

    # --- what is shown -------------------------------------------------------------------------

    def restored(self, state: AccountState, offset: float) -> None:
        """Shows what a previous run has left, with its true age.

        `offset` is what the wall clock by which it was stored shows more than the steady one.
        """
        self._blocks.clear()
        self._state, self._began = state, offset
        plants, devices = dict(state.fleet.plants), dict(state.fleet.devices)
        types = {device.id: device.type_id for device in devices.values()}
        self._guard.restore(state.counters, types)
        self._translator.phase_units.restore(state.phase_units)
        self._expected.restore(state.learned_power)
        self._show_fleet(FleetChange(plants, devices, {}, new_plants=plants))
        for name, answers in state.answers.items():
            # One block for each answer, as before.
            for at, names in _by_time({n: each.at for n, each in answers.items()}).items():
                samples = self._translated(INTERFACES[name], names, again=True)
                read_at = answers[names[0]].read_at
                expected = self._expected_of(INTERFACES[name], samples, at)
                self._blocks.put(
                    {source_of(INTERFACES[name]): samples, **expected}, read_at=read_at
                )
        for subject, metric in LAST_READINGS.items():
            for at, names in _by_time(state.last_readings[subject]).items():
                self._blocks.put(self._last_readings(metric, names, at), read_at=self._now())
        upgrades = self._upgrades(state.upgrades)
        self._blocks.put({NON_EXPIRING[UPGRADE_INFO]: upgrades}, read_at=self._now())
        for result in state.results.values():
            if result.last_success is not None:  # a time in the future counts as now
                result.last_success = min(result.last_success, self._wall())

    def show(self, changes: Changes) -> None:
        """Shows what one step changed."""
        for name, plan in changes.plans.items():
            self._page.set_max_age((self._account, name), plan.max_age)
        if changes.fleet is not None:
            self._show_fleet(changes.fleet)
        self._accept_values()
        for answered in changes.answers:
            self._show_answered(answered)
        self._telemetry.show(changes, self._state.results)

    def _show_fleet(self, change: FleetChange) -> None:
        """What is gone goes, what moved is relabelled."""
        before, self._fleet = self._fleet, change
        self._capacities.follow(change)
        for subject, gone in change.gone.items():
            moved = change.moved if subject is Subject.DEVICES else ()
            self._blocks.refresh(subject, gone=gone, moved=moved)
            self._offline.drop(gone)
        totals_of_new = self._alarm_totals(change.new_plants)
        self._blocks.put({NON_EXPIRING[ALARMS_TOTAL]: totals_of_new}, read_at=self._now())
        if (before.plants, before.devices) != (change.plants, change.devices):
            self._show_inventory()  # else a start would show it twice
        types = (device.type_id for device in change.devices.values())
        self._telemetry.fleet_size(len(change.plants), types)

    def _show_inventory(self) -> None:
        account, plants, devices = self._account, self._fleet.plants, self._fleet.devices
        places = places_of(plants, devices, self._places)
        self._expected.follow(self._fleet, places)
        lines = render_inventory(account, self._currency, plants, devices, places)
        self._page.update({"inventory": Block(lines)}, account=account)
        self._page.move("sun", lambda: render_sun(account, places, self._wall()), account=account)

    def _accept_values(self) -> None:
        """Accepts those values held back that an operator has named."""
        for key, accepted in list(self._state.accepted.items()):
            name = accepted.name
            if name in self._known_subjects(accepted.subject):
                entity = (self._device_type(accepted.subject, name), name)
                if self._guard.accept(entity, accepted.metric):
                    self._log.info(
                        "counter value accepted by an operator", name=name, metric=accepted.metric
                    )
            del self._state.accepted[key]

    # --- answers -------------------------------------------------------------------------------

    def _show_answered(self, answered: Answered) -> None:
        interface, answers = answered.interface, self._state.answers[answered.interface.name]
        samples = self._translated(interface, answered.names)
        for at, names in _by_time({name: answers[name].at for name in answered.names}).items():
            shown = {name: samples[name] for name in names if name in samples}
            if _is_of_devices_now(interface):
                self._expected.learn(answers, shown, at)
            self._blocks.put(
                {
                    source_of(interface): shown,
                    **self._non_expiring(interface, shown, at),
                    **self._expected_of(interface, shown, at),
                },
                read_at=answers[names[0]].read_at,
            )

    def _expected_of(
        self, interface: Interface, names: Collection[str], at: float
    ) -> Mapping[Source, Mapping[str, Samples]]:
        """What is expected of those that an answer of `at` is about, if it is about now."""
        return self._expected.samples(interface, names, at) if _is_of_devices_now(interface) else {}

    def _translated(
        self, interface: Interface, names: Collection[str], *, again: bool = False
    ) -> dict[str, Samples]:
        """The samples of the answers about those that are in the fleet."""
        answers = self._state.answers[interface.name]
        known = self._known_subjects(interface.subject)
        return {
            name: self._samples(interface, name, answers[name], again=again)
            for name in names
            if name in known
        }

    def _non_expiring(
        self, interface: Interface, shown: Mapping[str, Samples], at: float
    ) -> Mapping[Source, Mapping[str, Samples]]:
        """What an answer of `at`, in seconds since the epoch, leaves to be shown for good."""
        match interface.content:
            case Content.ALARMS:
                return {NON_EXPIRING[ALARMS_TOTAL]: self._alarm_totals(shown)}
            case Content.UPGRADES:
                known = {n: self._state.upgrades[n] for n in shown if n in self._state.upgrades}
                return {NON_EXPIRING[UPGRADE_INFO]: self._upgrades(known)}
            case Content.READINGS | Content.ROWS:
                metric = LAST_READINGS[interface.subject]
                with_values = [name for name, samples in shown.items() if samples]
                last_readings = self._state.last_readings[interface.subject]
                for name in with_values:
                    last_readings[name] = at
                return self._last_readings(metric, with_values, at)
            case (
                Content.STATISTICS
                | Content.CONFIGURATION
                | Content.PLANTS
                | Content.DEVICES
                | Content.NOTHING
            ):
                return {}
            case missed:
                assert_never(missed)

    def _last_readings(
        self, metric: Metric, names: Iterable[str], at: float
    ) -> Mapping[Source, Mapping[str, Samples]]:
        same = vector_of({series_of(metric): at})
        return {NON_EXPIRING[metric]: dict.fromkeys(names, same)}

    def _alarm_totals(self, plants: Iterable[str]) -> dict[str, Samples]:
        """The alarms of each plant that were seen for the first time, by severity."""
        counted = self._state.alarm_totals
        return {code: totals(self._severities, counted.get(code, {})) for code in plants}

    def _upgrades(self, upgrades: Mapping[str, tuple[str, str]]) -> dict[str, Samples]:
        return {
            name: {series_of(UPGRADE_INFO, *versions): 1.0} for name, versions in upgrades.items()
        }

    def _samples(
        self, interface: Interface, name: str, answer: LatestAnswer[LatestValue], *, again: bool
    ) -> Samples:
        translate = partial(self._translate, interface, name, again=again)
        match answer.value:
            case Reading():
                return translate(self._current(interface, name, answer.value))
            case Windows():
                return windowed(answer.value, translate)
            case tuple():
                return active(answer.value, self._severities, self._max_active)
            case missed:
                assert_never(missed)

    def _current(self, interface: Interface, name: str, reading: Reading) -> Reading:
        """A reading without what its device, which is offline, cannot know any more."""
        if not _is_of_devices_now(interface):
            return reading
        device_type = self._fleet.devices[name].type_id
        return self._offline.current(interface.name, device_type, reading, self._time())

    def _translate(
        self, interface: Interface, name: str, reading: Reading, *, again: bool
    ) -> Samples:
        device_type = self._device_type(interface.subject, name)
        entity = (device_type, name)
        capacity = self._translator.capacity(interface.name, device_type, reading)
        self._capacities.report(entity, capacity)
        result = self._translator.translate(
            interface.name,
            device_type,
            reading,
            self._time(),
            self._capacities.of(entity),
            again=again,
        )
        if not again:
            self._telemetry.translated(interface.name, entity, result)
        for series, value in self._unknown.samples(interface, reading, result.unknown_keys).items():
            result.add(series, value)
        return result.samples

    # --- plants and devices --------------------------------------------------------------------

    def _time(self) -> float:
        """Seconds since the epoch, by the clock that never jumps once the account is there."""
        return self._began + self._now()

    def _known_subjects(self, subject: Subject) -> Collection[str]:
        match subject:
            case Subject.PLANTS:
                return self._fleet.plants
            case Subject.DEVICES:
                return self._fleet.devices
            case Subject.ACCOUNT | Subject.PERSON:
                return ()
            case missed:
                assert_never(missed)

    def _device_type(self, subject: Subject, name: str) -> int | None:
        """The type of a device; None for a plant."""
        return None if subject is Subject.PLANTS else self._fleet.devices[name].type_id

    def _identity(self, subject: Subject, name: str) -> Sequence[str]:
        """The labels that tell a plant or device from all others."""
        if subject is Subject.PLANTS:
            return self._account, name
        return self._account, self._fleet.devices[name].plant_code, name

    @property
    def unknown_keys(self) -> Collection[tuple[str, str]]:
        """What the catalogue lacks: device type, or plant, and key."""
        return list(self._telemetry.unknown_keys)

    def status(self, polling: PollingStatus, *, state_kept: bool | None = None) -> AccountStatus:
        """The account with its plants as they are shown now; any thread may ask."""
        now, fleet = self._now(), self._fleet
        return AccountStatus(
            self._account,
            polling,
            replace(self._telemetry.counts, state_kept=state_kept),
            plants_of(fleet, lambda source: self._blocks.visible(source, now)),
            Counter(device_type_slug(each.type_id) for each in fleet.devices.values()),
            tuple(f"{kind}: {key}" for kind, key in self.unknown_keys),
            self._unknown.exports,
            held_back(self._guard.pending(), fleet.plants, fleet.devices),
        )

    def close(self) -> None:
        """Takes the account off the page, once its poller has ended."""
        self._blocks.clear()
        self._page.update({"inventory": None}, account=self._account)
        self._page.move("sun", None, account=self._account)
        for interface in INTERFACES:
            self._page.set_max_age((self._account, interface), None)
