import io
import json
import logging
import re
from collections.abc import Iterator

import pytest
import structlog

from exporter import logs

log = structlog.get_logger()

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


class Stream(io.TextIOWrapper):
    """Takes what a terminal of its encoding takes."""

    def __init__(self, encoding: str = "utf-8") -> None:
        super().__init__(io.BytesIO(), encoding=encoding, newline="\n")

    def lines(self) -> list[str]:
        """What was written, line by line, with TIME for every time."""
        self.flush()
        return TIME.sub("TIME", self.buffer.getvalue().decode(self.encoding)).split("\n")[:-1]


@pytest.fixture(autouse=True)
def _restore_logging() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in ("", "exporter", "asyncio", "urllib3")]
    handlers, levels = loggers[0].handlers, [each.level for each in loggers]
    yield
    structlog.reset_defaults()
    loggers[0].handlers = handlers
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


@pytest.fixture
def stream() -> Stream:
    return Stream()


LINES = {
    "logfmt": (
        r'timestamp=TIME level=info event="plant list read" account=home plants=3 pace=0.5 '
        r'name="Süd 1" first=true last=false reason= model="" ids="[1, 2]" path="C:\\\"x\""'
    ),
    "json": (
        r'{"timestamp": "TIME", "level": "info", "event": "plant list read", "account": "home", '
        r'"plants": 3, "pace": 0.5, "name": "S\u00fcd 1", "first": true, "last": false, '
        r'"reason": null, "model": "", "ids": [1, 2], "path": "C:\\\"x\""}'
    ),
    "console": (
        r"TIME [info     ] plant list read                account=home plants=3 pace=0.5 "
        r"name='Süd 1' first=True last=False reason=None model= ids=[1, 2] path="
        "'C:\\\\\"x\"'"
    ),
}


@pytest.mark.parametrize("form", logs.FORMATS)
def test_an_event_is_one_line_with_time_level_event_and_values(stream: Stream, form: str) -> None:
    logs.configure("info", form, stream)
    log.bind(account="home").info(
        "plant list read",
        plants=3,
        pace=0.5,
        name="Süd 1",
        first=True,
        last=False,
        reason=None,
        model="",
        ids=[1, 2],
        path='C:\\"x"',
    )
    assert stream.lines() == [LINES[form]]


ESCAPED_LINES = {
    "logfmt": r'timestamp=TIME level=info event="a\nb" name="c\r\n\x85\u2028\x1b[2Jd"',
    "json": (
        r'{"timestamp": "TIME", "level": "info", "event": "a\nb", '
        r'"name": "c\r\n\u0085\u2028\u001b[2Jd"}'
    ),
    "console": r"TIME [info     ] a\nb                           name=c\r\n\x85\u2028\x1b[2Jd",
}


@pytest.mark.parametrize("form", logs.FORMATS)
def test_line_breaks_and_control_characters_are_escaped(stream: Stream, form: str) -> None:
    logs.configure("info", form, stream)
    log.info("a\nb", name="c\r\n\x85\u2028\x1b[2Jd")
    assert stream.lines() == [ESCAPED_LINES[form]]


def fail(message: str) -> None:
    raise ValueError(message)


def log_exception() -> None:
    try:
        fail("no\nsense")
    except ValueError:
        log.exception("it failed", account="home")


FAILED_LINES = {
    "logfmt": (
        'timestamp=TIME level=error event="it failed" account=home exception="',
        r'\nValueError: no\nsense"',
    ),
    "json": (
        (
            '{"timestamp": "TIME", "level": "error", "event": "it failed", '
            '"account": "home", "exception": "'
        ),
        r'\nValueError: no\nsense"}',
    ),
}


@pytest.mark.parametrize("form", FAILED_LINES)
def test_an_exception_stays_on_its_line(stream: Stream, form: str) -> None:
    logs.configure("info", form, stream)
    log_exception()
    (line,) = stream.lines()
    start, end = FAILED_LINES[form]
    assert line.startswith(rf"{start}Traceback (most recent call last):\n")
    assert line.endswith(end)


def test_a_console_shows_a_traceback_as_people_read_it(stream: Stream) -> None:
    logs.configure("info", "console", stream)
    log_exception()
    lines = stream.lines()
    assert lines[:2] == [
        "TIME [error    ] it failed                      account=home",
        "Traceback (most recent call last):",
    ]
    assert lines[-2:] == ["ValueError: no", "sense"]


