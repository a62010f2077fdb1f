"""The samples of one plant or device: of which series, and the numbers that alone change.

All who report the same keys have the same series. So these stand in one layout that all share, and
each has no more than its numbers.
"""

from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from weakref import WeakValueDictionary

from exporter.catalogue.model import Series
from exporter.exposition.lines import Pattern

Samples = Mapping[Series, float]  # of one plant or device


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """A StateSet that is in one of its states: 1 for this one, 0 for the others."""

    series: tuple[Series, ...]
    current: Series


Column = Series | State
_CONSTANTS = (0.0, 1.0)


class Layout:
    """Series in their order; one with a number each, or a StateSet, whose state is part of it."""

    def __init__(self, columns: tuple[Column, ...]) -> None:
        self.columns = columns
        self._patterns: dict[tuple[tuple[str, ...], bool], Pattern] = {}

    @cached_property
    def places(self) -> Mapping[Series, int]:
        """Where the value of each series is: among 0, 1, and then all numbers."""
        places: dict[Series, int] = {}
        numbers = len(_CONSTANTS)
        for column in self.columns:
            if isinstance(column, State):
                places |= {series: int(series is column.current) for series in column.series}
            else:
                places[column] = numbers
                numbers += 1
        return places

    def column(self, series: Series) -> int | None:
        """Which of the numbers is the value of a series; None where it has none of its own."""
        place = self.places.get(series, 0) - len(_CONSTANTS)
        return place if place >= 0 else None

    def pattern(self, identity: tuple[str, ...], *, states: bool = True) -> Pattern:
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
    """The layout of these, the same for all who have them, for as long as somebody does."""
    return _LAYOUTS.get(columns) or _LAYOUTS.setdefault(columns, Layout(columns))


class Vector(Mapping[Series, float]):
    """The samples of one plant or device."""

    __slots__ = ("layout", "numbers")

    def __init__(self, columns: Iterable[Column], numbers: Iterable[float]) -> None:
        self.layout = layout_of(tuple(columns))
        self.numbers = array("d", numbers)

    def __getitem__(self, series: Series) -> float:
        """The value of a series."""
        place = self.layout.places[series] - len(_CONSTANTS)
        return self.numbers[place] if place >= 0 else _CONSTANTS[place]

    def __iter__(self) -> Iterator[Series]:
        """The series, in the order of the page."""
        return iter(self.layout.places)

    def __len__(self) -> int:
        """How many series there are."""
        return len(self.layout.places)


def vector_of(samples: Samples) -> Vector:
    """The same samples as a vector."""
    return samples if isinstance(samples, Vector) else Vector(samples, samples.values())
