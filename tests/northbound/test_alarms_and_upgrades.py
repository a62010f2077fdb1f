from collections import Counter

import pytest

from exporter.northbound import parsing
from exporter.northbound.enums import (
    ALARM_SEVERITIES,
    ALARM_STATUSES,
    ALARM_TYPES,
    ALARMS_OVER,
    UPGRADE_RESULTS,
)
from exporter.northbound.errors import CallError, Reaction
from exporter.northbound.interfaces import INTERFACES
from exporter.northbound.records import (
    Alarm,
    Parsed,
    Reading,
    Registration,
    Upgrade,
    UpgradeOrder,
    Values,
)

HILL = "BA4372D08E014822AB065017416F254C"
HARBOUR = "5D02E8B40AD342159AC8D8A2BCD4FAB5"
INVERTER = "-214543629611879"
OTHER = "1000000137278685"
HOME = "1000000033393155"
HOME_2 = "1000000033393156"
SERIALS = ["SE0000000001", "SE0000000002"]

LOOSE = {"stationCode": "A", "alarmId": 1, "raiseTime": 1750760000000}


def one(parsed: Parsed):
    (record,) = parsed.records
    return record


# Alarms


@pytest.mark.parametrize("name", ["numbers", "strings"])
def test_alarms_are_the_same_as_numbers_and_as_text(data, name):
    assert parsing.alarms(data(f"getAlarmList/{name}"), [HILL, HARBOUR]) == Parsed(
        (
            Alarm(
                HARBOUR, "SE0000000001", "65534", "1", 1750760000.0,
                "Device communication interruption", "Home 1", "major", "exception", 1,
            ),
            Alarm(
                HILL, "SL0000000001", "65534", "1", 1750680122.0,
                "Device communication interruption", "Logger", "critical", "exception", 1,
            ),
        )
    )  # fmt: skip


def test_an_alarm_is_over_when_handled_or_cleared(data):
    parsed = parsing.alarms(data("getAlarmList/statuses"), [HARBOUR])
    by_status = {alarm.status: alarm.active for alarm in parsed.records if alarm.status}
    assert by_status == {1: True, 2: True, 3: True, 4: False, 5: False, 6: False}


def test_without_a_status_an_alarm_is_over_once_it_has_recovered(data):
    parsed = parsing.alarms(data("getAlarmList/statuses"), [HARBOUR])
    without = {alarm.name: alarm.active for alarm in parsed.records if alarm.status is None}
    assert without == {"Alarm 7": True, "Alarm 8": True, "Alarm 9": False}


@pytest.mark.parametrize(
    ("item", "active"),
    [
        ({"recoveryTime": "1750763600000"}, False),
        ({"recoveryTime": 1750763600000.0}, False),
        ({"recoveryTime": 0}, True),
        ({"recoveryTime": "0"}, True),
        ({"recoveryTime": ""}, True),
        ({"recoveryTime": "N/A"}, True),
        ({"status": "", "recoveryTime": 1750763600000}, False),
        ({"status": 1, "recoveryTime": 1750763600000}, True),
        ({"status": "6"}, False),
        ({"status": 5.0}, False),
        ({"status": 7}, True),
        ({"status": "handled"}, True),
        ({"status": True}, True),
    ],
)
def test_status_speaks_before_the_time_of_recovery(item, active):
    assert one(parsing.alarms([LOOSE | item], ["A"])).active is active


@pytest.mark.parametrize(
    ("recovery_time", "recovered"), [("1750763600000", 1_750_763_600.0), (0, None), (None, None)]
)
def test_when_an_alarm_was_over_is_read(recovery_time, recovered):
    assert (
        one(parsing.alarms([LOOSE | {"recoveryTime": recovery_time}], ["A"])).recovered == recovered
    )


def test_the_alarm_lists_oddities_are_counted(data):
    parsed = parsing.alarms(data("getAlarmList/quirks"), [HARBOUR])
    plain, retold, loose = parsed.records
    assert plain == Alarm(
        HARBOUR, "", "65534", "", 1750760000.0, "Device communication interruption", status=7
    )
    assert retold.serial_number == "SE0000000001"
    assert (loose.alarm_id, loose.name) == ("2032-a", "Loose � wire�")
    assert parsed.rejected == Counter(duplicate=1, not_asked_for=1, wrong_type=6)


