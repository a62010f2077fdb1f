"""What a reading can be at all: one range a quantity, each with its reason.

A range is found by the end of a metric's name, else by its subject and unit, else by its unit: a
new key has one without a row of its own. All are in base units, and wide: what lies outside has
never been measured anywhere, so that no extreme is lost.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import inf

from exporter.catalogue.model import Kind, Metric, PlausibleRange
from exporter.northbound.device_types import DEVICE_TYPES

HOUR = 3_600.0
DAY = 24 * HOUR
# How long the period of an energy may be, in seconds. The row of an hour may make up for two whose
# uploads were late, and has no night. With the end of summer time, a day and a month have an hour
# more; no plant is fifty years old.
PERIODS: Mapping[str, float] = {
    "hour": 3 * HOUR,
    "day": 25 * HOUR,
    "month": 31 * DAY + HOUR,
    "year": 366 * DAY,
    "lifetime": 50 * 366 * DAY,
}


@dataclass(frozen=True, slots=True)
class Range:
    """The least and the most that a quantity can be, and why.

    `per_period`: both are meant for each second of the value's period. `by_class`: both are times
    what the largest device of its type delivers. `of_output`: nor can it be more than so many times
    what its plant or device delivers, where that is known. `instantaneous`: measured now, so that
    an offline device cannot know it.
    """

    low: float
    high: float
    why: str
    per_period: bool = False
    by_class: bool = False
    of_output: float | None = None
    instantaneous: bool = False


# In watts; of plants, and of devices whose type has no `max_watts` of its own.
_MAX_PLANT_WATTS = 1e10

_ENERGY = Range(0, 1, "no energy is negative, nor more than the largest device delivers all along",
                per_period=True, by_class=True)  # fmt: skip
# Real days have ten hours of full power, not 24: what is left over is for modules that outdo their
# rating, and for capacities that were entered without the last extension.
_PRODUCED = Range(0, 1, "no plant delivers more than its capacity around the clock",
                  per_period=True, by_class=True, of_output=1)  # fmt: skip
_PRODUCED_BY_ONE = Range(0, 1, "an inverter is often larger than the capacity that was entered",
                         per_period=True, by_class=True, of_output=3)  # fmt: skip
_FED_IN = Range(0, 1, "a storage of another size may feed in as well",
                per_period=True, by_class=True, of_output=10)  # fmt: skip
_POWER = Range(-1, 1, "no device delivers more than the largest of its type",
               by_class=True, instantaneous=True)  # fmt: skip
# Ten: a decimal point that slipped in the plant's capacity must not cost its readings.
_OF_INVERTERS = Range(-1, 1, "no inverter delivers ten times its plant's capacity",
                      by_class=True, of_output=10, instantaneous=True)  # fmt: skip
# A factory draws a hundred times what the demonstration roof above its gate gives.
_OF_GRID = Range(-1, 1, "no plant stands at a grid connection a thousand times its size",
                 by_class=True, of_output=1_000, instantaneous=True)  # fmt: skip
_DC_VOLTAGE = Range(-0.9, 2_000, "systems of 1 500 V; at night a converter's offset, but not -1",
                    instantaneous=True)  # fmt: skip

_SINCE_BUILT = Range(0, PERIODS["lifetime"], "no plant is fifty years old")

# By the end of a metric's name; the longest that fits.
QUANTITIES: Mapping[str, Range] = {
    "power_factor": Range(-1.01, 1.01, "a cosine, and its rounding", instantaneous=True),
    "state_of_charge_ratio": Range(0, 1.2, "batteries are charged above their nominal energy",
                                   instantaneous=True),
    "state_of_health_ratio": Range(0, 1.2, "new batteries hold more than they are sold for",
                                   instantaneous=True),
    "efficiency_ratio": Range(0, 2, "power in and out are measured at different moments",
                              instantaneous=True),
    "availability_ratio": Range(0, 1.1, "a share of the time, and its rounding"),
    "communication_ratio": Range(0, 1.1, "a share of the time, and its rounding"),
    "progress_ratio": Range(0, 1, "a share of the work"),
    "full_load_seconds": Range(0, 10, "a capacity may have been entered ten times too small",
                               per_period=True),
    "charge_seconds": Range(0, 1.1, "no longer than the period, and its rounding",
                            per_period=True),
    "capacity_watts": Range(0, 1, "no more than the largest of its type", by_class=True),
    "mains_supply_seconds": _SINCE_BUILT,
    "converter_runtime_seconds": _SINCE_BUILT,
    "remaining_backup_seconds": Range(0, 366 * DAY, "no rack holds a year's supply"),
    "rack_discharges": Range(0, 1e6, "no battery bears a million cycles"),
    "load_ratio": Range(0, 2, "engines bear overloads for moments only", instantaneous=True),
    "lightning_strikes": Range(0, 65_534, "a register of 16 bits, whose last says no value"),
    "plant_day_energy_joules": _PRODUCED,
    "plant_month_energy_joules": _PRODUCED,
    "plant_period_inverter_energy_joules": _PRODUCED,
    "plant_day_feed_in_energy_joules": _FED_IN,
    "plant_period_feed_in_energy_joules": _FED_IN,
    "inverter_day_energy_joules": _PRODUCED_BY_ONE,
    "inverter_period_energy_joules": _PRODUCED_BY_ONE,
}  # fmt: skip

# By subject and unit.
OF_SUBJECTS: Mapping[tuple[str, str], Range] = {
    ("inverter", "watts"): _OF_INVERTERS,
    ("inverter", "vars"): _OF_INVERTERS,
    ("meter", "watts"): _OF_GRID,
    ("meter", "vars"): _OF_GRID,
    ("meter", "volt_amperes"): _OF_GRID,
    ("transformer", "watts"): _OF_GRID,
    ("transformer", "vars"): _OF_GRID,
    ("inverter", "volts"): _DC_VOLTAGE,
    ("battery", "volts"): _DC_VOLTAGE,
    ("combiner", "volts"): _DC_VOLTAGE,
    ("inverter", "amperes"): Range(-6_000, 6_000, "a central inverter of 4 MW; a fault reverses",
                                   instantaneous=True),
    ("combiner", "amperes"): Range(-6_000, 6_000, "all strings of the largest box",
                                   instantaneous=True),
}  # fmt: skip

# By unit.
OF_UNITS: Mapping[str, Range] = {
    "watts": _POWER,
    "vars": _POWER,
    "volt_amperes": _POWER,
    "joules": _ENERGY,
    "var_seconds": _ENERGY,
    "volts": Range(-0.9, 1.2e6, "the highest grid has 1 150 kV; -1 says no value",
                   instantaneous=True),
    "amperes": Range(-60_000, 60_000, "the busbar of a power station; signed by direction",
                     instantaneous=True),
    "hertz": Range(0, 75, "grids of 16.7, 50 and 60 Hz, an island's swings, 0 without a grid",
                   instantaneous=True),
    "celsius": Range(-75, 150, "the coldest town has -71 degrees, semiconductors end at 150",
                     instantaneous=True),
    "ratio": Range(-1, 6, "performance above 1 is real, and a dusty sensor makes it several"),
    "watts_per_square_meter": Range(-50, 2_500, "edges of clouds give 1 900; sensors cool at night",
                                    instantaneous=True),
    "joules_per_square_meter": Range(0, 1_400, "the sun gives 1 361 W/m² above the air",
                                     per_period=True),
    "meters_per_second": Range(0, 120, "the strongest gust had 113 m/s", instantaneous=True),
    "degrees": Range(-360, 360, "a full turn either way", instantaneous=True),
    "grams": Range(0, 1e14, "ten years of the largest plant on earth"),
}  # fmt: skip

# Times: not before the first inverters at a grid (seconds sent as milliseconds are of 1970), nor
# in another century; this machine's clock may be wrong.
FIRST_TIME = 631_152_000.0  # 1990-01-01
LAST_TIME = 4_102_444_800.0  # 2100-01-01
TIMESTAMP = "timestamp_seconds"  # how the name of a time ends


def _full_scales(decimals: int, *limits: int) -> frozenset[float]:
    """These numbers and their negatives, with up to so many decimals or zeros behind them."""
    scaled = [limit / 10**n for limit in limits for n in range(decimals + 1)]
    scaled += [float(limit * 10**n) for limit in limits for n in range(1, 5)]
    return frozenset((*scaled, *(-each for each in scaled)))


# The numbers by which registers say that they hold no value: the last of their range. Those of 32
# bits and more are never a reading. Those of 16 bits are one in some ten thousand: they are no
# values of what varies by itself, but an energy may stand there for a night.
_FLOAT = 2.0**128 - 2.0**104  # the largest of 32 bits
NO_VALUES = _full_scales(6, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1) | {_FLOAT, -_FLOAT}
NO_INSTANTANEOUS_VALUES = _full_scales(3, 2**15 - 1, 2**15, 2**16 - 1)
SUSPICIOUS = NO_VALUES | NO_INSTANTANEOUS_VALUES  # numbers that may be no values at all
_POWERS = frozenset({"watts", "vars", "volt_amperes"})  # units


@cache
def range_of(metric: Metric) -> Range | None:
    """The range of a metric's quantity; None for what has none, such as money."""
    fitting = [end for end in QUANTITIES if metric.name.endswith(end)]
    if fitting:
        return QUANTITIES[max(fitting, key=len)]
    for (subject, unit), found in OF_SUBJECTS.items():
        if unit == metric.unit and metric.name.startswith(f"fusionsolar_{subject}_"):
            return found
    return OF_UNITS.get(metric.unit)


