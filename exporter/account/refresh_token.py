"""The file of an account's refresh token: always whole, the newest, used by one at a time.

A refresh token is mostly good for one use. Were its successor lost, or the same one used twice, a
person would have to authorise the account anew.
"""

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkstemp

from exporter.account.state_directory import locked_file

# Editors may put a byte order mark in front.
_TOKEN = re.compile(rb"(?:\xef\xbb\xbf)?\s*([\x21-\x7e]{1,16384})\s*")
_MAX_SIZE = 65536  # bytes that are read


class RefreshTokenFile:
    """One file, which only its owner may read. Used by one thread.

    Replaced as a whole, so its directory has to be writable; another file beside it, with the
    suffix `.lock`, keeps other processes away meanwhile. What could not be written is kept here,
    and is the newest token until another one stands in the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stored: str | None = None  # as it was last read or written
        self._unsaved: str | None = None

    @property
    def is_unsaved(self) -> bool:
        """Whether there is a token that could not be written yet."""
        return self._unsaved is not None

    @contextmanager
    def locked(self, *, wait: bool = False) -> Iterator[None]:
        """Keeps other processes from the token; waits for one that uses it, if told so.

        Raises:
            BlockingIOError: One does, and this was not to wait.
            OSError: There can be no lock.
        """
        kind = fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB)
        with locked_file(self._path.with_name(f"{self._path.name}.lock"), kind):
            yield

    def read(self) -> str | None:
        """The newest token; None where there is no file, or none in it.

        Raises:
            OSError: The file cannot be read.
        """
        stored = self._read_file()
        # No file is nobody's token: a directory that is not mounted loses none that is unsaved.
        if stored is not None and stored != self._stored:  # another process has written it
            self._stored, self._unsaved = stored, None
        return self._unsaved or stored

    def _read_file(self) -> str | None:
        try:
            # Without O_NONBLOCK, opening a pipe would wait for a writer.
            file = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK)
        except FileNotFoundError:
            return None
        with os.fdopen(file, "rb") as opened:
            found = _TOKEN.fullmatch(opened.read(_MAX_SIZE) or b"")
        return found[1].decode() if found else None

    def write(self, token: str) -> None:
        """Writes a token that outlives a crash of the machine from then on.

        Raises:
            OSError: That is not possible; the token is kept in memory.
        """
        # A link stays one: what it leads to is replaced.
        path = Path(os.path.realpath(self._path))
        if token != self._stored:
            self._unsaved = token
        _replace(path, token)
        self._stored, self._unsaved = token, None


def _replace(path: Path, token: str) -> None:
    file, name = mkstemp(prefix=f".{path.name}.", dir=path.parent)  # 0600
    try:
        with os.fdopen(file, "wb") as opened:
            opened.write(f"{token}\n".encode())
            opened.flush()
            os.fsync(opened.fileno())
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)  # of which the new name is a part
    finally:
        os.close(directory)