@pytest.mark.parametrize("form", logs.FORMATS)
def test_lone_surrogates_are_escaped(stream: Stream, form: str) -> None:
    logs.configure("info", form, stream)
    log.info("\ud800", name="\udfff a")
    (line,) = stream.lines()
    assert re.findall(r"\\ud[8f][0f][0f]", line) == [r"\ud800", r"\udfff"]


@pytest.mark.parametrize("form", logs.FORMATS)
def test_a_stream_of_ascii_takes_every_name(form: str) -> None:
    stream = Stream("ascii")
    logs.configure("info", form, stream)
    log.info("read", name="Süd")
    (line,) = stream.lines()
    assert re.search(r"S\\(xfc|u00fc)d", line)


def test_a_stream_without_an_encoding_will_do() -> None:
    stream = io.StringIO()
    logs.configure("info", "logfmt", stream)
    log.info("read", name="Süd")
    assert stream.getvalue().endswith(" level=info event=read name=Süd\n")


class Unprintable:
    def __repr__(self) -> str:
        raise OSError


@pytest.mark.parametrize("form", logs.FORMATS)
def test_a_line_that_cannot_be_written_is_no_error(stream: Stream, form: str, capsys) -> None:
    logs.configure("info", form, stream)
    log.info("worse", value=Unprintable())
    log.info("better")
    assert len(stream.lines()) == 1
    stream.close()
    log.info("too late")
    logging.getLogger("uvicorn.error").warning("too late")
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("form", logs.FORMATS)
def test_a_long_value_is_cut(stream: Stream, form: str) -> None:
    logs.configure("info", form, stream)
    log.info("read", body="X" * 1001, fits="Y" * 1000, keys=["Z"] * 1000)
    (line,) = stream.lines()
    assert (line.count("X"), line.count("Y"), line.count("Z")) == (999, 1000, 200)


def test_of_a_long_traceback_the_end_is_kept(stream: Stream) -> None:
    logs.configure("info", "json", stream)
    try:
        fail(f"{'x' * 2000} at the end")
    except ValueError:
        log.exception("it failed")
    exception = json.loads(stream.lines()[0])["exception"]
    assert (len(exception), exception[0]) == (1000, "…")
    assert exception.endswith("x at the end")


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("debug", ["debug", "info", "warning", "error"]),
        ("info", ["info", "warning", "error"]),
        ("warn", ["warning", "error"]),
        ("warning", ["warning", "error"]),
        ("error", ["error"]),
    ],
)
def test_the_level_is_the_least_that_is_said(
    stream: Stream, level: str, expected: list[str]
) -> None:
    logs.configure(level, "logfmt", stream)
    for method in ("debug", "info", "warning", "error"):
        getattr(log, method)("read")
    assert stream.lines() == [f"timestamp=TIME level={each} event=read" for each in expected]


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("debug", ["uvicorn warning", "uvicorn error", "asyncio error", "urllib3 error"]),
        ("error", ["uvicorn error", "asyncio error", "urllib3 error"]),
    ],
)
def test_libraries_speak_through_the_same_log_from_warnings_or_errors_up(
    stream: Stream, level: str, expected: list[str]
) -> None:
    logs.configure(level, "json", stream)
    for library in ("uvicorn", "asyncio", "urllib3"):
        logger = logging.getLogger(f"{library}.part")
        for method in ("debug", "info", "warning", "error"):
            getattr(logger, method)("%s %s", library, method)
    events = [json.loads(line) for line in stream.lines()]
    assert [event["event"] for event in events] == expected
    assert [list(event) for event in events] == [["timestamp", "level", "event"]] * len(expected)


def test_an_exception_of_a_library_stays_on_its_line(stream: Stream) -> None:
    logs.configure("info", "logfmt", stream)
    try:
        fail("no sense")
    except ValueError:
        logging.getLogger("some.package").exception("Exception in ASGI application")
    (line,) = stream.lines()
    assert line.startswith('timestamp=TIME level=error event="Exception in ASGI application" exc')
    assert line.endswith('ValueError: no sense"')


def test_the_last_configuration_holds(stream: Stream) -> None:
    logs.configure("debug", "json", io.StringIO())
    logs.configure("info", "logfmt", stream)
    log.debug("unsaid")
    log.info("said once")
    assert stream.lines() == ['timestamp=TIME level=info event="said once"']
