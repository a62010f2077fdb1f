"""How devices are asked, and how exact they answer. One row a manner in ASKING."""

from dataclasses import dataclass
from functools import cache

from year.sky import STEP, STEPS, dice

HOUR = STEPS // 24
TOLD_APART = ("_watts", "_amperes")  # what measures twice in a moment differs in
# What the last digit of an answer is worth, by the end of a metric's name.
DIGITS = {
    "_watts": 10.0,
    "_amperes": 0.1,
    "_volts": 0.1,
    "_celsius": 0.1,
    "_hertz": 0.01,
    "_charge_ratio": 0.01,
    "_joules_total": 36_000.0,
}


@dataclass(frozen=True)
class Asking:
    """Steps between two readings of a device, and what an answer is worth."""

    every: int = 1  # each device at a step of its own
    error: float = 0.0  # part by which a reading of power or current may be off
    rounded: bool = False
    late: float = 0.0  # share of the days on which a device's readings stand still for an hour

    @property
    def seconds(self):
        """The time of a walk over all devices."""
        return self.every * STEP

    def shown(self, shown, device, day):
        """By step, the step of the day whose readings a device's page shows, or None."""
        phase = dice("asked", device).randrange(self.every)
        asked = [shown[max(0, step - (step - phase) % self.every)] for step in range(STEPS)]
        draw = dice("stands", device, day)
        if draw.random() < self.late:
            start = draw.randint(7 * HOUR, 16 * HOUR)
            asked[start : start + HOUR] = [asked[start - 1]] * HOUR
        return asked

    def told(self, name, values, *about):
        """The values of a metric as a device tells them."""
        if self.error and name.endswith(TOLD_APART):
            draw = dice("error", name, *about)
            values = [
                None if v is None else v * (1 + self.error * draw.uniform(-1, 1)) for v in values
            ]
        digit = self.rounded and digits(name)
        if not digit:
            return values
        return [None if v is None else round(v / digit) * digit for v in values]


@cache
def digits(name):
    return next((digit for end, digit in DIGITS.items() if name.endswith(end)), None)


ASKING = {
    "exact": Asking(),
    "slow": Asking(every=3),
    "rough": Asking(error=0.015, rounded=True, late=0.1),
}
