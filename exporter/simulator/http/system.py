"""The management system: HTTP requests in, answers out, with a given clock."""

import json
from collections import ChainMap, Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from exporter.northbound.interfaces import (
    HOUR,
    INTERFACES,
    MINUTE,
    PAGED_PLANT_LIST_PATH,
    PLANT_LIST,
    Interface,
)
from exporter.simulator.endpoints.profile import EDITIONS, NEWEST, Profile
from exporter.simulator.endpoints.request import Refusal, View, device_type
from exporter.simulator.endpoints.table import ENDPOINTS, SINCE, UNTIL
from exporter.simulator.http.answers import (
    LOG_IN_AGAIN,
    TOO_OFTEN,
    Answer,
    Call,
    bad_parameters,
    failure,
    success,
    token_headers,
)
from exporter.simulator.http.faults import Faults
from exporter.simulator.http.limits import CallLog, Size
from exporter.simulator.http.oauth import AUTHORIZE_PATH, TOKEN_PATH, Authorizations
from exporter.simulator.http.sessions import Sessions, User
from exporter.simulator.world.alarm_kinds import KINDS, Kind
from exporter.simulator.world.alarms import ACKNOWLEDGED, CLEARED_BY_DEVICE, AlarmHistory, SimAlarm
from exporter.simulator.world.fleet import Fleet, SimDevice, SimPlant
from exporter.simulator.world.plant_state import PlantState
from exporter.simulator.world.upgrades import UpgradeHistory

PAGES = PAGED_PLANT_LIST_PATH.rpartition("/")[2]

# By path: the interface's name here, and the row whose limits hold for it.
_PATHS: Mapping[str, tuple[str, Interface]] = {
    **{row.path: (row.name, row) for row in INTERFACES.values()},
    PAGED_PLANT_LIST_PATH: (PAGES, PLANT_LIST),
}

_BAD_PARAMETER = 30030
_AGE = {edition: place for place, edition in enumerate(EDITIONS)}

# Interfaces that need another one's permission besides their own (reference 2.15).
_ALSO_NEEDED: Mapping[str, str] = {"getDevUpgradeInfo": "devUpgrade"}


