"""How a call can fail: one row a failCode, with its meaning, whose fault it is, and what we do.

Source: the reference's chapter 4 (30 codes) and the codes that newer servers added. What only
control tasks (1 and 2) and the creation of plants (21000 and more) answer is left out.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final


class Fault(Enum):
    """Who has to change something."""

    EXPORTER = "exporter"  # it sent something wrong
    OWNER = "owner"  # the account lacks something that its owner can give
    FLEET = "fleet"  # a plant or device is not what the list said
    PACE = "pace"  # called too often
    SERVER = "server"  # the management system, or the way to it


class Reaction(Enum):
    """What follows a failure."""

    LOG_IN = "log_in"  # log in again, then repeat the call once
    BACK_OFF = "back_off"  # this interface waits, longer each time
    SPLIT = "split"  # ask for less at once
    PAUSE = "pause"  # the account, and the host's other accounts, wait
    SUSPEND = "suspend"  # two more tries, then long waits: only the owner can change it
    REREAD_FLEET = "reread_fleet"  # halve the batch and read the list out of turn
    REFUSE_CREDENTIALS = "refuse_credentials"  # a login's: wait 15, then every 30 minutes
    NEXT_DAY = "next_day"  # this interface waits until the day is over
    SKIP_MEMBER = "skip_member"  # what was asked about cannot answer; nothing is wrong
    NEXT_TURN = "next_turn"  # the batch waits for its next turn like any other


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a call brought no data.

    `reason` is the label value under which it is counted: the failCode (`"407"`), `http_502` and
    the like, or one of `REASONS`. `enveloped` tells whether the management system itself answered,
    in its own form. `message` is its text then, for the person who asked: any text, so never for a
    log or a label. `detail` is what the system or its TLS library says of a call that never
    arrived, with at most the host's name. `retry_after` is how many seconds the server asked not to
    be called, 0 where it did not.
    """

    reason: str
    reaction: Reaction
    meaning: str
    enveloped: bool = False
    message: str = field(default="", repr=False)
    detail: str = ""
    retry_after: float = 0.0


class CallError(Exception):
    """A call that brought no data. Its text never holds a secret or an answer's body."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.reason}: {failure.meaning}")
        self.failure: Final = failure
        self.reason: Final = failure.reason
        self.reaction: Final = failure.reaction
        self.meaning: Final = failure.meaning
        self.enveloped: Final = failure.enveloped
        self.message: Final = failure.message
        self.detail: Final = failure.detail
        self.retry_after: Final = failure.retry_after

    def describe(self) -> str:
        """The meaning with its detail, fit for a log."""
        return f"{self.meaning} ({self.detail})" if self.detail else self.meaning


class NotSentError(Exception):
    """A call of which nothing was sent, as it was no longer this process's to make."""


@dataclass(frozen=True, slots=True)
class FailCode:
    """One row of the table."""

    code: int
    fault: Fault
    reaction: Reaction
    meaning: str


_CREDENTIALS = Reaction.REFUSE_CREDENTIALS
_NEXT = Reaction.NEXT_TURN
_SPLIT = Reaction.SPLIT
_REREAD = Reaction.REREAD_FLEET
_SKIP = Reaction.SKIP_MEMBER


def _order_codes(*codes: int) -> Iterator["FailCode"]:
    """What only interfaces answer that give devices orders, or ask about such orders."""
    meaning = "an order to devices was refused, and the exporter gives none of this kind"
    return (FailCode(code, Fault.EXPORTER, _NEXT, meaning) for code in codes)


