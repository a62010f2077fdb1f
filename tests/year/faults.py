"""The faults: what each kind does, when one is seeded, and until when an alert must report it."""

from dataclasses import dataclass, field
from functools import cache

from year.noise import random_for
from year.plants import Plant
from year.surfaces import Surface, specific_power
from year.timeline import STEP_SECONDS, STEPS_PER_DAY, STEPS_PER_HOUR

BRIGHT = 0.2  # W of each W of level modules: light in which a fault can be seen
MAX_DAYS_UNSEEN = 50  # after which a fault that could not be seen is not seeded


@dataclass(frozen=True)
class TimeLimit:
    """The time within which a fault must be reported: the sum of what is set."""

    minutes: int = 0
    bright_hours: float = 0.0
    sunny_days: int = 0  # whole ones


@dataclass(frozen=True)
class FaultKind:
    """A kind of fault: where it happens, how soon it must be reported, and what it does.

    mode: off (with a `state` code), silent, frozen or offline with values; of a battery what it no
    longer does. remaining: share of the power of the affected `strings` (all, one, most) that
    remains, reached in `ramp` days. overrides, factors: readings that are replaced, or multiplied,
    by metric.
    """

    name: str
    plants: tuple[str, ...]  # kinds of plant; `account` for what no plant has
    device: str | None  # inverter, meter, battery, string, or None for the plant as a whole
    limit: TimeLimit
    mode: str = ""
    remaining: float = 1.0
    strings: str = "all"
    ramp: int = 0
    state: int = 0
    overrides: dict[str, float] = field(default_factory=dict, hash=False)
    factors: dict[str, float] = field(default_factory=dict, hash=False)
    account_effect: str = ""  # refused, down, stolen, stale, withdrawn, or exporter if it is down


BRIGHT_HOURS, SUNNY_DAY = TimeLimit(bright_hours=2), TimeLimit(sunny_days=1)
SUNNY_WEEKS = TimeLimit(sunny_days=14)
SINGLE_INVERTER = ("cottage", "home", "eastwest")
FIELD, ACCOUNT = ("field",), ("account",)
WITH_STRINGS = ("eastwest", "farm", "wall")  # whose strings have faults of their own

FAULT_KINDS = (
    # The only inverter of a plant, or all of them.
    FaultKind("only inverter off", SINGLE_INVERTER, "inverter", BRIGHT_HOURS, mode="off", state=3),
    FaultKind(
        "only inverter shut down", SINGLE_INVERTER, "inverter", BRIGHT_HOURS, mode="off", state=768
    ),
    FaultKind("only inverter silent", SINGLE_INVERTER, "inverter", BRIGHT_HOURS, mode="silent"),
    FaultKind("only inverter at half", SINGLE_INVERTER, "inverter", SUNNY_DAY, remaining=0.5),
    FaultKind("plant off", ("farm",), None, BRIGHT_HOURS, mode="off", state=3),
    FaultKind(
        "all modules soiled", (*SINGLE_INVERTER, "farm"), None, SUNNY_WEEKS, remaining=0.85, ramp=90
    ),
    # One inverter of many, or a plant whose weather station shows its loss.
    FaultKind("inverter off", FIELD, "inverter", BRIGHT_HOURS, mode="off", state=3),
    FaultKind("inverter at half", FIELD, "inverter", SUNNY_DAY, remaining=0.5),
    FaultKind("inverter silent", FIELD, "inverter", BRIGHT_HOURS, mode="silent"),
    FaultKind("inverter at 85 %", FIELD, "inverter", SUNNY_WEEKS, remaining=0.85),
    FaultKind("inverter in decline", FIELD, "inverter", SUNNY_WEEKS, remaining=0.7, ramp=60),
    FaultKind("park soiled", ("park",), None, SUNNY_WEEKS, remaining=0.85, ramp=90),
    # Strings.
    FaultKind("string out", WITH_STRINGS, "string", SUNNY_DAY, remaining=0.0, strings="one"),
    FaultKind("string of a field out", FIELD, "string", SUNNY_DAY, remaining=0.0, strings="one"),
    FaultKind("string weak", WITH_STRINGS, "string", SUNNY_DAY, remaining=0.55, strings="one"),
    FaultKind(
        "most strings out", ("eastwest",), "inverter", SUNNY_DAY, remaining=0.0, strings="most"
    ),
    # Readings that contradict what happens.
    FaultKind(
        "values stuck",
        (*SINGLE_INVERTER, "field"),
        "inverter",
        TimeLimit(bright_hours=3),
        mode="frozen",
    ),
    FaultKind(
        "offline with values",
        (*SINGLE_INVERTER, "field"),
        "inverter",
        TimeLimit(bright_hours=3),
        mode="offline",
    ),
    # Faults that the inverter reports itself.
    FaultKind("insulation low", SINGLE_INVERTER, "inverter", BRIGHT_HOURS, mode="off", state=1),
    FaultKind(
        "too hot inside",
        ("home", "field"),
        "inverter",
        TimeLimit(bright_hours=1),
        overrides={"fusionsolar_inverter_temperature_celsius": 86.0},
    ),
    # The grid.
    FaultKind(
        "weak grid at 112 %",
        ("farm",),
        "meter",
        TimeLimit(minutes=60),
        factors={"fusionsolar_meter_voltage_volts": 1.065},
    ),
    FaultKind(
        "frequency off",
        ("home", "farm"),
        "meter",
        TimeLimit(minutes=60),
        factors={"fusionsolar_meter_frequency_hertz": 1.018},
    ),
    # Batteries and meters.
    FaultKind(
        "battery gives nothing", ("home",), "battery", TimeLimit(sunny_days=3), mode="no discharge"
    ),
    FaultKind(
        "battery takes nothing", ("home",), "battery", TimeLimit(sunny_days=2), mode="no charge"
    ),
    FaultKind(
        "battery worn",
        ("home",),
        "battery",
        TimeLimit(minutes=120),
        overrides={"fusionsolar_battery_state_of_health_ratio": 0.62},
    ),
    FaultKind(
        "battery faulty",
        ("home",),
        "battery",
        TimeLimit(minutes=60),
        mode="no use",
        overrides={"fusionsolar_battery_status_code": 3.0},
    ),
    FaultKind("meter offline", ("home", "farm"), "meter", TimeLimit(bright_hours=3), mode="silent"),
    # Account and exporter.
    FaultKind("account refused", ACCOUNT, None, TimeLimit(minutes=90), account_effect="refused"),
    FaultKind("account down", ACCOUNT, None, TimeLimit(minutes=150), account_effect="down"),
    FaultKind("session stolen", ACCOUNT, None, TimeLimit(minutes=180), account_effect="stolen"),
    FaultKind(
        "interface without answers", ACCOUNT, None, TimeLimit(minutes=90), account_effect="stale"
    ),
    FaultKind("plants withdrawn", ACCOUNT, None, TimeLimit(minutes=90), account_effect="withdrawn"),
    FaultKind("exporter down", ACCOUNT, None, TimeLimit(minutes=30), account_effect="exporter"),
)


