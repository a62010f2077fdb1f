"""Numbers, spans and times as people read them. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime

_SPACE = "\N{NO-BREAK SPACE}"
_MINUS = "\N{MINUS SIGN}"
_PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))
_SPANS = ((172_800.0, 86_400.0, "d"), (3_600.0, 3_600.0, "h"), (60.0, 60.0, "min"), (0.0, 1.0, "s"))
_JOULES = 3_600.0  # of a watt-hour
_NAMED = 3  # of a list, before the rest is only counted
_SHORT = 10.0  # below it a decimal says something


def power(watts: float) -> str:
    """`12.3 kW`."""
    return _prefixed(watts, "W")


def energy(joules: float) -> str:
    """`12.3 kWh`."""
    return _prefixed(joules / _JOULES, "Wh")


def _prefixed(value: float, unit: str) -> str:
    size, prefix = next((p for p in _PREFIXES if abs(value) >= p[0]), _PREFIXES[-1])
    return f"{_number(value / size, prefix)}{_SPACE}{prefix}{unit}".replace("-", _MINUS)


def _number(value: float, prefix: str) -> str:
    """Three digits; of the plain unit no decimals."""
    decimals = 0 if not prefix or abs(value) >= 100 else 1 if abs(value) >= _SHORT else 2  # noqa: PLR2004  # three digits
    return f"{value:.{decimals}f}"


def span(seconds: float) -> str:
    """A planned time: `30 s`, `1.5 min`, `6 h`, `2 d`."""
    _, size, unit = next(each for each in _SPANS if seconds >= each[0])
    value = seconds / size
    text = f"{value:.1f}" if value < _SHORT else f"{value:.0f}"
    return f"{text.removesuffix('.0')}{_SPACE}{unit}"


def relative(then: float, now: float) -> str:
    """When something was or will be: `3 min ago`, `in 12 s`, `now`."""
    distance = abs(now - then)
    if distance < 1:
        return "now"
    _, size, unit = next(each for each in _SPANS if distance >= each[0])
    whole = f"{distance // size:.0f}{_SPACE}{unit}"
    return f"{whole} ago" if then < now else f"in {whole}"


def instant(time: float) -> str:
    """The exact time for programs, in UTC."""
    return f"{_utc(time):%Y-%m-%dT%H:%M:%SZ}"


def clock(time: float) -> str:
    """The exact time for people, in UTC."""
    return f"{_utc(time):%Y-%m-%d %H:%M:%S} UTC"


def _utc(time: float) -> datetime:
    return datetime.fromtimestamp(time, UTC)


def allowance(limit: tuple[int, float]) -> str:
    """Calls in a window: `25 per 24 h`."""
    calls, window = limit
    return f"{calls:,} per {span(window)}"


def count(number: int, thing: str) -> str:
    """`1 plant`, `2 plants`."""
    return f"{number:,}{_SPACE}{thing}" + ("" if number == 1 else "s")


def some(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")
