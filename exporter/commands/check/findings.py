"""What a check notices beyond single calls: units, places, unknown words, the limits in force."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from exporter.account.fleet import Fleet
from exporter.account.model import PhaseUnit
from exporter.account.plant_pages import NO_CLASSIC_LIST
from exporter.catalogue.index import CODES, STATESETS
from exporter.catalogue.meters import EMMA
from exporter.commands.account_access import Access
from exporter.commands.check import powers
from exporter.commands.check.powers import Finding
from exporter.commands.check.trials import PERMITTED, REFUSED, Trial
from exporter.config import AccountSettings, Settings
from exporter.exposition.phase_units import GRID_METER, PHASES, REFERENCE
from exporter.northbound.interfaces import INTERFACES, PLANT_LIST
from exporter.northbound.records import Reading


@dataclass(frozen=True, slots=True)
class Limits:
    """The edition of limits that is configured, the one that is known to hold, and why."""

    configured: str
    known: str | None
    evidence: str


def limits_of(
    settings: Settings, account: AccountSettings, trials: Iterable[Trial], fleet: Fleet
) -> Limits:
    """Which limits seem to apply to the account, and what its server reveals of itself."""
    trials = list(trials)
    limits = _limits_of_account(settings, account, trials)
    signs = [*_signs_of_server(trials, fleet)]
    if not signs:
        return limits
    server = f"its server seems to be of 25.x or 26.x, since {' and '.join(signs)}"
    if limits.known == "v6":
        return Limits(limits.configured, "v25", f"{limits.evidence}; {server}")
    words = f"{limits.evidence}; {server}: v25, unless the account is older than July 2022"
    return Limits(limits.configured, limits.known, words)


def _signs_of_server(trials: Iterable[Trial], fleet: Fleet) -> Iterator[str]:
    """What only newer servers list, answer or refuse."""
    lists = [trial for trial in trials if trial.interface == PLANT_LIST.name]
    if any("bad_parameters" in (trial.reason, *trial.recovered) for trial in lists):
        yield f"{PLANT_LIST.name} is only answered page by page"
    if any(device.type_id in EMMA for device in fleet.devices.values()):
        yield "an EMMA is listed"
    newer = {row.name for row in INTERFACES.values() if row.folder.startswith("/rest/")}
    answered = {each.interface for each in trials if each.outcome == PERMITTED} & newer
    if answered:
        yield f"{', '.join(sorted(answered))} {'answers' if len(answered) == 1 else 'answer'}"


def _limits_of_account(
    settings: Settings, account: AccountSettings, trials: Sequence[Trial]
) -> Limits:
    configured = account.limits
    lists = [trial for trial in trials if trial.interface == PLANT_LIST.name]
    if any(NO_CLASSIC_LIST.intersection(trial.recovered[:1]) for trial in lists):
        evidence = "getStationList is refused and stations answers: created after June 2022"
        return Limits(configured, "v6", evidence)
    # 403 and 429 tell of the load on the whole system, and nothing of this account's limits.
    frequent = {t.interface: None for t in trials if t.outcome == REFUSED and t.reason == "407"}
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
    settings: Settings, access: Access, readings: Mapping[int, Sequence[Reading]]
) -> list[Finding]:
    """All that is to be looked at, most telling first."""
    fleet = access.probe.fleet
    return [
        *powers.findings(settings, fleet, readings),
        *phase_units(settings, access, readings.get(GRID_METER, ())),
        *_places(settings, fleet),
        *_nameless(settings, access),
        *_unknown_keys(settings, access),
        *_unknown_states(access),
    ]


# --- the unit of phases --------------------------------------------------------------------------


def phase_units(
    settings: Settings, access: Access, readings: Iterable[Reading]
) -> Iterator[Finding]:
    """In which unit grid meters send the powers of their phases, unless that is configured."""
    configured = {each.key for each in settings.factors if each.device_type == GRID_METER}
    told: dict[str, list[str]] = {}
    for reading in readings:
        device = access.probe.fleet.devices.get(reading.subject)
        sent = reading.values.keys() & PHASES
        if device and sent - configured:
            known = access.probe.state.phase_units.get(device.id, PhaseUnit())
            names = told.setdefault(_in_words(known), [])
            names.append(f"{device.name} ({device.id})")
    for words, meters in told.items():
        yield Finding(f"{', '.join(dict.fromkeys(meters))}: {words}")


def _in_words(known: PhaseUnit) -> str:
    if known.doubted:
        return "the unit of the phases' powers is undecided, and they are not shown until it is"
    if known.unit:
        return f"the phases' powers are in {known.unit}, as the readings showed"
    return f"the unit of the phases' powers is undecided; {REFERENCE} is taken, as documented"


# --- a plant without a place -------------------------------------------------------------------


def _places(settings: Settings, fleet: Fleet) -> Iterator[Finding]:
    placed = {device.plant_code for device in fleet.devices.values() if device.latitude}
    lacking = [
        plant
        for plant in fleet.plants.values()
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


# --- a device that cannot be asked -------------------------------------------------------------


def _nameless(settings: Settings, access: Access) -> Iterator[Finding]:
    account = next(each for each in settings.accounts if each.name == access.account)
    fleet = access.probe.fleet
    for row in INTERFACES.values():
        lacking = fleet.nameless(row.device_types) if row.by_dn else ()
        if lacking and settings.interface(account, row.name).enabled:
            names = ", ".join(sorted(fleet.devices[name].name for name in lacking))
            yield Finding(f"{row.name} asks by a DN, and the list gives none to {names}")


# --- what has no name here ---------------------------------------------------------------------


def _unknown_keys(settings: Settings, access: Access) -> Iterator[Finding]:
    keys = [f"{kind}: {key}" for kind, key in access.view.unknown_keys]
    if keys:
        wanted = "unknown_keys: export"
        paste = "" if settings.unknown_keys == "export" else wanted
        yield Finding(f"keys that this version does not know: {', '.join(keys)}", paste)


def _unknown_states(access: Access) -> Iterator[Finding]:
    for metric in sorted(STATESETS):
        if _count(access, metric):
            code = CODES.get(metric)
            seen = f"codes that no table names; see {code}" if code else "words that no table names"
            yield Finding(f"{metric} had {seen}")


def _count(access: Access, metric: str) -> float:
    name = "fusionsolar_unknown_states_total"
    return access.telemetry.value(access.account, name, metric=metric) or 0.0
