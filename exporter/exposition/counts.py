"""One account's side of the exporter's own metrics: its calls, its fleet, what was of no use."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from math import isfinite
from typing import Any

import structlog

from exporter.exposition.telemetry import Telemetry
from exporter.exposition.translate import RejectedValue, Translation
from exporter.northbound.codes import device_type_slug
from exporter.northbound.errors import RATE_LIMITED, CallError
from exporter.northbound.interfaces import LOGIN

NAMED_KEYS = 1_000  # unknown keys, and values not shown, that are named in the log
KEPT = ("last_success", "permitted")  # the gauges of an interface that survive a restart


class Counts:
    """Counts what one account's poller tells. Used by that poller's thread alone.

    `wall` gives seconds since the epoch. `unknown_keys` names what the catalogue lacks.
    """

    def __init__(self, account: str, telemetry: Telemetry, wall: Callable[[], float]) -> None:
        self.unknown_keys: dict[tuple[str, str], None] = {}
        self._account = account
        self._device_types: set[str] = set()
        self._named_values: set[tuple[str, str, str]] = set()
        self._called = {LOGIN.name}
        self._kept: dict[str, dict[str, float]] = {}
        self._changed: set[str] = set()
        self._telemetry = telemetry
        self._wall = wall
        self._log = structlog.get_logger().bind(account=account)

    def request(self, interface: str, seconds: float, error: CallError | None) -> None:
        """One HTTP request was made and took so long."""
        labels = (self._account, interface)
        self._telemetry.requests.labels(*labels).inc()
        self._telemetry.durations.labels(*labels).observe(seconds)
        if interface == LOGIN.name:
            self._telemetry.logins.labels(self._account).inc()
        if error is None:
            self._set("last_success", interface, self._wall())
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

    def bug(self) -> None:
        """The poller raised what it should have handled."""
        self._telemetry.errors.labels("poller").inc()

    def permitted(self, interface: str, *, permitted: bool) -> None:
        """Whether the account may call an interface, as far as its last answer tells."""
        self._set("permitted", interface, permitted)

    def _set(self, gauge: str, interface: str, value: float) -> None:
        getattr(self._telemetry, gauge).labels(self._account, interface).set(value)
        self._kept.setdefault(interface, {})[gauge] = float(value)
        self._changed.add(interface)

    def kept_changes(self) -> Mapping[str, Mapping[str, float]]:
        """What should survive a restart of the interfaces of which it changed, as plain data."""
        changed, self._changed = self._changed, set()
        return {interface: dict(self._kept[interface]) for interface in changed}

    def recall_kept(self, stored: Mapping[str, Any]) -> None:
        """Tells it again of those interfaces that are still called."""
        for interface in self._called & stored.keys():
            told = stored[interface] if isinstance(stored[interface], dict) else {}
            for gauge in KEPT:
                value = told.get(gauge)
                if isinstance(value, float) and isfinite(value):
                    # A time in the future counts as now.
                    self._set(gauge, interface, min(value, self._wall()))

    def unanswered(self, interface: str, count: int) -> None:
        """How many plants or devices the last calls brought nothing about."""
        self._telemetry.unanswered.labels(self._account, interface).set(count)

    def rejected(self, interface: str, reasons: Mapping[str, int]) -> None:
        """So many items or values of an answer could not be used, by reason."""
        for reason, count in reasons.items():
            self._telemetry.rejected.labels(self._account, interface, reason).inc(count)

    def planned(self, interface: str, pace: float, walk: float) -> None:
        """The pace in force, and how long a walk over the fleet will take, in seconds."""
        self._called.add(interface)
        self._telemetry.pace.labels(self._account, interface).set(pace)
        self._telemetry.walk.labels(self._account, interface).set(walk)

    def fleet_size(self, plants: int, device_types: Iterable[int]) -> None:
        """How many plants there are, and the type of each device."""
        self._telemetry.plants.labels(self._account).set(plants)
        counts = Counter(map(device_type_slug, device_types))
        for slug in self._device_types - counts.keys():
            self._telemetry.devices.remove(self._account, slug)
        self._device_types = set(counts)
        for slug, count in counts.items():
            self._telemetry.devices.labels(self._account, slug).set(count)

    def translated(self, interface: str, kind: str, name: str, result: Translation) -> None:
        """What a reading had that is no sample.

        `kind` is its device type's slug, or plant, and `name` the device's id or plant's code.
        """
        self.rejected(interface, result.rejected)
        self._telemetry.unknown_keys.labels(self._account, interface).inc(len(result.unknown_keys))
        for key in result.unknown_keys:
            self._name_unknown(kind, key)
        about = self._log.bind(device_type=kind, name=name)
        for rejected in result.rejected_values:
            self._name_rejected(about, name, rejected)
        for key, value in result.confirmed.items():
            about.info("counter value confirmed", key=key, value=value)
        for metric, count in result.unknown_states.items():
            self._telemetry.unknown_states.labels(self._account, metric).inc(count)

    def _name_rejected(self, log: Any, name: str, rejected: RejectedValue) -> None:
        named = (name, rejected.key, rejected.reason)
        if named not in self._named_values and len(self._named_values) < NAMED_KEYS:
            self._named_values.add(named)
            known = {key: each for key, each in asdict(rejected).items() if each is not None}
            log.warning("value rejected", **known)

    def _name_unknown(self, kind: str, key: str) -> None:
        if (kind, key) not in self.unknown_keys and len(self.unknown_keys) < NAMED_KEYS:
            self.unknown_keys[kind, key] = None
            self._log.info("unknown key", device_type=kind, key=key)
