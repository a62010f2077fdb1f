"""snIsRegister (reference 2.17): which serial numbers a user has registered."""

from collections.abc import Collection
from typing import Any

from exporter.northbound.interfaces import INTERFACES
from exporter.simulator.endpoints.request import Parameters, Refusal, View

OWNER = "owner@example.com"  # who has registered everything, unless the profile names owners
_MOST = INTERFACES["snIsRegister"].batch
_MAX_KEY_LENGTH = 256


def registrations(view: View, parameters: Parameters) -> Any:
    """2.17: of each serial number, whether the user has registered it; `key` comes back.

    A refusal has no failCode of its own: its message gives the reason, its data what was sent.
    """
    serials, user, key = (parameters.get(name) or "" for name in ("SN", "userName", "key"))
    requested = serials.split(",") if isinstance(serials, str) else []
    registered = _registered_by(view, user)
    for wrong, message in (
        (not all(requested) or not requested, "SN cannot be empty"),
        (
            len(requested) > _MOST,
            f"a maximum of {_MOST} SNs can be queried at a time",
        ),
        (len(str(key)) > _MAX_KEY_LENGTH, f"key contains more than {_MAX_KEY_LENGTH} characters"),
        (not user, "userName cannot be empty"),
        (registered is None, "user does not exist"),
    ):
        if wrong:
            raise Refusal(0, data={"SN": serials, "userName": user, "key": key}, message=message)
    return {"detail": {serial: serial in (registered or ()) for serial in requested}, "key": key}


def _registered_by(view: View, user: Any) -> Collection[str] | None:
    """The serial numbers of a user, None for one who does not exist."""
    if view.profile.owners is not None:
        return view.profile.owners.get(str(user))
    serials = frozenset(device.esn for device in view.devices.values() if device.esn)
    return serials if user == OWNER else None
