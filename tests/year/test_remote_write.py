"""Samples reach Prometheus as they are, whatever their labels and values."""

import json
import shutil
from math import inf
from urllib.parse import quote
from urllib.request import urlopen

import pytest
from year.engine import prometheus
from year.remote_write import send, series, snappy, varint

needs_prometheus = pytest.mark.skipif(
    not shutil.which("prometheus"), reason="prometheus is not installed"
)


def test_numbers_and_blocks_are_encoded_as_their_formats_say():
    assert [varint(number) for number in (0, 127, 128, 300)] == [
        b"\0",
        b"\x7f",
        b"\x80\x01",
        b"\xac\x02",
    ]
    assert snappy(b"abc") == b"\x03\xf4\x02\x00abc"
    assert series("a", {}, [(1, None)]) == b""


@pytest.mark.slow
@needs_prometheus
def test_what_is_sent_is_what_is_there(tmp_path):
    samples = [(300, 1.5), (600, None), (900, -inf), (1200, 1e300)]
    many = [(1500 + 15 * n, float(n)) for n in range(9000)]  # more than one piece
    with prometheus(tmp_path) as url:
        send(url, [series("a", {"z": 'ü"\\', "b": "1"}, samples), series("n", {}, many)])
        send(url, [series("a", {"z": 'ü"\\', "b": "1"}, [(1500, 0.0)])])
        one, other = (ask(url, query) for query in ("a[100d]", "n[100d]"))
    assert one == (
        {"__name__": "a", "b": "1", "z": 'ü"\\'},
        [[300, "1.5"], [900, "-Inf"], [1200, "1e+300"], [1500, "0"]],
    )
    assert [[at, float(value)] for at, value in other[1]] == [list(each) for each in many]


def ask(url, query):
    with urlopen(f"{url}/api/v1/query?time=200000&query={quote(query)}", timeout=60) as answer:  # noqa: S310  # because it is ours
        (found,) = json.load(answer)["data"]["result"]
    return found["metric"], found["values"]
