"""The daemon as a process of its own, for the benchmarks that kill it."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Self

import yaml

# As in the image and the unit for systemd: see docs/scaling.md.
ALLOCATOR = {"MALLOC_ARENA_MAX": "1", "MALLOC_TRIM_THRESHOLD_": "131072"}

# rich is a tool of developers, which structlog imports wherever it is installed.
_START = "import sys; sys.modules['rich'] = None; from exporter.cli import main; sys.exit(main())"


@cache
def environment() -> Mapping[str, str]:
    """What a daemon is started with. Its code is compiled, as pip and the image leave it.

    A daemon that compiles at its start, as where PYTHONDONTWRITEBYTECODE is set, takes half as much
    time again, and some MB that it never gives back.
    """
    chosen = {**os.environ, **ALLOCATOR, "NO_PROXY": "*"}
    chosen.pop("PYTHONDONTWRITEBYTECODE", None)
    command = (sys.executable, "-c", "import exporter.cli, jinja2")  # which the status page needs
    subprocess.run(command, env=chosen, check=True)  # noqa: S603  # because it is our own program
    return chosen


class Process:
    """A daemon that a `with` block starts, and kills at its end; each start writes its own log.

    `settings` is the configuration that stands in its directory. It is waited for until it has its
    first page, or not at all. `prefix` is what its command begins with, such as a limit.
    """

    def __init__(
        self,
        directory: Path,
        settings: Mapping[str, Any],
        *,
        wait: bool = True,
        prefix: Sequence[str] = (),
    ) -> None:
        self.directory = directory
        self.starts = 0
        self._wait = wait
        self._prefix = prefix
        self._configure(settings)

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self._kill()

    def _configure(self, settings: Mapping[str, Any]) -> None:
        self.settings = settings
        (self.directory / "config.yaml").write_text(yaml.safe_dump(settings))

    def _start(self) -> None:
        """Starts the process."""
        self.starts += 1
        self._log = self.directory / f"log{self.starts}"
        command = [
            *self._prefix,
            sys.executable,
            *("-c", _START, "--config.file", str(self.directory / "config.yaml")),
            *("--web.listen-address", "127.0.0.1:0"),
        ]
        with self._log.open("w") as file:
            self._process = subprocess.Popen(  # noqa: S603  # because it is our own program
                command, stderr=file, env=environment()
            )
        if self._wait:
            self.wait_until_listening()
            while not self._answers("/metrics"):
                time.sleep(0.01)

    def wait_until_listening(self) -> None:
        """Waits until it listens."""
        while not (found := re.search(r"addresses=(\S+)", self._log.read_text())):
            if self._process.poll() is not None:
                raise SystemExit(self._log.read_text())
            time.sleep(0.01)
        self.url = f"http://{found[1]}"

    def _kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def restart(self) -> None:
        """Ends the process at once, and starts another."""
        self._kill()
        self._start()

    def reload(self, settings: Mapping[str, Any]) -> None:
        """Lets it read another configuration."""
        self._configure(settings)
        self._process.send_signal(signal.SIGHUP)

    def end(self) -> int:
        """Ends the process as an orchestrator would; returns its status."""
        self._process.terminate()
        return self._process.wait(timeout=60)

    def page(self) -> str:
        """The page."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=30) as answer:
            text: str = answer.read().decode()
        return text

    def ready(self) -> bool:
        """Whether everything has been asked."""
        return self._answers("/-/ready")

    def _answers(self, path: str) -> bool:
        try:
            with urllib.request.urlopen(self.url + path, timeout=30):
                return True
        except urllib.error.URLError:
            return False

    def resources(self) -> dict[str, int]:
        """Its threads, open files and resident memory in MB, now and at most."""
        facts = Path(f"/proc/{self._process.pid}")
        status = (facts / "status").read_text()
        return {
            "threads": int(re.search(r"Threads:\s+(\d+)", status)[1]),  # type: ignore[index]
            "open files": len(list((facts / "fd").iterdir())),
            "MB resident": int(re.search(r"VmRSS:\s+(\d+)", status)[1]) // 1024,  # type: ignore[index]
            "MB at most": int(re.search(r"VmHWM:\s+(\d+)", status)[1]) // 1024,  # type: ignore[index]
        }

    def busy(self) -> float:
        """Seconds of a processor that it has used."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def log(self) -> str:
        """What it has written since its start."""
        return self._log.read_text()

    def bug_lines(self) -> list[str]:
        """Lines of all logs that tell of a bug."""
        logs = "".join(path.read_text() for path in self.directory.glob("log*"))
        return [line for line in logs.splitlines() if "level=error" in line or "bug" in line]
