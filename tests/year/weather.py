"""Sun, clouds, temperature and precipitation of a climate, day by day: pure functions of a seed."""

from dataclasses import dataclass
from functools import cache, lru_cache
from math import acos, asin, cos, degrees, exp, pi, radians, sin

from year.noise import interpolate, interpolated_noise, random_for
from year.timeline import STEP_SECONDS, STEPS_PER_DAY

SOLAR_CONSTANT = 1361.0  # W/m² outside of the atmosphere
YEAR = 365.25  # days
OBLIQUITY = 23.44  # degrees
OPAQUE = 0.85  # cloudiness from which no beam comes through
SNOW_REMAINS = 12  # days for which snow may lie after a cold one


@dataclass(frozen=True, eq=False)
class WeatherDay:
    """A day's weather; lists have a value for each step."""

    number: int
    condition: str  # clear, changing, overcast, storm or fog
    elevation: list[float]  # degrees
    azimuth: list[float]  # degrees, clockwise from north
    beam: list[float]  # W/m² on a plane that faces the sun
    diffuse: list[float]  # W/m² on level ground
    ambient_temperature: list[float]  # °C
    precipitation: bool  # enough to wash modules, or to cover them with snow when it freezes
    cloud_loss: float  # share of a clear day's light on level ground that clouds take


def sun_positions(day, latitude):
    """Elevations and azimuths of the sun in degrees, at each step of a day."""
    season = 2 * pi * (day + 284) / YEAR
    declination = radians(OBLIQUITY) * sin(season + 2 * pi / YEAR)
    latitude = radians(latitude)
    elevations, azimuths = [], []
    for step in range(STEPS_PER_DAY):
        minutes = step * STEP_SECONDS / 60 + equation_of_time(day)
        hour_angle = radians(minutes / 4 - 180)
        elevation = asin(
            sin(latitude) * sin(declination) + cos(latitude) * cos(declination) * cos(hour_angle)
        )
        cosine = (sin(declination) - sin(elevation) * sin(latitude)) / (
            cos(elevation) * cos(latitude)
        )
        azimuth = degrees(acos(max(-1.0, min(1.0, cosine))))
        elevations.append(degrees(elevation))
        azimuths.append(azimuth if hour_angle < 0 else 360 - azimuth)
    return elevations, azimuths


@cache
def equation_of_time(day):
    """Minutes by which the sun is ahead of its mean."""
    angle = 2 * pi * (day - 80) / YEAR
    return 9.87 * sin(2 * angle) - 7.53 * cos(angle) - 1.5 * sin(angle)


