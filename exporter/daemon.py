"""The daemon: settings become pollers, sinks, a page and a server, and run until a signal."""

import threading
from collections.abc import Iterable, Sequence
from functools import partial
from importlib.metadata import version
from socket import socket
from urllib.parse import urlsplit

import structlog

from exporter.catalogue.rows import ROWS
from exporter.config import Account, Settings
from exporter.exposition.account import AccountSink
from exporter.exposition.page import Page
from exporter.exposition.telemetry import Telemetry
from exporter.exposition.translate import Translator
from exporter.northbound.client import Client
from exporter.northbound.interfaces import EDITIONS, INTERFACES, LOGIN, MINUTE, Limit
from exporter.polling.inventory import Filter, Inventory
from exporter.polling.lane import Wish
from exporter.polling.poller import Poller, SystemClock
from exporter.polling.session import HostGate
from exporter.web import app, server

NAME = "fusionsolar-exporter"


def run(settings: Settings, sockets: Sequence[socket], minute: float = MINUTE) -> None:
    """Polls and serves until a signal; `minute` shortens the limits' minutes, for the demo."""
    log = structlog.get_logger()
    clock = SystemClock()
    telemetry = Telemetry()
    page = Page(telemetry.registry, clock.now)
    gates: dict[tuple[str | None, int], HostGate] = {}
    sinks: list[AccountSink] = []
    pollers: dict[str, Poller] = {}
    for account in settings.accounts:
        wishes = list(_wishes(settings, account, minute / MINUTE))
        telemetry.introduce(
            account.name,
            [wish.interface.name for wish in wishes],
            {row.metric.name for row in ROWS if row.metric and row.states is not None},
        )
        sink = AccountSink(
            account.name,
            page=page,
            telemetry=telemetry,
            translator=Translator({(f.device_type, f.key): f.factor for f in settings.factors}),
            places=settings.plant_coordinates,
            now=clock.now,
            wall=clock.time,
        )
        sinks.append(sink)
        gate = gates.setdefault(_server(account.base_url), HostGate())
        pollers[account.name] = _poller(account, wishes, sink, clock, gate)
    for name, poller in pollers.items():
        threading.Thread(target=poller.run, name=f"poller {name}", daemon=True).start()
    log.info("listening", addresses=",".join(map(address, sockets)), version=version(NAME))
    server.serve(
        app.build(
            page.exposition,
            lambda: page.version,
            partial(_waiting, pollers),
            lambda: [f"{kind}: {key}" for sink in sinks for kind, key in list(sink.unknown_keys)],
        ),
        sockets,
    )
    clock.stop()
    log.info("stopped")


def _server(base_url: str) -> tuple[str | None, int]:
    """What two addresses of the same server have in common, however they are written."""
    parts = urlsplit(base_url)
    return parts.hostname, parts.port or {"http": 80, "https": 443}[parts.scheme]


def _wishes(settings: Settings, account: Account, scale: float) -> Iterable[Wish]:
    for interface in INTERFACES.values():
        chosen = settings.interface(account, interface.name)
        walked = interface.parser is not None and chosen.enabled
        if walked or interface is LOGIN:
            allowance = chosen.allowance
            limits = (
                (Limit(allowance.calls, allowance.per),)
                if allowance
                else tuple(
                    Limit(limit.base, limit.window * scale, limit.growth)
                    for limit in EDITIONS[account.limits](interface)
                )
            )
            yield Wish(interface, limits, chosen.every * scale)


def _poller(
    account: Account,
    wishes: Iterable[Wish],
    sink: AccountSink,
    clock: SystemClock,
    gate: HostGate,
) -> Poller:
    return Poller(
        account.name,
        wishes,
        edition=account.limits,
        timeout=account.timeout,
        client=Client(
            account.base_url,
            account.username,
            account.secret(),
            timeout=account.timeout,
            ca_file=str(account.tls.ca_file) if account.tls.ca_file else None,
            verify=account.tls.verify,
        ),
        inventory=Inventory(
            Filter(account.plants.include, account.plants.exclude),
            Filter(account.devices.include, account.devices.exclude),
            account.device_types,
        ),
        sink=sink,
        clock=clock,
        gate=gate,
    )


def _waiting(pollers: dict[str, Poller]) -> list[str]:
    return [f"{name}: {reason}" for name, poller in pollers.items() for reason in poller.waiting]


def address(listening: socket) -> str:
    """Where a listening socket answers, as `host:port`."""
    host, port = listening.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
