"""What plants and devices report to servers of edition 26 besides, or otherwise.

A power sensor tells each phase, a battery its modules; homes may have an EMMA, and sites that live
on modules, mains and a generator set the devices of Power-M.
"""

from collections.abc import Callable, Mapping
from typing import Any
from zlib import crc32

from exporter.simulator.world import energy
from exporter.simulator.world.fleet import SimDevice
from exporter.simulator.world.kpis import (
    DEVICE_KPIS,
    Values,
    battery,
    by_phase,
    kilowatts_by_phase,
    line_voltages,
    plant_kpis,
    power_factor,
    power_sensor,
)
from exporter.simulator.world.plant_state import PlantState

_MODULE = 5.0  # kWh
_STACK = 3  # modules
_SITE_VOLTS = 53.5
_RATED_GENSET = 12.0  # kW
Kpis = Callable[[SimDevice, PlantState], dict[str, Any]]


def newer_plant_kpis(state: PlantState) -> Values:
    """Real-time values of a plant, with what it fed in and consumed today."""
    energies = newer_statistics(state, state.midnight, state.time)
    return plant_kpis(state) | {
        "day_on_grid_energy": energies["ongrid_power"],
        "day_use_energy": energies["use_power"],
    }


def newer_statistics(state: PlantState, since: float, until: float) -> Values:
    """A plant's energies of a period, in kWh: their sums are right to the last digit."""
    capacity, totals = state.plant.capacity_kw, state.flow_totals(since, until)
    pv = round(state.produced(since, until) * capacity, 3)
    fed_in = min(pv, round(totals.feed_in * capacity, 3))
    charged, discharged = (
        round(each * capacity, 3) for each in (totals.charged, totals.discharged)
    )
    bought, used = round(totals.supply * capacity, 3), round(pv - fed_in, 3)
    supplied = round(max(0.0, used - charged + discharged), 3)
    return {
        "PVYield": pv,
        "inverter_power": pv,
        "inverterYield": round(max(0.0, pv - charged + discharged), 3),
        "ongrid_power": fed_in,
        "selfUsePower": used,
        "selfProvide": supplied,
        "chargeCap": charged,
        "dischargeCap": discharged,
        "buyPower": bought,
        "use_power": round(supplied + bought, 3),
    }


def _power_sensor(device: SimDevice, state: PlantState) -> Values:
    kilowatts = kilowatts_by_phase(state)
    phases = by_phase(state.voltages, kilowatts) | line_voltages(state.voltages)
    del phases["a_u"], phases["a_i"]  # sent as meter_u and meter_i
    for phase, power in zip("abc", kilowatts, strict=True):
        phases[f"active_power_{phase}"] = round(power * 1000, 1)
    return power_sensor(device, state) | phases


def _emma(_device: SimDevice, state: PlantState) -> Values:
    """As a meter, the other way round: what is drawn is positive."""
    kilowatts, capacity = kilowatts_by_phase(state), state.plant.capacity_kw
    power = state.grid.power * capacity
    values = by_phase(state.voltages, kilowatts) | line_voltages(state.voltages)
    for phase, each in zip("abc", kilowatts, strict=True):
        values[f"active_power_{phase}"] = round(-each, 3)
    return values | {
        "active_power": round(-power, 3),
        "reactive_power": round(-power * state.reactive, 3),
        "power_factor": abs(power_factor(state)),
        "active_cap": round(state.grid.supply * capacity, 3),
        "reverse_active_cap": round(state.grid.feed_in * capacity, 3),
        "ex_active_power": 0.0,
        "ex_active_cap": None,
        "ex_reverse_active_cap": None,
        "run_state": 1,
    }


def _battery(device: SimDevice, state: PlantState) -> dict[str, Any]:
    count = max(1, round(device.size / _MODULE))
    modules = [
        {
            "sn": f"HV{crc32(f'{device.id}/{number}'.encode()):010}",
            "soh": f"{100 - crc32(f'{number}/{device.id}'.encode()) % 60 / 10:.1f}%",
        }
        for number in range(count)
    ]
    stacks = [modules[first : first + _STACK] for first in range(0, count, _STACK)]
    return battery(device, state) | {
        "rated_capacity": round(device.size, 3),
        "battery_unit_info": {f"unit{n}": stack for n, stack in enumerate(stacks, start=1)},
    }


