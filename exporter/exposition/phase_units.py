"""In which unit a grid meter (17) sends the powers of its phases. Pure.

The reference says kW, as it does of their total, which servers send in W. So kW is taken until the
meter's own readings contradict it: a total is the sum of its phases. One reading proves nothing, as
total and phases may be of different moments; several in a row that agree decide.
"""

from collections.abc import Mapping, MutableMapping

from exporter.account.model import PhaseUnit
from exporter.catalogue.units import UNITS
from exporter.northbound.records import Reading

GRID_METER = 17
TOTAL = "active_power"
PHASES = ("active_power_a", "active_power_b", "active_power_c")

REFERENCE = "kW"  # what is taken until readings contradict it
CANDIDATES = ("kW", "W")
SUM_TOLERANCE = 1.25  # times more or less than the total: the phases' sum of another moment
MIN_TOTAL = 200.0  # watts of the total: below, the phases' digits do not suffice
CONFIRMATIONS = 3  # readings in a row that decide


def updated(before: PhaseUnit, total: float, phases: float) -> PhaseUnit:
    """What is known after a reading: the total in watts, and the phases' sum as it was sent."""
    seen = _unit_shown_by(abs(total), abs(phases))
    settled = before.unit == seen == before.seen and not before.doubted
    if seen is None or settled or (total, phases) == (before.total, before.phases):
        return before  # an answer that repeats itself is no further reading
    agreed = before.agreed + 1 if seen == before.seen else 1
    if agreed >= CONFIRMATIONS:
        return PhaseUnit(seen, seen, agreed, total, phases)
    doubted = before.doubted or seen != (before.unit or REFERENCE)
    return PhaseUnit(before.unit, seen, agreed, total, phases, doubted)


def _unit_shown_by(total: float, phases: float) -> str | None:
    if total < MIN_TOTAL:
        return None
    for unit in CANDIDATES:
        if total / SUM_TOLERANCE <= phases * UNITS[unit].factor <= total * SUM_TOLERANCE:
            return unit
    return None


class PhaseUnits:
    """What is known of each meter of an account, by device id."""

    def __init__(self) -> None:
        self._known: MutableMapping[str, PhaseUnit] = {}

    def restore(self, known: MutableMapping[str, PhaseUnit]) -> None:
        """Goes on with what a previous run found, and keeps it there."""
        self._known = known

    def read(self, reading: Reading, factor: float) -> None:
        """Takes a reading into account; its total times `factor` is in watts."""
        values, known = reading.values, self._known.get(reading.subject, PhaseUnit())
        if TOTAL in values and all(key in values for key in PHASES):
            found = updated(known, values[TOTAL] * factor, sum(values[key] for key in PHASES))
            if found != known:
                self._known[reading.subject] = found

    def factors(self, device_id: str) -> Mapping[str, float | None]:
        """What each phase of a meter is multiplied with; None while that is open."""
        known = self._known.get(device_id, PhaseUnit())
        factor = None if known.doubted else UNITS[known.unit or REFERENCE].factor
        return dict.fromkeys(PHASES, factor)
