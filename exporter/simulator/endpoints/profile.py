"""How management systems differ: each field defaults to the commonest behaviour."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from exporter.northbound.interfaces import DAY

# The editions of the interface, and the limits of accounts that live under each.
EDITIONS: Mapping[str, str] = {"2020": "classic", "2022": "v6", "26": "v25"}
NEWEST = "26"

# The languages of getAlarmList on newer servers (2.16).
LANGUAGES = frozenset(
    {"zh_CN", "en_US", "ja_JP", "it_IT", "nl_NL", "pt_BR", "de_DE", "fr_FR", "es_ES", "pl_PL"}
)


@dataclass(frozen=True, slots=True)
class Profile:
    """The behaviour of one management system.

    Attributes:
        edition: Which interface it speaks, one of EDITIONS: "2020", of the reference; "2022", of
            accounts created since July 2022, where getStationList answers in pages; "26", of the
            servers of 23.x to 26.x, which have what was added since.
        silent_login: Wrong credentials get an empty body, as some servers do, instead of 20400.
        lenient_types: A device type may be sent as a number.
        kpis_as_text: Plants' values and all statistics, with their times, as text, as in some of
            the reference's examples.
        lag: Seconds after the start of an hour, day, month or year before it has a row.
        unfilled: Periods that have no values yet, or never had, come as rows without a map.
        shuffled: Rows of statistics and 5-minute data come in no order.
        languages: The languages of getAlarmList.
        localised: It also names alarms in them.
        alarm_history: Devices raise alarms by themselves, besides those raised by hand.
        alarm_every: Seconds between two alarms of a device, on average; they last in proportion.
        keeps_cleared: Alarms handled or cleared stay in the list.
        alarms_as_text: Numbers of alarms as text, as in the reference's table.
        alarms_without_status: Alarms have a `recoveryTime` instead of a `status`.
        upgrade_seconds: How long an upgrade runs.
        owners: Serial numbers by the user who has registered them; None: one user has all.
    """

    edition: str = "2020"
    silent_login: bool = False
    lenient_types: bool = False
    kpis_as_text: bool = False
    lag: float = 0.0
    unfilled: bool = False
    shuffled: bool = False
    languages: Collection[str] = LANGUAGES
    localised: bool = False
    alarm_history: bool = True
    alarm_every: float = 10 * DAY
    keeps_cleared: bool = True
    alarms_as_text: bool = False
    alarms_without_status: bool = False
    upgrade_seconds: float = 600.0
    owners: Mapping[str, Collection[str]] | None = None
