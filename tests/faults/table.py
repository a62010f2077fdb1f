"""What can go wrong, one row a fault: what is done to an account's server, and what must follow.

All rows run at once, each on an account of its own. The trouble begins when every account that
can has its values, lasts until the values of those whose answers fail have grown too old, and
ends by itself; nobody touches the exporter meanwhile. At the end of all it is reloaded, for those
rows that are suspended for longer than a test waits.
"""

from dataclasses import dataclass, field
from typing import Any

DEVICES = "getDevRealKpi"
PLANTS = "getStationRealKpi"
LOGIN = "login"
LISTS = ("getStationList", "getDevList")
WALKED = (LOGIN, *LISTS, PLANTS, DEVICES)

STEADY = 1.0  # seconds that a minute of the limits lasts
FAST = 0.3  # for whoever waits for logins, as their waits double, or needs many calls
LONG = "30s"  # a timeout for what takes long
SHORT = "2s"  # a timeout that a hanging server is to meet
MEGABYTE = 1 << 20
POISONED = 7  # the device that fails its batch: seven times while it is halved, then alone
ELSEWHERE = "elsewhere"  # stands for the address of another host


@dataclass(frozen=True)
class Row:
    """One fault, and what is to be seen of it.

    `server` is the kind of the account's server, `faults` what is injected into its answers,
    `session_ends` whether the account has to log in anew as they begin. The rows of one `host`
    share a server. `minute` and `login` are the seconds between calls, and between logins.

    `reason` is the label under which calls of `at` are counted as failed, None where nothing
    fails. The values of devices `stay`, `age` (stay at first, and go when they are too old), `go`
    at once, `never` come, or do what they like (None). A row that `needs_reload`
    recovers with a reload only.
    """

    name: str
    faults: tuple[dict[str, Any], ...] = ()
    reason: str | None = None
    at: str = DEVICES
    up: bool = True
    values: str | None = "age"
    plants_unaffected: bool = True
    rate_limited: bool = False
    permitted: bool = True
    lost: bool = False
    refused: bool = False
    recovers: bool = True
    needs_reload: bool = False
    session_ends: bool = False
    server: str = "plain"
    host: str | None = None
    minute: float = STEADY
    login: float = STEADY
    timeout: str = "10s"
    account: dict[str, Any] = field(default_factory=dict)
    inverters: int = 1

    @property
    def from_start(self):
        """Whether the trouble is there before anything else is."""
        return self.values == "never"


def _of_devices(name, kind, reason, *, effect=None, **expected):
    """An answer about devices fails; the account's other interfaces do not notice."""
    return Row(name, ({"kind": kind, "interface": DEVICES, **(effect or {})},), reason, **expected)


def _of_interface(name, kind, reason, **expected):
    """The same, and for so long that the interface is left alone for an hour."""
    return _of_devices(name, kind, reason, recovers=False, needs_reload=True, **expected)


def _of_load(name, status):
    """The server asks to be left alone: the whole account is, for five minutes."""
    return _of_interface(
        name, "http_status", f"http_{status}", effect={"value": status}, rate_limited=True,
        plants_unaffected=False,
    )  # fmt: skip


def _harmless(name, kind, **expected):
    return _of_devices(name, kind, None, **{"values": "stay", **expected})


def _of_login(name, kind, reason, *, value=None, **expected):
    """The session ends, and there is no other."""
    fault = {"kind": kind, "value": value, "interface": LOGIN}
    return Row(
        name, (fault,), reason, at=LOGIN, up=False, plants_unaffected=False, session_ends=True,
        login=FAST, **expected,
    )  # fmt: skip


def _of_all(name, reason, *faults, at=DEVICES, **expected):
    return Row(name, faults, reason, at=at, up=False, plants_unaffected=False, **expected)


def _never(name, server, reason, **expected):
    """No login ever succeeds as long as the trouble lasts."""
    return _of_all(name, reason, at=LOGIN, server=server, values="never", login=FAST, **expected)


def _of_three_accounts(name, **expected):
    return Row(name, host="shared", **expected)


