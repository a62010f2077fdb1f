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
from exporter.simulator.endpoints.profile import NEWEST
from exporter.simulator.endpoints.request import (
    Parameters,
    View,
    milliseconds,
    requested_devices,
    requested_plants,
    requested_time,
)
from exporter.simulator.world import energy, periods
from exporter.simulator.world.fleet import BATTERIES, SimDevice
from exporter.simulator.world.kpis import Values
from exporter.simulator.world.newer_kpis import newer_statistics
from exporter.simulator.world.plant_state import PlantState

_EMI, _ESS = 10, 41
_OF_HOURS = frozenset(
    {
        *("PVYield", "inverter_power", "inverterYield", "ongrid_power"),
        *("selfProvide", "chargeCap", "dischargeCap"),
    }
)
_CO2, _COAL, _TREE = 0.000997, 0.0004, 0.0183  # tons saved a kWh, twice; tons of CO2 a tree
_USUAL_POWER = 0.5  # of a battery's greatest, for its hours of use

Periods = Callable[[PlantState, date], periods.Instants]
Rows = list[dict[str, Any]]


def _years(state: PlantState, day: date) -> periods.Instants:
    zone = state.plant.zone
    first, now = (
        periods.local_date(zone, time).year for time in (state.counting_since, state.time)
    )
    return periods.years(zone, first, min(day.year, now))


# The periods of the rows: the hours of a time's day, the days of its month, the months of its
# year, and all years until its own.
_PERIODS: Mapping[str, Periods] = {
    "Hour": lambda state, day: periods.hours(state.plant.zone, day),
    "Day": lambda state, day: periods.days(state.plant.zone, day),
    "Month": lambda state, day: periods.months(state.plant.zone, day),
    "Year": _years,
}


def _spans(
    view: View, state: PlantState, split: Periods, requested: float
) -> Iterator[tuple[float, tuple[float, float] | None]]:
    """The start of each row, and from when until when it counts; None for a row without values."""
    day = periods.local_date(state.plant.zone, requested)
    for start, end in pairwise(split(state, day)):
        if start + view.profile.lag <= view.now and end > state.counting_since:
            yield start, (max(start, state.counting_since), min(end, view.now))
        elif view.profile.unfilled:
            yield start, None


def plant_statistics(name: str) -> Callable[[View, Parameters], Any]:
    """The endpoint `getKpiStation<name>`."""
    split, report = _PERIODS[name], _hour_of_plant if name == "Hour" else _period_of_plant

    def answer(view: View, parameters: Parameters) -> Any:
        plants = requested_plants(view, parameters, too_many=20014)
        requested = requested_time(parameters, "collectTime")
        rows: Rows = []
        for plant in plants:
            state = view.state(plant.code)
            for start, span in _spans(view, state, split, requested):
                values = None if span is None else report(state, *span)
                if values is not None and span and view.profile.edition == NEWEST:
                    values |= _newer(name, state, *span)
                rows.append(_row(view, {"stationCode": plant.code}, start, values))
        return in_order(view, rows)

    return answer


def _newer(name: str, state: PlantState, since: float, until: float) -> Values:
    """What newer servers tell besides; an hour lacks what is reckoned by the day."""
    values = newer_statistics(state, since, until)
    if not any(device.type_id in BATTERIES for device in state.plant.devices):
        values |= {"chargeCap": None, "dischargeCap": None}
    return {key: each for key, each in values.items() if name != "Hour" or key in _OF_HOURS}


def device_statistics(name: str) -> Callable[[View, Parameters], Any]:
    """The endpoint `getDevKpi<name>`."""
    split, served = _PERIODS[name], INTERFACES[f"getDevKpi{name}"].device_types

    def answer(view: View, parameters: Parameters) -> Any:
        devices = requested_devices(view, parameters, served, too_many=20017)
        requested = requested_time(parameters, "collectTime")
        rows: Rows = []
        for device in devices:
            state = view.state(device.plant_code)
            for start, span in _spans(view, state, split, requested):
                values = None if span is None else _of_device(device, state, *span)
                if values is not None and name == "Day" and device.type_id not in BATTERIES:
                    values |= _reliability(device, start)
                subject = {"devId": device.id, "sn": device.esn}
                rows.append(_row(view, subject, start, values))
        return in_order(view, rows)

    return answer


