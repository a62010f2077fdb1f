"""A tracker of alarms that is looked into, one answer after another."""

from account.restarts import alarms, restarted

from exporter.account.alarm_windows import newest_window
from exporter.account.alarms import AlarmTracker
from exporter.northbound.records import Alarm

MINUTE = 60.0
HOUR = 3_600.0
DAY = 86_400.0
NOW = 1_700_000_000.0


def alarm(raised=NOW, serial="S1", plant="P", **options):
    return Alarm(plant, serial, "65534", "1", raised, **options)


def apply_recent(tracker, now, *alarms, plants=("P",)):
    return tracker.apply_recent(plants, newest_window(now), alarms, now)


def sweep(tracker, now, *alarms, plants=("P",)):
    """Asks about all older windows that are due; returns them."""
    windows = []
    while window := tracker.older_window(plants):
        windows.append(window)
        listed = [alarm for alarm in alarms if window.begin <= alarm.raised <= window.end]
        tracker.apply_older(plants, window, listed, now)
        tracker.drop_window(plants, window)
    return windows


def swept_tracker(*alarms, plants=("P",)):
    """A tracker that has looked, and asked about all older windows."""
    tracker = StoredTracker()
    apply_recent(tracker, NOW, *alarms, plants=plants)
    sweep(tracker, NOW, *alarms, plants=plants)
    return tracker


class StoredTracker(AlarmTracker):
    """A tracker of which the rows are stored."""

    def __init__(self, rows=None):
        self.rows = alarms() if rows is None else rows
        super().__init__(self.rows)

    def restarted(self):
        """The tracker of the next process."""
        return StoredTracker(restarted(self.rows, alarms()))
