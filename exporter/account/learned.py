"""What was learned of the power of an inverter and of its strings. Records only."""

from array import array
from dataclasses import dataclass, field

from exporter.account.codec import Numbers

SLOTS = 36  # of a day: each ten degrees of the sun's way

# What was learned of one series is a row of 16-bit numbers: first these, in days, counts of days,
# and encoded powers,
(
    PLANE,  # which way its modules look, as an index
    SINCE,  # when the generation under way began
    LAST,  # when it was last learned from
    DAYS,  # on how many days of this generation
    DAYS_BEFORE,  # and of the one before
    FAIR,  # how many of this generation's were fair
    LAST_FAIR,
    TOP,  # the highest power of a slot in this generation
    TOP_BEFORE,
    _END,
) = range(10)
# then, for each slot of the day, the best, the second best and the former encoded share.
BEST, SECOND, FORMER = (_END + SLOTS * part for part in range(3))
WIDTH = _END + SLOTS * 3


@dataclass(slots=True)
class LearnedPower:
    """The rows of a device, one behind the other: 234 bytes for each name.

    The device itself has the empty name, its strings the label that their metrics have.
    """

    names: list[str] = field(default_factory=list)
    rows: Numbers = field(default_factory=lambda: array("H"))

    def __post_init__(self) -> None:
        """Forgets what does not fit together, as what another version wrote."""
        if len(self.rows) != WIDTH * len(set(self.names)):
            self.names, self.rows = [], array("H")
