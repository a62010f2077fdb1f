"""The climates: sun, air, precipitation and grid of a place. One row a climate.

All of them lie on the meridian of Greenwich, so that local time is UTC.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Climate:
    """A climate. Pairs are the values in midwinter and in midsummer."""

    name: str
    latitude: float  # degrees
    transmittance: float  # share of the beam that one air mass lets through
    mean_temperature: tuple[float, float]  # °C, of a day
    temperature_swing: float  # °C between a day's lowest and highest
    clear_share: tuple[float, float]  # of the days
    overcast_share: tuple[float, float]  # of the days; the rest are changing
    storm_share: float  # of the days not overcast, whose afternoon is stormy
    fog_share: tuple[float, float]  # of the other days, whose morning is foggy
    precipitation_share: float  # of stormy and overcast days with enough to wash or cover modules
    soiling_rate: float  # share of the light lost each day without precipitation
    nominal_volts: float
    nominal_hertz: float


CLIMATES = {
    climate.name: climate
    for climate in (
        Climate(
            name="desert",
            latitude=-23.0,
            transmittance=0.76,
            mean_temperature=(11, 20),
            temperature_swing=18,
            clear_share=(0.88, 0.92),
            overcast_share=(0.01, 0.0),
            storm_share=0.01,
            fog_share=(0.03, 0.0),
            precipitation_share=0.1,
            soiling_rate=0.0004,
            nominal_volts=220,
            nominal_hertz=50,
        ),
        Climate(
            name="singapore",
            latitude=1.3,
            transmittance=0.62,
            mean_temperature=(27, 28),
            temperature_swing=7,
            clear_share=(0.2, 0.3),
            overcast_share=(0.25, 0.15),
            storm_share=0.5,
            fog_share=(0.0, 0.0),
            precipitation_share=0.8,
            soiling_rate=0.0005,
            nominal_volts=230,
            nominal_hertz=50,
        ),
        Climate(
            name="bavaria",
            latitude=48.3,
            transmittance=0.7,
            mean_temperature=(-1, 19),
            temperature_swing=10,
            clear_share=(0.15, 0.35),
            overcast_share=(0.55, 0.2),
            storm_share=0.08,
            fog_share=(0.4, 0.05),
            precipitation_share=0.5,
            soiling_rate=0.0004,
            nominal_volts=230,
            nominal_hertz=50,
        ),
        Climate(
            name="texas",
            latitude=31.2,
            transmittance=0.7,
            mean_temperature=(9, 30),
            temperature_swing=13,
            clear_share=(0.45, 0.6),
            overcast_share=(0.25, 0.08),
            storm_share=0.12,
            fog_share=(0.1, 0.02),
            precipitation_share=0.5,
            soiling_rate=0.0006,
            nominal_volts=277,
            nominal_hertz=60,
        ),
        Climate(
            name="arctic",
            latitude=69.0,
            transmittance=0.74,
            mean_temperature=(-9, 12),
            temperature_swing=6,
            clear_share=(0.25, 0.3),
            overcast_share=(0.5, 0.35),
            storm_share=0.0,
            fog_share=(0.05, 0.1),
            precipitation_share=0.5,
            soiling_rate=0.0002,
            nominal_volts=230,
            nominal_hertz=50,
        ),
    )
}
