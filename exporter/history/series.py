"""What history hands to a target: series with their samples."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from exporter.catalogue.model import Metric


@dataclass(slots=True)
class TimeSeries:
    """A metric with all its labels; its samples by time, in ms since the epoch, ascending."""

    metric: Metric
    labels: Mapping[str, str]
    samples: list[tuple[int, float]] = field(default_factory=list)


class TargetError(Exception):
    """A target did not take samples. The text says why, and what to set there."""


class Target(ABC):
    """Where samples go."""

    @property
    @abstractmethod
    def name(self) -> str:
        """Tells it from all others; what it has been given is remembered by it."""

    @abstractmethod
    def write(self, series: Iterable[TimeSeries]) -> None:
        """Takes samples, and may keep some of them back.

        Raises:
            TargetError: They were not taken.
        """

    def flush(self) -> None:  # noqa: B027  # most keep nothing back
        """Makes sure that all that was taken outlives us.

        Raises:
            TargetError: It does not.
        """
