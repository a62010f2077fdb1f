"""What a call sees and asks for: the account's view of the fleet, the checks of its parameters."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from exporter.northbound.codes import DEVICE_TYPES
from exporter.simulator.alarms import AlarmBook
from exporter.simulator.answers import Refusal
from exporter.simulator.fleet import SimDevice, SimPlant
from exporter.simulator.moment import Moment
from exporter.simulator.traits import Traits
from exporter.simulator.upgrades import UpgradeBook

_MOST = 100  # plants or devices in a call, unless the interface has its own number
_LATEST = 10**14  # ms; the calendar ends some millennia later
_MILLISECONDS = 1000

Parameters = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class View:
    """What one account sees of the fleet at one instant, and how it is to be told.

    `moment` gives a plant, by its code, at that instant.
    """

    plants: Mapping[str, SimPlant]
    devices: Mapping[int, SimDevice]
    now: float
    moment: Callable[[str], Moment]
    traits: Traits
    alarms: AlarmBook
    upgrades: UpgradeBook


def device_type(parameters: Parameters, *, lenient: bool) -> int | None:
    """The asked device type; some servers take it as text only."""
    type_id = parameters.get("devTypeId")
    if isinstance(type_id, str) and type_id.isascii() and type_id.isdigit():
        return int(type_id)
    return type_id if lenient and type(type_id) is int and type_id in DEVICE_TYPES else None


def asked_plants(view: View, parameters: Parameters, *, too_many: int) -> list[SimPlant]:
    """The plants of `stationCodes`; `too_many` is the failCode for more than a call may name."""
    codes = _asked(parameters.get("stationCodes"), empty=20010, too_many=too_many)
    if not view.plants.keys() >= set(codes):
        raise Refusal(20007)
    return [view.plants[code] for code in codes]


def asked_devices(
    view: View, parameters: Parameters, served: Collection[int], *, too_many: int, most: int = _MOST
) -> list[SimDevice]:
    """The devices of `devIds`, all of the type `devTypeId`, which is one of those served."""
    if "devIds" not in parameters:
        raise Refusal(20011)
    ids = _asked(parameters["devIds"], empty=20005, too_many=too_many, most=most)
    type_id = device_type(parameters, lenient=view.traits.lenient_types)
    if type_id is None or type_id not in served:
        raise Refusal(20013)
    devices = [view.devices.get(_number(text)) for text in ids]
    if None in devices:
        raise Refusal(20008)
    known = [device for device in devices if device is not None]
    if any(device.type_id != type_id for device in known):
        raise Refusal(20006)
    return known


def asked_time(parameters: Parameters, name: str) -> float:
    """A time that is sent in ms, as a number or as text; in s."""
    raw = parameters.get(name)
    if raw is None or raw == "":
        raise Refusal(20012)
    if isinstance(raw, str) and raw.isascii() and raw.isdigit():
        raw = int(raw[: len(str(_LATEST))])
    if type(raw) is not int or not 0 <= raw < _LATEST:
        raise Refusal(30030)
    return raw / _MILLISECONDS


def milliseconds(time: float) -> int:
    """A time as answers tell it."""
    return round(time * _MILLISECONDS)


def _number(text: str) -> int:
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()):
        raise Refusal(20005)
    return int(text)


def _asked(text: Any, *, empty: int, too_many: int, most: int = _MOST) -> list[str]:
    """The members of a list in one text. Blanks, gaps and repetitions are refused as empty."""
    members = text.split(",") if isinstance(text, str) else []
    if not members or len(set(members)) < len(members):
        raise Refusal(empty)
    if not all(members) or any(character.isspace() for member in members for character in member):
        raise Refusal(empty)
    if len(members) > most:
        raise Refusal(too_many)
    return members
