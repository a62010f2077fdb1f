"""Which format and coding a request's Accept headers ask for (RFC 9110, 12.4 and 12.5)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from exporter.exposition.page import Format

_ITEM = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*"?)+')
_PARAMETER = re.compile(r';\s*([^=;\s]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;,\s]*)')
_QVALUE = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?")

# The media type of each format, and its supported versions ("": none was asked for).
_OFFERS = {
    Format.TEXT: ("text/plain", ("0.0.4", "")),
    Format.OPENMETRICS: ("application/openmetrics-text", ("1.0.0", "")),
}


@dataclass(frozen=True, slots=True)
class _MediaRange:
    name: str
    version: str
    quality: float


def _ranges(header: str) -> Iterator[_MediaRange]:
    for item in _ITEM.findall(header):
        name, _, rest = item.partition(";")
        parameters = {
            key.lower(): value.strip('"') for key, value in _PARAMETER.findall(";" + rest)
        }
        quality = parameters.get("q", "1")
        yield _MediaRange(
            name.strip().lower(),
            parameters.get("version", ""),
            float(quality) if _QVALUE.fullmatch(quality) else 0.0,
        )


def wanted_format(accept: str) -> Format:
    """The preferred format; text where both or none would do."""
    ranges = list(_ranges(accept))
    best, best_rank = Format.TEXT, (0.0, 0)
    for form, (name, versions) in _OFFERS.items():
        rank = _rank(ranges, name, versions)
        if rank > best_rank:
            best, best_rank = form, rank
    return best


def _rank(ranges: list[_MediaRange], name: str, versions: tuple[str, ...]) -> tuple[float, int]:
    """Quality and precision of the most precise range that matches."""
    precisions = {name: 2, name.partition("/")[0] + "/*": 1, "*/*": 0}
    matches = [
        (precisions[each.name], bool(each.version), each.quality)
        for each in ranges
        if each.name in precisions and each.version in versions
    ]
    if not matches:
        return (0.0, 0)
    precision, _, quality = max(matches)
    return (quality, precision) if quality else (0.0, 0)


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether gzip is accepted, and not less than no compression."""
    quality = {each.name: each.quality for each in _ranges(accept_encoding)}
    gzip = quality.get("gzip", quality.get("x-gzip", quality.get("*", 0.0)))
    return gzip > 0 and gzip >= quality.get("identity", 0.0)