# Chapter 4 first, in its groups; then what newer servers added.
ROWS = (
    FailCode(305, Fault.SERVER, Reaction.LOG_IN,
             "the session has ended, or another login with this account ended it"),
    FailCode(401, Fault.OWNER, Reaction.SUSPEND,
             "this account may not use the interface; grant it in the management system"),
    FailCode(407, Fault.PACE, Reaction.BACK_OFF,
             "this interface was called more often than the account may"),
    FailCode(20001, Fault.OWNER, _CREDENTIALS,
             "the northbound account does not exist; check user name and host"),
    FailCode(20002, Fault.OWNER, _CREDENTIALS,
             "the northbound account is disabled; enable it in the management system"),
    FailCode(20003, Fault.OWNER, _CREDENTIALS,
             "the northbound account has expired; extend it in the management system"),
    FailCode(20004, Fault.SERVER, _NEXT, "the management system has an internal fault"),
    FailCode(20005, Fault.EXPORTER, _NEXT, "no device was named"),
    FailCode(20006, Fault.FLEET, _REREAD, "a device of this batch is of another type"),
    FailCode(20007, Fault.FLEET, _REREAD, "a plant of this batch is not among the account's"),
    FailCode(20008, Fault.FLEET, _REREAD, "a device of this batch is not among the account's"),
    FailCode(20009, Fault.OWNER, Reaction.SUSPEND,
             "the KPIs asked for are not configured; first do so in the management system"),
    FailCode(20010, Fault.EXPORTER, _NEXT, "no plant was named"),
    FailCode(20011, Fault.EXPORTER, _NEXT, "the list of devices was empty"),
    FailCode(20012, Fault.EXPORTER, _NEXT, "the time asked about was missing"),
    FailCode(20013, Fault.FLEET, Reaction.SUSPEND,
             "this interface does not serve devices of this type"),
    FailCode(20014, Fault.EXPORTER, _SPLIT, "more than 100 plants were named"),
    FailCode(20015, Fault.EXPORTER, _SPLIT, "the list of plants was longer than 100"),
    FailCode(20016, Fault.EXPORTER, _SPLIT, "more than 100 devices were named"),
    FailCode(20017, Fault.EXPORTER, _SPLIT, "the list of devices was longer than 100"),
    FailCode(20018, Fault.EXPORTER, _SPLIT, "more than 10 devices were to be operated at once"),
    FailCode(20019, Fault.EXPORTER, _NEXT, "a switch command was neither on (1) nor off (2)"),
    FailCode(20020, Fault.OWNER, _NEXT,
             "no upgrade package fits the device; upload one to the management system"),
    FailCode(20021, Fault.OWNER, _NEXT,
             "the upgrade file is missing; upload it to the management system"),
    FailCode(20022, Fault.FLEET, _NEXT, "these devices have never been upgraded"),
    FailCode(20023, Fault.EXPORTER, _NEXT, "the period asked about ends before it starts"),
    FailCode(20024, Fault.EXPORTER, _NEXT, "no language was named"),
    FailCode(20025, Fault.OWNER, _NEXT,
             "the server does not know the language; set another one under `alarms`"),
    FailCode(20026, Fault.EXPORTER, _NEXT, "the period asked about is older than 365 days"),
    FailCode(20027, Fault.EXPORTER, _NEXT, "the period asked about is longer than 31 days"),
    FailCode(306, Fault.SERVER, Reaction.LOG_IN, "the session is not valid any more"),
    FailCode(307, Fault.SERVER, Reaction.LOG_IN, "the session was ended by the server"),
    FailCode(20028, Fault.SERVER, _NEXT, "the server knows nothing about this user"),
    FailCode(20029, Fault.OWNER, Reaction.SUSPEND,
             "the user is not valid; look at the account in the management system"),
    *_order_codes(20030, *range(20034, 20045)),
    FailCode(20045, Fault.FLEET, _REREAD, "a plant of this batch is not open to the account"),
    FailCode(20046, Fault.FLEET, _REREAD,
             "the account has no right to a plant of this batch"),
    *_order_codes(*range(20047, 20052)),
    FailCode(20055, Fault.EXPORTER, _NEXT, "neither a plant nor a device was named"),
    FailCode(20056, Fault.OWNER, _REREAD,
             "a plant's owner has not allowed access through the API, or not any more; ask for it"),
    *_order_codes(20116),
    FailCode(20200, Fault.SERVER, Reaction.BACK_OFF, "the management system is busy"),
    FailCode(20400, Fault.OWNER, _CREDENTIALS,
             "user name or password is wrong, the account is locked or expired, another session "
             "holds it, or the server blocks this address"),
    FailCode(20403, Fault.OWNER, _CREDENTIALS,
             "the account may not log in now; look at its status in the management system"),
    FailCode(20604, Fault.EXPORTER, _NEXT, "the time asked about does not end after it starts"),
    FailCode(20605, Fault.EXPORTER, _NEXT, "a time before 1970 was asked about"),
    FailCode(20606, Fault.EXPORTER, _NEXT,
             "the time asked about has not begun; is the clock of this machine right?"),
    FailCode(20607, Fault.EXPORTER, _NEXT, "the list of tasks was empty"),
    FailCode(20608, Fault.EXPORTER, _NEXT, "a plant was named twice"),
    FailCode(20609, Fault.FLEET, _SKIP,
             "the devices of the plant are not connected in a way that this works with"),
    FailCode(20610, Fault.FLEET, _SKIP, "the plant has no default settings"),
    FailCode(20611, Fault.EXPORTER, _NEXT, "a parameter was out of its range"),
    FailCode(20612, Fault.EXPORTER, _NEXT, "a parameter was empty"),
    FailCode(20614, Fault.FLEET, _SKIP, "the management system does not reach the plant"),
    *_order_codes(20613, 20615, 20616, 20617),
    FailCode(20618, Fault.PACE, Reaction.NEXT_DAY, "the account's calls for today are used up"),
    *_order_codes(20619, 20620),
    FailCode(20621, Fault.OWNER, _REREAD,
             "a plant of this batch is not among those that its owner has shared; ask for it"),
    FailCode(20622, Fault.OWNER, _REREAD,
             "a plant of this batch is unknown, or the account has no permission for it"),
    FailCode(20623, Fault.OWNER, _SKIP, "the plant belongs to another company"),
    FailCode(20624, Fault.FLEET, _SKIP, "the plant is bound to its owner already"),
    FailCode(20625, Fault.FLEET, _SKIP, "the plant is shared with its owner, and cannot be bound"),
    FailCode(20626, Fault.SERVER, _SKIP, "the plant could not be bound to its owner"),
    FailCode(20629, Fault.FLEET, _SKIP, "this plant cannot be configured"),
    FailCode(20631, Fault.FLEET, _SKIP, "the configuration of this plant cannot be read"),
    *_order_codes(30001, 30002, 30003),
    FailCode(30004, Fault.EXPORTER, _NEXT, "the page number was missing"),
    FailCode(30005, Fault.EXPORTER, _NEXT, "the page size was missing"),
    FailCode(30006, Fault.EXPORTER, _NEXT, "the server does not offer this page size"),
    FailCode(30007, Fault.EXPORTER, _NEXT, "only the start or the end of a time was named"),
    FailCode(30008, Fault.SERVER, _NEXT, "the management system failed internally"),
    *_order_codes(*range(30009, 30017)),
    FailCode(30017, Fault.FLEET, _REREAD,
             "more than 100 devices were named, or one of this batch is not open to the account"),
    *_order_codes(30018, 30019, 30020),
    FailCode(30021, Fault.EXPORTER, _NEXT, "the page number was below 0"),
    FailCode(30022, Fault.EXPORTER, _NEXT, "a time was missing or not valid"),
    *_order_codes(*range(30023, 30029)),
    FailCode(30029, Fault.OWNER, _CREDENTIALS,
             "the account could not be authenticated; check user name and password"),
    FailCode(30030, Fault.EXPORTER, _NEXT, "a parameter of the request was not valid"),
    FailCode(30031, Fault.EXPORTER, _SPLIT, "more than 10 devices were asked about at once"),
    FailCode(30032, Fault.EXPORTER, _NEXT, "the period asked about is longer than 3 days"),
    *_order_codes(30033),
    FailCode(30034, Fault.FLEET, _NEXT, "the list that was asked for is empty"),
    *_order_codes(30035, 30036, 30037),
    FailCode(30040, Fault.OWNER, _NEXT,
             "the strings of the inverter are not configured in the management system"),
)  # fmt: skip
FAIL_CODES: Mapping[int, FailCode] = {row.code: row for row in ROWS}

