"""How often devices are polled, and how exact their readings are. One row a manner in POLLING."""

from dataclasses import dataclass
from functools import cache

from year.noise import random_for
from year.timeline import STEP_SECONDS, STEPS_PER_DAY, STEPS_PER_HOUR

NOISY = ("_watts", "_amperes")  # suffixes of metrics with a measurement error
# What the last digit of a reading is worth, by the suffix of a metric's name.
RESOLUTION = {
    "_watts": 10.0,
    "_amperes": 0.1,
    "_volts": 0.1,
    "_celsius": 0.1,
    "_hertz": 0.01,
    "_charge_ratio": 0.01,
    "_joules_total": 36_000.0,
}


@dataclass(frozen=True)
class Polling:
    """How an account polls its devices, each at a phase of its own."""

    interval: int = 1  # steps between two readings of a device
    error: float = 0.0  # share by which a reading of power or current may be off
    rounded: bool = False  # to the metric's resolution
    stall_share: float = 0.0  # of days on which a device's readings stand still for an hour

    @property
    def walk_seconds(self):
        """Seconds in which all devices are polled once."""
        return self.interval * STEP_SECONDS

    def polled(self, sources, device, day):
        """By step, the step of the day whose readings a device shows, or None.

        `sources` are the same of one that is polled in each step.
        """
        phase = random_for("asked", device).randrange(self.interval)
        polled = [
            sources[max(0, step - (step - phase) % self.interval)] for step in range(STEPS_PER_DAY)
        ]
        random = random_for("stands", device, day)
        if random.random() < self.stall_share:
            start = random.randint(7 * STEPS_PER_HOUR, 16 * STEPS_PER_HOUR)
            polled[start : start + STEPS_PER_HOUR] = [polled[start - 1]] * STEPS_PER_HOUR
        return polled

    def measured(self, metric, values, *series):
        """The values of a metric with their measurement error, rounded."""
        if self.error and metric.endswith(NOISY):
            random = random_for("error", metric, *series)
            values = [
                None if value is None else value * (1 + self.error * random.uniform(-1, 1))
                for value in values
            ]
        digit = self.rounded and resolution(metric)
        if not digit:
            return values
        return [None if value is None else round(value / digit) * digit for value in values]


@cache
def resolution(metric):
    return next((digit for suffix, digit in RESOLUTION.items() if metric.endswith(suffix)), None)


POLLING = {
    "exact": Polling(),
    "slow": Polling(interval=3),
    "rough": Polling(error=0.015, rounded=True, stall_share=0.1),
}
