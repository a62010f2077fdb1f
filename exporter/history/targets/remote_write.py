"""Prometheus remote write 1.0: snappy over protobuf over HTTP."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from exporter.history.series import TargetError, TimeSeries, portions
from exporter.history.targets.http import Refusal, Sender, shown

MOST_SAMPLES = 5_000  # of a request
_HEADERS = {
    "Content-Type": "application/x-protobuf",
    "Content-Encoding": "snappy",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
    "User-Agent": "fusionsolar-exporter",
}
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


class RemoteWrite:
    """Sends samples to a remote write endpoint, request by request."""

    def __init__(self, url: str, sender: Sender) -> None:
        self._url = url
        self._sender = sender
        self._request = _write_request()
        self._compress = _compression()

    @property
    def name(self) -> str:
        """Where it is."""
        return f"remote_write {shown(self._url)}"

    def write(self, series: Iterable[TimeSeries]) -> None:
        """Sends samples; returns when all are taken.

        Raises:
            TargetError: They were refused.
        """
        for part in portions(series, MOST_SAMPLES):
            body = bytes(self._compress(self._encoded(part)))
            refused = self._sender.post(body, _HEADERS)
            if refused is not None:
                raise TargetError(self._words(refused))

    def flush(self) -> None:
        """All that was taken is with the target."""

    def _encoded(self, series: Iterable[TimeSeries]) -> bytes:
        request = self._request()
        for each in series:
            added = request.timeseries.add()
            for name, text in sorted({"__name__": each.metric.name, **each.labels}.items()):
                if text:  # without a value, a label is absent
                    added.labels.add(name=name, value=text)
            for time, value in each.samples:
                added.samples.add(timestamp=time, value=value)
        encoded: bytes = request.SerializeToString()
        return encoded

    def _words(self, refused: Refusal) -> str:
        said = f"{shown(self._url)}: HTTP {refused.status} {refused.words}".rstrip()
        is_old = any(words in refused.words.lower() for words in _TOO_OLD)
        return f"{said}; {_HINT}" if is_old else said
