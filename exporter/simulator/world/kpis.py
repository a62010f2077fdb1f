"""What plants and devices report: the keys of the reference's 3.1 and 3.6, in the live API's units.

One function a device type; see `DEVICE_KPIS`.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from math import copysign, sqrt
from zlib import crc32

from exporter.simulator.world import energy, sun, weather
from exporter.simulator.world.fleet import SimDevice
from exporter.simulator.world.plant_state import REACTIVE, PlantState, Three

Values = dict[str, float | int | None]

_EFFICIENCY = 0.98  # in the long run
_STRINGS = {1: 24, 38: 8}
_MPPTS = {1: 10, 38: 4}
_NO_SUNLIGHT, _GRID_CONNECTED, _POWER_LIMITED = 40960, 512, 513
_HEALTHY = 3
_CONNECTED = 1
_RUNNING, _STANDBY = 2, 1
_SELF_CONSUMPTION = 4
_IDLE_POWER = 0.005  # kW per kW below which a battery idles
# A meter's energy by tariff: sharp, peak, off, shoulder.
_TARIFFS = {"top": 0.10, "peak": 0.32, "power": 0.23, "valley": 0.35}


def plant_kpis(state: PlantState) -> Values:
    """Real-time values of a plant (3.1): kWh, and income in the account's currency."""
    plant, modules = state.plant, state.modules
    today, total = modules.today * plant.capacity_kw, modules.total * plant.capacity_kw
    return {
        "real_health_state": _HEALTHY,
        "day_power": round(today, 3),
        "month_power": round(modules.month * plant.capacity_kw, 3),
        "total_power": round(total, 3),
        "day_income": round(today * plant.price, 3),
        "total_income": round(total * plant.price, 3),
    }


def line_voltages(voltages: Three) -> Values:
    """Voltages between phases; 0 where one is missing."""
    a, b, c = voltages
    return {
        f"{name}_u": round(sqrt(one * one + one * other + other * other), 1)
        if one and other
        else 0.0
        for name, one, other in (("ab", a, b), ("bc", b, c), ("ca", c, a))
    }


def by_phase(voltages: Three, kilowatts: Three) -> Values:
    """Voltage and current of each phase; 0 where there is none."""
    values: Values = {}
    for phase, volts, power in zip("abc", voltages, kilowatts, strict=True):
        values[f"{phase}_u"] = volts
        values[f"{phase}_i"] = round(power * 1000 / volts, 3) if volts else 0.0
    return values


def _evenly(voltages: Three, kilowatts: float) -> Three:
    """A power in equal parts on the phases that there are."""
    present = sum(volts > 0 for volts in voltages) or 1
    a, b, c = (kilowatts / present if volts else 0.0 for volts in voltages)
    return a, b, c


def _efficiency(power: float) -> float:
    """Of an inverter that puts out so much per kW of modules: low load and high load cost."""
    return 0.988 - 0.0015 / (power + 0.03) - 0.006 * power


def _dc_watts(device: SimDevice, state: PlantState) -> float:
    power = state.modules.power
    return power * device.size / _efficiency(power) * 1000


def _dc_volts(state: PlantState, usual: float) -> float:
    """V of a string that has so many at 25 °C: less where modules are warm or dimly lit."""
    light = min(1.0, 0.93 + 0.35 * state.irradiance[0])
    return usual * light * (1 - 0.0028 * (state.module_temperature - 25))


def _heat(device: SimDevice) -> int:
    """°C of an inverter above the air under full load: some hang in a better place than others."""
    return 23 + crc32(str(device.id).encode()) % 7


def _inverter(device: SimDevice, state: PlantState) -> Values:
    """What inverters of every kind report."""
    modules = state.modules
    power = modules.power * device.size
    producing = power > 0
    limited = modules.power >= weather.CEILING - 1e-9
    opened, closed = state.daylight
    voltages = state.voltages if producing else (0.0, 0.0, 0.0)
    return {
        "inverter_state": (
            _POWER_LIMITED if limited else _GRID_CONNECTED if producing else _NO_SUNLIGHT
        ),
        **by_phase(voltages, _evenly(voltages, power)),
        "temperature": round(state.ambient + _heat(device) * state.warmth, 1),
        "power_factor": 0.999 if producing else 0.0,
        "elec_freq": state.frequency if producing else 0.0,
        "active_power": round(power, 3),
        "reactive_power": round(0.0447 * power, 3),
        "day_cap": round(modules.today * device.size, 3),
        "total_cap": round(modules.total * device.size, 3),
        "mppt_power": round(_dc_watts(device, state) / 1000, 3),
        "open_time": opened,
        "close_time": closed if not producing and state.time * 1000 >= closed else None,
        "run_state": _CONNECTED,
    }


