"""From the settings to the parts of an account: limits, client, fleet, page."""

from collections.abc import Iterable

from exporter.config import AccountSettings, Settings
from exporter.exposition.account import AccountSink
from exporter.exposition.alarms import SEVERITIES
from exporter.exposition.page import Page
from exporter.exposition.telemetry import Telemetry
from exporter.exposition.translate import Translator
from exporter.northbound.client import Client
from exporter.northbound.interfaces import EDITIONS, INTERFACES, LOGIN, Content, Interface, Limit
from exporter.polling.handlers import AlarmTerms
from exporter.polling.inventory import Filter, Inventory
from exporter.polling.lane import Wish
from exporter.polling.ports import Clock
from exporter.polling.state_directory import Owner


def owner_of(account: AccountSettings) -> Owner:
    """Whose memory it is."""
    return account.base_url, account.username


def wishes_of(settings: Settings, account: AccountSettings, scale: float = 1.0) -> Iterable[Wish]:
    """The interfaces that are walked for an account, each with its limits in force."""
    for interface in INTERFACES.values():
        chosen = settings.interface(account, interface.name)
        if (interface.walked and chosen.enabled) or interface is LOGIN:
            yield wish_of(settings, account, interface, scale)


def wish_of(
    settings: Settings, account: AccountSettings, interface: Interface, scale: float = 1.0
) -> Wish:
    """What the settings say of one interface; `scale` shortens the table's times."""
    chosen = settings.interface(account, interface.name)
    limits = (
        (Limit(chosen.allowance.calls, chosen.allowance.per),)
        if chosen.allowance
        else tuple(
            Limit(limit.base, limit.window * scale, limit.growth)
            for limit in EDITIONS[account.limits](interface)
        )
    )
    return Wish(interface, limits, chosen.every * scale)


def client_of(account: AccountSettings) -> Client:
    """The HTTP client of an account."""
    return Client(
        account.base_url,
        account.username,
        account.secret(),
        timeout=account.timeout,
        ca_file=str(account.tls.ca_file) if account.tls.ca_file else None,
        verify=account.tls.verify,
    )


def sink_of(  # noqa: PLR0913  # because it joins them
    settings: Settings,
    account: AccountSettings,
    wishes: Iterable[Wish],
    *,
    page: Page,
    telemetry: Telemetry,
    clock: Clock,
) -> AccountSink:
    """What makes an account's page of what its interfaces tell."""
    asks_for_alarms = any(wish.interface.content is Content.ALARMS for wish in wishes)
    return AccountSink(
        account.name,
        page=page,
        telemetry=telemetry,
        translator=translator_of(settings),
        places=settings.plant_coordinates,
        now=clock.now,
        wall=clock.time,
        currency=settings.currency or "",
        severities=(settings.alarms.levels or SEVERITIES) if asks_for_alarms else (),
        max_active_per_plant=settings.alarms.max_active_per_plant,
    )


def terms_of(settings: Settings) -> AlarmTerms:
    """Which alarms are wanted."""
    return AlarmTerms(settings.alarms.language, settings.alarms.levels, settings.alarms.types)


def translator_of(settings: Settings) -> Translator:
    """A translator of readings, with the configured factors, that remembers nothing yet."""
    return Translator({(each.device_type, each.key): each.factor for each in settings.factors})


def inventory_of(account: AccountSettings) -> Inventory:
    """An empty fleet, with an account's filters."""
    return Inventory(
        Filter(account.plants.include, account.plants.exclude),
        Filter(account.devices.include, account.devices.exclude),
        account.device_types,
    )
