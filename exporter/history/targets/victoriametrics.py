"""VictoriaMetrics' own import: JSON lines, one a series."""

import json
import zlib
from collections.abc import Iterable, Mapping
from typing import ClassVar

from exporter.history.series import TimeSeries
from exporter.history.targets.http import HttpTarget

_GZIP = 31  # zlib's number for a gzip header


class VictoriaMetrics(HttpTarget):
    """Sends samples to `/api/v1/import`."""

    kind = "victoriametrics"
    max_samples = 50_000
    headers: ClassVar[Mapping[str, str]] = {
        "Content-Type": "application/json",
        "Content-Encoding": "gzip",
    }

    def _body(self, series: Iterable[TimeSeries]) -> bytes:
        packer = zlib.compressobj(wbits=_GZIP)
        return b"".join(packer.compress(_line(each)) for each in series) + packer.flush()


def _line(series: TimeSeries) -> bytes:
    labels = {name: value for name, value in series.labels.items() if value}
    times, values = zip(*series.samples, strict=True)
    line = {
        "metric": {"__name__": series.metric.name, **labels},
        "values": values,
        "timestamps": times,
    }
    return json.dumps(line).encode() + b"\n"
