"""What keeps the rows of an account: a file of its own, or a database that replicas share."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from exporter.account.codec import StoredRow

Key = tuple[str, str]  # kind and name


class RowStore(Protocol):
    """The rows of one account, by kind and name. Used by one thread at a time; nothing raises."""

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
