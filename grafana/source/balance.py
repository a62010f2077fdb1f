"""What a plant keeps, uses and draws, by the statistics: as its server reports it, or calculated.

prometheus/rules/energy.yml reckons the same. Without a period it is of all time, by what the plant
and its meters counted.
"""

from grafana.source.promql import Select, per_plant

TODAY = ('period="day"', 'window="current"')


def _energy(of: Select, quantity: str, *when: str) -> str:
    return of(f"plant_period_{quantity}_energy_joules", *when)


def produced(of: Select, *when: str) -> str:
    """What the modules gave; of servers that do not report it, what the inverters put out."""
    if not when:
        return per_plant(of("plant_energy_joules_total"))
    return per_plant(f"({_energy(of, 'pv', *when)} or {_energy(of, 'inverter', *when)})")


def fed_in(of: Select, *when: str) -> str:
    """What went into the grid."""
    if not when:
        return per_plant(of("meter_positive_active_energy_joules_total"))
    return per_plant(_energy(of, "feed_in", *when))


def self_consumed(of: Select, *when: str) -> str:
    """What the modules gave and the grid did not get."""
    left = f"{produced(of, *when)} - {fed_in(of, *when)}"
    measured = f"{per_plant(_energy(of, 'self_consumed', *when))} or " if when else ""
    return f"clamp_min({measured}{left}, 0)"


def consumed(of: Select, *when: str) -> str:
    """What was consumed."""
    if not when:
        return f"({self_supplied(of)} + {imported(of)})"
    return per_plant(_energy(of, "consumed", *when))


def self_supplied(of: Select, *when: str) -> str:
    """What was consumed and did not come from the grid."""
    if not when:
        return self_consumed(of)
    measured, put_out = (
        per_plant(_energy(of, each, *when)) for each in ("self_supplied", "inverter")
    )
    return f"clamp_min({measured} or {put_out} - {fed_in(of, *when)}, 0)"


def of_today(of: Select, quantity: str, otherwise: str) -> str:
    """A quantity of today: of the statistics, as all others, or else `otherwise`, a metric.

    Real-time values are fresher, but beside statistics they do not add up, and some keep those of
    yesterday until the sun rises.
    """
    return f"({per_plant(_energy(of, quantity, *TODAY))} or {per_plant(of(otherwise))})"


def imported(of: Select, *when: str) -> str:
    """What came from the grid."""
    if not when:
        return per_plant(of("meter_reverse_active_energy_joules_total"))
    measured = per_plant(_energy(of, "purchased", *when))
    return f"clamp_min({measured} or {consumed(of, *when)} - {self_supplied(of, *when)}, 0)"


def share(part: str, whole: str) -> str:
    """A part of a whole, over the plants that report both."""
    return f"clamp_max(sum({part} and {whole}) / (sum({whole} and {part}) > 0), 1)"


def self_consumption(of: Select, *when: str) -> str:
    """The part of what the modules gave that the grid did not get."""
    return share(self_consumed(of, *when), produced(of, *when))


def self_sufficiency(of: Select, *when: str) -> str:
    """The part of the consumption that did not come from the grid."""
    return share(self_supplied(of, *when), consumed(of, *when))
