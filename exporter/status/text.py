"""Numbers, durations and times as text, in ASCII, for the status page and for commands. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime

_PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))
_UNITS = ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min"), (1.0, "s"))
_ONES = {"1 d": "day", "1 h": "hour", "1 min": "minute", "1 s": "second"}
_JOULES = 3_600.0  # of a watt-hour
_SHORTLIST = 3  # names


def power(watts: float) -> str:
    """`12.3 kW`."""
    return _prefixed(watts, "W")


def energy(joules: float) -> str:
    """`12.3 kWh`."""
    return _prefixed(joules / _JOULES, "Wh")


def _prefixed(value: float, unit: str) -> str:
    """Three digits, without decimals below 1000; the prefix is that of the rounded value."""
    rounded = _three_digits(value)
    size, prefix = next((p for p in _PREFIXES if abs(rounded) >= p[0]), _PREFIXES[-1])
    shown = rounded / size
    decimals = 0 if not prefix or abs(shown) >= 100 else 1 if abs(shown) >= 10 else 2  # noqa: PLR2004  # three digits
    return f"{shown:z.{decimals}f} {prefix}{unit}"


def _three_digits(value: float) -> float:
    return float(f"{value:.3g}")


def duration(seconds: float) -> str:
    """A duration, in three digits and the unit of the rounded value: `100 s`, `57.6 min`, `6 h`."""
    size, _ = _unit(seconds)
    rounded = _three_digits(seconds / size) * size
    size, unit = _unit(rounded)
    return f"{rounded / size:g} {unit}"


def relative(then: float, now: float) -> str:
    """A time as distance from now, rounded down: `3 min ago`, `in 12 s`, `now`."""
    distance = abs(now - then)
    if distance < 1:
        return "now"
    size, unit = next((u for u in _UNITS if distance >= 2 * u[0]), _UNITS[-1])
    whole = f"{distance // size:.0f} {unit}"
    return f"{whole} ago" if then < now else f"in {whole}"


def _unit(seconds: float) -> tuple[float, str]:
    """The largest unit of which there are two or more, or exactly one: 100 s, not 1.67 min."""
    return next((u for u in _UNITS if seconds >= 2 * u[0] or seconds == u[0]), _UNITS[-1])


def iso_time(time: float) -> str:
    """The exact time in ISO 8601."""
    return f"{datetime.fromtimestamp(time, UTC):%Y-%m-%dT%H:%M:%SZ}"


def utc_time(time: float) -> str:
    """The exact time, readable: `2025-06-25 12:00:00 UTC`."""
    return f"{datetime.fromtimestamp(time, UTC):%Y-%m-%d %H:%M:%S} UTC"


def allowance(limit: tuple[int, float]) -> str:
    """Calls in a window: `25 per day`, `5 per 10 min`."""
    calls, window = limit
    length = duration(window)
    return f"{calls:,} per {_ONES.get(length, length)}"


def count(number: int, noun: str) -> str:
    """`1 plant`, `2 plants`."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def shortlist(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    more = len(names) - _SHORTLIST
    return ", ".join(names[:_SHORTLIST]) + (f" and {more:,} more" if more > 0 else "")


def enumeration(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    *others, last = parts
    return f"{', '.join(others)} and {last}" if others else last
