"""The places of the year: how sun, air, rain, snow and grid are there. One row a climate.

All of them lie on the meridian of Greenwich, so that local time is UTC.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Climate:
    """A place. Pairs are winter and summer, between which the year goes up and down."""

    name: str
    latitude: float
    clearness: float  # share of the beam that one thickness of clean air lets through
    temperature: tuple[float, float]  # °C, mean of a day
    swing: float  # °C between the means of night and day
    clear: tuple[float, float]  # share of the days
    overcast: tuple[float, float]  # share of the days; the rest are changing
    storms: float  # share of the other days whose afternoon is stormy
    fog: tuple[float, float]  # share of the other days whose morning is foggy
    rain: float  # share of stormy and overcast days on which enough falls to wash or to cover
    dust: float  # share of the light that is lost a day until rain washes it off
    volts: float
    hertz: float


CLIMATES = {
    climate.name: climate
    for climate in (
        Climate(
            name="desert",
            latitude=-23.0,
            clearness=0.76,
            temperature=(11, 20),
            swing=18,
            clear=(0.88, 0.92),
            overcast=(0.01, 0.0),
            storms=0.01,
            fog=(0.03, 0.0),
            rain=0.1,
            dust=0.0004,
            volts=220,
            hertz=50,
        ),
        Climate(
            name="singapore",
            latitude=1.3,
            clearness=0.62,
            temperature=(27, 28),
            swing=7,
            clear=(0.2, 0.3),
            overcast=(0.25, 0.15),
            storms=0.5,
            fog=(0.0, 0.0),
            rain=0.8,
            dust=0.0005,
            volts=230,
            hertz=50,
        ),
        Climate(
            name="bavaria",
            latitude=48.3,
            clearness=0.7,
            temperature=(-1, 19),
            swing=10,
            clear=(0.15, 0.35),
            overcast=(0.55, 0.2),
            storms=0.08,
            fog=(0.4, 0.05),
            rain=0.5,
            dust=0.0004,
            volts=230,
            hertz=50,
        ),
        Climate(
            name="texas",
            latitude=31.2,
            clearness=0.7,
            temperature=(9, 30),
            swing=13,
            clear=(0.45, 0.6),
            overcast=(0.25, 0.08),
            storms=0.12,
            fog=(0.1, 0.02),
            rain=0.5,
            dust=0.0006,
            volts=277,
            hertz=60,
        ),
        Climate(
            name="arctic",
            latitude=69.0,
            clearness=0.74,
            temperature=(-9, 12),
            swing=6,
            clear=(0.25, 0.3),
            overcast=(0.5, 0.35),
            storms=0.0,
            fog=(0.05, 0.1),
            rain=0.5,
            dust=0.0002,
            volts=230,
            hertz=50,
        ),
    )
}
