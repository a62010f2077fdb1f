"""The 17 interfaces of the reference, one row each: path, subject, batch, limits, wish, parser.

An addition or a changed limit is one row here. Limits come in two editions: `classic` is the
2020 reference (chapter 1: one call a minute, every interface); `v6` is what users created after
June 2022 live under.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, assert_never

from exporter.northbound import events, parsing
from exporter.northbound.errors import CallError
from exporter.northbound.records import Parsed

MINUTE = 60.0
HOUR = 60 * MINUTE
DAY = 24 * HOUR
CLOCK_CHANGE = HOUR  # the most by which clocks are put back or forward; half of it on Lord Howe


def local_days(count: int) -> float:
    """The most seconds that so many days may last anywhere: the clocks are put back in them.

    A zone that moves west puts its clocks back as well, so a year may be longer, too.
    """
    return count * DAY + CLOCK_CHANGE


class Subject(Enum):
    """What an interface is asked about."""

    ACCOUNT = "account"  # nothing: the account itself
    PLANTS = "plants"  # `stationCodes`
    DEVICES = "devices"  # `devIds` of one `devTypeId`
    PERSON = "person"  # what a person names in a command; the daemon never asks


class Content(Enum):
    """What an interface's answers hold."""

    NOTHING = "nothing"  # that the daemon walks for
    PLANTS = "plants"
    DEVICES = "devices"
    READINGS = "readings"  # one of each subject, as of now
    ROWS = "rows"  # 5-minute readings of each subject, since midnight
    STATISTICS = "statistics"  # a row of each subject for each of several periods
    ALARMS = "alarms"
    UPGRADES = "upgrades"


class Growth(Enum):
    """What makes an allowance grow with the fleet."""

    NONE = "none"
    PLANTS = "plants"  # one more call for every 100 plants begun
    DEVICES = "devices"  # one more call for every 100 devices begun, type by type


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `base` calls, and one more for each hundred begun of `growth`, in any `window` s."""

    base: int
    window: float
    growth: Growth = Growth.NONE


@dataclass(frozen=True, slots=True)
class Interface:
    """One row: how an interface is called, how often it may be, how often it is wanted.

    `every` is the wish in seconds between the starts of two rounds (0: as fast as allowed), and
    `enabled` whether the daemon walks it unless told otherwise. `parser` turns an answer's `data`,
    given what was asked for, into records. `longest` is how many seconds a period of its
    statistics may last, `late` by how many its newest row lags behind, `heaviest` how many devices
    the plants of a batch may have, and `nothing` the failCode that only says that there is nothing
    to tell; `hint` is for who may not call it.
    """

    name: str
    path: str
    section: str
    subject: Subject
    batch: int
    classic: tuple[Limit, ...]
    v6: tuple[Limit, ...]
    every: float = 0.0
    enabled: bool = False
    content: Content = Content.NOTHING
    device_types: frozenset[int] = frozenset()
    longest: float = 0.0
    late: float = 0.0
    heaviest: int | None = None
    nothing: str | None = None
    hint: str = ""
    parser: Callable[[Any, Collection[str]], Parsed[Any]] = lambda _data, _asked: Parsed(())

    @property
    def walked(self) -> bool:
        """Whether the daemon asks it round by round; others are called when there is need."""
        return self.content is not Content.NOTHING

    @property
    def realtime(self) -> bool:
        """Whether its answers are readings as of now: what everybody waits for."""
        return self.content in (Content.READINGS, Content.ROWS)

    def body(self, device_type: int | None, members: Collection[str]) -> Mapping[str, Any]:
        """The request's parameters for one batch. Ids go as text, and so does the type."""
        match self.subject:
            case Subject.PLANTS:
                return {"stationCodes": ",".join(members)}
            case Subject.DEVICES:
                return {"devIds": ",".join(members), "devTypeId": str(device_type)}
            case Subject.ACCOUNT | Subject.PERSON:
                return {}
            case missed:
                assert_never(missed)

    def answer(self, call: Callable[[], Any], members: Collection[str]) -> Parsed[Any]:
        """What a call about these members brings; to hear that there is nothing is an answer.

        Raises:
            CallError: As the call and the parser.
        """
        try:
            return self.parser(call(), members)
        except CallError as error:
            if error.reason != self.nothing:
                raise
            return Parsed(())

    def advice(self, reason: str) -> str:
        """What to do about a refusal beyond what its words say; empty if nothing."""
        return self.hint if reason == "401" else ""


_A_MINUTE = (Limit(1, MINUTE),)
_A_DAY_LIST = (Limit(24, DAY, Growth.PLANTS), *_A_MINUTE)
_A_DAY_DEVICES = (Limit(24, DAY, Growth.DEVICES), *_A_MINUTE)

# Types that answer with real-time values: reference 2.9, and 41 (energy storage) of newer servers.
REALTIME_TYPES = frozenset({1, 8, 10, 14, 15, 17, 38, 39, 41, 47})
_STATISTICS_TYPES = frozenset({1, 14, 38, 39})
_UPGRADE_TYPES = frozenset({1, 38})

LOGIN = Interface(
    "login", "/thirdData/login", "2.1", Subject.ACCOUNT, 0,
    classic=_A_MINUTE, v6=(Limit(5, 10 * MINUTE),), enabled=True,
)  # fmt: skip
PLANT_LIST = Interface(
    "getStationList", "/thirdData/getStationList", "2.2", Subject.ACCOUNT, 0,
    classic=_A_MINUTE, v6=(Limit(24, DAY), *_A_MINUTE),
    every=6 * HOUR, enabled=True, content=Content.PLANTS, parser=parsing.plants,
)  # fmt: skip
# Newer accounts may read their plants only here, page by page. It shares the allowance, the
# settings and the metrics of the plant list.
PAGED_PLANT_LIST_PATH = "/thirdData/stations"
# What servers may offer; many offer only some of them.
PLANT_PAGE_SIZES = (100, 50, 30, 20, 10)
DEVICE_LIST = Interface(
    "getDevList", "/thirdData/getDevList", "2.8", Subject.PLANTS, 100,
    classic=_A_MINUTE, v6=_A_DAY_LIST, every=6 * HOUR, enabled=True,
    content=Content.DEVICES, parser=parsing.devices,
)  # fmt: skip

