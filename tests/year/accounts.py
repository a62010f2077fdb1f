"""What the page says of accounts, their calls and the exporter, day by day.

Rows are as in `readings.py`, and the faults those of accounts.
"""

from year import events
from year.sky import EPOCH, STEP, STEPS

INTERFACES = ("getStationRealKpi", "getDevRealKpi")
PLANTS = 8
SLOW = 3  # steps until an account that is not answered counts as down


class Account:
    """An account's series. Its exporter is the one of all, unless faults befall it."""

    def __init__(self, name, sky, faults=()):
        self.name, self.sky, self.faults = name, sky, faults
        self.answered = dict.fromkeys(INTERFACES, EPOCH)
        self.refused = self.stolen = self.failed = 0

    def silent(self, day):
        """When nothing answers it within a day, as (start, end), those begun the day before too."""
        spans = events.maintenance(self.sky, day) + self.during(day, "down", "refused")
        return sorted(spans)

    def during(self, day, *accounts):
        return [
            (fault.start, fault.end)
            for fault in self.faults
            if fault.kind.account in accounts and fault.on(day)
        ]

    def rows(self, day):
        """The rows of a day; without `silent` devices."""
        first = day * STEPS
        about = {"account": self.name}
        refused = self.during(day, "refused")
        single = events.refusals(self.sky, self.name, day)
        silent = self.silent(day)
        up, failures, sessions, times = [], [], [], {name: [] for name in INTERFACES}
        stale = self.during(day, "stale")
        stolen = self.during(day, "stolen")
        for step in range(first, first + STEPS):
            down = any(start + SLOW <= step < end for start, end in silent)
            shut = within(step, refused) or within(step, single)
            up.append(0 if down or shut else 1)
            tries = (step - start for start, end in (*refused, *single) if start <= step < end)
            self.refused += any(passed % 6 == 0 for passed in tries)
            self.stolen += any(
                (step - start) % 3 == 0 for start, end in stolen if start <= step < end
            )
            failures.append(self.refused or None)
            sessions.append(self.stolen)
            for name in INTERFACES:
                lost = name == "getDevRealKpi" and within(step, stale)
                if not (within(step, silent) or shut or lost):
                    self.answered[name] = EPOCH + step * STEP
                times[name].append(self.answered[name])
        gone = within_day(first, self.during(day, "withdrawn"))
        yield "fusionsolar_up", about, up
        yield "fusionsolar_api_sessions_lost_total", about, sessions
        yield "fusionsolar_plants", about, [PLANTS - 1 if each else PLANTS for each in gone]
        yield (
            "fusionsolar_api_request_failures_total",
            about | {"interface": "login", "reason": "20400"},
            failures,
        )
        for name in INTERFACES:
            label = about | {"interface": name}
            yield "fusionsolar_interface_permitted", label, [1] * STEPS
            yield "fusionsolar_interface_walk_seconds", label, [STEP] * STEPS
            yield "fusionsolar_interface_pace_seconds", label, [STEP] * STEPS
            yield "fusionsolar_interface_last_success_timestamp_seconds", label, times[name]


def within(step, spans):
    return any(start <= step < end for start, end in spans)


def within_day(first, spans):
    return [within(step, spans) for step in range(first, first + STEPS)]


def exporter(instance, down):
    """The rows of an exporter for a day; `down` has whether it is, by step."""
    about = {"job": "fusionsolar", "instance": instance}
    alive = [None if each else 1 for each in down]
    yield "up", about, [0 if each else 1 for each in down]
    yield "fusionsolar_exporter_build_info", about | {"version": "1"}, alive
    yield "fusionsolar_exporter_config_last_reload_successful", about, alive
