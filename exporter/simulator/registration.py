"""What snIsRegister answers (reference 2.17): which serial numbers a user has registered."""

from collections.abc import Collection
from typing import Any

from exporter.northbound.interfaces import INTERFACES
from exporter.simulator.answers import Refusal
from exporter.simulator.asking import Parameters, View

OWNER = "owner@example.com"  # who has registered everything, unless the system is told otherwise
_MOST = INTERFACES["snIsRegister"].batch
_LONGEST_KEY = 256


def registrations(view: View, parameters: Parameters) -> Any:
    """2.17: of each serial number, whether the user has registered it; `key` comes back.

    A refusal has no failCode of its own: it is told by the message, and echoes what was sent.
    """
    serials, user, key = (parameters.get(name) or "" for name in ("SN", "userName", "key"))
    asked = serials.split(",") if isinstance(serials, str) else []
    owned = _owned(view, user)
    for wrong, message in (
        (not all(asked) or not asked, "SN cannot be empty"),
        (len(asked) > _MOST, f"a maximum of {_MOST} SNs can be queried at a time"),
        (len(str(key)) > _LONGEST_KEY, f"key contains more than {_LONGEST_KEY} characters"),
        (not user, "userName cannot be empty"),
        (owned is None, "user does not exist"),
    ):
        if wrong:
            raise Refusal(0, data={"SN": serials, "userName": user, "key": key}, message=message)
    return {"detail": {serial: serial in (owned or ()) for serial in asked}, "key": key}


def _owned(view: View, user: Any) -> Collection[str] | None:
    """The serial numbers of a user, None for one who does not exist."""
    if view.traits.owners is not None:
        return view.traits.owners.get(str(user))
    serials = frozenset(device.esn for device in view.devices.values() if device.esn)
    return serials if user == OWNER else None
