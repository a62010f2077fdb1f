"""The HTTP endpoints that control a running simulator: faults, the fleet, alarms, calls."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from exporter.simulator.http.system import System
from exporter.simulator.world.fleet import Fleet, SimDevice, SimPlant

# What POST /simulator/fleet takes as `do`, with the other members as arguments.
_CHANGES: Mapping[str, Callable[..., None]] = {
    "add_plant": lambda fleet, **fields: fleet.add_plant(SimPlant(**fields)),
    "remove_plant": Fleet.remove_plant,
    "rename_plant": Fleet.rename_plant,
    "add_device": lambda fleet, **fields: fleet.add_device(SimDevice(**fields)),
    "remove_device": Fleet.remove_device,
    "rename_device": Fleet.rename_device,
    "move_device": Fleet.move_device,
}

# What POST /simulator/alarms takes: one member, and what it does with its value.
_ALARMS: Mapping[str, Callable[[System, Any], int | None]] = {
    "raise": lambda system, fields: system.raise_alarm(**fields),
    "acknowledge": System.acknowledge,
    "clear": System.clear,
}


def _refusal_response(error: Exception) -> Response:
    """What is wrong with a request; a KeyError says no more than what is not there."""
    reason = f"there is no {error}" if isinstance(error, KeyError) else str(error)
    return JSONResponse({"error": reason}, status_code=400)


def control_routes(system: System) -> list[Route]:
    """`/simulator/faults`, `/simulator/fleet`, `/simulator/alarms` and `/simulator/calls`."""

    async def add_fault(request: Request) -> Response:
        try:
            fault = system.faults.add(**await request.json())
        except (ValueError, TypeError) as error:
            return _refusal_response(error)
        return JSONResponse({**asdict(fault), "members": sorted(fault.members)})

    async def clear_faults(_request: Request) -> Response:
        system.faults.clear()
        return Response(status_code=204)

    async def change_fleet(request: Request) -> Response:
        try:
            change = await request.json()
            _CHANGES[change.pop("do")](system.fleet, **change)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            return _refusal_response(error)
        return Response(status_code=204)

    async def change_alarms(request: Request) -> Response:
        try:
            [(action, value)] = (await request.json()).items()
            number = _ALARMS[action](system, value)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            return _refusal_response(error)
        return Response(status_code=204) if number is None else JSONResponse({"number": number})

    async def calls(_request: Request) -> Response:
        return JSONResponse(
            [
                {
                    "account": account,
                    "interface": interface,
                    "arrivals": list(log.arrivals),
                    "refusals": list(log.refusals),
                }
                for (account, interface), log in system.calls.accounts().items()
            ]
        )

    return [
        Route("/simulator/faults", add_fault, methods=["POST"]),
        Route("/simulator/faults", clear_faults, methods=["DELETE"]),
        Route("/simulator/fleet", change_fleet, methods=["POST"]),
        Route("/simulator/alarms", change_alarms, methods=["POST"]),
        Route("/simulator/calls", calls, methods=["GET"]),
    ]
