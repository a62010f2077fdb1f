"""What a database holds of a section of the state, and what the next process makes of it."""

from exporter.account.codec import StoredRow
from exporter.account.model import AccountState
from exporter.clock import ClockStamp


class Clock:
    """The same clocks before and after, unless a test says otherwise."""

    boot = None

    def __init__(self, now=0.0, offset=0.0):
        self.at = now
        self.offset = offset

    def now(self):
        return self.at

    def time(self):
        return self.at + self.offset


def misunderstood(reason):
    raise AssertionError(reason)


class Stored:
    """The rows of a section, those that were changed replacing those from before."""

    def __init__(self):
        self.rows = {}

    def save(self, section, clock=None):
        """Stores what was changed; returns the names of it."""
        changed = set(section.changed)
        for name in changed:
            self.rows.pop(name, None)
            if name in section:
                row = StoredRow(
                    section.codec.encode(section[name]), ClockStamp.of(clock or Clock())
                )
                self.rows[name] = row
        section.changed.clear()
        return changed

    def load(self, section, clock=None):
        """Fills a section of a new process."""
        for name, row in self.rows.items():
            section.restore(name, section.codec.decode(row, clock or Clock(), misunderstood))
        return section


def restarted(section, fresh, clock=None, later=None):
    """What a new process knows, if this one stores all of a section."""
    stored = Stored()
    section.changed.update(section)
    stored.save(section, clock)
    return stored.load(fresh, later or clock)


def alarms():
    """The section of alarms, empty."""
    return AccountState().alarms


def periods(interface="getKpiStationDay"):
    """The section of an interface's statistics, empty."""
    return AccountState().statistics[interface]
