"""The samples of one plant or device: of which series, the numbers that alone change, their lines.

All who report the same keys have the same series. So these stand in one layout that all share, and
each has no more than its numbers. Lines are byte for byte as prometheus_client writes them in both
formats. The library renders the labels of every sample anew; here the text around the values is
made once for each layout, and an answer costs little more than its numbers.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, chain, groupby
from operator import itemgetter
from weakref import WeakValueDictionary

from prometheus_client import utils

from exporter.catalogue.model import Kind, Metric, Series

Labels = Mapping[str, str]
Samples = Mapping[Series, float]  # of one plant or device


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """A StateSet that is in one of its states: 1 for this one, 0 for the others."""

    series: tuple[Series, ...]
    current: Series


Column = Series | State
_STATE_VALUES = (0.0, 1.0)  # of a StateSet's series, each at the place of its number


class Layout:
    """Series in their order; one with a number each, or a StateSet, whose state is part of it."""

    def __init__(self, columns: tuple[Column, ...]) -> None:
        self.columns = columns
        self._patterns: dict[tuple[tuple[str, ...], bool], Pattern] = {}

    @cached_property
    def places(self) -> Mapping[Series, int]:
        """Where the value of each series is: among 0, 1, and then all numbers."""
        places: dict[Series, int] = {}
        numbers = len(_STATE_VALUES)
        for column in self.columns:
            if isinstance(column, State):
                places |= {series: int(series is column.current) for series in column.series}
            else:
                places[column] = numbers
                numbers += 1
        return places

    def column(self, series: Series) -> int | None:
        """Which of the numbers is the value of a series; None where it has none of its own."""
        place = self.places.get(series, 0) - len(_STATE_VALUES)
        return place if place >= 0 else None

    def pattern(self, identity: tuple[str, ...], *, states: bool = True) -> "Pattern":
        """The lines of these series; `identity` are the names of the labels that differ.

        Without `states`, those of families that have a number, if there is any.
        """
        if (identity, states) not in self._patterns:
            numbered = {each.metric for each in self.places if self.column(each) is not None}
            places = {each: place for each, place in self.places.items() if each.metric in numbered}
            chosen = self.places if states else places or self.places
            self._patterns[identity, states] = Pattern(chosen, identity)
        return self._patterns[identity, states]


_LAYOUTS: "WeakValueDictionary[tuple[Column, ...], Layout]" = WeakValueDictionary()


def layout_of(columns: tuple[Column, ...]) -> Layout:
    """The layout of these columns: one shared object as long as it is used."""
    return _LAYOUTS.get(columns) or _LAYOUTS.setdefault(columns, Layout(columns))


class Vector(Mapping[Series, float]):
    """The samples of one plant or device."""

    __slots__ = ("layout", "numbers")

    def __init__(self, columns: Iterable[Column], numbers: Iterable[float]) -> None:
        self.layout = layout_of(tuple(columns))
        self.numbers = array("d", numbers)

    def __getitem__(self, series: Series) -> float:
        """The value of a series."""
        place = self.layout.places[series] - len(_STATE_VALUES)
        return self.numbers[place] if place >= 0 else _STATE_VALUES[place]

    def __iter__(self) -> Iterator[Series]:
        """The series, in the order of the page."""
        return iter(self.layout.places)

    def __len__(self) -> int:
        """How many series there are."""
        return len(self.layout.places)


def vector_of(samples: Samples) -> Vector:
    """The same samples as a vector."""
    return samples if isinstance(samples, Vector) else Vector(samples, samples.values())


# --- lines ---------------------------------------------------------------------------------------

# The library's way to write a number: below a million as Python does, then with an exponent.
_write_number: Callable[[float], str] = utils.floatToGoString
_MILLION = 1e6
_EXPONENTIAL = 1e16  # from here on Python itself writes exponents
_EXPONENTS = [f"e+{digits - 1:02d}" for digits in range(17)]  # by the digits before the point


def label(name: str, value: str) -> str:
    """A label as it is written between the braces."""
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

    The lines consist of texts that never change, of labels of identity, and of numbers. What stands
    side by side is one piece, as each piece takes the same time.
    """

    __slots__ = ("_families", "_identity", "_pick", "_runs", "_texts", "metrics")

    def __init__(self, places: Mapping[Series, int], identity: tuple[str, ...]) -> None:
        by_metric: dict[Metric, list[Series]] = {}
        for each in places:
            by_metric.setdefault(each.metric, []).append(each)
        self.metrics = tuple(by_metric)
        self._identity = identity
        families = [[*_pieces(series, places, identity)] for series in by_metric.values()]
        pieces = [*chain.from_iterable(families)]
        self._texts = [*dict.fromkeys(each for each in pieces if isinstance(each, str))]
        self._runs = [*dict.fromkeys(each for each in pieces if isinstance(each, tuple))]
        where = {each: n for n, each in enumerate((*self._texts, *self._runs))}
        numbers = len(where) - len(_STATE_VALUES)
        self._pick = itemgetter(
            *(numbers + each if isinstance(each, int) else where[each] for each in pieces)
        )
        ends = [*accumulate(map(len, families))]
        self._families = [*map(slice, (0, *ends), ends)]

    def fill_in(self, identity: Sequence[str], numbers: Iterable[float]) -> list[str]:
        """The lines of one plant or device, family by family.

        `identity` are the values of its labels.
        """
        labels = [*map(label, self._identity, identity)]
        pieces = self._pick((
            *self._texts,
            *[",".join([labels[n] for n in run]) for run in self._runs],
            *[repr(n) if -_MILLION < n < _MILLION else _large_number(n) for n in numbers],
        ))  # fmt: skip
        return ["".join(pieces[family]) for family in self._families]


_Piece = str | tuple[int, ...] | int  # a text; labels of identity, by their order; a number's place


def _pieces(
    family: Iterable[Series], places: Mapping[Series, int], identity: tuple[str, ...]
) -> Iterator[_Piece]:
    """The lines of one family: texts, and between them what differs."""
    text = ""
    for series in family:
        own = dict(zip(label_names(series.metric), series.labels, strict=True))
        text += series.metric.name
        before = "{"
        for is_own, names in groupby(sorted((*own, *identity)), own.__contains__):
            text += before
            before = ","
            if is_own:
                text += ",".join(label(name, own[name]) for name in names)
            else:
                yield text
                yield tuple(map(identity.index, names))
                text = ""
        text += "} "
        if places[series] < len(_STATE_VALUES):
            text += str(_STATE_VALUES[places[series]])
        else:
            yield text
            yield places[series]
            text = ""
        text += "\n"
    yield text
