"""The management system itself: HTTP requests in, answers out, by a clock it is given."""

import json
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from exporter.northbound.interfaces import (
    INTERFACES,
    MINUTE,
    PAGED_PLANT_LIST_PATH,
    PLANT_LIST,
    Interface,
)
from exporter.simulator.alarm_kinds import KINDS, Kind
from exporter.simulator.alarms import ACKNOWLEDGED, CLEARED_BY_DEVICE, AlarmBook, SimAlarm
from exporter.simulator.answers import (
    LOG_IN_AGAIN,
    TOO_OFTEN,
    Answer,
    Call,
    Refusal,
    failure,
    success,
    token_headers,
)
from exporter.simulator.asking import View, device_type
from exporter.simulator.desk import DESK
from exporter.simulator.faults import Faults
from exporter.simulator.fleet import Fleet, SimDevice, SimPlant
from exporter.simulator.limits import CallLog, Size
from exporter.simulator.moment import Moment
from exporter.simulator.sessions import Sessions, User
from exporter.simulator.traits import Traits
from exporter.simulator.upgrades import UpgradeBook

PAGES = PAGED_PLANT_LIST_PATH.rpartition("/")[2]

# By path: the name an interface is known by here, and the row whose allowance it spends.
_PATHS: Mapping[str, tuple[str, Interface]] = {
    **{row.path: (row.name, row) for row in INTERFACES.values()},
    PAGED_PLANT_LIST_PATH: (PAGES, PLANT_LIST),
}

# Interfaces that need another one's permission besides their own (reference 2.15).
_NEEDED: Mapping[str, str] = {"getDevUpgradeInfo": "devUpgrade"}


