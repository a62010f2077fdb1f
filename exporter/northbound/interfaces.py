"""The interfaces, one row each: subject, batch, limits, interval, parser.

17 are of the reference, whose sections their parsers name; newer servers have more.

An addition or a changed limit is one row here. Limits come in three editions: `classic` is the
2020 reference (chapter 1: one call a minute, every interface); `v6` is what users created after
June 2022 live under; `v25` is what servers of 25.x and 26.x allow them.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, assert_never

from exporter.northbound import parsing
from exporter.northbound.device_types import REALTIME_TYPES, STATISTICS_TYPES, UPGRADABLE_TYPES
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
    """What a call of an interface names."""

    ACCOUNT = "account"  # nothing: the account itself
    PLANTS = "plants"  # `stationCodes`
    DEVICES = "devices"  # `devIds` of one `devTypeId`
    PERSON = "person"  # what a person names in a command; the daemon never asks


class Content(Enum):
    """What an interface's answers hold."""

    NOTHING = "nothing"  # that the daemon polls for
    PLANTS = "plants"
    DEVICES = "devices"
    READINGS = "readings"  # one of each subject, as of now
    ROWS = "rows"  # 5-minute readings of each subject
    STATISTICS = "statistics"  # a row of each subject for each of several periods
    ALARMS = "alarms"
    UPGRADES = "upgrades"
    CONFIGURATION = "configuration"  # how each subject is set


class Growth(Enum):
    """What makes an allowance grow with the fleet."""

    NONE = "none"
    PLANTS = "plants"  # each hundred begun
    DEVICES = "devices"  # each hundred begun, type by type
    LARGER = "larger"  # whichever of the two is more


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `base` calls in any `window` seconds, and `each` more for every `per` of `growth`.

    Where they have to be `even`, no two calls may be closer than so many in a window would be.
    """

    base: int
    window: float
    growth: Growth = Growth.NONE
    each: int = 1
    per: int = 100
    even: bool = False


_A_MINUTE = (Limit(1, MINUTE),)
_A_DAY_LIST = (Limit(24, DAY, Growth.PLANTS), *_A_MINUTE)
_A_DAY_DEVICES = (Limit(24, DAY, Growth.DEVICES), *_A_MINUTE)
_HALF_HOUR = 30 * MINUTE
# Each device once in ten minutes.
_BY_DEVICE = (Limit(0, 10 * MINUTE, Growth.DEVICES, per=1, even=True),)


@dataclass(frozen=True, slots=True)
class Interface:
    """One row: how an interface is called, how often it may be, how often it is wanted.

    Its limits are those of three editions; where `v25` says nothing, they are those of `v6`.
    `batch` is how many plants, devices or serial numbers a call may name, and
    `max_devices_per_call`, by `limits`, how many devices those plants may have. `every` is how
    many seconds apart full poll cycles are meant to start (0: as fast as allowed), and `enabled`
    whether the daemon polls it unless told otherwise. `parser` turns an answer's `data`, given
    what was asked for, into records. `device_types` are those that it serves, or that count for
    what it allows. `period_seconds` is the most that a period of its statistics may last, `lag` by
    how many seconds its newest row is late, and `no_data_code` the failCode that only says that
    there is nothing to tell; `window` is how many seconds before now its rows are asked for, 0 for
    a day's, `max_days` the most days that a call for rows may be about, and `by_dn` whether
    devices are named by their DN; `hint` is for who may not call it.
    `folder` is where it is called.
    """

    name: str
    subject: Subject
    batch: int
    v6: tuple[Limit, ...]
    classic: tuple[Limit, ...] = _A_MINUTE
    v25: tuple[Limit, ...] = ()
    every: float = 0.0
    enabled: bool = False
    content: Content = Content.NOTHING
    device_types: frozenset[int] = frozenset()
    period_seconds: float = 0.0
    lag: float = 0.0
    window: float = 0.0
    max_days: int = 1
    by_dn: bool = False
    max_devices_per_call: Mapping[str, int] = field(default_factory=dict)
    no_data_code: str | None = None
    hint: str = ""
    folder: str = "/thirdData"
    parser: Callable[[Any, Collection[str]], Parsed[Any]] = lambda _data, _asked: Parsed(())

    @property
    def path(self) -> str:
        """Where it is called, below the account's base URL."""
        return f"{self.folder}/{self.name}"

    @property
    def polled(self) -> bool:
        """Whether the daemon polls it in cycles; others are called when there is need."""
        return self.content is not Content.NOTHING

    @property
    def realtime(self) -> bool:
        """Whether its answers are readings as of now."""
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
            if error.reason != self.no_data_code:
                raise
            return Parsed(())

    def advice(self, reason: str) -> str:
        """What to do about a refusal beyond what its meaning says; empty if nothing."""
        return self.hint if reason == "401" else ""


LOGIN = Interface(
    "login", Subject.ACCOUNT, 0, v6=(Limit(5, 10 * MINUTE),), enabled=True,
)  # fmt: skip
PLANT_LIST = Interface(
    "getStationList", Subject.ACCOUNT, 0, v6=(Limit(24, DAY), *_A_MINUTE),
    v25=(Limit(24, DAY, Growth.PLANTS, each=10), *_A_MINUTE),
    every=6 * HOUR, enabled=True, content=Content.PLANTS, parser=parsing.plants,
)  # fmt: skip
# Newer accounts may read their plants only here, page by page. It shares the allowance, the
# settings and the metrics of the plant list.
PAGED_PLANT_LIST_PATH = "/thirdData/stations"
# What servers may offer; many offer only some of them.
PLANT_PAGE_SIZES = (100, 50, 30, 20, 10)
DEVICE_LIST = Interface(
    "getDevList", Subject.PLANTS, 100, v6=_A_DAY_LIST, every=6 * HOUR, enabled=True,
    content=Content.DEVICES, parser=parsing.devices,
)  # fmt: skip