class System:
    """A management system over a fleet.

    Args:
        fleet: What it manages; may change while it runs.
        clock: Epoch seconds. Nothing here looks at another clock.
        limits: Whose limits hold, by the name that `limits` of an account has; None: those that
            accounts of the profile's edition live under.
        minute: How many seconds a minute of the limits and of the login lock lasts.
        refusals_count: Whether a call refused with 407 spends the allowance too.
        users: Accounts by name; a text is a password.
        session_seconds: How long a session lasts from its login on.
        clients: OAuth clients by their id, as accounts; a text is a client secret.
        token_seconds: How long an access token of theirs lasts.
        rotates: Whether a refresh token is good for one use, which brings the next one.
        faults: Injected faults; may change while it runs.
        profile: The fields of Profile.
    """

    def __init__(  # noqa: PLR0913  # because each has a default
        self,
        fleet: Fleet,
        *,
        clock: Callable[[], float],
        limits: str | None = None,
        minute: float = MINUTE,
        refusals_count: bool = True,
        users: Mapping[str, User | str] | None = None,
        session_seconds: float = 1800.0,
        clients: Mapping[str, User | str] | None = None,
        token_seconds: float = HOUR,
        rotates: bool = True,
        faults: Faults | None = None,
        **profile: Any,
    ) -> None:
        self.fleet = fleet
        self.faults = faults if faults is not None else Faults()
        self.users = _by_name(users or {"demo": "demo"})
        self.sessions = Sessions(
            self.users, seed=fleet.seed, seconds=session_seconds, scale=minute / MINUTE
        )
        self.oauth = Authorizations(
            _by_name(clients or {}), seed=fleet.seed, seconds=token_seconds, rotates=rotates
        )
        self._accounts = ChainMap(self.users, self.oauth.clients)
        self._clock = clock
        self._account_fleets: dict[str, _AccountFleet] = {}
        self.profile = Profile(**profile)
        usual = EDITIONS[self.profile.edition]
        self.calls = CallLog(limits or usual, minute=minute, refusals_count=refusals_count)
        self.alarms = AlarmHistory(
            seed=fleet.seed,
            every=self.profile.alarm_every if self.profile.alarm_history else None,
        )
        self.upgrades = UpgradeHistory(seconds=self.profile.upgrade_seconds)

    def size(self, account: str) -> Size:
        """How large the account's fleet is now."""
        return self._fleet_of(account).size

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

        It is raised now, and listed at once, by default; a `raised` of hours ago makes
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
        """A user acknowledges an alarm. Raises KeyError."""
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
        self.upgrades.set_outcome(device.id)
        self.upgrades.order(device, self._clock())
        return device.id

    def handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Answer:
        """Answers one HTTP request, its query behind the path. Never raises for what is sent."""
        path, _, query = path.partition("?")
        if (method, path) == ("GET", AUTHORIZE_PATH):
            return self.oauth.authorize(query, self._clock())
        if not self._is_served(path):
            return Answer(status=404)
        if method != "POST":
            return Answer(status=405, headers=(("Allow", "POST"),))
        return self._give_tokens(body) if path == TOKEN_PATH else self._call(path, headers, body)

    def _is_served(self, path: str) -> bool:
        """Whether it is a path of the edition."""
        name, _ = _PATHS.get(path, ("", None))
        since, edition = SINCE.get(name, self.profile.edition), self.profile.edition
        missing = _AGE[edition] < _AGE[since]
        return path == TOKEN_PATH or (path in _PATHS and not missing)

    def _call(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        name, row = _PATHS[path]
        call = Call("", name, time=self._clock())
        try:
            call.parameters = _parameters(body)
            if name == "login":
                call.account = str(call.parameters.get("userName", ""))
            else:
                call.account = self._account(headers, call.time)
            return self._answer(call, row)
        except _UnauthorizedError:
            return Answer(status=401, body=b'{"error": "invalid_token"}')
        except Refusal as refusal:
            if refusal.code == _BAD_PARAMETER and self.profile.edition == NEWEST:
                return bad_parameters()
            return failure(call, refusal)

    def _give_tokens(self, body: bytes) -> Answer:
        call = Call("", "token", time=self._clock())
        replacement = self.faults.replace_answer(call, self.sessions)
        if replacement is not None:
            return replacement
        return self.faults.change_answer(call, self.oauth.token(body, call.time), self.sessions)

    def _answer(self, call: Call, row: Interface) -> Answer:
        type_id = device_type(call.parameters, lenient=True)
        if not self.calls.admit(call.account, row, call.time, self.size(call.account), type_id):
            raise Refusal(407, data=TOO_OFTEN)
        replacement = self.faults.replace_answer(call, self.sessions)
        if replacement is not None:
            return replacement
        if call.interface == "login":
            return self.faults.change_answer(call, self._login(call), self.sessions)
        if self._forbidden(call):
            raise Refusal(401, message="Invalid access to current interface!")
        data = ENDPOINTS[call.interface](self.view(call), call.parameters)
        answer = success(call, self.faults.change_data(call, data))
        return self.faults.change_answer(call, answer, self.sessions)

    def _forbidden(self, call: Call) -> bool:
        edition = self.profile.edition
        if _AGE[edition] > _AGE[UNTIL.get(call.interface, edition)]:
            return True
        needed = {call.interface, _ALSO_NEEDED.get(call.interface)}
        return not needed.isdisjoint(self._accounts[call.account].refused)

    def _login(self, call: Call) -> Answer:
        if self.sessions.locked(call.account, call.time):
            raise Refusal(20403)
        password = str(call.parameters.get("systemCode", ""))
        if not self.sessions.check(call.account, password, call.time):
            if self.profile.silent_login:
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
        bearer = sent.get("authorization", "")
        if bearer and not (token or "XSRF-TOKEN" in cookies):
            account = self.oauth.account(bearer.removeprefix("Bearer "), now)
            if account is None:
                raise _UnauthorizedError
            return account
        account = None if bearer else self.sessions.account(token, now)
        if account is None or cookies.get("XSRF-TOKEN", token) != token:
            raise Refusal(305, message=LOG_IN_AGAIN)
        return account

    def _fleet_of(self, account: str) -> "_AccountFleet":
        """The account's part of the fleet, computed again only when the fleet has changed."""
        own = self._account_fleets.get(account)
        if own is None or own.fleet is not self.fleet.plants:
            user = self._accounts.get(account)
            own = _AccountFleet.of(self.fleet.plants, user.plants if user else None)
            self._account_fleets[account] = own
        return own

    def view(self, call: Call) -> View:
        """What an account may see at the time of a call."""
        own = self._fleet_of(call.account)

        @cache
        def state(code: str) -> PlantState:
            return PlantState(own.plants[code], call.time, self.fleet.seed)

        return View(
            plants=own.plants,
            devices=own.devices,
            now=call.time,
            state=state,
            profile=self.profile,
            alarms=self.alarms,
            upgrades=self.upgrades,
        )


class _UnauthorizedError(Exception):
    """A bearer token that is not good, or not any more."""


@dataclass(frozen=True, slots=True)
class _AccountFleet:
    """The part of the fleet that an account sees, at one state of it."""

    fleet: Mapping[str, SimPlant]
    plants: Mapping[str, SimPlant]
    devices: Mapping[int, SimDevice]
    size: Size

    @classmethod
    def of(cls, fleet: Mapping[str, SimPlant], codes: Collection[str] | None) -> "_AccountFleet":
        plants = {code: plant for code, plant in fleet.items() if codes is None or code in codes}
        devices = {device.id: device for plant in plants.values() for device in plant.devices}
        types = Counter(device.type_id for device in devices.values())
        return cls(fleet, plants, devices, Size(len(plants), types))


def _by_name(users: Mapping[str, User | str]) -> dict[str, User]:
    return {name: User(user) if isinstance(user, str) else user for name, user in users.items()}


def _parameters(body: bytes) -> dict[str, Any]:
    try:
        parameters = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise Refusal(30030) from None
    if not isinstance(parameters, dict):
        raise Refusal(30030)
    return parameters
