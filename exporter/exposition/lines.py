"""Sample lines, byte for byte as prometheus_client writes them in both formats.

The library renders the labels of every sample anew. Those of a device hardly ever change, and all
devices that report the same keys have the same ones but for their identity; so the text around the
values is made once for them all, and an answer costs little more than its numbers.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import itemgetter
from weakref import WeakValueDictionary

from prometheus_client import utils

from exporter.catalogue.model import Kind, Metric, Series

Labels = Mapping[str, str]
Samples = Mapping[Series, float]  # of one plant or device

# The library's way to write a number: below a million, as Python does.
_write_number: Callable[[float], str] = utils.floatToGoString
_MILLION = 1e6


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
    return repr(float(value)) if -_MILLION < value < _MILLION else _write_number(value)


def label_names(metric: Metric) -> tuple[str, ...]:
    """The names of a metric's own labels; a StateSet's last one is called like itself."""
    return (*metric.labels, metric.name) if metric.kind is Kind.STATESET else metric.labels


class Layout:
    """The lines of certain series, for all plants or devices of an account.

    `constant` is the label that they share, `identity` the names of those that differ. What is to
    be filled in stands in a text of all families: the identity's labels as markers that no label
    can contain, the values as `%s`. An empty line parts the families.
    """

    __slots__ = ("__weakref__", "_identity", "_ordered", "_text", "metrics", "series")

    def __init__(
        self, series: tuple[Series, ...], constant: tuple[str, str], identity: tuple[str, ...]
    ) -> None:
        by_metric: dict[Metric, list[int]] = {}
        for index, each in enumerate(series):
            by_metric.setdefault(each.metric, []).append(index)
        self.series = series
        self.metrics = tuple(by_metric)
        self._identity = identity
        self._ordered = itemgetter(*(i for indices in by_metric.values() for i in indices))
        shared = {constant[0]: _static(*constant)} | {name: _marker(name) for name in identity}
        self._text = "\n".join(
            "".join(_pattern(series[index], shared) for index in indices)
            for indices in by_metric.values()
        )

    def fill_in(self, identity: Iterable[str], values: Iterable[float]) -> Iterator[str]:
        """The lines of one plant or device, family by family, each without its last line end.

        `identity` are the values of its labels, `values` those of the series.
        """
        text = self._text
        for name, value in zip(self._identity, identity, strict=True):
            text = text.replace(_marker(name), _static(name, value))
        numbers = [
            repr(value) if -_MILLION < value < _MILLION else _write_number(value)
            for value in values
        ]
        yield from (text % self._ordered(numbers)).removesuffix("\n").split("\n\n")


def _marker(name: str) -> str:
    return f"\n{name}\n"


def _static(name: str, value: str) -> str:
    return label(name, value).replace("%", "%%")


def _pattern(series: Series, shared: Labels) -> str:
    """A line with its markers and its `%s`."""
    own = zip(label_names(series.metric), series.labels, strict=True)
    labels = {name: _static(name, value) for name, value in own}
    return _line(series.metric, {**labels, **shared}, "%s")


_LAYOUTS: "WeakValueDictionary[tuple[object, ...], Layout]" = WeakValueDictionary()


def layout_of(
    series: tuple[Series, ...], constant: tuple[str, str], identity: tuple[str, ...]
) -> Layout:
    """The layout of these series, the same for all who have them, for as long as somebody does."""
    key = (series, constant, identity)
    return _LAYOUTS.get(key) or _LAYOUTS.setdefault(key, Layout(*key))
