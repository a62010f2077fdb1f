"""Types of single values in configuration files; each checks, and says what is wrong."""

import os
import re
import ssl
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, TypeVar
from urllib.parse import SplitResult, urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    SecretStr,
    ValidationInfo,
)

from exporter.config.errors import quoted, suggestion
from exporter.config.yaml_file import MAX_SIZE, TOO_LARGE, read_text
from exporter.exposition.label_names import LABEL_NAMES
from exporter.northbound.device_types import DEVICE_TYPE_SLUGS, device_type_slug
from exporter.northbound.enums import ALARM_SEVERITIES, ALARM_TYPES
from exporter.northbound.interfaces import EDITIONS, INTERFACES, Content

_MILLISECONDS: Mapping[str, int] = {
    "y": 365 * 86_400_000,
    "w": 7 * 86_400_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1_000,
    "ms": 1,
}
_WHOLE = re.compile("".join(f"(?:([0-9]{{1,12}}){unit})?" for unit in _MILLISECONDS))
_DECIMAL = re.compile(rf"([0-9]{{1,12}}\.[0-9]{{1,12}})({'|'.join(_MILLISECONDS)})")
_MAX_YEARS = 100
_PORTS = {"http": ":80", "https": ":443"}
_URL_WANTED = "must be an http:// or https:// URL without user, password, ? or #"
# Path segments in lower case: those that calls add to a base_url, and those of the portal.
_INTERFACE_PATHS = frozenset({"rest", "thirddata"})
_PORTAL_PATHS = frozenset(
    {"netecowebext", "pvmswebsite", "singlekiosk.html", "unisess", "unisso", "uniportal"}
)
_CLOUD = ".fusionsolar.huawei.com"
# Hosts of the portal. They answer 404 or a web page to northbound calls, which the host of their
# region answers. An error rather than a warning: no account could log in there.
_PORTAL_HOST = re.compile(r"(?:region|uni)[0-9]+([a-z]+[0-9]*)\.fusionsolar\.huawei\.com")

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[!-~\xa0-\xff](?:[ -~\t\xa0-\xff]*[!-~\xa0-\xff])?")
_OF_TARGETS = frozenset({"job", "instance"})  # which Prometheus adds when it scrapes
_TAKEN = "is a label that series have already; choose another name"
_LABEL_NAME = re.compile("(?!__)[a-zA-Z_][a-zA-Z0-9_]*")

_T = TypeVar("_T")
_K = TypeVar("_K")


def _parse_duration(value: object) -> float:
    if not isinstance(value, str | int | float):
        raise ValueError("must be a duration, such as 30s or 1h30m")  # noqa: TRY004  # because pydantic collects ValueErrors only
    text = str(value)
    if decimal := _DECIMAL.fullmatch(text):
        milliseconds = Decimal(decimal[1]) * _MILLISECONDS[decimal[2]]
    elif text and (whole := _WHOLE.fullmatch(text)):
        counts = (int(count or 0) for count in whole.groups())
        milliseconds = Decimal(sum(map(int.__mul__, counts, _MILLISECONDS.values())))
    elif re.fullmatch(r"[0-9.]+", text):
        raise ValueError(f"{quoted(value)} has no unit; write 30s or 1h30m")
    else:
        raise ValueError(f"{quoted(value)} is no duration; write it like 30s, 1h30m or 0.5s")
    if milliseconds > _MAX_YEARS * _MILLISECONDS["y"]:
        raise ValueError(f"{quoted(value)} is longer than {_MAX_YEARS} years")
    return float(milliseconds / 1000)


def _one_of(what: str, choices: Collection[str]) -> BeforeValidator:
    def check(value: object) -> object:
        if isinstance(value, str) and value not in choices:
            raise ValueError(f"{quoted(value)} is no {what}{suggestion(value, choices)}")
        return value

    return BeforeValidator(check)


def _device_type(value: object) -> object:
    if not isinstance(value, str) or value in DEVICE_TYPE_SLUGS:
        return value
    number = re.fullmatch(r"type_([0-9]{1,9})", value)
    slug = device_type_slug(int(number[1])) if number else ""
    if slug != value:
        end = f"; it is called {slug}" if slug else suggestion(value, DEVICE_TYPE_SLUGS)
        raise ValueError(f"{quoted(value)} is no device type{end}")
    return value


