"""Loads an account's state from its database, and saves what was changed."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from exporter.account.codec import StoredRow
from exporter.account.model import AccountState, Section
from exporter.clock import Clock, ClockStamp, offset_of

Key = tuple[str, str]  # kind and name
_STEP = 1.0  # seconds by which the wall clock is set rather than steered


class RowStore(ABC):
    """The rows of one account, by kind and name: in a file, or in a database that replicas share.

    Used by one thread at a time; nothing raises. What cannot be written is kept until it can.
    """

    def __init__(self) -> None:
        self._unwritten: dict[Key, StoredRow | None] = {}
        self._claimed: Any = None  # while a claim is held
        self._failing = False

    @property
    def is_kept(self) -> bool:
        """Whether all that was written is stored; any thread may ask."""
        return not self._failing

    @property
    def may_call(self) -> bool:
        """Whether the account is still this process's, as the last claim found."""
        return True

    @abstractmethod
    def claim(self) -> AbstractContextManager[None]:
        """While it is held, no other process decides to make a call; its end is what writes."""

    def read(self, kind: str) -> dict[str, StoredRow]:
        """All rows of one kind, by name."""
        found: dict[str, StoredRow] = {}
        with self._tolerating_failures():
            found = self._stored_rows(kind)
        for (of, name), row in self._unwritten.items():
            if of == kind:
                found.pop(name, None)
                if row is not None:
                    found[name] = row
        return found

    def write(self, rows: Mapping[Key, StoredRow | None]) -> None:
        """Keeps these, all or none; what is None is dropped."""
        self._unwritten |= rows
        if self._unwritten and self._claimed is None:
            with self._tolerating_failures():
                self._flush()

    def was_deleted(self) -> bool:
        """Whether all was deleted since the last call, and is to be written again."""
        return False

    def was_abandoned(self) -> bool:
        """Whether the process before this one may be at work still; asked once."""
        return False

    @abstractmethod
    def close(self) -> None:
        """Lets the rows go."""

    @abstractmethod
    def _stored_rows(self, kind: str) -> dict[str, StoredRow]:
        """The rows of one kind as they were written."""

    @abstractmethod
    def _flush(self) -> None:
        """Writes what is not written yet."""

    @abstractmethod
    def _tolerating_failures(self) -> AbstractContextManager[None]:
        """Goes on without what the rows are kept in when it fails, and says so once."""


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
        self._stored_sections = left if guest else tuple(state.sections)
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
            if not (self._guest and any(section is each for each in self._stored_sections)):
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
                "state was not understood, continuing without it", part=kind, reason=reason
            )

    def save(self) -> None:
        """Stores what was changed; all times again once the wall clock was set."""
        offset = offset_of(self._clock)
        if abs(offset - self._offset) > _STEP:
            self._offset = offset
            self._state.mark_times()
        if self.database.was_deleted():
            for section in self._stored_sections:
                section.changed.update(section)
        stamp = ClockStamp.of(self._clock)
        rows: dict[tuple[str, str], StoredRow | None] = {}
        for section in self._stored_sections:
            for name in section.changed:
                value = section.get(name)
                body = None if value is None else section.codec.encode(value)
                rows[section.kind, name] = None if body is None else StoredRow(body, stamp)
        self.database.write(rows)
        for section in self._stored_sections:
            section.changed.clear()
