"""Scrapes of single accounts: what a query asks for, and what Prometheus finds. Pure."""

from collections.abc import Mapping
from typing import Any

from starlette.datastructures import URL, QueryParams

from exporter.exposition.page import NO_ACCOUNT

ACCOUNT = "account"  # the parameter that names an account
EXPORTER = "exporter"  # the parameter that asks for what is of no account
YES = "true"
MAX_NAME = 200  # characters that an answer repeats

# The labels of the target of each account, by its name.
AccountLabels = Mapping[str, Mapping[str, str]]


def parse_accounts(query: QueryParams, known: AccountLabels) -> frozenset[str] | None:
    """The accounts that a query asks for, NO_ACCOUNT among them for the exporter itself.

    None where it asks for none: everything. Other parameters are ignored.

    Raises:
        ValueError: Says in a sentence what is wrong with it.
    """
    names, flags = query.getlist(ACCOUNT), query.getlist(EXPORTER)
    for name in names:
        if name not in known:
            raise ValueError(f"There is no account {name[:MAX_NAME]!r}; /-/targets lists all.")
    if not {*flags} <= {YES}:
        raise ValueError(f"{EXPORTER} can only be {YES}.")
    if not names and not flags:
        return None
    return frozenset((*names, *(NO_ACCOUNT for _ in flags)))


def list_targets(url: URL, accounts: AccountLabels) -> list[Mapping[str, Any]]:
    """Target groups for Prometheus' HTTP service discovery: each account, and the exporter itself.

    Together they hold every series once. They are found where the request for them, of this `url`,
    was answered. The path is left to the scrape configuration, as a proxy may put one before ours.
    """
    scheme = {"__scheme__": url.scheme} if url.scheme == "https" else {}
    labels = [
        *({**own, f"__param_{ACCOUNT}": name} for name, own in accounts.items()),
        {f"__param_{EXPORTER}": YES},
    ]
    return [{"targets": [url.netloc], "labels": {**each, **scheme}} for each in labels]
