"""Compares alerts with what happened: false alerts, side alerts of faults, and detections."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from year import events
from year.faults import Fault
from year.simulation import FAULTY_ACCOUNT, FAULTY_PREFIX
from year.timeline import EPOCH, STEP_SECONDS, STEPS_PER_DAY, STEPS_PER_HOUR

MAX_GAP = 6  # steps between two samples of one episode
NIGHT = -1.0  # degrees of elevation below which it is night
AFTERMATH = STEPS_PER_HOUR  # steps in which an event still explains an alert


@dataclass
class Episode:
    """An alert that fires from step `first` to step `last`."""

    labels: dict[str, str]
    first: int
    last: int
    circumstances: list[str] = field(default_factory=list)  # when it began

    @property
    def name(self):
        return self.labels["alertname"].removeprefix("FusionSolar")

    def may_concern(self, fault):
        """Whether its labels allow that it is about a fault."""
        expected = fault.labels()
        expected.setdefault("instance", self.labels.get("instance"))
        if ("plant_code" in self.labels) != ("plant_code" in expected):
            return False
        return all(self.labels.get(key, value) == value for key, value in expected.items())

    @property
    def reason(self):
        """Its circumstances as the report has them."""
        return ", ".join(self.circumstances) or "nothing"

    def __str__(self):
        labels = ("account", "plant_code", "device_id", "string", "instance")
        where = "/".join(self.labels[key] for key in labels if key in self.labels)
        hours = (self.last - self.first + 1) * STEP_SECONDS / 3600
        return f"{date_of(self.first)} {hours:6.1f} h {self.name:20} {where:40} {self.reason}"


def date_of(step):
    """Date and time of a step."""
    return f"{datetime.fromtimestamp(EPOCH + step * STEP_SECONDS, UTC):%m-%d %H:%M}"


def alert_episodes(alerts):
    """The episodes of alerts, which are given as labels and the steps at which they fire."""
    for labels, steps in alerts:
        first = last = steps[0]
        for step in steps:
            if step - last > MAX_GAP:
                yield Episode(labels, first, last)
                first = step
            last = step
        yield Episode(labels, first, last)


@dataclass
class Detection:
    """A fault, and the first alert about it, if any."""

    fault: Fault
    episode: Episode | None

    @property
    def in_time(self):
        return self.episode is not None and self.episode.first <= self.fault.deadline

    @property
    def hours(self):
        """Hours from the fault's start to the alert."""
        return (self.episode.first - self.fault.start) * STEP_SECONDS / 3600

    def __str__(self):
        fault = self.fault
        due = (fault.deadline - fault.start) * STEP_SECONDS / 3600
        where = "/".join(filter(None, (fault.account, fault.plant, fault.device, fault.string)))
        result = f"{self.hours:.1f} h, {self.episode.name}" if self.episode else "never"
        return f"{date_of(fault.start)} {fault.kind.name:26} {where:34} due {due:6.1f} h: {result}"


@dataclass
class Assessment:
    """Episodes of healthy plants, those of faulty ones that no fault explains, and detections."""

    false_alerts: list[Episode]
    side_alerts: list[Episode]
    detections: list[Detection]


def assess(simulation, alerts):
    """The assessment of the alerts that fired in a simulation."""
    false_alerts, side_alerts = [], []
    first_episodes = {id(fault): None for fault in simulation.faults}
    for episode in sorted(alert_episodes(alerts), key=lambda each: each.first):
        causes = [
            fault
            for fault in simulation.faults
            if episode.may_concern(fault) and fault.start <= episode.first <= fault.end
        ]
        for fault in causes:
            first_episodes[id(fault)] = first_episodes[id(fault)] or episode
        if not causes:
            episode.circumstances = list(circumstances(simulation, episode))
            (side_alerts if of_faulty(episode) else false_alerts).append(episode)
    detections = [Detection(fault, first_episodes[id(fault)]) for fault in simulation.faults]
    return Assessment(false_alerts, side_alerts, detections)


def of_faulty(episode):
    """Whether an episode is of a plant, account or exporter with faults."""
    labels = episode.labels
    if labels.get("plant_code", "").startswith(FAULTY_PREFIX):
        return True
    return FAULTY_ACCOUNT in (labels.get("account"), labels.get("instance"))


def circumstances(simulation, episode):
    """What was going on when an alert began to fire."""
    step, weather = episode.first, simulation.weather
    day, step_of_day = divmod(step, STEPS_PER_DAY)
    if plant := episode.labels.get("plant_code"):
        yield from simulation.circumstances.get((plant, day), ())
    if weather.day(day).elevation[step_of_day] < NIGHT:
        yield "night"
    outages = events.maintenance(weather, day) + events.maintenance(weather, day - 1)
    if any(start <= step <= end + AFTERMATH for start, end in outages):
        yield "maintenance"
    refused = events.refused_logins(weather, episode.labels.get("account"), day)
    if any(start <= step <= end + AFTERMATH for start, end in refused):
        yield "a login refused"
