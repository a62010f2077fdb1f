"""getAlarmList (reference 2.16): its checks, its filters, its items."""

from collections.abc import Callable, Mapping
from typing import Any

from exporter.northbound.interfaces import DAY, INTERFACES
from exporter.simulator.endpoints.profile import EDITIONS
from exporter.simulator.endpoints.request import (
    Parameters,
    Refusal,
    View,
    milliseconds,
    requested_plants,
    requested_time,
)
from exporter.simulator.world.alarms import SimAlarm
from exporter.simulator.world.fleet import SimDevice, SimPlant

_LONGEST = 31 * DAY
_OLDEST = 365 * DAY
_MAX_DEVICES = INTERFACES["getAlarmList"].max_devices_per_call

# The optional parameters that list codes, and the field of an alarm each of them is about.
_FILTERS: Mapping[str, str] = {
    "status": "status",
    "levels": "lev",
    "devTypes": "devTypeId",
    "types": "alarmType",
}


def alarm_list(view: View, parameters: Parameters) -> Any:
    """2.16: the alarms of the requested plants that were raised in a period of at most 31 days."""
    plants = requested_plants(view, parameters, too_many=20015)
    most = _MAX_DEVICES[EDITIONS[view.profile.edition]]
    if len(plants) > 1 and sum(len(plant.devices) for plant in plants) > most:
        raise Refusal(20016)
    begin, end = _period(view, parameters)
    language = _language(view, parameters)
    filters = [_filter(parameters, name, field) for name, field in _FILTERS.items()]
    name = str(parameters.get("devName") or "")
    items = []
    for alarm, plant, device in view.alarms.listed(plants, begin, end, view.now):
        cleared = alarm.cleared_at(view.now)
        item = _item(view, alarm, plant, device, language)
        if cleared is not None and not view.profile.keeps_cleared:
            continue
        if name in device.name and all(passes(item) for passes in filters):
            items.append(_formatted(view, item, cleared))
    return items


def _period(view: View, parameters: Parameters) -> tuple[float, float]:
    begin, end = requested_time(parameters, "beginTime"), requested_time(parameters, "endTime")
    if begin > end:
        raise Refusal(20023)
    if begin < view.now - _OLDEST:
        raise Refusal(20026)
    if end - begin > _LONGEST:
        raise Refusal(20027)
    return begin, end


def _language(view: View, parameters: Parameters) -> str:
    language = parameters.get("language")
    if not language:
        raise Refusal(20024)
    if not isinstance(language, str) or language not in view.profile.languages:
        raise Refusal(20025)
    return language


def _filter(parameters: Parameters, name: str, field: str) -> Callable[[Mapping[str, Any]], bool]:
    """Whether an alarm is of those that a list of codes names; blanks beside commas are allowed."""
    text = parameters.get(name)
    if not text:
        return lambda _item: True
    codes = [code.strip() for code in text.split(",")] if isinstance(text, str) else [""]
    if not all(code.isascii() and code.isdigit() for code in codes):
        raise Refusal(30030)
    numbers = frozenset(map(int, codes))
    return lambda item: item[field] in numbers


def _item(
    view: View, alarm: SimAlarm, plant: SimPlant, device: SimDevice, language: str
) -> dict[str, Any]:
    kind = alarm.kind
    return {
        "stationCode": plant.code,
        "alarmName": kind.names.get(language, kind.name) if view.profile.localised else kind.name,
        "devName": device.name,
        "repairSuggestion": kind.suggestion,
        "esnCode": device.esn,
        "devTypeId": device.type_id,
        "causeId": kind.cause_id,
        "alarmCause": kind.cause,
        "alarmType": kind.type,
        "raiseTime": milliseconds(alarm.raised),
        "alarmId": kind.alarm_id,
        "stationName": plant.name,
        "lev": kind.level,
        "status": alarm.status(view.now),
    }


def _formatted(view: View, item: dict[str, Any], cleared: float | None) -> dict[str, Any]:
    """The item in the format of this system."""
    if view.profile.alarms_without_status:
        del item["status"]
        item["recoveryTime"] = None if cleared is None else milliseconds(cleared)
    if view.profile.alarms_as_text:
        return {key: str(value) if type(value) is int else value for key, value in item.items()}
    return item
