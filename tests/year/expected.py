"""The expected powers that the exporter shows of a plant: its own code learns and tells them."""

from functools import lru_cache

from year.sky import DAY, EPOCH, STEP, STEPS

from exporter.account.learned_power import DEVICE, MIN_ELEVATION, LearnedPower
from exporter.northbound.enums import LIMITED_STATES
from exporter.sky import sun_over

PREFIX = "fusionsolar_inverter_"
NEEDED = ("dc_power_watts", "state_code", "run_state_code")


@lru_cache(maxsize=64)
def suns(latitude, day):
    """The sun at each step of a day, or None where nothing is expected of it."""
    found = [sun_over((latitude, 0.0), EPOCH + day * DAY + step * STEP) for step in range(STEPS)]
    return [sun if sun.elevation >= MIN_ELEVATION else None for sun in found]


class Learner:
    """What the exporter has learned of an inverter."""

    def __init__(self):
        self.learned = LearnedPower()
        self.last = None

    def day(self, latitude, day, rows):
        """Learns a day's rows of the inverter; gives what was expected, by name, at each step."""
        powers = self.powers(rows)
        expected = []
        for step, sun in enumerate(suns(latitude, day)):
            watts = {name: values[step] for name, values in powers.items()}
            if sun is None or watts[DEVICE] is None:
                expected.append({})
                continue
            state, connected = (rows[PREFIX + name, ""][step] for name in NEEDED[1:])
            told = watts, rows[PREFIX + "energy_joules_total", ""][step]
            if told != self.last and connected:
                self.learned.learn(sun, watts, limited=state in LIMITED_STATES)
                self.last = told
            expected.append(self.learned.expected(sun))
        return expected

    @staticmethod
    def powers(rows):
        """W of the inverter, under the name of the device itself, and of its strings."""
        powers = {DEVICE: rows[PREFIX + NEEDED[0], ""]}
        for (name, string), amperes in rows.items():
            if name == f"{PREFIX}string_current_amperes":
                volts = rows[f"{PREFIX}string_voltage_volts", string]
                powers[string] = [
                    None if a is None else a * v for a, v in zip(amperes, volts, strict=True)
                ]
        return powers


class Expected:
    """What is expected of a plant's inverters, of their strings, and of it."""

    def __init__(self, plant, latitude):
        self.latitude = latitude
        self.about = {"account": plant.account, "plant_code": plant.code}
        self.learners = {each.id: Learner() for each in plant.inverters}

    def rows(self, day, shown):
        """Rows of a day, out of those `shown` of the inverters: by inverter, name and string."""
        known = []
        for inverter, learner in self.learners.items():
            expected = learner.day(self.latitude, day, shown[inverter])
            known.append([step.get(DEVICE) for step in expected])
            about = self.about | {"device_id": f"{self.about['plant_code']}/{inverter}"}
            yield f"{PREFIX}expected_power_watts", about, known[-1]
            learned = learner.learned.days * DAY
            yield f"{PREFIX}expected_power_learned_seconds", about, [learned] * STEPS
            for string in dict.fromkeys(name for step in expected for name in step if name):
                values = [step.get(string) for step in expected]
                about_it = about | {"string": string}
                yield f"{PREFIX}string_expected_power_watts", about_it, values
        sums = [None if None in each else sum(each) for each in zip(*known, strict=True)]
        yield "fusionsolar_plant_expected_power_watts", self.about, sums
