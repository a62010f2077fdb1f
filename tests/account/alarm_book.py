"""A book of alarms that is looked into, one answer after another."""

from account.restarts import alarms, restarted

from exporter.account.alarm_windows import newest_window
from exporter.account.alarms import AlarmBook
from exporter.northbound.records import Alarm

MINUTE = 60.0
HOUR = 3_600.0
DAY = 86_400.0
NOW = 1_700_000_000.0


def alarm(raised=NOW, serial="S1", plant="P", **options):
    return Alarm(plant, serial, "65534", "1", raised, **options)


def look(book, now, *alarms, plants=("P",)):
    return book.apply_recent(plants, newest_window(now), alarms, now)


def sweep(book, now, *alarms, plants=("P",)):
    """Asks about all older windows that are due; returns them."""
    windows = []
    while window := book.older_window(plants):
        windows.append(window)
        listed = [alarm for alarm in alarms if window.begin <= alarm.raised <= window.end]
        book.apply_older(plants, window, listed, now)
        book.drop_window(plants, window)
    return windows


def watched(*alarms, plants=("P",)):
    """A book that has looked, and asked about all older windows."""
    book = StoredBook()
    look(book, NOW, *alarms, plants=plants)
    sweep(book, NOW, *alarms, plants=plants)
    return book


class StoredBook(AlarmBook):
    """A book of which the rows are stored."""

    def __init__(self, rows=None):
        self.rows = alarms() if rows is None else rows
        super().__init__(self.rows)

    def restarted(self):
        """The book of the next process."""
        return StoredBook(restarted(self.rows, alarms()))