# V of a string by the type of its inverter: roofs of homes have short ones.
_STRING_VOLTS = {1: 620.0, 38: 350.0}
_CENTRAL_VOLTS = 1080.0
# The keys of a string input's voltage and current.
_STRING_KEYS = tuple((f"pv{number}_u", f"pv{number}_i") for number in range(1, 25))


def _strings(device: SimDevice, state: PlantState) -> Values:
    """Voltage and current of each string input, wired or not: together the DC power.

    The two strings of an MPPT have one voltage.
    """
    watts, usual = _dc_watts(device, state), _dc_volts(state, _STRING_VOLTS[device.type_id])
    wired = _shares(device.id, device.strings) if watts else ()
    values: Values = {}
    for number, keys in enumerate(_STRING_KEYS[: _STRINGS[device.type_id]]):
        if number < len(wired):
            volts = round(usual + number // 2 * 1.7, 1)
            pair = volts, round(watts * wired[number] / volts, 3)
        else:
            pair = 0.0, 0.0
        values[keys[0]], values[keys[1]] = pair
    return values


@lru_cache(maxsize=65_536)
def _shares(device_id: int, count: int) -> tuple[float, ...]:
    """Unequal shares of one, constant for a device."""
    noise = [crc32(f"{device_id}/{number}".encode()) % 61 for number in range(count)]
    weights = [1 + (part - 30) / 1000 for part in noise]
    return tuple(weight / sum(weights) for weight in weights)


def _trackers(device: SimDevice, state: PlantState) -> Values:
    """The lifetime DC energy of each MPPT: two strings each."""
    total = state.modules.total * device.size / _EFFICIENCY
    used = min(_MPPTS[device.type_id], -(-device.strings // 2))
    shares = _shares(device.id, used)
    return {
        f"mppt_{number}_cap": round(total * shares[number - 1], 3) if number <= used else 0.0
        for number in range(1, _MPPTS[device.type_id] + 1)
    }


def _string_inverter(device: SimDevice, state: PlantState) -> Values:
    values = _inverter(device, state)
    values |= line_voltages(state.voltages if values["active_power"] else (0.0, 0.0, 0.0))
    power = state.modules.power
    values["efficiency"] = round(100 * _efficiency(power), 2) if power else 0.0
    return values | _strings(device, state) | _trackers(device, state)


def _three_phase_inverter(device: SimDevice, state: PlantState) -> Values:
    total = round(state.modules.total * device.size / _EFFICIENCY, 3)
    return _string_inverter(device, state) | {"mppt_total_cap": total}


def _central_inverter(device: SimDevice, state: PlantState) -> Values:
    values = _inverter(device, state)
    watts = _dc_watts(device, state)
    volts = _dc_volts(state, _CENTRAL_VOLTS) if watts else 0.0
    amperes = watts / volts if watts else 0.0
    inputs = enumerate(_shares(device.id, 10), start=1)
    values |= {"center_u": round(volts, 1), "center_i": round(amperes, 2), "aop": 99.6}
    return values | {f"center_i_{number}": round(amperes * share, 2) for number, share in inputs}


def _combiner_box(device: SimDevice, state: PlantState) -> Values:
    watts = _dc_watts(device, state)
    volts = _dc_volts(state, _CENTRAL_VOLTS) if watts else 0.0
    amperes = watts / volts if watts else 0.0
    shares = _shares(device.id, device.strings)
    currents: Values = {
        f"dc_i{number}": round(amperes * shares[number - 1], 3) if number <= len(shares) else 0.0
        for number in range(1, 21)
    }
    return currents | {
        "photc_i": round(amperes, 2),
        "photc_u": round(volts, 1),
        "temprature": round(state.ambient + _heat(device) / 2 * state.warmth, 1),
        "thunder_count": crc32(str(device.id).encode()) % 4,
        "run_state": _CONNECTED,
    }


def _weather_station(_device: SimDevice, state: PlantState) -> Values:
    kilowatts, kilowatt_hours = state.irradiance
    light = kilowatts * 1000
    speed, direction = weather.wind(state.cell, state.time)
    tilted = 1.08
    return {
        "temperature": round(state.ambient, 1),
        "pv_temperature": round(state.module_temperature, 1),
        "wind_speed": round(speed, 2),
        "wind_direction": round(direction, 1),
        "radiant_line": round(light * tilted, 1),
        "radiant_total": round(kilowatt_hours * 3.6 * tilted, 3),
        "horiz_radiant_line": round(light, 1),
        "horiz_radiant_total": round(kilowatt_hours * 3.6, 3),
        "run_state": _CONNECTED,
    }


def power_factor(state: PlantState) -> float:
    """At the meter; negative while power is drawn."""
    return round(copysign(1 / sqrt(1 + state.reactive**2), state.grid.power), 3)


def kilowatts_by_phase(state: PlantState) -> Three:
    """The power at the meter (> 0 feeds in) of each phase."""
    a, b, c = (power * state.plant.capacity_kw for power in state.phase_powers)
    return a, b, c


def _grid_meter(_device: SimDevice, state: PlantState) -> Values:
    kilowatts = state.grid.power * state.plant.capacity_kw
    feed_in = state.grid.feed_in * state.plant.capacity_kw
    supply = state.grid.supply * state.plant.capacity_kw
    sums = {
        "positive_active": feed_in,
        "reverse_active": supply,
        "positive_reactive": feed_in * REACTIVE,
        "reverse_reactive": supply * REACTIVE,
    }
    kilowatts_each = kilowatts_by_phase(state)
    values = line_voltages(state.voltages) | by_phase(state.voltages, kilowatts_each)
    for phase, power in zip("abc", kilowatts_each, strict=True):
        values[f"active_power_{phase}"] = round(power, 3)
        values[f"reactive_power_{phase}"] = round(power * state.reactive, 3)
    for kind, amount in sums.items():
        for tariff, share in _TARIFFS.items():
            values[f"{kind}_{tariff}"] = round(amount * share, 3)
    return values | {
        "active_power": round(kilowatts * 1000, 1),
        "reactive_power": round(kilowatts * state.reactive, 3),
        "total_apparent_power": round(abs(kilowatts) * sqrt(1 + state.reactive**2), 3),
        "power_factor": power_factor(state),
        "grid_frequency": state.frequency,
        "active_cap": round(feed_in, 3),
        "reverse_active_cap": round(supply, 3),
        "forward_reactive_cap": round(feed_in * REACTIVE, 3),
        "reverse_reactive_cap": round(supply * REACTIVE, 3),
    }


def power_sensor(_device: SimDevice, state: PlantState) -> Values:
    """What a power sensor of the reference reports."""
    kilowatts = state.grid.power * state.plant.capacity_kw
    of_a = by_phase(state.voltages, kilowatts_by_phase(state))
    return {
        "meter_status": 1,
        "meter_u": of_a["a_u"],
        "meter_i": of_a["a_i"],
        "active_power": round(kilowatts * 1000, 1),
        "reactive_power": round(kilowatts * 1000 * state.reactive, 1),
        "power_factor": power_factor(state),
        "grid_frequency": state.frequency,
        "active_cap": round(state.grid.feed_in * state.plant.capacity_kw, 3),
        "reverse_active_cap": round(state.grid.supply * state.plant.capacity_kw, 3),
        "run_state": _CONNECTED,
    }


def _storage(device: SimDevice, state: PlantState) -> Values:
    """What storage of every kind reports."""
    storage = state.storage
    return {
        "ch_discharge_power": round(storage.power * device.size * 1000, 1),
        "battery_soc": round(5 + 95 * storage.soc, 1),
        "charge_cap": round(storage.charged * device.size, 3),
        "discharge_cap": round(storage.discharged * device.size, 3),
        "run_state": _CONNECTED,
    }


def battery(device: SimDevice, state: PlantState) -> Values:
    """What a residential battery reports."""
    use, storage = energy.USES[state.plant.use], state.storage
    most = round(use.rate / use.storage * device.size * 1000, 1)
    return _storage(device, state) | {
        "battery_soh": 0.0,  # residential batteries do not report it
        "battery_status": _RUNNING if abs(storage.power) > _IDLE_POWER else _STANDBY,
        "max_charge_power": most,
        "max_discharge_power": most,
        "busbar_u": round(360 + 60 * storage.soc + 12 * storage.power, 1),
        "ch_discharge_model": _SELF_CONSUMPTION,
    }


def _ess(device: SimDevice, state: PlantState) -> Values:
    years = (state.time - state.counting_since) / (sun.YEAR * sun.DAY)
    loss = 1.2 + crc32(str(device.id).encode()) % 61 / 100  # percent of its capacity a year
    return _storage(device, state) | {"battery_soh": round(100 - loss * years, 1)}


_STEP_UP = 72  # from 480 V to 34.5 kV between the lines


def _transformer(device: SimDevice, state: PlantState) -> Values:
    kilowatts = state.modules.power * device.size
    a, b, c = state.voltages
    high = (round(a * _STEP_UP, 1), round(b * _STEP_UP, 1), round(c * _STEP_UP, 1))
    return {
        **line_voltages(high),
        **by_phase(high, _evenly(high, kilowatts)),
        "active_power": round(kilowatts, 3),
        "reactive_power": round(0.0447 * kilowatts, 3),
        "power_factor": 0.999 if kilowatts else 0.0,
        "elec_freq": state.frequency,
        "run_state": _CONNECTED,
    }


DEVICE_KPIS: Mapping[int, Callable[[SimDevice, PlantState], Values]] = {
    1: _three_phase_inverter,
    8: _transformer,
    10: _weather_station,
    14: _central_inverter,
    15: _combiner_box,
    17: _grid_meter,
    38: _string_inverter,
    39: battery,
    41: _ess,
    47: power_sensor,
}
