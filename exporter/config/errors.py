"""Errors of configuration files: one line each, with the place, without secrets."""

import difflib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

_MAX_QUOTED = 40  # characters
_PLACEHOLDERS: Mapping[Any, str] = {tuple: "[n]", Mapping: "[name]"}  # of a collection's item

# By pydantic's type of error; every type that the schema can give. Its own messages quote values.
_MESSAGES: Mapping[str, str] = {
    "bool_type": "must be true or false",
    "dict_type": "must be a mapping, such as {{key: value}}",
    "extra_forbidden": "unknown key",
    "finite_number": "must be a finite number",
    "float_type": "must be a number, such as 1000 or 0.001",
    "greater_than": "must be more than {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "int_type": "must be a whole number",
    "invalid_key": "must be text; put it in quotes",
    "less_than_equal": "must be at most {le:g}",
    "literal_error": "must be {expected}",
    "missing": "is missing",
    "model_type": "must be a mapping, such as {{key: value}}",
    "string_too_short": "must not be empty",
    "string_type": "must be text; put it in quotes",
    "too_long": "must have {max_length} values, not more",
    "too_short": "must not be empty",
    "tuple_type": "must be a list, such as [a, b]",
    "value_error": "{error}",
}


class ConfigError(Exception):
    """A configuration that cannot be used. Its text is one line and holds no secret."""

    def __init__(self, text: str) -> None:
        super().__init__(" ".join(text.split()))


class FromEnvironment(str):
    """Text that replaced a `${NAME}`: never quoted, for it may be a secret in the wrong place."""

    __slots__ = ()


def place(location: Collection[str | int]) -> str:
    """The path of a value: `accounts[0].tls.verify`."""
    text = ""
    for part in location:
        if isinstance(part, int):
            text += f"[{part}]"
        elif re.fullmatch(r"\w+", part):
            text += f".{part}"
        else:
            text += f'["{part}"]'
    return text.removeprefix(".")


def quoted(value: object) -> str:
    """A scalar as a message may show it: in quotes, long ones cut."""
    if isinstance(value, FromEnvironment):
        return "the variable's value"
    text = str(value)
    return f'"{text}"' if len(text) <= _MAX_QUOTED else f'"{text[:_MAX_QUOTED]}…"'


def suggestion(value: str, choices: Collection[str]) -> str:
    """The end of a message about an unknown name: the similar ones of `choices`, or all."""
    near = difflib.get_close_matches(value, choices, n=3)
    if near:
        return f"; did you mean {' or '.join(near)}?"
    return f"; it can be {', '.join(choices)}"


def format_errors(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """Every error that `model` found, each as `<place>: <message>`."""
    return [_format_error(details, model) for details in error.errors(include_url=False)]


def _format_error(details: Mapping[str, Any], model: type[BaseModel]) -> str:
    # pydantic marks a refused key of a mapping by one more part, "[key]".
    location = [part for part in details["loc"] if part != "[key]"]
    kind = details["type"]
    if kind != "missing" and details["input"] is None:
        message = "has no value"
    else:
        message = _MESSAGES.get(kind, "is not valid").format_map(details.get("ctx", {}))
    if kind == "extra_forbidden":
        key, section = str(location[-1]), _section(location, model)
        homes = " or ".join(_homes(location, section))
        message += f"; it belongs in {homes}" if homes else suggestion(key, section.model_fields)
    # An error between sections has no place of its own: its message names them.
    return f"{place(location)}: {message}" if location else message


def _section(location: Collection[str | int], model: type[BaseModel]) -> type[BaseModel]:
    """The innermost section on the path of a location."""
    for part in location:
        field = model.model_fields.get(str(part))
        model = (field and _model_in(field.annotation)) or model
    return model


def _homes(location: Sequence[str | int], section: type[BaseModel]) -> Iterator[str]:
    """The subsections that have a key which the section itself has not."""
    *above, key = location
    for name, field in section.model_fields.items():
        part = _model_in(field.annotation)
        if part and key in part.model_fields:
            yield place([*above, name]) + _PLACEHOLDERS.get(get_origin(field.annotation), "")


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_model_in, get_args(annotation))), None)
