"""Prometheus remote write 1.0: snappy over protobuf over HTTP."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from exporter.clock import Clock
from exporter.history.series import TimeSeries
from exporter.history.targets.http import Endpoint, HttpTarget

# The messages of the specification that are needed: name → fields by number, each with its type,
# in the words of protobuf; `*` marks those that repeat.
_MESSAGES: Mapping[str, Mapping[str, tuple[int, str]]] = {
    "Label": {"name": (1, "string"), "value": (2, "string")},
    "Sample": {"value": (1, "double"), "timestamp": (2, "int64")},
    "TimeSeries": {"labels": (1, "*Label"), "samples": (2, "*Sample")},
    "WriteRequest": {"timeseries": (1, "*TimeSeries")},
}
# What targets say of samples that are too old for them.
_TOO_OLD = ("out of order", "out of bounds", "too old", "too far in the past", "out-of-order")
_HINT = (
    "the target refuses samples of the past. Prometheus: set "
    "storage.tsdb.out_of_order_time_window to more than the time that is filled, such as 3y. "
    "Mimir: limits.out_of_order_time_window. Thanos Receive: --tsdb.out-of-order.time-window. "
    "VictoriaMetrics: -retentionPeriod. Or write files with --openmetrics"
)


def _write_request() -> Any:
    """The class of the message WriteRequest."""
    # Those who write to nobody need not keep 8 MB of protobuf.
    from google.protobuf.descriptor_pb2 import (  # noqa: PLC0415  # as above
        FieldDescriptorProto,
        FileDescriptorProto,
    )
    from google.protobuf.descriptor_pool import DescriptorPool  # noqa: PLC0415  # as above
    from google.protobuf.message_factory import GetMessageClass  # noqa: PLC0415  # as above

    file = FileDescriptorProto(
        name="prometheus_remote_write.proto", package="prometheus", syntax="proto3"
    )
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            inner = kind.removeprefix("*")
            is_message = inner in _MESSAGES
            message.field.add(
                name=field,
                number=number,
                label=FieldDescriptorProto.Label.Value(
                    "LABEL_REPEATED" if kind != inner else "LABEL_OPTIONAL"
                ),
                type=FieldDescriptorProto.Type.Value(
                    "TYPE_MESSAGE" if is_message else f"TYPE_{inner.upper()}"
                ),
                type_name=f".prometheus.{inner}" if is_message else None,
            )
    pool = DescriptorPool()
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName("prometheus.WriteRequest"))


def _compression() -> Callable[[bytes], Any]:
    """What makes a block of snappy."""
    from cramjam import snappy  # noqa: PLC0415  # as above

    return snappy.compress_raw


class RemoteWrite(HttpTarget):
    """Sends samples to a remote write endpoint."""

    kind = "remote_write"
    max_samples = 5_000
    headers: ClassVar[Mapping[str, str]] = {
        "Content-Type": "application/x-protobuf",
        "Content-Encoding": "snappy",
        "X-Prometheus-Remote-Write-Version": "0.1.0",
        "User-Agent": "fusionsolar-exporter",
    }

    def __init__(self, endpoint: Endpoint, clock: Clock) -> None:
        super().__init__(endpoint, clock)
        self._request = _write_request()
        self._compress = _compression()

    def _body(self, series: Iterable[TimeSeries]) -> bytes:
        request = self._request()
        for each in series:
            added = request.timeseries.add()
            for name, text in sorted({"__name__": each.metric.name, **each.labels}.items()):
                if text:  # without a value, a label is absent
                    added.labels.add(name=name, value=text)
            for time, value in each.samples:
                added.samples.add(timestamp=time, value=value)
        return bytes(self._compress(request.SerializeToString()))

    def _hint(self, words: str) -> str:
        return f"; {_HINT}" if any(each in words.lower() for each in _TOO_OLD) else ""
