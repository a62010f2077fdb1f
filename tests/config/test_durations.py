from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from exporter.config import load
from exporter.config.types import Duration

DURATION = TypeAdapter(Duration)

UNITS = {"y": 31_536_000_000, "w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000}
UNITS |= {"s": 1_000, "ms": 1}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0s", 0.0),
        ("0ms", 0.0),
        ("1ms", 0.001),
        ("500ms", 0.5),
        ("30s", 30.0),
        ("90m", 5_400.0),
        ("1h30m", 5_400.0),
        ("1m500ms", 60.5),
        ("1d", 86_400.0),
        ("1w", 604_800.0),
        ("1y", 31_536_000.0),
        ("1y2w3d4h5m6s7ms", 33_019_506.007),
        ("0.42s", 0.42),
        ("1.5h", 5_400.0),
        ("0.5ms", 0.0005),
        ("100y", 3_153_600_000.0),
    ],
)
def test_a_duration_is_read_as_seconds(text: str, seconds: float) -> None:
    assert DURATION.validate_python(text) == seconds


@pytest.mark.parametrize(
    "value",
    [
        *("", "s", "30", "0", "0.5", "1 h", "1h 30m", " 30s", "30s\n", "30S", "30sec"),
        *("1m1h", "1s1s", "1ms1s", "1h0.5m", "0.5h1m", "1.s", ".5s", "1e3s", "+1s", "-1s", "٣s"),
        *("100y1ms", "9999999999999s", "nan", "inf"),
        *(30, 0, 0.5, float("nan"), True, None, b"30s", ["30s"], {"s": 30}),
    ],
)
def test_anything_else_is_no_duration(value: object) -> None:
    with pytest.raises(ValidationError):
        DURATION.validate_python(value)


@given(st.lists(st.integers(0, 999), min_size=len(UNITS), max_size=len(UNITS)).filter(any))
def test_every_sum_of_units_is_read_exactly(counts: list[int]) -> None:
    pairs = [(count, unit) for count, unit in zip(counts, UNITS, strict=True) if count]
    milliseconds = sum(count * UNITS[unit] for count, unit in pairs)
    text = "".join(f"{count}{unit}" for count, unit in pairs)
    if milliseconds > 100 * UNITS["y"]:
        with pytest.raises(ValidationError):
            DURATION.validate_python(text)
    else:
        assert DURATION.validate_python(text) == milliseconds / 1000


@given(st.integers(0, 10**8), st.integers(0, 10**6 - 1))
def test_every_decimal_is_read_exactly(whole: int, millionths: int) -> None:
    text = f"{whole}.{millionths:06}"
    assert DURATION.validate_python(f"{text}s") == float(text)


@given(st.text(alphabet="0123456789.ywdhms -", max_size=12))
def test_a_text_is_a_duration_in_seconds_or_refused(text: str) -> None:
    try:
        seconds = DURATION.validate_python(text)
    except ValidationError:
        return
    assert 0 <= seconds <= 3_153_600_000
    assert text.endswith(tuple(UNITS))


def test_durations_of_a_file_are_plain_floats(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("accounts: [{username: api-user, password: secret, timeout: 1m500ms}]")
    timeout = load(path, {}).accounts[0].timeout
    assert (type(timeout), timeout) == (float, 60.5)
