"""Accounts in every state that the status page knows, at one moment."""

from dataclasses import replace

from exporter.status import Account, Calls, Failure, Lane, Plant, Polling, Status, Told

NOW = 1_750_798_800.0
MINUTE = 60.0

LOGIN = Lane("login", ((5, 600.0), (1, 60.0)), pace=120.0)
REALTIME = Lane(
    "getDevRealKpi", ((10, 300.0), (1, 60.0)), pace=60.0, walk=240.0,
    next_call=NOW + 12, batches=4, answered=4,
)  # fmt: skip
ALARMS = Lane(
    "getAlarmList", ((1, 1_800.0),), pace=1_800.0, walk=1_800.0,
    next_call=NOW + 1_000, batches=1, answered=1,
)  # fmt: skip
WELL = Polling(
    logged_in=True, refusal=None, login_failure=None, waiting=(),
    login=LOGIN, lanes=(REALTIME, ALARMS),
)  # fmt: skip
TOLD = Told(
    up=True,
    calls={
        "login": Calls(requests=1, last_success=NOW - 90 * MINUTE),
        "getDevRealKpi": Calls(requests=1_234, last_success=NOW - 40, permitted=True),
        "getAlarmList": Calls(requests=3, last_success=NOW - 800, permitted=True),
    },
)
ROOF = Plant(
    "NE=1", "Haus Müller", capacity=9_900.0, health="healthy", power=4_321.0, inverters=1,
    answered=1, energy=12.3 * 3.6e6, alarms={}, last_reading=NOW - 40,
)  # fmt: skip
FIELD = Plant(
    "NE=2", 'Bodega "El Sol"', capacity=320e3, health="faulty", power=24_400.0, inverters=4,
    answered=3, energy=450 * 3.6e6, alarms={"critical": 1, "minor": 2}, last_reading=NOW - 50,
)  # fmt: skip
HOME = Account(
    "home", WELL, TOLD, (ROOF,), {"string_inverter": 1, "battery": 2}, unknown_keys=()
)  # fmt: skip
REFUSAL = Failure("20400", "user name or password is wrong")
REFUSED = replace(
    HOME,
    name="south",
    plants=(),
    devices={},
    told=Told(),
    polling=replace(
        WELL,
        logged_in=False,
        refusal=REFUSAL,
        login_failure=REFUSAL,
        waiting=("the credentials are refused (20400: user name or password is wrong)",),
        login=replace(LOGIN, next_call=NOW + 15 * MINUTE),
        lanes=(replace(REALTIME, next_call=None, batches=0, answered=0),),
    ),
)
PLANTLESS = replace(
    HOME,
    name="empty",
    plants=(),
    devices={},
    polling=replace(WELL, lack="the plant list is empty: assign plants to the account"),
)
STARTING = replace(
    HOME,
    plants=(Plant("NE=1", "Haus Müller"),),
    devices={},
    told=Told(up=True),
    polling=replace(
        WELL,
        waiting=("getDevList: 1 of 1 batches not answered yet",),
        lanes=(replace(REALTIME, answered=1), replace(ALARMS, answered=0)),
    ),
)


def status(*accounts):
    return Status(NOW, accounts)


def with_lane(lane, **calls):
    """The account with one interface only, of which this was counted."""
    return replace(
        HOME,
        polling=replace(WELL, lanes=(lane,)),
        told=replace(TOLD, calls={lane.interface: Calls(**calls)}),
    )


def with_plants(*plants):
    return replace(HOME, plants=plants)
