"""The series that the exporter exposes of accounts, their calls and itself, day by day.

Rows are as in `plant_series.py`, and the faults those of accounts.
"""

from year import events
from year.timeline import EPOCH, STEP_SECONDS, STEPS_PER_DAY, in_any, steps_of

INTERFACES = ("getStationRealKpi", "getDevRealKpi")
PLANTS = 8  # of an account
DOWN_AFTER = 3  # steps without an answer after which an account counts as down
LOGIN_RETRY = 6  # steps from a refused login to the next
LOGIN_AGAIN = 3  # steps from a lost session to the next


class AccountSeries:
    """An account's series, without what its exporter itself misses.

    `walk_seconds` are those in which all its devices are polled once.
    """

    def __init__(self, name, weather, faults=(), walk_seconds=STEP_SECONDS):
        self.name, self.weather, self.faults = name, weather, faults
        self.walk_seconds = walk_seconds
        self.last_success = dict.fromkeys(INTERFACES, EPOCH)
        self.refused_logins = self.lost_sessions = 0

    def outages(self, day):
        """The spans without any answer that concern a day, in order."""
        outages = events.maintenance(self.weather, day)
        return sorted(outages + self.fault_spans(day, "down", "refused"))

    def fault_spans(self, day, *effects):
        """The spans of faults with one of these effects that concern a day."""
        return [
            (fault.start, fault.end)
            for fault in self.faults
            if fault.kind.account_effect in effects and fault.active_on(day)
        ]

    def rows(self, day):
        """The rows of a day."""
        labels, steps = {"account": self.name}, steps_of(day)
        refused = self.fault_spans(day, "refused")
        refused += events.refused_logins(self.weather, self.name, day)
        outages, withdrawn = self.outages(day), self.fault_spans(day, "withdrawn")
        down = [(start + DOWN_AFTER, end) for start, end in outages] + refused
        yield "fusionsolar_up", labels, [1 - in_any(step, down) for step in steps]
        yield "fusionsolar_plants", labels, [PLANTS - in_any(step, withdrawn) for step in steps]
        yield self.refused_logins_row(steps, refused)
        yield "fusionsolar_api_sessions_lost_total", labels, self.lost_sessions_total(day)
        for interface in INTERFACES:
            failed = outages + refused
            if interface == "getDevRealKpi":
                failed += self.fault_spans(day, "stale")
            yield from self.interface_rows(interface, steps, failed)

    def interface_rows(self, interface, steps, failed):
        """The rows of an interface, which answers but in some spans."""
        name = "fusionsolar_interface_"
        labels = {"account": self.name, "interface": interface}
        times = []
        for step in steps:
            if not in_any(step, failed):
                self.last_success[interface] = EPOCH + step * STEP_SECONDS
            times.append(self.last_success[interface])
        yield f"{name}permitted", labels, [1] * STEPS_PER_DAY
        yield f"{name}walk_seconds", labels, [self.walk_seconds] * STEPS_PER_DAY
        yield f"{name}pace_seconds", labels, [STEP_SECONDS] * STEPS_PER_DAY
        yield f"{name}last_success_timestamp_seconds", labels, times

    def refused_logins_row(self, steps, refused):
        """Logins refused so far: one when a span begins, and one for each retry within it."""
        counts = []
        for step in steps:
            elapsed = [step - start for start, end in refused if start <= step < end]
            self.refused_logins += any(each % LOGIN_RETRY == 0 for each in elapsed)
            counts.append(self.refused_logins or None)
        labels = {"account": self.name, "interface": "login", "reason": "20400"}
        return "fusionsolar_api_request_failures_total", labels, counts

    def lost_sessions_total(self, day):
        """Sessions lost so far to another program, at each step of a day."""
        stolen, counts = self.fault_spans(day, "stolen"), []
        for step in steps_of(day):
            self.lost_sessions += in_any(step, stolen) and step % LOGIN_AGAIN == 0
            counts.append(self.lost_sessions)
        return counts


def exporter_rows(instance, down):
    """The rows of an exporter for a day; `down` has whether it is, by step."""
    labels = {"job": "fusionsolar", "instance": instance}
    up = [None if each else 1 for each in down]
    yield "up", labels, [0 if each else 1 for each in down]
    yield "fusionsolar_exporter_build_info", labels | {"version": "1"}, up
    yield "fusionsolar_exporter_config_last_reload_successful", labels, up
