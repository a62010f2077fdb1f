"""Logging: one line an event, the libraries' included, in one of three formats."""

import logging
from collections.abc import Mapping
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

LEVELS: Mapping[str, int] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}

# Minimum levels of libraries. urllib3's warnings quote URLs; asyncio's are about clients that hang
# up, as many as they like.
_LIBRARY_LEVELS: Mapping[str, int] = {
    "": logging.WARNING,
    "asyncio": logging.ERROR,
    "urllib3": logging.ERROR,
}

_MAX_VALUE = 1_000  # characters


def configure(level: str, format: str, stream: TextIO) -> None:  # noqa: A002  # because the flag is --log.format
    """Send the log of the exporter and of its libraries to `stream`.

    Args:
        level: A key of `LEVELS`: the minimum of the exporter's own lines.
        format: A key of `FORMATS`.
        stream: Where the lines go. A line that it cannot take is dropped, never raised.
    """
    handler = _LogHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(processors=[*_PROCESSORS, *FORMATS[format]])
    )
    logging.getLogger().handlers = [handler]
    for library, minimum in _LIBRARY_LEVELS.items():
        logging.getLogger(library).setLevel(max(minimum, LEVELS[level]))
    logging.getLogger("exporter").setLevel(LEVELS[level])
    structlog.configure(
        # Everything else happens in the handler, where a failure costs a line and not the caller.
        processors=[structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=lambda *_: logging.getLogger("exporter"),
    )


class _LogHandler(logging.StreamHandler[TextIO]):
    def format(self, record: logging.LogRecord) -> str:
        encoding = getattr(self.stream, "encoding", None) or "utf-8"
        return super().format(record).encode(encoding, "backslashreplace").decode(encoding)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # because logging names it
        """Drops a line that cannot be written: it has nowhere else to go."""


def _order_keys(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    return {key: event.pop(key) for key in ("timestamp", "level", "event")} | {**event}


def _truncate(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    for key, value in event.items():
        text = str(value)
        if len(text) > _MAX_VALUE:
            # A traceback says what happened at its end.
            event[key] = (
                f"…{text[1 - _MAX_VALUE :]}" if key == "exception" else f"{text[: _MAX_VALUE - 1]}…"
            )
    return event


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _logfmt(_: WrappedLogger, __: str, event: EventDict) -> str:
    # structlog's own renderer lets through every line break but \n.
    return " ".join(f"{key}={_logfmt_value(value)}" for key, value in event.items())


def _logfmt_value(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "", True: "true", False: "false"}[value]
    text = str(value)
    if text and text.isprintable() and not set(text) & set(' ="\\'):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{_printable(escaped)}"'


def _escape_line_breaks(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    return {
        key: _printable(value) if isinstance(value, str) and key != "exception" else value
        for key, value in event.items()
    }


_PROCESSORS: tuple[Processor, ...] = (
    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
    _order_keys,
    _truncate,
)

FORMATS: Mapping[str, tuple[Processor, ...]] = {
    "logfmt": (_logfmt,),
    "json": (structlog.processors.JSONRenderer(),),
    "console": (
        _escape_line_breaks,
        structlog.dev.ConsoleRenderer(
            colors=False, sort_keys=False, exception_formatter=structlog.dev.plain_traceback
        ),
    ),
}
