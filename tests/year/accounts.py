"""What the page says of accounts, their calls and the exporter, day by day.

Rows are as in `readings.py`, and the faults those of accounts.
"""

from year import events
from year.sky import EPOCH, STEP, STEPS

INTERFACES = ("getStationRealKpi", "getDevRealKpi")
PLANTS = 8
SLOW = 3  # steps until an account that is not answered counts as down
RETRY = 6  # steps from a refused login to the next


class Account:
    """An account's series. Its exporter is the one of all, unless it has faults itself.

    `walk` are the seconds in which all its devices are asked once.
    """

    def __init__(self, name, sky, faults=(), walk=STEP):
        self.name, self.sky, self.faults, self.walk = name, sky, faults, walk
        self.answered = dict.fromkeys(INTERFACES, EPOCH)
        self.refused = self.stolen = 0

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
        """The rows of a day."""
        about, steps = {"account": self.name}, range(day * STEPS, (day + 1) * STEPS)
        refused = self.during(day, "refused") + events.refusals(self.sky, self.name, day)
        silent, gone = self.silent(day), self.during(day, "withdrawn")
        down = [(start + SLOW, end) for start, end in silent] + refused
        plants = [PLANTS - within(step, gone) for step in steps]
        yield "fusionsolar_up", about, [1 - within(step, down) for step in steps]
        yield "fusionsolar_plants", about, plants
        yield self.refusals(steps, refused)
        yield "fusionsolar_api_sessions_lost_total", about, list(self.losses(steps, day))
        for name in INTERFACES:
            label = about | {"interface": name}
            lost = silent + refused
            if name == "getDevRealKpi":
                lost = lost + self.during(day, "stale")
            times = list(self.answers(name, steps, lost))
            yield "fusionsolar_interface_permitted", label, [1] * STEPS
            yield "fusionsolar_interface_walk_seconds", label, [self.walk] * STEPS
            yield "fusionsolar_interface_pace_seconds", label, [STEP] * STEPS
            yield "fusionsolar_interface_last_success_timestamp_seconds", label, times

    def refusals(self, steps, refused):
        """Logins refused so far: one when it begins, and one every half an hour."""
        counts = []
        for step in steps:
            since = [step - start for start, end in refused if start <= step < end]
            self.refused += any(passed % RETRY == 0 for passed in since)
            counts.append(self.refused or None)
        labels = {"account": self.name, "interface": "login", "reason": "20400"}
        return "fusionsolar_api_request_failures_total", labels, counts

    def losses(self, steps, day):
        """Sessions lost so far to another program."""
        stolen = self.during(day, "stolen")
        for step in steps:
            self.stolen += within(step, stolen) and step % SLOW == 0
            yield self.stolen

    def answers(self, interface, steps, lost):
        """When an interface last answered."""
        for step in steps:
            if not within(step, lost):
                self.answered[interface] = EPOCH + step * STEP
            yield self.answered[interface]


def within(step, spans):
    return any(start <= step < end for start, end in spans)


def exporter(instance, down):
    """The rows of an exporter for a day; `down` has whether it is, by step."""
    about = {"job": "fusionsolar", "instance": instance}
    alive = [None if each else 1 for each in down]
    yield "up", about, [0 if each else 1 for each in down]
    yield "fusionsolar_exporter_build_info", about | {"version": "1"}, alive
    yield "fusionsolar_exporter_config_last_reload_successful", about, alive