TABLE = (
    Row("healthy", values="stay"),
    # What HTTP says.
    _of_devices("http_400", "http_status", "http_400", effect={"value": 400}),
    _of_interface("http_401", "http_status", "http_401", effect={"value": 401}, login=FAST),
    _of_load("http_403_quota", 403),
    _of_devices("bad_parameters", "bad_parameters", "bad_parameters"),
    _of_devices("http_404", "http_status", "http_404", effect={"value": 404}),
    _of_load("http_429", 429),
    _of_devices("http_500", "http_status", "http_500", effect={"value": 500}),
    _of_devices("http_502", "http_status", "http_502", effect={"value": 502}),
    _of_devices("http_503", "http_status", "http_503", effect={"value": 503}),
    _of_all("http_503_everywhere", "http_503", {"kind": "http_status", "value": 503}),
    # How bytes travel.
    _of_devices("reset_before_headers", "reset_before_headers", "connection"),
    _of_devices("reset_in_body", "reset_in_body", "connection"),
    _of_devices("hang_before_headers", "hang_before_headers", "timeout", timeout=SHORT),
    _of_devices("hang_in_body", "hang_in_body", "timeout", timeout=SHORT),
    _of_devices("a_byte_a_second", "drip", "timeout", timeout=SHORT),
    _of_devices("short_body", "short_body", "connection"),
    # What the body is.
    _of_devices("truncated_json", "truncated_json", "malformed"),
    _of_devices("html_with_200", "html", "malformed"),
    _harmless("wrong_content_type", "content_type"),
    _harmless("wrong_charset_of_unicode", "charset"),
    _of_devices("wrong_charset", "charset", "malformed", effect={"value": "cp500"}),
    _of_devices("empty_body", "empty_body", "empty"),
    # How long these take, and so whether the values stay, is the machine's business.
    _of_devices("200_mb", "huge_body", "too_large",
                effect={"value": 200 * MEGABYTE, "count": 1}, values=None,
                timeout=LONG),
    _of_devices("gzip_bomb", "gzip_bomb", "too_large",
                effect={"value": 72 * MEGABYTE, "count": 1}, values=None,
                timeout=LONG),
    _of_devices("deep_nesting", "deep_nesting", "malformed"),
    _harmless("duplicate_keys", "duplicate_keys"),
    _harmless("lone_surrogates", "lone_surrogates"),
    # What `data` is.
    _of_devices("data_a_string", "data_as", "malformed", effect={"value": "text"}),
    _of_devices("data_a_number", "data_as", "malformed", effect={"value": 7}),
    _of_devices("data_a_dict", "data_as", "malformed", effect={"value": {"a": 1}}),
    _harmless("data_null", "data_as", values="go"),
    _harmless("values_null", "null_map", values="go"),
    _harmless("odd_values", "odd_values", values=None),
    # failCodes.
    _of_devices("internal_fault", "fail_code", "20004", effect={"value": 20004}),
    _of_devices("too_often", "fail_code", "407", effect={"value": 407}, rate_limited=True),
    _of_devices("no_permission", "fail_code", "401", effect={"value": 401, "count": 2},
                values="stay", permitted=False),
    _of_devices("poisoned_device", "fail_code", "20008",
                effect={"value": 20008, "members": [POISONED], "count": 10},
                values=None, inverters=100, minute=FAST),
    # The session.
    _of_devices("305_every_second_call", "fail_code", "305", effect={"value": 305, "every": 2},
                values=None, login=FAST),
    _harmless("new_token_each_call", "new_token"),
    _of_devices("stolen_session", "session_stolen", "305", effect={"count": 3}, lost=True,
                values=None, login=FAST),
    Row("another_tool", reason="305", lost=True, values=None, plants_unaffected=False,
        server="stealing", login=FAST),
    # The login.
    _of_login("login_refused", "fail_code", "20004", value=20004),
    _of_login("login_too_often", "fail_code", "407", value=407, rate_limited=True),
    _of_login("login_blocked", "http_status", "http_403", value=403, rate_limited=True,
              recovers=False, needs_reload=True),
    _of_login("login_without_token", "no_token", "no_token"),
    _of_login("login_hangs", "hang_before_headers", "timeout", timeout=SHORT),
    _of_login("login_redirected", "redirect", "redirect", value=ELSEWHERE),
    _of_devices("redirected", "redirect", "redirect", effect={"value": ELSEWHERE}),
    _never("wrong_password", "plain", "20400", account={"password": "wr0ng"}, recovers=False),
    _never("wrong_password_silently", "silent", "empty", account={"password": "wr0ng"},
           recovers=False),
    # The way to the server.
    _never("no_such_host", "nowhere", "connection", recovers=False),
    _of_all("connection_refused", "connection", server="closed"),
    _never("certificate_expired", "expired", "tls"),
    _never("certificate_of_another_host", "other_host", "tls"),
    _never("certificate_of_an_unknown_authority", "unknown_authority", "tls"),
    # One of three accounts on one server.
    _of_three_accounts("first_of_three", values="stay"),
    _of_three_accounts("down_of_three", faults=({"kind": "hang_before_headers"},), reason="timeout",
             up=False, plants_unaffected=False, timeout=SHORT),
    _of_three_accounts("last_of_three", values="stay"),
)  # fmt: skip
