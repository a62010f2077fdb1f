"""Where answers about an account's past are kept: in a file, or in the database with its state."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from exporter.account.database import Database
from exporter.account.state_directory import file_of
from exporter.account.store import RowStore
from exporter.config import AccountSettings, Settings
from exporter.history.archive import Archive
from exporter.history.archive_file import archive_in_file
from exporter.wiring import account_key

if TYPE_CHECKING:
    from exporter.account.postgresql.shared_state import SharedState


OpenArchive = Callable[[], AbstractContextManager[Archive]]


def archive_of(
    settings: Settings, account: AccountSettings, shared: "SharedState | None" = None
) -> OpenArchive | None:
    """What opens an account's archive, for one job alone; None where there is no place for it.

    It may raise an ArchiveError.
    """
    key, directory = account_key(account), settings.history.directory or settings.state.directory
    if directory is not None:
        return partial(archive_in_file, file_of(directory, key).with_suffix(".history"))
    if shared is None:
        return None
    # Without a database there need be no driver.
    from exporter.history.archive_tables import archive_in_tables  # noqa: PLC0415

    return partial(archive_in_tables, shared.fence(key, "history"))


@dataclass(frozen=True, slots=True)
class HistoryAccess:
    """What opens the rows of an account beside its poller, and its archive."""

    rows: Callable[[], RowStore]
    archive: OpenArchive


def access_by_file(
    settings: Settings, account: AccountSettings, state: Path | None
) -> HistoryAccess | None:
    """The access to an account whose state is in a file; None without one."""
    archive = archive_of(settings, account)
    if archive is None or state is None:
        return None
    return HistoryAccess(partial(Database, state, locked=False), archive)
