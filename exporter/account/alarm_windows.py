"""Which spans of time alarms are asked about, and how much of a span a server answers. Pure.

Some servers cut a longer window silently: one keeps the last seven days of it. What such an answer
lacks may be active still, and is asked about once more in a window too short to be cut.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from math import floor

from exporter.northbound.interfaces import DAY, HOUR, MINUTE

MAX_WINDOW = 31 * DAY - MINUTE  # that a question may span (failCode 20027), with a margin
MAX_LOOKBACK = 365 * DAY - HOUR  # that one may reach (20026)
WEEK = 7 * DAY
MAX_CLOCK_LEAD = HOUR  # by which the server's clock may lead ours
OVERLAP = MINUTE  # of one older window and the next
EDGE_TOLERANCE = 1.0  # of a window, about which servers may think differently
# What windows may be cut to: the documented week, and less; no server is known to cut a day.
WINDOW_LENGTHS = (WEEK, 3 * DAY, DAY)
SAFE_LENGTH = WINDOW_LENGTHS[-1]


@dataclass(frozen=True, slots=True)
class Window:
    """A span of time that a question is about."""

    begin: float
    end: float

    @property
    def length(self) -> float:
        """How many seconds it spans."""
        return self.end - self.begin

    def holds(self, time: float) -> bool:
        """Whether a time is in it, away from its ends."""
        return self.begin + EDGE_TOLERANCE <= time <= self.end - EDGE_TOLERANCE


def newest_window(now: float, length: float = MAX_WINDOW) -> Window:
    """The window of every round."""
    end = now + MAX_CLOCK_LEAD
    return Window(end - length, end)


def older_windows(now: float, length: float = MAX_WINDOW) -> tuple[Window, ...]:
    """Windows of this length before the newest, as far back as the server answers, newest first.

    They are the same whenever a plant is looked at, so that one question serves many plants.
    """
    step = length - OVERLAP
    oldest, newest = (
        floor(begin / step) for begin in (now - MAX_LOOKBACK, newest_window(now, length).begin)
    )
    return tuple(Window(n * step, n * step + length) for n in range(newest, oldest - 1, -1))


def initial_windows(now: float) -> tuple[Window, ...]:
    """The windows of a first sweep: a year, week by week, as windows may be cut to that.

    The first two lie in the week before, of which the newest window has told, unless windows are
    cut to less, or to their first days: what only these show tells that.
    """
    edges = [now - length for length in reversed(WINDOW_LENGTHS)]
    probes = (Window(begin - OVERLAP, end) for end, begin in pairwise(edges))
    return (*probes, *older_windows(now, WEEK))


def window_around(time: float) -> Window:
    """A window that no server cuts; the same for what was raised in the same hour."""
    begin = floor(time / HOUR) * HOUR - SAFE_LENGTH / 2
    return Window(begin, begin + SAFE_LENGTH)


@dataclass(slots=True)
class WindowCoverage:
    """How much of a window an account's server answers, as far as its answers have shown.

    `length` is how long windows may be. `from_end` and `from_begin` are the farthest from either
    end of a window that an answer told of an alarm: so much was not cut.
    """

    length: float = MAX_WINDOW
    from_end: float = SAFE_LENGTH
    from_begin: float = SAFE_LENGTH

    def note(self, window: Window, raised: Iterable[float]) -> None:
        """Takes in when the alarms of an answer were raised."""
        inside = [time for time in raised if window.begin <= time <= window.end]
        if inside:
            self.from_end = max(self.from_end, window.end - min(inside))
            self.from_begin = max(self.from_begin, max(inside) - window.begin)

    def covers(self, window: Window, time: float) -> bool:
        """Whether the answer about a window is known to include alarms raised then."""
        return window.length <= SAFE_LENGTH or not self._distances_beyond_reach(window, time)

    def miss(self, window: Window, time: float) -> bool:
        """Notes that an answer lacked an expected alarm; returns whether windows are cut.

        From then on they are as long as servers cut them to, and shorter than what was lacking.
        """
        beyond = self._distances_beyond_reach(window, time)
        if not beyond:
            return False  # no cut explains it
        shorter = max((cut for cut in WINDOW_LENGTHS if cut <= min(beyond)), default=SAFE_LENGTH)
        before, self.length = self.length, min(self.length, shorter)
        return self.length < before

    def _distances_beyond_reach(self, window: Window, time: float) -> tuple[float, ...]:
        """How far a time lies from those ends of a window from which no answer reached so far."""
        from_end, from_begin = window.end - time, time - window.begin
        if from_end < 0:  # there is nothing newer than the newest window
            return ()
        sides = (from_end, self.from_end), (from_begin, self.from_begin)
        return tuple(far for far, shown in sides if _may_be_cut(shown, far))

    @property
    def covers_over_a_week(self) -> bool:
        """Whether answers are known to include more than a week of a window."""
        return self.from_end > WEEK


def _may_be_cut(shown: float, far: float) -> bool:
    """Whether a cut may lie between what was shown and what is farther from a window's end.

    Cuts are whole days, reckoned from the end or from now.
    """
    return far > shown and far // DAY > (shown - MAX_CLOCK_LEAD) // DAY