@pytest.mark.parametrize("name", ["numbers", "strings", "quirks"])
def test_causes_and_suggestions_are_never_read(data, name):
    text = repr(parsing.alarms(data(f"getAlarmList/{name}"), [HILL, HARBOUR]))
    assert [word for word in ("Check", "Contact", "+00", "1. ") if word in text] == []


@pytest.mark.parametrize("field", ["stationCode", "esnCode", "alarmId", "causeId", "raiseTime"])
def test_any_part_of_its_identity_makes_another_occurrence(field):
    first = LOOSE | {"esnCode": "S", "causeId": 1}
    second = first | {field: "1750760000001"}
    parsed = parsing.alarms([first, second, first], ["A", "1750760000001"])
    assert (len(parsed.records), parsed.rejected) == (2, Counter(duplicate=1))


def test_the_same_occurrence_acknowledged_is_no_other_one():
    first, second = LOOSE | {"status": 1}, LOOSE | {"status": 2, "lev": 1, "alarmName": "again"}
    parsed = parsing.alarms([first, second], ["A"])
    assert (one(parsed).status, parsed.rejected) == (1, Counter(duplicate=1))


@pytest.mark.parametrize(
    ("lev", "severity"),
    [(1, "critical"), ("2", "major"), (3.0, "minor"), (4, "warning"), (0, "unknown"),
     (5, "unknown"), (None, "unknown"), ("critical", "unknown"), (True, "unknown")],
)  # fmt: skip
def test_severities_have_names(lev, severity):
    assert one(parsing.alarms([LOOSE | {"lev": lev}], ["A"])).severity == severity


@pytest.mark.parametrize(
    ("code", "name"),
    [(1, "transposition"), ("2", "exception"), (3, "protection"), (4, "notification"),
     (5, "information"), (6, "unknown"), (None, "unknown"), ("alarm", "unknown")],
)  # fmt: skip
def test_alarm_types_have_names(code, name):
    assert one(parsing.alarms([LOOSE | {"alarmType": code}], ["A"])).type == name


@pytest.mark.parametrize("field", ["stationCode", "alarmId", "raiseTime"])
@pytest.mark.parametrize("raw", [None, "", " ", True, [], {}, float("nan")])
def test_an_alarm_needs_a_plant_an_id_and_a_time(field, raw):
    assert parsing.alarms([LOOSE | {field: raw}], ["A"]) == Parsed((), Counter(wrong_type=1))


# Upgrades


def test_upgrades_are_read(data):
    parsed = parsing.upgrades(data("getDevUpgradeInfo/upgrading"), [HOME, HOME_2])
    under_way, done = parsed.records
    assert under_way == Upgrade(
        Reading(
            HOME,
            Values({"lastUpgradeTime": 1750791600000.0, "process": 60.0, "upgradeResult": 4.0}),
        ),
        "V100R001C00SPC141",
        "V100R001C00SPC142",
    )
    assert done.reading.values["process"] == 100.0
    assert parsed.rejected == Counter()


def test_the_upgrades_oddities_are_counted(data):
    parsed = parsing.upgrades(data("getDevUpgradeInfo/quirks"), [INVERTER, OTHER])
    assert parsed == Parsed(
        (
            Upgrade(
                Reading(
                    INVERTER,
                    Values({"lastUpgradeTime": 1750791600000.0, "upgradeResult": 5.0}),
                    {"process": "not_a_number"},
                ),
                "",
                "V500R001�",
            ),
            Upgrade(Reading(OTHER, Values({"upgradeResult": 0.0}))),
        ),
        Counter(duplicate=1, not_asked_for=1, wrong_type=2),
    )


# Orders


def test_each_order_is_accepted_or_says_why_not(data):
    parsed = parsing.upgrade_orders(data("devUpgrade/mixed"), [HOME, HOME_2])
    assert parsed == Parsed(
        (UpgradeOrder(HOME, accepted=False, fail_code=20020), UpgradeOrder(HOME_2, accepted=True))
    )