@dataclass(frozen=True)
class Fault:
    """A fault from step `start` to `end`, which must be reported until `deadline`."""

    kind: FaultKind
    account: str
    plant: str | None
    device: str | None
    string: str | None
    start: int
    deadline: int
    end: int

    def active_on(self, day):
        """Whether it lasts on any part of a day."""
        return self.start < (day + 1) * STEPS_PER_DAY and self.end > day * STEPS_PER_DAY

    def active_at(self, step):
        return self.start <= step < self.end

    def output_factor(self, step):
        """The share of its strings' power that remains at a step."""
        if not self.active_at(step):
            return 1.0
        ramp = self.kind.ramp * STEPS_PER_DAY
        progress = min(1.0, (step - self.start) / ramp) if ramp else 1.0
        return 1 - (1 - self.kind.remaining) * progress

    def labels(self):
        """The labels that an alert about it must have, where it has such labels."""
        if self.kind.account_effect == "exporter":
            return {"instance": self.account}
        device = self.device and f"{self.plant}/{self.device}"
        labels = {"plant_code": self.plant, "device_id": device, "string": self.string}
        return {"account": self.account} | {key: value for key, value in labels.items() if value}


@cache
def bright_steps(weather, day):
    """The steps of a day in which a fault can be seen by its power; none if snow may lie."""
    if weather.snow_possible(day):
        return []
    powers = specific_power(Surface(180, 0), weather.day(day))
    return [day * STEPS_PER_DAY + step for step, watts in enumerate(powers) if watts > BRIGHT]


def deadline(weather, kind, start):
    """The step until which a fault must be reported; None if it cannot be seen for too long."""
    complete = start + kind.ramp * STEPS_PER_DAY
    due = complete + kind.limit.minutes * 60 // STEP_SECONDS
    bright, sunny = kind.limit.bright_hours * STEPS_PER_HOUR, kind.limit.sunny_days
    for day in range(due // STEPS_PER_DAY, due // STEPS_PER_DAY + MAX_DAYS_UNSEEN):
        if bright:
            steps = [step for step in bright_steps(weather, day) if step >= complete]
            if len(steps) >= bright:
                return steps[int(bright) - 1]
            bright -= len(steps)
        elif sunny:
            sunny -= day * STEPS_PER_DAY >= complete and weather.sunny(day)
            due = (day + 1) * STEPS_PER_DAY
            if not sunny:
                return due
        else:
            return due
    return None


@dataclass(frozen=True)
class FaultSite:
    """Where faults happen: at a plant, or in an account without one."""

    account: str
    plant: Plant | None = None

    @property
    def code(self):
        return self.plant.code if self.plant else None


def seed_fault(weather, kind, site, days):
    """A fault of a kind at a random time in a range of days; None where none can be seen."""
    random = random_for(weather, "fault", kind.name, site.code, days.start)
    last_step = days.stop * STEPS_PER_DAY
    for day in days:
        start = day * STEPS_PER_DAY + random.randint(0, STEPS_PER_DAY - 1)
        due = deadline(weather, kind, start)
        if due is None or due >= last_step:
            continue
        device, string = faulty_part(kind, site.plant, random)
        lasts_on = STEPS_PER_HOUR if due - start < STEPS_PER_DAY else STEPS_PER_DAY
        end = min(due + lasts_on, last_step)
        return Fault(kind, site.account, site.code, device, string, start, due, end)
    return None


def faulty_part(kind, plant, random):
    """The device and the string that have a fault."""
    if kind.device in (None, "battery", "meter"):
        return kind.device, None
    inverter = random.choice(plant.inverters)
    string = random.choice(inverter.strings).number if kind.device == "string" else None
    return inverter.id, string
