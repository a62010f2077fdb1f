"""Alarms: which are active, which are new, and which time to ask about next. Pure.

An alarm has no id of its own. Its identity is plant, serial number, alarm, cause and the time it
was raised; a sighting of one that was not there before counts, once, ever. All times are seconds
since the epoch.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field, replace
from math import inf, nextafter
from operator import itemgetter
from typing import Annotated

from exporter.account.alarm_windows import (
    MAX_CLOCK_LEAD,
    MAX_LOOKBACK,
    MAX_WINDOW,
    SAFE_LENGTH,
    WEEK,
    Window,
    WindowCoverage,
    initial_windows,
    newest_window,
    older_windows,
    window_around,
)
from exporter.account.codec import NotKept, Pairs, Unbounded, WallTime
from exporter.northbound.interfaces import DAY
from exporter.northbound.records import Alarm, PlantAlarms

MAX_SEEN = 10_000  # of a plant; what is forgotten of it never counts
# Times in a row that an alarm may be sent with another time of its raising and count.
MAX_MOVES = 100

Name = tuple[str, str, str]
Identity = tuple[str, str, str, float]


def identity(alarm: Alarm) -> Identity:
    """The key by which an occurrence differs from all others of its plant."""
    return alarm.serial_number, alarm.alarm_id, alarm.cause_id, alarm.raised


@dataclass(slots=True)
class PlantAlarmState:
    """What is known of one plant's alarms.

    `since` is the begin of the newest window asked about: what was raised before it never counts,
    as it may have been seen and forgotten. An earlier `since` with the `seen` of its time is as
    good, so that alone it is no change. `older` are windows that are yet to be asked about, and
    `swept_with` how long those of the last sweep of all were.

    `moves` counts, by alarm, in how many answers in a row it stood with another time of its raising
    instead of the last one. `missed` are active alarms that an answer lacked and perhaps should not
    have, with the window that it was about; `newest` is the newest window asked about.
    """

    active: Pairs[Identity, Alarm] = field(default_factory=dict)
    seen: Pairs[Identity, None] = field(default_factory=dict)
    since: Unbounded = field(default=inf, compare=False)  # nobody has asked yet
    older: tuple[Window, ...] = ()
    swept: WallTime = -inf
    swept_all: WallTime = -inf
    swept_with: Unbounded = inf
    moves: Pairs[Name, int] = field(default_factory=dict)
    missed: Annotated[dict[Identity, Window], NotKept] = field(default_factory=dict, compare=False)
    newest: Annotated[Window | None, NotKept] = field(default=None, compare=False)


class AlarmTracker:
    """The alarms of one account's plants; `plants` is what a previous run knew of them."""

    def __init__(
        self,
        plants: MutableMapping[str, PlantAlarmState] | None = None,
        coverage: WindowCoverage | None = None,
    ) -> None:
        self.coverage = coverage or WindowCoverage()
        self._plants = {} if plants is None else plants
        self._unstable: list[Alarm] = []

    def newest_window(self, now: float) -> Window:
        """The window of every round."""
        return newest_window(now, self.coverage.length)

    def apply_recent(
        self, asked: Collection[str], window: Window, alarms: Iterable[Alarm], now: float
    ) -> Mapping[str, PlantAlarms]:
        """Applies the answer about the newest window; returns what is active and what is new.

        At the first answer about a plant nothing is new. Answers are first again after the clock
        was set back by more than a window, as nobody knows then what was seen.
        """
        found: dict[str, PlantAlarms] = {}
        for code, listed in self._by_plant(asked, window, alarms).items():
            plant = self._plants.get(code) or PlantAlarmState()
            before = replace(plant, moves=dict(plant.moves))
            first = window.begin < plant.since - MAX_WINDOW
            # Nothing is newer than the newest window, unless our clock was set back.
            end = inf if window.begin >= plant.since else window.end
            new = self._new_alarms(plant, listed)
            plant.since = window.begin if first else max(plant.since, window.begin)
            plant.newest = window
            _forget_old(plant)
            self._reconcile(plant, Window(window.begin, end), window, listed, now)
            self._plan(plant, window, now)
            if plant != before or code not in self._plants:
                self._plants[code] = plant
            found[code] = PlantAlarms(tuple(plant.active.values()), new)
        return found

    def apply_older(
        self, asked: Collection[str], window: Window, alarms: Iterable[Alarm], now: float
    ) -> Mapping[str, PlantAlarms]:
        """Applies the answer about an older window, in which nothing is new.

        It may show what another answer should have shown: then the server cuts windows.
        """
        found: dict[str, PlantAlarms] = {}
        for code, listed in self._by_plant(asked, window, alarms).items():
            plant = self._plants.get(code) or PlantAlarmState()
            before = replace(plant)
            self._find_cuts(plant, listed)
            self._reconcile(plant, window, window, listed, now)
            if plant != before or code not in self._plants:
                self._plants[code] = plant
            found[code] = PlantAlarms(tuple(plant.active.values()))
        return found

    def _by_plant(
        self, asked: Collection[str], window: Window, alarms: Iterable[Alarm]
    ) -> dict[str, dict[Identity, Alarm]]:
        """The alarms of an answer by plant, which also shows how much of a window it covers."""
        alarms = tuple(alarms)
        self.coverage.note(window, (alarm.raised for alarm in alarms))
        found: dict[str, dict[Identity, Alarm]] = {code: {} for code in asked}
        for alarm in alarms:
            if alarm.plant_code in found:
                found[alarm.plant_code][identity(alarm)] = alarm
        return found

    def unstable(self) -> list[Alarm]:
        """Those whose raising has moved too often to count, since this was last asked."""
        found, self._unstable = self._unstable, []
        return found

    def older_window(self, asked: Collection[str]) -> Window | None:
        """An older window about which one of these plants has not been asked.

        First those that tell whether what an answer lacked is over.
        """
        plants = [self._plants[code] for code in asked if code in self._plants]
        missed = (window_around(key[-1]) for plant in plants for key in plant.missed)
        return next(missed, None) or next((each.older[0] for each in plants if each.older), None)

    def drop_window(self, asked: Collection[str], window: Window) -> None:
        """Drops an older window: it was answered, or never will be."""
        for code in asked:
            plant = self._plants.get(code)
            if plant is None:
                continue
            plant.missed = {
                key: lacked
                for key, lacked in plant.missed.items()
                if window_around(key[-1]) != window
            }
            if window in plant.older:
                plant.older = tuple(each for each in plant.older if each != window)
                self._plants[code] = plant

    def _new_alarms(
        self, plant: PlantAlarmState, listed: Mapping[Identity, Alarm]
    ) -> tuple[Alarm, ...]:
        """What counts of an answer about the newest window, noted as seen.

        An alarm that stands there with another time, instead of the last one, may have been raised
        anew between two looks; not so where that was well before the last one, nor again and again,
        with no look in between at which it is over.
        """
        moved = _raised_anew(plant, listed)
        for name, alarm in {key[:-1]: alarm for key, alarm in moved.items()}.items():
            plant.moves[name] = plant.moves.get(name, 0) + 1
            if plant.moves[name] == MAX_MOVES + 1:
                self._unstable.append(alarm)
        present = {key[:-1] for key, alarm in listed.items() if alarm.active}
        plant.moves = {k: n for k, n in plant.moves.items() if k in present}
        looked = plant.newest.end - 2 * MAX_CLOCK_LEAD if plant.newest else -inf
        old = {identity(alarm) for alarm in moved.values() if alarm.raised < looked}
        counting = [key for key in listed if plant.moves.get(key[:-1], 0) <= MAX_MOVES]
        new = tuple(
            listed[key]
            for key in counting
            if key not in plant.seen and key[-1] >= plant.since and key not in old
        )
        plant.seen = dict.fromkeys((*plant.seen, *counting))
        return new

    def _find_cuts(self, plant: PlantAlarmState, listed: Mapping[Identity, Alarm]) -> None:
        """Learns from what an older window shows and another one, which holds it, did not.

        What was raised since a day ago may have come in between.
        """
        active, missed = _by_name(plant.active), _by_name(plant.missed)
        within = (
            Window(plant.newest.begin, plant.newest.end - SAFE_LENGTH) if plant.newest else None
        )
        lacked = {key: plant.missed.get(_find_alike(key, missed) or key) for key in listed}
        for key in listed:
            if (
                within
                and within.holds(key[-1])
                and not (key in plant.seen or _find_alike(key, active))
            ):
                lacked[key] = plant.newest
        for key, window in lacked.items():
            if window is not None:
                self.coverage.miss(window, key[-1])
        # Nothing in an older window is new.
        found = {key: None for key, window in lacked.items() if window is not None}
        plant.seen = {**plant.seen, **found}

    def _reconcile(
        self,
        plant: PlantAlarmState,
        held: Window,
        asked: Window,
        listed: Mapping[Identity, Alarm],
        now: float,
    ) -> None:
        """What is held by the window but not by the answer is over; so is what no answer shows.

        Unless the server may have cut the window before it: then that is asked about once more.
        """
        moved = _raised_anew(plant, listed)
        missed: dict[Identity, Window] = {}
        kept: dict[Identity, Alarm] = {}
        for key, alarm in plant.active.items():
            lacking = key not in listed and held.holds(alarm.raised)
            over = lacking and (key in moved or self.coverage.covers(asked, alarm.raised))
            if key in listed or over or alarm.raised < now - MAX_LOOKBACK:
                continue
            kept[key] = alarm
            if lacking or key in plant.missed:
                missed[key] = plant.missed.get(key, asked)
        plant.missed = missed
        plant.active = kept | {
            key: alarm
            for key, alarm in listed.items()
            if alarm.active and alarm.raised >= now - MAX_LOOKBACK
        }

    def _plan(self, plant: PlantAlarmState, newest: Window, now: float) -> None:
        """Once a day the older windows with active alarms are due, and once a week all of them.

        All at first, in windows that no server cuts unless it was shown that this one cuts none;
        again when the windows were longer than they may be, and since an answer may have lacked
        what is active. In a large fleet a sweep may take more than a day; it goes on to its end.
        """
        length, first = self.coverage.length, plant.swept_with == inf
        if plant.swept_with <= length and (plant.older or 0 <= now - plant.swept < DAY):
            return
        windows = older_windows(now, length)
        if plant.swept_with <= length and 0 <= now - plant.swept_all < WEEK:
            old = [alarm.raised for alarm in plant.active.values() if alarm.raised < newest.begin]
            windows = tuple(window for window in windows if any(map(window.holds, old)))
        elif first and length > WEEK and not self.coverage.covers_over_a_week:
            windows = initial_windows(now)
            plant.swept_all, plant.swept_with = now, WEEK
        else:
            plant.swept_all, plant.swept_with = now, length
        plant.older, plant.swept = windows, now

    def count_anew(self) -> None:
        """Makes the next answers the first ones: under other filters all would seem to be new."""
        for code, plant in list(self._plants.items()):
            plant.since = inf
            self._plants[code] = plant