def _plant_statistics(
    name: str, every: float, period_seconds: float, *, enabled: bool = True
) -> Interface:
    return Interface(
        name, Subject.PLANTS, 100, v6=_A_DAY_LIST, every=every, enabled=enabled,
        content=Content.STATISTICS, period_seconds=period_seconds, parser=parsing.plant_statistics,
    )  # fmt: skip


def _device_statistics(name: str, every: float, period_seconds: float) -> Interface:
    return Interface(
        name, Subject.DEVICES, 100, v6=_A_DAY_DEVICES, every=every,
        device_types=STATISTICS_TYPES,
        content=Content.STATISTICS, period_seconds=period_seconds, parser=parsing.device_rows,
    )  # fmt: skip


PLANT_DAYS = _plant_statistics("getKpiStationDay", HOUR, local_days(1))


def _configuration(name: str) -> Interface:
    """How a plant is configured, plant by plant; newer servers alone have it.

    Nobody tells how often it may be called: as often as the lists, whose allowance is the smallest
    of all. It hardly ever changes.
    """
    return Interface(
        name, Subject.PLANTS, 1, v6=_A_DAY_LIST, every=6 * HOUR,
        content=Content.CONFIGURATION, parser=parsing.configuration,
        folder="/rest/openapi/pvms/nbi/v1/configuration",
        hint="it may need a permission to configure or control plants as well",
    )  # fmt: skip


INTERFACES: Mapping[str, Interface] = {
    row.name: row
    for row in (
        LOGIN,
        PLANT_LIST,
        Interface(
            "getStationRealKpi", Subject.PLANTS, 100,
            v6=(Limit(0, 5 * MINUTE, Growth.PLANTS), *_A_MINUTE),
            enabled=True, content=Content.READINGS, parser=parsing.plant_readings,
        ),
        _plant_statistics("getKpiStationHour", HOUR, HOUR, enabled=False),
        PLANT_DAYS,
        _plant_statistics("getKpiStationMonth", 6 * HOUR, local_days(31)),
        _plant_statistics("getKpiStationYear", DAY, local_days(366)),
        DEVICE_LIST,
        Interface(
            "getDevRealKpi", Subject.DEVICES, 100,
            v6=(Limit(0, 5 * MINUTE, Growth.DEVICES),), enabled=True, device_types=REALTIME_TYPES,
            content=Content.READINGS, parser=parsing.device_readings,
        ),
        Interface(
            "getDevFiveMinutes", Subject.DEVICES, 20,
            v6=_A_DAY_DEVICES, device_types=REALTIME_TYPES,
            content=Content.ROWS, lag=15 * MINUTE, parser=parsing.device_rows,
        ),
        Interface(
            "getDevHistoryKpi", Subject.DEVICES, 10,
            v6=(Limit(24, DAY, Growth.DEVICES, per=10), *_A_MINUTE), device_types=REALTIME_TYPES,
            content=Content.ROWS, lag=15 * MINUTE, window=HOUR, max_days=3,
            parser=parsing.device_rows,
        ),
        Interface(
            "device/history", Subject.DEVICES, 1,
            classic=_BY_DEVICE, v6=_BY_DEVICE, device_types=REALTIME_TYPES,
            content=Content.ROWS, lag=15 * MINUTE, window=HOUR, parser=parsing.device_history,
            folder="/rest/openapi/pvms/nbi/v1", by_dn=True,
        ),
        _device_statistics("getDevKpiDay", HOUR, local_days(1)),
        _device_statistics("getDevKpiMonth", 6 * HOUR, local_days(31)),
        _device_statistics("getDevKpiYear", DAY, local_days(366)),
        Interface(
            "devUpgrade", Subject.PERSON, 10, v6=_A_MINUTE, device_types=UPGRADABLE_TYPES,
            parser=parsing.upgrade_orders,
        ),
        Interface(
            "getDevUpgradeInfo", Subject.DEVICES, 10,
            v6=_A_MINUTE, every=HOUR, device_types=UPGRADABLE_TYPES,
            content=Content.UPGRADES, no_data_code="20022", parser=parsing.upgrades,
            hint="it needs the permission of devUpgrade as well",
        ),
        Interface(
            "getAlarmList", Subject.PLANTS, 100,
            v6=(Limit(0, _HALF_HOUR, Growth.PLANTS),), v25=(Limit(0, _HALF_HOUR, Growth.LARGER),),
            max_devices_per_call={"classic": 1_000, "v6": 1_000, "v25": 100, "safe": 100},
            device_types=REALTIME_TYPES,  # no document says which count; these at least
            enabled=True, content=Content.ALARMS, parser=parsing.alarms,
        ),
        Interface(
            "snIsRegister", Subject.PERSON, 20, v6=_A_MINUTE,
            parser=parsing.registrations,
        ),
        _configuration("active-power-control-mode"),
        _configuration("battery-mode"),
    )
}  # fmt: skip

# `limits:` of an account. `safe` obeys all editions at once.
EDITIONS: Mapping[str, Callable[[Interface], tuple[Limit, ...]]] = {
    "safe": lambda row: row.classic + row.v6 + row.v25,
    "classic": lambda row: row.classic,
    "v6": lambda row: row.v6,
    "v25": lambda row: row.v25 or row.v6,
}
