"""How plants are configured (newer servers): the export limit and the batteries' mode."""

from typing import Any

from exporter.simulator.endpoints.request import Parameters, Refusal, View
from exporter.simulator.world.fleet import BATTERIES, SimPlant

_UTILITY, _HOME = "1", "3"
_SEVERAL_MASTERS, _NO_SETTING = 20609, 20614


def export_limit(view: View, parameters: Parameters) -> Any:
    """The limit of a plant's feed-in: homes may feed in what their modules give, others more."""
    plant = _plant(view, parameters)
    limited = plant.combine_type == _HOME
    return {
        "plantCode": plant.code,
        "controlMode": "limitedPowerGridKW" if limited else "noLimit",
        "zeroExportLimitationParam": None,
        "limitedPowerGridPercentParam": None,
        "limitedPowerGridValueParam": {
            "limitationMode": "totalPower",
            "maxGridFeedInPowerValue": plant.capacity_kw,
        }
        if limited
        else None,
    }


def battery_mode(view: View, parameters: Parameters) -> Any:
    """The rule by which a plant's batteries work: those of homes are for their own use."""
    plant = _plant(view, parameters)
    kilowatt_hours = sum(each.size for each in plant.devices if each.type_id in BATTERIES)
    if not kilowatt_hours:
        raise Refusal(_NO_SETTING)
    at_home = plant.combine_type == _HOME
    return {
        "plantCode": plant.code,
        "operationMode": "maximumSelfConsumption" if at_home else "TOU",
        "touOperationModeParamDetail": None
        if at_home
        else {
            "redundantPVEnergyPriority": "chargePreference",
            "allowedAcChargePower": kilowatt_hours / 4,
            "chargingAndDischargingTimeWindow": [
                {"startTime": "01:00", "endTime": "05:00", "chargeOrDischarge": "charge"}
            ],
        },
    }


def _plant(view: View, parameters: Parameters) -> SimPlant:
    """The one plant asked about; those of utilities have several masters in their network."""
    code = parameters.get("plantCode")
    if not isinstance(code, str) or not code:
        raise Refusal(20010)
    plant = view.plants.get(code)
    if plant is None:
        raise Refusal(20007)
    if plant.combine_type == _UTILITY:
        raise Refusal(_SEVERAL_MASTERS)
    return plant
