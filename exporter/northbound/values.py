"""Numbers by key, in a tenth of the memory: those with the same keys share them.

A large fleet keeps the last reading of each device, and thousands of devices send the same keys.
"""

from array import array
from collections.abc import Hashable, Iterator, Mapping
from typing import Annotated, Any, Generic, TypeVar
from weakref import WeakValueDictionary

from pydantic import AfterValidator, PlainSerializer

Key = TypeVar("Key", bound=Hashable)


class CommonKeys(Generic[Key]):
    """The keys that many have in common, each with its place; one object for each set of them."""

    __slots__ = ("__weakref__", "places")

    def __init__(self, keys: tuple[Key, ...]) -> None:
        self.places: Mapping[Key, int] = {key: place for place, key in enumerate(keys)}


_KEYS: "WeakValueDictionary[tuple[Any, ...], CommonKeys[Any]]" = WeakValueDictionary()


def common_keys(keys: tuple[Key, ...]) -> CommonKeys[Key]:
    """The keys as an object that all share who have the same, for as long as somebody does."""
    return _KEYS.get(keys) or _KEYS.setdefault(keys, CommonKeys(keys))


class Values(Mapping[str, float]):
    """What a plant or device reported: a number for each of its `common` keys."""

    __slots__ = ("common", "numbers")

    def __init__(self, values: Mapping[str, float]) -> None:
        self.common = common_keys(tuple(values))
        self.numbers = array("d", values.values())

    def __getitem__(self, key: str) -> float:
        """The number of a key."""
        return self.numbers[self.common.places[key]]

    def get(self, key: str, default: Any = None) -> Any:
        """The number of a key, without the exception that a mapping asks itself with."""
        place = self.common.places.get(key)
        return default if place is None else self.numbers[place]

    def __iter__(self) -> Iterator[str]:
        """The keys, as they were sent."""
        return iter(self.common.places)

    def __len__(self) -> int:
        """How many there are."""
        return len(self.numbers)

    def __repr__(self) -> str:
        """The numbers by key, as a dictionary shows them."""
        return repr(self.as_dict())

    def as_dict(self) -> dict[str, float]:
        """The same as a dictionary."""
        return dict(zip(self.common.places, self.numbers, strict=True))

    @classmethod
    def __get_pydantic_core_schema__(cls, _: Any, handler: Any) -> Any:
        """For the codec it is a dictionary."""
        as_dict = PlainSerializer(cls.as_dict)
        return handler(Annotated[dict[str, float], AfterValidator(cls), as_dict])
