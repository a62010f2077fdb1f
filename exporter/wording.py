"""Numbers, spans and times as people read them, on a page and on a terminal alike. Pure.

Their spaces and signs are a keyboard's: what a terminal shows is copied, and searched for.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

_PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))
_SPANS = ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min"), (1.0, "s"))
_ONES = {"1 d": "day", "1 h": "hour", "1 min": "minute", "1 s": "second"}
_JOULES = 3_600.0  # of a watt-hour
_NAMED = 3  # of a list, before the rest is only counted


def power(watts: float) -> str:
    """`12.3 kW`."""
    return _prefixed(watts, "W")


def energy(joules: float) -> str:
    """`12.3 kWh`."""
    return _prefixed(joules / _JOULES, "Wh")


def _prefixed(value: float, unit: str) -> str:
    """Three digits; of the plain unit no decimals. What rounds up to a prefix has it."""
    rounded = _three_digits(value)
    size, prefix = next((p for p in _PREFIXES if abs(rounded) >= p[0]), _PREFIXES[-1])
    shown = rounded / size
    decimals = 0 if not prefix or abs(shown) >= 100 else 1 if abs(shown) >= 10 else 2  # noqa: PLR2004  # three digits
    return f"{shown:z.{decimals}f} {prefix}{unit}"


def _three_digits(value: float) -> float:
    return float(f"{value:.3g}")


def span(seconds: float) -> str:
    """A planned time, in three digits: `100 s`, `57.6 min`, `6 h`, `1 d`.

    What rounds up to one or two of the next unit is said in that.
    """
    size, _ = _unit(seconds)
    rounded = _three_digits(seconds / size) * size
    size, unit = _unit(rounded)
    return f"{rounded / size:g} {unit}"


def relative(then: float, now: float) -> str:
    """When something was or will be: `3 min ago`, `in 12 s`, `now`."""
    distance = abs(now - then)
    if distance < 1:
        return "now"
    size, unit = next((u for u in _SPANS if distance >= 2 * u[0]), _SPANS[-1])
    whole = f"{distance // size:.0f} {unit}"
    return f"{whole} ago" if then < now else f"in {whole}"


def _unit(seconds: float) -> tuple[float, str]:
    """The largest unit that there are two of, or exactly one: nobody says 1.67 min."""
    return next((u for u in _SPANS if seconds >= 2 * u[0] or seconds == u[0]), _SPANS[-1])


def instant(time: float) -> str:
    """The exact time for programs, in UTC."""
    return f"{_utc(time):%Y-%m-%dT%H:%M:%SZ}"


def clock(time: float) -> str:
    """The exact time for people, in UTC."""
    return f"{_utc(time):%Y-%m-%d %H:%M:%S} UTC"


def _utc(time: float) -> datetime:
    return datetime.fromtimestamp(time, UTC)


def allowance(limit: tuple[int, float]) -> str:
    """Calls in a window: `25 per day`, `5 per 10 min`."""
    calls, window = limit
    length = span(window)
    return f"{calls:,} per {_ONES.get(length, length)}"


def count(number: int, thing: str) -> str:
    """`1 plant`, `2 plants`."""
    return f"{number:,} {thing}" + ("" if number == 1 else "s")


def some(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def listed(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    *others, last = parts
    return f"{', '.join(others)} and {last}" if others else last
