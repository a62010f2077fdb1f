"""5-minute data of devices (reference 2.10, 3.7): what they reported through one day."""

from datetime import timedelta
from functools import cache
from typing import Any
from zlib import crc32

from exporter.northbound.interfaces import INTERFACES, MINUTE
from exporter.simulator import periods
from exporter.simulator.asking import Parameters, View, asked_devices, asked_time, milliseconds
from exporter.simulator.fleet import INVERTERS, SimDevice
from exporter.simulator.kpis import DEVICE_KPIS, Values
from exporter.simulator.moment import Moment
from exporter.simulator.statistics import in_order

_STEP = 5 * MINUTE
_SERVED = INTERFACES["getDevFiveMinutes"].device_types

# What 3.7 leaves out of 3.6, and what it spells otherwise.
_MISSING = {1: frozenset({"run_state", "mppt_4_cap"})}
_RESPELLED = {"temprature": "temperature"}


def five_minutes(view: View, parameters: Parameters) -> Any:
    """2.10: the rows of the day of `collectTime`; the newest is 5 to 10 minutes old."""
    devices = asked_devices(view, parameters, _SERVED, too_many=20016)
    asked = asked_time(parameters, "collectTime")

    @cache
    def moments(code: str) -> list[Moment]:
        now = view.moment(code)
        return [Moment(now.plant, float(mark), now.seed) for mark in _marks(now, asked)]

    rows = [
        {
            "devId": device.id,
            "sn": device.esn,
            "collectTime": milliseconds(moment.time),
            "dataItemMap": None if _asleep(device, moment) else _values(device, moment),
        }
        for device in devices
        for moment in moments(device.plant_code)
    ]
    return in_order(view, rows)


def _marks(now: Moment, asked: float) -> range:
    """Every fifth minute of the day that was asked about, as far as there are data."""
    zone = now.plant.zone
    day = periods.local_date(zone, asked)
    first = max(periods.beginning(zone, day), now.began)
    end = min(periods.beginning(zone, day + timedelta(days=1)), now.time - _STEP + 1)
    step = int(_STEP)
    return range(int(-(-first // step)) * step, int(end), step)


def _asleep(device: SimDevice, moment: Moment) -> bool:
    """Whether an inverter says nothing: by night some do, by the hour."""
    if device.type_id not in INVERTERS or moment.modules.power:
        return False
    return crc32(f"{device.id}/{moment.time // 3600}".encode()) % 3 == 0


def _values(device: SimDevice, moment: Moment) -> Values:
    missing = _MISSING.get(device.type_id, frozenset({"run_state"}))
    reported = DEVICE_KPIS[device.type_id](device, moment).items()
    return {_RESPELLED.get(key, key): value for key, value in reported if key not in missing}
