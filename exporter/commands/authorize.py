"""The authorisation of an account that signs in by OAuth: from its owner to a refresh token."""

import argparse
import sys
from secrets import token_hex
from urllib.parse import urlencode

from exporter import NAME
from exporter.account.refresh_token import RefreshTokenFile
from exporter.commands.account_access import FAILED, explain, reports_failures, say
from exporter.commands.options import accounts_of, add_account, add_config, fail, load_settings
from exporter.commands.redirect import AuthorizationError, Redirect
from exporter.config import AccountSettings, OAuthSettings
from exporter.northbound.errors import CallError
from exporter.wiring import token_endpoint_of

_STATE_BYTES = 4  # eight characters, since longer ones break the server's flow
_ADDRESS = """\
Open this address, sign in as the owner of the plants, and agree:

{address}

"""
_GOES_ON = (
    "Then this goes on by itself, if the browser runs on this machine. Otherwise paste the address "
    "that it ends at, though no page is shown there, or the code in it:"
)
_PASTE = "Then paste the address that the browser ends at, or the code in it:"


def define(parser: argparse.ArgumentParser) -> None:
    """Its flags."""
    add_config(parser)
    add_account(parser)


@reports_failures
def run(flags: argparse.Namespace) -> int:
    """Authorise an account that signs in by OAuth, once, and keep its refresh token."""
    account, auth = _account_of(flags)
    kept = RefreshTokenFile(auth.refresh_token_file)
    try:
        with kept.locked(wait=True):  # or all that follows would be for nothing
            pass
        code = _code(auth)
        with kept.locked(wait=True):
            token = _refresh_token(account, auth, code)
            kept.write(token)
    except AuthorizationError as refusal:
        say(f"{NAME}: {refusal}")
        return FAILED
    except OSError as error:
        say(f"{NAME}: {auth.refresh_token_file}: cannot be written: {error.strerror}")
        return FAILED
    print(f"The refresh token of {account.name} is in {auth.refresh_token_file}.")
    command = f"{NAME} check --config.file {flags.config_file}"
    print(f"A running exporter takes it up within a minute; to try it: {command}")
    return 0


def _account_of(flags: argparse.Namespace) -> tuple[AccountSettings, OAuthSettings]:
    """The account that is meant, among those that sign in by OAuth."""
    named = accounts_of(load_settings(flags.config_file), flags.account)
    found = [(account, account.auth) for account in named if account.auth is not None]
    if not found:
        fail("no account signs in by OAuth; its `auth` says how, see config.example.yaml")
    if len(found) > 1:
        names = ", ".join(account.name for account, _ in found)
        fail(f"--account is needed, one of {names}")
    return found[0]


def _code(auth: OAuthSettings) -> str:
    """Sends the owner to the server, and waits for what comes back.

    Raises:
        AuthorizationError: There is no code.
    """
    state = token_hex(_STATE_BYTES)
    asked = {
        "response_type": "code",
        "client_id": auth.client_id,
        "redirect_uri": auth.redirect_uri,
        "scope": auth.scope,
        "state": state,
    }
    joint = "&" if "?" in auth.authorize_url else "?"
    address = f"{auth.authorize_url}{joint}{urlencode(asked)}"
    with Redirect(auth.redirect_uri, state, sys.stdin, say) as redirect:
        print(_ADDRESS.format(address=address) + (_GOES_ON if redirect.is_awaited else _PASTE))
        sys.stdout.flush()
        return redirect.wait()


def _refresh_token(account: AccountSettings, auth: OAuthSettings, code: str) -> str:
    """Exchanges the code.

    Raises:
        AuthorizationError: The server gives no refresh token for it.
    """
    try:
        tokens = token_endpoint_of(auth, account.timeout).exchange(code, auth.redirect_uri)
    except CallError as error:
        if error.reason != "invalid_grant":
            raise AuthorizationError(explain(error)) from None
        raise AuthorizationError(
            "the code is not valid: it is used up, too old, or for another auth.redirect_uri; "
            "run this again"
        ) from None
    if tokens.refresh is None:
        raise AuthorizationError("the server gave no refresh token; check auth.scope")
    return tokens.refresh
