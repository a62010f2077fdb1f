"""From the settings to the parts of an account: limits, client, fleet, page."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any

from exporter import NAME
from exporter.account.account_polling import AccountConfig
from exporter.account.fleet import Fleet, FleetFilter
from exporter.account.handlers import AlarmFilter
from exporter.account.interface_schedule import InterfaceSchedule, PollConfig
from exporter.account.refresh_token import RefreshTokenFile
from exporter.account.state_directory import AccountKey, key_of
from exporter.clock import Clock
from exporter.config import AccountSettings, ClientTls, ConfigError, OAuthSettings, Settings
from exporter.exposition.account import AccountView
from exporter.exposition.alarms import SEVERITIES
from exporter.exposition.page import Page
from exporter.exposition.telemetry import Telemetry
from exporter.exposition.translate import MAX_UNKNOWN_KEYS, Translator
from exporter.northbound.client import Client, Session
from exporter.northbound.interfaces import EDITIONS, INTERFACES, LOGIN, Content, Interface, Limit
from exporter.northbound.oauth import OAuthClient, TokenEndpoint
from exporter.northbound.transport import Transport

if TYPE_CHECKING:
    from exporter.account.postgresql.shared_state import SharedState


def account_key(account: AccountSettings) -> AccountKey:
    """By what its state is found."""
    return key_of(account.base_url, account.user)


def shared_state(settings: Settings, *, share: bool = True) -> "SharedState":
    """The state in the database that the settings name; `share` as of a Replica.

    Raises:
        ConfigError: Its URL is none, or its driver is not installed.
    """
    try:
        # Not before it is needed: without a database there need be no driver.
        from exporter.account.postgresql.shared_state import SharedState  # noqa: PLC0415

        return SharedState(settings.state.url(), share=share)
    except ImportError:
        raise ConfigError(f"state.database: needs a driver; install {NAME}[postgresql]") from None
    except ValueError as error:
        raise ConfigError(f"state.database: {error}") from None


def poll_configs(
    settings: Settings, account: AccountSettings, scale: float = 1.0
) -> Iterable[PollConfig]:
    """The interfaces that are polled for an account, each with its limits in force."""
    for interface in INTERFACES.values():
        chosen = settings.interface(account, interface.name)
        if (interface.polled and chosen.enabled) or interface is LOGIN:
            yield poll_config(settings, account, interface, scale)


def poll_config(
    settings: Settings, account: AccountSettings, interface: Interface, scale: float = 1.0
) -> PollConfig:
    """What the settings say of one interface; `scale` shortens the table's times."""
    chosen = settings.interface(account, interface.name)
    limits = (
        (Limit(chosen.allowance.calls, chosen.allowance.per),)
        if chosen.allowance
        else tuple(
            replace(limit, window=limit.window * scale)
            for limit in EDITIONS[account.limits](interface)
        )
    )
    max_devices = interface.max_devices_per_call.get(account.limits, inf)
    return PollConfig(interface, limits, chosen.every * scale, max_devices)


def schedule_of(
    config: PollConfig, fleet: Fleet, device_types: Collection[int]
) -> InterfaceSchedule:
    """An interface as the daemon would poll it, for devices of these types."""
    schedule = InterfaceSchedule(config)
    interface = config.interface
    wanted = fleet.wanted(interface.subject, device_types, by_dn=interface.by_dn)
    schedule.fit(wanted, fleet.size(device_types), fleet.weights())
    return schedule


def client_of(account: AccountSettings) -> Session:
    """The HTTP client of an account."""
    url, timeout, tls = account.base_url, account.timeout, _tls(account.tls)
    if account.auth is None:
        return Client(url, account.username, account.secret(), timeout=timeout, **tls)
    endpoint = token_endpoint_of(account.auth, timeout)
    refresh_tokens = RefreshTokenFile(account.auth.refresh_token_file)
    return OAuthClient(url, endpoint, refresh_tokens, Transport(timeout, **tls))


def token_endpoint_of(auth: OAuthSettings, timeout: float) -> TokenEndpoint:
    """Where the tokens of an OAuth client come from."""
    transport = Transport(timeout, **_tls(auth.tls))
    return TokenEndpoint(auth.token_url, auth.client_id, auth.secret(), transport)


def _tls(tls: ClientTls) -> Mapping[str, Any]:
    return {"ca_file": str(tls.ca_file) if tls.ca_file else None, "verify": tls.verify}


def view_of(  # noqa: PLR0913  # because it joins them
    settings: Settings,
    account: AccountSettings,
    polled: Iterable[PollConfig],
    *,
    page: Page,
    telemetry: Telemetry,
    clock: Clock,
) -> AccountView:
    """What makes an account's part of the page of what it knows."""
    asks_for_alarms = any(each.interface.content is Content.ALARMS for each in polled)
    return AccountView(
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
        max_unknown_keys=max_unknown_keys(settings),
    )


def max_unknown_keys(settings: Settings) -> int:
    """How many unknown keys have series."""
    return MAX_UNKNOWN_KEYS if settings.unknown_keys == "export" else 0


def account_config(
    settings: Settings, account: AccountSettings, polled: Sequence[PollConfig], scale: float = 1.0
) -> AccountConfig:
    """An account as its settings want it polled; `scale` shortens the table's times."""
    alarms = settings.alarms
    return AccountConfig(
        account.name,
        polled,
        account.timeout,
        AlarmFilter(alarms.language, alarms.levels, alarms.types),
        partial(
            Fleet,
            plants=FleetFilter(account.plants.include, account.plants.exclude),
            devices=FleetFilter(account.devices.include, account.devices.exclude),
            device_types=account.device_types,
        ),
        scale,
    )


def translator_of(settings: Settings) -> Translator:
    """A translator of readings, with the configured factors, that remembers nothing yet."""
    factors = {(each.device_type, each.key): each.factor for each in settings.factors}
    return Translator(factors, name_states=settings.states == "names")
