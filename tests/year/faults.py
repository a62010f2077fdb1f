"""The faults of the year: one row a kind, when each is seeded, and until when it must be told."""

from dataclasses import dataclass, field
from functools import cache

from year.plants import Plant
from year.sky import STEPS, dice
from year.surfaces import Surface, specific

HOUR = STEPS // 24
LIT = 0.2  # W of a watt of modules: light in which a fault can be seen
LONGEST = 50  # days after which a fault that could not be seen is taken back


@dataclass(frozen=True)
class Within:
    """The time within which a fault must be told: the sum of what is set."""

    minutes: int = 0  # of any time
    lit: float = 0.0  # hours in good light
    fair: int = 0  # whole days of sun


@dataclass(frozen=True)
class Kind:
    """A kind of fault: where it happens, how soon it must be told, and what it does.

    The rest is what it does. mode: off (with a `state`), silent, frozen or offline with values;
    of a battery what it no longer does. gain: what is left of the `strings` (all, one, most),
    reached in `ramp` days. sets, factor: readings that are replaced, or multiplied.
    """

    name: str
    plants: tuple[str, ...]  # kinds of plant; `account` for what no plant has
    device: str | None  # inverter, meter, battery, string, or None for the plant as a whole
    within: Within
    mode: str = ""
    gain: float = 1.0
    strings: str = "all"
    ramp: int = 0
    state: int = 0
    sets: dict[str, float] = field(default_factory=dict, hash=False)
    factor: dict[str, float] = field(default_factory=dict, hash=False)
    account: str = ""


SOON, DAY, WEEKS = Within(lit=2), Within(fair=1), Within(fair=14)
LONELY = ("cottage", "home", "eastwest")
FIELD = ("field",)

KINDS = (
    # The only inverter of a plant, or all of them.
    Kind("only inverter off", LONELY, "inverter", SOON, mode="off", state=3),
    Kind("only inverter shut down", LONELY, "inverter", SOON, mode="off", state=768),
    Kind("only inverter silent", LONELY, "inverter", SOON, mode="silent"),
    Kind("only inverter at half", LONELY, "inverter", DAY, gain=0.5),
    Kind("plant off", ("farm",), None, SOON, mode="off", state=3),
    Kind("all modules soiled", (*LONELY, "farm"), None, WEEKS, gain=0.85, ramp=90),
    # One of many.
    Kind("inverter off", FIELD, "inverter", SOON, mode="off", state=3),
    Kind("inverter at half", FIELD, "inverter", DAY, gain=0.5),
    Kind("inverter silent", FIELD, "inverter", SOON, mode="silent"),
    Kind("inverter at 85 %", FIELD, "inverter", WEEKS, gain=0.85),
    Kind("inverter in decline", FIELD, "inverter", WEEKS, gain=0.7, ramp=60),
    Kind("park soiled", ("park",), None, WEEKS, gain=0.85, ramp=90),
    # Strings.
    Kind("string out", ("eastwest", "farm", "wall"), "string", DAY, gain=0.0, strings="one"),
    Kind("string of a field out", FIELD, "string", DAY, gain=0.0, strings="one"),
    Kind("string weak", ("eastwest", "farm", "wall"), "string", DAY, gain=0.55, strings="one"),
    Kind("most strings out", ("eastwest",), "inverter", DAY, gain=0.0, strings="most"),
    # What is said cannot be so.
    Kind("values stuck", (*LONELY, "field"), "inverter", Within(lit=3), mode="frozen"),
    Kind("offline with values", (*LONELY, "field"), "inverter", Within(lit=3), mode="offline"),
    # What it says of itself.
    Kind("insulation low", LONELY, "inverter", SOON, mode="off", state=1),
    Kind(
        "too hot inside",
        ("home", "field"),
        "inverter",
        Within(lit=1),
        sets={"fusionsolar_inverter_temperature_celsius": 86.0},
    ),
    # The grid.
    Kind(
        "weak grid at 112 %",
        ("farm",),
        "meter",
        Within(minutes=60),
        factor={"fusionsolar_meter_voltage_volts": 1.065},
    ),
    Kind(
        "frequency off",
        ("home", "farm"),
        "meter",
        Within(minutes=60),
        factor={"fusionsolar_meter_frequency_hertz": 1.018},
    ),
    # Batteries and meters.
    Kind("battery gives nothing", ("home",), "battery", Within(fair=3), mode="no discharge"),
    Kind("battery takes nothing", ("home",), "battery", Within(fair=2), mode="no charge"),
    Kind(
        "battery worn",
        ("home",),
        "battery",
        Within(minutes=120),
        sets={"fusionsolar_battery_state_of_health_ratio": 0.62},
    ),
    Kind(
        "battery faulty",
        ("home",),
        "battery",
        Within(minutes=60),
        mode="no use",
        sets={"fusionsolar_battery_status_code": 3.0},
    ),
    Kind("meter offline", ("home", "farm"), "meter", Within(lit=3), mode="silent"),
    # Account and exporter.
    Kind("account refused", ("account",), None, Within(minutes=90), account="refused"),
    Kind("account down", ("account",), None, Within(minutes=150), account="down"),
    Kind("session stolen", ("account",), None, Within(minutes=180), account="stolen"),
    Kind("interface without answers", ("account",), None, Within(minutes=90), account="stale"),
    Kind("plants withdrawn", ("account",), None, Within(minutes=90), account="withdrawn"),
    Kind("exporter down", ("account",), None, Within(minutes=30), account="exporter"),
)


