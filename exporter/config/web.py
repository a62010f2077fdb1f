"""The web configuration file, in exporter-toolkit's format: TLS, users, headers, a rate limit."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from time import monotonic
from typing import Annotated, Literal, Self

import structlog
from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator

from exporter.config.errors import ConfigError, format_errors
from exporter.config.schema import SettingsModel
from exporter.config.tls import TlsServer
from exporter.config.types import Duration, Table
from exporter.config.yaml_file import read_mapping
from exporter.web.access import AccessRules

CHECK_INTERVAL = 1.0  # seconds between two checks whether a file has changed
MAX_COST = 16  # of a hash; beyond it one comparison takes longer than most scrapes may

_HASH = re.compile(r"\$2[aby]\$([0-9]{2})\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{31}")
_WANTED = "a mapping with tls_server_config, http_server_config, basic_auth_users or rate_limit"
# Headers that allow a few values only.
_HEADER_VALUES = {
    "X-Frame-Options": ("deny", "sameorigin"),
    "X-Content-Type-Options": ("nosniff",),
}


def _not_null(section: TlsServer | None) -> TlsServer:
    if section is None:
        raise ValueError("has no value")
    return section


def _check_hash(value: SecretStr) -> SecretStr:
    found = _HASH.fullmatch(value.get_secret_value())
    if found is None:
        raise ValueError("is no bcrypt hash, which begins with $2y$ and has 60 characters")
    if not 4 <= int(found[1]) <= MAX_COST:  # noqa: PLR2004  # bcrypt's cheapest
        raise ValueError(f"costs {int(found[1])}, which is not between 4 and {MAX_COST}")
    return value


def _check_user(name: str) -> str:
    if ":" in name:
        raise ValueError("must not hold a colon, which ends the name in a request")
    return name


def _check_header(text: str) -> str:
    if not text.isascii() or not text.isprintable() or text != text.strip():
        raise ValueError("must be one line of plain ASCII, without blanks around it")
    return text


def _check_header_values(headers: Mapping[str, str]) -> Mapping[str, str]:
    for name, values in _HEADER_VALUES.items():
        if headers.get(name) not in (None, "", *values):
            raise ValueError(f"{name} must be {' or '.join(values)}")
    return headers


Header = Literal[
    "Content-Security-Policy",
    "Strict-Transport-Security",
    "X-Content-Type-Options",
    "X-Frame-Options",
    "X-XSS-Protection",
]
Headers = Annotated[
    Table[Header, Annotated[str, AfterValidator(_check_header)]],
    AfterValidator(_check_header_values),
]
Users = Table[
    Annotated[str, Field(min_length=1), AfterValidator(_check_user)],
    Annotated[SecretStr, AfterValidator(_check_hash)],
]


class HttpServer(SettingsModel):
    """HTTP settings. `http2` is accepted without effect: only HTTP/1.1 is served."""

    http2: bool = True
    headers: Headers = Field(default_factory=dict, validate_default=True)


class RateLimit(SettingsModel):
    """One request every `interval`, all clients together, and `burst` of them at once."""

    interval: Duration = 0.0
    burst: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _answers_something(self) -> Self:
        if self.interval and not self.burst:
            raise ValueError("needs a burst of 1 or more, or it would refuse every request")
        return self


class WebFile(SettingsModel):
    """The whole file; the files that it names are not read yet."""

    tls_server_config: Annotated[TlsServer | None, AfterValidator(_not_null)] = None
    http_server_config: HttpServer = Field(default_factory=HttpServer)
    basic_auth_users: Users = Field(default_factory=dict, validate_default=True)
    rate_limit: RateLimit = RateLimit()


class WebConfig:
    """The web configuration, read again when it or a file that it names has changed.

    One that cannot be used is logged, and the previous one stays in force.

    Raises:
        ConfigError: It cannot be used at the start; one line with every error found.
    """

    def __init__(self, path: Path, now: Callable[[], float] = monotonic) -> None:
        self._path = path
        self._now = now
        self._named: tuple[Path, ...] = ()
        self._checked_at = now()
        self._stamps = self._stat()
        self._rules = self._read()

    def current(self) -> AccessRules:
        """The rules in force; cheap enough for every request."""
        if self._now() - self._checked_at >= CHECK_INTERVAL:
            self._checked_at = self._now()
            stamps = self._stat()
            if stamps != self._stamps:
                self._stamps = stamps
                self._reread()
        return self._rules

    def _reread(self) -> None:
        log = structlog.get_logger()
        try:
            self._rules = self._read()
        except ConfigError as error:
            log.warning("web configuration refused, keeping the previous one", reason=str(error))
        else:
            log.info("web configuration read again", file=str(self._path))

    def _read(self) -> AccessRules:
        file = _read_file(self._path)
        tls = file.tls_server_config
        self._named = tls.files() if tls else ()
        # Before they are read: what changes meanwhile is read once more.
        self._stamps = (self._stamps[0], *map(_stamp, self._named))
        try:
            context = tls.context() if tls else None
        except ValueError as error:
            raise ConfigError(f"{self._path}: tls_server_config.{error}") from None
        headers, users = file.http_server_config.headers, file.basic_auth_users
        return AccessRules(
            tls=context,
            client_names=frozenset(tls.client_allowed_sans if tls else ()),
            headers={name: value for name, value in headers.items() if value},
            users={name: each.get_secret_value().encode() for name, each in users.items()},
            interval=file.rate_limit.interval,
            burst=file.rate_limit.burst,
        )

    def _stat(self) -> tuple[tuple[int, ...] | None, ...]:
        return tuple(map(_stamp, (self._path, *self._named)))


def _stamp(path: Path) -> tuple[int, ...] | None:
    """Changes when a file is written or replaced; None where there is none."""
    try:
        found = path.stat()
    except (OSError, ValueError):  # a path with a NUL: a ValueError
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino


def _read_file(path: Path) -> WebFile:
    tree = read_mapping(path, _WANTED)
    try:
        return WebFile.model_validate(tree, context=path.parent)
    except ValidationError as error:
        errors = format_errors(error, WebFile)
    # Raised outside the handler, so that no exception chain carries the rejected values.
    raise ConfigError(f"{path}: {'; '.join(errors)}")