def _not_zero(value: float) -> float:
    if value == 0:
        raise ValueError("must not be 0")
    return value


def moment(value: object) -> float:
    """Seconds since the epoch of a date, or of a time of one; without a zone, of UTC.

    Raises:
        ValueError: Says what it must be.
    """
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            value = None
    if not isinstance(value, datetime):
        raise ValueError("must be a date, such as 2021-05-31, or a time of one")  # noqa: TRY004  # as above
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()


def _url(value: str) -> str:
    try:
        parts = urlsplit(value)
        valid = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        valid = False
    # Not quoted: it may hold a password.
    if not valid or re.search(r"[\s@]", value):
        raise ValueError(_URL_WANTED)
    _refuse_portal(parts)
    if re.search("[?#]", value):
        raise ValueError(_URL_WANTED)
    # Normalized: an account's saved state is found by it.
    return f"{_origin(parts)}{parts.path.rstrip('/')}"


def endpoint_url(value: str) -> str:
    """The URL of one endpoint, as it is. Raises a ValueError that says what it must be."""
    try:
        parts = urlsplit(value)
        valid = parts.scheme in _PORTS and parts.hostname and parts.port != 0
    except ValueError:
        valid = False
    if not valid or re.search(r"[\s@#]", value):
        raise ValueError("must be an http:// or https:// URL without user, password or #")
    return value


def _refuse_portal(parts: SplitResult) -> None:
    """Refuses URLs of the portal and of single interfaces, and says what to write instead."""
    portal = _PORTAL_HOST.fullmatch(parts.hostname or "")
    right = f"https://{portal[1]}.fusionsolar.huawei.com" if portal else _origin(parts)
    before: list[str] = []  # a proxy's prefix, perhaps
    for segment in parts.path.split("/"):
        if segment.lower() in _PORTAL_PATHS:
            raise ValueError(
                "is an address of the portal; write the host of the northbound interface alone, "
                f"such as {right}"
            )
        if segment.lower() in _INTERFACE_PATHS:
            prefix = "/".join(before).rstrip("/")
            raise ValueError(
                f"holds a path of the interface, which is added to it; write {right}{prefix}"
            )
        before.append(segment)
    if portal:
        raise ValueError(f"is a host of the portal, without a northbound interface; write {right}")
    if (parts.hostname or "").endswith(_CLOUD) and parts.path.strip("/"):
        raise ValueError(f"the cloud has its northbound interface without a path; write {right}")


def _origin(parts: SplitResult) -> str:
    return f"{parts.scheme}://{parts.netloc.lower().removesuffix(_PORTS[parts.scheme])}"


def _header_name(value: str) -> str:
    if not _HEADER_NAME.fullmatch(value):
        raise ValueError("is no name of a header")
    return value


def _header_value(value: str) -> str:
    if not _HEADER_VALUE.fullmatch(value):
        raise ValueError("holds what no header can, such as a line break")
    return value


def _token(value: SecretStr) -> SecretStr:
    _header_value(value.get_secret_value())
    return value


def added_label_name(value: str) -> str:
    """A label that may be added to series, be it one of Prometheus' own for targets.

    Raises:
        ValueError: Says why it may not.
    """
    if not _LABEL_NAME.fullmatch(value):
        raise ValueError("must be letters, digits and _, without a digit or __ at the start")
    if value in LABEL_NAMES - _OF_TARGETS:
        raise ValueError(_TAKEN)
    return value


def _label_name(value: str) -> str:
    if value in _OF_TARGETS:
        raise ValueError(_TAKEN)
    return value


def _relative_path(value: object, info: ValidationInfo) -> Path:
    if not isinstance(value, str) or not value or not _is_valid_path(value):
        raise ValueError("must be a path, as text")
    directory: Path = info.context or Path()
    return directory / value


def _is_valid_path(value: str) -> bool:
    try:
        return b"\0" not in os.fsencode(value)
    except ValueError:
        return False