# What a token endpoint calls its refusals (RFC 6749, 5.2), and what it does not name.
_AUTHORIZE = "run `fusionsolar-exporter authorize`"
TOKEN_REFUSALS: Mapping[str, str] = {
    "invalid_grant": "the refresh token is not valid any more: it was used before, has expired, or "
    f"the owner has withdrawn the authorisation; {_AUTHORIZE}",
    "invalid_client": "client id or client secret is wrong",
    "invalid_request": "the server does not understand the request for a token; check token_url",
    "invalid_scope": "the authorisation does not reach as far as the scope asked for",
    "unauthorized_client": "this client may not sign in with a refresh token",
    "unsupported_grant_type": "the server knows no refresh tokens; check token_url",
    "token_refused": "the server refused a new token without saying why; check client id and "
    f"secret, then {_AUTHORIZE}",
}
# What keeps an account from asking for a token at all.
TOKEN_FILE_REASONS: Mapping[str, str] = {
    "no_refresh_token": f"there is no refresh token in refresh_token_file; {_AUTHORIZE}",
    "refresh_token_busy": "another process signs in with the same refresh_token_file right now",
    "refresh_token_file": "refresh_token_file cannot be read and replaced, so no refresh token was "
    "used",
    "refresh_token_unsaved": "refresh_token_file cannot be written: the new refresh token is in "
    "memory alone, and is written before it is used; a restart loses it",
}