def _by_name(keys: Iterable[Identity]) -> Mapping[Name, list[float]]:
    """The times of the occurrences that differ in them only, earliest first."""
    times: dict[Name, list[float]] = {}
    for key in sorted(keys, key=itemgetter(-1)):
        times.setdefault(key[:-1], []).append(key[-1])
    return times


def _find_alike(key: Identity, times: Mapping[Name, list[float]]) -> Identity | None:
    """One that may be the same occurrence, sent with another time of its raising."""
    alike = times.get(key[:-1], [])
    place = bisect_left(alike, key[-1] - DAY)
    near = place < len(alike) and alike[place] <= key[-1] + DAY
    return (*key[:-1], alike[place]) if near else None


def _raised_anew(
    plant: PlantAlarmState, listed: Mapping[Identity, Alarm]
) -> Mapping[Identity, Alarm]:
    """What was active and is not listed, but one alike is, for the first time: that one."""
    fresh = _by_name(k for k, alarm in listed.items() if alarm.active and k not in plant.active)
    gone = ((key, _find_alike(key, fresh)) for key in plant.active if key not in listed)
    return {key: listed[new] for key, new in gone if new is not None}


def _forget_old(plant: PlantAlarmState) -> None:
    """Keeps what was seen as long as it may be listed again, and at most MAX_SEEN of it.

    Of too many the oldest are forgotten, and with them what was raised before: it never counts.
    """
    seen = [key for key in plant.seen if key[-1] >= plant.since]
    if len(seen) > MAX_SEEN:
        times = sorted((key[-1] for key in seen), reverse=True)
        plant.since = nextafter(times[MAX_SEEN], inf)
        seen = [key for key in seen if key[-1] >= plant.since]
    plant.seen = dict.fromkeys(seen)
