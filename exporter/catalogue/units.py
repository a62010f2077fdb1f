"""The units of the source: what each becomes, and by which factor."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unit:
    """A base unit as metric names spell it, and what a value is multiplied with to be in it."""

    base: str
    factor: float = 1.0


UNITS: Mapping[str, Unit] = {
    "": Unit(""),
    "%": Unit("ratio", 0.01),
    "A": Unit("amperes"),
    "Hz": Unit("hertz"),
    "MJ/m²": Unit("joules_per_square_meter", 1e6),
    "V": Unit("volts"),
    "W": Unit("watts"),
    "W/m²": Unit("watts_per_square_meter"),
    "currency": Unit(""),  # the account's own, which the API does not name
    "h": Unit("seconds", 3.6e3),
    "kVA": Unit("volt_amperes", 1e3),
    "kW": Unit("watts", 1e3),
    "kWh": Unit("joules", 3.6e6),
    "kWh/m²": Unit("joules_per_square_meter", 3.6e6),
    "kvar": Unit("vars", 1e3),
    "kvarh": Unit("var_seconds", 3.6e6),
    "m/s": Unit("meters_per_second"),
    "ms": Unit("seconds", 1e-3),
    "t": Unit("grams", 1e6),
    "var": Unit("vars"),
    "°": Unit("degrees"),
    "°C": Unit("celsius"),
}
