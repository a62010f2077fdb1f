"""The exporter's own instruments: what it asked, what came back, and what it could not use."""

import platform
from collections.abc import Collection, Iterable
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

from exporter.catalogue.model import Kind, Metric
from exporter.northbound.interfaces import INTERFACES

REJECTIONS = (
    "not_a_number",
    "not_finite",
    "wrong_type",
    "counter_fell",
    "duplicate",
    "not_asked_for",
)
# Shown at 0 before they happen; other reasons appear with their first failure.
USUAL_FAILURES = ("305", "407", "connection", "malformed", "timeout")
ACCOUNT = ("account",)
INTERFACE = ("account", "interface")
_Instrument = Counter | Gauge | Histogram

DURATIONS = Metric(
    "fusionsolar_api_request_duration_seconds",
    Kind.HISTOGRAM,
    "Time from the start of an HTTP request to the end of its answer.",
    unit="seconds",
    labels=INTERFACE,
)


class Telemetry:
    """All instruments, on a registry of their own."""

    def __init__(self) -> None:
        # They would double the counters, under names that no contract has.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # as the library declares it
        self.registry = CollectorRegistry()
        self.described: list[Metric] = []
        self._of_accounts: list[_Instrument] = []
        self._of_interfaces: list[_Instrument] = []
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        build = self._gauge(
            "fusionsolar_exporter_build_info",
            "The exporter's version and the Python it runs on.",
            ("version", "python_version"),
        )
        build.labels(version("fusionsolar-exporter"), platform.python_version()).set(1)
        self.reload_successful = self._gauge(
            "fusionsolar_exporter_config_last_reload_successful",
            "Whether the configuration could be read when it was last to be.",
        )
        self.reload_timestamp = self._gauge(
            "fusionsolar_exporter_config_last_reload_success_timestamp_seconds",
            "When the configuration was last read successfully.",
        )
        self.up = self._gauge(
            "fusionsolar_up",
            "Whether the management system talks to this account: 1 from a successful login on, "
            "0 while it cannot log in or after three calls in a row without a proper answer.",
            ACCOUNT,
        )
        self.logins = self._counter(
            "fusionsolar_api_logins_total", "Logins tried, successful or not.", ACCOUNT
        )
        self.sessions_lost = self._counter(
            "fusionsolar_api_sessions_lost_total",
            "Sessions lost again within ten minutes of the login that followed a loss: another "
            "program uses the account.",
            ACCOUNT,
        )
        self.requests = self._counter(
            "fusionsolar_api_requests_total",
            "HTTP requests made to the management system, the failed ones included.",
            INTERFACE,
        )
        self.failures = self._counter(
            "fusionsolar_api_request_failures_total",
            "HTTP requests that brought no data, by failCode or kind of failure.",
            (*INTERFACE, "reason"),
        )
        self.durations = Histogram(
            DURATIONS.name,
            DURATIONS.help,
            DURATIONS.labels,
            buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
            registry=self.registry,
        )
        self._enlist(self.durations, DURATIONS)
        self.rate_limited = self._counter(
            "fusionsolar_api_rate_limited_total",
            "HTTP requests refused for their frequency: failCode 407, HTTP 403 or 429.",
            INTERFACE,
        )
        self.permitted = self._gauge(
            "fusionsolar_interface_permitted",
            "Whether the account may call the interface, as far as its last answer tells: "
            "0 after failCode 401.",
            INTERFACE,
        )
        self.pace = self._gauge(
            "fusionsolar_interface_pace_seconds",
            "Planned time from one call of the interface to the next.",
            INTERFACE,
        )
        self.walk = self._gauge(
            "fusionsolar_interface_walk_seconds",
            "Planned time for one walk of the interface over the whole fleet.",
            INTERFACE,
        )
        self.last_success = self._gauge(
            "fusionsolar_interface_last_success_timestamp_seconds",
            "When the interface last gave a proper answer.",
            INTERFACE,
        )
        self.unanswered = self._gauge(
            "fusionsolar_devices_unanswered",
            "Plants or devices about which the last calls brought nothing: left out of the "
            "answer, silent, or in a batch that failed.",
            INTERFACE,
        )
        self.rejected = self._counter(
            "fusionsolar_values_rejected_total",
            "Values and items that could not be used, by reason.",
            (*INTERFACE, "reason"),
        )
        self.unknown_keys = self._counter(
            "fusionsolar_unknown_keys_total",
            "Values whose key the exporter does not know; the log names each key once.",
            INTERFACE,
        )
        self.unknown_states = self._counter(
            "fusionsolar_unknown_states_total",
            "State codes without a name, by the metric that shows them as unknown.",
            (*ACCOUNT, "metric"),
        )
        self.plants = self._gauge("fusionsolar_plants", "Plants that the exporter walks.", ACCOUNT)
        self.devices = self._gauge(
            "fusionsolar_devices",
            "Devices known in those plants, by type.",
            (*ACCOUNT, "device_type"),
        )

    def _counter(self, name: str, help_text: str, labels: tuple[str, ...]) -> Counter:
        counter = Counter(name, help_text, labels, registry=self.registry)
        self._enlist(counter, Metric(name, Kind.COUNTER, help_text, labels=labels))
        return counter

    def _gauge(self, name: str, help_text: str, labels: tuple[str, ...] = ()) -> Gauge:
        gauge = Gauge(name, help_text, labels, registry=self.registry)
        self._enlist(gauge, Metric(name, Kind.GAUGE, help_text, labels=labels))
        return gauge

    def _enlist(self, instrument: _Instrument, metric: Metric) -> None:
        self.described.append(metric)
        if "account" in metric.labels:
            self._of_accounts.append(instrument)
        if "interface" in metric.labels:
            self._of_interfaces.append(instrument)

    def introduce(self, account: str, interfaces: Collection[str], states: Iterable[str]) -> None:
        """Shows an account's counters at 0 before anything has happened.

        `interfaces` are those it will call, `states` the names of the StateSet metrics. An account
        that was there before, with other settings, counts on; what depends on them is dropped.
        """
        self._drop_unsettled(account, INTERFACES.keys() - set(interfaces))
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
        for metric in states:
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
        for instrument in self._of_accounts:
            instrument.remove_by_labels({"account": account})
