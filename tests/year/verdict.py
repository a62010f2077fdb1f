"""What the alerts are worth: episodes on calm plants with what went on then, and faults told."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from year import events
from year.faults import Fault
from year.sky import EPOCH, STEP, STEPS

JOINED = 6  # steps that may lie between two samples of one episode
NIGHT = -1.0  # degrees


@dataclass
class Episode:
    """An alert that fires from a step to a step."""

    labels: dict[str, str]
    first: int
    last: int
    notes: list[str] = field(default_factory=list)

    @property
    def name(self):
        return self.labels["alertname"].removeprefix("FusionSolar")

    def about(self, fault):
        """Whether it could be told of a fault: its labels do not say otherwise."""
        known = fault.labels()
        known.setdefault("instance", self.labels.get("instance"))
        if ("plant_code" in self.labels) != ("plant_code" in known):
            return False
        return all(self.labels.get(key, value) == value for key, value in known.items())

    def __str__(self):
        where = "/".join(
            self.labels[key]
            for key in ("account", "plant_code", "device_id", "string", "instance")
            if key in self.labels
        )
        hours = (self.last - self.first + 1) * STEP / 3600
        return f"{clock(self.first)} {hours:6.1f} h {self.name:20} {where:40} {self.reason}"

    @property
    def reason(self):
        return ", ".join(self.notes) or "nothing"


def clock(step):
    moment = datetime.fromtimestamp(EPOCH + step * STEP, UTC)
    return f"{moment:%m-%d %H:%M}"


def episodes(alerts):
    """The episodes of alerts given as labels and steps."""
    for labels, steps in alerts:
        first = last = steps[0]
        for step in steps:
            if step - last > JOINED:
                yield Episode(labels, first, last)
                first = step
            last = step
        yield Episode(labels, first, last)


@dataclass
class Told:
    """A fault, and the first alert about it."""

    fault: Fault
    episode: Episode | None

    @property
    def in_time(self):
        return self.episode is not None and self.episode.first <= self.fault.deadline

    @property
    def hours(self):
        return (self.episode.first - self.fault.start) * STEP / 3600

    def __str__(self):
        fault = self.fault
        due = (fault.deadline - fault.start) * STEP / 3600
        place = "/".join(filter(None, (fault.account, fault.plant, fault.device, fault.string)))
        how = f"{self.hours:.1f} h, {self.episode.name}" if self.episode else "never"
        return f"{clock(fault.start)} {fault.kind.name:26} {place:34} due {due:6.1f} h: {how}"


@dataclass
class Verdict:
    """Episodes without a reason, those of faulty plants beside their faults, and faults told."""

    false: list[Episode]
    beside: list[Episode]
    told: list[Told]


def judge(world, alerts):
    """The verdict on what fired in a world."""
    false, beside, used = [], [], {id(fault): None for fault in world.faults}
    for episode in sorted(episodes(alerts), key=lambda each: each.first):
        causes = [
            fault
            for fault in world.faults
            if episode.about(fault) and fault.start <= episode.first <= fault.end
        ]
        for fault in causes:
            used[id(fault)] = used[id(fault)] or episode
        if causes:
            continue
        episode.notes = list(notes(world, episode))
        ill = episode.labels.get("plant_code", "").startswith("ill")
        suspect = "suspect" in (episode.labels.get("account"), episode.labels.get("instance"))
        (beside if ill or suspect else false).append(episode)
    return Verdict(false, beside, [Told(fault, used[id(fault)]) for fault in world.faults])


def notes(world, episode):
    """What was going on when an alert began to fire."""
    step, code = episode.first, episode.labels.get("plant_code")
    day, hour = divmod(step, STEPS)
    if code:
        yield from world.notes.get((code, day), ())
    if world.sky.day(day).elevation[hour] < NIGHT:
        yield "night"
    spans = events.maintenance(world.sky, day) + events.maintenance(world.sky, day - 1)
    if any(start <= step <= end + STEPS // 24 for start, end in spans):
        yield "maintenance"
    account = episode.labels.get("account")
    if any(start <= step <= end + 12 for start, end in events.refusals(world.sky, account, day)):
        yield "a login refused"
