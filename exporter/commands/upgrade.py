"""Upgrades: ordered by a person, never by the daemon, and what became of them."""

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from exporter.account.probe import Probe
from exporter.clock import Clock, SystemClock
from exporter.commands.account_access import (
    FAILED,
    FAILURES,
    Failure,
    access_to,
    explain,
    reports_failures,
    state_of,
)
from exporter.commands.options import (
    account_of,
    add_account,
    add_config,
    add_format,
    fail,
    load_settings,
    show,
    words,
)
from exporter.commands.tables import table
from exporter.northbound.device_types import device_type_slug
from exporter.northbound.enums import UPGRADE_RESULTS
from exporter.northbound.errors import CallError, fail_code_error
from exporter.northbound.interfaces import DEVICE_LIST, INTERFACES, PLANT_LIST, Interface
from exporter.northbound.records import Device, Upgrade
from exporter.status import text
from exporter.wiring import poll_config

ORDER = INTERFACES["devUpgrade"]
RECORDS = INTERFACES["getDevUpgradeInfo"]


@dataclass(frozen=True, slots=True)
class OrderResult:
    """What became of the order to upgrade a device: accepted, refused, unknown or not_tried."""

    device_id: str
    device_name: str
    result: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """The last upgrade of a device; `state` is never_upgraded or unknown where none is told.

    `progress` is a ratio, `last_upgrade` in seconds since the epoch.
    """

    device_id: str
    device_name: str
    state: str
    progress: float | None = None
    last_upgrade: float | None = None
    source_version: str = ""
    target_version: str = ""
    words: str = ""


def define(parser: argparse.ArgumentParser) -> None:
    """Its actions and their flags."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="start|status")
    for action, run in _ACTIONS.items():
        chosen = actions.add_parser(
            action, description=run.__doc__, help=run.__doc__, allow_abbrev=False
        )
        add_config(chosen)
        add_account(chosen)
        chosen.add_argument(
            "--device",
            dest="devices",
            action="append",
            required=action == "start",
            metavar="DEVICE",
            help="an id, name or serial number, or several with commas; may be given more than "
            "once" + ("" if action == "start" else " (default: all that can be upgraded)"),
        )
        if action == "start":
            chosen.add_argument("--yes", action="store_true", help="do not ask")
        add_format(chosen)


@reports_failures
def run(flags: argparse.Namespace, clock: Clock | None = None) -> int:
    """Upgrade devices, or tell how their last upgrades went."""
    return _ACTIONS[flags.action](flags, clock or SystemClock())


def _start(flags: argparse.Namespace, clock: Clock) -> int:
    """Order the upgrade of devices, after asking."""
    if not (flags.yes or sys.stdin.isatty()):
        fail("upgrade start: nobody can be asked here, so --yes is needed")
    with _probe(flags, clock) as probe:
        devices = _select_devices(probe, flags.devices)
        print(_plan(devices), file=sys.stdout if flags.format == "table" else sys.stderr)
        if not (flags.yes or _confirm(len(devices))):
            return FAILED
        results = [result for group in _groups(devices) for result in _order(probe, group)]
    rows = (
        (each.device_id, each.device_name, ": ".join(filter(None, (each.result, each.words))))
        for each in results
    )
    show(
        flags.format,
        [asdict(result) for result in results],
        lambda: table(("Device", "Name", "Result"), rows),
    )
    return 0 if all(result.result == "accepted" for result in results) else FAILED


def _status(flags: argparse.Namespace, clock: Clock) -> int:
    """Tell how the last upgrades of devices went."""
    with _probe(flags, clock) as probe:
        devices = _select_devices(probe, flags.devices) if flags.devices else _upgradable(probe)
        records = [record for group in _groups(devices) for record in _read_records(probe, group)]
    headings = ("Device", "Name", "State", "Progress", "From", "To", "Ordered")
    show(
        flags.format,
        [asdict(record) for record in records],
        lambda: table(headings, map(_row, records)),
    )
    return FAILED if any(record.words for record in records) else 0


_ACTIONS = {"start": _start, "status": _status}


@contextmanager
def _probe(flags: argparse.Namespace, clock: Clock) -> Iterator[Probe]:
    """A probe of the account that is meant, which knows the account's devices."""
    settings = load_settings(flags.config_file)
    account = account_of(settings, flags.account)
    lists = [poll_config(settings, account, each) for each in (PLANT_LIST, DEVICE_LIST)]
    with (
        state_of(settings, [account]) as state,
        access_to(account, settings, state, clock, polled=lists) as access,
    ):
        access.probe.read_fleet()
        yield access.probe


# --- which devices -----------------------------------------------------------------------------


def _upgradable(probe: Probe) -> list[Device]:
    return [
        device for device in probe.fleet.devices.values() if device.type_id in ORDER.device_types
    ]