def _mains(_device: SimDevice, state: PlantState) -> Values:
    drawn = max(0.0, -state.grid.power * state.plant.capacity_kw)
    return {
        "mains_state": 1,
        "ac_voltage": state.voltages[0],
        "ac_current": round(drawn * 1000 / state.voltages[0], 3) if state.voltages[0] else 0.0,
        "ac_frequency": state.frequency,
        "active_power": round(drawn, 3),
        "grid_quality_grade": 2,
        "total_energy_consumption": round(state.grid.supply * state.plant.capacity_kw, 3),
        "supply_duration_per_total": round((state.time - state.counting_since) / 3600, 2),
    }


def _genset(_device: SimDevice, state: PlantState) -> Values:
    """Runs a while each week, to stay fit for use."""
    runs = state.time % (7 * 86_400) < 1800  # noqa: PLR2004  # half an hour
    return {
        "running_state": 2 if runs else 1,
        "output_power": 3.0 if runs else 0.0,
        "load_rate": round(300 / _RATED_GENSET, 1) if runs else 0.0,
    }


def _load(state: PlantState) -> float:
    """KW that the site's loads draw."""
    return max(0.0, state.load * state.plant.capacity_kw)


def _ac_output(_device: SimDevice, state: PlantState) -> Values:
    load = _load(state)
    return {
        "ac_voltage": 230.0,
        "ac_current": round(load * 1000 / 230, 3),
        "ac_frequency": 50.0,
        "active_power": round(load, 3),
    }


def _rack(device: SimDevice, state: PlantState) -> Values:
    power = state.storage.power * device.size
    stored = energy.USES[state.plant.use].storage
    discharged = state.flow_totals(state.counting_since).discharged / stored * device.size
    return {
        "battery_state": 5 if power > 0 else 4 if power < 0 else 8,
        "soc": round(5 + 95 * state.storage.soc, 1),
        "charge_discharge_power": round(power, 3),
        "voltage": _SITE_VOLTS,
        "current": round(power * 1000 / _SITE_VOLTS, 2),
        "total_capacity": round(device.size, 3),
        "total_discharge": round(discharged, 3),
        "total_discharge_times": int(discharged // device.size) if device.size else 0,
        "remaining_backup_time": round(stored * state.storage.soc / max(state.load, 0.01), 2),
    }


def _solar_group(_device: SimDevice, state: PlantState) -> Values:
    watts = state.modules.power * state.plant.capacity_kw * 1000
    return {
        "total_output_current": round(watts / _SITE_VOLTS, 2),
        "total_output_power": round(watts, 1),
    }


def _solar_unit(device: SimDevice, state: PlantState) -> Values:
    watts = state.modules.power * device.size * 1000
    return {
        "input_voltage": 118.0 if watts else 0.0,
        "output_voltage": _SITE_VOLTS,
        "output_current": round(watts / _SITE_VOLTS, 2),
        "on_off_state": 0 if watts else 1,
    }


def _converter(device: SimDevice, state: PlantState) -> Values:
    power, load = state.modules.power * device.size, _load(state)
    return {
        "pv_input_voltage": 360.0 if power else 0.0,
        "pv_input_current": round(power * 1000 / 360, 3),
        "pv_input_power": round(power, 3),
        "inverter_voltage": 230.0,
        "inverter_frequency": 50.0,
        "ac_output_voltage": 230.0,
        "ac_output_current": round(load * 1000 / 230, 3),
        "ac_output_frequency": 50.0,
        "ac_output_apparent_power": round(load, 3),
        "total_runtime": round((state.time - state.counting_since) / 3600, 2),
    }


NEWER_DEVICE_KPIS: Mapping[int, Kpis] = {
    **DEVICE_KPIS,
    39: _battery,
    47: _power_sensor,
    23070: _emma,
    60001: _mains,
    60003: _genset,
    60010: _ac_output,
    60014: _rack,
    60043: _solar_group,
    60044: _solar_unit,
    60092: _converter,
}
