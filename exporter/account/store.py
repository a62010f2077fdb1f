"""Loads an account's state from its database, and saves what was changed."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from exporter.account.codec import StoredRow
from exporter.account.model import AccountState, Section
from exporter.clock import Clock, ClockStamp, offset_of

Key = tuple[str, str]  # kind and name
_STEP = 1.0  # seconds by which the wall clock is set rather than steered


class RowStore(Protocol):
    """The rows of one account, by kind and name: in a file, or in a database that replicas share.

    Used by one thread at a time; nothing raises.
    """

    @property
    def is_kept(self) -> bool:
        """Whether all that was written is stored; any thread may ask."""
        ...

    @property
    def may_call(self) -> bool:
        """Whether the account is still this process's, as the last claim found."""
        ...

    def claim(self) -> AbstractContextManager[None]:
        """While it is held, no other process decides to make a call; its end is what writes."""
        ...

    def read(self, kind: str) -> dict[str, StoredRow]:
        """All rows of one kind, by name."""
        ...

    def write(self, rows: Mapping[Key, StoredRow | None]) -> None:
        """Keeps these, all or none; what is None is dropped."""
        ...

    def was_deleted(self) -> bool:
        """Whether all was deleted since this was last asked, and is to be written anew."""
        ...

    def was_abandoned(self) -> bool:
        """Whether the process before this one may be at work still; asked once."""
        ...

    def close(self) -> None:
        """Lets the rows go."""
        ...


def with_unwritten(
    kind: str, stored: dict[str, StoredRow], unwritten: Mapping[Key, StoredRow | None]
) -> dict[str, StoredRow]:
    """The rows of a kind as they will be, once what is not written yet is written."""
    for (of, name), row in unwritten.items():
        if of == kind:
            stored.pop(name, None)
            if row is not None:
                stored[name] = row
    return stored


class Store:
    """The state of one account between its memory and its database.

    A `guest` stores nothing but what it leaves for the daemon: its calls, and accepted values.
    """

    def __init__(
        self,
        state: AccountState,
        database: RowStore,
        clock: Clock,
        log: Any,
        *,
        guest: bool = False,
    ) -> None:
        self._guest = guest
        left: tuple[Section[Any], ...] = (state.foreign_calls, state.accepted)
        self._stored = left if guest else tuple(state.sections)
        self._state = state
        self.database = database
        self._clock = clock
        self._log = log.bind(file=str(database))
        self._offset = offset_of(clock)
        self._logged: set[str] = set()
        self.is_incomplete = False  # whether some of the fleet was not understood
        self.previous_offset = self._offset  # of the wall clock, as the last run has left it

    def load(self, *, calls_only: bool = False) -> None:
        """Takes over what a previous run has left, as far as it is understood.

        All of it, or only what says when to call. A guest does not take what it leaves itself.
        """
        state = self._state
        calls = (state.logins, state.interfaces, state.foreign_calls)
        for section in calls if calls_only else state.sections:
            if not (self._guest and any(section is each for each in self._stored)):
                self.read(section)
        session = self.database.read(self._state.logins.kind).get("")
        if session is not None:  # which is written whenever anything is
            self.previous_offset = session.stamp.offset_for(self._clock)

    def read(self, section: Section[Any]) -> None:
        """Takes over the rows of a section as they are stored now, and none besides."""
        rows = self.database.read(section.kind)
        for name in section.keys() - rows.keys() - section.changed:
            dict.__delitem__(section, name)
        for name, row in rows.items():
            if name in section.changed and name not in section:
                continue  # it was dropped, and that is not stored yet
            value = section.codec.decode(
                row, self._clock, lambda reason: self._not_understood(section.kind, reason)
            )
            if value is not None:
                section.restore(name, value)
            else:
                section.changed.add(name)  # or it would be met for ever

    def _not_understood(self, kind: str, reason: str) -> None:
        self.is_incomplete |= kind == self._state.fleets.kind
        if kind not in self._logged:
            self._logged.add(kind)
            self._log.warning(
                "state was not understood, going on without", part=kind, reason=reason
            )

    def save(self) -> None:
        """Stores what was changed; all times anew once the wall clock was set."""
        offset = offset_of(self._clock)
        if abs(offset - self._offset) > _STEP:
            self._offset = offset
            self._state.mark_times()
        if self.database.was_deleted():
            for section in self._stored:
                section.changed.update(section)
        stamp = ClockStamp.of(self._clock)
        rows: dict[tuple[str, str], StoredRow | None] = {}
        for section in self._stored:
            for name in section.changed:
                value = section.get(name)
                body = None if value is None else section.codec.encode(value)
                rows[section.kind, name] = None if body is None else StoredRow(body, stamp)
        self.database.write(rows)
        for section in self._stored:
            section.changed.clear()