def _select_devices(probe: Probe, named: Iterable[str]) -> list[Device]:
    """The devices that are meant; a word that means none, or one that cannot be, ends it all."""
    devices = list(probe.fleet.devices.values())
    chosen: list[Device] = []
    mistakes: list[str] = []
    for word in (word for each in named for word in _split(each, devices)):
        meant = _matching_devices(word, devices)
        if not meant:
            mistakes.append(f"{word} is no device of this account")
        elif len(meant) > 1:
            mistakes.append(f"{word} may be any of {', '.join(each.id for each in meant)}")
        elif meant[0].type_id not in ORDER.device_types:
            slug = device_type_slug(meant[0].type_id)
            mistakes.append(f"{word} is a {slug}, which cannot be upgraded")
        elif meant[0] in chosen:
            mistakes.append(f"{word} is named twice")
        chosen += meant
    if mistakes:
        fail(f"--device: {'; '.join(mistakes)}")
    return chosen


def _split(text: str, devices: Iterable[Device]) -> list[str]:
    """The words of a list with commas, unless a device is called just that."""
    return [text] if _matching_devices(text, devices) else words(text)


def _matching_devices(word: str, devices: Iterable[Device]) -> list[Device]:
    return [each for each in devices if word in (each.id, each.name, each.serial_number)]


def _groups(devices: Sequence[Device]) -> Iterator[list[Device]]:
    """The devices type by type, as many as a call may name."""
    for type_id in dict.fromkeys(device.type_id for device in devices):
        same = [device for device in devices if device.type_id == type_id]
        for first in range(0, len(same), ORDER.batch):
            yield same[first : first + ORDER.batch]


# --- asking the person -------------------------------------------------------------------------


def _plan(devices: Iterable[Device]) -> str:
    return table(
        ("Device", "Name", "Type", "Current version"),
        (
            (each.id, each.name, device_type_slug(each.type_id), each.software_version or "unknown")
            for each in devices
        ),
    )


def _confirm(count: int) -> bool:
    devices = text.count(count, "device")
    print(f"Upgrade {devices}? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


# --- calls -------------------------------------------------------------------------------------


def _call(probe: Probe, interface: Interface, group: Sequence[Device]) -> Sequence[Any]:
    """The records of one call about devices of one type; orders are sent in the same form."""
    ids, type_id = [device.id for device in group], group[0].type_id
    call = partial(probe.call, interface, RECORDS.body(type_id, ids), device_type=type_id)
    return interface.answer(call, ids).records


def _order(probe: Probe, group: Sequence[Device]) -> list[OrderResult]:
    """One order, which is never repeated: one without an answer may have arrived."""
    try:
        orders = {order.device_id: order for order in _call(probe, ORDER, group)}
    except FAILURES as error:
        result = _result_of(error)
        return [OrderResult(device.id, device.name, result, explain(error)) for device in group]
    results = []
    for device in group:
        order = orders.get(device.id)
        if order is None:
            result, why = "unknown", "the answer does not mention it; look at `upgrade status`"
        elif order.accepted:
            result, why = "accepted", ""
        else:
            result, why = "refused", explain(fail_code_error(order.fail_code))
        results.append(OrderResult(device.id, device.name, result, why))
    return results


def _result_of(error: Failure) -> str:
    if not isinstance(error, CallError):
        return "not_tried"
    return "refused" if error.enveloped else "unknown"


def _read_records(probe: Probe, group: Sequence[Device]) -> list[Record]:
    try:
        upgrades = {each.reading.subject: each for each in _call(probe, RECORDS, group)}
    except FAILURES as error:
        reason = _reason_refused(error)
        return [Record(each.id, each.name, "unknown", words=reason) for each in group]
    return [_record(device, upgrades.get(device.id)) for device in group]


def _reason_refused(error: Failure) -> str:
    advice = RECORDS.advice(error.reason) if isinstance(error, CallError) else ""
    return "; ".join(filter(None, (explain(error), advice)))


def _record(device: Device, upgrade: Upgrade | None) -> Record:
    if upgrade is None:
        return Record(device.id, device.name, "never_upgraded")
    values = upgrade.reading.values
    progress, time = values.get("process"), values.get("lastUpgradeTime")
    return Record(
        device.id,
        device.name,
        UPGRADE_RESULTS.get(int(values.get("upgradeResult", -1)), "unknown"),
        progress=None if progress is None else progress / 100,
        last_upgrade=None if time is None else time / 1000,
        source_version=upgrade.source_version,
        target_version=upgrade.target_version,
    )


def _row(record: Record) -> tuple[str, ...]:
    return (
        record.device_id,
        record.device_name,
        ": ".join(filter(None, (record.state, record.words))),
        "" if record.progress is None else f"{record.progress:.0%}",
        record.source_version,
        record.target_version,
        "" if record.last_upgrade is None else text.utc_time(record.last_upgrade),
    )
