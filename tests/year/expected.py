"""The expected powers that the exporter exposes of a plant, learned by the exporter's own code."""

from functools import lru_cache

from year.timeline import DAY_SECONDS, EPOCH, STEP_SECONDS, STEPS_PER_DAY, steps_of

from exporter.account.learned_power import DEVICE, MIN_ELEVATION, LearnedPower
from exporter.northbound.enums import LIMITED_STATES
from exporter.sky import sun_over

PREFIX = "fusionsolar_inverter_"


@lru_cache(maxsize=64)
def high_suns(latitude, day):
    """The sun at each step of a day, or None where it is too low to expect anything."""
    suns = [sun_over((latitude, 0.0), EPOCH + step * STEP_SECONDS) for step in steps_of(day)]
    return [sun if sun.elevation >= MIN_ELEVATION else None for sun in suns]


class InverterLearner:
    """What the exporter has learned of an inverter."""

    def __init__(self):
        self.learned = LearnedPower()
        self.last_reading = None

    def day(self, latitude, day, rows):
        """Learns a day's rows of the inverter; gives the expected W, by name, at each step."""
        powers = self.powers(rows)
        states, connected, energies = (
            rows[PREFIX + name, ""]
            for name in ("state_code", "run_state_code", "energy_joules_total")
        )
        expected = []
        for step, sun in enumerate(high_suns(latitude, day)):
            watts = {name: values[step] for name, values in powers.items()}
            if sun is None or watts[DEVICE] is None:
                expected.append({})
                continue
            reading = watts, energies[step]
            if reading != self.last_reading and connected[step]:
                self.learned.learn(sun, watts, limited=states[step] in LIMITED_STATES)
                self.last_reading = reading
            expected.append(self.learned.expected(sun))
        return expected

    @staticmethod
    def powers(rows):
        """W of the inverter, under the name of the device itself, and of its strings."""
        powers = {DEVICE: rows[f"{PREFIX}dc_power_watts", ""]}
        for (name, string), amperes in rows.items():
            if name == f"{PREFIX}string_current_amperes":
                volts = rows[f"{PREFIX}string_voltage_volts", string]
                powers[string] = [
                    None if a is None else a * v for a, v in zip(amperes, volts, strict=True)
                ]
        return powers


class ExpectedPowerSeries:
    """The expected powers of a plant, its inverters and their strings."""

    def __init__(self, plant, latitude):
        self.latitude = latitude
        self.labels = {"account": plant.account, "plant_code": plant.code}
        self.learners = {each.id: InverterLearner() for each in plant.inverters}

    def rows(self, day, inverter_rows):
        """Rows of a day, from those of the inverters: by inverter, then by name and string."""
        inverter_powers = []
        for inverter, learner in self.learners.items():
            expected = learner.day(self.latitude, day, inverter_rows[inverter])
            inverter_powers.append([powers.get(DEVICE) for powers in expected])
            labels = self.labels | {"device_id": f"{self.labels['plant_code']}/{inverter}"}
            yield f"{PREFIX}expected_power_watts", labels, inverter_powers[-1]
            learned = learner.learned.days * DAY_SECONDS
            yield f"{PREFIX}expected_power_learned_seconds", labels, [learned] * STEPS_PER_DAY
            for string in dict.fromkeys(name for powers in expected for name in powers if name):
                values = [powers.get(string) for powers in expected]
                yield (
                    f"{PREFIX}string_expected_power_watts",
                    labels | {"string": string},
                    values,
                )
        sums = [
            None if None in powers else sum(powers) for powers in zip(*inverter_powers, strict=True)
        ]
        yield "fusionsolar_plant_expected_power_watts", self.labels, sums