class Weather:
    """The weather of a climate for a seed."""

    def __init__(self, climate, seed):
        self.climate, self.seed = climate, seed

    def __repr__(self):
        # Names the weather in the seeds of random numbers.
        return f"{self.climate.name}/{self.seed}"

    def summer_share(self, day):
        """0 in midwinter, 1 in midsummer."""
        phase = cos(2 * pi * (day - 200) / YEAR)
        return (1 + (phase if self.climate.latitude > 0 else -phase)) / 2

    def seasonal(self, pair, day):
        """A quantity of the climate on a day, of which the pair is that of winter and of summer."""
        return interpolate(pair, self.summer_share(day))

    def persistent_noise(self, day):
        """A random number from 0 to 1, correlated over some days as weather is."""
        period, fraction = divmod(day / 3, 1)
        pair = [random_for(self, "spell", int(period) + n).random() for n in (0, 1)]
        own = random_for(self, "day", day).random()
        mixed = 0.62 * interpolate(pair, fraction) + 0.38 * own
        return min(1.0, max(0.0, 0.5 + 1.45 * (mixed - 0.5)))

    @cache  # noqa: B019  # because few are made
    def condition(self, day):
        """The sky's condition on a day."""
        climate, value = self.climate, self.persistent_noise(day)
        if value > 1 - self.seasonal(climate.overcast_share, day):
            return "overcast"
        random = random_for(self, "kind", day)
        if random.random() < climate.storm_share:
            return "storm"
        if random.random() < self.seasonal(climate.fog_share, day):
            return "fog"
        return "clear" if value < self.seasonal(climate.clear_share, day) else "changing"

    @cache  # noqa: B019  # because few are made
    def mean_temperature(self, day):
        """°C, mean of a day."""
        noise = sum(random_for(self, "warm", key).random() for key in (day // 5, day))
        return self.seasonal(self.climate.mean_temperature, day) + 5 * (noise - 1)

    @lru_cache(maxsize=512)  # noqa: B019  # because few are made
    def day(self, number):
        """The weather of a day."""
        condition, random = self.condition(number), random_for(self, "clouds", number)
        elevation, azimuth = sun_positions(number, self.climate.latitude)
        cloudiness = CLOUDINESS[condition](random)
        haze = 1 - 0.08 * random.random()
        beam, diffuse, loss = self.irradiance(elevation, cloudiness, haze)
        wet = condition in ("overcast", "storm")
        precipitation = wet and random.random() < self.climate.precipitation_share
        ambient = self.ambient_temperature(number, condition)
        return WeatherDay(
            number, condition, elevation, azimuth, beam, diffuse, ambient, precipitation, loss
        )

    def irradiance(self, elevations, cloudiness, haze):
        """W/m² of the beam and of diffuse light at each step, and what clouds take of the day."""
        beam, diffuse, lost, total = [], [], 0.0, 0.0
        for elevation, clouds in zip(elevations, cloudiness, strict=True):
            clear_beam, clear_diffuse = self.clear_sky(elevation, haze)
            transmitted = clear_beam * max(0.0, 1 - clouds / OPAQUE)
            on_level = sin(radians(max(0.0, elevation)))
            scattered = 0.3 * (clear_beam - transmitted) * on_level
            beam.append(transmitted)
            diffuse.append(clear_diffuse * (1 - 0.6 * clouds) + scattered)
            clear = clear_beam * on_level + clear_diffuse
            total += clear
            lost += clear - beam[-1] * on_level - diffuse[-1]
        return beam, diffuse, lost / total if total else 1.0

    def clear_sky(self, elevation, haze):
        """W/m² of the beam and of diffuse light without clouds; haze is the share let through."""
        if elevation <= 0:
            return 0.0, 0.0 if elevation < -4 else 6 * (1 + elevation / 4)
        air_mass = 1 / (sin(radians(elevation)) + 0.5057 * (elevation + 6.08) ** -1.636)
        beam = SOLAR_CONSTANT * (haze * self.climate.transmittance) ** (air_mass**0.678)
        return beam, 6 + 95 * (1 - exp(-elevation / 15))

    def ambient_temperature(self, number, condition):
        """°C at each step of a day."""
        mean, swing = self.mean_temperature(number), self.climate.temperature_swing
        if condition == "overcast":
            swing *= 0.4
        return [
            mean + swing / 2 * cos(2 * pi * (step / STEPS_PER_DAY - 15 / 24))
            for step in range(STEPS_PER_DAY)
        ]

    def snow_possible(self, day):
        """Whether snow of this day or of the days before may still lie."""
        return min(self.mean_temperature(day - n) for n in range(SNOW_REMAINS)) < 2

    @cache  # noqa: B019  # because few are made
    def sunny(self, day):
        """Whether a fault shows on a day: much sun, and no snow."""
        weather = self.day(day)
        high = max(weather.elevation) > 20
        return weather.cloud_loss < 0.35 and high and not self.snow_possible(day)


def clear_clouds(random):
    return [0.04 * value for value in interpolated_noise(random, 12)]


def changing_clouds(random):
    slow, fast = interpolated_noise(random, 12), interpolated_noise(random, 96)
    threshold = 0.35 + 0.4 * random.random()
    return [
        min(1.0, 0.03 + max(0.0, 0.55 * a + 0.45 * b - threshold) * 3.2)
        for a, b in zip(slow, fast, strict=True)
    ]


def overcast_clouds(random):
    base = 0.78 + 0.2 * random.random()
    return [min(1.0, base + 0.25 * value) for value in interpolated_noise(random, 12)]


def storm_clouds(random):
    onset, before = random.randint(140, 185), changing_clouds(random)
    storm = [min(1.0, 0.85 + 0.3 * value) for value in interpolated_noise(random, 12)]
    return before[:onset] + storm[onset:]


def fog_clouds(random):
    end, after = random.randint(115, 160), clear_clouds(random)
    fog = [min(1.0, 0.82 + 0.15 * value) for value in interpolated_noise(random, 8)]
    return fog[:end] + after[end:]


# How opaque the sky is at each step of a day, 0 to 1, by its condition.
CLOUDINESS = {
    "clear": clear_clouds,
    "changing": changing_clouds,
    "overcast": overcast_clouds,
    "storm": storm_clouds,
    "fog": fog_clouds,
}
