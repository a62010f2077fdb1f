"""Accounts in every state that the status page knows, at one moment."""

from dataclasses import replace

from exporter.status.model import (
    AccountCounts,
    AccountStatus,
    CallCounts,
    FailureStatus,
    InterfaceStatus,
    PlantStatus,
    PollingStatus,
    Status,
)

NOW = 1_750_798_800.0
MINUTE = 60.0

LOGIN = InterfaceStatus("login", ((5, 600.0), (1, 60.0)), pace=120.0)
REALTIME = InterfaceStatus(
    "getDevRealKpi", ((10, 300.0), (1, 60.0)), pace=60.0, walk=240.0,
    next_call=NOW + 12, batches=4, answered=4,
)  # fmt: skip
ALARMS = InterfaceStatus(
    "getAlarmList", ((1, 1_800.0),), pace=1_800.0, walk=1_800.0,
    next_call=NOW + 1_000, batches=1, answered=1,
)  # fmt: skip
WELL = PollingStatus(
    logged_in=True, refusal=None, login_failure=None, waiting=(),
    login=LOGIN, interfaces=(REALTIME, ALARMS),
)  # fmt: skip
COUNTS = AccountCounts(
    up=True,
    calls={
        "login": CallCounts(requests=1, last_success=NOW - 90 * MINUTE),
        "getDevRealKpi": CallCounts(requests=1_234, last_success=NOW - 40, permitted=True),
        "getAlarmList": CallCounts(requests=3, last_success=NOW - 800, permitted=True),
    },
)
ROOF = PlantStatus(
    "NE=1", "Haus Müller", capacity=9_900.0, health="healthy", power=4_321.0, inverters=1,
    answered=1, energy=12.3 * 3.6e6, alarms={}, last_reading=NOW - 40,
)  # fmt: skip
FIELD = PlantStatus(
    "NE=2", 'Bodega "El Sol"', capacity=320e3, health="faulty", power=24_400.0, inverters=4,
    answered=3, energy=450 * 3.6e6, alarms={"critical": 1, "minor": 2}, last_reading=NOW - 50,
)  # fmt: skip
HOME = AccountStatus(
    "home", WELL, COUNTS, (ROOF,), {"string_inverter": 1, "battery": 2}, unknown_keys=()
)  # fmt: skip
REFUSAL = FailureStatus("20400", "user name or password is wrong")
LATE = FailureStatus("timeout", "too late")
REFUSED = replace(
    HOME,
    name="south",
    plants=(),
    devices={},
    counts=AccountCounts(),
    polling=replace(
        WELL,
        logged_in=False,
        refusal=REFUSAL,
        login_failure=REFUSAL,
        waiting=("the credentials are refused (20400: user name or password is wrong)",),
        login=replace(LOGIN, next_call=NOW + 15 * MINUTE),
        interfaces=(replace(REALTIME, next_call=None, batches=0, answered=0),),
    ),
)
PLANTLESS = replace(
    HOME,
    name="empty",
    plants=(),
    devices={},
    polling=replace(WELL, no_data_reason="the plant list is empty: assign plants to the account"),
)
STARTING = replace(
    HOME,
    plants=(PlantStatus("NE=1", "Haus Müller"),),
    devices={},
    counts=AccountCounts(up=True),
    polling=replace(
        WELL,
        waiting=("getDevList: 1 of 1 batches not answered yet",),
        interfaces=(replace(REALTIME, answered=1), replace(ALARMS, answered=0)),
    ),
)


def status(*accounts):
    return Status(NOW, accounts)


def with_interface(interface, *, up=True, **calls):
    """The account with one interface only, of which this was counted."""
    return replace(
        HOME,
        polling=replace(WELL, interfaces=(interface,)),
        counts=replace(COUNTS, up=up, calls={interface.name: CallCounts(**calls)}),
    )


def with_counts(**counts):
    return replace(HOME, counts=replace(COUNTS, **counts))


def with_plants(*plants):
    return replace(HOME, plants=plants)
