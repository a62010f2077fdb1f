"""The exporter's own instruments: what it asked, what came back, and what it could not use."""

import platform
from collections import Counter as Count
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from importlib.metadata import version
from typing import Any

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
from exporter.account.changes import Changes, RequestMade
from exporter.account.counters import FELL, LEAPT, Entity
from exporter.account.model import InterfaceResult
from exporter.catalogue.index import STATESETS
from exporter.catalogue.model import Metric
from exporter.exposition import families
from exporter.exposition.page import NO_ACCOUNT
from exporter.exposition.translate import IMPLAUSIBLE, UNDECIDED, RejectedValue, Translation
from exporter.northbound.device_types import device_type_slug
from exporter.northbound.errors import RATE_LIMITED
from exporter.northbound.interfaces import INTERFACES, LOGIN
from exporter.northbound.records import Rejection
from exporter.status.model import AccountCounts, CallCounts

REJECTIONS = (
    *(Rejection.NOT_A_NUMBER, Rejection.NOT_FINITE, Rejection.WRONG_TYPE),
    *(FELL, LEAPT, IMPLAUSIBLE, UNDECIDED),
    *(Rejection.DUPLICATE, Rejection.NOT_ASKED_FOR),
)
# Shown at 0 before they happen; other reasons appear with their first failure.
USUAL_FAILURES = ("305", "407", "connection", "malformed", "timeout")
PARTS = ("history", "poller", "reload", "web")  # of the exporter, by which its own bugs are counted
BUCKETS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)  # seconds that a request may take
_VERSION = version(NAME)  # read from files
NAMED_KEYS = 1_000  # unknown keys, and values not shown, that are named in the log


class _Instruments:
    """Instruments on a registry of their own."""

    def __init__(self) -> None:
        # They would double the counters, under names that no contract has.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # as the library declares it
        self.registry = CollectorRegistry()

    def _counter(self, metric: Metric) -> Counter:
        return Counter(metric.name, metric.help, metric.labels, registry=self.registry)

    def _gauge(self, metric: Metric) -> Gauge:
        return Gauge(metric.name, metric.help, metric.labels, registry=self.registry)

    def _histogram(self, metric: Metric, buckets: Sequence[float]) -> Histogram:
        return Histogram(
            metric.name, metric.help, metric.labels, buckets=buckets, registry=self.registry
        )


class AccountInstruments(_Instruments):
    """The instruments of one account; `counts` says the same as people are shown it."""

    def __init__(self) -> None:
        super().__init__()
        self.counts = AccountCounts()
        self.state_writable = self._gauge(families.STATE_WRITABLE)
        self.up = self._gauge(families.UP)
        self.logins = self._counter(families.LOGINS)
        self.sessions_lost = self._counter(families.SESSIONS_LOST)
        self.requests = self._counter(families.REQUESTS)
        self.failures = self._counter(families.FAILURES)
        self.durations = self._histogram(families.DURATIONS, BUCKETS)
        self.rate_limited = self._counter(families.RATE_LIMITED)
        self.permitted = self._gauge(families.PERMITTED)
        self.pace = self._gauge(families.PACE)
        self.walk = self._gauge(families.WALK)
        self.last_success = self._gauge(families.LAST_SUCCESS)
        self.unanswered = self._gauge(families.UNANSWERED)
        self.rejected = self._counter(families.REJECTED)
        self.unknown_keys = self._counter(families.UNKNOWN_KEYS)
        self.unknown_states = self._counter(families.UNKNOWN_STATES)
        self.plants = self._gauge(families.PLANTS)
        self.devices = self._gauge(families.DEVICES)

    def show_at_zero(self, account: str, interfaces: Collection[str]) -> None:
        """Shows the counters before anything has happened."""
        for instrument in (self.up, self.plants, self.logins, self.sessions_lost):
            instrument.labels(account)
        for interface in interfaces:
            for each in (self.requests, self.durations, self.rate_limited, self.unknown_keys):
                each.labels(account, interface)
            for reason in USUAL_FAILURES:
                self.failures.labels(account, interface, reason)
            for reason in REJECTIONS:
                self.rejected.labels(account, interface, reason)
        for metric in STATESETS:
            self.unknown_states.labels(account, metric)

    def drop_unsettled(self, no_longer_called: Collection[str]) -> None:
        """Drops what is no longer called, and what the next plan and answers set again.

        `up` and the last successes stay: no settings change what has been.
        """
        for gauge in (
            self.permitted, self.pace, self.walk, self.unanswered, self.plants, self.devices,
        ):  # fmt: skip
            gauge.clear()
        for instrument in (
            self.requests, self.failures, self.durations, self.rate_limited, self.last_success,
            self.rejected, self.unknown_keys,
        ):  # fmt: skip
            for interface in no_longer_called:
                instrument.remove_by_labels({"interface": interface})


