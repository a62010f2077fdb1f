"""Whether devices send their power in the unit that it is taken for.

Servers differ: a meter may send watts or kilowatts, and so may an inverter. A number alone, however
large, does not tell: registers overflow, and devices break. What tells is the same reading's volts
times amperes, or several devices of a type that are out of proportion in the same way. Only then a
factor is proposed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from exporter.account.fleet import Fleet
from exporter.catalogue import batteries, inverters, meters, transformers
from exporter.catalogue.index import lookup
from exporter.config import Settings
from exporter.northbound.device_types import device_type_slug
from exporter.northbound.records import Device, Plant, Reading
from exporter.status.text import power

_Key = tuple[int, str]  # device type and key, as `factors` of the configuration names them

# The power of each type of device.
POWERS: Sequence[_Key] = (
    *((kind, "active_power") for kind in (*inverters.ALL, *meters.ALL, *transformers.ALL)),
    *((kind, "ch_discharge_power") for kind in batteries.ALL),
)

_KILO = 1_000
# Times its plant's capacity: no device has that power, as a factory's meter may have 5; and one
# may have that, as modules are fewer than a meter's loads.
_IMPOSSIBLE_RATIO, _PLAUSIBLE_RATIO = 10, 2
_TOLERANCE = 3  # times more or less: volts times amperes lack a phase, or the power factor
_MIN_APPARENT_POWER = 100.0  # volt-amperes that measure anything
_MIN_SHARE = 0.01  # of the plant's capacity: below that a number may be of any unit
_MIN_DC_SHARE = 0.05  # likewise, of the DC side: beside it a hybrid's battery may deliver much more
_MAX_RATIO = 1_000  # times its plant's capacity: volts and amperes overflow as well
_MIN_POWER_FACTOR = 0.5  # of power: below that, volts times amperes say little about watts

_AC = (("a_u", "a_i"), ("b_u", "b_i"), ("c_u", "c_i"), ("meter_u", "meter_i"))
_DC = (
    *((f"pv{n}_u", f"pv{n}_i") for n in range(1, len(inverters.STRINGS.values) + 1)),
    ("center_u", "center_i"),
)


class Verdict(Enum):
    """What a power is, taken in the unit that is configured."""

    FITS = "fits"
    TOO_LARGE = "too large"  # by a thousand
    TOO_SMALL = "too small"  # by a thousand
    ABSURD = "absurd"  # in every unit
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to look at, and the line for the configuration that corrects it, if one does."""

    words: str
    paste: str = ""


@dataclass(frozen=True, slots=True)
class _JudgedPower:
    """The power of one device in watts; `measured` is what its volts and amperes make, if any."""

    device: Device
    plant: Plant
    watts: float
    measured: float | None
    verdict: Verdict
    proven: bool = False  # by the volts and amperes


def findings(
    settings: Settings, fleet: Fleet, readings: Mapping[int, Sequence[Reading]]
) -> Iterator[Finding]:
    """The devices whose power is in another unit, or in none, and the factors that correct it."""
    judged = {
        key: _judge_powers(key, _factor(settings, key), fleet, readings.get(key[0], ()))
        for key in POWERS
    }
    corrected = {
        key: _factor(settings, key) * change
        for key, devices in judged.items()
        if (change := _change(devices)) is not None
    }
    line = _line(settings, corrected)
    for key, devices in judged.items():
        yield from _findings(devices, line if key in corrected else "")


def _judge_powers(
    key: _Key, factor: float, fleet: Fleet, readings: Iterable[Reading]
) -> list[_JudgedPower]:
    judged: dict[str, _JudgedPower] = {}
    # Of several in a day, the largest: near 0, a number may be of any unit.
    for reading in sorted(readings, key=lambda each: abs(each.values.get(key[1], 0.0))):
        device = fleet.devices.get(reading.subject)
        plant = fleet.plants.get(device.plant_code) if device else None
        watts = reading.values.get(key[1], 0.0) * factor
        if device and plant and watts:
            measured, sure = _measured_power(reading.values, plant.capacity_watts)
            verdict, proven = _verdict(abs(watts), plant.capacity_watts, measured, sure=sure)
            judged[device.id] = _JudgedPower(device, plant, watts, measured, verdict, proven)
    return list(judged.values())


def _measured_power(
    values: Mapping[str, float], capacity: float | None
) -> tuple[float | None, bool]:
    """Volts times amperes, in watts, and whether the power cannot be much less than that."""
    apparent = _sum(values, _AC)
    if capacity and apparent > _MAX_RATIO * capacity:
        return None, False
    if apparent >= _MIN_APPARENT_POWER:
        factor = abs(values.get("power_factor", 0.0))
        sure = _MIN_POWER_FACTOR <= factor <= 1
        return (apparent * factor if sure else apparent), sure
    dc = _sum(values, _DC)
    if capacity and dc >= max(_MIN_APPARENT_POWER, _MIN_DC_SHARE * capacity):
        return dc, False  # all of it may go into a battery
    return None, False


