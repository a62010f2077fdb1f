"""Real-time values of plants and devices (reference 2.3, 2.9)."""

from typing import Any

from exporter.simulator.endpoints.edition import device_kpis, plant_kpis
from exporter.simulator.endpoints.request import (
    Parameters,
    View,
    requested_devices,
    requested_plants,
)
from exporter.simulator.endpoints.statistics import as_text


def plant_values(view: View, parameters: Parameters) -> Any:
    """2.3: real-time values of the requested plants."""
    plants = requested_plants(view, parameters, too_many=20014)
    readings = ((plant.code, plant_kpis(view.profile)(view.state(plant.code))) for plant in plants)
    if not view.profile.kpis_as_text:
        return [{"stationCode": code, "dataItemMap": values} for code, values in readings]
    return [{"stationCode": code, "dataItemMap": as_text(values)} for code, values in readings]


def device_values(view: View, parameters: Parameters) -> Any:
    """2.9: real-time values of the requested devices, all of one type."""
    kpis = device_kpis(view.profile)
    devices = requested_devices(view, parameters, kpis, too_many=20016)
    return [
        {
            "devId": device.id,
            "dataItemMap": kpis[device.type_id](device, view.state(device.plant_code)),
        }
        for device in devices
    ]
