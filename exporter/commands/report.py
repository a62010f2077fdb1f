"""What a check has found, as text for people and as plain data."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from exporter.commands.findings import Limits
from exporter.commands.plan import Planned
from exporter.commands.powers import Finding
from exporter.commands.tables import table
from exporter.commands.trials import EMPTY, PERMITTED, REFUSED, UNREACHABLE, Trial
from exporter.northbound.codes import device_type_slug
from exporter.polling.inventory import Inventory
from exporter.wording import power, span

_BAD = (REFUSED, UNREACHABLE, EMPTY)


@dataclass(frozen=True, slots=True)
class SeenPlant:
    """A plant as listed, and how many devices of each type it has."""

    code: str
    name: str
    capacity_watts: float | None
    devices: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class SeenDevice:
    """A device as listed."""

    id: str
    name: str
    type: str
    plant: str
    model: str
    serial_number: str


@dataclass(frozen=True, slots=True)
class Checked:
    """One account, checked."""

    account: str
    base_url: str
    plants: Sequence[SeenPlant]
    devices: Sequence[SeenDevice]
    interfaces: Sequence[Trial]
    limits: Limits
    plan: Sequence[Planned]
    findings: Sequence[Finding]

    @property
    def logged_in(self) -> bool:
        """Whether there is a session."""
        return self.interfaces[0].outcome == PERMITTED

    @property
    def well(self) -> bool:
        """Whether there are plants, and nothing was refused or out of reach."""
        return bool(self.plants) and not any(each.outcome in _BAD for each in self.interfaces)


def seen_plants(inventory: Inventory) -> list[SeenPlant]:
    """The plants, each with its devices by type."""
    return [
        SeenPlant(
            plant.code,
            plant.name,
            plant.capacity_watts,
            dict(
                Counter(
                    device_type_slug(device.type_id)
                    for device in inventory.devices.values()
                    if device.plant_code == plant.code
                )
            ),
        )
        for plant in inventory.plants.values()
    ]


def seen_devices(inventory: Inventory) -> list[SeenDevice]:
    """The devices, each with the name of its plant."""
    return [
        SeenDevice(
            device.id,
            device.name,
            device_type_slug(device.type_id),
            inventory.plants[device.plant_code].name,
            device.model,
            device.serial_number,
        )
        for device in inventory.devices.values()
    ]


def next_step(checked: Iterable[Checked], start: str) -> str:
    """What the reader does now; `start` says how the exporter is started."""
    accounts = list(checked)
    locked_out = [each.account for each in accounts if not each.logged_in]
    plantless = [each.account for each in accounts if not each.plants]
    refused = [each.account for each in accounts if not each.well]
    if locked_out:
        return f"first mend the login of {', '.join(locked_out)} as said above, then check again"
    if plantless:
        return (
            "without plants there is nothing to export: first mend the plant list of "
            f"{', '.join(plantless)} as said above, then check again"
        )
    if refused:
        return (
            f"mend what is said above about {', '.join(refused)}, or go without it (what is "
            f"refused is tried again by itself); {start}"
        )
    return f"all is well; {start}"


def plain(checked: Iterable[Checked], following: str) -> Mapping[str, Any]:
    """All of it as plain data."""
    return {"accounts": [asdict(each) for each in checked], "next": following}


def render(checked: Iterable[Checked], following: str) -> str:
    """All of it for people."""
    accounts = "\n".join("\n".join(_account(each)) for each in checked)
    return f"{accounts}\nNEXT\n{following}\n"


def _account(checked: Checked) -> Iterator[str]:
    yield f"ACCOUNT {checked.account} at {checked.base_url}\n"
    if checked.plants:
        yield f"PLANTS ({len(checked.plants)})\n" + _plants(checked.plants)
    if checked.devices:
        yield f"DEVICES ({len(checked.devices)})\n" + _devices(checked.devices)
    yield "INTERFACES\n" + _interfaces(checked.interfaces)
    if checked.logged_in:
        limits = checked.limits
        known = f"known to hold: {limits.known}; " if limits.known else ""
        yield f"LIMITS\nconfigured: {limits.configured}; {known}{limits.evidence}\n"
    if checked.plan:
        yield "PLAN\n" + _plan(checked.plan)
    if checked.findings:
        yield "TO LOOK AT\n" + "".join(map(_finding, checked.findings))


def _plants(plants: Iterable[SeenPlant]) -> str:
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


def _devices(devices: Iterable[SeenDevice]) -> str:
    return table(
        ("Device", "Type", "Id", "Plant", "Model", "Serial number"),
        ((d.name, d.type, d.id, d.plant, d.model, d.serial_number) for d in devices),
    )


def _interfaces(trials: Iterable[Trial]) -> str:
    """A line a trial, and below it what to do."""
    made = list(trials)
    lines = table(
        ("Interface", "About", "Outcome", ""),
        ((t.interface, t.device_type or "", t.outcome, t.words) for t in made),
    ).splitlines()
    told = [lines[0]]
    for trial, line in zip(made, lines[1:], strict=True):
        told += [line, f"    {trial.remedy}"] if trial.remedy else [line]
    return "\n".join(told) + "\n"


def _plan(plan: Iterable[Planned]) -> str:
    return table(
        ("Interface", "Calls a round", "One every", "Fresh every", "Fresher with"),
        (
            (
                each.interface,
                str(each.calls),
                span(each.pace),
                span(each.freshness),
                " or ".join(each.fresher),
            )
            for each in plan
        ),
    )


def _finding(finding: Finding) -> str:
    paste = f"    put into the configuration: {finding.paste}\n" if finding.paste else ""
    return f"- {finding.words}\n{paste}"
