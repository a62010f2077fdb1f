"""Sample lines, byte for byte as prometheus_client writes them in both formats.

The library renders the labels of every sample anew. Those of a device hardly ever change, and all
devices that report the same keys have the same ones but for their identity; so the text around the
values is made once for them all, and an answer costs little more than its numbers.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter

from prometheus_client import utils

from exporter.catalogue.model import Kind, Metric, Series

Labels = Mapping[str, str]

# The library's way to write a number: below a million as Python does, then with an exponent.
_write_number: Callable[[float], str] = utils.floatToGoString
_MILLION = 1e6
_EXPONENTIAL = 1e16  # from here on Python itself writes exponents
_EXPONENTS = [f"e+{digits - 1:02d}" for digits in range(17)]  # by the digits before the point
_CONSTANTS = ("0.0", "1.0")  # what the series of a StateSet show, each at the place of its number


def label(name: str, value: str) -> str:
    """A label as it stands between the braces."""
    escaped = value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
    return f'{name}="{escaped}"'


def render(metric: Metric, samples: Iterable[tuple[Labels, float]]) -> bytes:
    """The sample lines of one family, without its headers."""
    lines = (
        _line(metric, {name: label(name, text) for name, text in labels.items()}, _number(value))
        for labels, value in samples
    )
    return "".join(lines).encode()


def _line(metric: Metric, labels: Labels, value: str) -> str:
    """A line of labels as `label` writes them, each by its name."""
    texts = ",".join(labels[name] for name in sorted(labels))
    return f"{metric.name}{{{texts}}} {value}\n" if texts else f"{metric.name} {value}\n"


def _number(value: float) -> str:
    return repr(float(value)) if -_MILLION < value < _MILLION else _large_number(value)


def _large_number(value: float) -> str:
    """As the library writes it, in a third of its time: every lifetime energy is such a number."""
    if not _MILLION <= value < _EXPONENTIAL:
        return _write_number(value)
    whole, _, fraction = repr(float(value)).partition(".")
    return f"{whole[0]}.{whole[1:]}{fraction}".rstrip("0.") + _EXPONENTS[len(whole)]


def label_names(metric: Metric) -> tuple[str, ...]:
    """The names of a metric's own labels; a StateSet's last one is called like itself."""
    return (*metric.labels, metric.name) if metric.kind is Kind.STATESET else metric.labels


class Pattern:
    """The lines of certain series, for all plants or devices that have them.

    `identity` are the names of the labels that tell those apart. A series shows 0 or 1, where that
    is its place, or else the number at its place, the first of which is 2.

    Texts that never change and places to be filled in take turns, a family begins with a text and
    ends with a place.
    """

    __slots__ = ("_families", "_identity", "_pieces", "_places", "metrics")

    def __init__(self, places: Mapping[Series, int], identity: tuple[str, ...]) -> None:
        by_metric: dict[Metric, list[Series]] = {}
        for each in places:
            by_metric.setdefault(each.metric, []).append(each)
        self.metrics = tuple(by_metric)
        self._identity = identity
        self._pieces: list[str] = []
        self._families: list[slice] = []
        filled: list[int] = []
        for series in by_metric.values():
            start = len(self._pieces)
            for text, place in _pieces(series, places, identity):
                self._pieces += (text, "")
                filled.append(place)
            self._families.append(slice(start, len(self._pieces)))
        self._places = itemgetter(*filled)

    def fill_in(self, identity: Sequence[str], numbers: Iterable[float]) -> list[str]:
        """The lines of one plant or device, family by family, each without its last line end.

        `identity` are the values of its labels.
        """
        pieces = self._pieces.copy()
        pieces[1::2] = self._places((
            *map(label, self._identity, identity),
            *_CONSTANTS,
            *[repr(n) if -_MILLION < n < _MILLION else _large_number(n) for n in numbers],
        ))  # fmt: skip
        return ["".join(pieces[family]) for family in self._families]


def _pieces(
    family: Iterable[Series], places: Mapping[Series, int], identity: tuple[str, ...]
) -> Iterator[tuple[str, int]]:
    """The lines of one family as texts, each with the place that follows it.

    Those of the labels of identity come first, then those of the values.
    """
    text = ""
    for series in family:
        own = dict(zip(label_names(series.metric), series.labels, strict=True))
        text += series.metric.name
        before = "{"
        for name in sorted((*own, *identity)):
            text += before
            before = ","
            if name in own:
                text += label(name, own[name])
            else:
                yield text, identity.index(name)
                text = ""
        yield f"{text}}} ", len(identity) + places[series]
        text = "\n"
