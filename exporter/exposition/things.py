"""What things are: info metrics of account, plants, devices; capacity, place, last reports."""

from collections.abc import Iterable, Mapping
from statistics import fmean

from exporter.catalogue.model import Kind, Metric
from exporter.exposition.alarms import ALARMS, ALARMS_TOTAL
from exporter.exposition.blocks import Source
from exporter.exposition.page import Labels, render
from exporter.northbound.codes import BUILD_STATES, CONNECTION_TYPES, device_type_slug
from exporter.northbound.interfaces import Subject
from exporter.northbound.records import Device, Plant

ACCOUNT_INFO = Metric(
    "fusionsolar_account_info",
    Kind.INFO,
    "The currency of an account's revenues as configured, empty if it is not.",
    labels=("currency",),
)
PLANT_INFO = Metric(
    "fusionsolar_plant_info",
    Kind.INFO,
    "A plant's name, build state and kind of grid connection, from the plant list.",
    labels=("plant_name", "build_state", "connection_type"),
)
CAPACITY = Metric(
    "fusionsolar_plant_capacity_watts",
    Kind.GAUGE,
    "Installed capacity of a plant, from the plant list.",
    unit="watts",
)
LATITUDE = Metric(
    "fusionsolar_plant_latitude_degrees",
    Kind.GAUGE,
    "Latitude of a plant to three decimals, north positive: configured, listed, or the mean of "
    "its devices'.",
    unit="degrees",
)
LONGITUDE = Metric(
    "fusionsolar_plant_longitude_degrees",
    Kind.GAUGE,
    "Longitude of a plant to three decimals, east positive: configured, listed, or the mean of "
    "its devices'.",
    unit="degrees",
)
SUN_ELEVATION = Metric(
    "fusionsolar_plant_sun_elevation_degrees",
    Kind.GAUGE,
    "Height of the sun above the horizon at a plant whose place is known, negative at night; "
    "reckoned by the exporter, at most a minute old.",
    unit="degrees",
)
DEVICE_INFO = Metric(
    "fusionsolar_device_info",
    Kind.INFO,
    "A device's name, type, model, serial number and software version, from the device list.",
    labels=("device_name", "device_type", "model", "serial_number", "software_version"),
)
PLANT_LAST_READING = Metric(
    "fusionsolar_plant_last_reading_timestamp_seconds",
    Kind.GAUGE,
    "When an answer last held values of this plant.",
    unit="seconds",
)
DEVICE_LAST_READING = Metric(
    "fusionsolar_device_last_reading_timestamp_seconds",
    Kind.GAUGE,
    "When the last values of this device were measured, where the answer tells it; "
    "otherwise when an answer last held values of it.",
    unit="seconds",
)
UPGRADE_INFO = Metric(
    "fusionsolar_device_upgrade_info",
    Kind.INFO,
    "The software versions before and after a device's last upgrade.",
    labels=("source_version", "target_version"),
)
# All metrics that neither come from the catalogue nor are the exporter's own.
THINGS = (
    ACCOUNT_INFO,
    PLANT_INFO,
    CAPACITY,
    LATITUDE,
    LONGITUDE,
    SUN_ELEVATION,
    DEVICE_INFO,
    PLANT_LAST_READING,
    DEVICE_LAST_READING,
    UPGRADE_INFO,
    *ALARMS,
)
LAST_READINGS = {Subject.PLANTS: PLANT_LAST_READING, Subject.DEVICES: DEVICE_LAST_READING}
# What is told of these lasts as long as the plant or device does: it never ages.
LASTING = {
    metric: Source(metric.name, subject, ages=False)
    for metric, subject in (
        (PLANT_LAST_READING, Subject.PLANTS),
        (DEVICE_LAST_READING, Subject.DEVICES),
        (UPGRADE_INFO, Subject.DEVICES),
        (ALARMS_TOTAL, Subject.PLANTS),
    )
}

Place = tuple[float, float]


def plant_labels(account: str, code: str) -> dict[str, str]:
    """What identifies a plant's series."""
    return {"account": account, "plant_code": code}


def device_labels(account: str, device: Device) -> dict[str, str]:
    """What identifies a device's series."""
    return {"account": account, "plant_code": device.plant_code, "device_id": device.id}


def render_things(
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
    near = [longitudes[0] + _half_turn(longitude - longitudes[0]) for longitude in longitudes]
    return fmean(latitudes), _half_turn(fmean(near))


def _half_turn(degrees: float) -> float:
    """The same direction, from -180 to 180."""
    return degrees if abs(degrees) <= 180 else (degrees + 180) % 360 - 180  # noqa: PLR2004  # it says so
