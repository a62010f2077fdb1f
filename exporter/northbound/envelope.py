"""The envelope `{success, data, failCode, params, message}`, and failures in whatever form.

The reference's own example of a failure has the code in `data` and a failCode of 0 (2.2), another
one only a message (2.17); newer servers and gateways have more ways.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from exporter.northbound.data_items import parse_int, parse_text
from exporter.northbound.errors import (
    FAIL_CODES,
    CallError,
    fail_code_error,
    named_error,
    status_error,
)

_OK = 200
_BAD_REQUEST = 400
_STATUS_STANDS = frozenset({401, 403, 429})  # whatever else the body says
# How a gateway in front of the interface tells, with HTTP 400, what it does not take.
_GATEWAY_EXCEPTION = "ROA_"
_SESSION_CODES = frozenset({305, 306, 307})
_LONGEST_MESSAGE = 200  # characters
_LONGEST_INTEGER = 400  # digits; a float ends at 309, and int() refuses from 4300 on
# Words that count like their failCode, without which they sometimes come, anywhere in a failure.
_CODE_WORDS = {b"ACCESS_FREQUENCY_IS_TOO_HIGH": 407, b"USER_MUST_RELOGIN": 305}
_SEARCHED = 4096  # bytes of a failure's body; longer ones are pages for people


def data_of(status: int, body: bytes, retry_after: float = 0.0) -> Any:
    """The `data` of a successful envelope, from an answer's HTTP status and body.

    Raises:
        CallError: The call failed, or this is no envelope; it carries `retry_after`.
    """
    envelope = decode_object(body)
    error = _error_of(status, body, envelope)
    if error is not None:
        raise CallError(replace(error.failure, retry_after=retry_after))
    return envelope.get("data")


def _error_of(status: int, body: bytes, envelope: Mapping[str, Any]) -> CallError | None:
    success, data = envelope.get("success"), envelope.get("data")
    has_data = success is True and bool(data) and not isinstance(data, str)
    text_code = None if has_data else _text_code(body)
    code = text_code or _fail_code(envelope)
    if status != _OK:
        is_failure = success is False or text_code is not None
        # The end of a session says more than any status, and a refusal by code more than most.
        known = _SESSION_CODES if status in _STATUS_STANDS else FAIL_CODES
        refusal = status == _BAD_REQUEST and success is False and code is not None
        if (is_failure and code in known) or refusal:
            return _error(envelope, code)
        kind = parse_text(envelope.get("exceptionType"))
        if status == _BAD_REQUEST and kind.startswith(_GATEWAY_EXCEPTION):
            return _bad_parameters(envelope)
        return status_error(status)
    if not body.strip():
        return named_error("empty")
    if success is True and (has_data or code not in FAIL_CODES):
        return None
    return _error(envelope, code)


def _text_code(body: bytes) -> int | None:
    """The failCode that a failure spells in words, in whatever field or form."""
    text = body[:_SEARCHED].replace(b"\0", b"").upper()  # as UTF-16, too
    return next((code for words, code in _CODE_WORDS.items() if words in text), None)


def _error(envelope: Mapping[str, Any], code: int | None) -> CallError:
    error = named_error("malformed") if code is None else fail_code_error(code)
    if error.reason == "malformed" and envelope.get("success") is False:
        error = named_error("refused", enveloped=True)
    message = " ".join(parse_text(envelope.get("message"), _LONGEST_MESSAGE).split())
    return CallError(replace(error.failure, message=message))


def _bad_parameters(envelope: Mapping[str, Any]) -> CallError:
    error = named_error("bad_parameters", enveloped=True)
    told = parse_text(envelope.get("exceptionId"), _LONGEST_MESSAGE)
    return CallError(replace(error.failure, message=told))


def decode_object(body: bytes) -> dict[str, Any]:
    """The JSON object in a body, whatever type the headers call it; empty if there is none."""
    with suppress(ValueError, RecursionError):
        decoded = json.loads(body, parse_int=_integer)
        if isinstance(decoded, dict):
            return decoded
    return {}


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else float(digits)


def _fail_code(envelope: Mapping[str, Any]) -> int | None:
    """The failCode, wherever it stands; 0 stands for none."""
    codes = (parse_int(envelope.get(key)) for key in ("failCode", "data"))
    return next(filter(None, codes), None)