class Telemetry(_Instruments):
    """The instruments of the exporter as a whole, and those of each account.

    `registries` are those of all, by account or NO_ACCOUNT.
    """

    def __init__(self) -> None:
        super().__init__()
        self.registries = {NO_ACCOUNT: self.registry}
        self._accounts: dict[str, AccountInstruments] = {}
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._gauge(families.BUILD).labels(_VERSION, platform.python_version()).set(1)
        self.reload_successful = self._gauge(families.RELOAD_SUCCESSFUL)
        self.reload_timestamp = self._gauge(families.RELOAD_TIMESTAMP)
        self.account_held = self._gauge(families.ACCOUNT_HELD)
        self.errors = self._counter(families.ERRORS)
        for part in PARTS:
            self.errors.labels(part)

    def of(self, account: str) -> AccountInstruments:
        """The instruments of an account, the same for as long as it is not dropped."""
        if account not in self._accounts:
            self._accounts[account] = AccountInstruments()
            self.registries[account] = self._accounts[account].registry
        return self._accounts[account]

    def introduce(self, account: str, interfaces: Collection[str]) -> None:
        """Shows an account's counters at 0 before anything has happened.

        `interfaces` are those it will call. An account that was there before, with other settings,
        counts on; what depends on them is dropped.
        """
        own = self.of(account)
        own.drop_unsettled(INTERFACES.keys() - set(interfaces))
        calls = {name: own.counts.calls.get(name, CallCounts()) for name in interfaces}
        own.counts = replace(own.counts, calls=calls)
        own.show_at_zero(account, interfaces)

    def drop_account(self, account: str) -> None:
        """Drops all that was counted of an account that is gone."""
        self._accounts.pop(account, None)
        self.registries.pop(account, None)
        self.account_held.remove_by_labels({"account": account})

    def value(self, account: str, name: str, **labels: str) -> float | None:
        """The value of a series of an account, as it is on the page; None where it is not there."""
        return self.registries[account].get_sample_value(name, {"account": account, **labels})


