"""What a check notices beyond single calls: units, places, unknown words, the limits in force."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from exporter.catalogue import meters
from exporter.catalogue.model import Row
from exporter.catalogue.rows import STATESETS, lookup
from exporter.commands.trials import REFUSED, Trial
from exporter.commands.visit import Guide
from exporter.config import Account, Settings
from exporter.northbound.codes import device_type_slug
from exporter.northbound.interfaces import PLANT_LIST
from exporter.northbound.records import Reading
from exporter.polling.inventory import Inventory
from exporter.polling.pages import NO_CLASSIC_LIST
from exporter.wording import power

_POWER = "active_power"
_TOO_MUCH = 10  # times its plant's capacity
_KILO = 1_000


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to look at, and the line for the configuration that mends it, if one does."""

    words: str
    paste: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """The edition of limits that is configured, the one that is known to hold, and why."""

    configured: str
    known: str | None
    evidence: str


def limits_of(settings: Settings, account: Account, trials: Iterable[Trial]) -> Limits:
    """Which limits the account seems to live under."""
    made, configured = list(trials), account.limits
    lists = [trial for trial in made if trial.interface == PLANT_LIST.name]
    if any(NO_CLASSIC_LIST.intersection(trial.mended[:1]) for trial in lists):
        evidence = "getStationList is refused and stations answers: created after June 2022"
        return Limits(configured, "v6", evidence)
    # 403 and 429 tell of the load on the whole system, and nothing of this account's limits.
    frequent = {t.interface: None for t in made if t.outcome == REFUSED and t.reason == "407"}
    if frequent:
        where = f"{', '.join(frequent)} refused although no call was too many: "
        if any(settings.interface(account, name).allowance for name in frequent):
            return Limits(configured, None, where + "the configured allowance is too large")
        if configured == "classic":
            return Limits(configured, "v6", where + "the limits are narrower than classic")
        return Limits(configured, None, where + "another program uses the account")
    return Limits(
        configured, None, "nothing was refused, so it may be classic; safe suits every account"
    )


def findings_of(
    settings: Settings, guide: Guide, readings: Mapping[int, Sequence[Reading]]
) -> list[Finding]:
    """All that is to be looked at, most telling first."""
    inventory = guide.tour.inventory
    return [
        *_powers(settings, inventory, readings),
        *_places(settings, inventory),
        *_unknown_keys(guide),
        *_unknown_states(guide),
    ]


# --- a meter in kilowatts ----------------------------------------------------------------------


def _powers(
    settings: Settings, inventory: Inventory, readings: Mapping[int, Sequence[Reading]]
) -> Iterator[Finding]:
    for device_type in meters.ALL:
        factor = _factor(settings, device_type)
        for reading in readings.get(device_type, ()):
            device = inventory.devices.get(reading.subject)
            plant = inventory.plants.get(device.plant_code) if device else None
            sent = reading.values.get(_POWER)
            if device is None or plant is None or sent is None or not plant.capacity_watts:
                continue
            if abs(sent * factor) > _TOO_MUCH * plant.capacity_watts:
                mended = factor / _KILO
                plausible = abs(sent * mended) <= _TOO_MUCH * plant.capacity_watts
                yield Finding(
                    f"{device_type_slug(device_type)} {device.name} ({device.id}) shows "
                    f"{power(sent * factor)}, but its plant {plant.name} has "
                    f"{power(plant.capacity_watts)}"
                    + ("" if plausible else ": no unit explains that; look at the meter"),
                    _factors_line(settings, device_type, mended) if plausible else "",
                )


def _factor(settings: Settings, device_type: int) -> float:
    configured = (
        each.factor
        for each in settings.factors
        if (each.device_type, each.key) == (device_type, _POWER)
    )
    return next(configured, _row(device_type).factor)


def _row(device_type: int) -> Row:
    return lookup("getDevRealKpi", device_type)[_POWER]


def _factors_line(settings: Settings, device_type: int, factor: float) -> str:
    """The whole line: a second `factors` would be a mistake."""
    factors = {(each.device_type, each.key): each.factor for each in settings.factors}
    factors[device_type, _POWER] = factor
    if factor == _row(device_type).factor:  # what holds without a line
        del factors[device_type, _POWER]
    entries = (
        f"{{device_type: {kind}, key: {key}, factor: {value:g}}}"
        for (kind, key), value in factors.items()
    )
    return f"factors: [{', '.join(entries)}]"


# --- a plant without a place -------------------------------------------------------------------


def _places(settings: Settings, inventory: Inventory) -> Iterator[Finding]:
    placed = {device.plant_code for device in inventory.devices.values() if device.latitude}
    lacking = [
        plant
        for plant in inventory.plants.values()
        if plant.latitude is None
        and plant.code not in placed
        and plant.code not in settings.plant_coordinates
    ]
    if lacking:
        places = settings.plant_coordinates.items()
        known = {code: f"{latitude}, {longitude}" for code, (latitude, longitude) in places}
        wanted = known | {plant.code: "LATITUDE, LONGITUDE" for plant in lacking}
        entries = (f'"{code}": [{place}]' for code, place in wanted.items())
        yield Finding(
            f"the server does not tell where {', '.join(plant.name for plant in lacking)} "
            f"{'is' if len(lacking) == 1 else 'are'}",
            f"plant_coordinates: {{{', '.join(entries)}}}",
        )


# --- what has no name here ---------------------------------------------------------------------


def _unknown_keys(guide: Guide) -> Iterator[Finding]:
    keys = [f"{kind}: {key}" for kind, key in guide.sink.unknown_keys]
    if keys:
        yield Finding(f"keys that this version does not know: {', '.join(keys)}")


def _unknown_states(guide: Guide) -> Iterator[Finding]:
    for metric in sorted(STATESETS):
        if _count(guide, metric):
            yield Finding(f"{metric} had codes that no table names; see {metric}_code")


def _count(guide: Guide, metric: str) -> float:
    labels = {"account": guide.account, "metric": metric}
    return (
        guide.telemetry.registry.get_sample_value("fusionsolar_unknown_states_total", labels) or 0.0
    )
