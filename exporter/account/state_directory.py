"""The directory of what survives a restart: one file an account, and who may write it."""

import fcntl
import os
from collections.abc import Collection, Mapping
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import IO

import structlog

AccountKey = str  # by what the data of an account are found


class OccupiedError(Exception):
    """Another process works with an account; the text says which, and where."""


class UnreachableError(Exception):
    """Where state is kept cannot be used; the text says why."""


def key_of(base_url: str, username: str) -> AccountKey:
    """The key of an account, which does not reveal its user."""
    return sha256(f"{base_url}\n{username}".encode()).hexdigest()[:16]


def file_of(directory: Path, key: AccountKey) -> Path:
    """Where the data of an account are kept."""
    return directory / f"{key}.sqlite"


class StateDirectory:
    """The files of accounts, each locked while this process works with its account.

    Processes share the directory, but no account. Where no file can be locked, nothing can be kept
    either: the log says why, once.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._shared: IO[bytes] | None = None
        self._locks: dict[AccountKey, IO[bytes]] = {}
        self._warned = False

    def occupy(self, names: Mapping[AccountKey, str]) -> None:
        """Locks the files of accounts, by the names that errors tell, or none more of them.

        Raises:
            OccupiedError: Another process works with one of them.
        """
        new = {key: name for key, name in names.items() if key not in self._locks}
        if not new:
            return
        try:
            self._lock_shared()
        except OSError as error:
            self._warn(error)
            return
        with ExitStack() as undone:
            for key, name in new.items():
                undone.callback(self._release, key)
                self._lock(key, name)
            undone.pop_all()

    def _lock_shared(self) -> None:
        """Keeps those out, and respects them, who lock the directory as a whole, as once was done.

        Raises:
            OSError: The directory cannot be used.
            OccupiedError: Such a process uses it.
        """
        if self._shared is None:
            try:
                self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._shared = locked_file(self._path / "lock", fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                raise OccupiedError(f"{self._path} is used by an earlier version") from None

    def _lock(self, key: AccountKey, name: str) -> None:
        path = file_of(self._path, key).with_suffix(".lock")
        try:
            self._locks[key] = locked_file(path, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OccupiedError(
                f"account {name} is used by another process (state in {self._path})"
            ) from None
        except OSError as error:
            self._warn(error)

    def _warn(self, error: OSError) -> None:
        if not self._warned:
            self._warned = True
            structlog.get_logger().warning(
                "state directory cannot be used", directory=str(self._path), reason=error.strerror
            )

    def path_of(self, key: AccountKey) -> Path | None:
        """The file of an account that this process has locked; None where that is not possible."""
        return file_of(self._path, key) if key in self._locks else None

    def retain_only(self, keys: Collection[AccountKey]) -> None:
        """Leaves the files of all accounts but these to other processes."""
        for key in self._locks.keys() - keys:
            self._release(key)
        if not self._locks and self._shared is not None:
            self._shared.close()
            self._shared = None

    def _release(self, key: AccountKey) -> None:
        if key in self._locks:
            self._locks.pop(key).close()

    def close(self) -> None:
        """Leaves all of it to other processes."""
        self.retain_only(())


def locked_file(path: Path, kind: int) -> IO[bytes]:
    """Opens a file, which is made where there is none, and locks it until it is closed.

    Raises:
        BlockingIOError: Somebody else has locked it, and the kind of lock says not to wait.
        OSError: There can be no such file, or no lock.
    """
    file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
    try:
        fcntl.flock(file, kind)
    except OSError:  # another process's lock, or a file system without any
        file.close()
        raise
    return file
