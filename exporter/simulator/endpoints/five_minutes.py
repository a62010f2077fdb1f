"""5-minute data of devices (reference 2.10, 3.7): their values of one day."""

from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import Any
from zlib import crc32

from exporter.northbound.interfaces import MINUTE
from exporter.simulator.endpoints.edition import device_kpis
from exporter.simulator.endpoints.request import (
    Parameters,
    View,
    milliseconds,
    requested_devices,
    requested_time,
)
from exporter.simulator.endpoints.statistics import in_order
from exporter.simulator.world import periods
from exporter.simulator.world.fleet import INVERTERS, SimDevice
from exporter.simulator.world.newer_kpis import Kpis
from exporter.simulator.world.plant_state import PlantState

_STEP = 5 * MINUTE

# What 3.7 leaves out of 3.6, and what it spells otherwise.
_MISSING = {1: frozenset({"run_state", "mppt_4_cap"})}
_RESPELLED = {"temprature": "temperature"}


def five_minutes(view: View, parameters: Parameters) -> Any:
    """2.10: the rows of the day of `collectTime`; the newest is 5 to 10 minutes old."""
    kpis = device_kpis(view.profile)
    devices = requested_devices(view, parameters, kpis, too_many=20016)
    requested = requested_time(parameters, "collectTime")

    @cache
    def states(code: str) -> list[PlantState]:
        now = view.state(code)
        return [PlantState(now.plant, float(mark), now.seed) for mark in _marks(now, requested)]

    rows = [
        {
            "devId": device.id,
            "sn": device.esn,
            "collectTime": milliseconds(state.time),
            "dataItemMap": None if _offline(device, state) else _values(kpis, device, state),
        }
        for device in devices
        for state in states(device.plant_code)
    ]
    return in_order(view, rows)


def _marks(now: PlantState, requested: float) -> range:
    """Every fifth minute of the requested day, as far as there are data."""
    zone = now.plant.zone
    day = periods.local_date(zone, requested)
    first = max(periods.beginning(zone, day), now.counting_since)
    end = min(periods.beginning(zone, day + timedelta(days=1)), now.time - _STEP + 1)
    step = int(_STEP)
    return range(int(-(-first // step)) * step, int(end), step)


def _offline(device: SimDevice, state: PlantState) -> bool:
    """Whether an inverter reports nothing: by night some do so, hour by hour."""
    if device.type_id not in INVERTERS or state.modules.power:
        return False
    return crc32(f"{device.id}/{state.time // 3600}".encode()) % 3 == 0


def _values(kpis: Mapping[int, Kpis], device: SimDevice, state: PlantState) -> dict[str, Any]:
    missing = _MISSING.get(device.type_id, frozenset({"run_state"}))
    reported = kpis[device.type_id](device, state).items()
    return {_RESPELLED.get(key, key): value for key, value in reported if key not in missing}
