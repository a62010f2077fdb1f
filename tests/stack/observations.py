"""Observes the stack: starting up, in good health, in trouble, and recovered."""

from contextlib import suppress
from dataclasses import dataclass
from urllib.error import HTTPError

from stack.expected_empty import NEVER, SOMETIMES, TROUBLES
from stack.queries import ALERTS, PANELS, RECORDS, SERIES

DATA, EMPTY = "data", "empty"

NAMES = (
    "group by (plant_code, plant_name, device_id, device_name) (fusionsolar_device_info"
    " * on (account, plant_code) group_left (plant_name) fusionsolar_plant_info)"
)
# Inverters whose sun is up: that one has stopped is no news by night.
LIT = (
    "fusionsolar_inverter_state_code"
    " and on (account, plant_code) fusionsolar_plant_sun_elevation_degrees > 1"
)
BATTERIES = 'fusionsolar_device_info{device_type="battery"}'
METERS = 'fusionsolar_device_info{device_type="grid_meter"}'

HEALTHY = [*PANELS, *RECORDS, *SERIES, *ALERTS]
MAY_BE_EMPTY = {*TROUBLES, *NEVER, *SOMETIMES, *(key for alert in ALERTS for key in alert.keys)}


@dataclass(frozen=True)
class Observed:
    """The outcomes of queries, what fired or was about to, and what the webhook printed.

    `alarmed` and `stopped` are the two devices of which it must tell.
    """

    health: dict
    firing: set
    trouble: dict
    alarmed: dict
    stopped: dict
    messages: list


def observe(stack):
    """Puts the stack through all phases and returns what was seen."""
    stack.wait(lambda: stack.is_ready("demo"))
    devices = stack.wait(lambda: stack.query(NAMES))
    awaited = [query for query in HEALTHY if query.keys.isdisjoint(MAY_BE_EMPTY)]
    health = outcomes(stack, devices, HEALTHY, awaited)
    firing = {alert["alertname"] for alert in stack.query("ALERTS")}

    alarmed, stopped, meter = (_first(stack, devices, few) for few in (BATTERIES, LIT, METERS))
    alarm = {"device_id": int(alarmed["device_id"]), "alarm_id": 2064}  # a critical one
    number = stack.control("alarms", {"raise": alarm})["number"]
    for fault in _faults(stopped["device_id"], meter["device_id"]):
        stack.control("faults", fault)
    _wait_for(stack, "firing", alarmed, stopped)
    told = [query for query in PANELS if not query.keys.isdisjoint(TROUBLES)]
    trouble = outcomes(stack, devices, told, told)

    stack.control("alarms", {"clear": number})
    stack.end_faults()
    _wait_for(stack, "resolved", alarmed, stopped)
    return Observed(health, firing, trouble, alarmed, stopped, stack.log("webhook").splitlines())


def outcomes(stack, devices, queries, awaited):
    """What became of each query: data, empty, or what is wrong with it.

    The `awaited` ones are asked until they have data, or for long.
    """
    found = {query: _outcome(stack, devices, query) for query in queries}

    def complete():
        missing = [query for query in awaited if found[query] == EMPTY]
        found.update({query: _outcome(stack, devices, query) for query in missing})
        return not missing

    _give_time(stack, complete)
    return found


def _outcome(stack, devices, query):
    try:
        return DATA if any(map(stack.query, query.choices(devices))) else EMPTY
    except HTTPError as wrong:
        with wrong:
            return wrong.read().decode()


def place(device):
    """How a message names a device."""
    return f"{device['device_name']} of plant {device['plant_name']} ({device['plant_code']})"


def _first(stack, devices, expression):
    """The first device, with its names, that has a series of these."""
    ids = {found["device_id"] for found in stack.query(expression)}
    return next(device for device in devices if device["device_id"] in ids)


def _faults(inverter, meter):
    """One shut down, one that reports odd values, one unanswered; some calls fail."""
    devices = {"interface": "getDevRealKpi"}
    yield {"kind": "value", "value": 768, "members": [inverter], **devices}
    yield {"kind": "left_out", "members": [meter], **devices}
    yield {"kind": "unknown_keys", **devices}
    yield {"kind": "odd_values", "interface": "getKpiStationDay"}
    yield {"kind": "fail_code", "every": 2, "interface": "getStationRealKpi"}


def _wait_for(stack, status, alarmed, stopped):
    expected = [
        f"{status}: FusionSolarAlarmCritical: {place(alarmed)}",
        f"{status}: FusionSolarInverterShutDown: {place(stopped)}",
    ]
    _give_time(stack, lambda: all(start in stack.log("webhook") for start in expected))


def _give_time(stack, condition):
    """Waits for a condition. What does not come is told by the test that misses it."""
    with suppress(TimeoutError):
        stack.wait(condition)
