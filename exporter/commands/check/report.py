"""What a check has found, as text for people and as plain data."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from exporter.account.fleet import Fleet
from exporter.commands.check.findings import Limits
from exporter.commands.check.plan import InterfacePlan
from exporter.commands.check.powers import Finding
from exporter.commands.check.trials import (
    EMPTY,
    NOT_TRIED,
    OUTCOMES,
    PERMITTED,
    REFUSED,
    UNREACHABLE,
    Trial,
)
from exporter.commands.tables import row, table
from exporter.northbound.device_types import device_type_slug
from exporter.northbound.interfaces import Interface
from exporter.status.text import duration, power

_BAD = (REFUSED, UNREACHABLE, EMPTY)


@dataclass(frozen=True, slots=True)
class PlantSummary:
    """A plant as listed, and how many devices of each type it has."""

    code: str
    name: str
    capacity_watts: float | None
    devices: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class DeviceSummary:
    """A device as listed."""

    id: str
    name: str
    type: str
    plant: str
    model: str
    serial_number: str


@dataclass(frozen=True, slots=True)
class AccountReport:
    """One account, checked."""

    account: str
    base_url: str
    plants: Sequence[PlantSummary]
    devices: Sequence[DeviceSummary]
    interfaces: Sequence[Trial]
    limits: Limits
    plan: Sequence[InterfacePlan]
    findings: Sequence[Finding]

    @property
    def logged_in(self) -> bool:
        """Whether there is a session."""
        return self.interfaces[0].outcome == PERMITTED

    @property
    def was_tried(self) -> bool:
        """Whether anything was asked besides the login."""
        return any(each.outcome != NOT_TRIED for each in self.interfaces[1:])

    @property
    def passed(self) -> bool:
        """Whether there are plants, and what was asked was neither refused nor out of reach."""
        bad = any(each.outcome in _BAD for each in self.interfaces)
        return bool(self.plants) and self.was_tried and not bad


def plant_summaries(fleet: Fleet) -> list[PlantSummary]:
    """The plants, each with its devices by type."""
    types: dict[str, Counter[str]] = {code: Counter() for code in fleet.plants}
    for device in fleet.devices.values():
        types[device.plant_code][device_type_slug(device.type_id)] += 1
    return [
        PlantSummary(plant.code, plant.name, plant.capacity_watts, dict(types[plant.code]))
        for plant in fleet.plants.values()
    ]


def device_summaries(fleet: Fleet) -> list[DeviceSummary]:
    """The devices, each with the name of its plant."""
    return [
        DeviceSummary(
            device.id,
            device.name,
            device_type_slug(device.type_id),
            fleet.plants[device.plant_code].name,
            device.model,
            device.serial_number,
        )
        for device in fleet.devices.values()
    ]


def next_step(checked: Iterable[AccountReport], start: str) -> str:
    """What the reader does now; `start` says how the exporter is started."""
    accounts = list(checked)
    locked_out = [each.account for each in accounts if not each.logged_in]
    plantless = [each.account for each in accounts if not each.plants]
    untried = [each.account for each in accounts if not each.was_tried]
    refused = [each.account for each in accounts if not each.passed]
    if locked_out:
        return f"first fix the login of {', '.join(locked_out)} as said above, then check again"
    if plantless:
        return (
            "without plants there is nothing to export: first fix the plant list of "
            f"{', '.join(plantless)} as said above, then check again"
        )
    if untried:
        return (
            f"nothing could be asked of {', '.join(untried)} yet, as said above; check again later"
        )
    if refused:
        return (
            f"fix what is said above about {', '.join(refused)}, or go without it (what is "
            f"refused is tried again by itself); {start}"
        )
    return f"all is well; {start}"


def as_data(checked: Iterable[AccountReport], following: str) -> Mapping[str, Any]:
    """All of it as plain data."""
    return {"accounts": [asdict(each) for each in checked], "next": following}


def heading(account: str, base_url: str) -> str:
    """The heading of an account's report."""
    return f"ACCOUNT {account} at {base_url}\n\nINTERFACES"


class TrialLines:
    """The table of the trials, line by line, as each is made; the interfaces are known before."""

    def __init__(self, interfaces: Collection[Interface]) -> None:
        types = {kind for each in interfaces for kind in each.device_types}
        columns = (
            ("Interface", *(each.name for each in interfaces)),
            ("Device type", *map(device_type_slug, types)),
            ("Outcome", *OUTCOMES),
        )
        self._widths = [max(map(len, column)) for column in columns]
        self.header = row([column[0] for column in columns], self._widths)

    def line(self, trial: Trial) -> str:
        """What came of a trial, and below it what to do."""
        cells = (trial.interface, trial.device_type or "", trial.outcome, trial.words)
        line = row(cells, [*self._widths, 0])
        return f"{line}\n    {trial.remedy}" if trial.remedy else line


def render(checked: AccountReport) -> str:
    """All else of an account, once it is known, for people."""
    return "\n" + "\n".join(_parts(checked))


def _parts(checked: AccountReport) -> Iterator[str]:
    if checked.plants:
        yield f"PLANTS ({len(checked.plants)})\n" + _plants(checked.plants)
    if checked.devices:
        yield f"DEVICES ({len(checked.devices)})\n" + _devices(checked.devices)
    if checked.logged_in:
        limits = checked.limits
        known = f"known to hold: {limits.known}; " if limits.known else ""
        yield f"LIMITS\nconfigured: {limits.configured}; {known}{limits.evidence}\n"
    if checked.plants and checked.plan:
        yield "PLAN\n" + _plan(checked.plan)
    if checked.findings:
        yield "FINDINGS\n" + "".join(map(_format_finding, checked.findings))


def _plants(plants: Iterable[PlantSummary]) -> str:
    return table(
        ("Plant", "Code", "Capacity", "Devices"),
        (
            (
                plant.name,
                plant.code,
                "" if plant.capacity_watts is None else power(plant.capacity_watts),
                ", ".join(f"{count} {slug}" for slug, count in plant.devices.items()),
            )
            for plant in plants
        ),
    )


def _devices(devices: Iterable[DeviceSummary]) -> str:
    return table(
        ("Device", "Type", "Id", "Plant", "Model", "Serial number"),
        ((d.name, d.type, d.id, d.plant, d.model, d.serial_number) for d in devices),
    )


def _plan(plan: Iterable[InterfacePlan]) -> str:
    return table(
        ("Interface", "Calls per round", "Call interval", "Refresh interval", "Faster with"),
        (
            (
                each.interface,
                str(each.calls),
                duration(each.pace),
                duration(each.freshness),
                " or ".join(each.fresher),
            )
            for each in plan
        ),
    )


def _format_finding(finding: Finding) -> str:
    paste = f"    put into the configuration: {finding.paste}\n" if finding.paste else ""
    return f"- {finding.words}\n{paste}"
