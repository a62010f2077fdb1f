"""The web configuration file, in exporter-toolkit's format: TLS, users, headers, a rate limit."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from ssl import SSLContext
from time import monotonic
from types import MappingProxyType
from typing import Annotated, Literal, Self

import structlog
from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator

from exporter.config.mistakes import ConfigError, in_plain_words
from exporter.config.reading import read_plain
from exporter.config.settings import Section
from exporter.config.tls import TlsServer
from exporter.config.values import Duration, Table

LOOK = 1.0  # seconds between two looks at whether a file has changed
COSTLIEST = 16  # of a hash; beyond it one comparison takes longer than most scrapes may

Stamp = tuple[int, ...] | None

_HASH = re.compile(r"\$2[aby]\$([0-9]{2})\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{31}")
_WANTED = "a mapping with tls_server_config, http_server_config, basic_auth_users or rate_limit"
# What the headers that are no free text may say.
_ENUMERATED = {
    "X-Frame-Options": ("deny", "sameorigin"),
    "X-Content-Type-Options": ("nosniff",),
}


def _given(section: TlsServer | None) -> TlsServer:
    if section is None:
        raise ValueError("has no value")
    return section


def _hash(value: SecretStr) -> SecretStr:
    found = _HASH.fullmatch(value.get_secret_value())
    if found is None:
        raise ValueError("is no bcrypt hash, which begins with $2y$ and has 60 characters")
    if not 4 <= int(found[1]) <= COSTLIEST:  # noqa: PLR2004  # bcrypt's cheapest
        raise ValueError(f"costs {int(found[1])}, which is not between 4 and {COSTLIEST}")
    return value


def _user(name: str) -> str:
    if ":" in name:
        raise ValueError("must not hold a colon, which ends the name in a request")
    return name


def _header_value(text: str) -> str:
    if not text.isascii() or not text.isprintable() or text != text.strip():
        raise ValueError("must be one line of plain ASCII, without blanks around it")
    return text


def _said_well(headers: Mapping[str, str]) -> Mapping[str, str]:
    for name, values in _ENUMERATED.items():
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
    Table[Header, Annotated[str, AfterValidator(_header_value)]], AfterValidator(_said_well)
]
Users = Table[
    Annotated[str, Field(min_length=1), AfterValidator(_user)],
    Annotated[SecretStr, AfterValidator(_hash)],
]


class HttpServer(Section):
    """How answers are given. `http2` is taken and has no effect: HTTP/1.1 is what is spoken."""

    http2: bool = True
    headers: Headers = Field(default_factory=dict, validate_default=True)


class RateLimit(Section):
    """One request every `interval`, all clients together, and `burst` of them at once."""

    interval: Duration = 0.0
    burst: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _lets_something_through(self) -> Self:
        if self.interval and not self.burst:
            raise ValueError("needs a burst of 1 or more, or it would refuse every request")
        return self


class WebFile(Section):
    """The whole file, those that it names not read yet."""

    tls_server_config: Annotated[TlsServer | None, AfterValidator(_given)] = None
    http_server_config: HttpServer = Field(default_factory=HttpServer)
    basic_auth_users: Users = Field(default_factory=dict, validate_default=True)
    rate_limit: RateLimit = RateLimit()


@dataclass(frozen=True, slots=True)
class WebSettings:
    """What the web configuration asks for, ready for use.

    `tls` is None for plain HTTP; `client_names` are the alternative names of which a client's
    certificate must hold one (empty: any); `users` maps a name to its bcrypt hash (empty: no
    password is asked for); `interval` is in seconds, 0 where nothing limits the requests.
    """

    tls: SSLContext | None
    client_names: frozenset[str]
    headers: Mapping[str, str]
    users: Mapping[str, bytes] = field(repr=False)
    interval: float
    burst: int


class WebConfig:
    """The web configuration, read again when it or a file that it names has changed.

    One that cannot be used leaves the one before in force, and a line in the log.

    Raises:
        ConfigError: It cannot be used at the start; one line with every mistake found.
    """

    def __init__(self, path: Path, now: Callable[[], float] = monotonic) -> None:
        self._path = path
        self._now = now
        self._named: tuple[Path, ...] = ()
        self._looked = now()
        self._seen = self._stamps()
        self._settings = self._read()

    def current(self) -> WebSettings:
        """What is in force; cheap enough for every request."""
        if self._now() - self._looked >= LOOK:
            self._looked = self._now()
            seen = self._stamps()
            if seen != self._seen:
                self._seen = seen
                self._read_again()
        return self._settings

    def _read_again(self) -> None:
        log = structlog.get_logger()
        try:
            self._settings = self._read()
        except ConfigError as error:
            log.warning("web configuration refused, the one before holds", reason=str(error))
        else:
            log.info("web configuration read again", file=str(self._path))

    def _read(self) -> WebSettings:
        file = _checked(self._path)
        tls = file.tls_server_config
        self._named = tls.files() if tls else ()
        # Before they are read: what changes meanwhile is read once more.
        self._seen = (self._seen[0], *map(_stamp, self._named))
        try:
            context = tls.context() if tls else None
        except ValueError as error:
            reason = f"{self._path}: tls_server_config.{error}"
        else:
            return WebSettings(
                tls=context,
                client_names=frozenset(tls.client_allowed_sans if tls else ()),
                headers=MappingProxyType(
                    {key: value for key, value in file.http_server_config.headers.items() if value}
                ),
                users=MappingProxyType(
                    {
                        name: hashed.get_secret_value().encode()
                        for name, hashed in file.basic_auth_users.items()
                    }
                ),
                interval=file.rate_limit.interval,
                burst=file.rate_limit.burst,
            )
        raise ConfigError(reason)

    def _stamps(self) -> tuple[Stamp, ...]:
        return tuple(map(_stamp, (self._path, *self._named)))


def _stamp(path: Path) -> Stamp:
    """What is different after a file was written or replaced; None where there is none."""
    try:
        found = path.stat()
    except (OSError, ValueError):  # a path with a NUL: a ValueError
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino


def _checked(path: Path) -> WebFile:
    tree = read_plain(path, _WANTED)
    try:
        return WebFile.model_validate(tree, context=path.parent)
    except ValidationError as error:
        mistakes = in_plain_words(error, WebFile)
    # Raised outside the handler, so that no exception chain carries the rejected values.
    raise ConfigError(f"{path}: {'; '.join(mistakes)}")
