"""A call's view of the fleet, and the checks of its parameters: what fails one raises Refusal."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from exporter.northbound.device_types import DEVICE_TYPES
from exporter.simulator.endpoints.profile import Profile
from exporter.simulator.world.alarms import AlarmHistory
from exporter.simulator.world.fleet import SimDevice, SimPlant
from exporter.simulator.world.plant_state import PlantState
from exporter.simulator.world.upgrades import UpgradeHistory

_MAX_PER_CALL = 100  # plants or devices in a call, unless the interface has its own number
_MAX_TIME = 10**14  # ms; the calendar ends some millennia later
_MILLISECONDS = 1000

Parameters = Mapping[str, Any]


class Refusal(Exception):  # noqa: N818  # because a refusal is an answer here, no error of ours
    """The management system refuses a call, with a failCode."""

    def __init__(self, code: int, *, data: Any = None, message: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.data = data
        self.message = message


@dataclass(frozen=True, slots=True)
class View:
    """What one account sees of the fleet at one instant, and the profile of the answers.

    `state` gives the state of a plant, by its code, at that instant.
    """

    plants: Mapping[str, SimPlant]
    devices: Mapping[int, SimDevice]
    now: float
    state: Callable[[str], PlantState]
    profile: Profile
    alarms: AlarmHistory
    upgrades: UpgradeHistory


def device_type(parameters: Parameters, *, lenient: bool) -> int | None:
    """The requested device type; some servers take it as text only."""
    type_id = parameters.get("devTypeId")
    if isinstance(type_id, str) and type_id.isascii() and type_id.isdigit():
        return int(type_id)
    return type_id if lenient and type(type_id) is int and type_id in DEVICE_TYPES else None


def requested_plants(view: View, parameters: Parameters, *, too_many: int) -> list[SimPlant]:
    """The plants of `stationCodes`; `too_many` is the failCode for more than a call may name."""
    codes = _members(parameters.get("stationCodes"), empty=20010, too_many=too_many)
    if not view.plants.keys() >= set(codes):
        raise Refusal(20007)
    return [view.plants[code] for code in codes]


def requested_devices(
    view: View,
    parameters: Parameters,
    served: Collection[int],
    *,
    too_many: int,
    limit: int = _MAX_PER_CALL,
) -> list[SimDevice]:
    """The devices of `devIds`, all of the type `devTypeId`, which is one of those served."""
    if "devIds" not in parameters:
        raise Refusal(20011)
    ids = _members(parameters["devIds"], empty=20005, too_many=too_many, limit=limit)
    type_id = device_type(parameters, lenient=view.profile.lenient_types)
    if type_id is None or type_id not in served:
        raise Refusal(20013)
    devices = [view.devices.get(_number(text)) for text in ids]
    if None in devices:
        raise Refusal(20008)
    known = [device for device in devices if device is not None]
    if any(device.type_id != type_id for device in known):
        raise Refusal(20006)
    return known


def requested_time(parameters: Parameters, name: str) -> float:
    """A time that is sent in ms, as a number or as text; in s."""
    raw = parameters.get(name)
    if raw is None or raw == "":
        raise Refusal(20012)
    if isinstance(raw, str) and raw.isascii() and raw.isdigit():
        raw = int(raw[: len(str(_MAX_TIME))])
    if type(raw) is not int or not 0 <= raw < _MAX_TIME:
        raise Refusal(30030)
    return raw / _MILLISECONDS


def milliseconds(time: float) -> int:
    """A time in the unit of the answers."""
    return round(time * _MILLISECONDS)


def _number(text: str) -> int:
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()):
        raise Refusal(20005)
    return int(text)


def _members(text: Any, *, empty: int, too_many: int, limit: int = _MAX_PER_CALL) -> list[str]:
    """The members of a list in one text. Blanks, gaps and repetitions are refused as empty."""
    members = text.split(",") if isinstance(text, str) else []
    if not members or len(set(members)) < len(members):
        raise Refusal(empty)
    if not all(members) or any(character.isspace() for member in members for character in member):
        raise Refusal(empty)
    if len(members) > limit:
        raise Refusal(too_many)
    return members
