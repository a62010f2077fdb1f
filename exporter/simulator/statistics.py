"""Statistics of plants and devices (reference 2.4-2.7, 2.11-2.13): a row for each period.

A row's energy is the difference of two running sums, so days add up to their month and agree with
the real-time values; the running period's row grows.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from itertools import pairwise
from random import Random
from typing import Any
from zlib import crc32

from exporter.northbound.interfaces import INTERFACES
from exporter.simulator import energy, periods
from exporter.simulator.asking import (
    Parameters,
    View,
    asked_devices,
    asked_plants,
    asked_time,
    milliseconds,
)
from exporter.simulator.fleet import BATTERIES, SimDevice
from exporter.simulator.kpis import Values
from exporter.simulator.moment import Moment

_EMI = 10
_CO2, _COAL, _TREE = 0.000997, 0.0004, 0.0183  # tons saved a kWh, twice; tons of CO2 a tree
_USUAL_POWER = 0.5  # of a battery's greatest, to tell for how long it has been in use

Cut = Callable[[Moment, date], periods.Instants]
Rows = list[dict[str, Any]]


def _years(moment: Moment, day: date) -> periods.Instants:
    zone = moment.plant.zone
    first, now = (periods.local_date(zone, time).year for time in (moment.began, moment.time))
    return periods.years(zone, first, min(day.year, now))


# How a time is cut into rows: the hours of its day, the days of its month, the months of its
# year, and all years until its own.
_CUTS: Mapping[str, Cut] = {
    "Hour": lambda moment, day: periods.hours(moment.plant.zone, day),
    "Day": lambda moment, day: periods.days(moment.plant.zone, day),
    "Month": lambda moment, day: periods.months(moment.plant.zone, day),
    "Year": _years,
}


def _spans(
    view: View, moment: Moment, cut: Cut, asked: float
) -> Iterator[tuple[float, tuple[float, float] | None]]:
    """The start of each row, and from when until when it counts; None for a row without values."""
    day = periods.local_date(moment.plant.zone, asked)
    for start, end in pairwise(cut(moment, day)):
        if start + view.traits.lag <= view.now and end > moment.began:
            yield start, (max(start, moment.began), min(end, view.now))
        elif view.traits.unfilled:
            yield start, None


def plant_statistics(name: str) -> Callable[[View, Parameters], Any]:
    """What answers `getKpiStation<name>`."""
    cut, report = _CUTS[name], _hour_of_plant if name == "Hour" else _period_of_plant

    def answer(view: View, parameters: Parameters) -> Any:
        plants = asked_plants(view, parameters, too_many=20014)
        asked = asked_time(parameters, "collectTime")
        rows: Rows = []
        for plant in plants:
            moment = view.moment(plant.code)
            for start, span in _spans(view, moment, cut, asked):
                values = None if span is None else report(moment, *span)
                rows.append(_row(view, {"stationCode": plant.code}, start, values))
        return in_order(view, rows)

    return answer


def device_statistics(name: str) -> Callable[[View, Parameters], Any]:
    """What answers `getDevKpi<name>`."""
    cut, served = _CUTS[name], INTERFACES[f"getDevKpi{name}"].device_types

    def answer(view: View, parameters: Parameters) -> Any:
        devices = asked_devices(view, parameters, served, too_many=20017)
        asked = asked_time(parameters, "collectTime")
        rows: Rows = []
        for device in devices:
            moment = view.moment(device.plant_code)
            for start, span in _spans(view, moment, cut, asked):
                values = None if span is None else _of_device(device, moment, *span)
                if values is not None and name == "Day" and device.type_id not in BATTERIES:
                    values |= _reliability(device, start)
                subject = {"devId": device.id, "sn": device.esn}
                rows.append(_row(view, subject, start, values))
        return in_order(view, rows)

    return answer


def _row(
    view: View, subject: Mapping[str, Any], start: float, values: Values | None
) -> dict[str, Any]:
    told: Any = milliseconds(start)
    if not view.traits.kpis_as_text:
        return {**subject, "collectTime": told, "dataItemMap": values}
    return {**subject, "collectTime": str(told), "dataItemMap": values and as_text(values)}


def as_text(values: Values) -> dict[str, str | None]:
    """The same values, spelled."""
    return {key: None if value is None else str(value) for key, value in values.items()}


def in_order(view: View, rows: Rows) -> Rows:
    """The rows in the order in which this system tells them."""
    if view.traits.shuffled:
        Random(f"rows {view.now}").shuffle(rows)  # noqa: S311  # because an order is no secret
    return rows


def _hour_of_plant(moment: Moment, since: float, until: float) -> Values:
    """What 3.2 lists: kWh, kWh/m², and income in the account's currency."""
    capacity = moment.plant.capacity_kw
    produced = moment.produced(since, until) * capacity
    radiation = _radiation(moment, since, until)
    return {
        "radiation_intensity": radiation and round(radiation, 4),
        "theory_power": radiation and round(radiation * capacity, 3),
        "inverter_power": round(produced, 3),
        "ongrid_power": round(moment.flown(since, until).feed_in * capacity, 3),
        "power_profit": round(produced * moment.plant.price, 3),
    }


