"""The exporter's own instruments: what it asked, what came back, and what it could not use."""

import platform
from collections.abc import Collection, Sequence
from importlib.metadata import version

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)

from exporter import NAME
from exporter.catalogue.model import Metric
from exporter.catalogue.rows import STATESETS
from exporter.exposition import own
from exporter.northbound.interfaces import INTERFACES

REJECTIONS = (
    "not_a_number",
    "not_finite",
    "wrong_type",
    "counter_fell",
    "counter_leapt",
    "implausible",
    "duplicate",
    "not_asked_for",
)
# Shown at 0 before they happen; other reasons appear with their first failure.
USUAL_FAILURES = ("305", "407", "connection", "malformed", "timeout")
PARTS = ("poller", "reload", "web")  # of the exporter, by which its own bugs are counted
BUCKETS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)  # seconds that a request may take
_Instrument = Counter | Gauge | Histogram


class Telemetry:
    """All instruments, on a registry of their own."""

    def __init__(self) -> None:
        # They would double the counters, under names that no contract has.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # as the library declares it
        self.registry = CollectorRegistry()
        self._of_accounts: list[_Instrument] = []
        self._of_interfaces: list[_Instrument] = []
        self._introduced: set[str] = set()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._gauge(own.BUILD).labels(version(NAME), platform.python_version()).set(1)
        self.reload_successful = self._gauge(own.RELOAD_SUCCESSFUL)
        self.reload_timestamp = self._gauge(own.RELOAD_TIMESTAMP)
        self.errors = self._counter(own.ERRORS)
        for part in PARTS:
            self.errors.labels(part)
        self.state_writable = self._gauge(own.STATE_WRITABLE)
        self.up = self._gauge(own.UP)
        self.logins = self._counter(own.LOGINS)
        self.sessions_lost = self._counter(own.SESSIONS_LOST)
        self.requests = self._counter(own.REQUESTS)
        self.failures = self._counter(own.FAILURES)
        self.durations = self._histogram(own.DURATIONS, BUCKETS)
        self.rate_limited = self._counter(own.RATE_LIMITED)
        self.permitted = self._gauge(own.PERMITTED)
        self.pace = self._gauge(own.PACE)
        self.walk = self._gauge(own.WALK)
        self.last_success = self._gauge(own.LAST_SUCCESS)
        self.unanswered = self._gauge(own.UNANSWERED)
        self.rejected = self._counter(own.REJECTED)
        self.unknown_keys = self._counter(own.UNKNOWN_KEYS)
        self.unknown_states = self._counter(own.UNKNOWN_STATES)
        self.plants = self._gauge(own.PLANTS)
        self.devices = self._gauge(own.DEVICES)

    def _counter(self, metric: Metric) -> Counter:
        counter = Counter(metric.name, metric.help, metric.labels, registry=self.registry)
        self._enlist(counter, metric)
        return counter

    def _gauge(self, metric: Metric) -> Gauge:
        gauge = Gauge(metric.name, metric.help, metric.labels, registry=self.registry)
        self._enlist(gauge, metric)
        return gauge

    def _histogram(self, metric: Metric, buckets: Sequence[float]) -> Histogram:
        histogram = Histogram(
            metric.name, metric.help, metric.labels, buckets=buckets, registry=self.registry
        )
        self._enlist(histogram, metric)
        return histogram

    def _enlist(self, instrument: _Instrument, metric: Metric) -> None:
        if "account" in metric.labels:
            self._of_accounts.append(instrument)
        if "interface" in metric.labels:
            self._of_interfaces.append(instrument)

    def introduce(self, account: str, interfaces: Collection[str]) -> None:
        """Shows an account's counters at 0 before anything has happened.

        `interfaces` are those it will call. An account that was there before, with other settings,
        counts on; what depends on them is dropped.
        """
        if account in self._introduced:  # else there is nothing to look for, in all of it
            self._drop_unsettled(account, INTERFACES.keys() - set(interfaces))
        self._introduced.add(account)
        self.up.labels(account)
        self.plants.labels(account)
        self.logins.labels(account)
        self.sessions_lost.labels(account)
        for interface in interfaces:
            self.requests.labels(account, interface)
            self.durations.labels(account, interface)
            self.rate_limited.labels(account, interface)
            self.unknown_keys.labels(account, interface)
            for reason in USUAL_FAILURES:
                self.failures.labels(account, interface, reason)
            for reason in REJECTIONS:
                self.rejected.labels(account, interface, reason)
        for metric in STATESETS:
            self.unknown_states.labels(account, metric)

    def _drop_unsettled(self, account: str, no_longer_called: Collection[str]) -> None:
        """Drops what is no longer called, and what the next plan and the next answers tell anew.

        `up` and the last successes stay: no settings change what has been.
        """
        for gauge in (
            self.permitted, self.pace, self.walk, self.unanswered, self.plants, self.devices,
        ):  # fmt: skip
            gauge.remove_by_labels({"account": account})
        for instrument in self._of_interfaces:
            for interface in no_longer_called:
                instrument.remove_by_labels({"account": account, "interface": interface})

    def forget(self, account: str) -> None:
        """Drops all that was counted of an account that is gone."""
        self._introduced.discard(account)
        for instrument in self._of_accounts:
            instrument.remove_by_labels({"account": account})