@pytest.mark.parametrize(
    ("item", "order"),
    [
        ({"result": "true", "failCode": "0"}, UpgradeOrder("1", accepted=True)),
        ({"result": 1}, UpgradeOrder("1", accepted=True)),
        ({"result": "false", "failCode": "20021"}, UpgradeOrder("1", False, 20021)),
        ({"result": False, "failCode": 0}, UpgradeOrder("1", accepted=False)),
        ({"result": False, "failCode": None}, UpgradeOrder("1", accepted=False)),
        ({"result": False, "failCode": "denied"}, UpgradeOrder("1", accepted=False)),
        ({"result": False, "failCode": 10**400}, UpgradeOrder("1", accepted=False)),
        ({"result": True, "failCode": 20020}, UpgradeOrder("1", True, 20020)),
    ],
)
def test_an_orders_result_stands_whatever_its_code_says(item, order):
    assert one(parsing.upgrade_orders([{"devId": 1} | item], ["1"])) == order


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ({"devId": 1}, "wrong_type"),
        ({"devId": 1, "result": None}, "wrong_type"),
        ({"devId": 1, "result": "accepted"}, "wrong_type"),
        ({"devId": "inverter", "result": True}, "wrong_type"),
        ({"result": True}, "wrong_type"),
        ({"devId": 2, "result": True}, "not_asked_for"),
    ],
)
def test_an_order_without_an_outcome_is_counted(item, reason):
    assert parsing.upgrade_orders([item], ["1"]) == Parsed((), Counter({reason: 1}))


def test_the_first_of_two_outcomes_stands():
    items = [{"devId": 1, "result": False}, {"devId": "1", "result": True}]
    parsed = parsing.upgrade_orders(items, ["1"])
    assert (one(parsed).accepted, parsed.rejected) == (False, Counter(duplicate=1))


# Registrations


def test_each_serial_number_is_registered_or_not(data):
    parsed = parsing.registrations(data("snIsRegister/mixed"), SERIALS)
    assert parsed == Parsed(
        (Registration("SE0000000001", registered=True), Registration("SE0000000002", False))
    )


def test_unusable_registrations_are_counted():
    detail = {"A": "true", "B": 0, "C": None, "D": "perhaps", "E": [True], "F": True, "": True}
    parsed = parsing.registrations({"detail": detail}, ["A", "B", "C", "D", "E"])
    assert parsed == Parsed(
        (Registration("A", registered=True), Registration("B", registered=False)),
        Counter(wrong_type=4, not_asked_for=1),
    )


def test_two_serial_numbers_that_look_the_same_are_one():
    parsed = parsing.registrations({"detail": {"A\x00": True, "A\x01": False}}, ["A�"])
    assert parsed == Parsed((Registration("A�", registered=True),), Counter(duplicate=1))


@pytest.mark.parametrize("data", [None, {"detail": None}, {"detail": {}}])
def test_nothing_registered_is_an_empty_result(data):
    assert parsing.registrations(data, SERIALS) == Parsed(())


@pytest.mark.parametrize("data", [[], {}, "text", 1, True, {"detail": []}, {"detail": "text"}])
def test_registrations_of_another_shape_are_malformed(data):
    with pytest.raises(CallError) as caught:
        parsing.registrations(data, SERIALS)
    error = caught.value
    assert (error.reason, error.reaction, error.enveloped) == (
        "malformed", Reaction.NEXT_TURN, True,
    )  # fmt: skip


def test_who_was_asked_about_is_never_read(data):
    assert "1293849606739215" not in repr(
        parsing.registrations(data("snIsRegister/mixed"), SERIALS)
    )


# Tables


def test_the_enumerations_are_those_of_the_reference():
    assert list(ALARM_SEVERITIES) == [1, 2, 3, 4]
    assert list(ALARM_TYPES) == [1, 2, 3, 4, 5]
    assert list(ALARM_STATUSES) == [1, 2, 3, 4, 5, 6]
    assert {ALARM_STATUSES[code] for code in ALARMS_OVER} == {
        "handled", "cleared_by_user", "cleared_by_device",
    }  # fmt: skip
    assert UPGRADE_RESULTS == {
        0: "not_started", 1: "success", 2: "failure", 3: "cancelled", 4: "upgrading",
        5: "timed_out",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("interface", "parser"),
    [
        ("devUpgrade", parsing.upgrade_orders),
        ("getDevUpgradeInfo", parsing.upgrades),
        ("getAlarmList", parsing.alarms),
        ("snIsRegister", parsing.registrations),
        ("active-power-control-mode", parsing.configuration),
        ("battery-mode", parsing.configuration),
    ],
)
def test_each_interface_has_its_parser(interface, parser):
    assert INTERFACES[interface].parser is parser