class AccountTelemetry:
    """One account's side of the instruments. Used by its poller's thread alone.

    `unknown_keys` names what the catalogue lacks.
    """

    def __init__(self, account: str, telemetry: Telemetry, log: Any) -> None:
        self.unknown_keys: dict[tuple[str, str], None] = {}
        self._account = account
        self._own = telemetry.of(account)
        self._errors = telemetry.errors
        self._log = log
        self._device_types: set[str] = set()
        self._named_values: set[tuple[str, str, str]] = set()

    @property
    def counts(self) -> AccountCounts:
        """What was counted, as people are shown it."""
        return self._own.counts

    def show(self, changes: Changes, results: Mapping[str, InterfaceResult]) -> None:
        """Counts what one step changed; `results` are those of all interfaces."""
        for request in changes.requests:
            self._request(request)
        if changes.up is not None:
            self._own.up.labels(self._account).set(changes.up)
            self._set(replace(self.counts, up=changes.up))
        if changes.sessions_lost:
            lost = changes.sessions_lost
            self._own.sessions_lost.labels(self._account).inc(lost)
            self._set(replace(self.counts, sessions_lost=self.counts.sessions_lost + lost))
        self._errors.labels("poller").inc(changes.bugs)
        for interface, plan in changes.plans.items():
            self._own.pace.labels(self._account, interface).set(plan.pace)
            self._own.walk.labels(self._account, interface).set(plan.duration)
        for interface, count in changes.unanswered.items():
            self._own.unanswered.labels(self._account, interface).set(count)
        for interface, reasons in changes.rejected.items():
            self._rejected(interface, reasons)
        # What is planned for the first time may have been called by a previous run.
        requested = {request.interface for request in changes.requests}
        concerned = {LOGIN.name} | requested | changes.plans.keys() | changes.unanswered.keys()
        self._results({name: results[name] for name in concerned & results.keys()})

    def _results(self, results: Mapping[str, InterfaceResult]) -> None:
        """When interfaces last succeeded, and whether the account may call them."""
        calls = dict(self.counts.calls)
        for interface, result in results.items():
            if result.last_success is not None:
                last = self._own.last_success.labels(self._account, interface)
                last.set(result.last_success)
            if result.permitted is not None:
                permitted = self._own.permitted.labels(self._account, interface)
                permitted.set(result.permitted)
            calls[interface] = replace(
                calls.get(interface, CallCounts()),
                last_success=result.last_success,
                permitted=result.permitted,
            )
        self._set(replace(self.counts, calls=calls))

    def _set(self, counts: AccountCounts) -> None:
        self._own.counts = counts

    def _request(self, request: RequestMade) -> None:
        labels = (self._account, request.interface)
        self._own.requests.labels(*labels).inc()
        self._own.durations.labels(*labels).observe(request.seconds)
        if request.interface == LOGIN.name:
            self._own.logins.labels(self._account).inc()
        error = request.error
        refused = error is not None and error.reason in RATE_LIMITED
        if error is not None:
            self._own.failures.labels(*labels, error.reason).inc()
        if refused:
            self._own.rate_limited.labels(*labels).inc()
        before = self.counts.calls.get(request.interface, CallCounts())
        calls = replace(
            before,
            requests=before.requests + 1,
            failures=before.failures + (error is not None),
            refused=before.refused + refused,
        )
        self._set(replace(self.counts, calls={**self.counts.calls, request.interface: calls}))

    def _rejected(self, interface: str, reasons: Mapping[str, int]) -> None:
        """So many items or values of an answer could not be used, by reason."""
        for reason, count in reasons.items():
            self._own.rejected.labels(self._account, interface, reason).inc(count)

    def fleet_size(self, plants: int, device_types: Iterable[int]) -> None:
        """How many plants there are, and the type of each device."""
        self._own.plants.labels(self._account).set(plants)
        counts = Count(map(device_type_slug, device_types))
        for slug in self._device_types - counts.keys():
            self._own.devices.remove(self._account, slug)
        self._device_types = set(counts)
        for slug, count in counts.items():
            self._own.devices.labels(self._account, slug).set(count)

    def translated(self, interface: str, entity: Entity, result: Translation) -> None:
        """What a reading of a plant or device had that is no sample."""
        if result.is_ordinary:
            return
        device_type, name = entity
        kind = "plant" if device_type is None else device_type_slug(device_type)
        self._rejected(interface, result.rejected)
        self._own.unknown_keys.labels(self._account, interface).inc(len(result.unknown_keys))
        for key in result.unknown_keys:
            self._name_unknown(kind, key)
        about = self._log.bind(device_type=kind, name=name)
        for rejected in result.rejected_values:
            self._name_rejected(about, name, rejected)
        for key, value in result.confirmed.items():
            about.info("counter value confirmed", key=key, value=value)
        for metric, count in result.unknown_states.items():
            self._own.unknown_states.labels(self._account, metric).inc(count)

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