class System:
    """A management system over a fleet.

    Args:
        fleet: What it manages; may change while it runs.
        clock: Epoch seconds. Nothing here looks at another clock.
        edition: Whose limits hold: `classic`, `v6` or `safe` (both).
        minute: How many seconds a minute of the limits and of the login lock lasts.
        refusals_count: Whether a call refused with 407 spends the allowance too.
        users: Accounts by name; a text is a password.
        session_seconds: How long a session lasts from its login on.
        faults: What goes wrong; may change while it runs.
        traits: The fields of Traits.
    """

    def __init__(  # noqa: PLR0913  # because each has a default
        self,
        fleet: Fleet,
        *,
        clock: Callable[[], float],
        edition: str = "safe",
        minute: float = MINUTE,
        refusals_count: bool = True,
        users: Mapping[str, User | str] | None = None,
        session_seconds: float = 1800.0,
        faults: Faults | None = None,
        **traits: Any,
    ) -> None:
        self.fleet = fleet
        self.faults = faults if faults is not None else Faults()
        self.calls = CallLog(edition, minute=minute, refusals_count=refusals_count)
        self.users = {
            name: User(user) if isinstance(user, str) else user
            for name, user in (users or {"demo": "demo"}).items()
        }
        self.sessions = Sessions(
            self.users, seed=fleet.seed, seconds=session_seconds, scale=minute / MINUTE
        )
        self._clock = clock
        self._shares: dict[str, _Share] = {}
        self.traits = Traits(**traits)
        self.alarms = AlarmBook(
            seed=fleet.seed,
            every=self.traits.alarm_every if self.traits.alarm_history else None,
        )
        self.upgrades = UpgradeBook(seconds=self.traits.upgrade_seconds)

    def size(self, account: str) -> Size:
        """How large the account's fleet is now."""
        return self._share(account).size

    def allowed_calls(self, interface: str, seconds: float, account: str = "demo") -> int:
        """The most calls that so many seconds, begun with a fresh log, have room for."""
        return self.calls.allowed_calls(interface, seconds, self.size(account))

    def raise_alarm(
        self,
        device_id: int,
        *,
        raised: float | None = None,
        visible: float | None = None,
        **kind: Any,
    ) -> int:
        """Raises an alarm of a device and gives its number. Raises KeyError.

        It is raised now, and listed at once, unless told otherwise; a `raised` of hours ago makes
        it a late one. `kind` holds fields of Kind, by default those of the kind with its alarm_id.
        """
        now, device = self._clock(), self.fleet.devices[device_id]
        alarm_id = kind.pop("alarm_id", next(iter(KINDS)))
        chosen = replace(KINDS.get(alarm_id) or Kind(alarm_id, f"Alarm {alarm_id}"), **kind)
        return self.alarms.add(
            SimAlarm(
                device.id,
                chosen,
                now if raised is None else raised,
                now if visible is None else visible,
            )
        )

    def acknowledge(self, number: int) -> None:
        """A user takes note of an alarm. Raises KeyError."""
        self.alarms.step(number, self._clock(), ACKNOWLEDGED)

    def clear(self, number: int, status: int = CLEARED_BY_DEVICE) -> None:
        """An alarm ends: by the device, or with status 4 or 5. Raises KeyError."""
        self.alarms.step(number, self._clock(), status)

    def start_upgrade(self, device_id: int | None = None) -> int:
        """Begins an upgrade, which will succeed, and gives the device's id.

        Without an id it is the first device that can be upgraded. Raises KeyError, or
        StopIteration if there is none.
        """
        types = INTERFACES["devUpgrade"].device_types
        if device_id is None:
            device_id = next(d.id for d in self.fleet.devices.values() if d.type_id in types)
        device = self.fleet.devices[device_id]
        self.upgrades.decide(device.id)
        self.upgrades.order(device, self._clock())
        return device.id

    def handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Answer:
        """Answers one HTTP request. Never raises for what a client sends."""
        if path not in _PATHS:
            return Answer(status=404)
        if method != "POST":
            return Answer(status=405, headers=(("Allow", "POST"),))
        name, row = _PATHS[path]
        call = Call("", name, time=self._clock())
        try:
            call.parameters = _parameters(body)
            if name == "login":
                call.account = str(call.parameters.get("userName", ""))
            else:
                call.account = self._account(headers, call.time)
            return self._answer(call, row)
        except Refusal as refusal:
            return failure(call, refusal)

    def _answer(self, call: Call, row: Interface) -> Answer:
        asked_type = device_type(call.parameters, lenient=True)
        if not self.calls.admit(call.account, row, call.time, self.size(call.account), asked_type):
            raise Refusal(407, data=TOO_OFTEN)
        instead = self.faults.refuse(call, self.sessions)
        if instead is not None:
            return instead
        if call.interface == "login":
            return self.faults.spoil(call, self._login(call), self.sessions)
        if self._refused(call):
            raise Refusal(401, message="Invalid access to current interface!")
        data = DESK[call.interface](self._view(call), call.parameters)
        answer = success(call, self.faults.bend(call, data))
        return self.faults.spoil(call, answer, self.sessions)

    def _refused(self, call: Call) -> bool:
        needed = {call.interface, _NEEDED.get(call.interface)}
        return not needed.isdisjoint(self.users[call.account].refused)

    def _login(self, call: Call) -> Answer:
        if self.sessions.locked(call.account, call.time):
            raise Refusal(20403)
        password = str(call.parameters.get("systemCode", ""))
        if not self.sessions.check(call.account, password, call.time):
            if self.traits.silent_login:
                return Answer()
            raise Refusal(20400)
        token = self.sessions.open(call.account, call.time)
        return success(call, None, token_headers(token))

    def _account(self, headers: Mapping[str, str], now: float) -> str:
        sent = {name.lower(): value for name, value in headers.items()}
        token = sent.get("xsrf-token", "")
        cookies = dict(
            pair.strip().partition("=")[::2] for pair in sent.get("cookie", "").split(";")
        )
        account = self.sessions.account(token, now)
        if account is None or cookies.get("XSRF-TOKEN", token) != token:
            raise Refusal(305, message=LOG_IN_AGAIN)
        return account

    def _share(self, account: str) -> "_Share":
        """The account's share of the fleet, reckoned anew only when the fleet has changed."""
        share = self._shares.get(account)
        if share is None or share.fleet is not self.fleet.plants:
            user = self.users.get(account)
            share = _Share.of(self.fleet.plants, user.plants if user else None)
            self._shares[account] = share
        return share

    def _view(self, call: Call) -> View:
        share = self._share(call.account)

        @cache
        def moment(code: str) -> Moment:
            return Moment(share.plants[code], call.time, self.fleet.seed)

        return View(
            plants=share.plants,
            devices=share.devices,
            now=call.time,
            moment=moment,
            traits=self.traits,
            alarms=self.alarms,
            upgrades=self.upgrades,
        )


@dataclass(frozen=True, slots=True)
class _Share:
    """What an account sees of one state of the fleet."""

    fleet: Mapping[str, SimPlant]
    plants: Mapping[str, SimPlant]
    devices: Mapping[int, SimDevice]
    size: Size

    @classmethod
    def of(cls, fleet: Mapping[str, SimPlant], codes: Collection[str] | None) -> "_Share":
        plants = {code: plant for code, plant in fleet.items() if codes is None or code in codes}
        devices = {device.id: device for plant in plants.values() for device in plant.devices}
        types = Counter(device.type_id for device in devices.values())
        return cls(fleet, plants, devices, Size(len(plants), types))


def _parameters(body: bytes) -> dict[str, Any]:
    try:
        parameters = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise Refusal(30030) from None
    if not isinstance(parameters, dict):
        raise Refusal(30030)
    return parameters
