"""A book of alarms that is looked into, one answer after another."""

import json

from exporter.northbound.records import Alarm
from exporter.polling.alarm_windows import newest_window
from exporter.polling.alarms import AlarmBook

MINUTE = 60.0
HOUR = 3_600.0
DAY = 86_400.0
NOW = 1_700_000_000.0


def alarm(raised=NOW, serial="S1", plant="P", **traits):
    return Alarm(plant, serial, "65534", "1", raised, **traits)


def look(book, now, *alarms, plants=("P",)):
    return book.look(plants, newest_window(now), alarms, now)


def sweep(book, now, *alarms, plants=("P",)):
    """Asks about all older windows that are due; returns them."""
    windows = []
    while window := book.older_window(plants):
        windows.append(window)
        listed = [alarm for alarm in alarms if window.begin <= alarm.raised <= window.end]
        book.look_back(plants, window, listed, now)
        book.skip(plants, window)
    return windows


def watched(*alarms, plants=("P",)):
    """A book that has looked, and asked about all older windows."""
    book = AlarmBook()
    look(book, NOW, *alarms, plants=plants)
    sweep(book, NOW, *alarms, plants=plants)
    return book


def reborn(stored):
    """Another life, with what was written to a file."""
    book = AlarmBook()
    book.recall({plant: known for plant, known in json.loads(json.dumps(stored)).items() if known})
    return book
