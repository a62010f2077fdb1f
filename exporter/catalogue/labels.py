"""The parts of keys that become labels: what stands in the key, and the label's value for it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Label:
    """The label that a key's variable part becomes: its values by that part.

    Names and values are tuples, as a key without a variable part has none of them. There is no
    value for `window`, the last name of a statistic: it depends on the time.
    """

    names: tuple[str, ...]
    values: Mapping[str, tuple[str, ...]]


def _label(name: str, values: Mapping[str, str]) -> Label:
    return Label((name,), {part: (value,) for part, value in values.items()})


def numbered(name: str, count: int) -> Label:
    """A label whose values are the numbers 1 to `count`."""
    return _label(name, {str(number): str(number) for number in range(1, count + 1)})


def of_period(period: str) -> Label:
    """The labels of a period's statistics, of which only `period` has a value here."""
    return Label(("period", "window"), {"": (period,)})


NO_LABEL = Label((), {"": ()})
PHASES = _label("phase", {"a": "a", "b": "b", "c": "c"})
LINES = _label("line", {"ab": "ab", "bc": "bc", "ca": "ca"})
# The 2020 reference calls `_power` off-peak and `_valley` shoulder; later editions swap the two.
TARIFFS = _label(
    "tariff", {"top": "sharp", "peak": "peak", "power": "shoulder", "valley": "off_peak"}
)
