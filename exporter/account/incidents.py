"""When a failure is news: as it begins and as it ends, however often it comes and goes between."""

from collections import defaultdict
from collections.abc import Hashable
from dataclasses import dataclass, field
from math import inf

from exporter.northbound.interfaces import HOUR

QUIET = HOUR  # seconds without a failure, after which one that had come back is over


@dataclass(slots=True)
class _Incident:
    """Why something fails (for no reason: it does not), and when it failed last.

    It `recurs` if it began soon after the one before.
    """

    reasons: set[str] = field(default_factory=set)
    failed: float = -inf
    recurs: bool = False


class Incidents:
    """What fails at the moment.

    An incident ends with the first success, one that recurs after a quiet hour: so what fails
    every now and then is told of three times, and not each time.
    """

    def __init__(self) -> None:
        self._incidents: defaultdict[Hashable, _Incident] = defaultdict(_Incident)

    def failed(self, what: Hashable, reason: str, now: float) -> bool:
        """Notes a failure; returns whether that, or its reason, is news."""
        incident = self._incidents[what]
        if not incident.reasons:
            incident.recurs = now - incident.failed < QUIET
        incident.failed = now
        known = reason in incident.reasons
        incident.reasons.add(reason)
        return not known

    def succeeded(self, what: Hashable, now: float) -> bool:
        """Notes a success; returns whether it is news, as an incident is over."""
        incident = self._incidents[what]
        if not incident.reasons or (incident.recurs and now - incident.failed < QUIET):
            return False
        incident.reasons.clear()
        return True