def _sum(values: Mapping[str, float], pairs: Iterable[tuple[str, str]]) -> float:
    return sum(abs(values.get(volts, 0.0) * values.get(amperes, 0.0)) for volts, amperes in pairs)


def _verdict(
    watts: float, capacity: float | None, measured: float | None, *, sure: bool
) -> tuple[Verdict, bool]:
    """What is wrong with a power, and whether its own volts and amperes say so."""
    most = capacity * _PLAUSIBLE_RATIO if capacity else 0.0
    if measured is not None:
        if _is_similar(watts, measured):
            return Verdict.FITS, True
        # A meter whose transformers' ratio is not applied has small amperes, and is right.
        if watts > most and _is_similar(watts / _KILO, measured):
            return Verdict.TOO_LARGE, True
        if sure and _is_similar(watts * _KILO, measured):
            return Verdict.TOO_SMALL, True
    if not capacity:
        return Verdict.OPEN, False
    if watts > _IMPOSSIBLE_RATIO * capacity:
        return (Verdict.TOO_LARGE if watts / _KILO <= most else Verdict.ABSURD), False
    return (Verdict.FITS if _MIN_SHARE * capacity <= watts <= most else Verdict.OPEN), False


def _is_similar(one: float, other: float) -> bool:
    return other / _TOLERANCE <= one <= other * _TOLERANCE


def _change(devices: Sequence[_JudgedPower]) -> float | None:
    """By what the factor of a type has to be changed; None where that is not certain.

    A single number is never enough, nor is the same one twice: so do registers overflow.
    """
    if any(each.verdict is Verdict.FITS for each in devices):
        return None  # one factor serves all devices of a type
    for verdict, change in ((Verdict.TOO_LARGE, 1 / _KILO), (Verdict.TOO_SMALL, float(_KILO))):
        such = [each for each in devices if each.verdict is verdict]
        if any(each.proven for each in such) or len({abs(each.watts) for each in such}) > 1:
            return change
    return None


# --- words ---------------------------------------------------------------------------------------


def _findings(devices: Sequence[_JudgedPower], line: str) -> Iterator[Finding]:
    """One finding for each fault of the devices of a type."""
    others_fit = any(each.verdict is Verdict.FITS for each in devices)
    for verdict in (Verdict.TOO_LARGE, Verdict.TOO_SMALL, Verdict.ABSURD):
        such = [each for each in devices if each.verdict is verdict]
        if such:
            first = max(such, key=lambda each: (each.proven, abs(each.watts)))
            more = f" ({len(such) - 1} more of its type likewise)" if such[1:] else ""
            paste = "" if verdict is Verdict.ABSURD else line
            yield Finding(_observation(first) + more + _conclusion(first, paste, others_fit), paste)


def _observation(each: _JudgedPower) -> str:
    device, plant = each.device, each.plant
    shown = f"{device_type_slug(device.type_id)} {device.name} ({device.id}) shows "
    if each.proven and each.measured is not None:
        return f"{shown}{power(each.watts)}, but its volts and amperes make {power(each.measured)}"
    return f"{shown}{power(each.watts)}, but its plant {plant.name} has " + (
        power(plant.capacity_watts or 0.0)
    )


def _conclusion(each: _JudgedPower, paste: str, others_fit: bool) -> str:  # noqa: FBT001  # private
    if paste:
        return ""
    if each.verdict is Verdict.ABSURD:
        return ": no unit explains that; look at the device"
    if others_fit:
        return ": others of its type fit, so it is not the unit; look at the device"
    return (
        f": {power(each.watts / _KILO)} would fit, but a single number proves no unit; "
        "compare it with the portal"
    )


# --- the configuration ---------------------------------------------------------------------------


def _factor(settings: Settings, key: _Key) -> float:
    configured = (f.factor for f in settings.factors if (f.device_type, f.key) == key)
    return next(configured, _default(key))


def _default(key: _Key) -> float:
    device_type, name = key
    return lookup("getDevRealKpi", device_type)[name].factor


def _line(settings: Settings, corrected: Mapping[_Key, float]) -> str:
    """The whole line: a second `factors` would be a mistake."""
    factors = {(each.device_type, each.key): each.factor for each in settings.factors}
    factors.update(corrected)
    entries = (
        f"{{device_type: {kind}, key: {key}, factor: {value:g}}}"
        for (kind, key), value in factors.items()
        if (kind, key) not in corrected
        or value != _default((kind, key))  # what holds without a line
    )
    return f"factors: [{', '.join(entries)}]"
