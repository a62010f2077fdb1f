"""A page is compressed, whatever this processor has a library for."""

import gzip
import runpy
import sys

import pytest

from exporter.web import page_cache

PAGE = b'fusionsolar_up{account="home"} 1.0\n' * 1_000


@pytest.fixture(params=["isal", "zlib"])
def compressed(request, monkeypatch):
    if request.param == "isal":
        pytest.importorskip("isal", reason="isal is not made for this processor")
    else:
        for module in ("isal", "isal.isal_zlib"):
            monkeypatch.setitem(sys.modules, module, None)  # it cannot be imported
    made = runpy.run_path(page_cache.__file__)
    module = {"isal": "isal.isal_zlib", "zlib": "zlib"}[request.param]
    assert made["compressobj"].__module__ == module
    return made["compressed"]


def test_a_page_is_one_gzip_member_with_or_without_isal(compressed):
    pieces = compressed([PAGE[:10], b"", PAGE[10:]])
    small = b"".join(pieces)
    assert all(pieces)
    assert gzip.decompress(small) == PAGE
    assert len(small) < len(PAGE) / 20
