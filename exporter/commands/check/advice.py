"""What to do about a failed call, where the meaning of the failure does not say it."""

from collections.abc import Mapping

from exporter.account.plant_pages import NO_CLASSIC_LIST
from exporter.northbound.errors import (
    FAIL_CODES,
    TOKEN_FILE_REASONS,
    TOKEN_REFUSALS,
    CallError,
    Fault,
    Reaction,
)
from exporter.northbound.interfaces import LOGIN, PLANT_LIST, Interface

# --- the login --------------------------------------------------------------------------------

_NORTHBOUND = (
    "check user name and password; a portal login does not work here, only a northbound account: "
    "see docs/northbound-account.md"
)
# What a refused login asks for beside that, by its reason.
_LOGIN_REASONS: Mapping[str, str] = {
    "20002": "an administrator of the company can enable the account",
    "20003": "an administrator of the company can extend the account",
    "20400": "if name and password are right, stop what else uses the account and try again in "
    "half an hour: five wrong passwords in ten minutes lock it for so long",
    "20403": "look at the account's status there, and whether it may log in from this address",
}
_LOGIN: Mapping[str, str] = {
    **dict.fromkeys(TOKEN_FILE_REASONS, "see docs/oauth.md"),
    "http_404": "this host has no northbound interface; use the one that you are sent to when you "
    "open the portal, without a region or uni prefix, such as eu5.fusionsolar.huawei.com: "
    "see docs/northbound-account.md",
}

# --- any call ---------------------------------------------------------------------------------

_OTHER_PROGRAM = (
    "does another program use this account? Each of its logins ends this session: "
    "give each program its own northbound account"
)
REPORT_IT = "please report it, with what `check --capture` writes"
_REASONS: Mapping[str, str] = {
    "bad_parameters": REPORT_IT,
    "connection": "check base_url, http or https and port, the network, and HTTPS_PROXY if you "
    "need one",
    "no_tls": "set base_url to the address and port where the northbound interface answers",
    "only_tls": "write https:// in base_url",
    "malformed": "is base_url the management system itself, and no portal or proxy?",
    "redirect": "set base_url to the address of the management system itself",
    "timeout": "try again; if it stays so, raise `timeout` of the account",
    "tls": "for a private installation set tls.ca_file to its certificate, and use the name that "
    "stands in the certificate",
    **dict.fromkeys(("305", "306", "307"), _OTHER_PROGRAM),
    "20009": "in FusionSolar it is done where the northbound account is managed",
    "20618": "wait until tomorrow; does another program use the account?",
    "20013": "nothing to do; or leave the type out with device_types",
}
_FAULTS: Mapping[Fault, str] = {
    Fault.EXPORTER: REPORT_IT,
    Fault.FLEET: "the lists may have changed a moment ago; try again",
    Fault.PACE: "wait an hour; does another program use the account?",
    Fault.SERVER: "try again later",
}
ASK_FOR_PLANTS = (
    f"ask for the permission of {PLANT_LIST.name}, where the northbound account is managed: "
    "without plants there is nothing to export"
)
_INSTEAD = {"getDevRealKpi": "getDevFiveMinutes"}


def advice(interface: Interface, error: CallError) -> str:
    """What the owner can do about a failure; empty where its meaning says it all."""
    return _of_login(error) if interface is LOGIN else _of_call(interface, error)


def refused_login(reason: str) -> str:
    """What to do about a login that was refused for this reason."""
    if reason in TOKEN_REFUSALS or reason in TOKEN_FILE_REASONS:
        return "see docs/oauth.md"
    return "; ".join(filter(None, (_NORTHBOUND, _LOGIN_REASONS.get(reason, ""))))


def _of_login(error: CallError) -> str:
    reason = error.reason
    if error.reaction is Reaction.REFUSE_CREDENTIALS:
        return refused_login(reason)
    return _LOGIN.get(reason) or _general(reason)


def _of_call(interface: Interface, error: CallError) -> str:
    reason = error.reason
    if interface is PLANT_LIST and reason in NO_CLASSIC_LIST:
        return ASK_FOR_PLANTS
    is_refused = error.reaction is Reaction.SUSPEND and reason not in _REASONS
    if is_refused or reason == "http_401":
        return "; ".join(filter(None, (interface.advice(reason), f"or {_without(interface)}")))
    if reason == "http_404":
        return f"this server does not have it; {_without(interface)}"
    return _general(reason)


def _general(reason: str) -> str:
    if reason in _REASONS:
        return _REASONS[reason]
    row = FAIL_CODES.get(int(reason)) if reason.isdigit() else None
    return _FAULTS.get(row.fault, "") if row else _FAULTS[Fault.SERVER]


def _without(interface: Interface) -> str:
    name = interface.name
    instead = f", {_INSTEAD[name]}: {{enabled: true}}" if name in _INSTEAD else ""
    return f"go without it: interfaces: {{{name}: {{enabled: false}}{instead}}}"
