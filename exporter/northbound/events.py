"""From an answer's `data` to what happened: alarms, upgrades, orders, registrations.

Total like `parsing`: a bad item is counted, never raised. Causes and suggestions, which are long
texts for people, and names and telephone numbers of users are never read.
"""

from collections.abc import Collection, Mapping
from typing import Any

from exporter.northbound.codes import ALARM_SEVERITIES, ALARM_TYPES, ALARMS_OVER
from exporter.northbound.errors import word_error
from exporter.northbound.fields import device_id, flag, plant_code, seconds, text, whole
from exporter.northbound.items import parsed, reading
from exporter.northbound.records import Alarm, Parsed, Registration, Upgrade, UpgradeOrder

_UPGRADE_NUMBERS = ("lastUpgradeTime", "process", "upgradeResult")


def alarms(data: Any, asked: Collection[str]) -> Parsed[Alarm]:
    """Reads an alarm list (reference 2.16); `asked` holds plant codes.

    Codes and times come as numbers or as text. An occurrence has no id of its own: it is known by
    plant, serial number, alarm, cause and time.
    """
    wanted = frozenset(asked)

    def alarm(item: Mapping[str, Any]) -> tuple[tuple[str | float, ...], Alarm] | str:
        code, alarm_id = plant_code(item), text(item.get("alarmId")).strip()
        raised = seconds(item.get("raiseTime"))
        if not code or not alarm_id or raised is None:
            return "wrong_type"
        if code not in wanted:
            return "not_asked_for"
        serial, cause_id = text(item.get("esnCode")), text(item.get("causeId")).strip()
        status = whole(item.get("status"))
        return (code, serial, alarm_id, cause_id, raised), Alarm(
            plant_code=code,
            serial_number=serial,
            alarm_id=alarm_id,
            cause_id=cause_id,
            raised=raised,
            name=text(item.get("alarmName")),
            device_name=text(item.get("devName")),
            severity=_name(ALARM_SEVERITIES, item.get("lev")),
            type=_name(ALARM_TYPES, item.get("alarmType")),
            status=status,
            active=not _has_recovered(item) if status is None else status not in ALARMS_OVER,
        )

    return parsed(data, alarm)


def upgrades(data: Any, asked: Collection[str]) -> Parsed[Upgrade]:
    """Reads the last upgrades of devices (reference 2.15); `asked` holds device ids."""
    wanted = frozenset(asked)

    def upgrade(item: Mapping[str, Any]) -> tuple[str, Upgrade] | str:
        identity = device_id(item.get("devId"))
        if not identity:
            return "wrong_type"
        if identity not in wanted:
            return "not_asked_for"
        return identity, Upgrade(
            reading=reading(identity, {key: item.get(key) for key in _UPGRADE_NUMBERS}),
            source_version=text(item.get("sourceVersion")),
            target_version=text(item.get("targetVersion")),
        )

    return parsed(data, upgrade)


def upgrade_orders(data: Any, asked: Collection[str]) -> Parsed[UpgradeOrder]:
    """Reads what became of orders to upgrade (reference 2.14); `asked` holds device ids."""
    wanted = frozenset(asked)

    def order(item: Mapping[str, Any]) -> tuple[str, UpgradeOrder] | str:
        identity, accepted = device_id(item.get("devId")), flag(item.get("result"))
        if not identity or accepted is None:
            return "wrong_type"
        if identity not in wanted:
            return "not_asked_for"
        return identity, UpgradeOrder(identity, accepted, whole(item.get("failCode")) or 0)

    return parsed(data, order)


def registrations(data: Any, asked: Collection[str]) -> Parsed[Registration]:
    """Reads which serial numbers are registered (reference 2.17); `asked` holds serial numbers.

    Here `data` is `{"detail": {serial number: yes or no}, "key": …}`, or null.
    """
    wanted = frozenset(asked)

    def registration(item: Mapping[str, Any]) -> tuple[str, Registration] | str:
        serial, registered = text(item["serial"]), flag(item["registered"])
        if not serial or registered is None:
            return "wrong_type"
        if serial not in wanted:
            return "not_asked_for"
        return serial, Registration(serial, registered)

    detail = _detail(data).items()
    return parsed([{"serial": serial, "registered": raw} for serial, raw in detail], registration)


def _detail(data: Any) -> Mapping[Any, Any]:
    match data:
        case None | {"detail": None}:
            return {}
        case {"detail": dict() as detail}:
            return detail
        case _:
            raise word_error("malformed", enveloped=True)


def _name(table: Mapping[int, str], raw: object) -> str:
    code = whole(raw)
    return "unknown" if code is None else table.get(code, "unknown")


def _has_recovered(item: Mapping[str, Any]) -> bool:
    """Newer servers leave the status out and tell the time of recovery instead."""
    return seconds(item.get("recoveryTime")) is not None