# The reasons of failures without a failCode or another HTTP status than 200.
REASONS: Mapping[str, str] = {
    **TOKEN_REFUSALS,
    **TOKEN_FILE_REASONS,
    "bad_parameters": "the management system does not take the parameters of this call",
    "connection": "the server could not be reached, or it broke the connection",
    "empty": "the answer was empty, which to a login means: wrong user name or password",
    "malformed": "the answer was not in the form of the northbound interface",
    "no_tls": "the server does not speak TLS on this port; check the port, and whether base_url "
    "has to begin with http://",
    "no_token": "the login succeeded but brought no session token",
    "refused": "the management system refused the call without a failCode",
    "only_tls": "the server speaks nothing but TLS on this port; base_url has to begin with "
    "https://",
    "redirect": "the server pointed elsewhere, which is never followed; check base_url",
    "timeout": "the whole answer did not arrive in time",
    "tls": "no trusted TLS connection; check the certificate, ca_file and verify",
    "too_large": "the answer was larger than any real one",
}

# HTTP statuses that ask for more than patience.
_STATUSES: Mapping[int, tuple[Reaction, str]] = {
    401: (Reaction.LOG_IN, "the server knows no such session"),
    403: (Reaction.PAUSE, "the server rejects calls for the load on the whole system"),
    429: (Reaction.PAUSE, "the server throttles calls for the load on the whole system"),
}

# What a login's refusal means where the same reason means something else to any other call. Some
# servers tell a wrong password by a session's code.
_LOCKED = "the login was refused: user name or password is wrong, or the account is locked"
LOGIN_MEANINGS: Mapping[str, str] = {
    "305": _LOCKED,
    "306": _LOCKED,
    "307": _LOCKED,
    "401": "the login was refused: the account may not use the northbound interface",
    "http_401": _LOCKED,
    "refused": "the login was refused without a failCode: check user name and password",
}

# Reasons for which the management system refuses a login whoever asks; any other that it gives in
# its own form is about the credentials: a few wrong ones lock an account.
_NOT_ABOUT_CREDENTIALS = frozenset({"407", "20004", "20200", "20618", "30008", "no_token"})

# The reasons that mean: refused for the frequency of calls, the account's own or everybody's.
# A day's calls used up (20618) were too many, not too frequent.
RATE_LIMITED = frozenset({"407", "http_403", "http_429"})

# Without an envelope, these refuse a login's credentials, too.
_REFUSED_LOGINS = frozenset({"empty", "http_401", "refused", "no_refresh_token", *TOKEN_REFUSALS})

# The reasons of calls that nobody answered.
NO_ANSWER = frozenset({"connection", "no_tls", "only_tls", "timeout", "tls"})

_MAX_CODE = 99_999  # a label value each: an answer must not invent any number of them


def fail_code_error(code: int) -> CallError:
    """The failure that a failCode means (reference, chapter 4); any number is taken."""
    if not 0 <= code <= _MAX_CODE:
        return named_error("malformed")
    row = FAIL_CODES.get(code)
    reaction, meaning = (
        (row.reaction, row.meaning) if row else (Reaction.NEXT_TURN, "not documented")
    )
    return CallError(Failure(str(code), reaction, meaning, enveloped=True))


def status_error(status: int) -> CallError:
    """The failure that an HTTP status other than 200 means."""
    reaction, meaning = _STATUSES.get(
        status, (Reaction.NEXT_TURN, "the server did not answer the call")
    )
    return CallError(Failure(f"http_{status}", reaction, meaning))


def named_error(reason: str, *, enveloped: bool = False, detail: str = "") -> CallError:
    """The failure of one of `REASONS`."""
    return CallError(Failure(reason, Reaction.NEXT_TURN, REASONS[reason], enveloped, detail=detail))


def reason_error(reason: str) -> CallError:
    """The failure that was counted under this reason."""
    if reason.isdigit():
        return fail_code_error(int(reason))
    status = reason.removeprefix("http_")
    return status_error(int(status)) if status.isdigit() else named_error(reason)


def login_error(error: CallError) -> CallError:
    """What the failure of a call means where that call was a login.

    Only a login decides about the credentials, and every refusal is taken for one of them that is
    not plainly about something else. The message goes: it may repeat the password.
    """
    failure = replace(error.failure, message="")
    if error.reason in _REFUSED_LOGINS or (
        error.enveloped and error.reason not in _NOT_ABOUT_CREDENTIALS
    ):
        meaning = LOGIN_MEANINGS.get(error.reason, error.meaning)
        failure = replace(failure, reaction=Reaction.REFUSE_CREDENTIALS, meaning=meaning)
    return CallError(failure)


def login_reason_error(reason: str) -> CallError:
    """The failure of a login that was counted under this reason."""
    return login_error(reason_error(reason))


def data_error(error: CallError) -> CallError:
    """What a failure means where the call was no login: nothing about the credentials."""
    if error.reaction is not Reaction.REFUSE_CREDENTIALS:
        return error
    meaning = f"the interface is refused, as if {error.meaning}"
    return CallError(replace(error.failure, reaction=Reaction.SUSPEND, meaning=meaning))