def _period_of_plant(moment: Moment, since: float, until: float) -> Values:
    """What 3.3 to 3.5 list: also kW, hours, tons, trees, and the performance ratio in percent."""
    capacity, flown = moment.plant.capacity_kw, moment.flown(since, until)
    specific = moment.produced(since, until)
    produced, radiation = specific * capacity, _radiation(moment, since, until)
    used = specific + flown.supply - flown.feed_in + flown.discharged - flown.charged
    co2 = produced * _CO2
    return {
        "installed_capacity": capacity,
        "radiation_intensity": radiation and round(radiation, 4),
        "theory_power": radiation and round(radiation * capacity, 3),
        "performance_ratio": round(100 * specific / radiation, 2) if radiation else None,
        "inverter_power": round(produced, 3),
        "ongrid_power": round(flown.feed_in * capacity, 3),
        "use_power": round(max(0.0, used) * capacity, 3),
        "power_profit": round(produced * moment.plant.price, 3),
        "perpower_ratio": round(specific, 3),
        "reduction_total_co2": round(co2, 3),
        "reduction_total_coal": round(produced * _COAL, 3),
        "reduction_total_tree": round(co2 / _TREE),
    }


def _radiation(moment: Moment, since: float, until: float) -> float | None:
    """kWh/m², known only where a weather station stands."""
    if any(device.type_id == _EMI for device in moment.plant.devices):
        return moment.irradiated(since, until)
    return None


def _of_device(device: SimDevice, moment: Moment, since: float, until: float) -> Values:
    """What 3.8 to 3.10 list of every period: kW, kWh, hours."""
    if device.type_id not in BATTERIES:
        specific = moment.produced(since, until)
        return {
            "installed_capacity": round(device.size, 3),
            "product_power": round(specific * device.size, 3),
            "perpower_ratio": round(specific, 3),
        }
    use, flown = energy.USES[moment.plant.combine_type], moment.flown(since, until)
    share, usual = device.size / use.storage, use.rate * _USUAL_POWER
    return {
        "charge_cap": round(flown.charged * share, 3),
        "discharge_cap": round(flown.discharged * share, 3),
        "charge_time": round(flown.charged / usual, 2),
        "discharge_time": round(flown.discharged / usual, 2),
    }


def _reliability(device: SimDevice, start: float) -> Values:
    """What 3.8 has besides: percents that differ a little from day to day."""
    noise = crc32(f"{device.id}/{start}".encode())
    return {
        "yield_deviation": noise % 41 / 10 - 2,
        "total_aop": 100 - noise % 7 / 10,
        "aoc_ratio": 100 - noise % 11 / 10,
    }
