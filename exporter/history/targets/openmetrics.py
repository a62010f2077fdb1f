"""OpenMetrics files for `promtool tsdb create-blocks-from openmetrics`."""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile

from exporter.catalogue.model import Metric
from exporter.exposition.page import EOF, Format, headers_of
from exporter.exposition.samples import render
from exporter.history.series import Target, TargetError, TimeSeries

MAX_SAMPLES = 500_000  # of a file: about 80 MB, which promtool reads in seconds
_SUFFIX = ".om"


class OpenMetricsFiles(Target):
    """Numbered files in a directory; each is complete, or not there.

    A family has to stand in one piece, so that samples are kept in memory until a file is full.

    Raises:
        TargetError: No file can be written there, which would be found out days later.
    """

    def __init__(self, directory: Path, max_samples: int = MAX_SAMPLES) -> None:
        try:
            directory.mkdir(parents=True, exist_ok=True)
            with TemporaryFile(dir=directory):
                pass
        except OSError as error:
            raise TargetError(f"{directory}: {error.strerror}") from error
        self._directory = directory
        self._most_samples = max_samples
        self._kept: dict[Metric, list[TimeSeries]] = {}
        self._count = 0

    @property
    def name(self) -> str:
        return f"openmetrics {self._directory.absolute()}"

    def write(self, series: Iterable[TimeSeries]) -> None:
        for each in series:
            self._kept.setdefault(each.metric, []).append(each)
            self._count += len(each.samples)
        if self._count >= self._most_samples:
            self.flush()

    def flush(self) -> None:
        if not self._count:
            return
        try:
            self._write_file()
        except OSError as error:
            raise TargetError(f"{self._directory}: {error.strerror}") from error
        self._kept, self._count = {}, 0

    def _write_file(self) -> None:
        path = self._next_path()
        unfinished = path.with_suffix(".unfinished")
        try:
            with unfinished.open("wb") as file:
                file.writelines(self._lines())
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
        finally:  # or a full disk would stay full
            unfinished.unlink(missing_ok=True)
        with suppress(OSError):  # not all file systems know how
            directory = os.open(self._directory, os.O_RDONLY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)

    def _next_path(self) -> Path:
        stems = (path.stem for path in self._directory.glob(f"*{_SUFFIX}"))
        last = max((int(stem) for stem in stems if stem.isdecimal()), default=0)
        return self._directory / f"{last + 1:06}{_SUFFIX}"

    def _lines(self) -> Iterator[bytes]:
        for metric in sorted(self._kept, key=lambda metric: metric.name):
            yield from _family(metric, self._kept[metric])
        yield EOF


def _family(metric: Metric, series: Iterable[TimeSeries]) -> Iterator[bytes]:
    yield headers_of(metric)[Format.OPENMETRICS]
    for head, samples in _by_labels(series).items():
        for time, value in sorted(samples.items()):
            yield b"%s%r %.3f\n" % (head, value, time / 1e3)


def _by_labels(series: Iterable[TimeSeries]) -> dict[bytes, dict[int, float]]:
    """The samples of a family by time, and those by what stands before a series' values."""
    found: dict[bytes, dict[int, float]] = {}
    for each in series:
        head = render(each.metric, [(each.labels, 0.0)]).removesuffix(b"0.0\n")
        found.setdefault(head, {}).update(each.samples)
    return found