def _row(
    view: View, subject: Mapping[str, Any], start: float, values: Values | None
) -> dict[str, Any]:
    time: Any = milliseconds(start)
    if not view.profile.kpis_as_text:
        return {**subject, "collectTime": time, "dataItemMap": values}
    return {**subject, "collectTime": str(time), "dataItemMap": values and as_text(values)}


def as_text(values: Values) -> dict[str, str | None]:
    """The same values as text."""
    return {key: None if value is None else str(value) for key, value in values.items()}


def in_order(view: View, rows: Rows) -> Rows:
    """The rows in the order of this system."""
    if view.profile.shuffled:
        Random(f"rows {view.now}").shuffle(rows)  # noqa: S311  # because an order is no secret
    return rows


def _hour_of_plant(state: PlantState, since: float, until: float) -> Values:
    """What 3.2 lists: kWh, kWh/m², and income in the account's currency."""
    capacity = state.plant.capacity_kw
    produced = state.produced(since, until) * capacity
    radiation = _radiation(state, since, until)
    return {
        "radiation_intensity": radiation and round(radiation, 4),
        "theory_power": radiation and round(radiation * capacity, 3),
        "inverter_power": round(produced, 3),
        "ongrid_power": round(state.flow_totals(since, until).feed_in * capacity, 3),
        "power_profit": round(produced * state.plant.price, 3),
    }


def _period_of_plant(state: PlantState, since: float, until: float) -> Values:
    """What 3.3 to 3.5 list: also kW, hours, tons, trees, and the performance ratio in percent."""
    capacity, flow_totals = state.plant.capacity_kw, state.flow_totals(since, until)
    specific = state.produced(since, until)
    produced, radiation = specific * capacity, _radiation(state, since, until)
    used = (
        specific
        + flow_totals.supply
        - flow_totals.feed_in
        + flow_totals.discharged
        - flow_totals.charged
    )
    co2 = produced * _CO2
    return {
        "installed_capacity": capacity,
        "radiation_intensity": radiation and round(radiation, 4),
        "theory_power": radiation and round(radiation * capacity, 3),
        "performance_ratio": round(100 * specific / radiation, 2) if radiation else None,
        "inverter_power": round(produced, 3),
        "ongrid_power": round(flow_totals.feed_in * capacity, 3),
        "use_power": round(max(0.0, used) * capacity, 3),
        "power_profit": round(produced * state.plant.price, 3),
        "perpower_ratio": round(specific, 3),
        "reduction_total_co2": round(co2, 3),
        "reduction_total_coal": round(produced * _COAL, 3),
        "reduction_total_tree": round(co2 / _TREE),
    }


def _radiation(state: PlantState, since: float, until: float) -> float | None:
    """kWh/m², known only where there is a weather station."""
    if any(device.type_id == _EMI for device in state.plant.devices):
        return state.irradiation(since, until)
    return None


def _of_device(device: SimDevice, state: PlantState, since: float, until: float) -> Values:
    """What 3.8 to 3.10 list of every period: kW, kWh, hours."""
    if device.type_id not in BATTERIES:
        specific = state.produced(since, until)
        return {
            "installed_capacity": round(device.size, 3),
            "product_power": round(specific * device.size, 3),
            "perpower_ratio": round(specific, 3),
        }
    use, flow_totals = energy.USES[state.plant.use], state.flow_totals(since, until)
    share, usual = device.size / use.storage, use.rate * _USUAL_POWER
    energies: Values = {
        "charge_cap": round(flow_totals.charged * share, 3),
        "discharge_cap": round(flow_totals.discharged * share, 3),
    }
    if device.type_id == _ESS:
        return energies
    return energies | {
        "charge_time": round(flow_totals.charged / usual, 2),
        "discharge_time": round(flow_totals.discharged / usual, 2),
    }


def _reliability(device: SimDevice, start: float) -> Values:
    """What 3.8 has besides: percents that differ a little from day to day."""
    noise = crc32(f"{device.id}/{start}".encode())
    return {
        "yield_deviation": noise % 41 / 10 - 2,
        "total_aop": 100 - noise % 7 / 10,
        "aoc_ratio": 100 - noise % 11 / 10,
    }
