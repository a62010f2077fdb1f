"""A PostgreSQL server of Debian's, for tests that need a real one."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import psycopg
import pytest

_BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
INITDB = next((each / "initdb" for each in _BINARIES if (each / "initdb").exists()), None)
needs_postgres = pytest.mark.skipif(INITDB is None, reason="needs postgresql")


class Postgres:
    """A server on a port of its own, which may be ended and started again."""

    def __init__(self, directory, binaries=INITDB and INITDB.parent):
        self._data = directory / "data"
        self._binaries = binaries
        self._log = directory / "log"
        # It refuses to run as root.
        self._user = "nobody" if os.geteuid() == 0 else None
        if self._user:
            owner = pwd.getpwnam(self._user)
            os.chown(directory, owner.pw_uid, owner.pw_gid)
        self._run("initdb", "-D", self._data, "-U", "exporter", "-A", "trust", "-E", "UTF8", "-N")
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self._process = None

    def _command(self, program, *arguments):
        return [str(self._binaries / program), *map(str, arguments)]

    def _run(self, *command):
        subprocess.run(  # noqa: S603  # Debian's program
            self._command(*command),
            user=self._user,
            cwd="/",
            check=True,
            capture_output=True,
        )

    def url(self, database, port=None):
        return f"postgresql://exporter@127.0.0.1:{port or self.port}/{database}"

    def start(self):
        with self._log.open("a") as log:
            self._process = subprocess.Popen(  # noqa: S603  # as above
                self._command(
                    "postgres",
                    *("-D", self._data, "-p", self.port, "-k", "", "-h", "127.0.0.1"),
                    *("-c", "fsync=off", "-c", "max_connections=60"),
                ),
                user=self._user,
                cwd="/",
                stdout=log,
                stderr=log,
            )
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                with psycopg.connect(self.url("postgres"), connect_timeout=2):
                    return
            except psycopg.OperationalError:
                time.sleep(0.05)
        raise AssertionError(self._log.read_text())

    def stop(self, number=signal.SIGINT):
        """Ends it, connections and all; with SIGQUIT as a crash does."""
        self._process.send_signal(number)
        self._process.wait(timeout=60)

    def create(self, name):
        """Makes an empty database; returns its URL."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')  # a name of the test's own
        return self.url(name)


@contextmanager
def postgres():
    """A server that is gone afterwards."""
    # Not below pytest's directories, which are root's alone.
    directory = Path(mkdtemp(prefix="postgres"))
    try:
        server = Postgres(directory)
        server.start()
        try:
            yield server
        finally:
            server.stop(signal.SIGQUIT)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
