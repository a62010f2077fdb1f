"""devUpgrade and getDevUpgradeInfo (reference 2.14, 2.15)."""

from typing import Any

from exporter.northbound.interfaces import INTERFACES
from exporter.simulator.endpoints.request import (
    Parameters,
    Refusal,
    View,
    milliseconds,
    requested_devices,
)
from exporter.simulator.world.fleet import SimDevice

_ORDER = INTERFACES["devUpgrade"]


def _devices(view: View, parameters: Parameters) -> list[SimDevice]:
    return requested_devices(
        view, parameters, _ORDER.device_types, too_many=20018, limit=_ORDER.batch
    )


def order_upgrades(view: View, parameters: Parameters) -> Any:
    """2.14: orders the upgrade of each device, and gives the outcome of each order."""
    devices = _devices(view, parameters)
    codes = [(device.id, view.upgrades.order(device, view.now)) for device in devices]
    return [{"devId": number, "result": not code, "failCode": code} for number, code in codes]


def upgrade_records(view: View, parameters: Parameters) -> Any:
    """2.15: the last upgrade of each device that had one."""
    devices = _devices(view, parameters)
    records = [(device.id, view.upgrades.record(device.id)) for device in devices]
    rows = [
        {
            "devId": number,
            "lastUpgradeTime": milliseconds(record.ordered),
            "sourceVersion": record.source,
            "targetVersion": record.target,
            "process": record.process(view.now),
            "upgradeResult": record.result(view.now),
        }
        for number, record in records
        if record is not None
    ]
    if not rows:
        raise Refusal(20022)
    return rows
