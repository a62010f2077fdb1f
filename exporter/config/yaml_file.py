"""Reads a YAML file into dicts, lists and scalars, with `${NAME}` replaced."""

import os
import re
import select
from collections.abc import Mapping
from io import BytesIO, TextIOWrapper
from math import inf
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from time import monotonic
from typing import Any, NoReturn

import yaml

from exporter import NAME
from exporter.config.errors import ConfigError, FromEnvironment, place, quoted

# A file of systemd's credentials may follow the name of their directory.
_VARIABLE = re.compile(r"\$\{([^{}]+)\}((?<=\{CREDENTIALS_DIRECTORY\})/.+)?")
MAX_SIZE = 10_000_000  # bytes
TOO_LARGE = f"is larger than {MAX_SIZE // 1_000_000} MB"
_MAX_NODES = 100_000
_READ_SIZE = 64 * 1024  # bytes


def read_text(path: Path, pipe_timeout: float = 0.0) -> str:
    """A file's text.

    A pipe is read for up to `pipe_timeout` seconds; with 0 it is refused, as whatever is no regular
    file: nobody may ever write to it.

    Raises:
        ValueError: The file cannot be read or is not UTF-8; the text says which, not what it holds.
    """
    try:
        return TextIOWrapper(BytesIO(_read_bytes(path, pipe_timeout)), "utf-8-sig").read()
    except OSError as error:
        reason = f"cannot be read: {error.strerror}"
    except UnicodeDecodeError:
        reason = "cannot be read: it is not UTF-8 text"
    except ValueError as error:  # of ours, or a path with a NUL
        reason = str(error)
    raise ValueError(reason)


def _read_bytes(path: Path, pipe_timeout: float) -> bytes:
    # Without O_NONBLOCK, opening a pipe would wait for a writer.
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        kind = os.fstat(file).st_mode
        if not pipe_timeout and not (S_ISREG(kind) or S_ISDIR(kind)):
            raise ValueError("is not a file")
        found, ready, end = bytearray(), select.poll(), monotonic() + pipe_timeout
        ready.register(file, select.POLLIN)
        while True:
            left = None if pipe_timeout == inf else max(0.0, end - monotonic()) * 1e3
            if not ready.poll(left):
                raise ValueError(f"is a pipe to which nobody wrote all within {pipe_timeout:g} s")
            piece = os.read(file, _READ_SIZE)
            if not piece:
                return bytes(found)
            found += piece
            if len(found) > MAX_SIZE:
                raise ValueError(TOO_LARGE)
    finally:
        os.close(file)


def read_mapping(
    path: Path, wanted: str, pipe_timeout: float = 0.0, missing: str = ""
) -> dict[Any, Any]:
    """The mapping in a YAML file; `pipe_timeout` as in `read_text`.

    Raises:
        ConfigError: The file is unreadable, or holds no single mapping, which `wanted` describes;
            `missing` is added where there is no file.
    """
    try:
        return _parse(read_text(path, pipe_timeout), wanted)
    except ValueError as error:
        hint = missing if not os.path.lexists(path) else ""
        raise ConfigError(f"{path}: {error}{hint}") from None


def read_config(
    path: Path, environ: Mapping[str, str], pipe_timeout: float = 0.0
) -> dict[Any, Any]:
    """The mapping in a configuration file; a whole value `${NAME}` is taken from `environ`.

    So is the beginning of `${CREDENTIALS_DIRECTORY}/name`.

    Raises:
        ConfigError: As `read_mapping`, or the file names variables that are not set.
    """
    first = (
        f"; `{NAME} files --output . config` writes an example; or name another file with "
        "--config.file"
    )
    tree = read_mapping(path, "a mapping with the key accounts", pipe_timeout, first)
    unset: list[str] = []
    values: dict[Any, Any] = _substitute(tree, (), environ, unset)
    if unset:
        raise ConfigError(f"{path}: {'; '.join(unset)}")
    return values


def _substitute(
    value: Any, location: tuple[str | int, ...], environ: Mapping[str, str], unset: list[str]
) -> Any:
    match value:
        case dict():
            return {
                key: _substitute(item, (*location, key), environ, unset)
                for key, item in value.items()
            }
        case list():
            return [
                _substitute(item, (*location, n), environ, unset) for n, item in enumerate(value)
            ]
        case str() if variable := _VARIABLE.fullmatch(value):
            name = variable[1]
            if name in environ:
                return FromEnvironment(environ[name] + (variable[2] or ""))
            unset.append(f"{place(location)}: the environment variable {name} is not set")
    return value


def _parse(text: str, wanted: str) -> dict[Any, Any]:
    # The parser's own messages quote the file, where a password may stand: they are dropped.
    try:
        documents = list(yaml.load_all(text, Loader=_Loader))
    except _RefusedError as refusal:
        reason = str(refusal)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        reason = (
            f"line {line}: is not valid YAML; look at the indentation (no tabs), "
            "and put text with special characters in quotes"
        )
    except (yaml.YAMLError, RecursionError, ValueError):
        reason = "is not valid YAML"
    else:
        match documents:
            case [dict() as tree]:
                return tree
            case [_, _, *_]:
                reason = "holds several YAML documents; one is wanted"
            case _:
                reason = f"holds no settings; {wanted} is wanted"
    raise ValueError(reason)


class _RefusedError(Exception):
    """Valid YAML that is not accepted."""


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader that refuses tags, repeated keys, and exponential aliases."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._nodes = 0
        self._sizes: dict[str | None, int] = {}

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]  # because the stubs lack it
        if getattr(event, "tag", None):
            _refuse(event.start_mark, "a value that begins with ! needs quotes")
        before = self._nodes
        node = super().compose_node(parent, index)
        if isinstance(event, yaml.AliasEvent):
            # An anchor whose size is not known yet holds this very alias: it would never end.
            self._nodes += self._sizes.get(event.anchor, _MAX_NODES)
        else:
            self._nodes += 1
            self._sizes[event.anchor] = self._nodes - before
        if self._nodes > _MAX_NODES:
            _refuse(event.start_mark, f"more than {_MAX_NODES} values, aliases written out")
        return node

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        first: dict[tuple[str, str], int] = {}
        scalars = [key for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for key in scalars:
            identity = (key.tag, key.value)
            if identity in first:
                earlier = first[identity]
                _refuse(key.start_mark, f"{quoted(key.value)} stands on line {earlier} already")
            first[identity] = key.start_mark.line + 1
        return node


def _refuse(mark: yaml.Mark, reason: str) -> NoReturn:
    raise _RefusedError(f"line {mark.line + 1}: {reason}")
