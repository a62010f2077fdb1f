"""What commands leave in the state for the daemon and for each other."""

import structlog
from account.world import account

from exporter.account.model import AccountState, ForeignCall
from exporter.account.store import Store

NOW = 1_000.0  # where the clocks of accounts begin


def call(start, end, *, interface="getDevUpgradeInfo", under_way=False):
    """What a command stores of a call, in seconds after now."""
    return ForeignCall(interface, NOW + start, end - start, under_way=under_way)


def store_as_command(database, **sections):
    """Stores what a command leaves for the daemon."""
    state = AccountState()
    for name, rows in sections.items():
        getattr(state, name).update(rows)
        getattr(state, name).changed.update(rows)
    clock = account().clock
    Store(state, database, clock, structlog.get_logger(), guest=True).save()