def max_watts(device_type: int | None) -> float:
    """The most that one device of a type, or a plant (None), delivers."""
    row = DEVICE_TYPES.get(device_type) if device_type is not None else None
    return _MAX_PLANT_WATTS if row is None or row.max_watts is None else row.max_watts


def period_of(metric: Metric, labels: tuple[str, ...]) -> float:
    """How many seconds the period of a value may last, by its metric and its labels' values."""
    if metric.kind is Kind.COUNTER:
        return PERIODS["lifetime"]
    named = dict(zip(metric.labels, labels, strict=False)).get("period")
    spelt = next((period for period in PERIODS if f"_{period}_" in metric.name), "year")
    return PERIODS[named or spelt]


@cache
def plausible_range(
    metric: Metric, labels: tuple[str, ...], device_type: int | None
) -> PlausibleRange:
    """What the values of a series of this device type (None: plant) can be."""
    if metric.name.endswith(TIMESTAMP):
        return PlausibleRange(FIRST_TIME, LAST_TIME)
    found = range_of(metric)
    if found is None:
        return PlausibleRange()
    span = period_of(metric, labels) if found.per_period else 1.0
    largest = max_watts(device_type) if found.by_class else 1.0
    return PlausibleRange(
        found.low * largest * span,
        found.high * largest * span,
        (found.of_output or inf) * span,
        found.instantaneous,
        metric.unit in _POWERS,
    )
