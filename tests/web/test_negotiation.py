import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.exposition.page import Format
from exporter.web.negotiation import accepts_gzip, wanted_format

TEXT, OPENMETRICS = Format.TEXT, Format.OPENMETRICS
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        pytest.param(
            "application/openmetrics-text;version=1.0.0,application/openmetrics-text;"
            "version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            OPENMETRICS,
            id="Prometheus 2.42",
        ),
        pytest.param(
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
            "application/openmetrics-text;version=0.0.1;q=0.4,"
            "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,"
            "text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
            OPENMETRICS,
            id="Prometheus 3",
        ),
        pytest.param(
            "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.5,"
            "text/plain;version=0.0.4;q=0.4,"
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.3,*/*;q=0.1",
            TEXT,
            id="Prometheus 3, text first",
        ),
        pytest.param(
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"
            "encoding=delimited;q=0.5,application/openmetrics-text;version=1.0.0;q=0.4,"
            "application/openmetrics-text;version=0.0.1;q=0.3,text/plain;version=0.0.4;q=0.2,"
            "*/*;q=0.1",
            OPENMETRICS,
            id="Prometheus with native histograms",
        ),
        pytest.param("text/plain;version=0.0.4;q=1,*/*;q=0.1", TEXT, id="VictoriaMetrics"),
        pytest.param("*/*", TEXT, id="curl"),
        pytest.param(BROWSER, TEXT, id="a browser"),
        pytest.param("", TEXT, id="nothing"),
        pytest.param("image/png", TEXT, id="nothing we have"),
        pytest.param("application/openmetrics-text", OPENMETRICS, id="no version"),
        pytest.param("APPLICATION/OpenMetrics-Text; Version=1.0.0", OPENMETRICS, id="any case"),
        pytest.param("text/*", TEXT, id="any text"),
        pytest.param("application/*", OPENMETRICS, id="any application"),
        pytest.param('application/openmetrics-text; version="1.0.0"', OPENMETRICS, id="quoted"),
        pytest.param("application/openmetrics-text ; version = 1.0.0", OPENMETRICS, id="blanks"),
        pytest.param("application/openmetrics-text;version=9.9.9", TEXT, id="unknown version"),
        pytest.param("application/openmetrics-text;version=0.0.1", TEXT, id="old version"),
        pytest.param("application/openmetrics-text;version=abc", TEXT, id="no version at all"),
        pytest.param("application/openmetrics-text;version=1.0.0;q=0", TEXT, id="q=0"),
        pytest.param("application/openmetrics-text;q=0,text/plain;q=0", TEXT, id="neither"),
        pytest.param(
            "application/openmetrics-text;q=0.5,text/plain;q=0.6", TEXT, id="text wanted more"
        ),
        pytest.param(
            "text/plain;q=0.5,application/openmetrics-text;q=0.6",
            OPENMETRICS,
            id="openmetrics wanted more",
        ),
        pytest.param("text/plain;q=0,*/*", OPENMETRICS, id="anything but text"),
        pytest.param("application/openmetrics-text;q=0,*/*", TEXT, id="anything but openmetrics"),
        pytest.param(
            "*/*,application/openmetrics-text;q=0.1", TEXT, id="the precise range decides"
        ),
        pytest.param(
            "application/openmetrics-text;q=0.2,application/openmetrics-text;version=1.0.0;q=0.9,"
            "text/plain;q=0.5",
            OPENMETRICS,
            id="the range with a version decides",
        ),
        pytest.param(
            'text/plain;q=0.5;note="a,b;q=1",application/openmetrics-text;q=0.6',
            OPENMETRICS,
            id="commas in quotes",
        ),
        pytest.param(',,;;,=,"\\,;q=,;version', TEXT, id="garbage"),
        pytest.param("application/openmetrics-text;q=high", TEXT, id="no quality"),
        pytest.param("application/openmetrics-text;q=1.001", TEXT, id="too much quality"),
        pytest.param("application/openmetrics-text;q=nan,text/plain;q=0.001", TEXT, id="nan"),
        pytest.param("application/openmetrics-text;q=1.000", OPENMETRICS, id="full quality"),
    ],
)  # fmt: skip
def test_the_format_is_the_best_wanted_one(accept, expected):
    assert wanted_format(accept) is expected


@pytest.mark.parametrize(
    ("accept_encoding", "expected"),
    [
        ("gzip", True),
        ("GZIP", True),
        ("x-gzip", True),
        ("gzip, deflate, br, zstd", True),
        ("deflate, gzip;q=1.0, *;q=0.5", True),
        ("gzip;q=0.001", True),
        ("*", True),
        ("identity;q=0, *", True),
        ("identity;q=0.5, gzip;q=0.5", True),
        ("gzip ; q=0.5 , br", True),
        ("", False),
        ("identity", False),
        ("deflate, br", False),
        ("gzip;q=0", False),
        ("gzip;q=0.000, *;q=1", False),
        ("*;q=0", False),
        ("gzip;q=0.4, identity;q=0.5", False),
        ("gzipped", False),
        ("gzip;q=often", False),
        (';;,q=1,"', False),
    ],
)  # fmt: skip
def test_a_page_is_compressed_for_those_who_want_it(accept_encoding, expected):
    assert accepts_gzip(accept_encoding) is expected


headers = st.text(st.characters(max_codepoint=255)) | st.lists(
    st.sampled_from(
        ["text/plain", "application/openmetrics-text", "*/*", "gzip", "*", ";", ",", "=", '"',
         "\\", "q", "version", "1.0.0", "0.5", "0", " ", "\t", "-1", "1e9", "\xff", "²"]
    ),
    max_size=40,
).map("".join)  # fmt: skip


@given(headers)
def test_any_header_has_an_answer(header):
    assert wanted_format(header) in Format
    assert accepts_gzip(header) in (True, False)


@given(headers)
def test_a_range_for_something_else_changes_nothing(header):
    with_another = f"image/png;q=0.7,{header}"
    assert wanted_format(with_another) is wanted_format(header)


@pytest.mark.parametrize("piece", ['"', "\\", ";", " ", ";q=", ",", '"\\', ";a", "a", ';a="', "; "])
def test_a_header_of_any_length_is_read_in_one_go(piece):
    header = "text/plain" + piece * (60_000 // len(piece))
    assert wanted_format(header) is TEXT
    assert accepts_gzip(header) is False
