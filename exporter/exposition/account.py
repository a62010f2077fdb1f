"""One account's side of the page: takes what its poller tells, counts it and shows it."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping

import structlog

from exporter.exposition.blocks import Blocks
from exporter.exposition.page import Block, Labels, Page
from exporter.exposition.telemetry import Telemetry
from exporter.exposition.things import Place, device_labels, plant_labels, render_things
from exporter.exposition.translate import Sample, Translator
from exporter.northbound.codes import device_type_slug
from exporter.northbound.errors import CallError
from exporter.northbound.interfaces import LOGIN, Interface, Subject
from exporter.northbound.records import Device, Parsed, Plant, Reading

RATE_LIMITED = frozenset({"407", "http_403", "http_429"})
NAMED_KEYS = 1_000  # unknown keys that are remembered and named in the log


class AccountSink:
    """Makes an account's page of what its poller tells. Used by that poller's thread alone.

    `now` is the page's clock, `wall` gives seconds since the epoch; `places` are configured
    latitudes and longitudes by plant code. `unknown_keys` names what the catalogue lacks.
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
    ) -> None:
        self.unknown_keys: dict[tuple[str, str], None] = {}
        self._account = account
        self._page = page
        self._telemetry = telemetry
        self._translator = translator
        self._places = places
        self._now = now
        self._wall = wall
        self._plants: Mapping[str, Plant] = {}
        self._devices: Mapping[str, Device] = {}
        self._device_types: set[str] = set()
        self._blocks = Blocks(account, page, self._identity)
        self._log = structlog.get_logger().bind(account=account)

    # --- calls ---------------------------------------------------------------------------------

    def request(self, interface: str, seconds: float, error: CallError | None) -> None:
        """One HTTP request was made and took so long."""
        labels = (self._account, interface)
        self._telemetry.requests.labels(*labels).inc()
        self._telemetry.durations.labels(*labels).observe(seconds)
        if interface == LOGIN.name:
            self._telemetry.logins.labels(self._account).inc()
        if error is None:
            self._telemetry.last_success.labels(*labels).set(self._wall())
            return
        self._telemetry.failures.labels(*labels, error.reason).inc()
        if error.reason in RATE_LIMITED:
            self._telemetry.rate_limited.labels(*labels).inc()

    def up(self, *, up: bool) -> None:
        """Whether the management system talks to this account."""
        self._telemetry.up.labels(self._account).set(up)

    def session_lost(self) -> None:
        """Somebody else's login ended our session."""
        self._telemetry.sessions_lost.labels(self._account).inc()

    def permitted(self, interface: str, *, permitted: bool) -> None:
        """Whether the account may call an interface, as far as its last answer tells."""
        self._telemetry.permitted.labels(self._account, interface).set(permitted)

    def unanswered(self, interface: str, count: int) -> None:
        """How many plants or devices the last calls brought nothing about."""
        self._telemetry.unanswered.labels(self._account, interface).set(count)

    def rejected(self, interface: str, reasons: Mapping[str, int]) -> None:
        """So many items or values of an answer could not be used, by reason."""
        for reason, count in reasons.items():
            self._telemetry.rejected.labels(self._account, interface, reason).inc(count)

    def plan(self, interface: str, *, pace: float, walk: float, max_age: float) -> None:
        """The pace in force, and the age at which this interface's values are too old."""
        labels = (self._account, interface)
        self._telemetry.pace.labels(*labels).set(pace)
        self._telemetry.walk.labels(*labels).set(walk)
        self._page.keep(labels, max_age)

    # --- the fleet -----------------------------------------------------------------------------

    def fleet(self, plants: Mapping[str, Plant], devices: Mapping[str, Device]) -> None:
        """The plants and devices as now known: what is gone goes, what moved is relabelled."""
        if plants == self._plants and devices == self._devices:
            return
        gone_plants = self._plants.keys() - plants.keys()
        # Under another type, an id is another device: none of its values go on.
        gone_devices = {
            old.id: old
            for old in self._devices.values()
            if old.id not in devices or devices[old.id].type_id != old.type_id
        }
        moved_devices = {
            old.id
            for old in self._devices.values()
            if old.id in devices and devices[old.id].plant_code != old.plant_code
        }
        self._plants, self._devices = dict(plants), dict(devices)
        self._blocks.refresh(Subject.PLANTS, gone=gone_plants)
        self._blocks.refresh(Subject.DEVICES, gone=gone_devices, moved=moved_devices)
        for code in gone_plants:
            self._translator.forget(None, code)
        for device in gone_devices.values():
            self._translator.forget(device.type_id, device.id)
        things = render_things(self._account, self._plants, self._devices, self._places)
        self._page.update({(self._account, "things"): Block(things)})
        self._count()

    def _identity(self, subject: Subject, name: str) -> Labels:
        if subject is Subject.PLANTS:
            return plant_labels(self._account, name)
        return device_labels(self._account, self._devices[name])

    def _count(self) -> None:
        self._telemetry.plants.labels(self._account).set(len(self._plants))
        counts = Counter(device_type_slug(d.type_id) for d in self._devices.values())
        for slug in self._device_types - counts.keys():
            self._telemetry.devices.remove(self._account, slug)
        self._device_types = set(counts)
        for slug, count in counts.items():
            self._telemetry.devices.labels(self._account, slug).set(count)

    # --- values --------------------------------------------------------------------------------

    def readings(
        self, interface: Interface, asked: Collection[str], readings: Parsed[Reading]
    ) -> None:
        """An answer: whatever it leaves out of what was asked has no values now."""
        known = self._plants if interface.subject is Subject.PLANTS else self._devices
        samples: dict[str, tuple[Sample, ...]] = {name: () for name in asked if name in known}
        for reading in readings.records:
            if reading.subject in samples:
                samples[reading.subject] = self._translate(interface, reading)
        self._blocks.put(interface, samples, read_at=self._now(), wall=self._wall())

    def _translate(self, interface: Interface, reading: Reading) -> tuple[Sample, ...]:
        device_type = (
            None if interface.subject is Subject.PLANTS else self._devices[reading.subject].type_id
        )
        result = self._translator.translate(interface.name, device_type, reading)
        self.rejected(interface.name, result.rejected)
        self._telemetry.unknown_keys.labels(self._account, interface.name).inc(
            len(result.unknown_keys)
        )
        for key in result.unknown_keys:
            self._name_unknown(
                device_type_slug(device_type) if device_type is not None else "plant", key
            )
        for metric, count in result.unknown_states.items():
            self._telemetry.unknown_states.labels(self._account, metric).inc(count)
        return tuple(result.samples)

    def _name_unknown(self, device_type: str, key: str) -> None:
        if (device_type, key) not in self.unknown_keys and len(self.unknown_keys) < NAMED_KEYS:
            self.unknown_keys[device_type, key] = None
            self._log.info("unknown key", device_type=device_type, key=key)
