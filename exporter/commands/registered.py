"""Which serial numbers a user has registered."""

import argparse
import sys
from collections.abc import Mapping
from contextlib import suppress
from secrets import token_hex

from exporter.account.probe import Probe
from exporter.clock import Clock, SystemClock
from exporter.commands.account_access import access_to, reports_failures, state_of
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
from exporter.northbound.errors import named_error
from exporter.northbound.interfaces import INTERFACES
from exporter.northbound.parsing import registrations

QUERY = INTERFACES["snIsRegister"]
_FROM_STDIN = "-"


def define(parser: argparse.ArgumentParser) -> None:
    """Its flags."""
    add_config(parser)
    add_account(parser)
    parser.add_argument(
        "--user",
        required=True,
        help="mail address or telephone number; - reads it from standard input, since the list "
        "of processes shows arguments to everybody",
    )
    parser.add_argument(
        "--sn",
        dest="serials",
        action="append",
        required=True,
        metavar="SERIAL",
        help="a serial number, or several with commas; may be given more than once",
    )
    add_format(parser)


@reports_failures
def run(flags: argparse.Namespace, clock: Clock | None = None) -> int:
    """Tell whether a user has registered serial numbers."""
    settings = load_settings(flags.config_file)
    account = account_of(settings, flags.account)
    user = sys.stdin.readline().strip() if flags.user == _FROM_STDIN else flags.user
    serials = list(dict.fromkeys(word for text in flags.serials for word in words(text)))
    if not user or not serials:
        fail("--user and --sn must not be empty")
    answers: dict[str, bool] = {}
    with (
        state_of(settings, [account]) as state,
        access_to(account, settings, state, clock or SystemClock()) as access,
    ):
        for first in range(0, len(serials), QUERY.batch):
            answers |= _ask(access.probe, user, serials[first : first + QUERY.batch])
    _show(serials, answers, flags.format)
    return 0


def _ask(probe: Probe, user: str, serials: list[str]) -> Mapping[str, bool]:
    """One call (reference 2.17), whose answer must be to this question: it repeats the key."""
    key = token_hex(16)
    data = probe.call(QUERY, {"SN": ",".join(serials), "userName": user, "key": key})
    answered = registrations(data, serials)
    repeated = None
    with suppress(AttributeError):  # an answer may be anything
        repeated = data.get("key")
    if repeated != key:
        raise named_error("malformed", enveloped=True)
    return {each.serial_number: each.registered for each in answered.records}


def _show(serials: list[str], answers: Mapping[str, bool], form: str) -> None:
    registered = {serial: answers.get(serial) for serial in serials}
    words = {True: "yes", False: "no", None: "unknown"}
    rows = ((serial, words[is_registered]) for serial, is_registered in registered.items())
    show(form, registered, lambda: table(("Serial number", "Registered"), rows))
