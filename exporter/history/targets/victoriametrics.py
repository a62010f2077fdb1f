"""VictoriaMetrics' own import: JSON lines, one a series."""

import json
import zlib
from collections.abc import Iterable

from exporter.history.series import TargetError, TimeSeries, portions
from exporter.history.targets.http import Sender, shown

MOST_SAMPLES = 50_000  # of a request
_HEADERS = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
_GZIP = 31  # zlib's number for a gzip header


class VictoriaMetrics:
    """Sends samples to `/api/v1/import`, request by request."""

    def __init__(self, url: str, sender: Sender) -> None:
        self._url = url
        self._sender = sender

    @property
    def name(self) -> str:
        """Where it is."""
        return f"victoriametrics {shown(self._url)}"

    def write(self, series: Iterable[TimeSeries]) -> None:
        """Sends samples; returns when all are taken.

        Raises:
            TargetError: They were refused.
        """
        for part in portions(series, MOST_SAMPLES):
            packer = zlib.compressobj(wbits=_GZIP)
            body = b"".join(packer.compress(_line(each)) for each in part) + packer.flush()
            refused = self._sender.post(body, _HEADERS)
            if refused is not None:
                said = f"{shown(self._url)}: HTTP {refused.status} {refused.words}"
                raise TargetError(said.rstrip())

    def flush(self) -> None:
        """All that was taken is with the target."""


def _line(series: TimeSeries) -> bytes:
    labels = {name: value for name, value in series.labels.items() if value}
    times, values = zip(*series.samples, strict=True)
    line = {
        "metric": {"__name__": series.metric.name, **labels},
        "values": values,
        "timestamps": times,
    }
    return json.dumps(line).encode() + b"\n"
