"""What plants and devices are: info metrics, capacity, place, and the sun above them."""

from collections.abc import Iterable, Mapping
from math import radians, sin
from statistics import fmean

from exporter.catalogue.model import Metric
from exporter.exposition.families import (
    ACCOUNT_INFO,
    CAPACITY,
    CLEAR_SKY_IRRADIANCE,
    DEVICE_INFO,
    LATITUDE,
    LONGITUDE,
    PLANT_INFO,
    SUN_ELEVATION,
)
from exporter.exposition.samples import Labels, render
from exporter.northbound.device_types import device_type_slug
from exporter.northbound.enums import BUILD_STATES, CONNECTION_TYPES
from exporter.northbound.records import Device, Plant
from exporter.sky import Place, global_horizontal, seen_elevation


def plant_labels(account: str, code: str) -> dict[str, str]:
    """What identifies a plant's series."""
    return {"account": account, "plant_code": code}


def device_labels(account: str, device: Device) -> dict[str, str]:
    """What identifies a device's series."""
    return {"account": account, "plant_code": device.plant_code, "device_id": device.id}


def render_inventory(
    account: str,
    currency: str,
    plants: Mapping[str, Plant],
    devices: Mapping[str, Device],
    places: Mapping[str, Place],
) -> Mapping[Metric, bytes]:
    """The lines about an account and its fleet; `places` are as `places_of` gives them."""
    samples: dict[Metric, list[tuple[Labels, float]]] = {
        ACCOUNT_INFO: [({"account": account, "currency": currency}, 1)],
        PLANT_INFO: [(_plant_info(account, plant), 1) for plant in plants.values()],
        CAPACITY: [
            (plant_labels(account, plant.code), plant.capacity_watts)
            for plant in plants.values()
            if plant.capacity_watts is not None
        ],
        LATITUDE: [(plant_labels(account, c), round(p[0], 3)) for c, p in places.items()],
        LONGITUDE: [(plant_labels(account, c), round(p[1], 3)) for c, p in places.items()],
        DEVICE_INFO: [(_device_info(account, device), 1) for device in devices.values()],
    }
    return {metric: render(metric, lines) for metric, lines in samples.items() if lines}


def _plant_info(account: str, plant: Plant) -> Labels:
    return plant_labels(account, plant.code) | {
        "plant_name": plant.name,
        "build_state": BUILD_STATES.get(plant.build_state, plant.build_state),
        "connection_type": CONNECTION_TYPES.get(plant.connection_type, plant.connection_type),
    }


def _device_info(account: str, device: Device) -> Labels:
    return device_labels(account, device) | {
        "device_name": device.name,
        "device_type": device_type_slug(device.type_id),
        "model": device.model,
        "serial_number": device.serial_number,
        "software_version": device.software_version,
    }


def places_of(
    plants: Mapping[str, Plant], devices: Mapping[str, Device], configured: Mapping[str, Place]
) -> Mapping[str, Place]:
    """Latitude and longitude by plant code: configured, listed, or the mean of its devices'."""
    of_devices: dict[str, list[Place]] = {}
    for device in devices.values():
        if device.latitude is not None and device.longitude is not None:
            of_devices.setdefault(device.plant_code, []).append((device.latitude, device.longitude))
    found: dict[str, Place] = {}
    for code, plant in plants.items():
        if code in configured:
            found[code] = configured[code]
        elif plant.latitude is not None and plant.longitude is not None:
            found[code] = (plant.latitude, plant.longitude)
        elif code in of_devices:
            found[code] = _mean(of_devices[code])
    return found


def _mean(places: Iterable[Place]) -> Place:
    latitudes, longitudes = zip(*places, strict=True)
    # Beyond the date line, 181 degrees are as good as -179.
    near = [longitudes[0] + _wrap_longitude(longitude - longitudes[0]) for longitude in longitudes]
    return fmean(latitudes), _wrap_longitude(fmean(near))


def _wrap_longitude(degrees: float) -> float:
    """The same direction, from -180 to 180."""
    return degrees if abs(degrees) <= 180 else (degrees + 180) % 360 - 180  # noqa: PLR2004  # it says so


def render_sun(account: str, places: Mapping[str, Place], wall: float) -> Mapping[Metric, bytes]:
    """The lines about the sun over the plants of an account; `wall` is seconds since the epoch."""
    heights = {code: seen_elevation(place, wall) for code, place in places.items()}
    samples: dict[Metric, list[tuple[Labels, float]]] = {
        SUN_ELEVATION: [
            (plant_labels(account, code), round(height, 2)) for code, height in heights.items()
        ],
        CLEAR_SKY_IRRADIANCE: [
            (plant_labels(account, code), round(global_horizontal(sin(radians(height))), 1))
            for code, height in heights.items()
        ],
    }
    return {metric: render(metric, lines) for metric, lines in samples.items() if lines}
