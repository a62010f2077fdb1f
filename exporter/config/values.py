"""What one value in the file may be: types that check, each naming its mistake itself."""

import os
import re
import ssl
from collections.abc import Collection, Mapping
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

from exporter.config.mistakes import shown, suggestion
from exporter.config.reading import LARGEST, TOO_LARGE, text_of
from exporter.northbound.codes import (
    ALARM_SEVERITIES,
    ALARM_TYPES,
    DEVICE_TYPES,
    device_type_slug,
)
from exporter.northbound.interfaces import EDITIONS, INTERFACES

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
_LONGEST_YEARS = 100
_PORTS = {"http": ":80", "https": ":443"}
_NO_URL = "must be an http:// or https:// URL without user, password, ? or #"
# First parts of paths, lower case: those that are added to a base_url, and the portal's.
_INTERFACE_PATHS = frozenset({"rest", "thirddata"})
_PORTAL_PATHS = frozenset(
    {"netecowebext", "pvmswebsite", "singlekiosk.html", "unisess", "unisso", "uniportal"}
)
_CLOUD = ".fusionsolar.huawei.com"
# Hosts that the portal sends its visitors to. They answer 404, or a web page, to the interface; the
# host of their region has it. An error rather than a warning: no account could log in there.
_PORTAL_HOST = re.compile(r"(?:region|uni)[0-9]+([a-z]+[0-9]*)\.fusionsolar\.huawei\.com")

_T = TypeVar("_T")
_K = TypeVar("_K")


def _seconds(value: object) -> float:
    if not isinstance(value, str | int | float):
        raise ValueError("must be a duration, such as 30s or 1h30m")  # noqa: TRY004  # because pydantic collects ValueErrors only
    text = str(value)
    if decimal := _DECIMAL.fullmatch(text):
        milliseconds = Decimal(decimal[1]) * _MILLISECONDS[decimal[2]]
    elif text and (whole := _WHOLE.fullmatch(text)):
        counts = (int(count or 0) for count in whole.groups())
        milliseconds = Decimal(sum(map(int.__mul__, counts, _MILLISECONDS.values())))
    elif re.fullmatch(r"[0-9.]+", text):
        raise ValueError(f"{shown(value)} has no unit; write 30s or 1h30m")
    else:
        raise ValueError(f"{shown(value)} is no duration; write it like 30s, 1h30m or 0.5s")
    if milliseconds > _LONGEST_YEARS * _MILLISECONDS["y"]:
        raise ValueError(f"{shown(value)} is longer than {_LONGEST_YEARS} years")
    return float(milliseconds / 1000)


def _one_of(what: str, choices: Collection[str]) -> BeforeValidator:
    def check(value: object) -> object:
        if isinstance(value, str) and value not in choices:
            raise ValueError(f"{shown(value)} is no {what}{suggestion(value, choices)}")
        return value

    return BeforeValidator(check)


def _device_type(value: object) -> object:
    if not isinstance(value, str) or value in DEVICE_TYPES.values():
        return value
    number = re.fullmatch(r"type_([0-9]{1,9})", value)
    slug = device_type_slug(int(number[1])) if number else ""
    if slug != value:
        end = f"; it is called {slug}" if slug else suggestion(value, DEVICE_TYPES.values())
        raise ValueError(f"{shown(value)} is no device type{end}")
    return value


def _not_zero(value: float) -> float:
    if value == 0:
        raise ValueError("must not be 0")
    return value


def _url(value: str) -> str:
    try:
        parts = urlsplit(value)
        plain = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        plain = False
    # Of what may hold a password, nothing is said.
    if not plain or re.search(r"[\s@]", value):
        raise ValueError(_NO_URL)
    _check_place(parts)
    if re.search("[?#]", value):
        raise ValueError(_NO_URL)
    # One spelling for one place: what is remembered of an account is found by it.
    return f"{_origin(parts)}{parts.path.rstrip('/')}"


def _check_place(parts: SplitResult) -> None:
    """Refuses addresses of the portal and of single interfaces, and says what to write."""
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


def _beside(value: object, info: ValidationInfo) -> Path:
    if not isinstance(value, str) or not value or not _is_nameable(value):
        raise ValueError("must be a path, as text")
    directory: Path = info.context or Path()
    return directory / value


def _is_nameable(value: str) -> bool:
    try:
        return b"\0" not in os.fsencode(value)
    except ValueError:
        return False


def _file_beside(value: object, info: ValidationInfo) -> Path:
    path = _beside(value, info)
    # What is no file may never end, as a pipe that nobody writes to.
    if os.path.exists(path) and not os.path.isfile(path):  # noqa: PTH110, PTH113  # pathlib's raise
        raise ValueError("is not a file")
    if os.path.isfile(path) and path.stat().st_size > LARGEST:  # noqa: PTH113  # as above
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


def _contents(value: object, info: ValidationInfo) -> SecretStr:
    text = text_of(_file_beside(value, info)).removesuffix("\n")
    if not text:
        raise ValueError("is an empty file")
    return SecretStr(text)


Text = Annotated[str, Field(min_length=1)]
Secret = Annotated[SecretStr, Field(min_length=1)]
SecretFile = Annotated[SecretStr, BeforeValidator(_contents)]
"""A file's path in the YAML, its contents in the model; a trailing newline is dropped."""

DirectoryPath = Annotated[Path, BeforeValidator(_beside)]
FilePath = Annotated[Path, BeforeValidator(_file_beside)]
CertificatesPath = Annotated[FilePath, AfterValidator(_certificates)]
Url = Annotated[str, AfterValidator(_url)]
"""Kept without a trailing slash, so that a path can follow."""

Duration = Annotated[float, BeforeValidator(_seconds)]
"""Seconds. Prometheus' form (`1h30m`, `500ms`) or one decimal with a unit (`0.42s`)."""
Period = Annotated[Duration, Field(gt=0)]

Edition = Annotated[str, _one_of("set of limits", EDITIONS)]
InterfaceName = Annotated[str, _one_of("interface", INTERFACES)]
DeviceType = Annotated[str, BeforeValidator(_device_type)]
Severity = Annotated[str, _one_of("alarm severity", ALARM_SEVERITIES.values())]
AlarmType = Annotated[str, _one_of("alarm type", ALARM_TYPES.values())]

NonZero = Annotated[float, AfterValidator(_not_zero)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]

# Strictness would ask for a tuple, which YAML has not; the members stay strict.
Items = Annotated[tuple[_T, ...], Field(strict=False)]
Pair = Annotated[tuple[_T, _K], Field(strict=False)]
Table = Annotated[Mapping[_K, _T], AfterValidator(MappingProxyType), PlainSerializer(dict)]