def _file_path(value: object, info: ValidationInfo) -> Path:
    path = _relative_path(value, info)
    # Reading anything but a file may never end, as a pipe that nobody writes to.
    if os.path.exists(path) and not os.path.isfile(path):  # noqa: PTH110, PTH113  # pathlib's raise
        raise ValueError("is not a file")
    if os.path.isfile(path) and path.stat().st_size > MAX_SIZE:  # noqa: PTH113  # as above
        raise ValueError(TOO_LARGE)
    return path


def _certificates(path: Path) -> Path:
    try:
        ssl.create_default_context(cafile=path)
    except ssl.SSLError:
        raise ValueError("holds no certificates in PEM form") from None
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from None
    return path


def _read_secret(value: object, info: ValidationInfo) -> SecretStr:
    text = read_text(_file_path(value, info)).removesuffix("\n")
    if not text:
        raise ValueError("is an empty file")
    return SecretStr(text)


def _database_url(value: SecretStr) -> SecretStr:
    """Quotes nothing of it: a password may stand anywhere in what is no URL."""
    scheme, separator, rest = value.get_secret_value().partition("://")
    if scheme not in ("postgresql", "postgres") or not separator or not rest:
        raise ValueError("is no URL such as postgresql://user:password@host/database")
    return value


Text = Annotated[str, Field(min_length=1)]
Secret = Annotated[SecretStr, Field(min_length=1)]
SecretFile = Annotated[SecretStr, BeforeValidator(_read_secret)]
"""A path in the YAML, the file's content in the model; a trailing newline is dropped."""

Token = Annotated[Secret, AfterValidator(_token)]
TokenFile = Annotated[SecretFile, AfterValidator(_token)]
"""As `SecretFile`."""

DatabaseUrl = Annotated[Secret, AfterValidator(_database_url)]
DatabaseUrlFile = Annotated[SecretFile, AfterValidator(_database_url)]
"""As `SecretFile`."""

DirectoryPath = Annotated[Path, BeforeValidator(_relative_path)]
FilePath = Annotated[Path, BeforeValidator(_file_path)]
CertificatesPath = Annotated[FilePath, AfterValidator(_certificates)]
Url = Annotated[str, AfterValidator(_url)]
"""Kept without a trailing slash, so that a path can follow."""

EndpointUrl = Annotated[str, AfterValidator(endpoint_url)]
"""Of one endpoint, so it is used as it is."""

Duration = Annotated[float, BeforeValidator(_parse_duration)]
"""Seconds; written as in Prometheus (`1h30m`, `500ms`) or as one decimal with a unit (`0.42s`)."""
Period = Annotated[Duration, Field(gt=0)]

UNKNOWN_KEYS = ("count", "export")
STATES = ("names", "codes")

Edition = Annotated[str, _one_of("set of limits", EDITIONS)]
HeaderName = Annotated[str, AfterValidator(_header_name)]
HeaderValue = Annotated[Text, AfterValidator(_header_value)]
AddedLabelName = Annotated[str, AfterValidator(added_label_name)]
LabelName = Annotated[AddedLabelName, AfterValidator(_label_name)]
InterfaceName = Annotated[str, _one_of("interface", INTERFACES)]
DeviceType = Annotated[str, BeforeValidator(_device_type)]
Moment = Annotated[float, BeforeValidator(moment)]
"""Seconds since the epoch; written as a date or time of ISO 8601, of UTC where it says no zone."""

HISTORY_SOURCES = tuple(
    row.name
    for row in INTERFACES.values()
    if row.content in (Content.STATISTICS, Content.ROWS, Content.ALARMS)
)
HistorySource = Annotated[str, _one_of("interface with a past", HISTORY_SOURCES)]
UnknownKeys = Annotated[str, _one_of("way with unknown keys", UNKNOWN_KEYS)]
States = Annotated[str, _one_of("way to show states", STATES)]
Severity = Annotated[str, _one_of("alarm severity", ALARM_SEVERITIES.values())]
AlarmType = Annotated[str, _one_of("alarm type", ALARM_TYPES.values())]

NonZero = Annotated[float, AfterValidator(_not_zero)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]

# Strict mode would want a tuple, which YAML has not; the items stay strict.
Items = Annotated[tuple[_T, ...], Field(strict=False)]
Pair = Annotated[tuple[_T, _K], Field(strict=False)]
Table = Annotated[Mapping[_K, _T], AfterValidator(MappingProxyType), PlainSerializer(dict)]