@dataclass(frozen=True)
class Fault:
    """A fault that happens. Steps from `start` until `end`; told by `deadline` at the latest."""

    kind: Kind
    account: str
    plant: str | None
    device: str | None
    string: str | None
    start: int
    deadline: int
    end: int

    def on(self, day):
        return self.start < (day + 1) * STEPS and self.end > day * STEPS

    def at(self, step):
        return self.start <= step < self.end

    def left(self, step):
        """What is left of the strings at a step."""
        if not self.at(step):
            return 1.0
        ramp = self.kind.ramp * STEPS
        part = min(1.0, (step - self.start) / ramp) if ramp else 1.0
        return 1 - (1 - self.kind.gain) * part

    def labels(self):
        """What an alert about it must not contradict, where it has such a label."""
        if self.kind.account == "exporter":
            return {"instance": self.account}
        device = self.device and f"{self.plant}/{self.device}"
        named = {"plant_code": self.plant, "device_id": device, "string": self.string}
        return {"account": self.account} | {key: name for key, name in named.items() if name}


@cache
def lit_steps(sky, day):
    """Steps of a day, without snow, in which level modules give enough."""
    if sky.icy(day):
        return []
    made = specific(Surface(180, 0), sky.day(day))
    return [day * STEPS + step for step, watts in enumerate(made) if watts > LIT]


def deadline(sky, kind, start):
    """The step until which a fault must be told, or None if it cannot be seen for too long."""
    within, begins = kind.within, start + kind.ramp * STEPS
    due = begins + within.minutes // 5
    needed, fair = within.lit * HOUR, within.fair
    for day in range(due // STEPS, due // STEPS + LONGEST):
        if needed:
            steps = [step for step in lit_steps(sky, day) if step >= begins]
            if len(steps) >= needed:
                return steps[int(needed) - 1]
            needed -= len(steps)
        elif fair:
            fair -= day * STEPS >= begins and sky.fair(day)
            due = (day + 1) * STEPS
            if not fair:
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


def seeded(sky, kind, site, days):
    """A fault of a kind within days, at a time of its own choice; None where none can be seen."""
    draw = dice(sky, "fault", kind.name, site.code, days.start)
    for day in days:
        start = day * STEPS + draw.randint(0, STEPS - 1)
        due = deadline(sky, kind, start)
        if due is None or due >= days.stop * STEPS:
            continue
        device, string = faulty_part(kind, site.plant, draw)
        end = min(due + (HOUR if due - start < STEPS else STEPS), days.stop * STEPS)
        return Fault(kind, site.account, site.code, device, string, start, due, end)
    return None


def faulty_part(kind, plant, draw):
    """The device and the string that have a fault."""
    if kind.device in (None, "battery", "meter"):
        return kind.device, None
    inverter = draw.choice(plant.inverters)
    string = draw.choice(inverter.strings).number if kind.device == "string" else None
    return inverter.id, string
