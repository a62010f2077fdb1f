"""Writes samples with Prometheus' remote-write protocol: Protocol Buffers in Snappy blocks.

Both encoders have only what this needs: one kind of message, and Snappy literals, which are not
compressed.
"""

import struct
from functools import cache, lru_cache
from itertools import chain
from urllib.request import Request, urlopen

HEADERS = {"Content-Encoding": "snappy", "X-Prometheus-Remote-Write-Version": "0.1.0"}
MAX_LITERAL = 1 << 16  # bytes
REQUEST_SIZE = 1 << 22  # bytes after which a request is sent
LENGTH_DELIMITED = 2  # the wire type of messages and strings


def varint(number):
    """A number as Protocol Buffers and Snappy encode it: seven bits a byte, the lowest first."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*encoded, number])


def message(field, payload):
    """A field of Protocol Buffers that holds a message or a string."""
    return varint(field << 3 | LENGTH_DELIMITED) + varint(len(payload)) + payload


@lru_cache(maxsize=8192)
def label(name, value):
    return message(1, message(1, name.encode()) + message(2, value.encode()))


@cache
def sample_frame(at):
    """The bytes before and after the value of a sample at a Unix time in seconds."""
    time = b"\x10" + varint(at * 1000)
    return b"\x12" + varint(9 + len(time)) + b"\x09", time


def series(name, labels, samples):
    """An encoded series; samples are pairs of Unix time in seconds and value, None for no sample.

    Without any sample it is empty.
    """
    pack = struct.Struct("<d").pack
    encoded = [(sample_frame(at), pack(value)) for at, value in samples if value is not None]
    if not encoded:
        return b""
    encoded_labels = (label(*each) for each in sorted({**labels, "__name__": name}.items()))
    pieces = chain.from_iterable((before, value, after) for (before, after), value in encoded)
    return message(1, b"".join(chain(encoded_labels, pieces)))


def snappy(data):
    """A Snappy block of literals."""
    pieces = [varint(len(data))]
    for start in range(0, len(data), MAX_LITERAL):
        piece = data[start : start + MAX_LITERAL]
        pieces += (b"\xf4", struct.pack("<H", len(piece) - 1), piece)
    return b"".join(pieces)


def send(url, encoded_series):
    """Sends encoded series, in requests of a few megabytes."""
    pending, size = [], 0
    for each in encoded_series:
        pending.append(each)
        size += len(each)
        if size > REQUEST_SIZE:
            post(url, b"".join(pending))
            pending, size = [], 0
    if pending:
        post(url, b"".join(pending))


def post(url, data):
    request = Request(f"{url}/api/v1/write", snappy(data), HEADERS)  # noqa: S310  # because it is ours
    with urlopen(request, timeout=600):  # noqa: S310  # because it is ours
        pass
