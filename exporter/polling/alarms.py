"""Alarms: which are active, which are new, and which time to ask about next. Pure.

An alarm has no id of its own. Its identity is plant, serial number, alarm, cause and the time it
was raised; a sighting of one that was not there before counts, once, ever. All times are seconds
since the epoch.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from math import floor, inf
from typing import Any

from exporter.northbound.interfaces import DAY, HOUR, MINUTE
from exporter.northbound.records import Alarm, PlantAlarms
from exporter.polling.tolerance import build, number

LONGEST_WINDOW = 31 * DAY - MINUTE  # that a question may span (failCode 20027), with a margin
FARTHEST_BACK = 365 * DAY - HOUR  # that one may reach (20026)
WEEK = 7 * DAY
AHEAD = HOUR  # by which the server's clock may lead ours
STEP = LONGEST_WINDOW - MINUTE  # from one older window to the next: they overlap
EDGE = 1.0  # of a window, about which servers may think differently

Identity = tuple[str, str, str, float]


def identity(alarm: Alarm) -> Identity:
    """What tells one occurrence from every other of its plant."""
    return alarm.serial_number, alarm.alarm_id, alarm.cause_id, alarm.raised


@dataclass(frozen=True, slots=True)
class Window:
    """A span of time that a question is about."""

    begin: float
    end: float

    def holds(self, time: float) -> bool:
        """Whether a time plainly lies in it."""
        return self.begin + EDGE <= time <= self.end - EDGE


def newest_window(now: float) -> Window:
    """The window of every round."""
    end = now + AHEAD
    return Window(end - LONGEST_WINDOW, end)


def older_windows(now: float) -> tuple[Window, ...]:
    """The windows before the newest, as far back as the server tells, newest first.

    They are the same whenever a plant is looked at, so that one question serves many plants.
    """
    oldest, newest = floor((now - FARTHEST_BACK) / STEP), floor(newest_window(now).begin / STEP)
    return tuple(Window(n * STEP, n * STEP + LONGEST_WINDOW) for n in range(newest, oldest - 1, -1))


@dataclass(slots=True)
class _Plant:
    """What is known of one plant's alarms.

    `since` is the begin of the newest window looked at: what was raised before it never counts,
    as it may have been seen and forgotten. An earlier `since` with the `seen` of its time is as
    good, so that alone it is no change. `older` are windows that are yet to be asked about.
    """

    active: dict[Identity, Alarm] = field(default_factory=dict)
    seen: dict[Identity, None] = field(default_factory=dict)
    since: float = field(default=inf, compare=False)  # nobody has looked yet
    older: tuple[Window, ...] = ()
    swept: float = -inf
    swept_all: float = -inf


class AlarmBook:
    """The alarms of one account's plants."""

    def __init__(self) -> None:
        self._plants: dict[str, _Plant] = {}
        self._changed: set[str] = set()

    def look(
        self, asked: Collection[str], window: Window, alarms: Iterable[Alarm], now: float
    ) -> Mapping[str, PlantAlarms]:
        """Takes the answer about the newest window in; returns what is active and what is new.

        At the first look at a plant nothing is new. Looks are first again after the clock was set
        back by more than a window, as nobody knows then what was seen.
        """
        found = _by_plant(asked, alarms)
        told: dict[str, PlantAlarms] = {}
        for code, listed in found.items():
            plant = self._plants.setdefault(code, _Plant())
            before = replace(plant)
            first = window.begin < plant.since - LONGEST_WINDOW
            # Nothing is newer than the newest window, unless our clock was set back.
            reach = inf if window.begin >= plant.since else window.end
            new = tuple(
                alarm
                for key, alarm in listed.items()
                if key not in plant.seen and alarm.raised >= plant.since
            )
            plant.since = window.begin if first else max(plant.since, window.begin)
            plant.seen = {key: None for key in (*plant.seen, *listed) if key[-1] >= plant.since}
            self._settle(plant, Window(window.begin, reach), listed, now)
            self._plan(plant, window, now)
            if plant != before:
                self._changed.add(code)
            told[code] = PlantAlarms(tuple(plant.active.values()), new)
        return told

    def look_back(
        self, asked: Collection[str], window: Window, alarms: Iterable[Alarm], now: float
    ) -> Mapping[str, PlantAlarms]:
        """Takes the answer about an older window in, in which nothing is new."""
        told: dict[str, PlantAlarms] = {}
        for code, listed in _by_plant(asked, alarms).items():
            plant = self._plants.setdefault(code, _Plant())
            before = replace(plant)
            self._settle(plant, window, listed, now)
            if plant != before:
                self._changed.add(code)
            told[code] = PlantAlarms(tuple(plant.active.values()))
        return told

    def older_window(self, asked: Collection[str]) -> Window | None:
        """An older window that one of these plants is yet to be asked about."""
        plants = (self._plants[code] for code in asked if code in self._plants)
        return next((plant.older[0] for plant in plants if plant.older), None)

    def skip(self, asked: Collection[str], window: Window) -> None:
        """Strikes an older window off: it was answered, or never will be."""
        for code in asked:
            plant = self._plants.get(code)
            if plant is not None and window in plant.older:
                plant.older = tuple(each for each in plant.older if each != window)
                self._changed.add(code)

    def _settle(
        self, plant: _Plant, window: Window, listed: Mapping[Identity, Alarm], now: float
    ) -> None:
        """What the window holds but the answer lacks is over; so is what nobody tells of."""
        plant.active = {
            key: alarm
            for key, alarm in plant.active.items()
            if key not in listed
            and not window.holds(alarm.raised)
            and alarm.raised >= now - FARTHEST_BACK
        }
        plant.active |= {key: alarm for key, alarm in listed.items() if alarm.active}

    def _plan(self, plant: _Plant, newest: Window, now: float) -> None:
        """Once a day the older windows with active alarms are due, and once a week all of them.

        All at first, and again since an answer may have lacked what is active. In a large fleet a
        sweep may take more than a day; it goes on to its end.
        """
        if plant.older or 0 <= now - plant.swept < DAY:
            return
        windows = older_windows(now)
        if 0 <= now - plant.swept_all < WEEK:
            old = [alarm.raised for alarm in plant.active.values() if alarm.raised < newest.begin]
            windows = tuple(window for window in windows if any(map(window.holds, old)))
        else:
            plant.swept_all = now
        plant.older, plant.swept = windows, now

    def forget(self, plants: Collection[str]) -> None:
        """Drops what is known of all plants but these."""
        gone = self._plants.keys() - plants
        for code in gone:
            del self._plants[code]
        self._changed |= gone

    def changes(self) -> dict[str, Any]:
        """What changed since the last call, as plain data by plant; None for what is gone."""
        changed = {
            code: _written(self._plants[code]) if code in self._plants else None
            for code in self._changed
        }
        self._changed.clear()
        return changed

    def recall(self, stored: Mapping[str, Any], *, anew: bool = False) -> None:
        """Takes up what an earlier life knew; `anew` makes the next looks the first ones."""
        self._plants |= {code: _read(plant) for code, plant in stored.items()}
        if anew:
            for plant in self._plants.values():
                plant.since = inf


def _by_plant(asked: Collection[str], alarms: Iterable[Alarm]) -> dict[str, dict[Identity, Alarm]]:
    found: dict[str, dict[Identity, Alarm]] = {code: {} for code in asked}
    for alarm in alarms:
        if alarm.plant_code in found:
            found[alarm.plant_code][identity(alarm)] = alarm
    return found


def _written(plant: _Plant) -> dict[str, Any]:
    return {
        "active": [asdict(alarm) for alarm in plant.active.values()],
        "seen": [list(key) for key in plant.seen],
        "since": plant.since,
        "older": [[window.begin, window.end] for window in plant.older],
        "swept": plant.swept,
        "swept_all": plant.swept_all,
    }


def _read(stored: Mapping[str, Any]) -> _Plant:
    active = [build(Alarm, alarm) for alarm in stored["active"]]
    return _Plant(
        active={identity(alarm): alarm for alarm in active},
        seen={
            (str(serial), str(alarm), str(cause), number(raised)): None
            for serial, alarm, cause, raised, *_ in stored["seen"]
        },
        since=number(stored["since"]),
        older=tuple(Window(number(begin), number(end)) for begin, end in stored["older"]),
        swept=number(stored["swept"]),
        swept_all=number(stored["swept_all"]),
    )
