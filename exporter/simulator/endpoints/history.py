"""getDevHistoryKpi and device/history: what devices reported, every fifth minute of a time."""

from collections.abc import Iterable
from typing import Any

from exporter.northbound.interfaces import DAY, INTERFACES, MINUTE
from exporter.simulator.endpoints.request import (
    Parameters,
    Refusal,
    View,
    device_type,
    milliseconds,
    requested_devices,
    requested_time,
)
from exporter.simulator.world.fleet import SimDevice
from exporter.simulator.world.kpis import DEVICE_KPIS, Values
from exporter.simulator.world.plant_state import PlantState

_STEP = int(5 * MINUTE)
_BATCH = INTERFACES["getDevHistoryKpi"]


def device_histories(view: View, parameters: Parameters) -> Any:
    """getDevHistoryKpi: the rows of at most ten devices, of at most three days."""
    devices = requested_devices(
        view, parameters, _BATCH.device_types, too_many=30031, limit=_BATCH.batch
    )
    start, end = _requested_span(parameters, longest=3 * DAY)
    return [
        {
            "devId": device.id,
            "sn": device.esn,
            "collectTime": milliseconds(time),
            "dataItemMap": values,
        }
        for device in devices
        for time, values in _rows(view, device, start, end)
    ]


def device_history(view: View, parameters: Parameters) -> Any:
    """device/history: the rows of the device with this DN, of at most a day."""
    names = {dn_of(device): device for device in view.devices.values()}
    device = names.get(str(parameters.get("devDn")))
    if device is None:
        raise Refusal(20008)
    if device_type(parameters, lenient=True) != device.type_id or device.type_id not in DEVICE_KPIS:
        raise Refusal(20006)
    start, end = _requested_span(parameters, longest=DAY)
    return [
        {"devDn": dn_of(device), "collectTime": milliseconds(time), "dataItems": values}
        for time, values in _rows(view, device, start, end)
    ]


def dn_of(device: SimDevice) -> str:
    """The DN of a device."""
    return f"NE={device.id}"


def _requested_span(parameters: Parameters, *, longest: float) -> tuple[float, float]:
    start, end = (requested_time(parameters, name) for name in ("startTime", "endTime"))
    if start >= end:
        raise Refusal(20604)
    if end - start > longest:
        raise Refusal(30032)
    return start, end


def _rows(
    view: View, device: SimDevice, start: float, end: float
) -> Iterable[tuple[float, Values]]:
    """The rows of a time, as far as there are data: the newest is 5 to 10 minutes old."""
    now = view.state(device.plant_code)
    first = int(-(-max(start, now.counting_since) // _STEP)) * _STEP
    for time in range(first, int(min(end + 1, now.time - _STEP + 1)), _STEP):
        state = PlantState(now.plant, float(time), now.seed)
        yield float(time), DEVICE_KPIS[device.type_id](device, state)
