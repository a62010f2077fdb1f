"""The lists of plants and devices (reference 2.2, 2.8)."""

from typing import Any

from exporter.simulator.endpoints.history import dn_of
from exporter.simulator.endpoints.profile import NEWEST
from exporter.simulator.endpoints.request import Parameters, Refusal, View, requested_plants
from exporter.simulator.world.fleet import INVERTERS, SimDevice, SimPlant

_PAGE_SIZES = frozenset({10, 20, 30, 50, 100})


def plant_list(view: View, parameters: Parameters) -> Any:
    """2.2: every plant of the account, in MW; newer servers send pages here too."""
    if view.profile.edition == NEWEST and "pageSize" not in parameters:
        raise Refusal(30030)
    if view.profile.edition != "2020":
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
    """2.8: the devices of the requested plants."""
    plants = requested_plants(view, parameters, too_many=20015)
    return [_device(view, device, plant) for plant in plants for device in plant.devices]


def _device(view: View, device: SimDevice, plant: SimPlant) -> dict[str, Any]:
    return {
        "id": device.id,
        "devDn": dn_of(device),
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
