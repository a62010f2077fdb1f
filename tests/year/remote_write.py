"""Samples to a Prometheus by its remote-write protocol: Protocol Buffers in a Snappy block.

The encodings are short because only what is needed is written: one kind of message, and literals
for Snappy, which compresses nothing then.
"""

import struct
from functools import cache, lru_cache
from itertools import chain
from urllib.request import Request, urlopen

HEADERS = {"Content-Encoding": "snappy", "X-Prometheus-Remote-Write-Version": "0.1.0"}
LITERAL = 1 << 16  # bytes of the longest piece
REQUEST = 1 << 22  # bytes after which a request is sent
LENGTH_DELIMITED = 2


def varint(number):
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def message(field, payload):
    return varint(field << 3 | LENGTH_DELIMITED) + varint(len(payload)) + payload


@lru_cache(maxsize=8192)
def label(name, value):
    return message(1, message(1, name.encode()) + message(2, value.encode()))


@cache
def around(at):
    """What stands before and after the value of a sample, whose time is in seconds."""
    time = b"\x10" + varint(at * 1000)
    return b"\x12" + varint(9 + len(time)) + b"\x09", time


def series(name, labels, samples):
    """A series with its samples, pairs of time in seconds and value, None for no sample."""
    named = sorted({**labels, "__name__": name}.items())
    pack = struct.Struct("<d").pack
    told = [(around(at), pack(value)) for at, value in samples if value is not None]
    pieces = chain.from_iterable((before, value, after) for (before, after), value in told)
    return message(1, b"".join(chain((label(*each) for each in named), pieces))) if told else b""


def snappy(data):
    pieces = [varint(len(data))]
    for start in range(0, len(data), LITERAL):
        piece = data[start : start + LITERAL]
        pieces += (b"\xf4", struct.pack("<H", len(piece) - 1), piece)
    return b"".join(pieces)


def send(url, many):
    """Sends encoded series, in requests of a few megabytes."""
    pending, size = [], 0
    for each in many:
        pending.append(each)
        size += len(each)
        if size > REQUEST:
            post(url, b"".join(pending))
            pending, size = [], 0
    if pending:
        post(url, b"".join(pending))


def post(url, data):
    request = Request(f"{url}/api/v1/write", snappy(data), HEADERS)  # noqa: S310  # because it is ours
    with urlopen(request, timeout=600):  # noqa: S310  # because it is ours
        pass