INTERFACES: Mapping[str, Interface] = {
    row.name: row
    for row in (
        LOGIN,
        PLANT_LIST,
        Interface(
            "getStationRealKpi", "/thirdData/getStationRealKpi", "2.3", Subject.PLANTS, 100,
            classic=_A_MINUTE, v6=(Limit(0, 5 * MINUTE, Growth.PLANTS), *_A_MINUTE),
            enabled=True, content=Content.READINGS, parser=parsing.plant_readings,
        ),
        Interface(
            "getKpiStationHour", "/thirdData/getKpiStationHour", "2.4", Subject.PLANTS, 100,
            classic=_A_MINUTE, v6=_A_DAY_LIST, every=HOUR,
            content=Content.STATISTICS, longest=HOUR, parser=parsing.plant_statistics,
        ),
        Interface(
            "getKpiStationDay", "/thirdData/getKpiStationDay", "2.5", Subject.PLANTS, 100,
            classic=_A_MINUTE, v6=_A_DAY_LIST, every=HOUR, enabled=True,
            content=Content.STATISTICS, longest=local_days(1), parser=parsing.plant_statistics,
        ),
        Interface(
            "getKpiStationMonth", "/thirdData/getKpiStationMonth", "2.6", Subject.PLANTS, 100,
            classic=_A_MINUTE, v6=_A_DAY_LIST, every=6 * HOUR, enabled=True,
            content=Content.STATISTICS, longest=local_days(31), parser=parsing.plant_statistics,
        ),
        Interface(
            "getKpiStationYear", "/thirdData/getKpiStationYear", "2.7", Subject.PLANTS, 100,
            classic=_A_MINUTE, v6=_A_DAY_LIST, every=DAY, enabled=True,
            content=Content.STATISTICS, longest=local_days(366), parser=parsing.plant_statistics,
        ),
        DEVICE_LIST,
        Interface(
            "getDevRealKpi", "/thirdData/getDevRealKpi", "2.9", Subject.DEVICES, 100,
            classic=_A_MINUTE, v6=(Limit(0, 5 * MINUTE, Growth.DEVICES),),
            enabled=True, device_types=REALTIME_TYPES,
            content=Content.READINGS, parser=parsing.device_readings,
        ),
        Interface(
            "getDevFiveMinutes", "/thirdData/getDevFiveMinutes", "2.10", Subject.DEVICES, 20,
            classic=_A_MINUTE, v6=_A_DAY_DEVICES, device_types=REALTIME_TYPES,
            content=Content.ROWS, late=15 * MINUTE, parser=parsing.device_rows,
        ),
        Interface(
            "getDevKpiDay", "/thirdData/getDevKpiDay", "2.11", Subject.DEVICES, 100,
            classic=_A_MINUTE, v6=_A_DAY_DEVICES, every=HOUR, device_types=_STATISTICS_TYPES,
            content=Content.STATISTICS, longest=local_days(1), parser=parsing.device_rows,
        ),
        Interface(
            "getDevKpiMonth", "/thirdData/getDevKpiMonth", "2.12", Subject.DEVICES, 100,
            classic=_A_MINUTE, v6=_A_DAY_DEVICES, every=6 * HOUR, device_types=_STATISTICS_TYPES,
            content=Content.STATISTICS, longest=local_days(31), parser=parsing.device_rows,
        ),
        Interface(
            "getDevKpiYear", "/thirdData/getDevKpiYear", "2.13", Subject.DEVICES, 100,
            classic=_A_MINUTE, v6=_A_DAY_DEVICES, every=DAY, device_types=_STATISTICS_TYPES,
            content=Content.STATISTICS, longest=local_days(366), parser=parsing.device_rows,
        ),
        Interface(
            "devUpgrade", "/thirdData/devUpgrade", "2.14", Subject.PERSON, 10,
            classic=_A_MINUTE, v6=_A_MINUTE, device_types=_UPGRADE_TYPES,
            parser=events.upgrade_orders,
        ),
        Interface(
            "getDevUpgradeInfo", "/thirdData/getDevUpgradeInfo", "2.15", Subject.DEVICES, 10,
            classic=_A_MINUTE, v6=_A_MINUTE, every=HOUR, device_types=_UPGRADE_TYPES,
            content=Content.UPGRADES, nothing="20022", parser=events.upgrades,
            hint="it needs the permission of devUpgrade as well",
        ),
        Interface(
            "getAlarmList", "/thirdData/getAlarmList", "2.16", Subject.PLANTS, 100,
            classic=_A_MINUTE, v6=(Limit(0, 30 * MINUTE, Growth.PLANTS),), enabled=True,
            content=Content.ALARMS, heaviest=1_000, parser=events.alarms,
        ),
        Interface(
            "snIsRegister", "/thirdData/snIsRegister", "2.17", Subject.PERSON, 20,
            classic=_A_MINUTE, v6=_A_MINUTE, parser=events.registrations,
        ),
    )
}  # fmt: skip

# `limits:` of an account. `safe` obeys both editions at once.
EDITIONS: Mapping[str, Callable[[Interface], tuple[Limit, ...]]] = {
    "safe": lambda row: row.classic + row.v6,
    "classic": lambda row: row.classic,
    "v6": lambda row: row.v6,
}
