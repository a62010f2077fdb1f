"""Where a command's call is counted: without a daemon, and beside one."""

from dataclasses import replace
from functools import cached_property
from secrets import token_hex

from exporter.account.account_polling import AccountPolling
from exporter.account.gateway import BUSY_POLL_INTERVAL
from exporter.account.interface_schedule import InterfaceState
from exporter.account.model import ForeignCall
from exporter.account.quotas import CallLog, Quota
from exporter.northbound.interfaces import Interface


class _CommandSlot:
    """A call of a command, of one interface and perhaps one device type."""

    def __init__(
        self,
        polling: AccountPolling,
        interface: Interface,
        device_type: int | None,
        quotas: tuple[Quota, ...],
    ) -> None:
        self._polling = polling
        self._name = interface.name
        self._device_type = device_type
        self._quotas = quotas


class OwnerSlot(_CommandSlot):
    """A call where no daemon is at work: counted among those of its interface."""

    @property
    def _state(self) -> InterfaceState:
        return self._polling.state.interfaces.change(self._name, InterfaceState)

    def due(self, now: float) -> float:  # noqa: ARG002  # the protocol's form
        state = self._state
        allowed = state.log.earliest(self._quotas, self._device_type, burst=True)
        return max(allowed, state.waits_until, self._polling.gateway.paused_until)

    def start(self, now: float) -> None:
        self._state.log.start(now, now, self._device_type)

    def end(self, now: float, margin: float) -> None:
        self._state.log.end(now, self._quotas, margin)


class GuestSlot(_CommandSlot):
    """A call beside a daemon at work, which finds it in the database."""

    @cached_property
    def _id(self) -> str:
        return token_hex(8)

    def due(self, now: float) -> float:
        state, store = self._polling.state, self._polling.store
        for section in (state.foreign_calls, state.interfaces, state.logins):
            store.read(section)
        if self._is_busy(now):
            return now + BUSY_POLL_INTERVAL  # one request in flight: parallel ones draw refusals
        own = state.interfaces.get(self._name) or InterfaceState()
        own.backoff.after_restart(now)
        own.day.after_restart(now)
        log = CallLog([*own.log.calls])
        for call in state.foreign_calls.values():
            if call.interface == self._name:
                log.record(min(call.start, now), call.end, call.device_type)
        allowed = log.earliest(self._quotas, self._device_type, burst=True)
        return max(allowed, own.waits_until, self._polling.gateway.paused_until)

    def _is_busy(self, now: float) -> bool:
        """Whether a call of the daemon, or of another command, is under way."""
        state = self._polling.state
        logs = (state.login.log, *(each.log for each in state.interfaces.values()))
        foreign = state.foreign_calls.values()
        return any(log.is_busy for log in logs) or any(each.is_under_way(now) for each in foreign)

    def start(self, now: float) -> None:
        # Once given up, it may still arrive.
        longest = 2 * self._polling.gateway.timeout
        self._polling.state.foreign_calls[self._id] = ForeignCall(
            self._name, now, longest, self._device_type, under_way=True
        )

    def end(self, now: float, margin: float) -> None:
        """Stores the true end, unless the daemon has taken account of the call already."""
        calls, store = self._polling.state.foreign_calls, self._polling.store
        with store.database.claim():
            store.read(calls)
            if self._id in calls:
                call = calls[self._id]
                lasted = max(0.0, now - call.start) + margin
                calls[self._id] = replace(call, lasted=lasted, under_way=False)
                store.save()
