"""What each interface answers: one function an interface, and the checks of its parameters."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from exporter.northbound.codes import DEVICE_TYPES
from exporter.northbound.interfaces import INTERFACES
from exporter.simulator.answers import Refusal
from exporter.simulator.fleet import INVERTERS, SimDevice, SimPlant
from exporter.simulator.kpis import DEVICE_KPIS, plant_kpis
from exporter.simulator.moment import Moment

_PAGE_SIZES = frozenset({10, 20, 30, 50, 100})


@dataclass(frozen=True, slots=True)
class View:
    """What one account sees of the fleet at one instant, and how it is to be told."""

    plants: Mapping[str, SimPlant]
    devices: Mapping[int, SimDevice]
    moment: Callable[[str], Moment]
    kpis_as_text: bool = False
    paged_list: bool = False
    lenient_types: bool = False


Parameters = Mapping[str, Any]


def plant_list(view: View, parameters: Parameters) -> Any:
    """2.2: every plant of the account, in MW; newer servers send pages here too."""
    if view.paged_list:
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
    plants = _asked_plants(view, parameters, too_many=20015)
    return [_device(device, plant) for plant in plants for device in plant.devices]


def _device(device: SimDevice, plant: SimPlant) -> dict[str, Any]:
    return {
        "id": device.id,
        "devDn": f"NE={device.id}",
        "devName": device.name,
        "stationCode": plant.code,
        "esnCode": device.esn,
        "devTypeId": device.type_id,
        "softwareVersion": device.software_version,
        "invType": device.model if device.type_id in INVERTERS else None,
        "model": device.model or None,
        "longitude": plant.longitude,
        "latitude": plant.latitude,
        "optimizerNumber": 0,
    }


def plant_values(view: View, parameters: Parameters) -> Any:
    """2.3: real-time values of the asked plants."""
    asked = _asked_plants(view, parameters, too_many=20014)
    readings = ((plant.code, plant_kpis(view.moment(plant.code))) for plant in asked)
    if not view.kpis_as_text:
        return [{"stationCode": code, "dataItemMap": values} for code, values in readings]
    return [
        {"stationCode": code, "dataItemMap": {key: str(value) for key, value in values.items()}}
        for code, values in readings
    ]


def device_values(view: View, parameters: Parameters) -> Any:
    """2.9: real-time values of the asked devices, all of one type."""
    if "devIds" not in parameters:
        raise Refusal(20011)
    ids = _asked(parameters["devIds"], empty=20005, too_many=20016)
    type_id = device_type(parameters, lenient=view.lenient_types)
    if type_id is None or type_id not in DEVICE_KPIS:
        raise Refusal(20013)
    devices = [view.devices.get(_number(text)) for text in ids]
    if None in devices:
        raise Refusal(20008)
    known = [device for device in devices if device is not None]
    if any(device.type_id != type_id for device in known):
        raise Refusal(20006)
    report = DEVICE_KPIS[type_id]
    return [
        {"devId": device.id, "dataItemMap": report(device, view.moment(device.plant_code))}
        for device in known
    ]


def device_type(parameters: Parameters, *, lenient: bool) -> int | None:
    """The asked device type; some servers take it as text only."""
    type_id = parameters.get("devTypeId")
    if isinstance(type_id, str) and type_id.isascii() and type_id.isdigit():
        return int(type_id)
    return type_id if lenient and type(type_id) is int and type_id in DEVICE_TYPES else None


def _number(text: str) -> int:
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()):
        raise Refusal(20005)
    return int(text)


def _asked_plants(view: View, parameters: Parameters, *, too_many: int) -> Iterable[SimPlant]:
    codes = _asked(parameters.get("stationCodes"), empty=20010, too_many=too_many)
    if not view.plants.keys() >= set(codes):
        raise Refusal(20007)
    return [view.plants[code] for code in codes]


def _asked(text: Any, *, empty: int, too_many: int) -> list[str]:
    """The members of a list in one text. Blanks, gaps and repetitions are refused as empty."""
    members = text.split(",") if isinstance(text, str) else []
    if not members or len(set(members)) < len(members):
        raise Refusal(empty)
    if not all(members) or any(character.isspace() for member in members for character in member):
        raise Refusal(empty)
    if len(members) > INTERFACES["getDevRealKpi"].batch:
        raise Refusal(too_many)
    return members


# What is answered; every other interface of the reference is beyond each account's permissions.
DESK: Mapping[str, Callable[[View, Parameters], Any]] = {
    "getStationList": plant_list,
    "stations": plant_pages,
    "getDevList": device_list,
    "getStationRealKpi": plant_values,
    "getDevRealKpi": device_values,
}
