"""What each interface answers: the lists, the real-time values, and the table of all."""

from collections.abc import Callable, Mapping
from typing import Any

from exporter.simulator.alarm_list import alarm_list
from exporter.simulator.answers import Refusal
from exporter.simulator.asking import Parameters, View, asked_devices, asked_plants
from exporter.simulator.five_minutes import five_minutes
from exporter.simulator.fleet import INVERTERS, SimDevice, SimPlant
from exporter.simulator.kpis import DEVICE_KPIS, plant_kpis
from exporter.simulator.registration import registrations
from exporter.simulator.statistics import as_text, device_statistics, plant_statistics
from exporter.simulator.upgrade_desk import order_upgrades, upgrade_records

_PAGE_SIZES = frozenset({10, 20, 30, 50, 100})


def plant_list(view: View, parameters: Parameters) -> Any:
    """2.2: every plant of the account, in MW; newer servers send pages here too."""
    if view.traits.paged_list:
        return _page(view, parameters.get("pageNo", 1), parameters.get("pageSize", 100))
    return [
        {
            "stationCode": plant.code,
            "stationName": plant.name,
            "stationAddr": None,
            "capacity": round(plant.capacity_kw / 1000, 6),
            "buildState": plant.build_state,
            "combineType": plant.combine_type,
            "aidType": 1,
            "stationLinkman": "Owner",
            "linkmanPho": "Encrypted",
        }
        for plant in view.plants.values()
    ]


def plant_pages(view: View, parameters: Parameters) -> Any:
    """The newer plant list, page by page, in kW."""
    if "pageNo" not in parameters:
        raise Refusal(30004)
    if "pageSize" not in parameters:
        raise Refusal(30005)
    return _page(view, parameters["pageNo"], parameters["pageSize"])


def _page(view: View, number: Any, size: Any) -> Any:
    if type(number) is not int or number < 1:
        raise Refusal(30004)
    if type(size) is not int or size not in _PAGE_SIZES:
        raise Refusal(30006)
    plants = list(view.plants.values())
    return {
        "list": [
            {
                "plantCode": plant.code,
                "plantName": plant.name,
                "plantAddress": None,
                "longitude": str(plant.longitude),
                "latitude": str(plant.latitude),
                "capacity": plant.capacity_kw,
                "contactPerson": "Owner",
                "contactMethod": "",
                "gridConnectionDate": "2020-06-23T10:00:00+02:00",
            }
            for plant in plants[(number - 1) * size : number * size]
        ],
        "pageCount": -(-len(plants) // size),
        "pageNo": number,
        "pageSize": size,
        "total": len(plants),
    }


def device_list(view: View, parameters: Parameters) -> Any:
    """2.8: the devices of the asked plants."""
    plants = asked_plants(view, parameters, too_many=20015)
    return [_device(view, device, plant) for plant in plants for device in plant.devices]


def _device(view: View, device: SimDevice, plant: SimPlant) -> dict[str, Any]:
    return {
        "id": device.id,
        "devDn": f"NE={device.id}",
        "devName": device.name,
        "stationCode": plant.code,
        "esnCode": device.esn,
        "devTypeId": device.type_id,
        "softwareVersion": view.upgrades.version(device, view.now),
        "invType": device.model if device.type_id in INVERTERS else None,
        "model": device.model or None,
        "longitude": plant.longitude,
        "latitude": plant.latitude,
        "optimizerNumber": 0,
    }


def plant_values(view: View, parameters: Parameters) -> Any:
    """2.3: real-time values of the asked plants."""
    asked = asked_plants(view, parameters, too_many=20014)
    readings = ((plant.code, plant_kpis(view.moment(plant.code))) for plant in asked)
    if not view.traits.kpis_as_text:
        return [{"stationCode": code, "dataItemMap": values} for code, values in readings]
    return [{"stationCode": code, "dataItemMap": as_text(values)} for code, values in readings]


def device_values(view: View, parameters: Parameters) -> Any:
    """2.9: real-time values of the asked devices, all of one type."""
    devices = asked_devices(view, parameters, DEVICE_KPIS, too_many=20016)
    return [
        {
            "devId": device.id,
            "dataItemMap": DEVICE_KPIS[device.type_id](device, view.moment(device.plant_code)),
        }
        for device in devices
    ]


DESK: Mapping[str, Callable[[View, Parameters], Any]] = {
    "getStationList": plant_list,
    "stations": plant_pages,
    "getStationRealKpi": plant_values,
    **{f"getKpiStation{name}": plant_statistics(name) for name in ("Hour", "Day", "Month", "Year")},
    "getDevList": device_list,
    "getDevRealKpi": device_values,
    "getDevFiveMinutes": five_minutes,
    **{f"getDevKpi{name}": device_statistics(name) for name in ("Day", "Month", "Year")},
    "devUpgrade": order_upgrades,
    "getDevUpgradeInfo": upgrade_records,
    "getAlarmList": alarm_list,
    "snIsRegister": registrations,
}
